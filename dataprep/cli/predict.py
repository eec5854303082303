"""``dataprep predict``."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.listing import listed_files, silence_stdout
from dataprep.cli.progress import progress_bar
from dataprep.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.baselines.answers import Writer
    from dataprep.baselines.predicting import Model
    from dataprep.schemas.dataset import Dataset

Tool = Literal["label-studio", "coco", "csv"]

_INPUT, _REFUSAL, _OUTPUT = "Images", "When to refuse", "Output"


def predict(
    path: Annotated[str, typer.Argument(help="Folder, fsspec URL or manifest of images.", show_default=False)] = "",
    model: Annotated[str, typer.Option(help="model.onnx of a baseline, or its folder.")] = "dataprep-out/baseline/model.onnx",
    manifest: Annotated[str, typer.Option(help="CSV, Parquet or JSONL that lists the files.", rich_help_panel=_INPUT)] = "",
    files: Annotated[str, typer.Option(help="Text file with one path a line; - reads stdin.", rich_help_panel=_INPUT)] = "",
    jobs: Annotated[int, typer.Option(help="Decoding processes; 0 takes every core.", min=0, rich_help_panel=_INPUT)] = 0,
    abstain_below: Annotated[
        float | None, typer.Option(help="Refuse answers of less confidence.", rich_help_panel=_REFUSAL)
    ] = None,
    risk: Annotated[
        float | None, typer.Option(help="Wished error among answers, as 0.05; refuse the rest.", rich_help_panel=_REFUSAL)
    ] = None,
    out: Annotated[
        str, typer.Option(help="File to write, .csv, .parquet or .jsonl; default: stdout, as CSV.", rich_help_panel=_OUTPUT)
    ] = "",
    pre_labels: Annotated[
        Tool | None, typer.Option(help="Write pre-labels for a labelling tool instead.", rich_help_panel=_OUTPUT)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --out overwrite a file of yours.", rich_help_panel=_OUTPUT)] = False,
    prefix: Annotated[
        str, typer.Option(help="Before each path in pre-labels: /data/local-files/?d=", rich_help_panel=_OUTPUT)
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.", rich_help_panel=_OUTPUT)] = False,
) -> None:
    """Let a baseline's model.onnx say what images show; it refuses where it is not sure enough.

    A file that cannot be read becomes a row with the reason. Torch is not needed.
    """
    from dataprep.baselines.answers import writer_for
    from dataprep.baselines.predicting import Model as Opened
    from dataprep.baselines.predicting import predicted_frames
    from dataprep.cleaning.overwriting import refuse_overwriting, remember_written
    from dataprep.measures.options import PassOptions

    if prefix and not pre_labels:
        raise OptionError("--prefix goes before paths in pre-labels: expected --pre-labels with it")
    write = writer_for(out, pre_labels or "")
    places = _places(out, pre_labels or "")
    for place in places:
        refuse_overwriting(place, (path, manifest, files, model), force=force)
    opened = Opened(model)
    counts: Counter[str] = Counter()
    with progress_bar(quiet) as progress:
        dataset = _scanned(path, manifest, files)
        tables = predicted_frames(
            dataset, opened, abstain_below=abstain_below, risk=risk, options=PassOptions(jobs=jobs), progress=progress
        )
        _write(write, _counted(tables, counts), opened, out, prefix)
    if len(places) > 1:
        _write_config(places[1], opened)
    for place in places:
        remember_written(place)
    _say(counts, dataset, out)


def _scanned(path: str, manifest: str, files: str) -> Dataset:
    from dataprep.errors import InputError
    from dataprep.ingest import scan

    if not (path or manifest or files):
        raise InputError("nothing to predict: give a folder, --manifest FILE or --files LIST. Try: dataprep predict ./images")
    return scan(path or None, manifest=manifest or None, files=listed_files(files) if files else None)


def _counted(tables: Iterator[pd.DataFrame], counts: Counter[str]) -> Iterator[pd.DataFrame]:
    for table in tables:
        lost = table["lost"] != ""
        counts["images"] += len(table)
        counts["lost"] += int(lost.sum())
        if "abstained" in table:
            counts["abstained"] += int((table["abstained"] & ~lost).sum())
        yield table


def _write(write: Writer, tables: Iterator[pd.DataFrame], opened: Model, out: str, prefix: str) -> None:
    from contextlib import closing

    from dataprep.schemas.files import write_atomically

    with closing(tables):  # type: ignore[type-var]
        if out:
            with write_atomically(out) as file:
                write(file, tables, opened.facts, prefix)
            return
        try:
            write(sys.stdout.buffer, tables, opened.facts, prefix)
            sys.stdout.flush()
        except BrokenPipeError:
            silence_stdout()


def _places(out: str, pre_labels: str) -> list[str]:
    """The files that are written."""
    config = [os.path.splitext(out)[0] + ".config.xml"] if pre_labels == "label-studio" else []
    return [out, *config] if out else []


def _write_config(place: str, opened: Model) -> None:
    from dataprep.baselines.answers import label_studio_config
    from dataprep.schemas.files import write_atomically

    with write_atomically(place) as file:
        file.write(label_studio_config(opened.facts).encode())
    typer.echo(f"Labelling configuration: {place}", err=True)


def _say(counts: Counter[str], dataset: Dataset, out: str) -> None:
    parts = [f"{counts['images']:,} images"]
    parts += [f"{counts[name]:,} {said}" for name, said in (("abstained", "refused"), ("lost", "not readable")) if counts[name]]
    missing = 0 if dataset.faults is None else int((dataset.faults["check"] == "missing-file").sum())
    parts += [f"{missing:,} listed but not there"] if missing else []
    typer.echo(", ".join(parts) + (f" → {out}" if out else ""), err=True)
