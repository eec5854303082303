"""Ridge regression on one-hot labels, with the closed form of its leave-out predictions.

Leaving out a sample, or all samples of a unit (copies of one picture, one patient), changes its
prediction by a known factor of its residual (Cook & Weisberg 1982; Rifkin & Lippert 2007), so that
one fit gives every out-of-sample score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.probes.vectors import blocks, with_bias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.probes.classifiers.targets import Targets

#: Penalties that are tried, as shares of the mean eigenvalue of the Gram matrix.
PENALTIES: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Rows that the penalty is chosen on at most.
_CHOOSING = 5_000
_BLOCK = 8192
#: Scores beyond this number are held as float16.
_MOST_SCORES = 250_000_000
#: Units above this number of rows are left out by fitting again.
_LARGE = 128
#: Conjugate gradients: share of the right-hand side that may be left, and steps at most.
_LEFT, _MOST_STEPS = 1e-6, 300


def ridge_scores(
    values: NDArray[np.float32], targets: Targets, units: NDArray[np.int64]
) -> NDArray[Any]:
    """(n, classes) scores of every row, fitted without the rows of its own unit; float32, of huge
    data float16.

    Args:
        values: (n, m) features; rows of zeros are predicted as the mean.
        targets: rows without a target are predicted, not fitted on.
        units: (n,) number of what has to be left out together.
    """
    fitted = targets.rows()
    inner, cross = _products(values, targets, fitted)
    spectrum, basis = np.linalg.eigh(inner)
    spectrum = np.maximum(spectrum, 0)
    scale = float(spectrum[:-1].mean()) if len(spectrum) > 1 else 1.0
    penalty = _choose(values, targets, fitted, units, spectrum, basis, cross, scale)
    return _leave_out(
        values, targets, fitted, units, _inverse(spectrum, basis, penalty * scale), cross
    )


def ridge_coefficients(
    products: NDArray[Any], crossed: NDArray[Any], penalty: float
) -> NDArray[Any]:
    """Coefficients (m, ...) of a ridge regression without an intercept.

    Args:
        products: (m, m) products of the features with each other, summed over rows.
        crossed: (m, ...) products of the features with the targets, summed over rows.
        penalty: of the squared coefficients.

    >>> ridge_coefficients(np.eye(2), np.array([2.0, 4.0]), 1.0).tolist()
    [1.0, 2.0]
    """
    penalised = products + penalty * np.eye(len(products), dtype=products.dtype)
    return np.asarray(np.linalg.solve(penalised, crossed))


def solved(
    apply: Callable[[NDArray[np.float32]], NDArray[np.float32]], wanted: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(m,) x with apply(x) = `wanted`, by conjugate gradients (Hestenes & Stiefel 1952): for one
    ridge regression of some penalty far quicker than a decomposition.

    Args:
        apply: product of a symmetric positive definite matrix (m, m) with a vector.
        wanted: (m,).

    >>> solved(lambda x: 4 * x, np.array([2.0, 8.0], np.float32)).tolist()
    [0.5, 2.0]
    """
    found, left = np.zeros_like(wanted), wanted.copy()
    along, size = left, float(left @ left)
    least = size * _LEFT**2
    for _ in range(_MOST_STEPS):
        if size <= least:
            break
        moved = apply(along)
        step = np.float32(size / float(along @ moved))
        found += step * along
        left -= step * moved
        former, size = size, float(left @ left)
        along = left + np.float32(size / former) * along
    return found


