"""Cells that hold several labels: lists as Python and JSON write them, objects with a name, and
texts with a separator.
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Cells by text: the labels of each. None in place of it: the cells are no lists.
Lists = dict[str, tuple[str, ...]]

#: Separators that are looked for, the plainest first. The first two are rare in names of classes;
#: the last two are never taken without being asked for.
SEPARATORS = ("|", ";", ",", " ", "+", "/")
_RARE_IN_NAMES = frozenset("|;")
_ONLY_HINTED = frozenset("+/")
_NAMES_OF_SEPARATORS = {" ": "a space", "\t": "a tab"}

#: Keys of an object that hold its name.
_NAME_KEYS = (
    "name",
    "label",
    "class",
    "category",
    "class_name",
    "choice",
    "choices",
    "labels",
    "title",
    "value",
)
#: Keys of an object that say where in the picture it lies.
_PLACES = frozenset(
    """
    bbox box points segmentation rle xmin x1 rectanglelabels polygonlabels brushlabels
    keypointlabels ellipselabels geometry polygon
    """.split()
)
_QUOTED = re.compile(r"""'([^'\\]*)'|"([^"\\]*)\"""")
_NO_COMMA = re.compile(r"""['"]\s+['"]""")
_BRACKETED = re.compile(r"\[[^\[\]{}'\"]*\]")
_FRACTION = re.compile(r"-?\d+\.\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(?:,(\d+))?")
_THOUSANDS = 3
#: Longer cells are texts, not labels; more different ones are looked at in part.
_LONGEST_LABELS = 10_000
_MOST_CELLS = 20_000
#: Share of the parts that must stand for themselves before cells are split without being asked.
_PLAIN_SHARE = {True: 0.5, False: 0.8}
_HINT_SHARE = 0.5


class GeometryError(Exception):
    """The cells hold boxes or outlines rather than names of classes."""


@dataclass(frozen=True)
class Separated:
    """What a separator does to cells.

    Attributes:
        separator: the separator.
        cells: how many different cells it splits.
        parts: how many different labels there are if it splits them.
        plain: whether the parts are plainly labels of their own.
        likely: whether they may be.
    """

    separator: str
    cells: int
    parts: int
    plain: bool
    likely: bool


def named_separator(separator: str) -> str:
    """A separator as a sentence names it."""
    return _NAMES_OF_SEPARATORS.get(separator, repr(separator))


def lists_in(cells: Sequence[str]) -> Lists | None:
    """The labels in cells that are written as lists or objects; None where they are not.

    Beside lists a cell may hold the plain name of one label. Where a bracket opens something that
    is no list, all are names.

    Raises:
        GeometryError: the cells hold boxes or outlines.
    """
    structured = [cell for cell in cells if cell.lstrip()[:1] in ("[", "{", "(")]
    if not structured:
        return None
    try:
        values = [_value_of(cell) for cell in structured]
        vectors = _vectors(values) if len(structured) == len(cells) else None
        if vectors is not None:
            return dict(zip(structured, vectors, strict=True))
        names = [_names(value) for value in values]
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return _bare_lists(cells)
    if any(each is None for each in names):
        return None
    lists = {
        cell: tuple(dict.fromkeys(each or ())) for cell, each in zip(structured, names, strict=True)
    }
    return {cell: lists.get(cell, (cell,)) for cell in cells}


def _value_of(cell: str) -> Any:
    if len(cell) > _LONGEST_LABELS:
        raise ValueError("too long for a list of labels")
    text = cell.strip()
    try:
        return json.loads(text)
    except ValueError:
        if _NO_COMMA.search(text):  # NumPy writes ['a' 'b'], which Python would read as ['ab']
            return ["".join(pair) for pair in _QUOTED.findall(text)]
        value = ast.literal_eval(text)
    if not isinstance(value, list | tuple | set | dict):  # "(1)" is a name
        raise ValueError("no list")
    return value


def _names(value: Any) -> tuple[str, ...] | None:
    """The labels that a value of JSON means; None where it means none that can be told."""
    if value is None or value != value:  # not a number
        return ()
    if isinstance(value, str | int | float):
        text = str(value).strip()
        return (text,) if text else ()
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        parts = [_names(item) for item in items]
        return (
            None
            if any(part is None for part in parts)
            else tuple(name for part in parts if part for name in part)
        )
    return _names_of_object(value) if isinstance(value, dict) else None


