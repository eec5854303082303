"""``dataprep augment``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.shared import options
from dataprep.cli.shared.options import output, panel
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import OptionError

if TYPE_CHECKING:
    from dataprep.augment.copies import Copies
    from dataprep.augment.recording import Augmentation

Format = Literal["png", "jpeg"]

_policy, _rows, _copies = panel("Policy"), panel("Training rows"), panel("Copies")


def augment(
    policy: Annotated[str, _policy("auto, a policy's name, or a .yaml file.")] = "auto",
    seed: Annotated[int, _policy("Random seed.")] = 0,
    preview: Annotated[bool, _policy("Show every policy for comparison.", "--preview")] = False,
    safety: Annotated[bool, _policy("Measure the strength of every policy.", "--safety")] = False,
    part: Annotated[
        str, _rows("Split for training; never val or test.", show_default="train")
    ] = "",
    fold: Annotated[str, _rows("Fold to leave out, for k folds.")] = "",
    materialise: Annotated[
        str, _copies("New folder for augmented copies of training images of rare classes.")
    ] = "",
    ratio: Annotated[
        float, _copies("Smallest class to largest, with copies.", min=0.0, max=1.0)
    ] = 1.0,
    format: Annotated[Format, _copies("Image format of the copies.")] = "png",
    out: Annotated[
        str, output("Folder with results: uses OUT/split, or else OUT/audit.")
    ] = "dataprep-out",
    quiet: options.Quiet = False,
) -> None:
    """Choose an augmentation policy that keeps the labels, and show what it does. Only training
    images are used.

    Writes OUT/augment/policy.yaml, preview.png, safety.json, augment.html and run.json. With
    --materialise FOLDER, writes augmented copies of training images until no class is smaller than
    --ratio times the largest.
    """
    from dataprep.augment.copies import materialise_augmented, verify_copies
    from dataprep.augment.recording import last_source, prepare, write_augmentation

    if part and fold:
        raise OptionError(
            "--part and --fold contradict each other: each says which rows are for training; give "
            "one of them"
        )
    part = part or "train"
    with progress_bar(quiet) as progress:
        source, audit = last_source(out)
        made = prepare(
            source,
            policy,
            audit=audit,
            part=part,
            fold=fold or None,
            seed=seed,
            all_pictures=preview,
            all_policies=safety,
            progress=progress,
        )
        folder = write_augmentation(made, os.path.join(out, "augment"))
        copies = None
        if materialise:
            copies = materialise_augmented(
                source,
                materialise,
                made.policy,
                part=part,
                fold=fold or None,
                ratio=ratio,
                seed=seed,
                format=format,
                progress=progress,
            )
            verify_copies(copies.folder, source)
    _print(made, folder, quiet)
    if copies is not None:
        _print_copies(copies, quiet)


def _print(made: Augmentation, folder: str, quiet: bool) -> None:
    typer.echo(f"Policy: {made.policy.name}")
    if quiet:
        return
    for reason in made.reasons:
        typer.echo(f"  {reason}")
    others = [
        name for name in (made.safety.overall if made.safety else ()) if name != made.policy.name
    ]
    for name in others:
        assert made.safety is not None
        typer.echo(made.safety.verdict(name))
    typer.echo(f"Written: {folder} (policy.yaml, augment.html, preview.png)")


def _print_copies(copies: Copies, quiet: bool) -> None:
    for name, why in list(copies.lost.items())[:10]:
        typer.echo(f"warning: {name} could not be copied: {why}", err=True)
    if quiet:
        return
    typer.echo(
        f"Copies:  {copies.copies:,} in {copies.folder}, each in the part and unit of its "
        "original; with them,"
    )
    typer.echo("         training images of each class:")
    for name, count in copies.counts.items():
        typer.echo(f"  {name}: {count:,}")
