"""Parsing of the label column: classes, several labels or numbers, and the task that follows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataprep.errors import InputError
from dataprep.ingest.labels.cells import (
    GeometryError,
    Lists,
    Separated,
    is_decimal_comma,
    lists_in,
    named_separator,
    separators_in,
    split_cell,
)
from dataprep.ingest.labels.columns import JOINED
from dataprep.ingest.labels.values import categorical_of, labelled_cells
from dataprep.ingest.notes import shown
from dataprep.schemas.dataset import Task
from dataprep.schemas.source import Reading
from dataprep.schemas.text.class_order import class_order
from dataprep.schemas.text.words import counted

#: Numbers with fractions are a target to regress on, not names of classes, when they take more
#: values than this.
_MOST_NUMERIC_CLASSES = 20
#: Words that programs write where a value is missing, lower case; they are never a class.
_MARKS = frozenset(("nan", "<na>", "#n/a", "#na"))
#: Words for nothing that may be classes as well. Not "none": it is the name of a class more often
#: than not.
_WORDS = frozenset(("null", "NULL", "Null", "n/a", "N/A", "NA", "None"))
#: Words that are classes even where most samples have them (None: no defect).
_MOSTLY_CLASSES = frozenset(("None",))
_WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0*")


@dataclass(frozen=True)
class Labels:
    """What a column of labels means.

    Attributes:
        task: what the labels are; "none" where every cell is empty.
        column: one value per row: a categorical of class names (several of one sample as ``a|b``),
            or floats of a regression; missing where there is no label.
        written: text per row: why a row has no label, where its cell is not simply empty; else "".
        notes: choices that were made, one sentence each.
    """

    task: Task
    column: Any
    written: np.ndarray[Any, Any]
    notes: tuple[str, ...] = ()


def read_labels(cells: Sequence[Any], reading: Reading, name: str) -> Labels:
    """What the cells of the label column `name` mean.

    Without an option: lists and objects are the labels that they hold; texts are split by a
    separator only where that is plain (`dataprep.ingest.labels.cells.separators_in`); one label a
    sample is a class, unless the labels are numbers with fractions that take more than 20 values,
    which are a target to regress on. Words for nothing (``N/A``, ``null``) are kept where they are
    as frequent as a class. Whatever is chosen or left open is a note with the option that decides
    it.

    Raises:
        InputError: the labels are not what the option task says.
    """
    texts, whys = labelled_cells(cells)
    codes, found = pd.factorize(np.array(texts, dtype=object))
    every = [str(each) for each in found]
    counts = np.bincount(codes[codes >= 0], minlength=len(every)).tolist()
    missing, notes = _missing_words(dict(zip(every, counts, strict=True)))
    kept = [each for each in every if each not in missing]
    written = np.array(
        [
            *(
                f"the cell says {each!r}" if each in missing and each.strip() else ""
                for each in every
            ),
            "",
        ],
        object,
    )[codes]
    given = np.array(whys, dtype=object)
    written[given != ""] = given[given != ""]
    if not kept:
        _refuse_no_labels(reading, name, "is empty")
        return Labels("none", categorical_of(codes, [None] * len(every)), written, notes)
    try:
        meaning = _meaning(kept, reading, name)
    except GeometryError:
        note = (
            f"The column {shown(name)} holds boxes or outlines, which are not read: the "
            "pictures are taken without labels."
        )
        _refuse_no_labels(reading, name, "holds boxes or outlines, which are not read")
        return Labels("none", categorical_of(codes, [None] * len(every)), written, (*notes, note))
    values = [meaning.values.get(each) for each in every]
    if meaning.task == "regression":
        numbers = np.array(
            [np.nan if value is None else value for value in values] + [np.nan], dtype=np.float64
        )
        column: Any = numbers[codes]
    else:
        column = categorical_of(codes, values)
    return Labels(meaning.task, column, written, (*notes, *meaning.notes))


def read_classes(samples: pd.DataFrame, task: Task) -> tuple[tuple[str, ...], pd.DataFrame]:
    """The ordered classes that the samples have, and the samples with their labels in that order.

    Whole numbers are in the order of numbers, everything else in the order of text.
    """
    if task not in ("classification", "multi-label"):
        return (), samples
    names = [str(name) for name in samples["label"].cat.remove_unused_categories().cat.categories]
    if task == "multi-label":
        return class_order({part for name in names for part in name.split("|")}), samples
    order = class_order(names)
    return order, samples.assign(
        label=samples["label"].cat.set_categories(pd.Index(order, dtype="str"))
    )


def _refuse_no_labels(reading: Reading, name: str, why: str) -> None:
    if reading.task is not None:
        raise InputError(
            f"option task: {reading.task} needs labels, and the column {shown(name)} {why}"
        )


def _missing_words(counts: Mapping[str, int]) -> tuple[set[str], tuple[str, ...]]:
    """The cells that mean no label, and notes on words for nothing that were kept or left out.

    A word is a class where it is about as frequent as one: at least half of the first quartile of
    the classes' counts, and at most one and a half times the largest, and where not all the others
    are numbers.
    """
    missing = {cell for cell in counts if not cell.strip() or cell.strip().lower() in _MARKS}
    words = [cell for cell in counts if cell.strip() in _WORDS]
    others = {
        cell: count for cell, count in counts.items() if cell not in missing and cell not in words
    }
    if not words:
        return missing, ()
    sizes = sorted(others.values()) or [0]
    least, most = float(np.quantile(sizes, 0.25)) / 2, 1.5 * sizes[-1]
    numeric = all(_number(cell) is not None for cell in others)
    kept = [
        word
        for word in words
        if not numeric
        and counts[word] >= least
        and (counts[word] <= most or word.strip() in _MOSTLY_CLASSES)
    ]
    gone = [word for word in words if word not in kept]
    notes = []
    if kept:
        notes.append(
            f"{_quoted(kept)} {'is read as a class' if len(kept) == 1 else 'are read as classes'}, "
            "as frequent as the others. "
            "Empty the cells where no label is meant."
        )
    if gone:
        rows = sum(counts[word] for word in gone)
        notes.append(
            f"{counted(rows, 'row')} with {_quoted(gone)} {'is' if rows == 1 else 'are'} read as "
            "having no label."
        )
    return missing | set(gone), tuple(notes)


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{shown(word)}'" for word in words)


@dataclass(frozen=True)
class _Meaning:
    """Different cells to their values (text, or float of a regression; None for no label), the
    task, and notes.
    """

    task: Task
    values: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def _meaning(cells: Sequence[str], reading: Reading, name: str) -> _Meaning:
    if reading.task == "regression":
        return _regression(cells, name)
    lists, notes = _lists(cells, reading, name)
    if lists is not None:
        return _several(lists, notes, reading, name)
    if reading.task == "multi-label":
        return _several({cell: (cell,) for cell in cells}, notes, reading, name)
    guessed = _guessed_regression(cells) if reading.task is None else None
    if guessed is not None:
        return guessed
    values, converted = _whole_floats(cells)
    hints = _hints(cells) if reading.task is None else ()
    return _Meaning("classification", values, (*notes, *converted, *hints))


def _lists(
    cells: Sequence[str], reading: Reading, name: str
) -> tuple[Lists | None, tuple[str, ...]]:
    """Cells to labels where they hold lists of them, and notes on how that was seen."""
    lists = lists_in(cells)
    if reading.label_separator is not None:
        return _by_option(cells, lists, reading.label_separator, name)
    if lists is not None:
        return lists, ()
    if reading.task == "classification":
        return None, ()
    found = separators_in(cells)
    wanted = reading.task == "multi-label"
    plain = [each for each in found if each.plain] or [
        each for each in found if wanted and each.likely
    ]
    if len({each.separator for each in plain}) == 1 or (plain and plain[0].plain):
        return _split(cells, plain[0], wanted, name)
    if len(plain) > 1:
        raise InputError(
            f"option task: the labels of the column {shown(name)} may be split by "
            f"{' or '.join(named_separator(each.separator) for each in plain)}: choose with "
            "--label-separator"
        )
    return None, _separator_hint([each for each in found if each.likely], cells)


def _split(
    cells: Sequence[str], by: Separated, wanted: bool, name: str
) -> tuple[Lists, tuple[str, ...]]:
    note = (
        f"The column {shown(name)} holds several labels in a cell, split by "
        f"{named_separator(by.separator)}: "
        f"{len(cells):,} different cells, {counted(by.parts, 'label')}."
        + ("" if wanted else " --task classification keeps each cell whole.")
    )
    return {cell: split_cell(cell, by.separator) for cell in cells}, (note,)


def _by_option(
    cells: Sequence[str], lists: Lists | None, separator: str, name: str
) -> tuple[Lists, tuple[str, ...]]:
    found = {cell: split_cell(cell, separator) for cell in cells}
    if lists is not None or all(len(parts) < 2 for parts in found.values()):
        what = (
            "holds lists, which need no separator"
            if lists is not None
            else f"has no cell with {named_separator(separator)} in it"
        )
        return lists or {cell: (cell,) for cell in cells}, (
            f"--label-separator is not used: the column {shown(name)} {what}.",
        )
    return found, ()


def _separator_hint(found: Sequence[Separated], cells: Sequence[str]) -> tuple[str, ...]:
    if not found:
        return ()
    by = found[0]
    option = f'--label-separator "{by.separator}"'
    return (
        f"{by.cells:,} of the {len(cells):,} classes hold {named_separator(by.separator)} and are "
        "read as whole names. "
        f"If these are several labels in one cell: {option}.",
    )


def _several(lists: Lists, notes: tuple[str, ...], reading: Reading, name: str) -> _Meaning:
    """Lists of labels, as one class per sample where no list has more than one and nothing else
    was asked for.
    """
    most = max(map(len, lists.values()))
    if most > 1 and reading.task == "classification":
        first = next(cell for cell, parts in lists.items() if len(parts) > 1)
        raise InputError(
            f"option task: classification takes one label per sample, and the column {shown(name)} "
            f"has {shown(first)!r}: "
            "use --task multi-label"
        )
    if most <= 1 and reading.task != "multi-label":
        values = {cell: parts[0] if parts else None for cell, parts in lists.items()}
        if not notes and name != JOINED and any(cell != value for cell, value in values.items()):
            notes = (
                f"Every list in the column {shown(name)} has one label, so each sample has one "
                "class.",
            )
        return _Meaning("classification", values, notes)
    clean = {cell: [part.replace("|", "/") for part in parts] for cell, parts in lists.items()}
    if any("|" in part for parts in lists.values() for part in parts):
        notes = (
            *notes,
            "The sign | in names of labels is read as /, since | joins the labels of a sample.",
        )
    return _Meaning(
        "multi-label",
        {cell: "|".join(sorted(set(parts))) or None for cell, parts in clean.items()},
        notes,
    )


def _regression(cells: Sequence[str], name: str) -> _Meaning:
    """The cells as numbers, decimal commas included.

    Raises:
        InputError: a cell is no number.
    """
    comma = is_decimal_comma(cells)
    values = {cell: _number(cell.replace(",", ".") if comma else cell) for cell in cells}
    words = [cell for cell, value in values.items() if value is None]
    if words:
        raise InputError(
            f"option task: regression needs numbers, and the column {shown(name)} has "
            f"{_quoted(words[:3])}"
            f"{'' if len(words) <= 3 else f' and {len(words) - 3:,} more'}: use --task "
            "classification, or another --label-column"
        )
    return _Meaning("regression", values, (_COMMAS,) if comma else ())


_COMMAS = "Commas in the labels are read as decimal points."


def _guessed_regression(cells: Sequence[str]) -> _Meaning | None:
    """Numbers with fractions that take many values, as a target to regress on."""
    comma = is_decimal_comma(cells) and sum("," in cell for cell in cells) * 10 >= 9 * len(cells)
    values = {cell: _number(cell.replace(",", ".") if comma else cell) for cell in cells}
    numbers = [value for value in values.values() if value is not None]
    if (
        len(numbers) < len(cells)
        or len(cells) <= _MOST_NUMERIC_CLASSES
        or all(float(value).is_integer() for value in numbers)
    ):
        return None
    note = (
        f"The labels are {len(cells):,} different numbers with fractions, read as a quantity "
        "to "
        "predict (regression). "
    )
    return _Meaning(
        "regression",
        values,
        (note + "--task classification reads them as classes.", *((_COMMAS,) if comma else ())),
    )


def _whole_floats(cells: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Cells such as ``0.0`` without the fraction, where all are written so, as pandas and
    Parquet do with whole numbers.
    """
    matches = [_WHOLE_FLOAT.fullmatch(cell) for cell in cells]
    if not all(matches):
        return {cell: cell for cell in cells}, ()
    note = f"Whole numbers written with a fraction, such as {cells[0]}, are read without it."
    return {cell: match[1] for cell, match in zip(cells, matches, strict=True) if match}, (note,)


def _hints(cells: Sequence[str]) -> tuple[str, ...]:
    """What the classes may be instead."""
    numbers = [_number(cell) for cell in cells]
    if is_decimal_comma(cells):
        return (
            f"The labels are numbers with commas, read as {len(cells):,} classes. If they are "
            "quantities: --task regression.",
        )
    if any(number is None for number in numbers) or len(cells) < 3:
        return ()
    values = sorted(number for number in numbers if number is not None)
    fractions = any(not value.is_integer() for value in values)
    numbered = values[0] in (0.0, 1.0) and values[-1] - values[0] < len(values)
    if not fractions and (len(values) <= _MOST_NUMERIC_CLASSES or numbered):
        return ()
    return (
        f"The labels are {len(values):,} different numbers from {values[0]:g} to {values[-1]:g}, "
        "read as classes. If they are "
        "quantities (ages, counts, scores): --task regression.",
    )


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None
