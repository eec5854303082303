"""What a baseline says, in words: the verdict and the tables that the terminal and the page
show.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dataprep.baselines.diagnosis.absent_classes import absent_sentences
from dataprep.baselines.diagnosis.findings import number
from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.reports.charts import in_figures

Row = dict[str, Any]
Metrics = Mapping[str, Any]

#: Figures that a ceiling of label noise is a ceiling of.
_UNDER_CEILING = ("accuracy", "macro-f1", "balanced-accuracy")
_NAMES = {
    "macro-f1": "macro-F1",
    "f-beta": "F-beta",
    "pr-auc": "PR-AUC",
    "roc-auc": "ROC-AUC",
    "mcc": "MCC",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "log-loss": "log-loss",
}
_CHOSEN_BY = ("train", "val")
#: Kinds of references that look at the image and are simple, as a sentence names them.
_SIMPLE = {
    "probe": "a linear probe",
    "neighbours": "nearest neighbours",
    "linear": "a linear classifier on frozen features",
}


def metric_name(name: str) -> str:
    """A metric's name as people write it."""
    return _NAMES.get(name, name.replace("-", " "))


def figure(value: Any) -> str:
    """A figure of a model in three digits; "not known" where it is not."""
    value = number(value)
    if math.isnan(value):
        return "not known"
    return f"{value:.3f}" if abs(value) <= 1 else in_figures(value)


def interval(entry: Mapping[str, Any]) -> str:
    """An interval in words: "0.404 to 0.578"; empty without one."""
    low, high = number(entry.get("low")), number(entry.get("high"))
    return "" if math.isnan(low) or math.isnan(high) else f"{figure(low)} to {figure(high)}"


def with_interval(entry: Mapping[str, Any]) -> str:
    """A figure with its interval: "0.524 (0.404 to 0.578)"."""
    return figure(entry.get("value")) + (f" ({between})" if (between := interval(entry)) else "")


def judged_parts(metrics: Metrics) -> list[tuple[str, str]]:
    """(key in the metrics, name) of every part that was judged without being learned from or
    chosen by.
    """
    parts = (metrics.get("data") or {}).get("parts") or {}
    return [
        (name, name)
        for name in parts
        if name not in _CHOSEN_BY and (metrics.get(name) or {}).get("metric")
    ]


def reference_rows(metrics: Metrics) -> list[Row]:
    """What the model is held against, by the optimising metric: ``kind``, ``name``, ``what``,
    ``value``, ``low``, ``high``.
    """
    return [row for row in _references(metrics) if not math.isnan(number(row["value"]))]


def _references(metrics: Metrics) -> Iterator[Row]:
    own = metrics["goal"]["metric"]
    for each in metrics.get("dumb") or ():
        yield _row("trivial", f"guessing ({each['name']})", each["what"], {"value": each["value"]})
    probe = ((metrics.get("probe") or {}).get("val") or {}).get(own)
    if probe:
        yield _row(
            "probe",
            "linear probe",
            "logistic regression on the audit's embeddings, validation",
            probe,
        )
    neighbours = ((metrics.get("neighbours") or {}).get("val") or {}).get(own)
    if neighbours:
        yield _row(
            "neighbours",
            "nearest neighbours",
            "vote of the 10 nearest training images by the audit's embeddings, validation",
            neighbours,
        )
    linear = ((metrics.get("linear") or {}).get("validation") or {}).get(own)
    if linear and (metrics.get("regime") or {}).get("name") != "frozen":
        yield _row(
            "linear",
            "linear on frozen features",
            "the same network before it was fine-tuned, validation",
            linear,
        )
    validation = metrics.get("validation") or {}
    if validation.get("metric"):
        yield _row(
            "own",
            "this model, validation",
            f"{validation.get('samples', 0):,} images",
            validation["metric"],
        )
    folds = metrics.get("cross_validation") or {}
    mean = (folds.get("metrics") or {}).get(own)
    if mean:
        count = len(folds.get("folds") or ())
        entry = {**mean, "value": mean["mean"]}
        yield _row(
            "own", f"this recipe, {count} folds", "mean of models trained on the other folds", entry
        )
    for key, name in judged_parts(metrics):
        yield _row(
            "test",
            f"this model, {name}",
            f"{metrics[key].get('samples', 0):,} images",
            metrics[key]["metric"],
        )
    ceiling = metrics.get("ceiling") or {}
    if ceiling.get("known") and own in _UNDER_CEILING:
        what = "accuracy of a perfect model, judged by labels of which some are wrong"
        yield _row(
            "ceiling", "ceiling of label noise", what, {**ceiling, "value": ceiling["ceiling"]}
        )
    if metrics["goal"].get("target") is not None:
        yield _row("target", "target", "what was wished for", {"value": metrics["goal"]["target"]})


