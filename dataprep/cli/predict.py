"""``dataprep predict``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.shared import options
from dataprep.cli.shared.inputs import with_notes_said
from dataprep.cli.shared.listing import listed_files, until_closed
from dataprep.cli.shared.options import argument, images, output, panel
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

_refusal = panel("When to refuse")


def predict(
    path: Annotated[str, argument("Folder, fsspec URL or manifest of images.")] = "",
    model: Annotated[
        str, images("model.onnx of a baseline, or its folder.")
    ] = "dataprep-out/baseline/model.onnx",
    manifest: options.Manifest = "",
    files: options.Files = "",
    jobs: options.Jobs = 0,
    abstain_below: Annotated[
        float | None, _refusal("Refuse predictions below this confidence; 0 refuses none.")
    ] = None,
    risk: Annotated[
        float | None,
        _refusal(
            "Error rate wanted among predictions, by refusing the rest; default: 0.05 where "
            "training found it.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str,
        output(
            "File to write, .csv, .parquet or .jsonl; - prints CSV; default: "
            "dataprep-out/predict/predictions.csv.",
            show_default=False,
        ),
    ] = "",
    pre_labels: Annotated[
        Tool | None, output("Write pre-labels for a labelling tool instead.")
    ] = None,
    force: Annotated[bool, output("Let --out overwrite a file of yours.", "--force")] = False,
    prefix: Annotated[
        str, output("Prefix of every path in pre-labels: /data/local-files/?d=")
    ] = "",
    quiet: options.Quiet = False,
) -> None:
    """Predict images with a baseline's model.onnx; images below a confidence are refused.

    Writes a table with one row per image, or per row of a manifest or list; a file that is missing
    or unreadable gets a row with the reason. Refuses below the confidence that training found for
    an error rate of 5 % (or what it found instead); --abstain-below 0 refuses nothing. torch is
    not needed.
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
        with until_closed():
            write(sys.stdout.buffer, tables, opened.card, prefix)


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
