"""Whether two samples differ beyond what a random division of their union gives: exact permutation
tests, and effect sizes.

The division may be stratified (by class) and may keep lumps of rows together (copies, patients):
permutations do the same, so that the tests are exact for such divisions, too (Pitman 1937;
Hoeffding 1952). Many statistics are tested at once by the minimum of their weighted p-values
against its own permutation distribution (Westfall & Young 1993), which knows how they depend on
each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows times divisions that are held at a time.
_MOST_CELLS = 4_000_000


def permuted_sides(
    own: NDArray[np.bool_],
    strata: NDArray[np.int64],
    lumps: NDArray[np.int64],
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """(draws + 1, n) the division as it is, then random ones with as many lumps on each side in
    each stratum.

    Args:
        own: (n,) which side each row is on.
        strata: (n,) number of the stratum; a lump belongs to the stratum of its first row.
        lumps: (n,) number of the lump; its rows are on one side.
        draws: random divisions.
        rng: source of randomness.
    """
    _, first, lump = np.unique(lumps, return_index=True, return_inverse=True)
    order = np.argsort(strata[first], kind="stable")
    stratum = np.unique(strata[first][order], return_inverse=True)[1]
    sides = own[first][order]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    place = place[lump]
    result = np.empty((draws + 1, len(own)), bool)
    result[0] = own
    for draw in range(draws):
        shuffled = np.empty(len(sides), bool)
        shuffled[np.argsort(stratum + rng.random(len(sides)))] = sides
        result[draw + 1] = shuffled[place]
    return result


def standardised(statistics: NDArray[Any]) -> NDArray[np.float64]:
    """(draws + 1, k) statistics of every division in standard deviations from their mean; 0
    where they never differ.
    """
    values = np.asarray(statistics, np.float64)
    spread = values.std(axis=0)
    flat = spread <= 1e-9 * np.maximum(1.0, np.abs(values).max(axis=0, initial=0.0))
    return np.where(flat, 0.0, (values - values.mean(axis=0)) / np.where(flat, 1.0, spread))


def sums(sides: NDArray[np.bool_], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """(draws + 1, k) sum of each column of `scores` (n, k) over the own side of every division."""
    step = max(1, _MOST_CELLS // max(1, len(scores)))
    parts = [
        sides[start : start + step].astype(np.float32) @ scores
        for start in range(0, len(sides), step)
    ]
    return np.concatenate(parts).astype(np.float64)


def log_tail(deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of the two-sided tail probability of a standard normal beyond
    |deviation|, to within 1 %.
    """
    x = np.abs(deviation)
    t = 1 / (1 + 0.3275911 * x / math.sqrt(2))
    series = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return np.asarray(
        np.log(series) - x * x / 2
    )  # Abramowitz & Stegun 7.1.26 for erfc, kept as a logarithm


def family_wise(logs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) p-value of each statistic, corrected for all of them together (single step, Westfall &
    Young 1993).

    Args:
        logs: (draws + 1, k) logarithm of each statistic's own p-value, for every division, the real
            one first. Need not be exact: the correction is.
        weights: (k,) share of the error rate that each may spend.
    """
    weighted = logs - np.log(weights)
    least = weighted.min(axis=1)
    return np.asarray((least[:, None] <= weighted[0] + 1e-12).mean(axis=0))


def normal_scores(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n, k) van der Waerden scores: the normal quantiles of the ranks within each column, ties
    sharing the mean rank.
    """
    return normal_quantile((mid_ranks(values) - 0.5) / max(1, len(values)))


def mid_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n, k) ranks from 1 within each column; ties share their mean rank."""
    ranks = np.empty(values.shape, np.float64)
    for column in range(values.shape[1]):
        _, inverse, counts = np.unique(values[:, column], return_inverse=True, return_counts=True)
        ranks[:, column] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def normal_quantile(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of the standard normal distribution, to within 5e-4 (Abramowitz & Stegun
    26.2.23).
    """
    tail = np.minimum(probability, 1 - probability)
    t = np.sqrt(-2 * np.log(np.maximum(tail, 1e-300)))
    size = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (
        1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    )
    return np.asarray(
        np.where(probability < 0.5, -size, size) * (np.abs(probability - 0.5) > 1e-12)
    )


