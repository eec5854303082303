"""Evaluation: everything that predictions say about a model, each figure with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.bootstrap import estimate, numbered, resampled
from dataprep.baselines.evaluation.metrics import (
    METRICS,
    Judged,
    Weighted,
    class_average_precision,
    class_f,
    class_precision,
    class_recall,
    class_roc_auc,
    metrics_for,
)
from dataprep.baselines.evaluation.slices import slice_figures

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal, Requirement


def evaluate(
    goal: Goal,
    labels: NDArray[Any],
    probs: NDArray[Any],
    *,
    units: Any = None,
    names: Any = None,
    slices: pd.DataFrame | None = None,
    measured: Mapping[str, float] | None = None,
    thresholds: NDArray[np.float64] | None = None,
    seed: int = 0,
    draws: int = 1000,
) -> dict[str, Any]:
    """Everything about predictions on one set of rows, ready for JSON (what is not defined is
    None).

    Args:
        goal: what is predicted.
        labels: (n,) codes, -1 where missing; (n, k) bool of several labels; (n,) values, NaN where
            missing.
        probs: (n, k) probabilities in the order of `goal.classes`, or (n,) values.
        units: (n,) what varies together (column ``unit``); every row its own by default.
        names: (n,) sample names, for examples of mistakes in slices; row numbers by default.
        slices: (n rows) columns by which rows are sliced: texts by value, numbers by fifths and
            outer tenths.
        measured: figures for requirements that predictions do not tell: ``latency_ms``,
            ``size_mb``.
        thresholds: (k,) as of `dataprep.baselines.evaluation.metrics.decide`.
        seed: of the bootstrap.
        draws: bootstrap samples of whole units.

    Returns:
        ``samples``, ``unlabelled``, ``units``, ``draws``; ``metric`` (name, direction, value, low,
        high); ``metrics`` (name to value, low, high; the 95 % intervals of the bootstrap over
        units); ``confusion`` (``classes`` and ``rows``: true classes by predicted; of several
        labels ``labels``: tn, fp, fn, tp each); ``classes`` (one entry per class: support, units,
        precision, recall, f1, and pr_auc, roc_auc without interval); ``absent`` (classes without a
        row here, of which no figure is); ``slices``
        (`dataprep.baselines.evaluation.slices.slice_figures`); ``requirements``; ``target``.

    Raises:
        ValueError: probabilities that do not fit the labels or the goal.
    """
    _demand_fit(goal, labels, probs)
    judged = Judged.of(goal, labels, probs, thresholds)
    unit = numbered(units, judged.rows)
    metrics = metrics_for(goal)
    drawn, tallies = resampled(judged, metrics, unit, draws=draws, seed=seed)
    whole, count = Weighted(judged), len(np.unique(unit))
    figures = {
        metric.name: estimate(
            metric.values(whole)[0], drawn[metric.name], count, bounded=metric.bounded
        )
        for metric in metrics
    }
    classes = _classes(judged, whole, tallies, unit)
    own = METRICS[goal.metric]
    return dict(
        jsonable(
            {
                "samples": len(judged),
                "unlabelled": len(labels) - len(judged),
                "units": count,
                "draws": draws,
                "metric": {"name": own.name, "direction": own.direction, **figures[own.name]},
                "metrics": figures,
                "confusion": _confusion(judged),
                "classes": classes,
                "absent": [each["class"] for each in classes if not each["support"]],
                "slices": slice_figures(judged, unit, slices, names, seed=seed, draws=draws),
                "requirements": [
                    _requirement(each, figures, classes, measured or {})
                    for each in goal.requirements
                ],
                "target": _target(goal, figures[own.name]),
            }
        )
    )


def _demand_fit(goal: Goal, labels: NDArray[Any], probs: NDArray[Any]) -> None:
    shape = np.shape(probs)
    fits = (
        shape in ((len(labels),), (len(labels), 1))
        if goal.kind == "regression"
        else shape == (len(labels), len(goal.classes))
    )
    if not fits:
        wanted = (
            f"({len(labels)},)"
            if goal.kind == "regression"
            else f"({len(labels)}, {len(goal.classes)})"
        )
        raise ValueError(
            f"probs: expected shape {wanted} for {len(labels)} labels of a {goal.kind} goal, got "
            f"{shape}"
        )


def _classes(
    judged: Judged, whole: Weighted, tallies: NDArray[np.float64], unit: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Per class: how many rows and units, precision, recall and F1 with intervals, and what
    ranking says of it.
    """
    goal = judged.goal
    if not goal.classes or not judged.sound:
        return []
    several = goal.kind == "multi-label"
    members = [
        judged.labels[:, c] if several else judged.labels == c for c in range(len(goal.classes))
    ]
    said = [
        judged.predicted[:, c] if several else judged.predicted == c
        for c in range(len(goal.classes))
    ]
    parts = {
        "precision": (class_precision, said),
        "recall": (class_recall, members),
        "f1": (class_f, members),
    }
    found: list[dict[str, Any]] = [
        {"class": name, "support": int(own.sum()), "units": len(np.unique(unit[own]))}
        for name, own in zip(goal.classes, members, strict=True)
    ]
    for name, (figure, rows) in parts.items():
        value, draws = figure(whole.tally)[0], figure(tallies)
        for code, entry in enumerate(found):
            entry[name] = estimate(
                float(value[code]), draws[:, code], len(np.unique(unit[rows[code]])), bounded=True
            )
    for name, area in (("pr_auc", class_average_precision), ("roc_auc", class_roc_auc)):
        values = area(whole)[0]
        codes = (
            [goal.classes.index(goal.positive)]
            if goal.kind == "binary"
            else range(len(goal.classes))
        )
        for code, value in zip(codes, values, strict=True):
            found[code][name] = float(value)
    return found


