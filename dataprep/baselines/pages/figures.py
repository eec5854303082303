"""The charts and tables of a baseline's page, drawn from its figures; what is not known is left
out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dataprep.baselines.diagnosis.findings import number
from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.baselines.pages.drawings import Drawing, bar, confusion_chart, line_chart
from dataprep.baselines.pages.summary import (
    figure,
    interval,
    judged_parts,
    metric_name,
    with_interval,
)
from dataprep.reports.charts import in_figures

Metrics = Mapping[str, Any]
#: Slices and trials in a table, labels of several and curves of precision and recall that are
#: drawn.
_SLICES, _TRIALS, _CURVES = 20, 20, 6


def chapters_of(metrics: Metrics) -> dict[str, Any]:
    """What the template draws, by name."""
    return {
        "training": training_charts(metrics),
        "rates": rate_chart(metrics),
        "confusions": _confusions(metrics),
        "labels": _label_counts(metrics),
        "precision": precision_charts(metrics),
        "reliability": reliability_charts(metrics),
        "coverage": coverage_chart(metrics),
        "abstention": _abstention(metrics),
        "slices": _slices(metrics),
        "imbalance": _imbalance(metrics),
        "figures": _figures(metrics),
        "all_metrics": _all_metrics(metrics),
        "settings": _settings(metrics),
        "trials": _trials(metrics),
    }


def training_charts(metrics: Metrics) -> list[Drawing]:
    """Loss and metric by epoch, with the epoch that was kept."""
    history = metrics.get("history") or []
    if not history:
        return []
    epochs = [row["epoch"] + 1 for row in history]
    own = f"val_{metrics['goal']['metric']}"
    best = int(metrics.get("best_epoch") or 0)

    def series(key: str, name: str, colour: int) -> dict[str, Any]:
        return {
            "name": name,
            "x": epochs,
            "y": [row.get(key) for row in history],
            "colour": colour,
            "dots": len(epochs) <= 40,
        }

    def mark(key: str) -> list[dict[str, Any]]:
        known = 0 <= best < len(history) and history[best].get(key) is not None
        return (
            [{"x": epochs[best], "y": history[best][key], "text": f"kept: epoch {epochs[best]}"}]
            if known
            else []
        )

    ends = (epochs[0], max(epochs[-1], epochs[0] + 1))
    charts = [
        line_chart(
            [series("train_loss", "train (as trained)", 0), series("val_loss", "validation", 2)],
            x_label="epoch",
            y_label="loss",
            x_range=ends,
            marks=mark("val_loss"),
        ),
        line_chart(
            [series(own, "validation", 2)],
            x_label="epoch",
            y_label=metric_name(metrics["goal"]["metric"]),
            x_range=ends,
            marks=mark(own),
        ),
        line_chart(
            [series("lr", "learning rate", 1)],
            x_label="epoch",
            y_label="learning rate",
            x_range=ends,
        ),
    ]
    return [chart for chart in charts if chart]


def rate_chart(metrics: Metrics) -> Drawing | None:
    """The range test: loss by learning rate."""
    found = metrics.get("learning_rate") or {}
    curve = found.get("curve") or []
    rates, losses = [row[0] for row in curve], [row[1] for row in curve]
    chosen = number(found.get("chosen"))
    spots = [(number(rate), number(loss)) for rate, loss in curve]
    near = (
        min(spots, key=lambda spot: abs(spot[0] - chosen), default=None)
        if chosen == chosen
        else None
    )
    marks = (
        [{"x": near[0], "y": near[1], "text": f"chosen: {in_figures(chosen)}"}]
        if near and near[0] > 0
        else []
    )
    series = {"name": "loss", "x": rates, "y": losses, "colour": 0}
    return line_chart(
        [series], x_label="learning rate", y_label="training loss", logarithmic=True, marks=marks
    )


def _parts(metrics: Metrics) -> list[tuple[str, str]]:
    """(key, name) of validation and the parts that were only judged."""
    return (
        [("validation", "validation"), *judged_parts(metrics)] if metrics.get("validation") else []
    )


def _confusions(metrics: Metrics) -> list[dict[str, Any]]:
    drawn = (
        (name, confusion_chart(metrics[key].get("confusion") or {}))
        for key, name in _parts(metrics)
    )
    return [{"part": name, **chart} for name, chart in drawn if chart]


def _label_counts(metrics: Metrics) -> list[dict[str, Any]]:
    """Of several labels, the four counts of each on validation."""
    confusion = (metrics.get("validation") or {}).get("confusion") or {}
    counts = confusion.get("labels")
    if not counts:
        return []
    return [
        {"label": name, **{key: counts[key][place] for key in ("tp", "fn", "fp", "tn")}}
        for place, name in enumerate(confusion["classes"])
    ]


def precision_charts(metrics: Metrics) -> list[dict[str, Any]]:
    """Precision by recall of each class with a threshold, and what the threshold does."""
    found = []
    for name, each in list((metrics.get("thresholds") or {}).items())[:_CURVES]:
        curve = each.get("curve") or {}
        series = {
            "name": "validation",
            "x": curve.get("recall") or [],
            "y": curve.get("precision") or [],
            "colour": 0,
        }
        marks = [
            {
                "x": each["recall"],
                "y": each["precision"],
                "text": f"threshold {each['threshold']:.3f}",
            }
        ]
        chart = line_chart(
            [series],
            x_label="recall",
            y_label="precision",
            x_range=(0.0, 1.0),
            y_range=(0.0, 1.0),
            marks=marks,
        )
        found.append(
            {"class": name, "chart": chart, **{key: each[key] for key in each if key != "curve"}}
        )
    return found


def reliability_charts(metrics: Metrics) -> dict[str, Any] | None:
    """Accuracy by confidence, before and after temperature scaling, and on the other parts."""
    calibration = metrics.get("calibration") or {}
    own = calibration.get("validation") or {}
    wanted = [
        ("before temperature scaling", own.get("before"), 5),
        ("after temperature scaling", own.get("after"), 0),
    ]
    wanted += [(name, calibration.get(key), 3) for key, name in judged_parts(metrics)]
    known = [
        (name, each, colour) for name, each, colour in wanted if each and each.get("reliability")
    ]
    series = [
        {
            "name": name,
            "x": [row["confidence"] for row in each["reliability"]],
            "colour": colour,
            "dots": True,
            "y": [row["accuracy"] for row in each["reliability"]],
            "area": [row["count"] for row in each["reliability"]],
        }
        for name, each, colour in known
    ]
    chart = line_chart(
        series,
        x_label="confidence",
        y_label="share that is right",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        diagonal=True,
    )
    if chart is None:
        return None
    rows = [
        {
            "name": name,
            "ece": figure(each["ece"]),
            "by_chance": figure(each["by_chance"]),
            "log_loss": figure(each["log_loss"]),
        }
        for name, each, _ in known
    ]
    return {"chart": chart, "rows": rows, "temperature": own.get("temperature")}


def coverage_chart(metrics: Metrics) -> Drawing | None:
    """Accuracy by the share that is answered, with the thresholds of wished risks."""
    coverage = metrics.get("coverage") or {}
    curve = coverage.get("validation") or {}
    marks = [
        {
            "x": each["coverage"],
            "y": 1 - each["risk"],
            "text": f"error at most {each['wished']:.0%}",
        }
        for each in coverage.get("abstention") or ()
        if each.get("holds") and each.get("risk") is not None
    ]
    series = {
        "name": "validation",
        "x": curve.get("coverage") or [],
        "y": curve.get("accuracy") or [],
        "colour": 0,
    }
    return line_chart(
        [series],
        x_label="share answered",
        y_label="accuracy among them",
        x_range=(0.0, 1.0),
        marks=marks,
    )


def _abstention(metrics: Metrics) -> list[dict[str, Any]]:
    rows = []
    for each in (metrics.get("coverage") or {}).get("abstention") or ():
        others = [
            (name, each[key])
            for key, name in judged_parts(metrics)
            if isinstance(each.get(key), Mapping)
        ]
        rows.append(
            {
                "wished": f"{each['wished']:.0%}",
                "holds": each["holds"],
                "threshold": figure(each.get("threshold")),
                "coverage": f"{each['coverage']:.0%}",
                "bound": f"{each['bound']:.1%}",
                "risk": _percent(each.get("risk")),
                "others": [
                    {
                        "part": name,
                        "coverage": f"{other['coverage']:.0%}",
                        "risk": _percent(other["risk"]),
                    }
                    for name, other in others
                ],
            }
        )
    return rows


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _slices(metrics: Metrics) -> list[dict[str, Any]]:
    rows = (metrics.get("validation") or {}).get("slices") or []
    regression = metrics["goal"]["kind"] == "regression"
    return [
        {
            **each,
            "value": figure(each["value"]),
            "rest": figure(each["rest"]),
            "difference": f"{each['difference']:+.3f}",
            "between": f"{each['low']:+.3f} to {each['high']:+.3f}",
            "bar": None if regression else bar({"value": each["value"]}),
        }
        for each in rows[:_SLICES]
    ]


def _imbalance(metrics: Metrics) -> dict[str, Any] | None:
    found = metrics.get("imbalance") or {}
    if not found:
        return None
    names = {
        "none": "all classes alike",
        "inverse": "inverse numbers of samples",
        "effective": "effective numbers of samples",
    }
    choices = []
    for name, each in (found.get("choices") or {}).items():
        entry = each.get("macro-f1") or each
        recalls = [number(recall["value"]) for recall in (each.get("recall") or {}).values()]
        choices.append(
            {
                "name": names.get(name, name),
                "figure": with_interval(entry),
                "bar": bar(entry),
                "least": figure(min(recalls)) if recalls else "",
            }
        )
    counts = sorted((found.get("counts") or {}).items(), key=lambda each: -each[1])
    difference = (found.get("difference") or {}).get("metric") or {}
    text = (
        f"{difference['difference']:+.3f} ({interval(difference)}): {difference['verdict']}"
        if difference
        else ""
    )
    return {
        "sentence": found.get("sentence", ""),
        "choices": choices,
        "counts": counts,
        "difference": text,
    }


def _figures(metrics: Metrics) -> list[dict[str, str]]:
    """The large figures at the top."""
    found = []
    name = metric_name(metrics["goal"]["metric"])
    for key, part in _parts(metrics):
        own = metrics[key]["metric"]
        found.append(
            {"name": f"{name}, {part}", "value": figure(own["value"]), "note": interval(own)}
        )
    data, regime = metrics.get("data") or {}, metrics.get("regime") or {}
    parts = data.get("parts") or {}
    if parts:
        note = ", ".join(f"{count:,} {part}" for part, count in parts.items())
        found.append({"name": "Images", "value": f"{sum(parts.values()):,}", "note": note})
    if regime:
        found.append(
            {
                "name": "Model",
                "value": regime["arch"],
                "note": f"{regime['name']}, {regime['size']} pixels",
            }
        )
    if metrics.get("latency_ms") is not None:
        note = "one image, one thread" + (
            f"; {metrics['size_mb']:.1f} MB" if metrics.get("size_mb") else ""
        )
        found.append(
            {"name": "Time to answer", "value": f"{metrics['latency_ms']:.1f} ms", "note": note}
        )
    return found


def _all_metrics(metrics: Metrics) -> dict[str, Any]:
    """Every metric of every judged part: ``parts`` and ``rows``."""
    parts = _parts(metrics)
    names = list((metrics.get("validation") or {}).get("metrics") or {})
    figures = [metrics[key].get("metrics") or {} for key, _ in parts]
    rows = [
        {
            "name": metric_name(name),
            "cells": [with_interval(each.get(name) or {}) for each in figures],
        }
        for name in names
    ]
    return {"parts": [part for _, part in parts], "rows": rows}


def _settings(metrics: Metrics) -> list[tuple[str, str]]:
    regime = metrics.get("regime") or {}
    plain = {
        key: regime[key] for key in ("name", "arch", "size", "device", "policy") if key in regime
    }
    pairs = [*plain.items(), *(regime.get("settings") or {}).items()]
    pairs += [(f"seconds: {name}", value) for name, value in (metrics.get("seconds") or {}).items()]
    return [
        (key.replace("_", " "), f"{value:g}" if isinstance(value, float) else str(value))
        for key, value in pairs
    ]


def _trials(metrics: Metrics) -> dict[str, Any] | None:
    """Trials of hyperparameters, the best first, as text: ``heads``, ``rows``, ``sentence``,
    ``hidden``.
    """
    tuning = metrics.get("tuning") or {}
    trials = tuning.get("trials") or []
    if not trials:
        return None
    heads = list(dict.fromkeys(str(key) for row in trials for key in row))
    lower = METRICS[metrics["goal"]["metric"]].direction == "lower"
    worst = math.inf if lower else -math.inf
    scores = [worst if math.isnan(score := number(row.get("score"))) else score for row in trials]
    order = sorted(range(len(trials)), key=lambda place: scores[place], reverse=not lower)
    rows = [[_cell(trials[place].get(key)) for key in heads] for place in order[:_TRIALS]]
    return {
        "heads": heads,
        "rows": rows,
        "sentence": tuning.get("sentence", ""),
        "hidden": max(0, len(trials) - _TRIALS),
    }


def _cell(value: Any) -> str:
    return "" if value is None else in_figures(value) if isinstance(value, float) else str(value)
