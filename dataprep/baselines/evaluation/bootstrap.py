"""The cluster bootstrap: how far a figure would move with other units (patients, videos, sets of
copies) drawn in their place.

Whole units are drawn with replacement, as many as there are (Davison & Hinkley 1997, section 3.8),
and a draw is held as the number of times that every row takes part. Intervals are percentiles of
the draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import LabelledRows, Metric, Weighted
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.schemas.results.evaluation import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Weights that are held at a time.
_MOST_CELLS = 4_000_000
#: Rows times classes times draws that are ranked at most, and the fewest draws whatever the size.
_MOST_RANKED, _FEWEST = 300_000_000, 200
#: Quantiles of the ends of an interval.
_ENDS = (0.025, 0.975)


def numbered(units: Any, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """(len(rows),) unit of each row, numbered from 0 without gaps; every row its own where
    `units` is None.
    """
    if units is None:
        return np.arange(len(rows))
    values = np.asarray(units)[rows]
    if values.dtype == object:
        values = values.astype(str)
    return np.asarray(np.unique(values, return_inverse=True)[1].reshape(-1), np.int64)


def drawn_weights(units: NDArray[np.int64], draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """(b, n) blocks of weights, `draws` rows in all: how often each row's unit was drawn.

    Args:
        units: (n,) unit of each row, from 0 without gaps.
        draws: bootstrap samples.
        seed: of the draws; the same units and seed give the same weights, which pairs comparisons.
    """
    rng = np.random.default_rng(seed)
    count = int(units.max(initial=-1)) + 1
    step = max(1, min(draws, _MOST_CELLS // max(1, len(units))))
    for start in range(0, draws, step):
        block = np.empty((min(step, draws - start), len(units)))
        for row in block:
            row[:] = np.bincount(rng.integers(0, max(1, count), count), minlength=count)[units]
        yield block


def draws_of(metric: Metric, judged: LabelledRows, draws: int) -> int:
    """How many draws a metric gets: fewer for one that ranks, where rows times classes are many."""
    if not metric.ranked:
        return draws
    cells = len(judged) * (1 if judged.goal.kind == "binary" else len(judged.goal.classes))
    return min(draws, max(_FEWEST, _MOST_RANKED // max(1, cells)))


def resampled(
    judged: LabelledRows, metrics: list[Metric], units: NDArray[np.int64], *, draws: int, seed: int
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Values of metrics, and the tally of classes, in every draw.

    Returns:
        name to (draws,) values (fewer of metrics that rank many rows), and (draws, 3, k) tallies as
        `Weighted.tally`.
    """
    values: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    tallies = [np.zeros((0, 3, len(judged.goal.classes)))]
    wanted = {metric.name: draws_of(metric, judged, draws) for metric in metrics}
    for block in drawn_weights(units, draws if judged.sound else 0, seed):
        rows = Weighted(judged, block)
        for metric in metrics:
            left = wanted[metric.name] - len(values[metric.name])
            if left > 0:
                values[metric.name] += metric.values(
                    rows if left >= len(block) else Weighted(judged, block[:left])
                )
        if judged.goal.classes:
            tallies.append(rows.tally)
    return {name: np.array(found) for name, found in values.items()}, np.concatenate(tallies)


def percentiles(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the 95 % intervals over the first axis, of the draws in which a figure is defined;
    NaN where it never is.
    """
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    ends = np.full((2, flat.shape[1]), np.nan)
    whole = ~np.isnan(flat).any(axis=0) if len(flat) else np.zeros(flat.shape[1], bool)
    if whole.any():
        ends[:, whole] = np.quantile(flat[:, whole], _ENDS, axis=0)
    for column in np.flatnonzero(~whole):
        defined = flat[:, column][~np.isnan(flat[:, column])]
        if len(defined):
            ends[:, column] = np.quantile(defined, _ENDS)
    shape = values.shape[1:]
    return ends[0].reshape(shape), ends[1].reshape(shape)


def estimate(value: float, draws: NDArray[np.float64], units: int, *, bounded: bool) -> Estimate:
    """A value with its interval.

    Where every draw gives 0 or every draw gives 1, the bootstrap knows nothing of what it has not
    seen: the interval is then that of a share of `units` (Wilson 1927).
    """
    low, high = (float(end) for end in percentiles(draws))
    if bounded and units and value in (0.0, 1.0) and low == high:
        low, high = (float(end) for end in wilson(value * units, units))
        low, high = min(low, value), max(high, value)
    return Estimate(value, low, high)
