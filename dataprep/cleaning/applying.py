"""Apply a plan: a new Dataset, a cleaned manifest, a new folder. Originals are read, never
written.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import xxhash

from dataprep import registry
from dataprep.cleaning.applied import applied_record, changes_of, how_to_undo, record_paths
from dataprep.cleaning.audits import read_audit
from dataprep.cleaning.folders import RECORD, Layout, make_folder, own_files
from dataprep.cleaning.overwriting import refuse_overwriting, remember_written
from dataprep.cleaning.plan_files import read_plan
from dataprep.cleaning.planning import emptied_classes
from dataprep.cleaning.staging import lies_in
from dataprep.errors import FingerprintError, InputError, OptionError
from dataprep.schemas.audit import Audit
from dataprep.schemas.columns import COLUMNS, GIVEN
from dataprep.schemas.dataset import Dataset, Task
from dataprep.schemas.files.reading import content_hash
from dataprep.schemas.files.writing import MARKER, write_together
from dataprep.schemas.plan import Cleaned, Plan, difference, labels_in
from dataprep.schemas.report import RUN
from dataprep.schemas.run import run_record
from dataprep.schemas.text.class_order import class_order

#: The cleaned manifest, where no other name is given.
CLEANED = "clean.csv"

_LABEL_TYPES: dict[str, Any] = {"regression": "float64", "multi-label": "str"}


def apply_plan(
    plan: Plan | str | os.PathLike[str],
    source: Audit | Dataset | str | os.PathLike[str],
    *,
    manifest: str | os.PathLike[str] = "",
    folder: str | os.PathLike[str] = "",
    layout: Layout = "auto",
    copy: bool = False,
    new_labels: bool = False,
    record: str | os.PathLike[str] = "",
    force: bool = False,
    progress: Callable[[str, int, int, str], None] | None = None,
) -> Cleaned:
    """Make a cleaned data set: the samples that the plan does not drop, under their new labels.

    Args:
        plan: a Plan, or the folder or ``plan.csv`` that `dataprep.cleaning.write_plan` wrote and a
            person may have edited.
        source: the data that the plan was made for: an Audit, its Dataset, or the folder of an
            audit.
        manifest: file to write: ``.csv``, ``.parquet`` or ``.jsonl``; one row per kept sample with
            its path relative to the root of the data, label, split, group and the user's own
            columns. The record of the run is written beside it: as ``run.json`` in a folder of
            dataprep's own, else under the manifest's name with ``.run.json`` behind it; and so is
            ``applied.json``, which says what was changed, from what to what, and how to get back.
        folder: new folder to make of the kept files: hard links, which take no space and share
            their content with the originals (a program that writes into one writes into the other);
            copies where links are impossible.
        layout: how to lay out `folder`: "class" (CLASS/file), "split" (SPLIT/CLASS/file), "tree"
            (the same paths as before) or "auto": by split where every kept sample has one, else by
            class where every one has a label, else "tree".
        copy: make copies instead of hard links.
        new_labels: allow labels that no sample has so far.
        record: folder that gets ``applied.json`` too, such as that of the plan
            (``dataprep-out/clean``), where `dataprep split` looks for it.
        force: overwrite `manifest` though it was an input, or is not what dataprep wrote there.
        progress: called with (stage, done, total, note) now and then.

    Raises:
        InputError: no plan or audit there, or rows of the plan that cannot be applied (all are
            named), a folder that is not empty, a folder or manifest in the folder of images, or a
            manifest that would overwrite a file of the user's.
        FingerprintError: the plan was made for other data, or files changed since the audit; the
            message names the difference.
        OptionError: a manifest of an unknown kind.
        OutputError: a result could not be written.

    Example:
        >>> import dataprep
        >>> audit = dataprep.audit("sample_data/shapes/val", only=["unreadable"])
        >>> done = dataprep.apply_plan(dataprep.clean(audit), audit, manifest="out/clean.csv")
        >>> done.samples, done.dropped
        (29, 1)
    """
    started = time.perf_counter()
    manifest, folder = os.fspath(manifest), os.fspath(folder)
    dataset = _dataset_of(source)
    plan = plan if isinstance(plan, Plan) else read_plan(plan, dataset, new_labels=new_labels)
    refuse_other_data(plan, dataset)
    if manifest:
        manifest_format(manifest)
        _refuse_among_images(dataset, manifest)
        _refuse_overwriting(manifest, source, os.fspath(record), force)
    cleaned = cleaned_dataset(plan, dataset)
    records = record_paths(manifest, os.fspath(record))
    result = _counted(plan, dataset, cleaned, manifest, folder, records)
    if folder:
        about = {"undo": how_to_undo(dataset, result), "changes": changes_of(plan, dataset)}
        there = existing(cleaned)
        linked, copied = make_folder(
            there, folder, rows_of(there), layout=layout, copy=copy, about=about, progress=progress
        )
        result = replace(result, linked=linked, copied=copied)
    made = {os.path.abspath(path): content_hash(path) for path in own_files(folder)}
    files = {}
    if manifest:
        options = {**plan.options, "layout": layout, "copy": copy}
        run = run_record("clean", dataset, options, {"apply": time.perf_counter() - started})
        text = (
            json.dumps({**run, "result": asdict(result)}, indent=2, ensure_ascii=False).encode()
            + b"\n"
        )
        files = {
            os.path.abspath(manifest): manifest_bytes(rows_of(cleaned), manifest),
            run_path(manifest): text,
        }
        made |= {path: str(xxhash.xxh3_128(content).hexdigest()) for path, content in files.items()}
    if records:
        content = applied_record(plan, dataset, result, records, made, layout)
        files |= dict.fromkeys(reversed(records), content)
    _write(files)
    if manifest:
        remember_written(manifest)
    return result


def _refuse_overwriting(manifest: str, source: Any, record: str, force: bool) -> None:
    """As `refuse_overwriting`; the manifest beside the plan is ours whatever it holds, unless it
    was an input.
    """
    ours = bool(record) and os.path.realpath(manifest) == os.path.realpath(
        os.path.join(record, CLEANED)
    )
    refuse_overwriting(manifest, inputs_of(source), ours=ours, force=force)


def _write(files: dict[str, bytes]) -> None:
    """Write files, those of one folder together; the folder of the last one last."""
    folders = list(dict.fromkeys(os.path.dirname(path) for path in reversed(files)))
    for folder in reversed(folders):
        with write_together(folder) as opened:
            for path, content in files.items():
                if os.path.dirname(path) == folder:
                    opened(os.path.basename(path)).write(content)


def _counted(
    plan: Plan, dataset: Dataset, cleaned: Dataset, manifest: str, folder: str, records: list[str]
) -> Cleaned:
    counts = plan.counts
    own = os.path.join(os.path.abspath(folder), RECORD) if folder else ""
    return Cleaned(
        manifest=manifest,
        folder=folder,
        record=records[0] if records else own,
        samples=len(cleaned),
        dropped=counts["drop"],
        relabelled=counts["relabel"],
        unreviewed=counts["review"],
        warnings=tuple(emptied_classes(plan.table, dataset)),
    )


def existing(dataset: Dataset) -> Dataset:
    """Without the samples whose file was missing when it was measured."""
    if "lost" not in dataset.samples:
        return dataset
    return dataset.where((dataset.samples["lost"].astype("str") != "missing").to_numpy())


def cleaned_dataset(plan: Plan, dataset: Dataset) -> Dataset:
    """`dataset` without the samples that the plan drops, and with its new labels; the plan's
    samples must be known.
    """
    table = plan.table
    relabelled = table[table["action"] == "relabel"].set_index("sample")["new_label"]
    if len(relabelled):
        labels = (
            dataset.samples["label"].astype("object")
            if "label" in dataset.samples
            else _no_labels(dataset)
        )
        labels[relabelled.index] = relabelled
        task: Task = "classification" if dataset.task == "none" else dataset.task
        dataset = replace(
            dataset.assign(label=labels.astype(_LABEL_TYPES.get(task, "category"))), task=task
        )
    kept = dataset.where(
        ~dataset.samples.index.isin(table.loc[table["action"] == "drop", "sample"])
    )
    left = labels_in(kept.samples, kept.task)
    if "probs" in kept.arrays:  # whose columns are in the order of the classes that were
        known = [name for name in dataset.classes if name in left]
        return replace(kept, classes=(*known, *sorted(left - set(known))))
    return replace(kept, classes=class_order(left))


def _no_labels(dataset: Dataset) -> pd.Series[Any]:
    return pd.Series(None, index=dataset.samples.index, dtype="object")


def rows_of(dataset: Dataset) -> pd.DataFrame:
    """The rows of a manifest: ``path``; ``label``, ``split`` and ``group`` where there are any;
    the user's own columns.
    """
    samples = dataset.samples
    measured = {*COLUMNS, *registry.names("dataprep.measures")}
    given = [column.name for column in GIVEN if dataset.has(column.name)]
    own = [name for name in samples if name not in measured and name != "path"]
    if dataset.task == "multi-label":
        samples = samples.assign(
            label=samples["label"].map(
                lambda label: json.dumps(label.split("|")), na_action="ignore"
            )
        )
    return samples[[*given, *own]].rename_axis("path").reset_index()


def _dataset_of(source: Audit | Dataset | str | os.PathLike[str]) -> Dataset:
    if isinstance(source, str | os.PathLike):
        source = read_audit(source)
    return source.dataset if isinstance(source, Audit) else source


def refuse_other_data(plan: Plan, dataset: Dataset) -> None:
    """Raise FingerprintError where a plan was made for other data; the message names the
    difference.
    """
    changed = difference(plan.data, dataset)
    if changed:
        raise FingerprintError(
            f"the plan was made for other data (in {plan.data.get('root', '?')}): {changed}. Make "
            "a new plan: dataprep clean"
        )


def inputs_of(source: Audit | Dataset | str | os.PathLike[str]) -> tuple[str, ...]:
    """Files that an audit was made from, as its record names them."""
    if isinstance(source, str | os.PathLike):
        source = read_audit(source)
    options = source.run.get("options") if isinstance(source, Audit) else None
    named = options.get("inputs") if isinstance(options, dict) else None
    return (
        tuple(path for path in named.values() if isinstance(path, str))
        if isinstance(named, dict)
        else ()
    )


def _refuse_among_images(dataset: Dataset, manifest: str) -> None:
    folder = os.path.dirname(os.path.abspath(manifest))
    if (
        not dataset.is_remote
        and lies_in(folder, dataset.root)
        and not os.path.exists(os.path.join(folder, MARKER))
    ):
        raise InputError(
            f"{manifest} lies in the folder of images, which is never written: choose one outside "
            f"{dataset.root}"
        )


def manifest_format(path: str) -> str:
    """The kind of a table of rows by its name: ``.csv``, ``.parquet`` or ``.jsonl``.

    Raises:
        OptionError: another extension.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in _FORMATS:
        raise OptionError(f"manifest {path}: expected a name that ends in {', '.join(_FORMATS)}")
    return extension


def manifest_bytes(rows: pd.DataFrame, path: str) -> bytes:
    """A table of rows as what `path` is called: ``.csv``, ``.parquet`` or ``.jsonl``.

    Names are as they are: escaped where they are not UTF-8, and never with a spreadsheet's
    apostrophe.
    """
    return _FORMATS[manifest_format(path)](rows)


def _as_parquet(rows: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    rows.to_parquet(file, index=False)
    return file.getvalue()


_FORMATS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    ".csv": lambda rows: rows.to_csv(index=False, lineterminator="\n").encode(),
    ".parquet": _as_parquet,
    ".jsonl": lambda rows: rows.to_json(orient="records", lines=True, force_ascii=False).encode(),
}


def run_path(manifest: str) -> str:
    """Where the record of the run is: beside the manifest, under its name unless the folder is
    dataprep's own.
    """
    folder = os.path.dirname(os.path.abspath(manifest))
    return (
        os.path.join(folder, RUN)
        if os.path.exists(os.path.join(folder, MARKER))
        else f"{os.path.abspath(manifest)}.{RUN}"
    )
