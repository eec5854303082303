"""Table: columns of rows that could be read, and the rows that could not, within limits of time
and memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dataprep.errors import InputError
from dataprep.schemas.text.names import escape_name

#: Columns that a table may have.
MOST_COLUMNS = 4096
#: Letters of a path, label, split or group; file systems take 4,096 bytes.
LONGEST_NAME = 4096
#: Letters of any cell.
LONGEST_CELL = 1_000_000
#: Letters of a column's name.
_LONGEST_COLUMN = 200
#: Empty cells that rows with other keys than those before may leave, as long as they are few beside
#: what is given.
_MOST_GAPS, _GAPS_PER_CELL = 5_000_000, 20


@dataclass
class Table:
    """A table as read.

    Attributes:
        columns: name to values, all of one length: text (CSV) or what JSON or Parquet holds; None
            where missing.
        rows: the line (CSV, JSON lines) or number of the record (JSON, Parquet) of each row,
            counted from 1.
        malformed: rows that could not be read: (row, why).
        mentioned: what the malformed rows hold, cell by cell.
        encoding: of a text file.
        roles: role (path, label) to column, where the format says it.
        notes: how the table was read, where that was a choice.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    encoding: str = "utf-8"
    roles: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    _gaps: int = 0
    _cells: int = 0

    def add(self, row: int, record: dict[str, Any]) -> None:
        """Add one row; columns that come or go are filled with None.

        Raises:
            InputError: hardly a key comes twice, or there are too many.
        """
        for name, value in record.items():
            column = self.columns.get(name)
            if column is None:
                column = self._new_column(name, row)
            column.append(value)
        self.rows.append(row)
        self._cells += len(record)
        if len(record) != len(self.columns):
            self._gaps += len(self.columns) - len(record)
            self._refuse_gaps(row)
            for column in self.columns.values():
                if len(column) < len(self.rows):
                    column.append(None)

    def _new_column(self, name: str, row: int) -> list[Any]:
        if len(self.columns) >= MOST_COLUMNS:
            raise too_many_columns(f"row {row:,}", len(self.columns) + 1)
        self._gaps += len(self.rows)
        self._refuse_gaps(row)
        column = self.columns[name] = [None] * len(self.rows)
        return column

    def _refuse_gaps(self, row: int) -> None:
        if self._gaps > _MOST_GAPS and self._gaps > _GAPS_PER_CELL * self._cells:
            raise InputError(
                f"up to row {row:,} there are {len(self.columns):,} different keys, most of which "
                "few rows have: expected the "
                "same keys in every row, such as path and label. Is a value used as a key?"
            )

    def refuse(self, row: int, why: str, cells: Iterable[str] = ()) -> None:
        """Note a row that cannot be read."""
        self.malformed.append((row, why))
        self.mentioned.update(cells)

    def without_long(self, names: Sequence[str], limit: int = LONGEST_NAME) -> Table:
        """This table without the rows that have more than `limit` letters in one of the columns
        `names`: they are malformed.
        """
        found: dict[int, str] = {}
        for name in names:
            if not _may_be_longer(self.columns[name], limit):
                continue
            for position, value in enumerate(self.columns[name]):
                if isinstance(value, str) and len(value) > limit and position not in found:
                    found[position] = (
                        f"the column {name!r} holds {len(value):,} characters, and {limit:,} is "
                        "the most"
                    )
        return self._without(found)

    def where_given(self, name: str, texts: list[str | None]) -> Table:
        """This table with `texts` as the column `name`, where a row without text is malformed."""
        empty = {
            position: f"the column {name!r} is empty"
            for position, text in enumerate(texts)
            if text is None
        }
        return replace(self, columns={**self.columns, name: texts})._without(empty)

    def _without(self, why: dict[int, str]) -> Table:
        """This table without the rows at the positions that have a reason: they are malformed."""
        if not why:
            return self
        kept = [position for position in range(len(self.rows)) if position not in why]
        columns = {
            key: [values[position] for position in kept] for key, values in self.columns.items()
        }
        malformed = self.malformed + [
            (self.rows[position], why[position]) for position in sorted(why)
        ]
        return replace(
            self,
            columns=columns,
            rows=[self.rows[position] for position in kept],
            malformed=malformed,
        )

    def refuse_empty(self, place: str) -> None:
        """Raise InputError where the table called `place` has no row left."""
        if not self.rows:
            first = (
                f"; the first problem is in row {self.malformed[0][0]}: {self.malformed[0][1]}"
                if self.malformed
                else ""
            )
            raise InputError(f"{place} has no row that can be read{first}")

    def tidied(self) -> Table:
        """This table with names of columns that can be shown and stored, distinct and short, and
        without endless cells.
        """
        names = unique_columns([short_name(name) for name in self.columns], lambda *_: None)
        roles = dict(zip(self.columns, names, strict=True))
        columns = dict(zip(names, self.columns.values(), strict=True))
        table = replace(
            self,
            columns=columns,
            roles={role: roles.get(name, name) for role, name in self.roles.items()},
        )
        return table.without_long(names, LONGEST_CELL)


def _may_be_longer(values: Sequence[Any], limit: int) -> bool:
    """Whether one of the values may have more than `limit` letters: at once for columns of text,
    as those of CSV are.
    """
    try:
        return max(map(len, values), default=0) > limit
    except TypeError:  # numbers, or nothing
        return True


def short_name(name: str) -> str:
    """The name of a column in one line, without what cannot be stored and without its end where
    it is endless.
    """
    text = escape_name(name[: 2 * _LONGEST_COLUMN])
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return text if len(text) <= _LONGEST_COLUMN else text[:_LONGEST_COLUMN]


def unique_columns(names: Iterable[str], repeated: Any) -> list[str]:
    """The names, made distinct by a number; `repeated` is called with each that was there
    already, and with its new form.
    """
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        new = name
        while new in found:
            new = f"{new}_{number}"
        if new != name:
            repeated(name, new)
        found[new] = None
    return list(found)


def too_many_columns(place: str, count: int) -> InputError:
    """The error for a table of too many columns."""
    return InputError(
        f"{place} has {count:,} columns or more, and {MOST_COLUMNS:,} is the most that is read: "
        "give a table with a column of "
        "paths, one of labels and few others"
    )
