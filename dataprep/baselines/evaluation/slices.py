"""Figures of slices: on which recognisable kinds of images a model does worse than on the same
classes elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.evaluation.bootstrap import drawn_weights
from dataprep.baselines.evaluation.metrics import LabelledRows, row_scores
from dataprep.checks.content.slices import slices_of
from dataprep.checks.statistics.properties import Property
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.results.evaluation import SliceFigures
from dataprep.schemas.text.numbers import numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows that a slice, and what is not in it, have at least; and units of a slice, of fewer of which
#: nothing can be told.
LEAST_ROWS, LEAST_UNITS = 30, 10
#: Family-wise error rate of the flags.
_ALPHA = 0.05
_EXAMPLES = 6
#: Rows of a class outside of a slice that its usual score is told from, at least.
_LEAST_OUTSIDE = 2


def slice_figures(
    judged: LabelledRows,
    units: NDArray[np.int64],
    table: pd.DataFrame | None,
    names: Any = None,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> list[SliceFigures]:
    """How rows of each slice score, beside rows of the same classes outside of it; worst first.

    The score of a row is whether it is right (the share of labels that are right; for a regression
    the absolute error). The difference is the mean over the slice of each row's score less the mean
    score of its class outside the slice (direct standardisation), so that a hard class is not
    mistaken for a hard slice. Flagged is a slice that is worse by more than the largest deviation
    of all slices that the bootstrap over units gives by chance in one case of 20 (max-t; Romano &
    Wolf 2005).

    Args:
        judged: n rows.
        units: (n,) unit of each row, from 0 without gaps.
        table: rows as handed to `LabelledRows.of`; its columns slice. None: no slices.
        names: names of the rows of `table`.
    """
    if table is None or not judged.sound:
        return []
    found = slices_of(_properties(table.iloc[judged.rows]), least=LEAST_ROWS)
    found = (one for one in found if len(np.unique(units[one.members])) >= LEAST_UNITS)
    scores, strata = row_scores(judged), _strata(judged)
    parts = [
        (one, *part)
        for one in found
        if (part := _difference(scores, strata, one.members)) is not None
    ]
    if not parts:
        return []
    influence = np.stack(
        [np.bincount(units, each[2]).astype(np.float64) for each in parts], axis=1
    )  # (u, s)
    error = np.sqrt((influence**2).sum(axis=0))
    sign = 1.0 if judged.goal.kind == "regression" else -1.0
    worst = _largest_by_chance(influence, error, draws, seed)
    labels = np.arange(len(table)) if names is None else np.asarray(names, dtype=object)
    rows = []
    for (one, difference, _), spread in zip(parts, error, strict=True):
        deviation = abs(difference) / spread if spread > 0 else 0.0
        p = float((1 + (worst >= deviation).sum()) / (1 + len(worst)))
        worse = p < _ALPHA and sign * difference > 0
        mistakes = _mistakes(judged, one.members) if worse else ()
        inside = np.zeros(len(scores), bool)
        inside[one.members] = True
        rows.append(
            SliceFigures(
                slice=one.name,
                property=one.family,
                rows=len(one.members),
                units=len(np.unique(units[inside])),
                value=float(scores[one.members].mean()),
                rest=float(scores[~inside].mean()),
                difference=difference,
                low=difference - 1.96 * spread,
                high=difference + 1.96 * spread,
                p=p,
                worse=worse,
                examples=[str(labels[judged.rows[row]]) for row in mistakes],
            )
        )
    return sorted(rows, key=lambda row: -sign * row.difference)


def _properties(table: pd.DataFrame) -> list[Property]:
    """The columns as properties: numbers, and anything else by its values; constant ones are
    left out by the slicing.
    """
    found = []
    for name, column in table.items():
        measured = name in COLUMNS and not pd.api.types.is_numeric_dtype(column)
        values = None if measured else numbers_of(column)
        if values is not None:
            found.append(
                Property(str(name), str(name), np.where(np.isfinite(values), values, np.nan))
            )
            continue
        codes, texts = pd.factorize(column.astype("object").map(str, na_action="ignore"), sort=True)
        values = np.where(codes >= 0, codes, np.nan)
        found.append(Property(str(name), str(name), values, tuple(str(text) for text in texts)))
    return [each for each in found if np.isfinite(each.values).any()]


def _strata(judged: LabelledRows) -> NDArray[np.int64]:
    """(n,) what rows are compared within: the class; nothing where there is more than one label,
    or a number.
    """
    single = judged.goal.kind in ("binary", "multi-class")
    return judged.labels if single else np.zeros(len(judged), np.int64)


def _difference(
    scores: NDArray[np.float64], strata: NDArray[np.int64], members: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64]] | None:
    """The standardised difference of a slice, and each row's influence on it; None where nothing
    compares with it.
    """
    inside = np.zeros(len(scores), bool)
    inside[members] = True
    size = int(strata.max()) + 1
    outside = np.bincount(strata[~inside], minlength=size)
    usual = np.bincount(strata[~inside], scores[~inside], size) / np.maximum(outside, 1)
    counted = members[outside[strata[members]] >= _LEAST_OUTSIDE]
    if len(counted) < LEAST_ROWS:
        return None
    gaps = scores[counted] - usual[strata[counted]]
    difference = float(gaps.mean())
    influence = np.zeros(len(scores))
    influence[counted] = (gaps - difference) / len(counted)
    weight = np.bincount(strata[counted], minlength=size) / len(counted) / np.maximum(outside, 1)
    rest = np.flatnonzero(~inside)
    influence[rest] = -weight[strata[rest]] * (scores[rest] - usual[strata[rest]])
    return difference, influence


def _largest_by_chance(
    influence: NDArray[np.float64], error: NDArray[np.float64], draws: int, seed: int
) -> NDArray[np.float64]:
    """(draws,) largest standardised deviation among all slices when units are drawn anew."""
    scaled = (influence / np.where(error > 0, error, np.inf)).astype(np.float32)
    blocks = drawn_weights(np.arange(len(scaled)), draws, seed)
    return np.concatenate(
        [np.abs((block - 1).astype(np.float32) @ scaled).max(axis=1) for block in blocks]
    )


def _mistakes(judged: LabelledRows, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """The members that are most wrong: largest error, or wrong with most confidence."""
    scores = row_scores(judged)[members]
    if judged.goal.kind == "regression":
        return members[np.argsort(-scores, kind="stable")][:_EXAMPLES]
    sure = judged.probs[members].max(axis=1)
    wrong = np.flatnonzero(scores < 1)
    return members[wrong[np.lexsort((-sure[wrong], scores[wrong]))]][:_EXAMPLES]
