"""Options about the source, shared by the commands that read one, and the way from them to
`dataprep.scan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataprep.cli.shared.outputs import say

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

_INPUT = "Input"

PathColumn = Annotated[
    str, typer.Option(help="Manifest column with the path.", rich_help_panel=_INPUT)
]
LabelColumn = Annotated[
    str, typer.Option(help="Manifest column with the label.", rich_help_panel=_INPUT)
]
SplitColumn = Annotated[
    str, typer.Option(help="Manifest column with the split.", rich_help_panel=_INPUT)
]
GroupColumn = Annotated[
    str,
    typer.Option(
        help="Manifest column with what belongs together: patient, video, sender.",
        rich_help_panel=_INPUT,
    ),
]
Encoding = Annotated[
    str, typer.Option(help="Encoding of the manifest: gb18030, cp1252, ...", rich_help_panel=_INPUT)
]
LabelSeparator = Annotated[
    str, typer.Option(help="Separator of several labels in one cell.", rich_help_panel=_INPUT)
]
TaskOption = Annotated[
    str,
    typer.Option(
        "--task", help="classification, multi-label or regression.", rich_help_panel=_INPUT
    ),
]
LabelFrom = Annotated[
    str,
    typer.Option(
        help="Level of folders that names the class: first, leaf, path or a number.",
        rich_help_panel=_INPUT,
    ),
]
GroupBy = Annotated[
    str,
    typer.Option(
        help="What belongs together: folder, name, or a regular expression on the path.",
        rich_help_panel=_INPUT,
    ),
]


def reading_of(flags: Mapping[str, Any]) -> dict[str, str | None]:
    """The keywords of `dataprep.scan` that say how the source is read; None where an option was
    not given.
    """
    from dataprep.schemas.source import Reading

    return {name: flags[name] or None for name in Reading.names()}


def with_notes_said(dataset: Dataset) -> Dataset:
    """The data set; what it notes about how it was read is said on stderr."""
    for note in dataset.notes:
        say(note)
    return dataset


def given_of(flags: Mapping[str, Any]) -> list[str]:
    """The options about the source that were given, as they are typed."""
    return [
        f"--{name.replace('_', '-')}"
        for name, value in reading_of(flags).items()
        if value is not None
    ]
