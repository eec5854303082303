"""CSV and its relatives to tables: any separator, Excel's ``sep=`` line, comments above the
header, and lists without one.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from dataprep.errors import InputError
from dataprep.ingest.tables.columns import IMAGE_ENDING, has_path, is_image_name
from dataprep.ingest.tables.encodings import encoding_of
from dataprep.ingest.tables.table import (
    MOST_COLUMNS,
    Table,
    short_name,
    too_many_columns,
    unique_columns,
)

_SEPARATORS = ",;\t|"
#: Cells that are gathered before they go to their columns, and distinct cells that are remembered
#: at most.
_CHUNK_CELLS, _MOST_KNOWN = 50_000, 200_000
_HEAD_BYTES, _HEAD_LINES = 1 << 16, 40
#: Lines that a file has which is taken for a list of images without being named as one.
_LEAST_LINES = 2
#: Share of the first lines that a form must fit.
_FITS = 0.9
#: A line of a list: a path that ends as images do, blanks, and what is said of it.
_LISTED = re.compile(rf"\s*(?P<path>\S.*?{IMAGE_ENDING})[ \t]+(?P<rest>\S.*?)\s*", re.IGNORECASE)
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?', re.IGNORECASE)

#: Share of zeros that text in UTF-16 does not reach, but UTF-32 does.
_MOST_ZEROS = 0.8
#: Bytes of a line.
_LONGEST_LINE = 32 << 20
#: What a file begins with that somebody named .csv, and what it is.
_BINARY = (
    (b"PK\x03\x04", "an Excel workbook or another archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "compressed"),
    (b"%PDF", "a PDF file"),
    (b"SQLite format 3", "a database"),
)

#: First line, last line and cells of each row.
Rows = Iterator[tuple[int, int, list[str]]]


@dataclass(frozen=True)
class _Form:
    """How lines become cells.

    Attributes:
        skip: lines above the header or the first row.
        separator: between cells; empty for a list whose paths end where blanks follow the name of
            an image.
    """

    skip: int
    separator: str


def read_delimited(data: bytes, place: str, named: str | None) -> Table:
    """The table of a file of separated text, whose encoding may be `named`.

    The separator (comma, semicolon, tab, bar, blanks) is found from the first lines, or named by a
    first line ``sep=;``. Lines that begin with ``#`` above the header are skipped. A file whose
    first row names an image has no header: the cell that does is the path and, where there is one
    other, that is the label.

    Raises:
        InputError: the file is empty, is no text, or has too many columns.
    """
    _refuse_binary(data, place)
    encoding = encoding_of(data, place, named)
    table = Table(encoding=encoding.name, notes=(encoding.note,) if encoding.note else ())
    form = _form_of(data[:_HEAD_BYTES].decode(encoding.name, "ignore"))
    lines = io.TextIOWrapper(
        io.BytesIO(data), encoding=encoding.name, errors=encoding.errors, newline=""
    )
    for _ in range(form.skip):
        lines.readline()
    rows = _separated(lines, form, table) if form.separator else _listed(lines, form)
    first = next((each for each in rows if any(each[2])), None)
    if first is None:
        raise InputError(
            f"{place} is empty: expected a header line such as path,label and a line for each file"
        )
    row, _, cells = first
    if len(cells) > MOST_COLUMNS:
        raise too_many_columns(place, len(cells))
    names = _names_without_header(cells)
    if names:
        table.notes += (
            f"{place} has no header line: read as "
            f"{', '.join(names[:4])}{', ...' if len(names) > 4 else ''}",
        )
        rows = itertools.chain([first], rows)
    else:
        names = _names_of(cells, row, table)
    _fill(table, names, rows)
    return table


def image_list_of(head: str) -> int:
    """How many columns a list of images without a header has, judged by its first lines; 0 where
    they are something else.
    """
    form = _form_of(head)
    lines = iter(head.splitlines(keepends=True)[form.skip : form.skip + _HEAD_LINES])
    rows = _separated(lines, form, Table()) if form.separator else _listed(lines, form)
    found = [cells for _, _, cells in rows if any(cells)]
    named = sum(any(map(is_image_name, cells)) for cells in found)
    return (
        len(found[0])
        if len(found) >= _LEAST_LINES
        and _names_without_header(found[0])
        and named >= _FITS * len(found)
        else 0
    )


def _refuse_binary(data: bytes, place: str) -> None:
    for start, kind in _BINARY:
        if data.startswith(start):
            raise InputError(
                f"{place} is not CSV but {kind}: save it as CSV (UTF-8) and give that, or name it "
                "by its kind"
            )
    if data.count(b"\0", 0, _HEAD_BYTES) > _MOST_ZEROS * min(len(data), _HEAD_BYTES):
        raise InputError(f"{place} is not text: most of its first bytes are zero")
    refuse_long_lines(data, place)


def refuse_long_lines(data: bytes, place: str) -> None:
    """Raise InputError where a line of the text in `data` is longer than anybody writes: reading
    it would take memory at once.
    """
    for start in range(0, len(data) - _LONGEST_LINE + 1, _LONGEST_LINE):
        if (
            data.find(b"\n", start, start + _LONGEST_LINE) < 0
            and data.find(b"\r", start, start + _LONGEST_LINE) < 0
        ):
            line = data.count(b"\n", 0, start) + 1
            raise InputError(
                f"{place}: line {line:,} has more than {_LONGEST_LINE >> 20} MB: expected a line "
                "for each file"
            )


def _form_of(head: str) -> _Form:
    lines = head.splitlines()
    first = _SEP_LINE.fullmatch(lines[0].strip(" \r")) if lines else None
    if first:
        return _Form(1, first[1])
    skip = _comments(lines)
    shown = [line for line in lines[skip:] if line.strip()][:_HEAD_LINES]
    separator, fits = _separator(shown)
    if fits < _FITS:
        if shown and sum(_LISTED.fullmatch(line) is not None for line in shown) >= _FITS * len(
            shown
        ):
            return _Form(skip, "")
        widths = [len(line.split()) for line in shown]
        if (
            shown
            and widths[0] > 1
            and has_path(shown[0].split())
            and widths.count(widths[0]) >= _FITS * len(widths)
        ):
            return _Form(skip, " ")
    return _Form(skip, separator)


def _comments(lines: Sequence[str]) -> int:
    """Lines of comment above the header: they begin with ``#`` and have not as many cells as
    what follows.
    """
    count = next(
        (number for number, line in enumerate(lines) if not line.startswith("#")), len(lines)
    )
    rest = [line for line in lines[count:] if line.strip()][:_HEAD_LINES]
    if not rest:
        return 0
    separator, _ = _separator(rest)
    width = _width(rest[0], separator)
    while count and width > 1 and _width(lines[count - 1], separator) == width:
        count -= 1
    return count


def _width(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0


def _separator(lines: Sequence[str]) -> tuple[str, float]:
    """The separator that parts the lines most evenly, and the share of them that have as many
    cells as the first.
    """

    def score(separator: str) -> tuple[float, int]:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=separator)]
        except csv.Error:
            return 0.0, 0
        same = sum(width == widths[0] for width in widths) / max(1, len(widths))
        return (same if widths and widths[0] > 1 else 0.0, widths[0] if widths else 0)

    best = max(_SEPARATORS, key=score)
    return best, score(best)[0]


def _separated(lines: Iterable[str], form: _Form, table: Table) -> Rows:
    """Each row's first line and cells."""
    reader = csv.reader(lines, delimiter=form.separator, skipinitialspace=True)
    while True:
        row = reader.line_num + form.skip + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            table.refuse(row, f"{error}; is a quotation mark not closed?")
        else:
            yield row, reader.line_num + form.skip, cells


