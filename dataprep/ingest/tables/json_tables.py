"""JSON and JSON lines to tables, within limits of depth and size."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

from dataprep.errors import InputError
from dataprep.ingest.annotations.exports import read_export
from dataprep.ingest.tables.delimited import refuse_long_lines
from dataprep.ingest.tables.encodings import encoding_of
from dataprep.ingest.tables.table import Table

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
#: Bytes of JSON that is read at once; as objects in memory it takes many times as much.
_LONGEST_JSON = 256 << 20
#: Objects and lists within each other.
_DEEPEST = 60
#: Letters of a number; a longer one stays text.
_MOST_DIGITS = 4000
#: Letters of a line of JSON in which file names are looked for although it cannot be read.
_MENTIONS = 100_000


def read_json_lines(data: bytes, place: str, named: str | None) -> Table:
    """The table of a file with one JSON object a line, whose encoding may be `named`; other
    lines are malformed.
    """
    refuse_long_lines(data, place)
    encoding = encoding_of(data, place, named)
    table = Table(encoding=encoding.name, notes=_notes(encoding.note))
    for row, line in enumerate(
        io.TextIOWrapper(io.BytesIO(data), encoding=encoding.name, errors=encoding.errors), 1
    ):
        if not line.strip():
            continue
        try:
            record = _parsed(line)
        except ValueError as error:
            table.refuse(row, f"not valid JSON: {error}", _QUOTED.findall(line[:_MENTIONS]))
            continue
        _add(table, row, record)
    return table


def read_json(data: bytes, place: str, named: str | None) -> Table:
    """The table of a JSON file: a list of objects, an object of lists, an object from path to
    label, or a tool's export.

    Raises:
        InputError: it is none of these.
    """
    if len(data) > _LONGEST_JSON:
        size = _LONGEST_JSON >> 20
        raise InputError(
            f"{place} has more than {size} MB, too many at once: write one JSON object a line, in "
            "a file .jsonl"
        )
    encoding = encoding_of(data, place, named)
    try:
        content = _parsed(data.decode(encoding.name, encoding.errors))
    except ValueError as error:
        raise InputError(
            f"{place} is not valid JSON: {error}. A file with one JSON object a line must end in "
            ".jsonl"
        ) from error
    table = Table(encoding=encoding.name, notes=_notes(encoding.note))
    export = read_export(content, place)
    if export:
        table = replace(table, roles=export.roles, notes=(*table.notes, *export.notes))
    for row, record in enumerate(export.records if export else _records(content, place), 1):
        _add(table, row, record)
    return table


def _notes(note: str) -> tuple[str, ...]:
    return (note,) if note else ()


def _parsed(text: str) -> Any:
    """The content of JSON text; numbers that are too long to count with stay text.

    Raises:
        ValueError: it is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects are nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # more digits than Python takes
        return json.loads(
            text, parse_int=lambda digits: int(digits) if len(digits) < _MOST_DIGITS else digits
        )


def _add(table: Table, row: int, record: Any) -> None:
    if not isinstance(record, dict):
        table.refuse(row, f"expected a JSON object, got {type(record).__name__}")
    elif _is_deep(record):
        texts = [value for value in record.values() if isinstance(value, str)]
        table.refuse(row, f"its lists and objects are nested more than {_DEEPEST} deep", texts)
    else:
        table.add(row, record)


def _is_deep(record: Any) -> bool:
    level = [value for value in record.values() if isinstance(value, dict | list)]
    for _ in range(_DEEPEST):
        if not level:
            return False
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
    return True


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
    raise InputError(
        f"{place}: expected a JSON list of objects, each with a path and a label, or an object "
        "from path to label"
    )
