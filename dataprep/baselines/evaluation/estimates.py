"""evaluate(): all metrics of predictions, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.bootstrap import estimate, numbered, resampled
from dataprep.baselines.evaluation.metrics import (
    METRICS,
    LabelledRows,
    Weighted,
    class_average_precision,
    class_f,
    class_precision,
    class_recall,
    class_roc_auc,
    metrics_for,
)
from dataprep.baselines.evaluation.slices import slice_figures
from dataprep.schemas.results.evaluation import (
    ClassFigures,
    Confusion,
    Estimate,
    OptimisedMetric,
    PartEvaluation,
    RankingAreas,
    RequirementResult,
    TargetResult,
)

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
) -> PartEvaluation:
    """Everything about predictions on one set of rows.

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

    Raises:
        ValueError: probabilities that do not fit the labels or the goal.
    """
    _demand_fit(goal, labels, probs)
    judged = LabelledRows.of(goal, labels, probs, thresholds)
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
    return PartEvaluation(
        samples=len(judged),
        unlabelled=len(labels) - len(judged),
        units=count,
        draws=draws,
        metric=OptimisedMetric(name=own.name, direction=own.direction, **figures[own.name]),
        metrics=figures,
        confusion=_confusion(judged),
        classes=classes,
        absent=[each.name for each in classes if not each.support],
        slices=slice_figures(judged, unit, slices, names, seed=seed, draws=draws),
        requirements=[
            _requirement(each, figures, classes, measured or {}) for each in goal.requirements
        ],
        target=_target(goal, figures[own.name]),
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
    judged: LabelledRows, whole: Weighted, tallies: NDArray[np.float64], unit: NDArray[np.int64]
) -> list[ClassFigures]:
    """Per class: how many rows and units, precision, recall and F1 with intervals, and what
    ranking says of it.
    """
    goal = judged.goal
    if not goal.classes or not judged.sound:
        return []
    members, predicted = (_columns(each, goal) for each in (judged.labels, judged.predicted))
    counted = {
        "precision": (class_precision, predicted),
        "recall": (class_recall, members),
        "f1": (class_f, members),
    }
    estimates: dict[str, list[Estimate]] = {}
    for name, (figure, rows) in counted.items():
        value, draws = figure(whole.tally)[0], figure(tallies)
        estimates[name] = [
            estimate(float(value[code]), draws[:, code], len(np.unique(unit[own])), bounded=True)
            for code, own in enumerate(rows.T)
        ]
    areas = [
        RankingAreas(pr_auc=float(precision), roc_auc=float(roc))
        for precision, roc in zip(
            class_average_precision(whole)[0], class_roc_auc(whole)[0], strict=True
        )
    ]
    area_of = dict(
        zip([goal.positive] if goal.kind == "binary" else goal.classes, areas, strict=True)
    )
    return [
        ClassFigures(
            name=name,
            support=int(members[:, code].sum()),
            units=len(np.unique(unit[members[:, code]])),
            precision=estimates["precision"][code],
            recall=estimates["recall"][code],
            f1=estimates["f1"][code],
            areas=area_of.get(name),
        )
        for code, name in enumerate(goal.classes)
    ]


def _columns(values: NDArray[Any], goal: Goal) -> NDArray[np.bool_]:
    """(n, k) which classes each row has, from codes (n,) or the same (n, k)."""
    if goal.kind == "multi-label":
        return values
    return np.asarray(values[:, None] == np.arange(len(goal.classes)))


def _confusion(judged: LabelledRows) -> Confusion:
    """Rows by true and predicted class; of several labels the four counts of each."""
    classes = list(judged.goal.classes)
    if not classes or not judged.sound:
        return Confusion()
    if judged.goal.kind == "multi-label":
        from sklearn.metrics import multilabel_confusion_matrix

        counts = multilabel_confusion_matrix(judged.labels, judged.predicted)  # (k, 2, 2)
        names = ("tn", "fp", "fn", "tp")
        cells = dict(zip(names, counts.reshape(-1, 4).T, strict=True))
        return Confusion(classes=classes, labels=cells)
    many = len(classes)
    places = judged.labels.astype(np.int64) * many + judged.predicted
    table: Any = np.bincount(places, minlength=many * many).reshape(many, many)
    return Confusion(classes=classes, rows=table)


def _requirement(
    wanted: Requirement,
    figures: Mapping[str, Estimate],
    classes: list[ClassFigures],
    measured: Mapping[str, float],
) -> RequirementResult:
    """Whether a requirement holds, and whether it does at both ends of the figure's interval."""
    found: Any = None
    if wanted.of:
        entry: Mapping[str, Any] = next((each for each in classes if each.name == wanted.of), {})
        found = entry.get(wanted.figure.replace("-", "_"))
    elif wanted.figure in figures:
        found = figures[wanted.figure]
    else:
        found = measured.get(wanted.figure)
    if not isinstance(found, Estimate):
        found = Estimate(found, found, found)
    value, low, high = (math.nan if end is None else end for end in found.values())
    return RequirementResult(
        requirement=str(wanted),
        figure=wanted.figure,
        of=wanted.of,
        bound=wanted.bound,
        **found,
        known=not math.isnan(value),
        holds=wanted.holds(value),
        surely=wanted.holds(low) and wanted.holds(high),
    )


def _target(goal: Goal, own: Estimate) -> TargetResult | None:
    """Whether the target is reached, and whether it is at the worse end of the interval."""
    if goal.target is None:
        return None
    higher = METRICS[goal.metric].direction == "higher"
    value, worse = (
        math.nan if end is None else end for end in (own.value, own.low if higher else own.high)
    )
    return TargetResult(
        value=goal.target,
        reached=value >= goal.target if higher else value <= goal.target,
        surely=worse >= goal.target if higher else worse <= goal.target,
    )
