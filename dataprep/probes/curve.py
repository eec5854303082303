"""Learning curve of a ridge regression, and the power law that carries it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.probes.folds import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Parts of the samples to learn from that are tried.
_PARTS: tuple[float, ...] = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
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
    values: NDArray[np.float32], given: NDArray[np.int32], units: NDArray[np.int64], classes: int, repeats: int, *, seed: int = 0
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
    if len(rows) < _FEWEST or classes < 2 or len(np.unique(units[rows])) < 2 * _FOLDS or len(np.unique(given[rows])) < 2:
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
    """Numbers of samples learnt from and errors on `held`, for nested parts of `learn` of whole units."""
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
        block = _with_bias(values[new])
        inner += block.T @ block
        np.add.at(cross.T, given[new], block)
        seen = upto
        penalty = _PENALTY * float(np.trace(inner) - seen) / max(1, size - 1)
        coefficients = np.linalg.solve(inner + max(penalty, 1e-6) * np.eye(size), cross)
        wrong = (_with_bias(values[held]) @ coefficients).argmax(axis=1) != given[held]
        sizes.append(seen)
        errors.append(float(wrong.mean()))
    return sizes, errors


def _carried_on(learnt: NDArray[np.float64], errors: NDArray[np.float64], samples: int, rng: np.random.Generator) -> Curve:
    """The law through the mean of `errors` (repeats, parts), carried on to twice the samples."""
    ahead = np.unique(np.append(learnt.astype(np.int64), [samples, 2 * samples]))
    scale = 2 * samples / learnt[-1]  # of more data than is learnt from, only the kept part is measured
    x = np.unique(np.append(ahead, int(learnt[-1] * scale)))
    y = _law(learnt, errors.mean(axis=0), x)
    drawn = np.array([_law(learnt, errors[rng.integers(0, len(errors), len(errors))].mean(axis=0), x) for _ in range(_DRAWS)])
    missed = float(np.abs(_law(learnt, errors.mean(axis=0), learnt) - errors.mean(axis=0))[1:].max())
    spread = errors[:, -1].std(ddof=1) / np.sqrt(len(errors)) if len(errors) > 1 else 0.0
    slack = missed + float(spread)
    lows, highs = np.quantile(drawn, [0.025, 0.975], axis=0)
    lows, highs = np.clip(np.minimum(lows, y) - slack, 0, 1), np.clip(np.maximum(highs, y) + slack, 0, 1)
    at_now, at_twice = int(np.searchsorted(x, samples)), int(np.searchsorted(x, 2 * samples))
    return Curve(
        x, 1 - y, 1 - highs, 1 - lows, float(1 - y[at_now]), float(1 - y[at_twice]), float(1 - highs[at_twice]),
        float(1 - lows[at_twice]),
    )  # fmt: skip


def _law(learnt: NDArray[np.float64], errors: NDArray[np.float64], x: NDArray[np.generic]) -> NDArray[np.float64]:
    """Errors at `x` by a n^-b + c, with a and c not negative, fitted to `errors` at `learnt`, large parts weighing more."""
    weights = np.sqrt(learnt / learnt[-1])
    best, law = np.inf, (0.0, float(errors[-1]), 1.0)
    for decay in _DECAYS.tolist():
        power = (learnt / learnt[-1]) ** -decay
        design = np.stack([power, np.ones_like(power)], axis=1) * weights[:, None]
        (a, c), *_ = np.linalg.lstsq(design, errors * weights, rcond=None)
        if c < 0:
            a, c = float((design[:, 0] @ (errors * weights)) / (design[:, 0] @ design[:, 0])), 0.0
        if a < 0:
            a, c = 0.0, float(np.average(errors, weights=weights**2))
        missed = float((weights**2 * (a * power + c - errors) ** 2).sum())
        if missed < best:
            best, law = missed, (float(a), float(c), decay)
    a, c, decay = law
    return np.asarray(np.clip(a * (np.asarray(x, np.float64) / learnt[-1]) ** -decay + c, 0, 1))


def _with_bias(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)
