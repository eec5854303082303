"""The check duplicate-row: rows that list the same file again."""

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
class DuplicateRow(Check):
    """Rows that list the same file again, in agreement.

    What it finds:
        A row that lists a file which an earlier row lists, with the same label and split (or
        without). Two ways of writing one path are the same file.
    Why it matters:
        The file counts twice in training and in every metric; after a random split its two rows can
        lie on both sides.
    What to do:
        Delete the repeated rows. Everything else in the report counts the file once.
    How it works:
        Paths are resolved to files first; then each row after the first of a file is a claim. Rows
        that disagree are reported by conflicting-rows instead.
    Known limits:
        Copies of a file under other names are no repeated rows: exact-duplicate finds them. Values
        of other columns may differ between the rows; those of the first row are kept.
    Measured quality:
        Exact. No false alarms by construction.
    """

    code = "duplicate-row"
    family = "records"
    severity = "warning"
    scope = "record"
    suggestion = "none"
    summary = "Files listed more than once"
    advice = "Delete the repeated rows; the cleaned manifest has each file once."
    message = "{target} is listed again, first in {first}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
