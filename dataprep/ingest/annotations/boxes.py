"""Tables with several rows per file: boxes and outlines of objects, or one label a row."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataprep.ingest.labels.values import texts_of
from dataprep.ingest.notes import listed, shown
from dataprep.ingest.tables.columns import bare
from dataprep.ingest.tables.table import Table
from dataprep.schemas.text.words import counted

#: Columns that together are a box, in bare letters and without a prefix such as ``bbox_``.
_CORNERS = tuple(
    map(
        frozenset,
        (
            ("xmin", "ymin", "xmax", "ymax"),
            ("x1", "y1", "x2", "y2"),
            ("x0", "y0", "x1", "y1"),
            ("x1", "y1", "w", "h"),
            ("x", "y", "w", "h"),
            ("x", "y", "width", "height"),
            ("xmin", "ymin", "width", "height"),
            ("xmin", "ymin", "w", "h"),
            ("left", "top", "right", "bottom"),
            ("left", "top", "width", "height"),
            ("cx", "cy", "w", "h"),
            ("xcenter", "ycenter", "width", "height"),
            ("xc", "yc", "w", "h"),
            ("minx", "miny", "maxx", "maxy"),
        ),
    )
)
_PREFIX = re.compile(r"^(?:bounding|bboxes|bbox|boxes|box|bb|roi)+")
#: Columns that hold boxes or outlines by themselves.
_SHAPES = frozenset(
    (
        "bbox",
        "bboxes",
        "box",
        "boxes",
        "boundingbox",
        "boundingboxes",
        "regionshapeattributes",
        "encodedpixels",
        "rle",
        "segmentation",
        "polygon",
        "polygons",
        "predictionstring",
    )
)
#: Share of the files with rows of different labels above which that is how the table is made.
_USUAL = 0.2


def box_columns(names: Sequence[str]) -> list[str]:
    """The columns that hold boxes or outlines; empty when there are none."""
    letters = {name: bare(name) for name in names}
    shapes = [name for name in names if letters[name] in _SHAPES]
    bared = {_PREFIX.sub("", letters[name]): name for name in names}
    for corners in _CORNERS:
        if corners <= bared.keys():
            return [
                name for name in names if name in {bared[corner] for corner in corners}
            ] + shapes
    return shapes


def without_repeated_rows(
    name: str, table: Table, roles: Mapping[str, str], boxes: Sequence[str], task: str | None
) -> tuple[Table, dict[str, str], tuple[str, ...]]:
    """The table called `name` with one row per file (and split) where rows are boxes, its roles,
    and notes.

    Boxes are not read: of several rows of one file the first stays, without a label, since each
    row's label is that of one object. With the task multi-label, the labels of a file's rows are
    those of the picture, whether rows are boxes or not. Other rows that repeat a file are left
    alone, to be reported.
    """
    roles = dict(roles)
    label = roles.get("label")
    keys = _files_of(table, roles)
    if len(set(keys)) == len(keys):
        note = (
            f"The boxes of {shown(name)} are not read: each file has one row, whose label is "
            "read as that of the picture."
        )
        return table, roles, (note,) if boxes and label else ()
    rows: dict[Any, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    if task == "multi-label" and label:
        merged = [_texts(table.columns[label], places) for places in rows.values()]
        note = (
            f"{counted(len(table.rows), 'row')} of {counted(len(rows), 'file')}: the labels of a "
            "file's rows are read as those "
            "of the picture."
        )
        return _taken(table, rows, {label: merged}), roles, (note,)
    if not boxes:
        return table, roles, _several_noted(table, rows, label)
    roles.pop("label", None)
    gone = set(boxes) | ({label} if label else set())
    columns = {column: cells for column, cells in table.columns.items() if column not in gone}
    further = (
        "; --task multi-label reads the classes of each picture's boxes as its labels"
        if label
        else ""
    )
    note = (
        f"{shown(name)} is a table of boxes ({counted(len(table.rows), 'row')} of "
        f"{counted(len(rows), 'file')}, "
        f"columns {listed(boxes)}). Boxes are not read: the pictures are taken without "
        f"labels{further}."
    )
    return _taken(replace(table, columns=columns), rows, {}), roles, (note,)


def _files_of(table: Table, roles: Mapping[str, str]) -> list[Any]:
    """(n,) what tells the file of each row from others: its path as it is written and, where
    there are splits, its split.
    """
    paths = table.columns[roles["path"]]
    return (
        paths
        if "split" not in roles
        else list(zip(paths, texts_of(table.columns[roles["split"]]), strict=True))
    )


def _texts(cells: Sequence[Any], places: Sequence[int]) -> list[str]:
    return list(
        dict.fromkeys(
            text for text in texts_of(cells[place] for place in places) if text is not None
        )
    )


def _taken(
    table: Table, rows: Mapping[Any, Sequence[int]], columns: Mapping[str, list[Any]]
) -> Table:
    """The first row of each file, with `columns` in place of some."""
    first = [places[0] for places in rows.values()]
    kept = {name: [cells[row] for row in first] for name, cells in table.columns.items()}
    return replace(table, columns={**kept, **columns}, rows=[table.rows[row] for row in first])


def _several_noted(
    table: Table, rows: Mapping[Any, Sequence[int]], label: str | None
) -> tuple[str, ...]:
    if label is None:
        return ()
    cells = table.columns[label]
    different = sum(len(places) > 1 and len(_texts(cells, places)) > 1 for places in rows.values())
    if different < max(2, _USUAL * len(rows)):
        return ()
    return (
        f"{different:,} of {len(rows):,} files have several rows with different labels. If each "
        "row is one label of the picture: "
        "--task multi-label.",
    )
