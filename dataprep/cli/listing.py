"""Printing on stdout: rows as an aligned table or as JSON for pipes, until the reader has had enough."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from dataprep.errors import OptionError


def print_rows(rows: Sequence[Mapping[str, Any]], format: str, columns: Sequence[str]) -> None:
    """Print `columns` of `rows` aligned, or every key as JSON."""
    if format == "json":
        typer.echo(json.dumps(rows, indent=2))
        return
    if format != "table":
        raise OptionError(f"--format: expected table or json, got {format!r}")
    widths = [max([len(column), *(len(str(row[column])) for row in rows)]) for column in columns]
    typer.echo("  ".join(f"{column.upper():<{width}}" for column, width in zip(columns, widths, strict=True)).rstrip())
    for row in rows:
        typer.echo("  ".join(f"{row[column]!s:<{width}}" for column, width in zip(columns, widths, strict=True)).rstrip())


def silence_stdout() -> None:
    """Nothing more is printed: the reader of the pipe is gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
