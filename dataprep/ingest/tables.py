"""Tables: CSV, JSON lines, JSON and Parquet to columns, where a row that cannot be read costs that row alone."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dataprep.errors import InputError
from dataprep.ingest.columns import has_path
from dataprep.ingest.exports import read_export
from dataprep.ingest.walk import open_file_system

#: Extensions that are read as manifests.
EXTENSIONS = ("csv", "tsv", "jsonl", "ndjson", "json", "parquet")

_SEPARATORS = ",;\t|"
_CHUNK_ROWS = 50_000
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class Table:
    """A table as read.

    Attributes:
        columns: name to values, all of one length: text (CSV) or what JSON or Parquet holds; None where missing.
        rows: the line (CSV, JSON lines) or number of the record (JSON, Parquet) of each row, counted from 1.
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

    def add(self, row: int, record: dict[str, Any]) -> None:
        """Add one row; columns that come or go are filled with None."""
        for name, value in record.items():
            column = self.columns.get(name)
            if column is None:
                column = self.columns[name] = [None] * len(self.rows)
            column.append(value)
        self.rows.append(row)
        if len(record) != len(self.columns):
            for column in self.columns.values():
                if len(column) < len(self.rows):
                    column.append(None)

    def refuse(self, row: int, why: str, cells: Iterable[str] = ()) -> None:
        """Note a row that cannot be read."""
        self.malformed.append((row, why))
        self.mentioned.update(cells)

    def where_given(self, name: str, texts: list[str | None]) -> Table:
        """This table with `texts` as the column `name`, where a row without text is malformed."""
        given = [position for position, text in enumerate(texts) if text is not None]
        if len(given) == len(texts):
            return replace(self, columns={**self.columns, name: texts})
        left_out = [(row, f"the column {name!r} is empty") for row, text in zip(self.rows, texts, strict=True) if text is None]
        columns = {key: [values[position] for position in given] for key, values in {**self.columns, name: texts}.items()}
        rows = [self.rows[position] for position in given]
        return replace(self, columns=columns, rows=rows, malformed=self.malformed + left_out)


def read_table(place: str) -> Table:
    """The table in the file or fsspec URL `place`, its format by extension.

    Raises:
        InputError: the file is missing, is of another format, has no rows, or holds the images themselves.
    """
    extension = os.path.splitext(place)[1].lower().removeprefix(".")
    readers: dict[str, Callable[[bytes, str], Table]] = {
        "jsonl": _read_json_lines, "ndjson": _read_json_lines, "json": _read_json, "parquet": _read_parquet,
    }  # fmt: skip
    if extension not in EXTENSIONS and extension != "txt":
        what = " (XML exports, as of CVAT or Pascal VOC, hold boxes and are not read)" if extension == "xml" else ""
        raise InputError(f"{place} is not a manifest{what}: expected a file that ends in .{', .'.join(EXTENSIONS)}")
    table = readers.get(extension, _read_csv)(_bytes_of(place), place)
    if not table.rows:
        first = f"; the first problem is in row {table.malformed[0][0]}: {table.malformed[0][1]}" if table.malformed else ""
        raise InputError(f"{place} has no row that can be read{first}")
    if len(table.malformed) > len(table.rows):
        row, why = table.malformed[0]
        raise InputError(
            f"most rows of {place} cannot be read ({len(table.malformed):,} of {len(table.malformed) + len(table.rows):,}); "
            f"the first is row {row}: {why}"
        )
    return table


def _bytes_of(place: str) -> bytes:
    try:
        if "://" in place:
            system, path = open_file_system(place)
            return bytes(system.cat_file(path))
        with open(place, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise InputError(f"there is no manifest {place}") from error
    except OSError as error:
        raise InputError(f"cannot read the manifest {place}: {error.strerror or error}") from error


def _encoding_of(data: bytes) -> str:
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            for _ in codecs.iterdecode((data[start : start + 2**20] for start in range(0, len(data), 2**20)), encoding):
                pass
            return encoding
        except UnicodeDecodeError:
            continue
    return "latin-1"


def _read_csv(data: bytes, place: str) -> Table:
    encoding = _encoding_of(data)
    head = data[: 2**16].decode(encoding, "ignore")
    lines = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors="replace", newline="")
    reader = csv.reader(lines, delimiter=_separator(head), skipinitialspace=True)
    table = Table(encoding=encoding)
    header = next((cells for cells in _cells(reader, table) if any(cells[1])), None)
    if header is None:
        raise InputError(f"{place} is empty: expected a header line such as path,label and a line for each file")
    names = _unique_names(header[1], header[0], table)
    columns: list[list[str]] = [[] for _ in names]
    known: dict[str, str] = {}
    chunk: list[Sequence[str]] = []
    for row, cells in _cells(reader, table):
        if not any(cells):
            continue
        if len(cells) != len(names):
            if len(cells) < len(names) or any(cells[len(names) :]):
                table.refuse(row, _why_ragged(len(cells), len(names), row, reader.line_num), cells)
                continue
            cells = cells[: len(names)]
        chunk.append(cells)
        table.rows.append(row)
        if len(chunk) == _CHUNK_ROWS:
            _store(columns, chunk, known)
    _store(columns, chunk, known)
    table.columns = dict(zip(names, columns, strict=True))
    return table