def _confusion(judged: Judged) -> dict[str, Any]:
    """Rows by true and predicted class; of several labels the four counts of each."""
    classes = list(judged.goal.classes)
    if not classes or not judged.sound:
        return {}
    labels, predicted = judged.labels, judged.predicted
    if judged.goal.kind == "multi-label":
        counts = {
            "tn": (~labels & ~predicted).sum(axis=0),
            "fp": (~labels & predicted).sum(axis=0),
            "fn": (labels & ~predicted).sum(axis=0),
            "tp": (labels & predicted).sum(axis=0),
        }
        return {
            "classes": classes,
            "labels": {name: values.tolist() for name, values in counts.items()},
        }
    cells = np.bincount(labels * len(classes) + predicted, minlength=len(classes) ** 2)
    return {"classes": classes, "rows": cells.reshape(len(classes), -1).tolist()}


def _requirement(
    wanted: Requirement,
    figures: Mapping[str, Any],
    classes: list[dict[str, Any]],
    measured: Mapping[str, float],
) -> dict[str, Any]:
    """Whether a requirement holds, and whether it does at both ends of the figure's interval."""
    unknown = {"value": math.nan, "low": math.nan, "high": math.nan}
    found: Any = unknown
    if wanted.of:
        entry = next((each for each in classes if each["class"] == wanted.of), {})
        found = entry.get(wanted.figure.replace("-", "_"), unknown)
    elif wanted.figure in figures:
        found = figures[wanted.figure]
    elif wanted.figure in measured:
        found = measured[wanted.figure]
    if not isinstance(found, Mapping):
        found = {"value": float(found), "low": float(found), "high": float(found)}
    return {
        "requirement": str(wanted),
        "figure": wanted.figure,
        "of": wanted.of,
        "bound": wanted.bound,
        **found,
        "known": not math.isnan(found["value"]),
        "holds": wanted.holds(found["value"]),
        "surely": wanted.holds(found["low"]) and wanted.holds(found["high"]),
    }


def _target(goal: Goal, own: Mapping[str, float]) -> dict[str, Any] | None:
    """Whether the target is reached, and whether it is at the worse end of the interval."""
    if goal.target is None:
        return None
    higher = METRICS[goal.metric].direction == "higher"
    worse = own["low"] if higher else own["high"]
    return {
        "value": goal.target,
        "reached": own["value"] >= goal.target if higher else own["value"] <= goal.target,
        "surely": worse >= goal.target if higher else worse <= goal.target,
    }


def jsonable(value: Any) -> Any:
    """`value` with plain numbers, lists and dictionaries, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
