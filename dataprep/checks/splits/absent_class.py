"""The check absent-class: classes that a split has no sample of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from dataprep.checks.contract import Check
from dataprep.ingest.selection import LEFT_OUT
from dataprep.schemas.text.spelling import meant_labels
from dataprep.schemas.text.words import missing_classes

if TYPE_CHECKING:
    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Classes that the message names, and that the evidence lists.
_NAMED, _KEPT = 5, 100
_LEARNED = "a model trained on it cannot predict {it}"
_MEASURED = (
    "scores on it do not cover {it}, and an average over classes (macro-F1) counts {it} as 0 or "
    "leaves {it} out"
)


@dataclass(frozen=True)
class AbsentClass(Check):
    """Classes missing from a split.

    What it finds:
        Splits with labelled samples, none of which has a class that another split has. One claim
        for each such split; it names the classes, and how many samples they have elsewhere.
    Why it matters:
        A class that training lacks cannot be learned. A class that validation or test lacks is not
        measured: accuracy says nothing of it, and an average over classes counts it as 0 where the
        model predicts it by mistake, and leaves it out elsewhere, so that figures of two models are
        about different classes. Tools that number the class folders they find give the other
        classes of that split wrong numbers.
    What to do:
        Split again with stratification (dataprep split), or move samples of the class (dataprep
        split --repair keeps the test split as it is). Where a class has too few samples or groups
        for all splits: collect more, merge it with another class, or leave it out, and say so
        beside the figure.
    How it works:
        Counts of labels in each split; of several labels, each counts, and other spellings count
        for the class that is meant.
    Known limits:
        Samples without a label or a split do not count, and splits without any label are not
        judged. Whether chance explains the gap is not asked: see label-shift. Targets to regress on
        have no classes. A random sample (--sample) is not judged.
    Measured quality:
        Exact: counting has no error.
    """

    code = "absent-class"
    family = "splits"
    severity = "warning"
    scope = "split"
    needs = ("label", "split")
    classes = 2
    summary = "Classes missing from a split"
    advice = "Split again with stratification, or report which classes the score does not cover."
    message = "no sample of {named}: {meaning}"

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and does not get: a random sample may have lost the few samples of a
        class.
        """
        sampled = any(kind.startswith(LEFT_OUT) for kind in dataset.ignored)
        return [
            *super().lacks(dataset, look),
            *(["all files, not a random sample"] if sampled else []),
        ]

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each split that lacks a class."""
        if dataset.task == "regression":
            return
        table = _table(dataset)
        if len(table) < 2:
            return
        totals = table.sum(axis=0)
        for split in table.index:
            lacking = totals[table.loc[split] == 0]
            if len(lacking):
                evidence = _evidence(
                    str(split), lacking.sort_values(ascending=False, kind="stable")
                )
                yield self.claims([split], figure=len(lacking), unit="classes", evidence=evidence)


def _evidence(split: str, lacking: pd.Series[int]) -> dict[str, Any]:
    meaning = _LEARNED if split == "train" else _MEASURED
    return {
        "named": missing_classes(((str(name), count) for name, count in lacking.items()), _NAMED),
        "meaning": meaning.format(it="it" if len(lacking) == 1 else "them"),
        "absent": {str(name): int(count) for name, count in lacking.head(_KEPT).items()},
    }


def _table(dataset: Dataset) -> pd.DataFrame:
    """Splits that have labels, by classes: number of samples."""
    known = dataset.samples[["split", "label"]].dropna().astype("str")
    known = known[(known["label"] != "") & (known["split"] != "")]
    if dataset.task == "multi-label":
        known = known.assign(label=known["label"].str.split("|")).explode("label")
    known["label"] = known["label"].replace(meant_labels(dataset))
    return known.groupby(["split", "label"]).size().unstack(fill_value=0)
