"""Selection: how far the best of many trials can be believed, and whether it is taken instead of
the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.bootstrap import drawn_weights, numbered
from dataprep.baselines.evaluation.comparing import compare_models
from dataprep.baselines.evaluation.metrics import METRICS, LabelledRows, Weighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal

_DRAWS = 200
#: Width of a 95 % interval in standard errors.
_WIDTH = 3.92


def corrected_score(
    goal: Goal,
    labels: NDArray[Any],
    probs: Sequence[NDArray[Any]],
    units: NDArray[np.int64],
    *,
    seed: int = 0,
    draws: int = _DRAWS,
) -> dict[str, Any]:
    """What the best of several models is worth on samples that did not choose it.

    Bootstrap bias correction (Tsamardinos, Greasidou & Borboudakis 2018): the best on units that
    are drawn with replacement is judged on those that were not drawn. The first model stands for
    the default; as nobody selected it, what it loses between the two is what figures such as
    macro-F1 lose on fewer samples, and is not counted as optimism.

    Args:
        goal: with its metric.
        labels: (n,) or (n, k).
        probs: predictions of each model for the same n rows.
        units: (n,) what varies together.
        seed: of the draws.
        draws: number of them.

    Returns:
        ``optimism``: by how much the selected looked better where they were selected, at least 0;
        ``corrected``: the best figure less that; ``gain``: by how much the selected beat the
        default on units that did not select. None where undefined.
    """
    metric = METRICS[goal.metric]
    sign = 1.0 if metric.direction == "higher" else -1.0
    judged = [LabelledRows.of(goal, labels, each) for each in probs]
    drawn_values, left_out_values = [], []
    for block in drawn_weights(numbered(units, judged[0].rows), draws, seed):
        left_out = (block == 0).astype(np.float64)
        drawn_values.append([metric.values(Weighted(each, block)) for each in judged])
        left_out_values.append([metric.values(Weighted(each, left_out)) for each in judged])
    drawn, unseen = (
        sign * np.concatenate([np.array(each, np.float64) for each in values], axis=1)
        for values in (drawn_values, left_out_values)
    )  # (models, draws), turned so that higher is better
    best = np.argmax(np.where(np.isfinite(drawn), drawn, -np.inf), axis=0)
    column = np.arange(drawn.shape[1])
    values = np.stack([drawn[best, column], unseen[best, column], drawn[0], unseen[0]])
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.size:
        return {"corrected": None, "optimism": None, "gain": None}
    there, elsewhere, default_there, default_elsewhere = values
    optimism = max(0.0, float((there - elsewhere - default_there + default_elsewhere).mean()))
    top = max(sign * metric.values(Weighted(each))[0] for each in judged)
    gain = float((elsewhere - default_elsewhere).mean())
    return {"corrected": float(sign * (top - optimism)), "optimism": optimism, "gain": gain}


def select_trial(
    goal: Goal,
    labels: NDArray[Any],
    probs: Sequence[NDArray[Any]],
    winner: int,
    units: NDArray[np.int64],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Whether the settings of trial `winner` are taken instead of those of trial 0, the default.

    They are, where the figure is better by more than one standard error of the paired difference
    over units (Breiman et al. 1984: of what cannot be told apart, the simplest, which here is what
    nobody had to search for), and what was selected also beats the default on units that did not
    select it.

    Returns:
        ``difference`` (value, low, high, error: winner less default), ``corrected``, ``optimism``,
        ``taken``, ``reason``.
    """
    metric = METRICS[goal.metric]
    sign = 1.0 if metric.direction == "higher" else -1.0
    honest = corrected_score(goal, labels, probs, units, seed=seed)
    own = compare_models(goal, labels, probs[0], probs[winner], units=units, seed=seed, draws=500)[
        "metric"
    ]
    value, low, high = (
        float("nan") if own[key] is None else float(own[key])
        for key in ("difference", "low", "high")
    )
    error = (high - low) / _WIDTH
    beats = honest["gain"] is not None and honest["gain"] > 0
    taken = winner != 0 and sign * value > error and beats
    gain = f"{own['name']} {value:+.3f} ± {error:.3f} against the default"
    if winner == 0:
        reason = "no trial was better than the default, which stays"
    elif taken:
        reason = f"taken: {gain}, and better on samples that did not choose"
    elif sign * value > error:
        reason = f"the default stays: {gain}, but no better on samples that did not choose"
    else:
        reason = f"the default stays: {gain} is within one standard error"
    return {
        "difference": {"value": value, "low": low, "high": high, "error": error},
        "corrected": honest["corrected"],
        "optimism": honest["optimism"],
        "taken": taken,
        "reason": reason,
    }
