"""``dataprep normalise``."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.shared import options
from dataprep.cli.shared.inputs import with_notes_said
from dataprep.cli.shared.options import argument, images, output, panel
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

_rows, _scaling = panel("Rows to fit on"), panel("Scaling")


def normalise(
    path: Annotated[str, argument("Images with a train split; without it, uses OUT/split.")] = "",
    manifest: options.Manifest = "",
    split_column: Annotated[str, images("Column with the split.")] = "",
    jobs: options.Jobs = 0,
    part: Annotated[str, _rows("Split to fit on; never val or test.", show_default="train")] = "",
    fold: Annotated[str, _rows("Fold to leave out, for k folds.")] = "",
    all_rows: Annotated[
        bool, _rows("Fit on all rows: data without a split, never to be split.", "--all-rows")
    ] = False,
    kind: Annotated[
        Kind, _scaling("How images are scaled; none leaves them unchanged.")
    ] = "divide-by-255",
    columns: Annotated[
        list[str] | None, _scaling("Numeric column to scale too; repeatable.")
    ] = None,
    column_kind: Annotated[ColumnKind, _scaling("How numeric columns are scaled.")] = "z-score",
    weighting: Annotated[
        Weighting, _scaling("What has equal weight: every pixel or every image.")
    ] = "pixels",
    size: Annotated[
        int, _scaling("Resize images to this side first, as a model does; 0: no resizing.")
    ] = 0,
    out: Annotated[str, output("Folder for results; they go to OUT/normalise.")] = "dataprep-out",
    export: Annotated[
        list[str] | None,
        output("albumentations, torchvision, timm or onnx; repeatable.", show_default=False),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit a normaliser on the training rows only.

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
    record = {
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
    run = run_record("normalise", rows.dataset, record, {"fit": time.perf_counter() - since})
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