def _cells(reader: Any, table: Table) -> Iterator[tuple[int, list[str]]]:
    """Each row's first line and cells."""
    while True:
        row = reader.line_num + 1
        try:
            yield row, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            table.refuse(row, f"{error}; is a quotation mark not closed?")


def _store(columns: list[list[str]], chunk: list[Sequence[str]], known: dict[str, str]) -> None:
    """Move a chunk of rows into the columns; equal cells share one object."""
    for column, cells in zip(columns, zip(*chunk, strict=True)):
        column.extend(known.setdefault(cell, cell) for cell in cells)
    chunk.clear()
    if len(known) > 4 * _CHUNK_ROWS:  # mostly paths, which are all different
        known.clear()


def _why_ragged(cells: int, expected: int, row: int, last: int) -> str:
    runs = f", running to line {last}: is a quotation mark not closed?" if last > row else ""
    return f"{cells} cells where the header has {expected}{runs}"


def _separator(head: str) -> str:
    lines = [line for line in head.splitlines()[:40] if line.strip()]

    def score(separator: str) -> tuple[float, int]:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=separator)]
        same = sum(width == widths[0] for width in widths) / max(1, len(widths))
        return (same if widths and widths[0] > 1 else 0.0, widths[0] if widths else 0)

    return max(_SEPARATORS, key=score)


def _unique_names(header: Sequence[str], row: int, table: Table) -> list[str]:
    while len(header) > 1 and not header[-1].strip():
        header = header[:-1]
    names: list[str] = []
    for number, cell in enumerate(header, 1):
        name = cell.strip() or f"column_{number}"
        if name in names:
            base = name
            while name in names:
                name = f"{base}_{number}"
            table.refuse(row, f"two columns are called {base!r}; the later one is read as {name!r}")
        names.append(name)
    return names


def _read_json_lines(data: bytes, place: str) -> Table:
    encoding = _encoding_of(data)
    table = Table(encoding=encoding)
    for row, line in enumerate(io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors="replace"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            table.refuse(row, f"not valid JSON: {error}", _QUOTED.findall(line))
            continue
        if isinstance(record, dict):
            table.add(row, record)
        else:
            table.refuse(row, f"expected a JSON object, got {type(record).__name__}")
    return table


def _read_json(data: bytes, place: str) -> Table:
    try:
        content = json.loads(data.decode(_encoding_of(data)))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not valid JSON: {error}. A file with one JSON object a line must end in .jsonl") from error
    export = read_export(content, place)
    table = Table(roles=export.roles, notes=export.notes) if export else Table()
    for row, record in enumerate(export.records if export else _records(content, place), 1):
        if isinstance(record, dict):
            table.add(row, record)
        else:
            table.refuse(row, f"expected a JSON object, got {type(record).__name__}")
    return table


def _records(content: Any, place: str) -> list[Any]:
    if isinstance(content, list):
        return content
    if isinstance(content, dict):
        lists = {name: value for name, value in content.items() if isinstance(value, list)}
        if len(lists) == len(content) > 1 and len({len(value) for value in lists.values()}) == 1:
            return [dict(zip(lists, values)) for values in zip(*lists.values(), strict=True)]
        if len(lists) == 1:
            return next(iter(lists.values()))
        if content and all(isinstance(value, str | int) for value in content.values()):
            return [{"path": path, "label": label} for path, label in content.items()]
    raise InputError(f"{place}: expected a JSON list of objects, each with a path and a label, or an object from path to label")


def _images_inside(place: str, column: str, image: str) -> str:
    return (
        f"{place} holds the images themselves (column {column!r}): write them to files first, and give the folder. With pandas: "
        f"for i, image in enumerate(pandas.read_parquet({os.path.basename(place)!r})[{column!r}]): "
        f"open(f'images/{{i}}.jpg', 'wb').write({image})"
    )


def _read_parquet(data: bytes, place: str) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise InputError(f"{place} is not a Parquet file that can be read: {error}") from error
    wanted, raw = [], []
    for column in file.schema_arrow:
        if pa.types.is_struct(column.type) and any(part.name == "bytes" for part in column.type):
            raise InputError(_images_inside(place, column.name, "image['bytes']"))
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            raw.append(column.name)
        else:
            wanted.append(column.name)
    if raw and (not wanted or (has_path(raw) and not has_path(wanted))):
        raise InputError(_images_inside(place, raw[0], "image"))
    content = file.read(columns=wanted)
    table = Table(rows=list(range(1, content.num_rows + 1)))
    table.columns = {name: _values(content.column(name)) for name in content.column_names}
    return table


def _values(column: Any) -> list[Any]:
    """The values of an Arrow column; 32-bit floats as the shortest numbers that give them back."""
    if str(column.type) not in ("float", "halffloat"):
        return list(column.to_pylist())
    known = column.is_valid().to_pylist()
    texts = column.to_numpy().astype("str").tolist()
    return [float(text) if valid else None for valid, text in zip(known, texts, strict=True)]
