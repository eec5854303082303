"""Lines on stderr, where results may go, and what the record of an audit says they were made
from.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from dataprep.errors import InputError
from dataprep.schemas.text.words import printable

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit

#: Options that name something that is read.
INPUTS = (
    "path",
    "manifest",
    "files",
    "reference",
    "known",
    "ignore",
    "embeddings",
    "probs",
    "config",
)
#: Options that choose among the files.
_SELECTION = ("sample", "include", "exclude")


def say(text: str) -> None:
    """A line on stderr."""
    typer.echo(f"dataprep: {printable(text)}", err=True)


@contextmanager
def audit_folder(ctx: typer.Context) -> Iterator[str]:
    """The folder of the audit's files: OUT/audit; one that goes again where stdout gets them and
    no --out was given.
    """
    from tempfile import TemporaryDirectory

    flags = ctx.params
    if is_kept(ctx):
        yield os.path.join(flags["out"], "audit")
        return
    with TemporaryDirectory(prefix="dataprep-audit-") as folder:
        yield folder


def typed(ctx: typer.Context) -> list[str]:
    """The parameters that were given on the command line."""
    sources = ((name, ctx.get_parameter_source(name)) for name in ctx.params)
    return [name for name, source in sources if source and source.name == "COMMANDLINE"]


def flag(name: str) -> str:
    """A parameter as it is typed."""
    return f"--{name.replace('_', '-')}"


def is_kept(ctx: typer.Context) -> bool:
    """Whether results stay on disk: with ``--format json`` or ``csv`` they do so only where
    --out, or the configuration, says where.
    """
    configured = "out" in (ctx.default_map or {})
    return ctx.params["format"] == "table" or configured or "out" in typed(ctx)


def refuse_among_images(flags: Mapping[str, Any], *stages: str) -> None:
    """Refuse results where images are, and say where they lie in the folder of images, out of the
    way of dataprep alone.

    Args:
        flags: with the path of the images, OUT and quiet.
        stages: folders in OUT that the command writes to, the first one first.

    Raises:
        InputError: OUT is the folder of images, or one of the stages' folders is one of images.
    """
    from dataprep.cleaning.staging import lies_in
    from dataprep.schemas.files.writing import MARKER

    root, out = flags["path"], flags["out"]
    if not os.path.isdir(root) or not lies_in(out, root):
        return
    if lies_in(root, out):
        raise InputError(
            f"--out: {out} is the folder of images: choose another, or one in it that is for "
            "results alone"
        )
    folders = [os.path.join(out, stage) for stage in stages]
    unmarked = [folder for folder in folders if not os.path.exists(os.path.join(folder, MARKER))]
    for folder in unmarked:
        if os.path.isdir(folder) and os.listdir(folder):
            raise InputError(
                f"--out: {folder} is among the images and holds files that dataprep did not put "
                "there: choose another"
            )
    if folders[0] in unmarked and not flags["quiet"]:
        say(
            f"results go to {out}, in the folder of images: dataprep skips it, but other programs "
            "may read it as a class"
        )


def with_inputs(audit: Audit, flags: Mapping[str, Any]) -> Audit:
    """The audit; its record says what it was made from."""
    from dataprep.cleaning.completeness import with_inputs as recorded

    return recorded(
        audit,
        {name: flags.get(name) or "" for name in INPUTS},
        {name: flags.get(name) for name in _SELECTION},
    )
