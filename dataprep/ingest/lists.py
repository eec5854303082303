"""Image lists next to the images, one for each split: ``train.txt``, ``val.txt``, ``test.txt``."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import replace

from dataprep.ingest.notes import listed
from dataprep.ingest.tables.delimited import image_list_of
from dataprep.ingest.tables.table import Table
from dataprep.schemas.manifest import split_of
from dataprep.schemas.text.words import counted

_CHOICES = re.compile(r"\{([^{}/]*,[^{}/]*)\}")
_HEAD_BYTES, _MOST_LISTS = 1 << 16, 50


def manifests_of(pattern: str) -> list[str]:
    """The files that `pattern` names: itself, or those that its choices ``{train,val}`` and
    wildcards stand for, sorted.

    A pattern that no file matches is given back as it is.
    """
    if "://" in pattern or os.path.lexists(pattern):
        return [pattern]
    found = _CHOICES.search(pattern)
    ways = (
        [pattern]
        if not found
        else [
            pattern[: found.start()] + choice + pattern[found.end() :]
            for choice in found[1].split(",")
        ]
    )
    places = [
        place
        for way in ways
        for place in (sorted(glob.glob(way)) if glob.has_magic(way) else [way])
    ]
    return list(dict.fromkeys(places)) or [pattern]


def with_split(table: Table, place: str) -> Table:
    """The table of one of several lists, with a column ``split`` that its name gives where it
    has none.
    """
    if "split" in table.columns:
        return table
    name = os.path.splitext(os.path.basename(place))[0]
    return replace(
        table, columns={**table.columns, "split": [split_of(name) or name] * len(table.rows)}
    )


def note_of_lists(folder: str) -> tuple[str, ...]:
    """What to say of lists of images in `folder` itself, and how to have them read."""
    if "://" in folder:
        return ()
    names = _lists_in(folder)
    if not names:
        return ()
    several = len(names) > 1
    stems = ",".join(name[: -len(".txt")] for name in names)
    place = os.path.join(folder, f"{{{stems}}}.txt" if several else names[0])
    what = "them as splits of that name" if several else "it with its labels"
    return (
        f"{counted(len(names), 'list')} of images not read ({listed(names)}): --manifest {place!r} "
        f"reads {what}",
    )


def _lists_in(folder: str) -> Sequence[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.lower().endswith(".txt"))[
            :_MOST_LISTS
        ]
        return [
            name
            for name in names
            if os.path.isfile(os.path.join(folder, name)) and image_list_of(_head(folder, name))
        ]
    except OSError:
        return ()


def _head(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), "rb") as file:
        return file.read(_HEAD_BYTES).decode("utf-8", "replace")
