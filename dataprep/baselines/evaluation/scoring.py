"""What logits mean for a goal, and how good predictions are by its metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.calibration import probabilities
from dataprep.baselines.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials


def predictions(
    materials: Materials, logits: NDArray[Any], temperature: float = 1.0
) -> NDArray[np.float64]:
    """What logits (n, k) mean: (n, k) probabilities, or (n,) values of a regression."""
    if materials.goal.kind == "regression":
        return np.asarray(logits, np.float64)[:, 0] * materials.spread + materials.centre
    return probabilities(logits, temperature, several=materials.goal.kind == "multi-label")


def metric_and_score(
    materials: Materials, rows: NDArray[np.int64], predicted: NDArray[Any]
) -> tuple[float, float]:
    """The goal's metric of predictions for `rows`, and the same turned so that higher is better."""
    metric = METRICS[materials.goal.metric]
    value = float(metric.function(materials.goal, materials.labels[rows], predicted))
    return value, value if metric.direction == "higher" else -value
