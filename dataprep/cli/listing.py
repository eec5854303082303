"""Printing rows on stdout: an aligned table, or JSON for pipes."""

from __future__ import annotations

import json
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
