"""The linear probe: a regularised linear model on frozen features, which a network has to beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import known_labels
from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.logistic import fit_logistic, logistic_probs
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.vectors import (
    blocks,
    is_non_negative,
    known_rows,
    principal_directions_of_rows,
    unit_length,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.linear_model import Ridge

    from dataprep.schemas.goal import Goal

#: Penalties that the probe chooses from, folds that it does so by, and rows that it does so on at
#: most.
PENALTIES: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
_FOLDS, _CHOOSING, _CHOOSING_STEPS = 5, 3_000, 30
#: Most components of the features that the probe sees, and rows that they are fitted on at most.
_COMPONENTS, _FITTED = 512, 20_000


def probe_baseline(
    features: NDArray[Any],
    codes: NDArray[Any],
    units: NDArray[np.int64],
    train_rows: NDArray[Any],
    val_rows: NDArray[Any],
    goal: Goal,
    *,
    seed: int = 0,
    values: NDArray[np.float32] | None = None,
    penalty: float | None = None,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """A regularised linear model on frozen features: logistic regression, one for each of several
    labels; ridge for numbers.

    Features enter as `FeatureSpace` has them, fitted on `train_rows`. The penalty is the one with
    the least log-loss (squared error) over five folds of whole units of `train_rows`.

    Args:
        features: (n, d) embeddings of all rows; unknown ones (zeros) are neither fitted on nor
            known when predicted.
        codes: labels of all rows (`dataprep.baselines.goal.codes_of`).
        units: (n,) number of what has to stay together.
        train_rows: places of the rows to fit on.
        val_rows: places of the rows to predict.
        goal: what is predicted.
        seed: of the folds.
        values: (n, m) all rows in the `FeatureSpace` of `train_rows`, where they are at hand.
        penalty: of classes, where it was chosen before (`logistic_penalty`).

    Returns:
        (len(val_rows), k) probabilities, or (len(val_rows),) values; and ``penalty``, ``fitted``
        (rows), ``features`` (width).
    """
    train = np.asarray(train_rows, np.int64)
    train = train[known_labels(goal, codes[train]) & known_rows(features[train])]
    space = FeatureSpace.fitted_on(features, train, seed)(features) if values is None else values
    rows = np.asarray(val_rows, np.int64)
    facts: dict[str, Any] = {"fitted": len(train), "features": int(space.shape[1])}
    if goal.kind == "regression":
        predicted, chosen = _ridge(space, codes, units, train, rows, seed)
        return predicted, facts | {"penalty": chosen}
    if goal.kind == "multi-label":
        parts = [
            _logistic(space, (codes[:, c] > 0).astype(np.int32), units, train, rows, 2, seed)
            for c in range(codes.shape[1])
        ]
        probs = np.stack([part[0][:, 1] for part in parts], axis=1)
        return probs, facts | {"penalty": [part[1] for part in parts]}
    probs, penalty = _logistic(
        space, codes.astype(np.int32), units, train, rows, len(goal.classes), seed, penalty
    )
    return probs, facts | {"penalty": penalty}


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """Embeddings as linear models see them: the square root of what is nowhere negative
    (Arandjelović & Zisserman 2012), unit length, centred, and rotated onto principal components
    where there are more than 512 dimensions; without whitening, which costs a classifier several
    points of accuracy.

    Attributes:
        rooted: whether the square root is taken.
        mean: (d,) float32 mean of the rows that it was fitted on, after unit length.
        rotation: (d, m) float32; None for none.
    """

    rooted: bool
    mean: NDArray[np.float32]
    rotation: NDArray[np.float32] | None

    @classmethod
    def fitted_on(
        cls, features: NDArray[Any], rows: NDArray[np.int64], seed: int = 0
    ) -> FeatureSpace:
        """The space of embeddings (n, d), fitted on some rows of them, 20,000 at most."""
        rooted = is_non_negative(features, rows)
        fitted = np.sort(np.random.default_rng(seed).permutation(rows)[:_FITTED])
        part = _unit_length(features[fitted], rooted)
        mean = part.mean(axis=0) if len(part) else np.zeros(features.shape[1], np.float32)
        rotation = None
        if features.shape[1] > _COMPONENTS:
            rotation = principal_directions_of_rows(part - mean, _COMPONENTS)[1]
        return cls(rooted, mean, rotation)

    def __call__(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """(n, m) float32 of embeddings (n, d); zeros where they are unknown."""
        wide = len(self.mean) if self.rotation is None else self.rotation.shape[1]
        values = np.empty((len(features), wide), np.float32)
        for chunk in blocks(np.arange(len(features))):
            block = _unit_length(features[chunk], self.rooted)
            known = block.any(axis=1, keepdims=True)
            centred = block - self.mean
            values[chunk] = (centred if self.rotation is None else centred @ self.rotation) * known
        return values

    def folded(
        self, weight: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A linear model on this space, weights (k, m) and intercepts (k,), as one on embeddings
        of unit length, after the square root: (k, d) and (k,).
        """
        rotated = weight if self.rotation is None else weight @ self.rotation.T
        return np.asarray(rotated, np.float32), np.asarray(bias - rotated @ self.mean, np.float32)


