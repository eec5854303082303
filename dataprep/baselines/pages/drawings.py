"""The geometry of the charts of a baseline's page: figures to points and rectangles, drawn as
SVG by the template.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dataprep.baselines.diagnosis.findings import number
from dataprep.reports.charts import in_figures

Drawing = dict[str, Any]

#: Size of a line chart in its own units, and room for its axes.
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 380.0, 230.0, 46.0, 34.0, 10.0, 12.0
_TICKS = 5
#: Classes of a confusion matrix that are drawn, those most confused, and that get their counts
#: written.
CLASSES, _WRITTEN = 30, 16
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


def line_chart(
    series: Sequence[Mapping[str, Any]],
    *,
    x_label: str,
    y_label: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    logarithmic: bool = False,
    marks: Sequence[Mapping[str, Any]] = (),
    diagonal: bool = False,
) -> Drawing | None:
    """Lines over one another, with axes; None where fewer than two points are known.

    Args:
        series: ``name``, ``x``, ``y`` (None where unknown), ``colour`` (0 to 5); ``dots`` to draw
            points, ``area`` sizes of them.
        x_label, y_label: of the axes.
        x_range, y_range: ends of the axes; those of the figures by default.
        logarithmic: the x axis.
        marks: points to mark: ``x``, ``y``, ``text``.
        diagonal: draw where y equals x.
    """
    kept = [(each, spots) for each in series if (spots := _known(each, logarithmic))]
    every = [spot for _, spots in kept for spot in spots]
    if len(every) < 2:
        return None
    x_low, x_high = x_range or _ends([x for x, _ in every], logarithmic)
    y_low, y_high = y_range or _ends([y for _, y in every])

    def at(x: float, y: float) -> tuple[float, float]:
        along = (
            _part(math.log(x), math.log(x_low), math.log(x_high))
            if logarithmic
            else _part(x, x_low, x_high)
        )
        return (
            round(LEFT + along * (WIDTH - LEFT - RIGHT), 2),
            round(HEIGHT - BOTTOM - _part(y, y_low, y_high) * (HEIGHT - BOTTOM - TOP), 2),
        )

    lines = []
    for each, spots in kept:
        places = [at(x, y) for x, y in spots]
        dots = [
            {"x": a, "y": b, "text": f"{each['name']}: {in_figures(x)}, {in_figures(y)}", "r": r}
            for (a, b), (x, y), r in zip(places, spots, _sizes(each, len(spots)), strict=True)
        ]
        lines.append(
            {
                "name": each["name"],
                "colour": each.get("colour", 0),
                "points": " ".join(f"{a},{b}" for a, b in places),
                "dots": dots if each.get("dots") or len(places) == 1 else [],
                "dashed": bool(each.get("dashed")),
            }
        )
    shown = [
        {"text": mark["text"], **dict(zip(("x", "y"), at(mark["x"], mark["y"]), strict=True))}
        for mark in marks
    ]
    first, last = max(x_low, y_low), min(x_high, y_high)
    across = _decades(x_low, x_high) if logarithmic else _ticks(x_low, x_high)
    return {
        "lines": lines,
        "marks": shown,
        "x_label": x_label,
        "y_label": y_label,
        "text": _as_text(kept, x_label),
        "x_ticks": [{"at": at(tick, y_low)[0], "text": in_figures(tick)} for tick in across],
        "y_ticks": [
            {"at": at(x_low, tick)[1], "text": in_figures(tick)} for tick in _ticks(y_low, y_high)
        ],
        "diagonal": [*at(first, first), *at(last, last)] if diagonal else [],
    }


def _known(series: Mapping[str, Any], logarithmic: bool) -> list[tuple[float, float]]:
    spots = [(number(x), number(y)) for x, y in zip(series["x"], series["y"], strict=True)]
    return [
        (x, y)
        for x, y in spots
        if math.isfinite(x) and math.isfinite(y) and (x > 0 or not logarithmic)
    ]


def _sizes(series: Mapping[str, Any], count: int) -> list[float]:
    """Radii of the points: their areas as given."""
    areas = series.get("area")
    if not areas or len(areas) != count:
        return [2.6] * count
    top = max(areas) or 1
    return [round(2.2 + 5.2 * math.sqrt(area / top), 2) for area in areas]


def _part(value: float, low: float, high: float) -> float:
    return min(1.02, max(-0.02, (value - low) / ((high - low) or 1.0)))


def _ends(values: Sequence[float], logarithmic: bool = False) -> tuple[float, float]:
    low, high = min(values), max(values)
    if logarithmic:
        return low, high if high > low else low * 10
    room = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
    return (0.0 if 0 <= low < 0.25 * high else low - room), high + room


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the ends."""
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(size * each for each in _ROUND if size * each >= rough - 1e-12)
    first = math.ceil(low / step - 1e-9)
    return [round(place * step, 12) for place in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    found = [
        10.0**power
        for power in range(
            math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1
        )
    ]
    return found if len(found) > 1 else [low, high]


def _as_text(
    kept: Sequence[tuple[Mapping[str, Any], list[tuple[float, float]]]], x_label: str
) -> str:
    """The chart for those who do not see it."""
    parts = []
    for each, spots in kept:
        (first, one), (last, other) = spots[0], spots[-1]
        parts.append(
            f"{each['name']}: {in_figures(one)} at {x_label} {in_figures(first)}, "
            f"{in_figures(other)} at {in_figures(last)}"
        )
    return "; ".join(parts)


def reference_chart(rows: Sequence[Mapping[str, Any]], *, share: bool) -> Drawing:
    """Figures with their intervals on one scale: ``rows`` with ``at``, ``low``, ``high`` in percent
    of the width; ``ticks``.

    Args:
        rows: of `dataprep.baselines.pages.summary.reference_rows`.
        share: whether the scale is that of shares, 0 to 1.
    """
    values = [number(row[key]) for row in rows for key in ("value", "low", "high")]
    values = [value for value in values if math.isfinite(value)]
    low = min([0.0, *values])
    high = 1.0 if share else max([*values, 0.0]) * 1.05 or 1.0

    def at(value: Any) -> float | None:
        found = number(value)
        return (
            round(100 * min(1.0, max(0.0, (found - low) / (high - low))), 2)
            if math.isfinite(found)
            else None
        )

    drawn = [
        {**row, "at": at(row["value"]), "from": at(row["low"]), "to": at(row["high"])}
        for row in rows
    ]
    return {
        "rows": drawn,
        "ticks": [{"at": at(tick), "text": in_figures(tick)} for tick in _ticks(low, high)],
    }


def confusion_chart(confusion: Mapping[str, Any]) -> Drawing | None:
    """A confusion matrix as cells, strong where a large share of a class went; at most 30
    classes, those most confused.
    """
    rows, names = confusion.get("rows"), confusion.get("classes") or []
    if not rows:
        return None
    errors = [
        sum(row) - row[i] + sum(other[i] for other in rows) - row[i] for i, row in enumerate(rows)
    ]
    kept = sorted(sorted(range(len(names)), key=lambda i: -errors[i])[:CLASSES])
    cells = []
    for y, i in enumerate(kept):
        total = sum(rows[i])
        for x, j in enumerate(kept):
            share = rows[i][j] / total if total else 0.0
            cells.append(
                {
                    "x": x,
                    "y": y,
                    "same": i == j,
                    "strength": round(share**0.7, 3),
                    "strong": share > 0.45,
                    "text": str(rows[i][j]) if rows[i][j] and len(kept) <= _WRITTEN else "",
                    "title": f"{names[i]} taken for {names[j]}: {rows[i][j]:,} of {total:,} "
                    f"({share:.0%})",
                }
            )
    longest = max(len(names[i]) for i in kept)
    return {
        "left": min(150, 24 + 7 * longest),
        "top": min(100, 26 + 5 * longest),
        "classes": [names[i] for i in kept],
        "cells": cells,
        "size": len(kept),
        "hidden": len(names) - len(kept),
        "right": sum(row[i] for i, row in enumerate(rows)),
        "total": sum(map(sum, rows)),
    }


def bar(entry: Mapping[str, Any] | None) -> Drawing | None:
    """A share with its interval as a bar in percent: ``at``, ``from``, ``to``; None where it is
    not known.
    """
    value = number((entry or {}).get("value"))
    if not math.isfinite(value):
        return None
    low, high = (number((entry or {}).get(key)) for key in ("low", "high"))
    known = math.isfinite(low) and math.isfinite(high)
    return {
        "value": f"{value:.2f}",
        "at": round(100 * value, 1),
        "from": round(100 * low, 1) if known else None,
        "to": round(100 * high, 1) if known else None,
        "between": f"{low:.2f} to {high:.2f}" if known else "",
    }
