"""What a claim shows besides its words, as geometry for the page: neighbours, histograms, patches,
curves, matrices, intervals.

A check says it in a claim's evidence, under these keys; what does not have the form that is stated
here is not drawn.

- ``neighbours``, ``drivers``, ``carriers``: names of samples, drawn as small pictures.
- ``histogram``: ``edges`` (b + 1), ``series`` {name: b counts}, ``label``; ``categories`` (b names)
  where bins are no ranges.
- ``patch``: ``pixels`` (h rows of w [r, g, b]), ``place``, ``carriers``.
- ``curve``: ``x``, ``y`` and, for a band, ``low`` and ``high``, all of one length; ``x_label``,
  ``y_label``; ``measured``: how many points are measured rather than extrapolated.
- ``matrix``: ``classes`` (k names) and ``rows`` (k of k numbers); ``row_label`` and
  ``column_label``, where rows are not true classes and columns not the labels given.
- ``interval``: [low, high], beside the claim's figure and ``baseline``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dataprep.reports.charts import in_figures
from dataprep.reports.messages import read_evidence

if TYPE_CHECKING:
    import pandas as pd

#: Small pictures of one claim, and of the whole page besides the galleries'.
NAMES, PICTURES = 12, 400
#: Series of a histogram, points of a curve, classes of a matrix and pixels along a patch that are
#: drawn.
_SERIES, _POINTS, _CLASSES, _PIXELS = 10, 200, 30, 32
_TITLES = {
    "neighbours": "Nearest neighbours",
    "drivers": "Images that drive the difference",
    "carriers": "Carriers",
}
#: Sizes of the drawings in their own units.
_WIDTH, _HEIGHT = 240.0, 34.0
_CURVE = (320.0, 130.0)
#: A range of sizes so many times wide is drawn on a logarithmic axis.
_WIDE = 8
_LOWEST = 1.2


def exhibits(
    table: pd.DataFrame,
    rows: Mapping[int, Sequence[str]],
    known: Callable[[Sequence[str]], set[str]],
) -> dict[int, dict[str, Any]]:
    """Row to what its claim shows; rows that show nothing are left out.

    Args:
        table: claims.
        rows: positions in it, most important first (pictures are for the first ones until the page
            has enough), and the samples that are pictured beside each anyway.
        known: which of the given names are samples of the data set.
    """
    shown: dict[int, dict[str, Any]] = {}
    pictures: set[str] = set()
    evidence, figures = table["evidence"], table["figure"]
    for row, beside in rows.items():
        if not evidence.iloc[row]:
            continue
        drawn = drawings(read_evidence(evidence.iloc[row]), float(figures.iloc[row]))
        strips = [strip for strip in drawn.get("strips", []) if _kept(strip, known, beside)]
        new = {name for strip in strips for name in strip["names"]} - pictures
        drawn["strips"] = strips if len(pictures) + len(new) <= PICTURES else []
        pictures |= new if drawn["strips"] else set()
        if any(drawn.values()):
            shown[row] = drawn
    return shown


def _kept(
    strip: dict[str, Any], known: Callable[[Sequence[str]], set[str]], beside: Sequence[str]
) -> bool:
    there = known(strip["names"]) - set(beside)
    strip["names"] = [name for name in strip["names"] if name in there]
    return bool(strip["names"])


def names_shown(shown: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Every sample that exhibits picture, in order."""
    return list(
        dict.fromkeys(
            name for each in shown.values() for strip in each["strips"] for name in strip["names"]
        )
    )


def drawings(evidence: Mapping[str, Any], figure: float = math.nan) -> dict[str, Any]:
    """The geometry of one claim's evidence: some of ``histogram``, ``patch``, ``curve``,
    ``matrix``, ``interval``, ``strips``.
    """
    made: dict[str, Any] = {}
    for key, draw in (
        ("histogram", _histogram),
        ("patch", _patch),
        ("curve", _curve),
        ("matrix", _matrix),
    ):
        if isinstance(evidence.get(key), dict):
            made[key] = _or_none(draw, evidence[key])
    if "interval" in evidence:
        made["interval"] = _or_none(_interval, {**evidence, "figure": figure})
    made["strips"] = _strips(evidence)
    return {key: drawn for key, drawn in made.items() if drawn}


