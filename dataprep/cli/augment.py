"""``dataprep augment``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import OptionError

if TYPE_CHECKING:
    from dataprep.augment.copies import Copies
    from dataprep.augment.recording import Augmentation

Format = Literal["png", "jpeg"]

_ROWS, _POLICY, _COPIES = "Rows to look at", "Policy", "Copies"


def augment(
    out: Annotated[
        str, typer.Option(help="Folder with results: goes on from OUT/split, or else OUT/audit.")
    ] = "dataprep-out",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict alone.")] = False,
    policy: Annotated[
        str,
        typer.Option(
            help="auto, a policy's name, or a file that ends in .yaml.", rich_help_panel=_POLICY
        ),
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of the changes.", rich_help_panel=_POLICY)] = 0,
    part: Annotated[
        str,
        typer.Option(
            help="Part for training; never val or test.",
            show_default="train",
            rich_help_panel=_ROWS,
        ),
    ] = "",
    fold: Annotated[
        str, typer.Option(help="Fold to leave out, for k folds.", rich_help_panel=_ROWS)
    ] = "",
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Draw all policies beside it.", rich_help_panel=_POLICY),
    ] = False,
    safety: Annotated[
        bool,
        typer.Option("--safety", help="Measure all policies beside it.", rich_help_panel=_POLICY),
    ] = False,
    materialise: Annotated[
        str,
        typer.Option(
            help="New folder for changed copies of training images of rare classes.",
            rich_help_panel=_COPIES,
        ),
    ] = "",
    ratio: Annotated[
        float,
        typer.Option(
            help="Smallest class to largest, with copies.",
            min=0.0,
            max=1.0,
            rich_help_panel=_COPIES,
        ),
    ] = 1.0,
    format: Annotated[
        Format, typer.Option(help="Format of the copies.", rich_help_panel=_COPIES)
    ] = "png",
) -> None:
    """Choose an augmentation policy that keeps the labels, and show what it does. Only training
    images are looked at.

    Writes OUT/augment/policy.yaml, preview.png, safety.json, augment.html and run.json. With
    --materialise FOLDER, writes changed copies of training images until no class is smaller than
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
