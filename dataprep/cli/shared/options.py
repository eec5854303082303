"""Declarations of options: those that several commands take, and `panel`, which makes the others.

Options are grouped in a command's help by the title of their panel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer


def panel(title: str) -> Callable[..., Any]:
    """What declares an option under `title`: called with the help text, its names where they
    differ from the parameter's, and settings of `typer.Option`.
    """

    def option(text: str, *names: str, **settings: Any) -> Any:
        return typer.Option(*names, help=text, rich_help_panel=title, **settings)

    return option


def argument(text: str) -> Any:
    """The declaration of an argument."""
    return typer.Argument(help=text, show_default=False)


images, source, output = panel("Input"), panel("Labels, splits and groups"), panel("Output")

Manifest = Annotated[str, images("CSV, Parquet or JSONL file that lists the images.")]
Files = Annotated[str, images("Text file with one path per line; - reads stdin.")]
PathColumn = Annotated[str, source("Manifest column with the path.")]
LabelColumn = Annotated[str, source("Manifest column with the label.")]
SplitColumn = Annotated[str, source("Manifest column with the split.")]
GroupColumn = Annotated[
    str, source("Manifest column with the group (patient, video, sender) that stays together.")
]
GroupBy = Annotated[
    str, source("Group by folder, by name, or by a regular expression on the path.")
]
Encoding = Annotated[str, source("Encoding of the manifest: gb18030, cp1252, ...")]
LabelSeparator = Annotated[str, source("Separator of several labels in one cell.")]
LabelFrom = Annotated[
    str, source("Folder level that names the class: first, leaf, path or a number.")
]
Task = Annotated[str, source("classification, multi-label or regression.")]

Device = Literal["auto", "cpu", "cuda"]
Format = Literal["table", "json", "csv"]
FormatOption = Annotated[Format, output("What to print on stdout.")]
Quiet = Annotated[bool, output("Print only the result.", "--quiet", "-q")]
Jobs = Annotated[int, images("Worker processes; 0 uses every core.", min=0)]