def _or_none(
    draw: Callable[[Mapping[str, Any]], dict[str, Any] | None], given: Mapping[str, Any]
) -> dict[str, Any] | None:
    """A drawing, or none where the evidence (a plug-in's, perhaps) has another form."""
    try:
        return draw(given)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return None


def _strips(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    patch = evidence.get("patch")
    inside = patch if isinstance(patch, dict) else {}
    strips = []
    for key, title in _TITLES.items():
        given = evidence.get(key) if isinstance(evidence.get(key), list) else inside.get(key)
        names = [name for name in given if isinstance(name, str)] if isinstance(given, list) else []
        strips += (
            [{"kind": key, "title": title, "names": list(dict.fromkeys(names))[:NAMES]}]
            if names
            else []
        )
    return strips


def _histogram(given: Mapping[str, Any]) -> dict[str, Any] | None:
    edges = [float(edge) for edge in given["edges"]]
    bins = _bins(edges, [str(name) for name in given.get("categories", [])])
    series = []
    for name, counts in list(given["series"].items())[:_SERIES]:
        counts = [max(0.0, float(count)) for count in counts][: len(bins)]
        total, top = sum(counts), max(counts, default=0.0)
        bars = _bars(
            counts, top, [f"{span}: {n:,.0f} of {total:,.0f}" for span, n in zip(bins, counts)]
        )
        series.append({"name": str(name), "total": int(total), "bars": bars})
    if not any(each["bars"] for each in series) or not _finite(edges):
        return None
    named = [str(name) for name in given.get("categories", [])]
    return {
        "label": str(given.get("label", "")).replace("_", " "),
        "series": series,
        "more": max(0, len(given["series"]) - _SERIES),
        "low": named[0] if named else in_figures(edges[0]),
        "high": named[-1] if named else in_figures(edges[-1]),
        "median": "" if named else in_figures((edges[0] + edges[-1]) / 2),
    }


def _bars(counts: Sequence[float], top: float, texts: Sequence[str]) -> list[dict[str, Any]]:
    step = _WIDTH / max(len(counts), 1)
    bars = []
    for index, (count, text) in enumerate(zip(counts, texts)):
        if count:
            height = round(max(_LOWEST, _HEIGHT * count / top), 2)
            box = {
                "x": round(index * step + 0.4, 2),
                "width": round(max(step - 0.8, 0.6), 2),
                "height": height,
            }
            bars.append(box | {"y": round(_HEIGHT - height, 2), "text": text})
    return bars


def _bins(edges: Sequence[float], categories: Sequence[str]) -> list[str]:
    if categories:
        return list(categories)
    return [f"{in_figures(low)} to {in_figures(high)}" for low, high in pairwise(edges)]


def _finite(numbers: Iterable[float]) -> bool:
    return all(math.isfinite(number) for number in numbers)


def _patch(given: Mapping[str, Any]) -> dict[str, Any] | None:
    rows = [
        [tuple(min(255, max(0, int(part))) for part in pixel[:3]) for pixel in row[:_PIXELS]]
        for row in given["pixels"][:_PIXELS]
    ]
    cells = [
        {"x": x, "y": y, "colour": f"rgb({r},{g},{b})"}
        for y, row in enumerate(rows)
        for x, (r, g, b) in enumerate(row)
    ]
    if not cells:
        return None
    across = max(map(len, rows))
    return {
        "cells": cells,
        "width": across,
        "height": len(rows),
        "place": str(given.get("place", "")),
    }


def _curve(given: Mapping[str, Any]) -> dict[str, Any] | None:
    x, y = ([float(number) for number in given[key]][:_POINTS] for key in ("x", "y"))
    low, high = (
        [float(number) for number in given[key]][:_POINTS] if key in given else y
        for key in ("low", "high")
    )
    if (
        len(x) < 2
        or not len(x) == len(y) == len(low) == len(high)
        or not _finite([*x, *y, *low, *high])
    ):
        return None
    width, height = _CURVE
    logarithmic = min(x) > 0 and max(x) / min(x) >= _WIDE
    along = [math.log(number) for number in x] if logarithmic else x
    bottom, top = min(low), max(high)
    margin = 0.06 * (top - bottom) or 0.05 * abs(top) or 1.0
    bottom, top = bottom - margin, top + margin

    def at(i: int, value: float) -> tuple[float, float]:
        part = (along[i] - min(along)) / ((max(along) - min(along)) or 1.0)
        return round(part * width, 2), round(height * (1 - (value - bottom) / (top - bottom)), 2)

    measured = int(given.get("measured", len(x)))
    line = [at(i, value) for i, value in enumerate(y)]
    upper = [at(i, value) for i, value in enumerate(high)]
    lower = [at(i, value) for i, value in enumerate(low)]
    texts = [
        f"{in_figures(a)}: {in_figures(b)} ({in_figures(c)} to {in_figures(d)})"
        for a, b, c, d in zip(x, y, low, high)
    ]
    dots = [
        {"x": spot[0], "y": spot[1], "text": texts[i], "guess": i >= measured}
        for i, spot in enumerate(line)
    ]
    return {
        "band": _points([*upper, *reversed(lower)]) if low != high else "",
        "line": _points(line[:measured]),
        "guess": _points(line[max(0, measured - 1) :]) if measured < len(x) else "",
        "dots": dots,
        "x_low": in_figures(min(x)),
        "x_high": in_figures(max(x)),
        "y_low": in_figures(bottom),
        "y_high": in_figures(top),
        "x_label": str(given.get("x_label", "")),
        "y_label": str(given.get("y_label", "")),
        "logarithmic": logarithmic,
        "text": "; ".join(texts[:40]),
    }


def _points(spots: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in spots)


def _matrix(given: Mapping[str, Any]) -> dict[str, Any] | None:
    classes = [str(name) for name in given["classes"]][:_CLASSES]
    rows = [[float(number) for number in row][: len(classes)] for row in given["rows"]][
        : len(classes)
    ]
    if not classes or len(rows) != len(classes) or any(len(row) != len(classes) for row in rows):
        return None
    apart = [
        (abs(n), i, j)
        for i, row in enumerate(rows)
        for j, n in enumerate(row)
        if i != j and math.isfinite(n)
    ]
    top = max((size for size, _, _ in apart), default=0.0) or 1.0
    cells = [
        {
            "x": j,
            "y": i,
            "same": i == j,
            "strength": round(min(1.0, abs(n) / (top if i != j else max(abs(n), 1e-12))), 3),
            "text": in_figures(n) if n else "",
            "title": f"{name} → {classes[j]}: {in_figures(n)}",
        }
        for i, (name, row) in enumerate(zip(classes, rows))
        for j, n in enumerate(row)
        if math.isfinite(n)
    ]
    worst = [
        f"{classes[i]} → {classes[j]}: {in_figures(size)}"
        for size, i, j in sorted(apart, reverse=True)[:5]
        if size
    ]
    return {
        "classes": classes,
        "cells": cells,
        "size": len(classes),
        "worst": worst,
        "row_label": str(given.get("row_label", "true class")),
        "column_label": str(given.get("column_label", "label given")),
    }


def _range(low: float, high: float) -> tuple[float, float]:
    """Ends of an axis: those of shares and of effects where the figures fit, else with zero and
    some room.
    """
    if high <= 1 and low >= -1:
        return (0.0 if low >= 0 else -1.0), 1.0
    room = 0.1 * (max(high, 0.0) - min(low, 0.0))
    return (0.0 if low >= 0 else low - room), (0.0 if high <= 0 else high + room)


def _interval(given: Mapping[str, Any]) -> dict[str, Any] | None:
    low, high = (float(end) for end in given["interval"])
    figure, baseline = float(given["figure"]), float(given.get("baseline", math.nan))
    ends = [number for number in (low, high, figure, baseline) if math.isfinite(number)]
    if not _finite([low, high]) or low > high:
        return None
    first, last = _range(min(ends), max(ends))
    if not first <= figure <= last:
        figure = math.nan

    def at(number: float) -> float | None:
        return (
            round(100 * (number - first) / ((last - first) or 1.0), 2)
            if math.isfinite(number)
            else None
        )

    return {
        "low": at(low),
        "high": at(high),
        "figure": at(figure),
        "baseline": at(baseline),
        "low_text": in_figures(low),
        "high_text": in_figures(high),
        "baseline_text": in_figures(baseline) if math.isfinite(baseline) else "",
        "first": in_figures(first),
        "last": in_figures(last),
    }
