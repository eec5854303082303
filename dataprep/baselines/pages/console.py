"""A baseline on the terminal: the goal, the model, its figures next to simple baselines, and what
next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from dataprep.baselines.diagnosis.findings import number
from dataprep.baselines.pages.summary import (
    absent_lines,
    class_rows,
    figure,
    interval,
    judged_parts,
    metric_name,
    reference_rows,
    requirement_rows,
    sentence_of,
    verdict,
)
from dataprep.reports.audit.console import MARKS, WIDTH, print_lines
from dataprep.reports.columns import wrapped
from dataprep.schemas.baseline import METRICS, MODEL, PAGE, PREDICTIONS, Baseline, BaselinePaths
from dataprep.schemas.text.words import counted, printable

#: Steps and classes that are named, and letters of a class's name.
_STEPS, _CLASSES, _NAME = 3, 3, 28
#: Cells of a bar.
_BAR = 20

#: A line and how it looks.
Line = tuple[str, str]


def print_baseline(
    baseline: Baseline,
    paths: BaselinePaths | None = None,
    stream: TextIO | None = None,
    *,
    verdict_only: bool = False,
) -> None:
    """Print a baseline for people: in colour on a terminal, as plain text elsewhere.

    Args:
        baseline: the baseline.
        paths: where its files are, if they were written.
        stream: where to print; default: stdout.
        verdict_only: print the verdict and nothing else.
    """
    print_lines([_verdict(baseline)] if verdict_only else lines_of(baseline, paths), stream)


def _verdict(baseline: Baseline) -> Line:
    said = verdict(baseline.metrics)
    return f"{MARKS[said['level']]} {printable(said['title'])}", said["level"]


def lines_of(baseline: Baseline, paths: BaselinePaths | None = None) -> Iterator[Line]:
    """(line, look) to print, about 80 columns wide."""
    metrics = baseline.metrics
    yield _verdict(baseline)
    yield from _purpose(metrics)
    yield from _references(metrics)
    yield from _requirements(metrics)
    yield from _classes(metrics)
    yield from _mistakes(metrics)
    yield from _next(metrics)
    if paths is not None:
        yield from _files(metrics, paths)


def _purpose(metrics: Mapping[str, Any]) -> Iterator[Line]:
    """What is predicted and by which figure it is judged, and by what model."""
    goal, regime, data = (metrics.get(key) or {} for key in ("goal", "regime", "data"))
    classes = goal.get("classes") or ()
    what = {
        "regression": "a number per image",
        "multi-label": f"which of {len(classes)} labels an image has",
    }
    predicted = what.get(goal["kind"], f"which of {len(classes)} classes an image is")
    yield from _wrapped(
        f"Goal    predict {predicted}, judged by {metric_name(goal['metric'])}: "
        f"{printable(goal['reason'])}."
    )
    if regime:
        images = "".join(
            f", {count:,} {name}" for name, count in (data.get("parts") or {}).items()
        )[2:]
        yield from _wrapped(f"Data    {printable(images)} images")
        size = f"{regime['size']} pixels a side"
        yield from _wrapped(
            f"Model   {regime['arch']} at {size}, {regime['name']}: {printable(regime['reason'])}."
        )


def _references(metrics: Mapping[str, Any]) -> Iterator[Line]:
    rows = reference_rows(metrics)
    if not rows:
        return
    bounded = all(abs(number(row["value"])) <= 1 for row in rows)
    title = metric_name(metrics["goal"]["metric"]).upper()
    named = [(printable(row["name"]), row) for row in rows]
    wide = max(len(name) for name, _ in named)
    yield "", ""
    yield f"{'COMPARED WITH'.ljust(wide)}  {title.rjust(9)}  95 % INTERVAL", "dim"
    for name, row in named:
        bar = _bar(row) if bounded else ""
        look = "bold" if row["kind"] in ("own", "test") else ""
        yield (
            f"{name.ljust(wide)}  {figure(row['value']).rjust(9)}  {interval(row).ljust(15)}{bar}",
            look,
        )


def _bar(row: Mapping[str, Any]) -> str:
    """The figure as a bar from 0 to 1."""
    filled = round(_BAR * min(1.0, max(0.0, number(row["value"]))))
    return f" {'█' * filled}{'·' * (_BAR - filled)}"


def _requirements(metrics: Mapping[str, Any]) -> Iterator[Line]:
    rows = requirement_rows(metrics)
    if rows:
        yield "", ""
        yield "REQUIREMENTS", "dim"
    for row in rows:
        level = "good" if row["surely"] else "warning" if row["holds"] else "error"
        between = (
            f" ({row['between']})"
            if row["between"] and row["between"] != f"{row['value']} to {row['value']}"
            else ""
        )
        doubt = "" if row["surely"] or not row["holds"] else ", but not beyond doubt"
        others = "".join(f"; {part} {other['value']}" for part, other in row["others"].items())
        text = (
            f"{MARKS[level]} {printable(row['requirement'])}: "
            f"{row['value']}{between}{doubt}{printable(others)}"
        )
        yield from _wrapped(text, hang=2, look=level)


def _classes(metrics: Mapping[str, Any]) -> Iterator[Line]:
    rows = class_rows(metrics)
    if len(rows) < 2:
        return
    yield "", ""
    yield f"{'HARDEST CLASSES'.ljust(_NAME)}  IMAGES  PRECISION  RECALL     F1", "dim"
    for row in rows[:_CLASSES]:
        name = printable(row["class"])
        name = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        shares = [_share(row[key]["value"]) for key in ("precision", "recall", "f1")]
        yield (
            f"{name.ljust(_NAME)}  {row['support']:>6,}  {shares[0]:>9}  {shares[1]:>6}  "
            f"{shares[2]:>5}",
            "",
        )
    for line in absent_lines(metrics):
        yield from _wrapped(f"{MARKS['warning']} {printable(line)}", hang=2, look="warning")


def _share(value: Any) -> str:
    return "" if math.isnan(number(value)) else f"{number(value):.2f}"


def _mistakes(metrics: Mapping[str, Any]) -> Iterator[Line]:
    errors = metrics.get("errors") or {}
    if errors.get("mistakes"):
        yield "", ""
        yield "MISTAKES ON VALIDATION", "dim"
        yield from _wrapped(printable(errors["sentence"]), hang=0)
        if errors.get("pairs"):
            worst = errors["pairs"][0]
            yield from _wrapped(
                f"Most often confused: {printable(worst['label'])} with "
                f"{printable(worst['predicted'])} "
                f"({counted(worst['count'], 'time')}, {worst['share']:.0%} of the class).",
                hang=0,
            )


def _next(metrics: Mapping[str, Any]) -> Iterator[Line]:
    steps = metrics.get("next") or ()
    if steps:
        yield "", ""
        yield "NEXT STEPS", "bold"
    for place, step in enumerate(steps[:_STEPS], start=1):
        yield from _wrapped(f"{place}. {printable(sentence_of(step, metrics))}", hang=3)
    if len(steps) > _STEPS:
        yield f"   and {len(steps) - _STEPS} more, in the page", "dim"


def _files(metrics: Mapping[str, Any], paths: BaselinePaths) -> Iterator[Line]:
    yield "", ""
    yield f"Page    {printable(paths[PAGE])}", "bold"
    if (metrics.get("export") or {}).get("onnx", True):
        yield f"Model   {printable(paths[MODEL])}", ""
    yield f"        {METRICS}, {PREDICTIONS}, run.json beside it", "dim"
    if judged_parts(metrics):
        yield "        test set used; every use is logged with the split", "dim"


def _wrapped(text: str, hang: int = 8, look: str = "") -> Iterator[Line]:
    for line in wrapped(text, WIDTH, hang=" " * hang):
        yield line, look
