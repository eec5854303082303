"""Multinomial logistic regression, out of fold: Newton steps under one bound of the curvature, for
all folds and classes alike.

The Hessian of the multinomial likelihood is bounded by a matrix that does not depend on the
coefficients (Böhning 1992), so that one inverse of the size of the features serves every step;
Nesterov's momentum makes a dozen steps enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.vectors import blocks, with_bias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.probes.classifiers.targets import Targets

#: Penalty of the squared coefficients of features of unit length: a Gaussian prior of variance 1.
_PENALTY = 1.0
_BIAS_PENALTY = 1e-3
_STEPS = 15
#: Log-probabilities are not taken below that of one in a million.
_LEAST = 1e-6
#: Rows that are gathered once; of more, the others are gathered in every step.
_HELD = 16_384


def logistic_scores(
    values: NDArray[np.float32],
    targets: Targets,
    units: NDArray[np.int64],
    *,
    folds: int = 5,
    seed: int = 0,
) -> NDArray[np.float32]:
    """(n, classes) log-probabilities of every row by a model of the folds that do not hold its
    unit.

    Args:
        values: (n, m) features of unit length.
        targets: rows without a target are predicted, not fitted on.
        units: (n,) number of what has to be left out together.
        folds: number of models.
        seed: of the folds.
    """
    fold = folds_of(units, targets.codes[:, 0], folds, seed=seed)
    fitted = targets.rows()
    scores = np.empty((len(values), targets.classes), np.float32)
    parts = [fitted[fold[fitted] == held] for held in range(int(fold.max(initial=-1)) + 1)]
    products = [_products(values, rows) for rows in parts]
    for held in range(len(parts)):
        rest = np.sort(np.concatenate([*parts[:held], *parts[held + 1 :], parts[held][:0]]))
        coefficients = _fit(values, targets, rest, sum(products) - products[held])
        rows = np.flatnonzero(fold == held)
        scores[rows] = np.log(np.maximum(logistic_probs(values, coefficients, rows), _LEAST))
    return scores


def fit_logistic(
    values: NDArray[np.float32],
    targets: Targets,
    rows: NDArray[np.int64],
    *,
    penalty: float = _PENALTY,
    steps: int = 100,
    start: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(m + 1, classes) coefficients of the regression on `rows`, the last row the intercepts.

    Args:
        values: (n, m) features of about unit length.
        targets: of all rows.
        rows: those to fit on.
        penalty: of half the squared coefficients, as 1 / C in scikit-learn.
        steps: Newton steps under the bound; the smaller the penalty, the more it takes.
        start: coefficients to start from, those of a greater penalty.
    """
    return _fit(values, targets, rows, _products(values, rows), penalty, steps, 0.5, start)


def logistic_probs(
    values: NDArray[np.float32], coefficients: NDArray[np.float32], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(len(rows), classes) probabilities of `rows` under `coefficients` (`fit_logistic`)."""
    parts = [
        _softmax(values[block] @ coefficients[:-1] + coefficients[-1]) for block in blocks(rows)
    ]
    return np.concatenate([np.zeros((0, coefficients.shape[1]), np.float32), *parts])


def _fit(
    values: NDArray[np.float32],
    targets: Targets,
    rows: NDArray[np.int64],
    products: NDArray[np.float64],
    penalised: float = _PENALTY,
    count: int = _STEPS,
    bound: float = 0.25,
    start: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(m + 1, classes) coefficients, the last row the intercepts; those of the mix where there
    is nothing to fit on.
    """
    penalty = np.append(np.full(values.shape[1], penalised), _BIAS_PENALTY).astype(np.float32)[
        :, None
    ]
    coefficients = np.zeros((values.shape[1] + 1, targets.classes), np.float32)
    coefficients[-1] = np.log(targets.mix())
    if not len(rows):
        return coefficients
    coefficients = coefficients if start is None else start
    # the bound is 1/2 of the products; over a few steps half of it is quicker, and near enough in
    # practice
    steps = np.linalg.inv(products * bound + np.diag(penalty[:, 0])).astype(np.float32)
    parts = [(values[block], targets.dense(block)) for block in blocks(rows[:_HELD])]
    ahead, momentum = coefficients, 1.0
    for _ in range(count):
        gradient = _gradient(parts, ahead) - penalty * ahead
        for block in blocks(rows[_HELD:]):
            gradient += _gradient([(values[block], targets.dense(block))], ahead)
        new = ahead + steps @ gradient
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + np.float32((momentum - 1) / after) * (new - coefficients)
        coefficients, momentum = new, after
    return coefficients


def _products(values: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Gram matrix of some rows, with the bias, (m + 1, m + 1)."""
    products = np.zeros((values.shape[1] + 1, values.shape[1] + 1))
    for block in blocks(rows):
        part = with_bias(values[block])
        products += part.T @ part
    return products


def _gradient(
    parts: list[tuple[NDArray[np.float32], NDArray[np.float32]]], coefficients: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Of the log-likelihood of rows and their wanted weights of classes, in parts."""
    gradient = np.zeros_like(coefficients)
    for part, wanted in parts:
        residual = wanted - _softmax(part @ coefficients[:-1] + coefficients[-1]) * wanted.sum(
            axis=1, keepdims=True
        )
        gradient[:-1] += part.T @ residual
        gradient[-1] += residual.sum(axis=0)
    return gradient


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits
