"""Parquet to tables: column by column, so that one that cannot be read costs that column alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from dataprep.errors import InputError
from dataprep.ingest.tables.columns import has_path
from dataprep.ingest.tables.table import (
    MOST_COLUMNS,
    Table,
    short_name,
    too_many_columns,
    unique_columns,
)

#: Rows that are read; a few bytes of Parquet can stand for as many as anybody likes.
_MOST_ROWS = 50_000_000
#: Letters of what Arrow says of a damaged file.
_LONGEST_REASON = 160


@dataclass(frozen=True)
class _Column:
    """A column: its number in the file, its name there and here, and its Arrow type."""

    number: int
    stored: str
    name: str
    type: Any


def read_parquet(source: bytes | str, place: str) -> Table:
    """The table of a Parquet file, given as its bytes or its path; `place` is its name for
    messages.

    Columns of bytes are left out; so are those that cannot be read, with a note.

    Raises:
        InputError: it is damaged, too large, without a column that can be read, or holds the images
            themselves.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(source) if isinstance(source, bytes) else source)
        rows, stored = file.metadata.num_rows, list(file.schema_arrow)
    except Exception as error:  # whatever a damaged file sets off in the library
        raise InputError(
            f"{place} is not a Parquet file that can be read: {_reason(error)}"
        ) from error
    if not 0 <= rows <= _MOST_ROWS:
        raise InputError(
            f"{place} says that it has {rows:,} rows, and {_MOST_ROWS:,} is the most that is read"
        )
    if len(stored) > MOST_COLUMNS:
        raise too_many_columns(place, len(stored))
    columns, notes = _wanted(stored, place)
    table = Table()
    for column in columns:
        try:
            values = _values_in(file, column)
        except Exception as error:
            notes.append(
                f"{place}: the column {column.name!r} ({_short(column.type)}) cannot be read and "
                f"is left out: {_reason(error)}"
            )
            continue
        if table.columns and len(values) != len(table.rows):
            notes.append(
                f"{place}: the column {column.name!r} has {len(values):,} values for "
                f"{len(table.rows):,} rows and is left out"
            )
            continue
        table.columns[column.name] = values
        table.rows = table.rows or list(range(1, len(values) + 1))
    if not table.columns:
        why = f": {notes[0]}" if notes else ""
        raise InputError(f"{place} has no column that can be read{why}")
    table.notes = tuple(notes)
    return table


def _wanted(stored: list[Any], place: str) -> tuple[list[_Column], list[str]]:
    """The columns to read, none of which holds bytes, and what is to be said of others."""
    import pyarrow as pa

    wanted: list[_Column] = []
    raw: list[str] = []
    repeated: list[str] = []
    names = unique_columns(
        [short_name(column.name) or f"column_{number}" for number, column in enumerate(stored, 1)],
        lambda name, new: repeated.append(
            f"{place}: two columns are called {name!r}; the later one is read as {new!r}"
        ),
    )
    for number, (column, name) in enumerate(zip(stored, names, strict=True)):
        if pa.types.is_struct(column.type) and any(part.name == "bytes" for part in column.type):
            raise InputError(_images_inside(place, name, "image['bytes']"))
        if (
            pa.types.is_binary(column.type)
            or pa.types.is_large_binary(column.type)
            or pa.types.is_fixed_size_binary(column.type)
        ):
            raw.append(name)
        else:
            wanted.append(_Column(number, column.name, name, column.type))
    if raw and (not wanted or (has_path(raw) and not has_path([column.name for column in wanted]))):
        raise InputError(_images_inside(place, raw[0], "image"))
    return wanted, repeated


def _values_in(file: Any, column: _Column) -> list[Any]:
    """The values of a column; where two have its name, of the one with its number."""
    if "." in column.stored or sum(each.name == column.stored for each in file.schema_arrow) > 1:
        return _values(file.read().column(column.number))
    return _values(file.read(columns=[column.stored]).column(0))


def _values(column: Any) -> list[Any]:
    """The values of an Arrow column; 32-bit floats as the shortest numbers that give them back,
    and what Python lacks as text.
    """
    import pyarrow as pa

    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        texts = column.to_numpy().astype("str").tolist()
        return [
            float(text) if valid else None
            for valid, text in zip(column.is_valid().to_pylist(), texts, strict=True)
        ]
    if pa.types.is_timestamp(column.type):
        return _times(column)
    return list(column.to_pylist())


def _times(column: Any) -> list[Any]:
    """Moments as text in the form of ISO 8601, which Python's own dates need not hold; without
    zeros of fractions of a second.
    """
    import pyarrow as pa

    texts = column.cast(pa.string()).to_pylist()
    return [text if text is None or "." not in text else _without_zeros(text) for text in texts]


def _without_zeros(text: str) -> str:
    whole, _, fraction = text.partition(".")
    digits = fraction.rstrip("Z")
    kept = digits.rstrip("0")
    return whole + (f".{kept}" if kept else "") + fraction[len(digits) :]


def _images_inside(place: str, column: str, image: str) -> str:
    return (
        f"{place} holds the images themselves (column {column!r}): write them to files first, and "
        "give the folder. With pandas: "
        f"for i, image in enumerate(pandas.read_parquet({os.path.basename(place)!r})[{column!r}]): "
        f"open(f'images/{{i}}.jpg', 'wb').write({image})"
    )


def _reason(error: Exception) -> str:
    """The first line of what a library says, short and without what a terminal would act on."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    text = "".join(
        sign if sign.isprintable() else "?"
        for sign in (lines[0] if lines else type(error).__name__)
    )
    return text[:_LONGEST_REASON].rstrip(".")


def _short(kind: Any) -> str:
    return str(kind)[:40]
