"""Which column of a table holds the labels, where none is called so: known names, one column per
class, or a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataprep.errors import OptionError
from dataprep.ingest.labels.values import Unlabelled, texts_of
from dataprep.ingest.notes import listed, shown
from dataprep.ingest.tables.columns import bare
from dataprep.ingest.tables.table import Table
from dataprep.schemas.manifest import split_of
from dataprep.schemas.source import Reading
from dataprep.schemas.text.words import counted, first_of

#: The column that one column per class is joined into.
JOINED = "classes of columns"
#: What fields call their classes, in bare letters. Any other column must be named.
_KNOWN = frozenset(
    """
    choice choices dx diagnosis diagnoses species breed finding findings findinglabels grade disease
    diseases emotion expression variety cultivar genus cls klass groundtruth celltype defect
    defecttype pathology benignmalignant klasse classe clase etiqueta
    """.split()
)
#: Names of columns that describe a picture rather than name its class.
_DESCRIBE = frozenset(
    """
    width height size bytes channels depth format mode extension year month day hour date time
    timestamp camera make model iso license licence source author photographer lat lon latitude
    longitude index score confidence annotator rater site hospital center centre device scanner
    version url link usage quality orientation focallength exposure leadtime caption title comment
    note notes description text filesize filetype x y z
    """.split()
)
_DESCRIBE_ENDINGS = tuple(
    """
    id ids uuid hash md5 date time at url path file filename name index
    """.split()
)
_ZERO, _ONE = frozenset(("0", "0.0", "false")), frozenset(("1", "1.0", "true"))
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_MOST_VALUES, _MOST_NUMBERS, _LONGEST_VALUE = 1000, 20, 60
_FEWEST_COLUMNS = 3


@dataclass(frozen=True)
class LabelledTable:
    """A table with the roles of its columns.

    Attributes:
        table: the table; columns of classes may have been joined into one.
        roles: role to column.
        notes: how the label was found, or what it may be.
        open: whether there are columns that may hold the label, so that folders do not.
    """

    table: Table
    roles: dict[str, str]
    notes: tuple[str, ...] = ()
    open: bool = False


def find_label(
    name: str, table: Table, roles: Mapping[str, str], reading: Reading, boxes: Sequence[str] = ()
) -> LabelledTable:
    """The label of the table called `name`, in which `roles` were found by name; columns of `boxes`
    are none.

    Raises:
        OptionError: a column and a level of folders were both named for the label.
    """
    roles = dict(roles)
    if reading.label_from is not None:
        if reading.label_column is not None:
            raise OptionError(
                "--label-column and --label-from exclude each other: labels come from the table or "
                "from the folders"
            )
        column = roles.pop("label", None)
        note = (
            (
                f"Labels are the folders' names, as --label-from says; the column {shown(column)} "
                "is "
                "not used."
            )
            if column
            else ""
        )
        return LabelledTable(table, roles, (note,) if note else ())
    if "label" in roles:
        return LabelledTable(table, roles)
    free = [
        column for column in table.columns if column not in roles.values() and column not in boxes
    ]
    texts = {column: texts_of(table.columns[column]) for column in free}
    flags = [column for column in free if _is_flag(texts[column]) and not _is_aside(column)]
    known = [column for column in free if _is_known(column, texts[column])]
    if not known or set(known) <= set(flags):
        joined = _joined(name, table, roles, flags, texts)
        if joined is not None:
            return joined
    if len(known) == 1:
        values = len(set(texts[known[0]]) - {None})
        note = (
            f"Labels are read from the column {shown(known[0])} of {shown(name)} "
            f"({counted(values, 'value')}); "
            "--label-column takes another."
        )
        return LabelledTable(table, {**roles, "label": known[0]}, (note,))
    candidates = known + [
        column for column in free if column not in known and _may_be_label(column, texts[column])
    ]
    if not candidates:
        return LabelledTable(table, roles)
    return LabelledTable(table, roles, (_question(name, candidates, texts),), open=True)


def _question(
    name: str, candidates: Sequence[str], texts: Mapping[str, Sequence[str | None]]
) -> str:
    them = [
        f"{shown(column)} ({counted(len(set(texts[column]) - {None}), 'value')})"
        for column in candidates
    ]
    return (
        f"No column of {shown(name)} is called label, so nothing is labelled. It may be "
        f"{first_of(them, 5)}: "
        f"--label-column {_quoted(candidates[0])} takes it."
    )


def _quoted(column: str) -> str:
    text = shown(column)
    return text if re.fullmatch(r"[\w.\-]+", text) else f'"{text}"'


def _is_known(column: str, texts: Sequence[str | None]) -> bool:
    last = re.split(r"[\W_]+", column.strip().lower())[-1]
    if bare(column) not in _KNOWN and last not in ("label", "labels"):
        return False
    values = [text for text in texts if text is not None]
    return bool(values) and (len(values) < 10 or len(set(values)) < len(values))


def _is_aside(column: str) -> bool:
    """Whether a column of 0 and 1 is called like a split or a property rather than a class."""
    words = re.split(r"[\W_]+", column.strip().lower())
    return words[0] in ("is", "has", "in", "was", "use") or any(
        split_of(word) for word in words if not word.isdecimal()
    )


def _is_flag(texts: Sequence[str | None]) -> bool:
    values = {"" if text is None else text.strip().lower() for text in set(texts)}
    if values == {"-1", "1"}:
        return True
    return values <= _ZERO | _ONE | {""} and bool(values & _ONE)


def _may_be_label(column: str, texts: Sequence[str | None]) -> bool:
    """Whether few values repeat in a column that is not called like something else."""
    name = bare(column)
    words = re.split(r"[\W_]+", column.strip().lower())
    if (
        name in _DESCRIBE
        or words[-1] in _DESCRIBE_ENDINGS
        or name.endswith(("id", "date", "time", "url", "path"))
    ):
        return False
    values = [text for text in texts if text is not None]
    different = set(values)
    if not 2 <= len(different) <= min(_MOST_VALUES, len(values) // 2):
        return False
    if any(len(value) > _LONGEST_VALUE for value in different):
        return False
    if not all(_NUMBER.fullmatch(value.strip()) for value in different):
        return True
    return len(different) <= _MOST_NUMBERS and all(float(value).is_integer() for value in different)


def _joined(
    name: str,
    table: Table,
    roles: Mapping[str, str],
    flags: Sequence[str],
    texts: Mapping[str, Sequence[str | None]],
) -> LabelledTable | None:
    """The table with its columns of 0 and 1, one a class, as one column of labels; None where
    they are not plainly so.
    """
    if len(flags) < 2:
        return None
    ones = [
        [
            column
            for column, text in zip(flags, row)
            if text is not None and text.strip().lower() in _ONE
        ]
        for row in zip(*(texts[column] for column in flags))
    ]
    single = all(len(row) == 1 for row in ones)
    if not single and (
        len(flags) < _FEWEST_COLUMNS or not _side_by_side(list(table.columns), flags)
    ):
        return None
    values: list[Any] = [
        row if row else Unlabelled("it is 0 in the column of every class") for row in ones
    ]
    columns = {column: cells for column, cells in table.columns.items() if column not in flags}
    several = sum(len(row) > 1 for row in ones)
    how = f"{several:,} of {len(ones):,} rows have several" if several else "one class per row"
    note = (
        f"The {len(flags):,} columns of 0 and 1 in {shown(name)} are read as one class each "
        f"({listed(flags)}): {how}; "
        "--label-column takes another."
    )
    joined = replace(table, columns={**columns, JOINED: values})
    return LabelledTable(joined, {**roles, "label": JOINED}, (note,))


def _side_by_side(columns: Sequence[str], flags: Sequence[str]) -> bool:
    places = [columns.index(column) for column in flags]
    return places[-1] - places[0] == len(places) - 1
