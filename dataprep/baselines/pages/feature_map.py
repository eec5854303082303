"""The map of the penultimate layer as the page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.measures.decode.thumbnails import thumbnails
from dataprep.reports.audit import sprites
from dataprep.reports.audit.feature_map import frequent_first, points_payload
from dataprep.reports.audit.payload import compressed
from dataprep.schemas.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.baseline import Baseline

#: Parts whose mistakes are shown; those of others would be learned from.
_OPEN = ("train", "val")
#: Pictures on the map at most.
_PICTURES = 500


def map_of_page(baseline: Baseline, options: PassOptions, pictures: bool) -> dict[str, Any] | None:
    """What the page shows of ``metrics["map"]``; None without one."""
    found = baseline.metrics.get("map") or {}
    if not found:
        return None
    names = list(found["samples"])
    table = baseline.predictions.drop_duplicates("sample").set_index("sample").reindex(names)
    table.loc[
        ~table["split"].isin(_OPEN),
        ["predicted", *(["confidence"] if "confidence" in table else [])],
    ] = None
    wrong = _wrong(baseline, table)
    places = np.stack([np.asarray(found["x"]), np.asarray(found["y"])], axis=1)
    mistakes = np.flatnonzero(wrong).tolist()
    data = {
        **points_payload(
            baseline.dataset.samples.reindex(names),
            places,
            (np.asarray(found["label_of"]), list(found["labels"])),
            frequent_first(table["split"]),
            list(found["agreeing"]),
            {"mistake": mistakes},
        ),
        "marked": mistakes,
        "schemes": _schemes(baseline, table),
        "notes": _notes(table, wrong),
    }
    data["sheet"] = (
        _sheet(baseline, names, places, wrong, data["facts"], options)
        if pictures
        else sprites.sheet({})
    )
    total, points = int(found["total"]), len(names)
    return {
        "data": compressed(data),
        "points": points,
        "total": total,
        "reading": found.get("reading", ""),
        "classes": found.get("classes") or [],
        "pictures": len(data["sheet"]["points"]),
        "mistakes": int(wrong.sum()),
        "extent": counted(points, "image")
        if points >= total
        else f"{points:,} of {counted(total, 'image')}",
    }


def _wrong(baseline: Baseline, table: pd.DataFrame) -> NDArray[np.bool_]:
    """(m,) which points were got wrong; of a regression the tenth with the largest errors."""
    known = (table["label"].notna() & table["predicted"].notna()).to_numpy()
    if baseline.goal.kind == "regression":
        said, given = (
            pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
            for name in ("predicted", "label")
        )
        miss = np.abs(said - given)
        return np.asarray(
            known & (miss >= np.nanquantile(miss, 0.9)) if known.any() else known, bool
        )
    if baseline.goal.kind == "multi-label":
        sides = [
            [set(str(text).split("|")) - {""} for text in table[name]]
            for name in ("label", "predicted")
        ]
        differ = np.array([one != other for one, other in zip(*sides, strict=True)], bool)
        return np.asarray(known & differ, bool)
    return np.asarray(
        known & (table["label"].astype("str") != table["predicted"].astype("str")).to_numpy(), bool
    )


def _schemes(baseline: Baseline, table: pd.DataFrame) -> list[list[Any]]:
    """Further ways to colour: key, title, code of each point, names."""
    if baseline.goal.kind == "regression":
        return []
    codes, names = frequent_first(table["predicted"])
    return [["predicted", "Predicted", codes.tolist(), names]]


def _notes(table: pd.DataFrame, wrong: NDArray[np.bool_]) -> list[str]:
    """What is said of each point: what it was taken for."""
    if "confidence" not in table:
        values = pd.to_numeric(table["predicted"], errors="coerce")
        return [f"predicted {value:.4g}" if value == value else "" for value in values]
    pairs = zip(table["predicted"], table["confidence"], wrong, strict=True)
    return [f"taken for {said} ({sure:.0%})" if missed else "" for said, sure, missed in pairs]


def _sheet(
    baseline: Baseline,
    names: Sequence[str],
    places: NDArray[Any],
    wrong: NDArray[np.bool_],
    sizes: Mapping[str, list[int]],
    options: PassOptions,
) -> dict[str, Any]:
    positions = (places / 32767.5 - 1).astype(np.float32)
    most = min(_PICTURES, sprites.affordable(sizes["width"], sizes["height"]))
    known = set(baseline.dataset.samples.index)
    points = [
        int(point)
        for point in sprites.pictured(positions, wrong, most)
        if names[int(point)] in known
    ]
    made = thumbnails(
        baseline.dataset, [names[point] for point in points], options, side=sprites.SOURCE
    )
    return sprites.sheet({point: made[names[point]] for point in points if names[point] in made})
