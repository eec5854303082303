"""Comparing two models: on the same rows, and over paired seeds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr, stdtrit

from dataprep.baselines.evaluation.bootstrap import numbered, percentiles, resampled
from dataprep.baselines.evaluation.metrics import METRICS, LabelledRows, Weighted, metrics_for
from dataprep.schemas.results.evaluation import (
    Comparison,
    MetricDifference,
    NamedDifference,
    PairedSeeds,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal


def compare_models(
    goal: Goal,
    labels: NDArray[Any],
    one: NDArray[Any],
    other: NDArray[Any],
    *,
    units: Any = None,
    seed: int = 0,
    draws: int = 1000,
) -> Comparison:
    """How much better `other` is than `one` on the same rows; both are judged on the same draws of
    units.

    Args:
        goal: what is predicted.
        labels: (n,) as `dataprep.baselines.evaluation.estimates.evaluate` takes them.
        one, other: (n, k) probabilities, or (n,) values.
        units: (n,) what varies together.
        seed: of the bootstrap.
        draws: bootstrap samples of whole units.
    """
    sides = [LabelledRows.of(goal, labels, probs) for probs in (one, other)]
    unit = numbered(units, sides[0].rows)
    metrics = metrics_for(goal)
    drawn = [resampled(side, metrics, unit, draws=draws, seed=seed)[0] for side in sides]
    found = {}
    for metric in metrics:
        first, second = (metric.values(Weighted(side))[0] for side in sides)
        few = min(len(side[metric.name]) for side in drawn)
        low, high = percentiles(drawn[1][metric.name][:few] - drawn[0][metric.name][:few])
        found[metric.name] = MetricDifference(
            one=first,
            other=second,
            difference=second - first,
            low=float(low),
            high=float(high),
            verdict=_verdict(metric.name, float(low), float(high)),
        )
    return Comparison(
        samples=len(unit),
        units=len(np.unique(unit)),
        metric=NamedDifference(name=goal.metric, **found[goal.metric]),
        metrics=found,
    )


def paired_seeds(before: Sequence[float], after: Sequence[float], metric: str) -> PairedSeeds:
    """What a change brings, from runs that share a seed before and after it.

    The interval is Student's, of the differences: it tells of seeds (initial weights, order,
    augmentation), not of other data.

    Args:
        before, after: (s,) the metric's values, seed by seed.
        metric: its name, which says what is better.
    """
    if len(before) != len(after):
        raise ValueError(
            f"paired seeds: expected as many values before as after, got {len(before)} and "
            f"{len(after)}"
        )
    differences = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    differences = differences[np.isfinite(differences)]
    n = len(differences)
    mean = float(differences.mean()) if n else math.nan
    low, high, p = _student(differences) if n > 1 else (math.nan,) * 3
    return PairedSeeds(
        metric=metric,
        seeds=n,
        before=float(np.mean(before)) if n else None,
        after=float(np.mean(after)) if n else None,
        differences=differences.tolist(),
        difference=mean,
        low=low,
        high=high,
        p=p,
        verdict=_verdict(metric, low, high),
    )


def _verdict(metric: str, low: float, high: float) -> str:
    """ "better" or "worse" where the interval leaves out 0."""
    if not (low > 0 or high < 0):
        return "no clear difference"
    return "better" if (low > 0) == (METRICS[metric].direction == "higher") else "worse"


def _student(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """The 95 % interval of a mean, and the two-sided p-value of 0."""
    freedom, mean = len(values) - 1, float(values.mean())
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    reach = float(stdtrit(freedom, 0.975)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error)) if error > 0 else float(mean == 0)
    return mean - reach, mean + reach, p
