"""Two samples that are compared: a split with the training split, or the data set with a
reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.probes.features import features_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Fewer rows of a side say nothing.
LEAST_ROWS = 8
#: Labels with fewer rows are compared together.
_RARE = 5
#: A split keeps units together when at most this share of those is cut that a split by single rows
#: would cut.
_CUT = 0.1


@dataclass(frozen=True, eq=False)
class Pair:
    """Two samples, row by row: first all of the own side, then the other.

    Attributes:
        target: name of the own side; "" for the whole data set.
        reference: the other side, in words.
        samples: their columns, of the rows that take part.
        own: (n,) side of each row.
        strata: (n,) rows that are compared with each other: those of one class.
        lumps: (n,) rows that the division kept together.
        units: (n,) rows that vary together: copies and groups.
        vectors: (n, m) embeddings in the space in which they are compared; zeros where unknown;
            None without.
        sizes: rows of each side before some were drawn.
    """

    target: str
    reference: str
    samples: pd.DataFrame
    own: NDArray[np.bool_]
    strata: NDArray[np.int64]
    lumps: NDArray[np.int64]
    units: NDArray[np.int64]
    vectors: NDArray[np.float32] | None
    sizes: tuple[int, int]

    def __len__(self) -> int:
        return len(self.own)

    def is_comparable(self) -> bool:
        """Whether both sides have enough rows of the same classes."""
        return min(int(self.own.sum()), int((~self.own).sum())) >= LEAST_ROWS


def split_names(dataset: Dataset) -> list[str]:
    """The splits that are compared: all but train, where there is one; none where there are not
    two.
    """
    if not dataset.has("split"):
        return []
    names = sorted(dataset.samples["split"].dropna().astype("str").unique())
    return [name for name in names if name != "train"] if len(names) > 1 else []


def split_pairs(dataset: Dataset, look: Look, most: int) -> Iterator[Pair]:
    """Each split with train, or with all others where none is called train; at most `most` rows
    a side.
    """
    splits = (
        dataset.samples["split"].astype("str").to_numpy(dtype=object)
        if dataset.has("split")
        else np.zeros(0)
    )
    measured = dataset.readable
    for name in split_names(dataset):
        own = measured & (splits == name)
        has_train = bool((splits == "train").any())
        other = measured & (
            (splits == "train")
            if has_train
            else (splits != name) & dataset.samples["split"].notna().to_numpy()
        )
        rows = [_drawn(np.flatnonzero(side), most) for side in (own, other)]
        both = np.concatenate(rows)
        known = dataset.has("embedding")
        yield _pair(
            (name, "train" if has_train else "the other splits"),
            dataset.samples.iloc[both],
            len(rows[0]),
            _labels(dataset, both),
            look.units()[both],
            look.features().values[both] if known else None,
            (int(own.sum()), int(other.sum())),
        )


def training_rows(dataset: Dataset) -> tuple[NDArray[np.bool_], str]:
    """(n,) rows that a reference is compared with, and the name of their split: those of train,
    or all ("").
    """
    if dataset.has("split"):
        train = (dataset.samples["split"] == "train").fillna(False).to_numpy(dtype=bool)
        if train.any():
            return train, "train"
    return np.ones(len(dataset), bool), ""


def reference_pair(dataset: Dataset, reference: Dataset, most: int) -> Pair:
    """The training split (the whole data set where there is none) with a reference data set; at
    most `most` rows a side.
    """
    training, target = training_rows(dataset)
    measured = [dataset.readable & training, reference.readable]
    rows = [_drawn(np.flatnonzero(each), most) for each in measured]
    sets = (dataset, reference)
    labels = [_labels(each, part) for each, part in zip(sets, rows, strict=True)]
    shared = all(each is not None for each in labels) and dataset.task == reference.task
    groups = [_groups(each, part) for each, part in zip(sets, rows, strict=True)]
    return _pair(
        (target, "the reference"),
        pd.concat([each.samples.iloc[part] for each, part in zip(sets, rows, strict=True)]),
        len(rows[0]),
        np.concatenate([each for each in labels if each is not None]) if shared else None,
        np.concatenate([groups[0], groups[1] + 1 + groups[0].max(initial=0)]),
        _joint_vectors(sets, rows),
        (int(measured[0].sum()), int(measured[1].sum())),
    )


def _drawn(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _labels(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[Any] | None:
    """(n,) labels as texts, "" where missing; None where there are none that make classes."""
    if not dataset.has("label") or dataset.task == "regression":
        return None
    return np.asarray(
        dataset.samples["label"].iloc[rows].astype("str").fillna("").to_numpy(dtype=object)
    )


def _groups(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    alone = np.arange(len(rows), dtype=np.int64)
    if not dataset.has("group"):
        return alone
    codes = np.asarray(pd.factorize(dataset.samples["group"].iloc[rows])[0], np.int64)
    return np.where(codes < 0, alone + codes.max(initial=0) + 1, codes)


def _joint_vectors(
    sets: tuple[Dataset, Dataset], rows: list[NDArray[np.int64]]
) -> NDArray[np.float32] | None:
    given = [each.arrays.get("embedding") for each in sets]
    if (
        any(each is None for each in given)
        or len({each.shape[1] for each in given if each is not None}) > 1
    ):
        return None
    parts = [each[part] for each, part in zip(given, rows, strict=True) if each is not None]
    return features_of(np.concatenate(parts)).values


def _pair(
    names: tuple[str, str],
    samples: pd.DataFrame,
    count: int,
    labels: NDArray[Any] | None,
    units: NDArray[np.int64],
    vectors: NDArray[np.float32] | None,
    sizes: tuple[int, int],
) -> Pair:
    own = np.arange(len(samples)) < count
    strata = np.zeros(len(own), np.int64)
    if labels is not None:
        codes, _ = pd.factorize(labels)
        rare = np.bincount(codes, minlength=1)[codes] < _RARE
        strata = np.where(rare, -1, codes).astype(np.int64)
    kept = _on_both_sides(strata, own)
    own, strata, units = own[kept], strata[kept], units[kept]
    return Pair(
        *names,
        samples[kept],
        own,
        strata,
        _lumps(units, own),
        units,
        None if vectors is None else vectors[kept],
        sizes,
    )


def _on_both_sides(strata: NDArray[np.int64], own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n,) rows whose class is on both sides: of others nothing but the class can be said."""
    return np.isin(strata, np.intersect1d(strata[own], strata[~own]))


def _lumps(units: NDArray[np.int64], own: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) what the division moved as one: the parts of units where it kept units together,
    single rows where it did not.
    """
    rows = np.arange(len(units), dtype=np.int64)
    if not len(rows):
        return rows
    _, unit, counts = np.unique(units, return_inverse=True, return_counts=True)
    share = own.mean()
    inside = np.bincount(unit, own)
    cut = int(((inside > 0) & (inside < counts)).sum())
    expected = float((1 - share**counts - (1 - share) ** counts).sum())
    return np.asarray(2 * unit + own, np.int64) if cut <= _CUT * expected else rows
