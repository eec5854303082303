"""Class counts: how many samples each class has, for the checks of the family ``labels``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dataprep.schemas.text.spelling import meant_labels

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset


def class_counts(dataset: Dataset) -> pd.Series[int]:
    """Samples per class, largest first and by name among equals; a sample with several labels
    (``a|b``) counts for each.

    Labels that label-spelling takes for other spellings count for the class that is meant: one
    fault is not reported thrice. Empty where there are no labels or they are a target to regress
    on.
    """
    if "label" not in dataset.samples or dataset.task == "regression":
        return pd.Series(dtype="int64")
    labels = dataset.samples["label"].dropna().astype("str")
    if dataset.task == "multi-label":
        labels = labels.str.split("|").explode()
    counts, meant = labels.value_counts(), meant_labels(dataset)
    counts = counts.groupby(
        [meant.get(str(name), str(name)) for name in counts.index]
    ).sum()  # sorted by name
    return counts.sort_values(ascending=False, kind="stable").astype("int64")
