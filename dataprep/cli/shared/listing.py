"""Lists: rows printed as an aligned table or as JSON for pipes, until the reader has had enough;
and lists of files.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from dataprep.errors import InputError, OptionError
from dataprep.schemas.files.reading import MB, read_input

#: Bytes that a list of files may have: that of some ten million paths.
_MOST_BYTES = 1024 * MB


def print_rows(rows: Sequence[Mapping[str, Any]], format: str, columns: Sequence[str]) -> None:
    """Print `columns` of `rows` aligned, or every key as JSON."""
    if format == "json":
        typer.echo(json.dumps(rows, indent=2))
        return
    if format != "table":
        raise OptionError(f"--format: expected table or json, got {format!r}")
    widths = [max([len(column), *(len(str(row[column])) for row in rows)]) for column in columns]
    typer.echo(
        "  ".join(
            f"{column.upper():<{width}}" for column, width in zip(columns, widths, strict=True)
        ).rstrip()
    )
    for row in rows:
        typer.echo(
            "  ".join(
                f"{row[column]!s:<{width}}" for column, width in zip(columns, widths, strict=True)
            ).rstrip()
        )


def silence_stdout() -> None:
    """Nothing more is printed: the reader of the pipe is gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def until_closed() -> Iterator[None]:
    """A block that prints to stdout, and stops without an error when the reader closes the pipe."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()


def print_file(path: str) -> None:
    """Print a text file."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            sys.stdout.write(line)


def _of_stdin() -> bytes:
    try:
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the list of files -: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise InputError(
            f"cannot read the list of files -: it has more than {_MOST_BYTES // MB:,} MB, which is "
            "the limit"
        )
    return data


def listed_files(place: str) -> list[str]:
    """The paths in a list of files, one a line or with NUL between; - reads stdin."""
    data = (
        _of_stdin() if place == "-" else read_input(place, "the list of files", limit=_MOST_BYTES)
    )
    separator = b"\0" if b"\0" in data else b"\n"
    return [
        os.fsdecode(line) for line in (part.strip(b"\r") for part in data.split(separator)) if line
    ]