def ridge_out_of_fold(
    features: NDArray[Any], targets: NDArray[Any], folds: NDArray[np.int64], penalty: float
) -> NDArray[Any]:
    """(n, b) predictions of ridge regressions without an intercept for rows that they were not
    fitted on, for b targets at once.

    Args:
        features: (n, m), centred, or with a column of ones.
        targets: (n, b).
        folds: (n,) fold of each row.
        penalty: of the squared coefficients.

    >>> values, folds = np.ones((4, 1)), np.array([0, 0, 1, 1])
    >>> ridge_out_of_fold(values, np.array([[1.0], [1.0], [3.0], [3.0]]), folds, 0.0).T.tolist()
    [[3.0, 3.0, 1.0, 1.0]]
    """
    predicted = np.zeros(targets.shape, features.dtype)
    if (
        len(features) < features.shape[1]
    ):  # the same from the products of the rows: a smaller system
        shared = features @ features.T
        for fold in np.unique(folds):
            rows, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            weights = ridge_coefficients(shared[np.ix_(rest, rest)], targets[rest], penalty)
            predicted[rows] = shared[np.ix_(rows, rest)] @ weights
        return predicted
    products, crossed = features.T @ features, features.T @ targets
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        part, wanted = features[rows], targets[rows]
        rest, left = products - part.T @ part, crossed - part.T @ wanted
        if targets.shape[1] > len(rest):  # a decomposition copies so many targets several times
            inverse = ridge_coefficients(rest, np.eye(len(rest)), penalty)
            coefficients = inverse.astype(features.dtype) @ left
        else:
            coefficients = ridge_coefficients(rest, left, penalty)
        predicted[rows] = part @ coefficients
    return predicted


def _products(
    values: NDArray[np.float32], targets: Targets, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weighted Gram matrix (m + 1, m + 1) and the products with the targets (m + 1,
    classes).
    """
    size = values.shape[1] + 1
    inner, cross = np.zeros((size, size)), np.zeros((size, targets.classes))
    for block in blocks(rows):
        part, wanted = with_bias(values[block]), targets.dense(block)
        inner += (part * wanted.sum(axis=1, keepdims=True)).T @ part
        cross += part.T @ wanted
    return inner, cross


def _inverse(
    spectrum: NDArray[np.float64], basis: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
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
        scores = _leave_out(
            values,
            targets,
            rows,
            units,
            _inverse(spectrum, basis, penalty * scale),
            cross,
            only=True,
        )
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
) -> NDArray[Any]:
    """Scores of all rows (of `rows` where `only`), those among `rows` without their own unit."""
    every = rows if only else np.arange(len(values))
    coefficients, solved = (inverse @ cross).astype(np.float32), inverse.astype(np.float32)
    huge = len(every) * targets.classes > _MOST_SCORES
    scores = np.empty((len(every), targets.classes), np.float16 if huge else np.float32)
    leverage = np.empty(len(every), np.float32)
    for start in range(0, len(every), _BLOCK):
        part = with_bias(values[every[start : start + _BLOCK]])
        scores[start : start + _BLOCK] = part @ coefficients
        leverage[start : start + _BLOCK] = np.einsum("ij,ij->i", part @ solved, part)
    place = np.full(len(values), -1)
    place[every] = np.arange(len(every))
    for members in _by_size(rows, units):
        _leave_units_out(scores, leverage, values, targets, members, place, inverse, cross)
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
    scores: NDArray[Any],
    leverage: NDArray[np.float32],
    values: NDArray[np.float32],
    targets: Targets,
    members: NDArray[np.int64],
    place: NDArray[np.int64],
    inverse: NDArray[np.float64],
    cross: NDArray[np.float64],
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
    part = with_bias(values[members.ravel()]).reshape(units, size, -1).astype(np.float64)
    weights = wanted.sum(axis=2)  # (units, size)
    if size > _LARGE:  # the matrices of features are smaller than those of members
        penalised = np.linalg.inv(inverse)
        for unit in range(units):
            without = penalised - (part[unit] * weights[unit, :, None]).T @ part[unit]
            scores[at[unit]] = part[unit] @ np.linalg.solve(
                without, cross - part[unit].T @ wanted[unit]
            )
        return
    among = part @ inverse @ part.transpose(0, 2, 1)  # (units, size, size)
    left = np.eye(size) * (1 + 1e-6) - among * weights[:, None, :]
    scores[at] = np.linalg.solve(left, scores[at] - among @ wanted)
