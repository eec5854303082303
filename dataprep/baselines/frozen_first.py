"""The frozen model first: where fine-tuning is expected to pay, a model that takes seconds is
there, whole, before the one that takes minutes begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.baselines.training.regimes import FEW

if TYPE_CHECKING:
    from dataprep.baselines.training.settings import BaselineOptions
    from dataprep.schemas.baseline import Baseline
    from dataprep.schemas.split import Split


def comes_first(split: Split, options: BaselineOptions, settings: Mapping[str, Any]) -> bool:
    """Whether a frozen model comes before what ``regime="auto"`` chooses: nothing was asked for
    that it does not have, and there is enough to fine-tune on.
    """
    asked = options.tune or options.out_of_fold or options.compare or options.final or settings
    if options.regime != "auto" or options.arch != "auto" or asked:
        return False
    samples = split.dataset.samples
    if "split" not in samples or "label" not in samples:
        return False
    learned = (samples["split"].astype("object") == "train") & samples["label"].notna()
    return int(np.count_nonzero(learned)) >= FEW


def is_better(one: Baseline, other: Baseline) -> bool:
    """Whether `one` is better than `other` on validation, by the goal's metric."""
    values = []
    for each in (one, other):
        validation = (each.metrics.parts or {}).get("validation")
        value = None if validation is None else validation.metric.value
        values.append(float("nan") if value is None else value)
    if np.isnan(values[1]):
        return True
    return METRICS[one.goal.metric].is_better(values[0], values[1])


def described(baseline: Baseline) -> str:
    """The model by its figure on validation: "frozen model (macro-f1 0.812 on validation)"."""
    regime, validation = baseline.metrics.regime, (baseline.metrics.parts or {})["validation"]
    name = "model" if regime is None else f"{regime.name} model"
    value = validation.metric.value
    shown = "not known" if value is None else f"{value:.3f}"
    return f"{name} ({baseline.goal.metric} {shown} on validation)"
