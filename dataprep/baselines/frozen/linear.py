"""A regularised linear classifier on features that stay as they are; its penalty by grouped
cross-validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.scoring import metric_and_score, predictions
from dataprep.baselines.frozen.lbfgs import minimise
from dataprep.baselines.frozen.losses import LinearLoss, weights_for
from dataprep.probes.classifiers.folds import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.settings import TrainSettings

#: Penalties of the mean squared coefficient that are tried, strongest first, on standardised
#: features.
PENALTIES = (0.3, 0.1, 0.03, 0.01, 0.003)
_FOLDS = 5
#: About the mean of p (1 - p), by which the loss is curved.
_CURVATURE = 0.1
#: Steps of the last fit at most, and of those that the penalty is chosen by.
_STEPS, _CHOOSING_STEPS = 200, 60


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear classifier on raw features.

    Attributes:
        weight: (k, d) float32. bias: (k,) float32.
        penalty: the penalty that was chosen.
        scores: mean score of each penalty over the folds.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    penalty: float
    scores: dict[float, float]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, k) logits of (n, d) features."""
        return np.asarray(features @ self.weight.T + self.bias, np.float32)


def linear_on(
    materials: Materials,
    features: NDArray[np.float32],
    rows: NDArray[np.int64],
    settings: TrainSettings,
    penalties: tuple[float, ...] = PENALTIES,
    *,
    standardise: bool = True,
) -> Linear:
    """The linear classifier on the features (len(rows), d) of some rows, with the loss that
    `settings` give, without smoothing. Other arguments are those of `fit_linear`.
    """

    def score(places: NDArray[np.int64], logits: NDArray[np.float32]) -> float:
        _, value = metric_and_score(materials, rows[places], predictions(materials, logits))
        return value if np.isfinite(value) else -np.inf

    return fit_linear(
        features,
        materials.targets[rows],
        materials.units[rows],
        LinearLoss(
            materials.goal.kind,
            weights_for(materials, rows, settings.class_weights),
            settings.focal,
        ),
        materials.goal.outputs,
        score,
        seed=settings.seed,
        penalties=penalties,
        standardise=standardise,
    )


def fit_linear(
    features: NDArray[np.float32],
    targets: NDArray[Any],
    units: NDArray[np.int64],
    loss: LinearLoss,
    outputs: int,
    score: Callable[[NDArray[np.int64], NDArray[np.float32]], float],
    *,
    seed: int = 0,
    penalties: tuple[float, ...] = PENALTIES,
    standardise: bool = True,
) -> Linear:
    """Fit on all rows, with the penalty that scores best over grouped folds; the strongest of equal
    ones.

    Args:
        features: (n, d).
        targets: (n, ...) as the loss takes them.
        units: (n,) what has to be left out together.
        loss: logits and targets to a number.
        outputs: k.
        score: (places, logits of those places) to the figure to raise.
        seed: of the folds.
        penalties: to choose from, strongest first; a single one is taken as it is.
        standardise: whether the penalty is of features of mean 0 and standard deviation 1; else of
            the features as they are.
    """
    values, centre, spread = _standardised(features) if standardise else _unchanged(features)
    codes = targets if targets.ndim == 1 else np.zeros(len(targets))
    fold = folds_of(units, codes.astype(np.int32), _FOLDS, seed=seed)
    scores = dict.fromkeys(penalties, 0.0)
    if fold.max(initial=0) > 0 and len(penalties) > 1:
        for held in range(int(fold.max()) + 1):
            inside, outside = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
            learned, start = values[inside], None
            for penalty in penalties:  # from strong to weak, each from the one before
                start = _fit(
                    learned, targets[inside], loss, outputs, penalty, start, _CHOOSING_STEPS
                )
                logits = values[outside] @ start[:, :-1].T + start[:, -1]
                scores[penalty] += score(outside, logits) * len(outside) / len(fold)
    best = max(penalties, key=lambda penalty: (round(scores[penalty], 6), penalty))
    fitted = _fit(values, targets, loss, outputs, best, None, _STEPS)
    weight = np.asarray(fitted[:, :-1] / spread, np.float32)
    bias = np.asarray(fitted[:, -1] - weight @ centre, np.float32)
    return Linear(weight, bias, best, scores)


def _standardised(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    centre = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = features.std(axis=0, dtype=np.float64).astype(np.float32)
    spread = np.where(spread > 1e-6, spread, np.float32(1))
    return (features - centre) / spread, centre, spread


def _unchanged(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    wide = features.shape[1]
    return features, np.zeros(wide, np.float32), np.ones(wide, np.float32)


def _fit(
    values: NDArray[np.float32],
    targets: NDArray[Any],
    loss: LinearLoss,
    outputs: int,
    penalty: float,
    start: NDArray[np.float32] | None,
    steps: int,
) -> NDArray[np.float32]:
    """(k, d + 1) coefficients, the last column the intercepts, by L-BFGS in coordinates in which
    the loss is about equally curved: principal components and standardised features are far from
    that as they are.
    """
    wide = values.shape[1]
    mean_square = np.einsum("nd,nd->d", values, values) / np.float32(max(1, len(values)))
    scale = np.append(1 / np.sqrt(_CURVATURE * mean_square + penalty), 1 / np.sqrt(_CURVATURE))
    scale = scale.astype(np.float32)[:, None]

    def objective(scaled: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        coefficients = scaled * scale
        weight = coefficients[:wide]
        value, slope = loss(values @ weight + coefficients[wide], targets)
        gradient = np.empty_like(coefficients)
        np.matmul(values.T, slope, out=gradient[:wide])
        gradient[:wide] += np.float32(penalty) * weight
        gradient[wide] = slope.sum(axis=0)
        square = float(np.einsum("dk,dk->", weight, weight, dtype=np.float64))
        return value + penalty * square / 2, gradient * scale

    first = np.zeros((outputs, wide + 1), np.float32) if start is None else start
    found = minimise(objective, np.ascontiguousarray(first.T / scale), steps)
    return np.ascontiguousarray((found * scale).T)
