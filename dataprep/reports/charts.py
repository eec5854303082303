"""The geometry of the page's charts: numbers to rectangles, drawn as SVG by the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Size of a histogram in its own units; the page stretches it.
WIDTH, HEIGHT = 240.0, 64.0
#: A bin that holds anything is drawn at least this high, so that a few outliers are seen.
LOWEST = 2.5
#: Classes shown when there are more: the largest and the smallest.
LARGEST, SMALLEST = 30, 10


def histogram_chart(histogram: Mapping[str, Any]) -> dict[str, Any]:
    """Bars of a histogram (see `dataprep.reports.audit.distributions`): ``bars`` with x, width,
    y, height, and the flagged part.
    """
    counts, flagged, edges = histogram["counts"], histogram["flagged"], histogram["edges"]
    top = max(counts) or 1
    step = WIDTH / len(counts)
    bars = []
    for index, (count, flags) in enumerate(zip(counts, flagged)):
        if not count:
            continue
        height = max(LOWEST, HEIGHT * count / top)
        marked = max(LOWEST, HEIGHT * flags / top) if flags else 0.0
        low, high = in_figures(edges[index]), in_figures(edges[index + 1])
        text = f"{low} to {high}: {count:,}" + (f", {flags:,} flagged" if flags else "")
        bars.append(
            {
                "x": round(index * step + 0.4, 2),
                "width": round(step - 0.8, 2),
                "height": round(height, 2),
                "y": round(HEIGHT - height, 2),
                "marked": round(marked, 2),
                "marked_y": round(HEIGHT - marked, 2),
                "text": text,
            }
        )
    ends = {"low": in_figures(edges[0]), "high": in_figures(edges[-1])}
    return {"bars": bars, "flagged": sum(flagged), **ends, **_named(histogram)}


def _named(histogram: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("column", "unit", "meaning", "scale", "n", "checks")
    figures = {name: in_figures(histogram[name]) for name in ("p05", "median", "p95")}
    return {key: histogram[key] for key in keys if key in histogram} | figures


def class_chart(classes: Sequence[Mapping[str, Any]], splits: Sequence[str]) -> dict[str, Any]:
    """Bars of the classes, stacked by split: ``rows`` with name, count and ``parts`` (x, width
    in %), ``hidden`` in between.
    """
    top = max((entry["count"] for entry in classes), default=1) or 1
    rows = [_class_row(entry, splits, top) for entry in classes]
    if len(rows) <= LARGEST + SMALLEST:
        return {"rows": rows, "tail": [], "hidden": 0}
    return {
        "rows": rows[:LARGEST],
        "tail": rows[-SMALLEST:],
        "hidden": len(rows) - LARGEST - SMALLEST,
    }


def _class_row(entry: Mapping[str, Any], splits: Sequence[str], top: int) -> dict[str, Any]:
    parts, x = [], 0.0
    counted = [(split, entry["splits"].get(split, 0)) for split in splits]
    rest = entry["count"] - sum(count for _, count in counted)
    for index, (split, count) in enumerate([*counted, ("", rest)]):
        if count > 0:
            width = 100 * count / top
            part = {"x": round(x, 3), "width": round(width, 3), "colour": index if split else 0}
            parts.append(part | {"split": split, "count": count})
            x += width
    return {"name": entry["name"], "count": entry["count"], "parts": parts}


def in_figures(number: float) -> str:
    """A number for people: three significant digits, thousands separated, no exponent for
    everyday sizes.
    """
    if number == 0:
        return "0"
    size = abs(number)
    if size >= 1e9 or size < 1e-4:
        return f"{number:.2g}"
    if size >= 999.5:
        return f"{float(f'{number:.3g}'):,.0f}"
    return f"{number:.3g}"
