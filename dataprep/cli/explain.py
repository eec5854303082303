"""``dataprep explain``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer


def explain(
    check: Annotated[
        str,
        typer.Argument(
            help="Code of a check, as `dataprep checks` lists them.", show_default=False
        ),
    ],
) -> None:
    """Explain one check: what it finds, why it matters, what to do, how it works, its limits,
    its measured quality.
    """
    from dataprep import registry

    kind = registry.load("dataprep.checks", check)
    typer.secho(f"{kind.code} ({kind.severity}): {kind.summary}\n", bold=True)
    for heading, text in kind.page().items():
        typer.secho(heading, bold=True)
        typer.echo("".join(f"    {line}".rstrip() + "\n" for line in text.splitlines()))
    options = dataclasses.fields(kind)
    if options:
        typer.secho("Options", bold=True)
    for field in options:
        default = f"[default: {field.default}]" if field.default is not dataclasses.MISSING else ""
        typer.echo(f"    --set {kind.code}.{field.name}=...  {field.metadata['help']} {default}")
