"""Imbalance: what class weights do, with and without, on features that stay as they are: seconds
instead of trainings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.comparing import compare_models
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.evaluation.scoring import predictions
from dataprep.baselines.frozen.linear import linear_on
from dataprep.baselines.frozen.model import penalties_for
from dataprep.baselines.goal import IMBALANCE
from dataprep.schemas.results.evaluation import ClassWeightEffect, WeightingFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.settings import TrainSettings

_WEIGHTINGS = ("none", "inverse", "effective")
#: Training rows that the comparison looks at, at most.
_MOST = 5000


def compare_weights(
    materials: Materials,
    settings: TrainSettings,
    embedding: NDArray[np.float32] | None,
    penalty: float | None = None,
) -> ClassWeightEffect:
    """What was done about unequal classes, and what class weights do to a linear classifier on
    frozen embeddings.

    Args:
        materials: judged on the rows of val.
        settings: of the training, for what was chosen.
        embedding: (n, d) in the `FeatureSpace` of the training rows; None where there are none.
            Without, or where classes are equal, nothing is compared.
        penalty: of the classifiers, where it was chosen before.
    """
    goal = materials.goal
    if goal.kind not in ("binary", "multi-class"):
        return ClassWeightEffect()
    counts = materials.counts(materials.train)
    ratio = float(counts.max() / max(1, counts.min()))
    used = {name: getattr(settings, name) for name in ("class_weights", "sampler", "focal")}
    found = ClassWeightEffect(
        counts=dict(zip(goal.classes, map(int, counts), strict=True)),
        ratio=ratio,
        imbalanced=ratio > IMBALANCE,
        used=used,
        sentence=_described(used, ratio),
    )
    if embedding is None or not found.imbalanced:
        return found
    probs = _probabilities(materials, settings, embedding, penalty)
    named = settings.class_weights if settings.class_weights != "none" else "inverse"
    labels, units = materials.labels[materials.val], materials.units[materials.val]
    by_f1 = replace(goal, metric="macro-f1")
    difference = compare_models(
        by_f1, labels, probs["none"], probs[named], units=units, seed=settings.seed, draws=500
    )
    choices = {name: _figures(by_f1, labels, each, units) for name, each in probs.items()}
    return replace(found, choices=choices, difference=difference, weighting=named)


def _described(used: Mapping[str, Any], ratio: float) -> str:
    """What was done, in a sentence."""
    means = []
    if used["class_weights"] != "none":
        kind = (
            "the inverse of its number of samples"
            if used["class_weights"] == "inverse"
            else "its effective number of samples"
        )
        means.append(f"each class weighs by {kind} in the loss")
    if used["sampler"] == "balanced":
        means.append("every class is drawn equally often")
    if used["focal"]:
        means.append(f"the focal loss (exponent {used['focal']:g}) turns from what is easy")
    done = " and ".join(means) or "nothing was done about it"
    return f"the largest class has {ratio:.1f} times the training samples of the smallest: {done}"


def _probabilities(
    materials: Materials,
    settings: TrainSettings,
    embedding: NDArray[np.float32],
    penalty: float | None,
) -> dict[str, NDArray[np.float64]]:
    """Weighting to its probabilities on val; the penalty is chosen once, without weights."""
    rows = _some(materials, settings.seed)
    plain = replace(settings, focal=0.0)
    penalties = penalties_for(len(rows), penalty)
    without = replace(plain, class_weights="none")
    first = linear_on(materials, embedding[rows], rows, without, penalties, standardise=False)
    fitted = {"none": first}
    for name in _WEIGHTINGS[1:]:
        fitted[name] = linear_on(
            materials,
            embedding[rows],
            rows,
            replace(plain, class_weights=name),
            (first.penalty,),
            standardise=False,
        )
    return {
        name: predictions(materials, linear(embedding[materials.val]))
        for name, linear in fitted.items()
    }


def _some(materials: Materials, seed: int) -> NDArray[np.int64]:
    """Training rows, all or a random part of them that keeps every class."""
    rows = materials.train
    if len(rows) <= _MOST:
        return rows
    drawn = np.random.default_rng(seed).permutation(rows)
    rare = np.concatenate(
        [drawn[materials.labels[drawn] == code][:20] for code in range(len(materials.goal.classes))]
    )
    return np.unique(np.concatenate([rare, drawn[:_MOST]]))


def _figures(
    goal: Any, labels: NDArray[Any], probs: NDArray[Any], units: NDArray[np.int64]
) -> WeightingFigures:
    judged = evaluate(goal, labels, probs, units=units, draws=200)
    return WeightingFigures(
        macro_f1=judged.metrics["macro-f1"],
        recall={each.name: each.recall for each in judged.classes},
    )