def _listed(lines: TextIO | Iterator[str], form: _Form) -> Rows:
    for row, line in enumerate(lines, form.skip + 1):
        found = _LISTED.fullmatch(line)
        yield row, row, [found["path"], *found["rest"].split()] if found else [line.strip()]


def _names_without_header(cells: Sequence[str]) -> list[str]:
    """Names for the columns of a table whose first row names an image; none where that is a
    header.
    """
    path = next((number for number, cell in enumerate(cells) if is_image_name(cell)), None)
    if path is None:
        return []
    others = [f"column_{number + 1}" for number in range(len(cells))]
    names = ["label"] * 2 if len(cells) == 2 else others
    return [*names[:path], "path", *names[path + 1 :]]


def _names_of(header: Sequence[str], row: int, table: Table) -> list[str]:
    while len(header) > 1 and not header[-1].strip():
        header = header[:-1]
    given = [
        short_name(cell.strip()) or f"column_{number}" for number, cell in enumerate(header, 1)
    ]
    repeated: list[str] = []
    names = unique_columns(
        given, lambda name, new: repeated.append(f"{name!r}; the later one is read as {new!r}")
    )
    if repeated:
        more = f"; and so on, {len(repeated):,} times" if len(repeated) > 1 else ""
        table.refuse(row, f"two columns are called {repeated[0]}{more}")
    return names


def _fill(table: Table, names: Sequence[str], rows: Rows) -> None:
    columns: list[list[str]] = [[] for _ in names]
    known: dict[str, str] = {}
    chunk: list[Sequence[str]] = []
    width = len(names)
    most_rows = -(-_CHUNK_CELLS // width)
    for row, last, cells in rows:
        if not any(cells):
            continue
        if len(cells) != width:
            if len(cells) < width or any(cells[width:]):
                table.refuse(row, _why_ragged(len(cells), width, row, last), cells[:MOST_COLUMNS])
                continue
            cells = cells[:width]
        chunk.append(cells)
        table.rows.append(row)
        if len(chunk) >= most_rows:
            _store(columns, chunk, known)
    _store(columns, chunk, known)
    table.columns = dict(zip(names, columns, strict=True))


def _why_ragged(cells: int, expected: int, row: int, last: int) -> str:
    runs = f", running to line {last}: is a quotation mark not closed?" if last > row else ""
    return f"{cells} cells where the header has {expected}{runs}"


def _store(columns: list[list[str]], chunk: list[Sequence[str]], known: dict[str, str]) -> None:
    """Move a chunk of rows into the columns; equal cells share one object."""
    for column, cells in zip(columns, zip(*chunk, strict=True)):
        column.extend(known.setdefault(cell, cell) for cell in cells)
    chunk.clear()
    if len(known) > _MOST_KNOWN:  # mostly paths, which are all different
        known.clear()
