"""Materials: everything a training run works on, row by row as in its data set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.evaluation.linear_probe import FeatureSpace, logistic_penalty
from dataprep.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.pixel_store import PixelStore
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.goal import Goal

Rows = "NDArray[np.int64]"


@dataclass(frozen=True, eq=False)
class Materials:
    """A data set with its pixels, its goal and its parts.

    Attributes:
        dataset: n samples with the column ``split``.
        goal: what is to be predicted.
        labels: (n,) codes, -1 where missing; (n, k) bool of several labels; (n,) values, NaN where
            missing.
        store: the images.
        units: (n,) what varies together: copies and groups.
        parts: part name to the rows of it that can be used: decoded and labelled.
        embedding: (n, d) of the audit's embedder, where a frozen model is fitted on those.
        centre, spread: mean and standard deviation of the training values of a regression; 0 and 1
            else.
    """

    dataset: Dataset
    goal: Goal
    labels: NDArray[Any]
    store: PixelStore
    units: NDArray[np.int64]
    parts: dict[str, NDArray[np.int64]]
    centre: float = 0.0
    spread: float = 1.0
    embedding: NDArray[np.float16] | None = None

    @cached_property
    def space(self) -> FeatureSpace:
        """The space of the embeddings, fitted on the rows to learn from."""
        assert self.embedding is not None
        return FeatureSpace.fitted_on(self.embedding, self.train)

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """(n, m) the embeddings in `space`."""
        assert self.embedding is not None
        return self.space(self.embedding)

    @cached_property
    def penalty(self) -> float | None:
        """The penalty of a linear classifier of classes on `values`, chosen by folds of the rows
        to learn from; None of other goals.
        """
        if self.goal.kind not in ("binary", "multi-class"):
            return None
        codes = np.asarray(self.labels, np.int32)
        return logistic_penalty(self.values, codes, self.units, self.train, self.goal.outputs)

    @property
    def train(self) -> NDArray[np.int64]:
        """Rows to learn from."""
        return self.parts["train"]

    @property
    def val(self) -> NDArray[np.int64]:
        """Rows to choose by."""
        return self.parts["val"]

    def unlearned(self, test: bool = True) -> dict[str, NDArray[np.int64]]:
        """The parts that are not learned from: val and, with `test`, all others."""
        return {
            name: rows
            for name, rows in self.parts.items()
            if name == "val" or (test and name != "train")
        }

    @cached_property
    def targets(self) -> NDArray[Any]:
        """What the loss takes: (n,) int64 codes, (n, k) float32, or (n, 1) float32 standardised
        values.
        """
        if self.goal.kind == "regression":
            values = (
                np.nan_to_num(np.asarray(self.labels, np.float64)) - self.centre
            ) / self.spread
            return values.astype(np.float32)[:, None]
        if self.goal.kind == "multi-label":
            return np.asarray(self.labels, np.float32)
        return np.asarray(self.labels, np.int64)

    def counts(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(k,) samples of each class, or positives of each label, among `rows`; of a regression
        the number of rows.
        """
        if self.goal.kind == "regression":
            return np.array([len(rows)])
        if self.goal.kind == "multi-label":
            return np.asarray(self.labels[rows].sum(axis=0), np.int64)
        return np.bincount(self.labels[rows], minlength=self.goal.outputs)

    @cached_property
    def names(self) -> NDArray[np.object_]:
        """(n,) sample names."""
        return self.dataset.samples.index.to_numpy(dtype=object)


def parts_of(dataset: Dataset, usable: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """Part name to its usable rows, in the order train, val, test, then by name.

    Raises:
        InputError: no train part, or none of its rows can be used.
    """
    if not dataset.has("split"):
        raise InputError(
            "no parts to train and judge on: expected a column split with train, val and test. "
            "Make one: dataprep split"
        )
    splits = dataset.samples["split"].astype("str").to_numpy(dtype=object)
    known = dataset.samples["split"].notna().to_numpy()
    names = sorted(
        set(splits[known]),
        key=lambda name: (["train", "val", "test"].index(name) if name in _PARTS else 3, name),
    )
    parts = {name: np.flatnonzero(known & usable & (splits == name)) for name in names}
    if not len(parts.get("train", ())):
        said = f"parts: {', '.join(names) or 'none'}"
        raise InputError(
            "no sample to train on: expected a part called train with labelled images that can be "
            f"read; {said}"
        )
    return parts


_PARTS = ("train", "val", "test")


def units_of(dataset: Dataset) -> NDArray[np.int64]:
    """(n,) number of what varies together: the column ``unit`` of a split, else ``group``, else
    each sample for itself.
    """
    for column in ("unit", "group"):
        if column in dataset.samples:
            codes = np.asarray(pd.factorize(dataset.samples[column])[0], np.int64)
            alone = np.flatnonzero(codes < 0)
            codes[alone] = codes.max(initial=-1) + 1 + np.arange(len(alone))
            return codes
    return np.arange(len(dataset))
