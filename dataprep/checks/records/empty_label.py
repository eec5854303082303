"""The check empty-label: samples without a label among labelled ones."""

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
class EmptyLabel(Check):
    """Samples without a label among labelled ones.

    What it finds:
        A row with an empty label where others have one, and a file that lies outside the class
        folders where the others lie inside.
    Why it matters:
        Loaders differ in what they make of it: some stop, some drop the row, some make a class of
        the empty name.
    What to do:
        Label the samples or leave them out. Images of none of the classes are better kept in a
        class of that name than without a label.
    How it works:
        Empty cells, white space and what programs write for nothing (nan, <NA>, #N/A) count as
        empty. The words null, N/A, NA and None do where they are rarer or far more frequent than
        the classes, or stand among numbers; where they are as frequent as a class they are one, and
        a note says so. The word none is always a class. The claim quotes what the cell says. A
        split in which no row has a label is taken to be unlabelled on purpose and not reported.
    Known limits:
        A placeholder such as unknown or ? is a label for this check.
    Measured quality:
        Exact for what counts as empty above.
    """

    code = "empty-label"
    family = "records"
    severity = "warning"
    scope = "record"
    suggestion = "review"
    summary = "Samples without a label"
    advice = "Label them, or leave them out."
    message = "{target} has no label: {why}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
