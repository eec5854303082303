"""The check unknown-split: splits that are neither train, val, test nor folds."""

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
class UnknownSplit(Check):
    """Splits that are neither train, validation, test nor folds.

    What it finds:
        Values of the split column, or folders beside train and test, that are none of the usual
        names: train, training; val, valid, validation, dev, eval; test, testing; and folds such as
        3, fold3, split_3. Case and surrounding white space do not matter.
    Why it matters:
        A training script that selects by name leaves these samples out without a word, or tests on
        a part of the data only.
    What to do:
        Rename the split; the suggestion names the nearest usual one. A holdout that is kept apart
        on purpose can stay: dismiss the claim.
    How it works:
        Each value is looked up in the list above; the suggestion is the nearest name by difflib's
        ratio, at least 0.7.
    Known limits:
        A known name that holds the wrong samples is not found here; see split-leakage and
        label-shift. Samples without a split are not reported.
    Measured quality:
        Exact for the list above.
    """

    code = "unknown-split"
    family = "records"
    severity = "warning"
    scope = "split"
    suggestion = "review"
    summary = "Unknown split names"
    advice = "Rename the split to train, val or test, or leave the column out."
    message = "the split {target!r} (samples: {figure:,.0f}) is neither train, val, test nor a fold"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
