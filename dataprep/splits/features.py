"""Features, whose shares should be the same in every part: labels, and columns to balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.schemas.text.numbers import numbers_of
from dataprep.splits.units import known_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

#: Bins of numeric targets and of numeric columns to balance: quantiles, so each holds about as many
#: samples.
LABEL_BINS, COLUMN_BINS = 10, 5
#: Values of a column to balance that count by themselves; the rarer ones count together.
MOST_VALUES = 50
#: Importance of a column to balance beside the labels, which have 1.
COLUMN_WEIGHT = 0.5
#: Words for measured columns.
ALIASES = {
    "brightness": "luma_mean",
    "size": "bytes",
    "colour": "saturation",
    "color": "saturation",
    "blur": "sharpness",
}
#: Above so many different values a column of numbers is cut into quantiles.
_FEW_VALUES = 12


@dataclass(frozen=True, eq=False)
class Features:
    """What samples hold: entry j says that row `rows[j]` holds feature `features[j]`.

    Attributes:
        names: of the features: ``label=cat``, ``site=B``, ``luma_mean in [0.2, 0.4)``.
        rows, features: (m,) entries; no two are the same.
        weights: (f,) importance.
        labels: how many of the features are labels; they come first.
        classes: (n,) class number of each row for methods that know one class only (of several
            labels their combination, of figures their bin), -1 where there is none.
    """

    names: tuple[str, ...]
    rows: Rows
    features: Rows
    weights: NDArray[np.float64]
    labels: int
    classes: Rows


def balance_columns(dataset: Dataset, balance: Sequence[str]) -> tuple[str, ...]:
    """The columns to balance by their names in the table of samples.

    Raises:
        OptionError: one that is not known.
    """
    return tuple(
        known_column(dataset, ALIASES.get(column, column), "balance") for column in balance
    )


def balance_features(dataset: Dataset, order: Rows, balance: Sequence[str] = ()) -> Features:
    """The features of the rows `order` (n,) of a data set: labels, and the columns `balance`."""
    names, rows, codes, classes = _labels(dataset, order)
    found = [(names, rows, codes), *(_column(dataset, order, column) for column in balance)]
    sizes = [len(each[0]) for each in found]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Features(
        tuple(name for each in found for name in each[0]),
        np.concatenate([each[1] for each in found]),
        np.concatenate([each[2] + start for each, start in zip(found, starts)]).astype(np.int64),
        np.repeat([1.0] + [COLUMN_WEIGHT] * len(balance), sizes),
        len(names),
        classes,
    )


def has_label(dataset: Dataset, order: Rows) -> NDArray[np.bool_]:
    """(n,) whether each of the rows `order` has a label."""
    if "label" not in dataset.samples:
        return np.zeros(len(order), bool)
    return np.asarray(_label_values(dataset)[1])[order]


def _label_values(dataset: Dataset) -> tuple[pd.Series[Any], NDArray[np.bool_]]:
    labels = dataset.samples["label"]
    if dataset.task == "regression":
        figures = pd.to_numeric(labels.astype("str"), errors="coerce")
        return figures, np.isfinite(figures.to_numpy(np.float64))
    return labels, (labels.notna() & (labels.astype("str") != "")).to_numpy(dtype=bool)


def _labels(dataset: Dataset, order: Rows) -> tuple[list[str], Rows, Rows, Rows]:
    """(names, rows, codes) of the labels, and the classes."""
    nothing = np.zeros(0, np.int64)
    if "label" not in dataset.samples:
        return [], nothing, nothing, np.full(len(order), -1)
    values, known = _label_values(dataset)
    if dataset.task == "regression":
        names, codes = _quantiles(values.to_numpy(np.float64)[order], LABEL_BINS, "label")
        rows = np.flatnonzero(codes >= 0)
        return names, rows, codes[rows], codes
    classes, combinations = numbered(
        np.where(known, values.astype("str").to_numpy(dtype=object), "")[order]
    )
    if dataset.task != "multi-label":
        rows = np.flatnonzero(classes >= 0)
        return [f"label={name}" for name in combinations], rows, classes[rows], classes
    return (*_several(classes, combinations), classes)


def _several(classes: Rows, combinations: Sequence[str]) -> tuple[list[str], Rows, Rows]:
    """Entries of several labels a sample, from the number of its combination."""
    from sklearn.preprocessing import MultiLabelBinarizer

    if not combinations:
        return [], np.zeros(0, np.int64), np.zeros(0, np.int64)
    binarizer = MultiLabelBinarizer(sparse_output=True)
    labels_of = binarizer.fit_transform(
        [[name for name in each.split("|") if name] for each in combinations]
    )  # (combinations, labels)
    labels_of.sort_indices()
    rows = np.flatnonzero(classes >= 0)
    entries = labels_of[classes[rows]].tocoo()
    return (
        [f"label={name}" for name in binarizer.classes_],
        rows[entries.row],
        entries.col.astype(np.int64),
    )


def _column(dataset: Dataset, order: Rows, name: str) -> tuple[list[str], Rows, Rows]:
    """(names, rows, codes) of the values or bins of a column; what is missing is a value of its
    own.
    """
    values = dataset.samples[name]
    numbers = numbers_of(values)
    if numbers is not None and values.nunique() > _FEW_VALUES:
        names, codes = _quantiles(numbers[order], COLUMN_BINS, name)
    else:
        texts = values.astype("str").fillna("").to_numpy(dtype=object)[order]
        names, codes = _values(np.where(values.isna().to_numpy()[order], "", texts), name)
    if (codes < 0).any():
        names, codes = [*names, f"{name} missing"], np.where(codes < 0, len(names), codes)
    return names, np.arange(len(order)), codes


def _values(texts: NDArray[Any], name: str) -> tuple[list[str], Rows]:
    codes, known = numbered(texts)
    counts = np.bincount(codes[codes >= 0], minlength=len(known))
    if len(known) <= MOST_VALUES:
        return [f"{name}={value}" for value in known], np.asarray(codes, np.int64)
    frequent = np.sort(np.argsort(-counts, kind="stable")[: MOST_VALUES - 1])
    place = np.full(len(known) + 1, MOST_VALUES - 1)
    place[frequent], place[-1] = np.arange(MOST_VALUES - 1), -1
    return [*(f"{name}={known[code]}" for code in frequent), f"{name}: any rarer value"], place[
        codes
    ].astype(np.int64)


def numbered(texts: NDArray[Any]) -> tuple[Rows, list[str]]:
    """(n,) number of each text among the distinct ones, sorted; -1 for the empty one."""
    codes, known = pd.factorize(texts, sort=True)
    if len(known) and known[0] == "":
        codes, known = codes - 1, known[1:]
    return np.asarray(codes, np.int64), [str(text) for text in known]


def _quantiles(figures: NDArray[np.float64], bins: int, name: str) -> tuple[list[str], Rows]:
    """Names and numbers (n,) of quantile bins, -1 where a figure is unknown."""
    known = np.isfinite(figures)
    if not known.any():
        return [], np.full(len(figures), -1)
    edges = np.unique(np.quantile(figures[known], np.linspace(0, 1, bins + 1)))
    inner = edges[1:-1]
    codes = np.where(known, np.searchsorted(inner, np.where(known, figures, 0.0), side="right"), -1)
    if len(edges) < 2:
        return [f"{name}={edges[0]:g}"], codes.astype(np.int64)
    ends = ")" * (len(edges) - 2) + "]"
    return [
        f"{name} in [{low:.4g}, {high:.4g}{end}" for low, high, end in zip(edges, edges[1:], ends)
    ], codes.astype(np.int64)
