"""scan(): what a source is, and which reader reads it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, cast, get_args

import pandas as pd

from dataprep.errors import InputError, OptionError
from dataprep.ingest.folders import dataset_of, keep_wanted, refuse_empty, walk
from dataprep.ingest.grouping import grouped
from dataprep.ingest.lists import note_of_lists
from dataprep.ingest.manifests import scan_files, scan_hugging_face, scan_manifest
from dataprep.ingest.masks import leave_out_masks, mask_faults
from dataprep.ingest.memory.scanning import Labels, from_memory
from dataprep.ingest.paths.junk import ARCHIVES, extension_of
from dataprep.ingest.paths.resolving import expanded
from dataprep.ingest.selection import path_filter, sample_of
from dataprep.ingest.tables.reading import EXTENSIONS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.source import Reading

_Path = str | os.PathLike[str]
#: Places, lists of files, and whatever else holds images (see `scan`).
Source = _Path | Iterable[Any]
Masks = Literal["leave-out", "keep"]


def scan(
    source: Source | None = None,
    *,
    manifest: _Path | pd.DataFrame | None = None,
    files: Iterable[_Path] | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    encoding: str | None = None,
    label_separator: str | None = None,
    task: str | None = None,
    label_from: str | None = None,
    group_by: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
    masks: Masks = "leave-out",
    labels: Labels | None = None,
) -> Dataset:
    """The Dataset of a source, from metadata alone: nothing is written, and no image is opened but
    a few suspected masks.

    Args:
        source: a folder, an fsspec URL, a manifest (.csv, .tsv, .jsonl, .json, .parquet), or an
            iterable of files. Folders may be class folders (``root/CLASS/*``), split folders
            (``root/train/CLASS/*``), or one flat folder; a ``metadata.csv``, ``.jsonl`` or
            ``.parquet`` with a column ``file_name`` in it is read as the manifest. Or what lies in
            memory: a DataFrame with a column of paths or of images; images (PIL, bytes of files,
            arrays of uint8, uint16 or floats from 0 to 1 or 255) in a list, a list of (image,
            label), an array of shape (images, height, width, channels) or a mapping from name to
            image; a Hugging Face ``Dataset``; a torch data set of (image, target) with
            ``.classes``; or a mapping from the name of a split to such a data set. Images in memory
            are written without loss to a private temporary folder, which is removed with the last
            Dataset that speaks of them.
        manifest: lists the files, a file or a DataFrame; relative paths start from `source`, where
            given, or from the manifest's folder.
        files: files to take instead of a whole folder; relative paths start from `source`, where
            given, or from the working folder.
        path_column, label_column, split_column, group_column: the manifest's columns; guessed from
            their names when None.
        encoding, label_separator, task, label_from, group_by: see
            `dataprep.schemas.source.Reading`.
        include, exclude: globs on paths relative to the root; ``*`` crosses folders, and a folder's
            name takes all below it.
        sample: a quick look at so many random files, every class in proportion and at least once
            where it fits.
        seed: of the random sample.
        masks: "leave-out" takes masks that lie beside the pictures of a folder out of the samples
            and names them as faults (``mask-beside-image``); "keep" takes every file for a sample.
        labels: of images in memory: one for each in order, or a mapping from name to label.

    Returns:
        A Dataset whose ``faults`` hold every defect of the records with file and row
        (`dataprep.schemas.manifest.Manifest`), and whose ``ignored`` counts everything that was
        passed over. A file that a manifest lists and that does not exist is a fault and no sample;
        one that is listed twice is one sample, labelled as in its first row.

    Raises:
        InputError: the source is missing, is of a kind that is not read, holds nothing that may be
            an image, or leaves open which column is meant.
        OptionError: an option that does not go with the others, or out of range.

    Example:
        >>> import dataprep
        >>> dataset = dataprep.scan("sample_data/manifest/labels.csv")
        >>> len(dataset), dataset.task
        (60, 'classification')
        >>> dataset.samples.loc["images/images-004.jpg", "label"]
        'fruit'
    """
    if sample is not None and sample < 1:
        raise OptionError(f"option sample: expected a number of files of at least 1, got {sample}")
    if masks not in get_args(Masks):
        raise OptionError(
            f"option masks: expected one of {', '.join(get_args(Masks))}, got {masks!r}"
        )
    reading = Reading(
        path_column,
        label_column,
        split_column,
        group_column,
        encoding,
        label_separator,
        task,
        label_from,
        group_by,
    )
    if group_column is not None and group_by is not None:
        raise OptionError("--group-column and --group-by exclude each other: give one of them")
    keeps = path_filter(include, exclude)
    dataset = None
    if isinstance(manifest, pd.DataFrame):
        if files is not None:
            raise OptionError("give a manifest or a list of files, not both")
        root = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        dataset, _ = from_memory(manifest, labels, root, reading, keeps)
    elif source is not None and not isinstance(source, str | os.PathLike):
        if manifest is not None or files is not None:
            raise OptionError(
                "a list of files as source goes with neither a manifest nor another list of files"
            )
        dataset, files = from_memory(source, labels, None, reading, keeps)
        if dataset is None and not isinstance(files, Iterable):
            raise InputError(
                "expected a folder, an fsspec URL, a manifest or a list of files or of images, "
                f"got {source!r}"
            )
        source = None
    if dataset is None:
        if labels is not None:
            raise OptionError(
                "option labels: it goes with images in memory; labels of files are in folders or "
                "in a manifest"
            )
        place = None if source is None else expanded(os.fspath(cast(_Path, source)))
        table = None if manifest is None else expanded(os.fspath(cast(_Path, manifest)))
        dataset = _read(place, table, files, reading, keeps, masks == "leave-out")
    if reading.group_by is not None:
        dataset = grouped(dataset, reading.group_by)
    return dataset if sample is None else sample_of(dataset, sample, seed)


def _read(
    source: str | None,
    manifest: str | None,
    files: Iterable[_Path] | None,
    reading: Reading,
    keeps: Callable[[str], bool] | None,
    without_masks: bool,
) -> Dataset:
    if manifest is not None and files is not None:
        raise OptionError("give a manifest or a list of files, not both")
    if source is not None and manifest is None and files is None and _is_manifest(source):
        source, manifest = None, source
    if source is not None:
        _refuse_archive(source)
    if manifest is not None:
        return scan_manifest(manifest, source, reading, keeps)
    if files is not None:
        _refuse_columns(reading)
        return scan_files([os.fspath(file) for file in files], source, reading, keeps)
    if source is None:
        raise InputError("nothing to scan: give a folder, a manifest or a list of files")
    return _read_folder(source, reading, keeps, without_masks)


def _read_folder(
    source: str, reading: Reading, keeps: Callable[[str], bool] | None, without_masks: bool
) -> Dataset:
    tree = walk(source)
    refuse_empty(tree)
    if tree.metadata:
        dataset = scan_hugging_face(tree, reading, keeps)
        if dataset is not None:
            return dataset
    _refuse_columns(reading)
    keep_wanted(tree, keeps)
    left_out = leave_out_masks(tree) if without_masks else []
    dataset = dataset_of(tree, reading)
    dataset = replace(dataset, notes=(*dataset.notes, *note_of_lists(source)))
    return (
        replace(
            dataset, faults=pd.concat([dataset.faults, mask_faults(left_out)], ignore_index=True)
        )
        if left_out
        else dataset
    )


def _is_manifest(source: str) -> bool:
    return extension_of(source) in EXTENSIONS and ("://" in source or os.path.isfile(source))


def _refuse_archive(source: str) -> None:
    extension = extension_of(source)
    if extension not in ARCHIVES or os.path.isdir(source) or "::" in source:
        return
    name = posixpath.basename(source.replace(os.sep, "/"))
    command = ARCHIVES[extension].format(name=name, stem=name[: -len(extension) - 1])
    kind = " (perhaps WebDataset shards)" if extension == "tar" else ""
    raise InputError(
        f"{source} is an archive{kind}, and archives are not opened: unpack it ({command}) and "
        "give the folder"
    )


def _refuse_columns(reading: Reading) -> None:
    given = [f"--{role}-column" for role, name in reading.columns.items() if name is not None]
    if reading.encoding is not None:
        raise OptionError(
            "--encoding: it is that of a manifest's text, and there is none: give --manifest FILE"
        )
    if given:
        raise OptionError(
            f"{' and '.join(given)}: columns are those of a manifest, and there is none: give "
            "--manifest FILE"
        )
