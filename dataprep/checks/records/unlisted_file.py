"""The check unlisted-file: files that no row of the manifest lists."""

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
class UnlistedFile(Check):
    """Files in the folder that no row of the manifest lists.

    What it finds:
        Files below the folder that may be images and that the manifest given with the folder (or
        the metadata file in it) does not list. They are not samples: they enter no other check.
    Why it matters:
        Data that was paid for is not used; or the files were taken out of the manifest for a
        reason, and a script that reads the folder brings them back.
    What to do:
        Add a row for each file that belongs, or move the others out of the folder. When most files
        are unlisted, the manifest may be for a part of the data: give the folder of that part, or
        leave the folder out.
    How it works:
        The files of the folder, less junk and side files (by name, as in any scan), less the files
        that rows resolve to. Files that a malformed row mentions are left out: the row is reported
        instead.
    Known limits:
        Looks only when a folder was given together with the manifest, or when the manifest was
        found in the folder. Files that include and exclude leave out are not reported.
    Measured quality:
        Exact: set difference of the two lists. No false alarms by construction.
    """

    code = "unlisted-file"
    family = "records"
    severity = "warning"
    scope = "record"
    suggestion = "review"
    summary = "Files not listed in the manifest"
    advice = "Add rows for the files that belong to the data set; delete or move those that do not."
    message = "{target} is in the folder but not in the manifest"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
