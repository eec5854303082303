"""``dataprep normalise``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.shared.inputs import with_notes_said
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import OptionError

if TYPE_CHECKING:
    from dataprep.normalisation.fitting import Rows
    from dataprep.normalisation.normaliser import Normaliser
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

Kind = Literal["divide-by-255", "z-score", "min-max", "none"]
ColumnKind = Literal["z-score", "min-max", "robust"]
Weighting = Literal["pixels", "images"]

_ROWS, _FIGURES = "Rows to fit on", "Figures"


def normalise(
    path: Annotated[
        str,
        typer.Argument(
            help="Images with a train part; without it, goes on from OUT/split.", show_default=False
        ),
    ] = "",
    out: Annotated[
        str, typer.Option(help="Folder for results; they go to OUT/normalise.")
    ] = "dataprep-out",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict alone.")] = False,
    jobs: Annotated[int, typer.Option(help="Worker processes; 0 takes every core.", min=0)] = 0,
    export: Annotated[
        list[str] | None,
        typer.Option(
            help="albumentations, torchvision, timm or onnx; may be repeated.", show_default=False
        ),
    ] = None,
    manifest: Annotated[
        str, typer.Option(help="CSV, Parquet or JSONL that lists the files.", rich_help_panel=_ROWS)
    ] = "",
    split_column: Annotated[
        str, typer.Option(help="Column with the split.", rich_help_panel=_ROWS)
    ] = "",
    part: Annotated[
        str,
        typer.Option(
            help="Part to fit on; never val or test.", show_default="train", rich_help_panel=_ROWS
        ),
    ] = "",
    fold: Annotated[
        str, typer.Option(help="Fold to leave out, for k folds.", rich_help_panel=_ROWS)
    ] = "",
    all_rows: Annotated[
        bool,
        typer.Option(
            "--all-rows", help="Data without parts, never to be divided.", rich_help_panel=_ROWS
        ),
    ] = False,
    kind: Annotated[
        Kind,
        typer.Option(
            help="How images are scaled; none leaves them alone.", rich_help_panel=_FIGURES
        ),
    ] = "divide-by-255",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of numbers to scale too; may be repeated.", rich_help_panel=_FIGURES
        ),
    ] = None,
    column_kind: Annotated[
        ColumnKind, typer.Option(help="How these are scaled.", rich_help_panel=_FIGURES)
    ] = "z-score",
    weighting: Annotated[
        Weighting,
        typer.Option(
            help="What counts alike: every pixel or every image.", rich_help_panel=_FIGURES
        ),
    ] = "pixels",
    size: Annotated[
        int,
        typer.Option(
            help="Squeeze images to this side first, as a model does; 0: not.",
            rich_help_panel=_FIGURES,
        ),
    ] = 0,
) -> None:
    """Fit a normaliser on the training rows, and on no others.

    Writes OUT/normalise/normaliser.json, run.json and the exports asked for.
    """
    from dataprep.measures.options import PassOptions
    from dataprep.normalisation.fitting import fit_normaliser, training_rows
    from dataprep.normalisation.writing import write_normaliser
    from dataprep.schemas.run import run_record

    since = time.perf_counter()
    given = [
        flag
        for flag, value in (("--all-rows", all_rows), ("--part", part), ("--fold", fold))
        if value
    ]
    if len(given) > 1:
        raise OptionError(
            f"{' and '.join(given)} contradict each other: each says which rows to fit on; give "
            "one of them"
        )
    source = _source(path, manifest, split_column, out)
    wanted = None if all_rows else part or "train"
    # A column of a manifest that --split-column names is called "split" by now; one of a split
    # keeps its name.
    column = split_column if split_column and not (path or manifest) else "split"
    named = [name for text in columns or () for name in text.split(",") if name]
    with progress_bar(quiet) as progress:
        rows = training_rows(source, part=wanted, fold=fold or None, split_column=column)
        normaliser = fit_normaliser(
            source,
            part=wanted,
            fold=fold or None,
            split_column=column,
            kind=kind,
            columns=named,
            column_kind=column_kind,
            weighting=weighting,
            size=size,
            options=PassOptions(jobs=jobs),
            progress=lambda done, total, note: progress("measure", done, total, note),
        )
    options = {
        "part": wanted,
        "fold": fold,
        "split_column": column,
        "kind": kind,
        "columns": named,
        "column_kind": column_kind,
        "weighting": weighting,
        "size": size,
        "exports": list(export or ()),
    }
    run = run_record("normalise", rows.dataset, options, {"fit": time.perf_counter() - since})
    written = write_normaliser(
        normaliser, os.path.join(out, "normalise"), exports=export or (), run=run
    )
    _print(normaliser, rows, written, quiet)


def _source(path: str, manifest: str, split_column: str, out: str) -> Dataset | Split:
    if path or manifest:
        from dataprep.ingest import scan

        return with_notes_said(
            scan(path or None, manifest=manifest or None, split_column=split_column or None)
        )
    from dataprep.splits import read_split

    return read_split(os.path.join(out, "split"))


def _print(normaliser: Normaliser, rows: Rows, written: dict[str, str], quiet: bool) -> None:
    from dataprep.normalisation.writing import summary_of

    if not quiet:
        for line in (*summary_of(normaliser), ""):
            typer.echo(line)
    what = "images" if normaliser.statistics is not None else "rows"
    left = ", ".join(f"{name} ({count:,})" for name, count in rows.left_alone.items())
    fitted = f"Fitted on {normaliser.rows - normaliser.lost:,} {what} of {rows.part}"
    typer.echo(fitted + (f"; {left} not touched" if left else ""))
    if normaliser.lost:
        typer.echo(
            f"warning: {normaliser.lost:,} of its images could not be read: dataprep audit says "
            "why",
            err=True,
        )
    for name, path in written.items() if not quiet else ():
        typer.echo(f"{name + ':':<16}{path}")