def _names_of_object(value: Mapping[Any, Any]) -> tuple[str, ...] | None:
    keys = {str(key).lower(): key for key in value}
    if _PLACES & set(keys) or {"x", "y", "width", "height"} <= set(keys):
        raise GeometryError
    for key in _NAME_KEYS:
        if key in keys:
            return _names(value[keys[key]])
    if value and all(
        item in (0, 1) for item in value.values()
    ):  # {"cat": 1, "dog": 0}, truth values included
        return tuple(str(key) for key, item in value.items() if item)
    return () if not value else None


def _vectors(values: Sequence[Any]) -> list[tuple[str, ...]] | None:
    """Lists of 0 and 1 that all have one length: the positions of the ones."""
    width = len(values[0]) if isinstance(values[0], list | tuple) else 0
    if width < 2:
        return None
    for value in values:
        if not isinstance(value, list | tuple) or len(value) != width:
            return None
        if any(isinstance(item, bool | str | list | dict) or item not in (0, 1) for item in value):
            return None
    return [tuple(str(position) for position, item in enumerate(value) if item) for value in values]


def _bare_lists(cells: Sequence[str]) -> Lists | None:
    """Cells such as ``[scab, rust]``, where all are written so."""
    if not all(_BRACKETED.fullmatch(cell.strip()) for cell in cells):
        return None
    inner = {cell: cell.strip()[1:-1] for cell in cells}
    separator = "," if any("," in text for text in inner.values()) else " "
    return {cell: split_cell(text, separator) for cell, text in inner.items()}


def split_cell(cell: str, separator: str) -> tuple[str, ...]:
    """The parts of a cell, without the spaces around them, empty ones and repetitions."""
    return tuple(dict.fromkeys(part for each in cell.split(separator) if (part := each.strip())))


def separators_in(cells: Sequence[str]) -> list[Separated]:
    """What each usual separator does to cells, those that split none left out, the most convincing
    first.

    A separator is plain where the parts are labels of their own: at least two different cells are
    split, splitting leaves fewer different labels than there were, and most parts stand for
    themselves, that is, they also occur alone, or now first (or last) and now not. The parts of
    compound names do neither: in ``Golden Retriever`` the one always comes first and the other
    last.
    """
    cells = [cell for cell in cells if len(cell) <= _LONGEST_LABELS][:_MOST_CELLS]
    found = [separated for separator in SEPARATORS if (separated := _separated(cells, separator))]
    return sorted(found, key=lambda each: (not each.plain, not each.likely))


def _separated(cells: Sequence[str], separator: str) -> Separated | None:
    lists = [split_cell(cell, separator) for cell in cells]
    several = [parts for parts in lists if len(parts) > 1]
    if not several:
        return None
    every = {part for parts in lists for part in parts}
    share = _share_of_independent(lists, several)
    rare = separator in _RARE_IN_NAMES
    numbers = separator == "," and is_decimal_comma(cells)
    fractions = sum(_FRACTION.fullmatch(part) is not None for part in every) * 2 > len(every)
    plain = (
        len(several) > 1
        and len(every) < len(cells)
        and share >= _PLAIN_SHARE[rare]
        and not (numbers or fractions)
    )
    plain = plain and separator not in _ONLY_HINTED
    crossed = (
        separator == "," and len(several) == len(cells) and len(every) < len(cells)
    )  # "cat,small", "cat,big", "dog,big"
    likely = not fractions and (
        rare or (crossed and not numbers) or (len(several) > 1 and share >= _HINT_SHARE)
    )
    return Separated(separator, len(several), len(every), plain, likely)


def _share_of_independent(
    lists: Sequence[tuple[str, ...]], several: Sequence[tuple[str, ...]]
) -> float:
    """Of the different parts of cells with several: the share that stands for itself."""
    alone = {parts[0] for parts in lists if len(parts) == 1}
    roles: dict[str, set[str]] = defaultdict(set)
    for parts in several:
        for position, part in enumerate(parts):
            roles[part].add("first" if position == 0 else "not first")
            roles[part].add("last" if position == len(parts) - 1 else "not last")
    both = ({"first", "not first"}, {"last", "not last"})
    independent = [
        part for part, seen in roles.items() if part in alone or any(pair <= seen for pair in both)
    ]
    return len(independent) / len(roles)


def is_decimal_comma(cells: Sequence[str]) -> bool:
    """Whether all cells are numbers and commas stand for decimal points: not if three digits
    follow each, as in ``1,200``.
    """
    matches = [_DECIMAL_COMMA.fullmatch(cell.strip()) for cell in cells]
    if not all(matches):
        return False
    return any(match[1] and len(match[1]) != _THOUSANDS for match in matches if match)
