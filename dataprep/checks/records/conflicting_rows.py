"""The check conflicting-rows: rows that give one file two labels or two splits."""

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
class ConflictingRows(Check):
    """Rows that give one file two labels or two splits.

    What it finds:
        A row that lists a file which an earlier row lists, with another label or another split.
    Why it matters:
        At least one of the labels is wrong, and a model is taught both. A file in two splits is
        tested on what it was trained on.
    What to do:
        If each row is one label of an image that has several, say so with --task multi-label: the
        rows of a file are then read together. Otherwise look at the image and correct the rows that
        are wrong. Until then the file counts as in its first row.
    How it works:
        Paths are resolved to files first; then each row after the first is held against the first.
        A missing label or split does not disagree with anything.
    Known limits:
        Labels that differ only in spelling disagree here too, and label-spelling names the
        spelling. A manifest with one row per label of a multi-label task is taken for conflicts
        unless --task multi-label says what it is; a note proposes that where a fifth of the files
        are so. A table of boxes is recognised, and its rows are no conflicts.
    Measured quality:
        Exact. No false alarms by construction.
    """

    code = "conflicting-rows"
    family = "records"
    severity = "error"
    scope = "record"
    suggestion = "review"
    summary = "Files with conflicting labels or splits"
    advice = (
        "Decide which row is right. If each row is one of several labels, use --task multi-label."
    )
    message = "{target} is listed as {what}, first in {first}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