def _row(kind: str, name: str, what: str, entry: Mapping[str, Any]) -> Row:
    return {
        "kind": kind,
        "name": name,
        "what": what,
        **{key: entry.get(key) for key in ("value", "low", "high")},
    }


def verdict(metrics: Metrics) -> dict[str, str]:
    """``level`` (good, warning, error), ``title`` and ``text``: how good, against what, and what
    next.
    """
    level, title = _judgement(metrics)
    return {"level": level, "title": title, "text": " ".join(_sentences(metrics))}


def _judgement(metrics: Metrics) -> tuple[str, str]:
    rows = {row["kind"]: row for row in reversed(reference_rows(metrics))}
    own = (metrics.get("validation") or {}).get("metric") or {}
    name = metric_name(metrics["goal"]["metric"])
    said = f"{name} {figure(own.get('value'))}"
    steps = {each["step"] for each in metrics.get("next") or ()}
    failed = [each for each in metrics.get("sanity") or () if not each.get("passed", True)]
    unmet = [each for each in requirement_rows(metrics) if not each["holds"]]
    target = (metrics.get("validation") or {}).get("target") or {}
    if "broken" in steps:
        better = "trivial" in rows and not _worse(
            metrics, number(own.get("value")), number(rows["trivial"]["value"])
        )
        return "error", f"{said}: not {'surely ' if better else ''}better than guessing"
    if failed:
        return "error", f"{said}, but a sanity check failed"
    if steps & {"leakage", "shortcut"}:
        return "warning", f"{said}, which may not be about the subject"
    if unmet:
        more = "a requirement is" if len(unmet) == 1 else f"{len(unmet)} requirements are"
        return "warning", f"{said}, but {more} not met"
    if "mismatch" in steps and (metrics.get("test") or {}).get("metric"):
        return (
            "warning",
            f"{said} on validation, but {figure(metrics['test']['metric']['value'])} on test",
        )
    if target:
        return _on_target(said, number(own.get("value")), target)
    simple = best_simple(metrics)
    if simple and _beyond(metrics, number(simple["value"]), own):
        return "warning", f"{said}: {_SIMPLE[simple['kind']]} does better"
    than = "far better than guessing" if _far(metrics, rows) else "better than guessing"
    return "good", f"{said}, {than}{_beside_simple(metrics, simple, own)}"


def best_simple(metrics: Metrics) -> Row | None:
    """The best of the simple alternatives that look at the image, by the optimising metric; None
    where none was measured.
    """
    found = [row for row in reference_rows(metrics) if row["kind"] in _SIMPLE]
    better = METRICS[metrics["goal"]["metric"]].is_better
    best = None
    for row in found:
        if best is None or better(number(row["value"]), number(best["value"])):
            best = row
    return best


def _beside_simple(metrics: Metrics, simple: Row | None, own: Mapping[str, Any]) -> str:
    """How the model stands to the best simple alternative, to follow what it is to guessing."""
    if simple is None:
        return ""
    value, low, high = number(simple["value"]), number(own.get("low")), number(own.get("high"))
    worst = high if METRICS[metrics["goal"]["metric"]].direction == "lower" else low
    name = f"{_SIMPLE[simple['kind']]} ({figure(value)})"
    if not math.isnan(worst) and not _worse(metrics, worst, value):
        return f" and better than {name}"
    if _worse(metrics, number(own.get("value")), value):
        return f", but no better than {name}"
    return f", but not surely better than {name}"


def _worse(metrics: Metrics, one: float, other: float) -> bool:
    """Whether one figure is no better than another."""
    return not METRICS[metrics["goal"]["metric"]].is_better(one, other)


