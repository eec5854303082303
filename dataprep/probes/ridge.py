"""Ridge regression on one-hot labels, with the closed form of its leave-out predictions.

Leaving out a sample, or all samples of a unit (copies of one picture, one patient), changes its prediction by a known factor of
its residual (Cook & Weisberg 1982; Rifkin & Lippert 2007), so that one fit gives every out-of-sample score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Penalties that are tried, as shares of the mean eigenvalue of the Gram matrix.
PENALTIES: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Rows that the penalty is chosen on at most.
_CHOOSING = 5_000
_BLOCK = 8192


@dataclass(frozen=True, eq=False)
class Targets:
    """What rows are to be: up to s classes each, with weights (a sure label has one of weight 1).

    Attributes:
        codes: (n, s) int32 class numbers, -1 where there is none.
        weights: (n, s) float32; zeros where there is none.
        classes: number of classes.
    """

    codes: NDArray[np.int32]
    weights: NDArray[np.float32]
    classes: int

    @classmethod
    def of_labels(cls, given: NDArray[np.int32], classes: int) -> Targets:
        """Targets of labels (n,), -1 where unlabelled."""
        return cls(given[:, None], (given >= 0).astype(np.float32)[:, None], classes)

    def dense(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(len(rows), classes) weights."""
        matrix = np.zeros((len(rows), self.classes), np.float32)
        for codes, weights in zip(self.codes[rows].T, self.weights[rows].T, strict=True):
            inside = np.flatnonzero(codes >= 0)
            matrix[inside, codes[inside]] += weights[inside]
        return matrix


def ridge_scores(values: NDArray[np.float32], targets: Targets, units: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, classes) scores of every row, fitted without the rows of its own unit.

    Args:
        values: (n, m) features; rows of zeros are predicted as the mean.
        targets: rows without a target are predicted, not fitted on.
        units: (n,) number of what has to be left out together.
    """
    fitted = np.flatnonzero(targets.weights.sum(axis=1) > 0)
    inner, cross = _products(values, targets, fitted)
    spectrum, basis = np.linalg.eigh(inner)
    spectrum = np.maximum(spectrum, 0)
    scale = float(spectrum[:-1].mean()) if len(spectrum) > 1 else 1.0
    penalty = _choose(values, targets, fitted, units, spectrum, basis, cross, scale)
    return _leave_out(values, targets, fitted, units, _inverse(spectrum, basis, penalty * scale), cross)


def _with_bias(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)


def _products(
    values: NDArray[np.float32], targets: Targets, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weighted Gram matrix (m + 1, m + 1) and the products with the targets (m + 1, classes)."""
    size = values.shape[1] + 1
    inner, cross = np.zeros((size, size)), np.zeros((size, targets.classes))
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        part, wanted = _with_bias(values[block]), targets.dense(block)
        inner += (part * wanted.sum(axis=1, keepdims=True)).T @ part
        cross += part.T @ wanted
    return inner, cross


def _inverse(spectrum: NDArray[np.float64], basis: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    return np.asarray((basis / (spectrum + max(penalty, 1e-9))) @ basis.T)


def _choose(
    values: NDArray[np.float32],
    targets: Targets,
    rows: NDArray[np.int64],
    units: NDArray[np.int64],
    spectrum: NDArray[np.float64],
    basis: NDArray[np.float64],
    cross: NDArray[np.float64],
    scale: float,
) -> float:
    """The penalty with the least squared error of left-out predictions, on whole units."""
    if len(rows) > _CHOOSING:
        some = np.unique(units[rows])
        some = some[:: -(-len(rows) // _CHOOSING)]
        rows = rows[np.isin(units[rows], some)]
    wanted = targets.dense(rows)
    errors = []
    for penalty in PENALTIES:
        scores = _leave_out(values, targets, rows, units, _inverse(spectrum, basis, penalty * scale), cross, only=True)
        errors.append(float(((scores - wanted) ** 2).sum()))
    return PENALTIES[int(np.argmin(errors))]


def _leave_out(
    values: NDArray[np.float32],
    targets: Targets,
    rows: NDArray[np.int64],
    units: NDArray[np.int64],
    inverse: NDArray[np.float64],
    cross: NDArray[np.float64],
    *,
    only: bool = False,
) -> NDArray[np.float32]:
    """Scores of all rows (of `rows` where `only`), those among `rows` without their own unit."""
    every = rows if only else np.arange(len(values))
    coefficients, solved = (inverse @ cross).astype(np.float32), inverse.astype(np.float32)
    scores = np.empty((len(every), targets.classes), np.float32)
    leverage = np.empty(len(every), np.float32)
    for start in range(0, len(every), _BLOCK):
        part = _with_bias(values[every[start : start + _BLOCK]])
        scores[start : start + _BLOCK] = part @ coefficients
        leverage[start : start + _BLOCK] = np.einsum("ij,ij->i", part @ solved, part)
    place = np.full(len(values), -1)
    place[every] = np.arange(len(every))
    for members in _by_size(rows, units):
        _leave_units_out(scores, leverage, values, targets, members, place, inverse)
    return scores


def _by_size(rows: NDArray[np.int64], units: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows (units, members) of all units of one size, a bounded number at a time."""
    order = rows[np.argsort(units[rows], kind="stable")]
    _, starts, counts = np.unique(units[order], return_index=True, return_counts=True)
    for size in np.unique(counts):
        firsts = starts[counts == size]
        step = max(1, _BLOCK // int(size))
        for start in range(0, len(firsts), step):
            yield order[firsts[start : start + step, None] + np.arange(size)]


def _leave_units_out(
    scores: NDArray[np.float32],
    leverage: NDArray[np.float32],
    values: NDArray[np.float32],
    targets: Targets,
    members: NDArray[np.int64],
    place: NDArray[np.int64],
    inverse: NDArray[np.float64],
) -> None:
    """Take the targets of units of one size, `members` (units, size), out of their own `scores`."""
    units, size = members.shape
    wanted = targets.dense(members.ravel()).reshape(units, size, -1)
    at = place[members]
    if size == 1:
        own = leverage[at]  # (units, 1)
        kept = np.maximum(1 - own * wanted.sum(axis=2), 1e-3)
        scores[at] = (scores[at] - own[:, :, None] * wanted) / kept[:, :, None]
        return
    part = _with_bias(values[members.ravel()]).reshape(units, size, -1).astype(np.float64)
    among = part @ inverse @ part.transpose(0, 2, 1)  # (units, size, size)
    left = np.eye(size) * (1 + 1e-6) - among * wanted.sum(axis=2)[:, None, :]
    scores[at] = np.linalg.solve(left, scores[at] - among @ wanted).astype(np.float32)
