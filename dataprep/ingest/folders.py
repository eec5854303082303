"""Folders to a Dataset: class folders, split folders, one flat folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from dataprep.errors import InputError
from dataprep.ingest.labels.parsing import read_classes
from dataprep.ingest.labels.sources import (
    LabelledSamples,
    refuse_task_without_labels,
    with_label_options,
)
from dataprep.ingest.layouts import Layout, read_layout
from dataprep.ingest.paths.resolving import absolute
from dataprep.ingest.paths.walk import Tree, walk_folder, walk_url
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.manifest import counts_of, faults_of, spelling_faults, unknown_split_faults
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.source import Reading
from dataprep.schemas.text.names import escape_name


def walk(source: str) -> Tree:
    """The tree below a folder or an fsspec URL.

    Raises:
        InputError: there is no such folder, or it cannot be read at all.
    """
    if "://" in source:
        return walk_url(source)
    place = absolute(source)
    if not os.path.isdir(place):
        raise InputError(_why_no_folder(source))
    tree = walk_folder(place)
    if "" in tree.unreadable:
        raise InputError(f"cannot read the folder {source}: {tree.unreadable['']}")
    return tree


def dataset_of(tree: Tree, reading: Reading | None = None) -> Dataset:
    """The Dataset of a tree with at least one candidate file.

    Raises:
        InputError: the folders do not name what the options label_from and task ask for.
    """
    reading = reading or Reading()
    counts = {folder: len(names) for folder, names in tree.folders.items()}
    layout = read_layout(counts, reading.label_from)
    index = pd.Index([escape_name(path) for path in tree.paths()], name="sample", dtype="str")
    samples = pd.DataFrame(index=index)
    sizes = list(counts.values())
    for name, values in (("label", layout.labels), ("split", layout.splits)):
        if values:
            samples[name] = _repeated([values.get(folder) for folder in counts], sizes)
    faults = pd.concat(
        [unreadable_faults(tree), _layout_faults(tree, layout, samples)], ignore_index=True
    )
    labelled = LabelledSamples(samples, "classification" if layout.labels else "none", layout.notes)
    if layout.labels:
        labelled = with_label_options(labelled, reading)
    refuse_task_without_labels(labelled, reading)
    classes = read_classes(labelled.table, labelled.task)[0]
    ignored = dict(sorted(tree.ignored.items()))
    return Dataset(
        tree.root,
        labelled.table,
        labelled.task,
        classes,
        faults=faults,
        ignored=ignored,
        notes=labelled.notes,
    )


def keep_wanted(tree: Tree, keeps: Callable[[str], bool] | None) -> None:
    """Leave in `tree` what `keeps` wants, and count the rest.

    Raises:
        InputError: nothing is left.
    """
    if keeps is None:
        return
    before = len(tree)
    for folder, names in list(tree.folders.items()):
        prefix = f"{folder}/" if folder else ""
        tree.folders[folder] = [name for name in names if keeps(escape_name(prefix + name))]
        if not tree.folders[folder]:
            del tree.folders[folder]
    if before > len(tree):
        tree.ignored["files left out by include and exclude"] += before - len(tree)
    if not tree.folders:
        raise InputError(
            f"include and exclude leave none of the {before:,} files in {tree.root}. A glob is "
            "held against the path "
            "relative to that folder, such as 'train/*' or '*.jpg'"
        )


def refuse_empty(tree: Tree) -> None:
    """Raise InputError when no file of `tree` may be an image, saying what is there instead."""
    if tree.folders:
        return
    found = (
        ", ".join(f"{count:,} {kind}" for kind, count in tree.ignored.most_common(5))
        or "nothing at all"
    )
    archives = [kind for kind in tree.ignored if kind.startswith("archives")]
    what_to_do = ". Unpack the archives first" if archives else ""
    unreadable = f"; {len(tree.unreadable):,} folders cannot be read" if tree.unreadable else ""
    raise InputError(f"no image files in {tree.root}, found {found}{unreadable}{what_to_do}")


def unreadable_faults(tree: Tree) -> pd.DataFrame:
    """A fault per folder that could not be listed."""
    folders = sorted(tree.unreadable)
    return faults_of(
        "unreadable-folder",
        [escape_name(folder) for folder in folders],
        evidence=[{"why": tree.unreadable[folder]} for folder in folders],
    )


def _layout_faults(tree: Tree, layout: Layout, samples: pd.DataFrame) -> pd.DataFrame:
    loose = [
        escape_name(f"{folder}/{name}" if folder else name)
        for folder in layout.loose
        for name in tree.folders[folder]
    ]
    parts = [faults_of("empty-label", loose, evidence={"why": "it lies outside the class folders"})]
    if layout.labels:
        parts.append(spelling_faults(counts_of(samples["label"])))
    if layout.splits:
        parts.append(unknown_split_faults(counts_of(samples["split"])))
    return pd.concat(parts, ignore_index=True)


def _repeated(values: Sequence[str | None], sizes: Sequence[int]) -> pd.Categorical:
    """A categorical of `values`, each repeated; None is missing."""
    escaped = [None if value is None else escape_name(value) for value in values]
    categories = sorted({value for value in escaped if value is not None})
    code = {value: position for position, value in enumerate(categories)}
    codes = np.array([-1 if value is None else code[value] for value in escaped], dtype=np.int64)
    return pd.Categorical.from_codes(
        np.repeat(codes, sizes), categories=pd.Index(categories, dtype="str")
    )


def _why_no_folder(source: str) -> str:
    if os.path.lexists(source):
        return (
            f"{source} is not a folder: give a folder of images, a manifest (.csv, .jsonl, "
            ".json, .parquet), or --files LIST"
        )
    parent = os.path.dirname(absolute(source))
    if not os.path.isdir(parent):
        return f"there is no folder {source} (nor {parent}); the working folder is {absolute('')}"
    try:
        near = [entry.name for entry in os.scandir(parent) if entry.is_dir()]
    except OSError:
        near = []
    hint = (
        did_you_mean(os.path.basename(absolute(source)), near)
        if near
        else "The folder above it is empty."
    )
    return f"there is no folder {source}. {hint}"