def within(values: NDArray[Any], strata: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values (n, ...) less the mean of their stratum."""
    _, stratum, counts = np.unique(strata, return_inverse=True, return_counts=True)
    order = np.argsort(stratum, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    totals = np.add.reduceat(np.asarray(values, np.float64)[order], starts, axis=0)
    means = totals / counts.reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values - means[stratum], np.float64)


@dataclass(frozen=True)
class Effect:
    """An effect size with its 95 % interval."""

    size: float
    low: float
    high: float


def _effect(
    size: float, influence: NDArray[np.float64], units: NDArray[np.int64], extra: float = 0.0
) -> Effect:
    """An estimate with the interval that the influences (n,) of its rows give, those of one unit
    taken together.
    """
    together = np.bincount(np.unique(units, return_inverse=True)[1], influence)
    reach = 1.96 * math.sqrt(float((together**2).sum()) + extra)
    return Effect(size, size - reach, size + reach)


def cohens_d(
    values: NDArray[np.float64],
    own: NDArray[np.bool_],
    strata: NDArray[np.int64],
    units: NDArray[np.int64],
) -> Effect:
    """Difference of the means within strata, own side less other, in standard deviations (Cohen
    1988).

    Args:
        values: (n,) figures, all known.
        own: (n,) side.
        strata: (n,) number of the stratum; those on one side only do not count.
        units: (n,) number of what varies together, for the interval.
    """
    _, stratum = np.unique(strata, return_inverse=True)
    counts = np.stack(
        [np.bincount(stratum[side], minlength=stratum.max() + 1) for side in (own, ~own)]
    )
    totals = np.stack(
        [np.bincount(stratum[side], values[side], stratum.max() + 1) for side in (own, ~own)]
    )
    means = totals / np.maximum(counts, 1)
    weights = counts[0] * counts[1] / np.maximum(counts.sum(0), 1)
    spread = math.sqrt(
        (values[own].var() * own.sum() + values[~own].var() * (~own).sum())
        / max(1, len(values) - 2)
    )
    if not weights.any() or spread <= 0:
        return Effect(0.0, 0.0, 0.0)
    weights = weights / weights.sum()
    size = float((weights * (means[0] - means[1])).sum()) / spread
    side = np.where(own, 0, 1)
    influence = (
        (weights / np.maximum(counts, 1))[side, stratum] * (values - means[side, stratum]) / spread
    )
    return _effect(size, np.where(own, influence, -influence), units, size**2 / (2 * len(values)))


def spread_ratio(
    values: NDArray[np.float64], own: NDArray[np.bool_], units: NDArray[np.int64]
) -> Effect:
    """Logarithm of the ratio of the standard deviations, own side to other."""
    influence, logs = np.zeros(len(values)), []
    for side, sign in ((own, 1.0), (~own, -1.0)):
        deviation = values[side] - values[side].mean()
        variance = max(float((deviation**2).mean()), 1e-30)
        influence[side] = sign * (deviation**2 / variance - 1) / 2 / side.sum()
        logs.append(sign * math.log(variance) / 2)
    return _effect(sum(logs), influence, units)


def auc(scores: NDArray[Any], own: NDArray[np.bool_], units: NDArray[np.int64]) -> Effect:
    """Probability that a row of the own side scores higher than one of the other (ties count half),
    0 to 1.

    The interval is that of DeLong et al. (1988), for units of several rows as by Obuchowski (1997).
    """
    ranks = mid_ranks(np.asarray(scores, np.float64)[:, None])[:, 0]
    many, few = int(own.sum()), int((~own).sum())
    beaten = np.empty(len(scores))
    beaten[own] = (ranks[own] - mid_ranks(np.asarray(scores)[own][:, None])[:, 0]) / few
    beaten[~own] = 1 - (ranks[~own] - mid_ranks(np.asarray(scores)[~own][:, None])[:, 0]) / many
    size = float(beaten[own].mean())
    found = _effect(size, (beaten - size) / np.where(own, many, few), units)
    return Effect(size, max(0.0, found.low), min(1.0, found.high))