def _unit_length(part: NDArray[Any], rooted: bool) -> NDArray[np.float32]:
    """Features (r, d) as float32 of unit length, after the square root where it makes sense;
    zeros where they are unknown.
    """
    values = np.asarray(part, np.float32)
    values = np.where(np.isfinite(values).all(axis=1, keepdims=True), values, np.float32(0))
    return unit_length(np.maximum(values, 0) if rooted else values, rooted=rooted)


def _some_units(units: NDArray[np.int64], train: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows to choose the penalty on: all, or whole units of about 3,000."""
    if len(train) <= _CHOOSING:
        return train
    names = np.unique(units[train])
    kept = np.random.default_rng(seed).permutation(names)[
        : max(_FOLDS, round(len(names) * _CHOOSING / len(train)))
    ]
    return train[np.isin(units[train], kept)]


def _choose_penalty(
    losses: Callable[[NDArray[np.int64], NDArray[np.int64]], list[float]],
    codes: NDArray[np.int32],
    units: NDArray[np.int64],
    rows: NDArray[np.int64],
    seed: int,
    otherwise: float,
) -> float:
    """The penalty with the least loss over folds of whole units; `otherwise` where there is one
    fold alone.

    Args:
        losses: (rows to fit on, rows held out) to the loss of each of `PENALTIES`.
        codes: (n,) classes, which folds spread evenly.
        units: (n,) what has to stay together.
        rows: places to choose on.
        seed: of the folds.
        otherwise: penalty without folds.
    """
    fold = folds_of(units[rows], codes[rows], _FOLDS, seed=seed)
    if fold.max(initial=0) <= 0:
        return otherwise
    total = np.zeros(len(PENALTIES))
    for number in np.unique(fold):
        total += losses(rows[fold != number], rows[fold == number])
    return PENALTIES[int(total.argmin())] if total.any() else otherwise


def logistic_penalty(
    values: NDArray[np.float32],
    given: NDArray[np.int32],
    units: NDArray[np.int64],
    train: NDArray[np.int64],
    classes: int,
    seed: int = 0,
) -> float:
    """The penalty with the least log-loss over folds of whole units.

    Args:
        values: (n, m) in a `FeatureSpace`.
        given: (n,) class of each row; those of `train` are known.
        units: (n,) number of what has to stay together.
        train: places of the rows to choose on, 3,000 of them at most.
        classes: their number.
        seed: of the folds.
    """
    targets = Targets.of_labels(given, classes)

    def losses(learn: NDArray[np.int64], held: NDArray[np.int64]) -> list[float]:
        fitted, found = None, []
        for penalty in PENALTIES:
            fitted = fit_logistic(
                values, targets, learn, penalty=penalty, steps=_CHOOSING_STEPS, start=fitted
            )
            own = logistic_probs(values, fitted, held)[np.arange(len(held)), given[held]]
            found.append(-float(np.log(np.maximum(own, 1e-6)).sum()))
        return found

    some = _some_units(units, train, seed)
    return _choose_penalty(losses, given, units, some, seed, 1.0)


def _logistic(
    values: NDArray[np.float32],
    given: NDArray[np.int32],
    units: NDArray[np.int64],
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    classes: int,
    seed: int,
    penalty: float | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Probabilities of `rows` (r, classes), and the penalty."""
    if penalty is None:
        penalty = logistic_penalty(values, given, units, train, classes, seed)
    fitted = fit_logistic(values, Targets.of_labels(given, classes), train, penalty=penalty)
    return logistic_probs(values, fitted, rows).astype(np.float64), penalty


def _ridge(
    values: NDArray[np.float32],
    wanted: NDArray[Any],
    units: NDArray[np.int64],
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Values of `rows` (r,), and the penalty."""
    if not len(train):
        return np.full(len(rows), np.nan), 1.0
    from sklearn.linear_model import Ridge

    def fitted(learn: NDArray[np.int64], penalty: float) -> Ridge:
        return Ridge(penalty).fit(values[learn].astype(np.float64), wanted[learn])

    def losses(learn: NDArray[np.int64], held: NDArray[np.int64]) -> list[float]:
        predicted = [fitted(learn, penalty).predict(values[held]) for penalty in PENALTIES]
        return [float(((each - wanted[held]) ** 2).sum()) for each in predicted]

    some, one_class = _some_units(units, train, seed), np.zeros(len(units), np.int32)
    penalty = _choose_penalty(losses, one_class, units, some, seed, PENALTIES[0])
    return np.asarray(fitted(train, penalty).predict(values[rows])), penalty
