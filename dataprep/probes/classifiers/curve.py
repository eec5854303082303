"""Learning curve of a ridge regression, and the power law that carries it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.neighbours.kmeans import group_sums
from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.ridge import ridge_coefficients
from dataprep.probes.vectors import with_bias

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Parts of the samples to learn from that are tried.
_PARTS: tuple[float, ...] = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
_FOLDS = 5
_FEWEST = 40
_MOST_LEARNT, _MOST_PREDICTED = 20_000, 5_000
#: Rows times classes that are predicted at most.
_MOST_CELLS = 5_000_000
_PENALTY = 0.3
_DECAYS = np.linspace(0.05, 1.5, 59)
_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracy by number of samples to learn from.

    Attributes:
        x: (p,) numbers of samples, the last one twice the data.
        y, lows, highs: (p,) accuracy by the fitted law, and its 95 % interval.
        now, twice: accuracy with all and with twice the samples.
        low, high: the interval of `twice`.
    """

    x: NDArray[np.int64]
    y: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    now: float
    twice: float
    low: float
    high: float


def measured_curve(
    values: NDArray[np.float32],
    given: NDArray[np.int32],
    units: NDArray[np.int64],
    classes: int,
    repeats: int,
    *,
    seed: int = 0,
) -> Curve | None:
    """The curve, or None where there is too little to learn from.

    Args:
        values: (n, m) features.
        given: (n,) class numbers, -1 where unlabelled or unknown.
        units: (n,) number of what has to stay together.
        classes: number of classes.
        repeats: random parts, each predicted on another fold.
        seed: of the parts.
    """
    rows = np.flatnonzero(given >= 0)
    if (
        len(rows) < _FEWEST
        or classes < 2
        or len(np.unique(units[rows])) < 2 * _FOLDS
        or len(np.unique(given[rows])) < 2
    ):
        return None
    rng = np.random.default_rng(seed)
    sizes, errors = [], []
    for repeat in range(repeats):
        fold = folds_of(units[rows], given[rows], _FOLDS, seed=seed + repeat // _FOLDS)
        held = fold == repeat % _FOLDS
        found = _one(values, given, units, rows[~held], rows[held], classes, rng)
        sizes.append(found[0])
        errors.append(found[1])
    learnt = np.mean(sizes, axis=0)
    return _carried_on(learnt, np.array(errors), len(rows), rng)


def _one(
    values: NDArray[np.float32],
    given: NDArray[np.int32],
    units: NDArray[np.int64],
    learn: NDArray[np.int64],
    held: NDArray[np.int64],
    classes: int,
    rng: np.random.Generator,
) -> tuple[list[int], list[float]]:
    """Numbers of samples learnt from and errors on `held`, for nested parts of `learn` of whole
    units.
    """
    most = min(_MOST_PREDICTED, max(200, _MOST_CELLS // classes))
    held = rng.permutation(held)[:most]
    names, of = np.unique(units[learn], return_inverse=True)
    order = np.argsort(rng.permutation(len(names))[of], kind="stable")[:_MOST_LEARNT]
    learn = learn[order]
    sizes, errors, seen = [], [], 0
    size = values.shape[1] + 1
    inner, cross = np.zeros((size, size)), np.zeros((size, classes))
    for part in _PARTS:
        upto = max(2, round(part * len(learn)))
        new = learn[seen:upto]
        block = with_bias(values[new])
        inner += block.T @ block
        cross += group_sums(block, given[new], classes).T
        seen = upto
        penalty = _PENALTY * float(np.trace(inner) - seen) / max(1, size - 1)
        coefficients = ridge_coefficients(inner, cross, max(penalty, 1e-6))
        wrong = (with_bias(values[held]) @ coefficients).argmax(axis=1) != given[held]
        sizes.append(seen)
        errors.append(float(wrong.mean()))
    return sizes, errors


def _carried_on(
    learnt: NDArray[np.float64], errors: NDArray[np.float64], samples: int, rng: np.random.Generator
) -> Curve:
    """The law through the mean of `errors` (repeats, parts), carried on to twice the samples."""
    x = np.unique(np.append(learnt.astype(np.int64), [samples, 2 * samples]))
    mean = errors.mean(axis=0)[None]
    y = _law(learnt, mean, x)[0]
    drawn = _law(
        learnt, errors[rng.integers(0, len(errors), (_DRAWS, len(errors)))].mean(axis=1), x
    )
    missed = float(np.abs(_law(learnt, mean, learnt) - mean)[0, 1:].max())
    slack = missed + float(errors[:, -1].std(ddof=1) / np.sqrt(len(errors)))
    lows, highs = np.quantile(drawn, [0.025, 0.975], axis=0)
    lows = np.clip(np.minimum(lows, y) - slack, 0, 1)
    highs = np.clip(np.maximum(highs, y) + slack, 0, 1)
    at_now, at_twice = int(np.searchsorted(x, samples)), int(np.searchsorted(x, 2 * samples))
    return Curve(
        x,
        1 - y,
        1 - highs,
        1 - lows,
        float(1 - y[at_now]),
        float(1 - y[at_twice]),
        float(1 - highs[at_twice]),
        float(1 - lows[at_twice]),
    )


def _law(
    learnt: NDArray[np.float64], errors: NDArray[np.float64], x: NDArray[Any]
) -> NDArray[np.float64]:
    """(draws, len(x)) errors at `x` by laws a n^-b + c, a and c not negative, fitted to each of
    `errors` (draws, parts).

    Squared misses weigh by the number of samples: large parts are measured best, and near where the
    law is carried on to.
    """
    weights = learnt / learnt.sum()
    powers = (learnt / learnt[-1]) ** -_DECAYS[:, None]  # (decays, parts)
    mean, centre = errors @ weights, powers @ weights  # (draws,), (decays,)
    joint, square = (
        (errors * weights) @ powers.T,
        (powers**2) @ weights,
    )  # (draws, decays), (decays,)
    slope = (joint - mean[:, None] * centre) / np.maximum(square - centre**2, 1e-12)
    floor = mean[:, None] - slope * centre
    through = joint / square  # the law without a floor
    slope = np.where(slope < 0, 0, np.where(floor < 0, through, slope))
    floor = np.where(slope == 0, mean[:, None], np.where(floor < 0, 0, floor))
    missed = (
        floor**2
        + 2 * floor * slope * centre
        + slope**2 * square
        - 2 * (floor * mean[:, None] + slope * joint)
    )
    best, every = missed.argmin(axis=1), np.arange(len(errors))
    decayed = (np.asarray(x, np.float64) / learnt[-1]) ** -_DECAYS[best][:, None]
    return np.asarray(
        np.clip(slope[every, best][:, None] * decayed + floor[every, best][:, None], 0, 1)
    )