def _on_target(said: str, value: float, target: Mapping[str, Any]) -> tuple[str, str]:
    if target["surely"]:
        return "good", f"{said}: the target {target['value']:g} is reached"
    if target["reached"]:
        return "warning", f"{said}: the target {target['value']:g} is reached, but not beyond doubt"
    return (
        "warning",
        f"{said}: {figure(abs(value - target['value']))} short of the target {target['value']:g}",
    )


def _beyond(metrics: Metrics, other: float, own: Mapping[str, Any]) -> bool:
    """Whether another figure is better than the model's whole interval."""
    if METRICS[metrics["goal"]["metric"]].direction == "higher":
        return other > number(own.get("high"))
    return other < number(own.get("low"))


def _far(metrics: Metrics, rows: Mapping[str, Row]) -> bool:
    """Whether at least half of what guessing leaves open is won."""
    if "trivial" not in rows or "own" not in rows:
        return False
    trivial, own = number(rows["trivial"]["value"]), number(rows["own"]["value"])
    if METRICS[metrics["goal"]["metric"]].direction == "lower":
        return own < trivial / 2
    return own - trivial > (1 - trivial) / 2


def _sentences(metrics: Metrics) -> Iterator[str]:
    name, validation = metric_name(metrics["goal"]["metric"]), metrics.get("validation") or {}
    if validation.get("metric"):
        tests = "".join(
            f", on {part} {with_interval(metrics[key]['metric'])}"
            for key, part in judged_parts(metrics)
        )
        images = f"{validation.get('samples', 0):,} validation images"
        yield f"On {images} {name} is {with_interval(validation['metric'])}{tests}."
    rows = {row["kind"]: row for row in reversed(reference_rows(metrics))}
    against = []
    if "trivial" in rows:
        against.append(f"guessing gives {figure(rows['trivial']['value'])}")
    if "probe" in rows:
        against.append(f"a linear probe on the audit's features {figure(rows['probe']['value'])}")
    if "neighbours" in rows:
        against.append(f"its nearest neighbours {figure(rows['neighbours']['value'])}")
    if "ceiling" in rows:
        against.append(
            f"wrong labels allow an accuracy of about {figure(rows['ceiling']['value'])}"
        )
    if against:
        text = ", ".join(against)
        yield f"{text[:1].upper()}{text[1:]}."
    yield from absent_lines(metrics)
    steps = metrics.get("next") or ()
    if steps:
        yield f"Next: {sentence_of(steps[0], metrics)}"


def absent_lines(metrics: Metrics) -> list[str]:
    """A sentence for validation and for each part that was judged, where it has no image of some
    class.
    """
    return list(absent_sentences(metrics, [("validation", "validation"), *judged_parts(metrics)]))


def sentence_of(step: Mapping[str, Any], metrics: Metrics) -> str:
    """What a step says, with names as people write them and a full stop."""
    name = metrics["goal"]["metric"]
    return (
        re.sub(rf"(?<![\w\[-]){re.escape(name)}(?![\w-])", metric_name(name), str(step["sentence"]))
        + "."
    )


def requirement_rows(metrics: Metrics) -> list[Row]:
    """Requirements on validation, with what they came to on the other parts: ``requirement``,
    ``value``, ``between``, ``holds``, ``surely``, ``known``, ``others`` (part to value and whether
    it holds)."""
    found = []
    for place, each in enumerate((metrics.get("validation") or {}).get("requirements") or ()):
        others = {}
        for key, part in judged_parts(metrics):
            same = metrics[key].get("requirements") or []
            if place < len(same):
                others[part] = {
                    "value": figure(same[place]["value"]),
                    "holds": same[place]["holds"],
                }
        found.append(
            {**each, "value": figure(each["value"]), "between": interval(each), "others": others}
        )
    return found


def class_rows(metrics: Metrics, key: str = "validation") -> list[Row]:
    """Classes of a part as `dataprep.baselines.evaluation.estimates.evaluate` has them, the
    lowest F1 first.
    """
    classes = (metrics.get(key) or {}).get("classes") or []
    return sorted(
        classes, key=lambda each: math.inf if each["f1"]["value"] is None else each["f1"]["value"]
    )
