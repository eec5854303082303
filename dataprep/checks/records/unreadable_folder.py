"""The check unreadable-folder: folders that could not be listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.records.record_faults import fault_claims

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class UnreadableFolder(Check):
    """Folders that could not be listed.

    What it finds:
        Folders below the source that the operating system refused to list.
    Why it matters:
        What lies in them is not in the data set that was audited, and nobody would know.
    What to do:
        Give the user who runs the audit read and execute permission on the folder; for input/output
        errors look at the disk or the network. Or exclude the folder on purpose.
    How it works:
        The walk notes the folder, what the operating system said, and goes on.
    Known limits:
        Only folders; files that cannot be read are reported by the check unreadable.
    Measured quality:
        Exact. No false alarms by construction.
    """

    code = "unreadable-folder"
    family = "records"
    severity = "error"
    scope = "record"
    suggestion = "review"
    summary = "Unreadable folders"
    advice = "Give read permission, or check the disk or network, and audit again."
    message = "{target} could not be listed: {why}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
