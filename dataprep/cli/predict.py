"""``dataprep predict``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.shared.inputs import with_notes_said
from dataprep.cli.shared.listing import listed_files, silence_stdout
from dataprep.cli.shared.predicted import Counts, refusal_words
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import OptionError
from dataprep.schemas.text.words import printable

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.baselines.inference.predicting import Model
    from dataprep.baselines.inference.prediction_writers import Writer
    from dataprep.schemas.dataset import Dataset

Tool = Literal["label-studio", "coco", "csv"]

#: Where tables go unless a file is named; `_STDOUT` as --out prints them.
_FOLDER, _STDOUT = os.path.join("dataprep-out", "predict"), "-"
#: What is written to the name of its file.
_NAMES = {
    "": "predictions.csv",
    "label-studio": "pre-labels.json",
    "coco": "pre-labels.coco.json",
    "csv": "pre-labels.csv",
}

_INPUT, _REFUSAL, _OUTPUT = "Images", "When to refuse", "Output"


def predict(
    path: Annotated[
        str, typer.Argument(help="Folder, fsspec URL or manifest of images.", show_default=False)
    ] = "",
    model: Annotated[
        str, typer.Option(help="model.onnx of a baseline, or its folder.")
    ] = "dataprep-out/baseline/model.onnx",
    manifest: Annotated[
        str,
        typer.Option(help="CSV, Parquet or JSONL that lists the files.", rich_help_panel=_INPUT),
    ] = "",
    files: Annotated[
        str,
        typer.Option(help="Text file with one path a line; - reads stdin.", rich_help_panel=_INPUT),
    ] = "",
    jobs: Annotated[
        int,
        typer.Option(help="Decoding processes; 0 takes every core.", min=0, rich_help_panel=_INPUT),
    ] = 0,
    abstain_below: Annotated[
        float | None,
        typer.Option(
            help="Refuse answers of less confidence; 0 answers all.", rich_help_panel=_REFUSAL
        ),
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(
            help="Wished error among answers; refuse the rest. [default: 0.05 where training found "
            "it]",
            show_default=False,
            rich_help_panel=_REFUSAL,
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option(
            help="File to write, .csv, .parquet or .jsonl; - prints CSV. [default: "
            "dataprep-out/predict/predictions.csv]",
            rich_help_panel=_OUTPUT,
            show_default=False,
        ),
    ] = "",
    pre_labels: Annotated[
        Tool | None,
        typer.Option(
            help="Write pre-labels for a labelling tool instead.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Let --out overwrite a file of yours.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    prefix: Annotated[
        str,
        typer.Option(
            help="Before each path in pre-labels: /data/local-files/?d=", rich_help_panel=_OUTPUT
        ),
    ] = "",
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the verdict alone.", rich_help_panel=_OUTPUT),
    ] = False,
) -> None:
    """Let a baseline's model.onnx say what images show; it refuses where it is not sure enough.

    Writes a table with a row for every image, or for every row of a manifest or list; a file that
    cannot be read or is not there gets a row with the reason. It refuses below the confidence that
    training found for an error of 5 % (or what it found instead); --abstain-below 0 answers
    everything. Torch is not needed.
    """
    from dataprep.baselines.inference.predicting import Model as Opened
    from dataprep.baselines.inference.predicting import predicted_frames
    from dataprep.baselines.inference.prediction_writers import writer_for
    from dataprep.cleaning.overwriting import refuse_overwriting, remember_written
    from dataprep.measures.options import PassOptions

    if prefix and not pre_labels:
        raise OptionError("--prefix goes before paths in pre-labels: expected --pre-labels with it")
    place = out or os.path.join(_FOLDER, _NAMES[pre_labels or ""])
    write = writer_for("" if place == _STDOUT else place, pre_labels or "")
    written = _files_of(place, pre_labels or "")
    for file in written:
        refuse_overwriting(file, (path, manifest, files, model), ours=not out, force=force)
    opened = Opened(model)
    counts = Counts()
    with progress_bar(quiet) as progress:
        dataset = with_notes_said(_scanned(path, manifest, files))
        tables = predicted_frames(
            dataset,
            opened,
            abstain_below=abstain_below,
            risk=risk,
            options=PassOptions(jobs=jobs),
            progress=progress,
        )
        _write(write, counts.over(tables), opened, place, prefix)
    if len(written) > 1:
        _write_config(written[1], opened)
    for file in written:
        remember_written(file)
    _say(counts, refusal_words(opened.card, abstain_below, risk), place, dataset.root, quiet)


def _scanned(path: str, manifest: str, files: str) -> Dataset:
    from dataprep.errors import InputError
    from dataprep.ingest import scan

    if not (path or manifest or files):
        raise InputError(
            "nothing to predict: give a folder, --manifest FILE or --files LIST. Try: dataprep "
            "predict ./images"
        )
    return scan(
        path or None, manifest=manifest or None, files=listed_files(files) if files else None
    )


def _write(
    write: Writer, tables: Iterator[pd.DataFrame], opened: Model, out: str, prefix: str
) -> None:
    from contextlib import closing

    from dataprep.schemas.files.writing import mark_output, write_atomically

    with closing(tables):  # type: ignore[type-var]
        if out != _STDOUT:
            if out.startswith(_FOLDER):
                mark_output(_FOLDER)
            with write_atomically(out) as file:
                write(file, tables, opened.card, prefix)
            return
        try:
            write(sys.stdout.buffer, tables, opened.card, prefix)
            sys.stdout.flush()
        except BrokenPipeError:
            silence_stdout()


def _files_of(place: str, pre_labels: str) -> list[str]:
    """The files that are written: none on stdout; beside tasks for Label Studio the
    configuration that they fit.
    """
    config = [os.path.splitext(place)[0] + ".config.xml"] if pre_labels == "label-studio" else []
    return [] if place == _STDOUT else [place, *config]


def _write_config(place: str, opened: Model) -> None:
    from dataprep.baselines.inference.prediction_writers import label_studio_config
    from dataprep.schemas.files.writing import write_atomically

    with write_atomically(place) as file:
        file.write(label_studio_config(opened.card).encode())
    typer.echo(f"Labelling configuration: {place}", err=True)


def _say(counts: Counts, refusal: str, out: str, root: str, quiet: bool) -> None:
    """The summary: on stdout, or on stderr where the table has stdout."""
    lines = [counts.summary()]
    if not quiet:
        lines += [f"  {printable(name)}: {count:,}" for name, count in counts.shown()]
        lines += [refusal]
        lines += [f"Written: {printable(out)}"] if out != _STDOUT else []
        lines += [f"         paths are relative to {printable(root)}"]
    for line in lines:
        typer.echo(line, err=out == _STDOUT)
