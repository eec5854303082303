"""Class counts: how many samples each class has, for the checks of the family ``labels``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset


def class_counts(dataset: Dataset) -> pd.Series[int]:
    """Samples per class, largest first and by name among equals; a sample with several labels (``a|b``) counts for each.

    Empty where there are no labels or they are a target to regress on.
    """
    if "label" not in dataset.samples or dataset.task == "regression":
        return pd.Series(dtype="int64")
    labels = dataset.samples["label"].dropna().astype("str")
    if dataset.task == "multi-label":
        labels = labels.str.split("|").explode()
    counts = labels.value_counts().sort_index()
    return counts.sort_values(ascending=False, kind="stable").astype("int64")
