"""In-memory sources to a Dataset: tables of paths as they are, images through a private temporary
folder.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

import pandas as pd

from dataprep.errors import InputError, OptionError
from dataprep.ingest.manifests import scan_rows
from dataprep.ingest.memory.encoding import Encoded, NoImage, encode, is_image, scale_of
from dataprep.ingest.memory.sources import (
    Item,
    classes_of,
    files_of,
    holds_images,
    is_hugging_face,
    is_pairs,
    items_of,
    label_of,
)
from dataprep.ingest.memory.spool import Spool
from dataprep.ingest.paths.junk import extension_of
from dataprep.ingest.tables.table import Table
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.source import Reading
from dataprep.schemas.text.names import unescape_name

#: The labels of images in memory: one for each in order, or by name.
Labels = Iterable[Any] | Mapping[str, Any]
Keeps = Callable[[str], bool] | None
#: So many images are looked at to see how floating point pixels are scaled, and so many elements to
#: see whether they are images.
_LOOKED_AT, _PEEKED = 32, 8


def from_memory(
    source: Any, labels: Labels | None, root: str | None, reading: Reading, keeps: Keeps
) -> tuple[Dataset | None, Any]:
    """The Dataset of what lies in memory, or None and `source` itself, unread, where it is a place
    or a list of files.

    Raises:
        InputError: none of the images can be used, or it is open which column is meant.
        OptionError: labels that do not go with the source.
        OutputError: the temporary folder cannot be written.
    """
    if isinstance(source, pd.DataFrame) or (
        hasattr(source, "to_pandas") and hasattr(source, "schema")
    ):
        return _from_frame(
            source if isinstance(source, pd.DataFrame) else source.to_pandas(),
            labels,
            root,
            reading,
            keeps,
        ), None
    if is_image(source) and len(getattr(source, "shape", ())) < 3:
        got = f"one image ({type(source).__name__})"
        raise InputError(
            "expected a folder, an fsspec URL, a manifest or a list of files or of images, got "
            f"{got}"
        )
    if (
        isinstance(source, Mapping)
        and source
        and all(isinstance(value, str) for value in source.values())
    ):
        frame = pd.DataFrame({"path": list(map(str, source)), "label": list(source.values())})
        return scan_rows(
            _table(frame), "the mapping", {"path": "path", "label": "label"}, root, reading, keeps
        ), None
    if hasattr(source, "batch_sampler") and hasattr(source, "dataset"):
        source = source.dataset  # of torch's DataLoader, in its own order
    listed = _listed_files(source) if labels is None else None
    if listed is not None:
        roles = {role: role for role in listed.columns}
        return scan_rows(listed, "the data set", roles, None, reading, keeps), None
    if (
        is_hugging_face(source)
        or isinstance(source, Mapping)
        or hasattr(source, "shape")
        or is_pairs(source)
    ):
        return _spooled(items_of(source, reading.label_column), labels, reading, keeps), None
    if not isinstance(source, Iterable):
        return None, source
    rest = iter(source)
    first = list(islice(rest, _PEEKED))
    whole = source if isinstance(source, list | tuple) else chain(first, rest)
    if any(map(holds_images, first)):
        return _spooled(items_of(whole, reading.label_column), labels, reading, keeps), None
    if first and not isinstance(first[0], str | os.PathLike):
        got = f"a {type(source).__name__} of {type(first[0]).__name__}"
        raise InputError(f"expected paths or images (PIL, bytes, arrays), got {got}")
    return None, whole


def _from_frame(
    frame: pd.DataFrame, labels: Labels | None, root: str | None, reading: Reading, keeps: Keeps
) -> Dataset:
    if labels is not None:
        raise OptionError(
            "option labels: a table has its labels in a column: name it with label_column"
        )
    if not len(frame):
        raise InputError("the table has no rows")
    frame = frame.rename(columns=str)
    images = [name for name in frame if is_image(next(iter(frame[name].dropna()), None))]
    if not images:
        return scan_rows(
            _table(frame), "the table", None, root, reading, keeps, whole=root is not None
        )
    records = (
        {**row} for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    )
    return _spooled(items_of(records, reading.label_column), None, reading, keeps)


def _table(frame: pd.DataFrame) -> Table:
    given = frame.astype(object).where(frame.notna(), None)
    return Table(
        {str(name): given[name].tolist() for name in given}, list(range(1, len(given) + 1))
    )


def _listed_files(source: Any) -> Table | None:
    """The files of a data set that reads its images from files, or of several by split; None for
    others.
    """
    parts = source if isinstance(source, Mapping) else {"": source}
    columns: dict[str, list[Any]] = {
        "path": [],
        "label": [],
        **({"split": []} if isinstance(source, Mapping) else {}),
    }
    for split, part in parts.items():
        files = files_of(part) if is_pairs(part) else None
        if files is None:
            return None
        classes = classes_of(part)
        columns["path"] += [path for path, _ in files]
        columns["label"] += [label_of(target, classes) for _, target in files]
        if "split" in columns:
            columns["split"] += [str(split)] * len(files)
    return Table(columns, list(range(1, len(columns["path"]) + 1))) if columns["path"] else None


@dataclass
class _Columns:
    """What is gathered while images are written."""

    paths: list[str] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)

    def add(self, path: str, extension: str, columns: Mapping[str, Any]) -> None:
        """A row; columns that other rows have and this one lacks, or the other way about, are
        missing there.
        """
        for name in columns:
            if name not in self.values:
                self.values[name] = [None] * len(self.paths)
        for name, values in self.values.items():
            values.append(columns.get(name))
        self.paths.append(path)
        self.extensions.append(extension)


def _spooled(
    items: Iterator[Item], labels: Labels | None, reading: Reading, keeps: Keeps
) -> Dataset:
    """The Dataset of images that are written to a folder, one after another, which goes with it."""
    spool = Spool()
    try:
        columns = _written(items, labels, spool)
        if not columns.paths:
            raise InputError("there are no images: the list, mapping or data set is empty")
        roles: dict[str, str] = {
            "path": "\0path",
            **{role: role for role in ("label", "split", "group") if role in columns.values},
        }
        values: dict[str, list[Any]] = {
            "\0path": [f"{spool.folder}/{path}" for path in columns.paths],
            **columns.values,
        }
        table = Table(values, list(range(1, len(columns.paths) + 1)))
        dataset = scan_rows(table, "images from memory", roles, spool.folder, reading, keeps)
        extensions: dict[str, str] = dict(zip(columns.paths, columns.extensions, strict=True))
        names = [unescape_name(str(name)) for name in dataset.samples.index]
        dataset = dataset.assign(extension=[extensions[name] for name in names])
        return replace(dataset, holds=spool, notes=(*columns.notes, *dataset.notes))
    except BaseException:
        spool.close()
        raise


def _written(items: Iterator[Item], labels: Labels | None, spool: Spool) -> _Columns:
    columns, given = _Columns(), _given(labels)
    head = list(islice(items, _LOOKED_AT))
    scale = scale_of([item.image for item in head])
    refused: list[str] = []
    rounded = 0
    for row, item in enumerate(chain(head, items)):
        encoded = _encoded(item, scale, row, refused)
        rounded += encoded.rounded
        name = item.name or f"{row:06d}" + (f".{encoded.extension}" if encoded.extension else "")
        known = dict(item.columns)
        if isinstance(given, list):
            known["label"] = label_of(given[row], ()) if row < len(given) else None
        elif given is not None:
            known["label"] = label_of(given.get(item.name), ())
        path = spool.add(name, encoded.data)
        columns.add(path, encoded.extension if encoded.ours else extension_of(path), known)
    count = len(columns.paths)
    if isinstance(given, list) and len(given) != count:
        raise OptionError(
            f"option labels: expected {count:,}, one for each image, got {len(given):,}"
        )
    if refused and len(refused) == count:
        raise InputError(
            f"none of the {count:,} elements is an image that can be used: {refused[0]}"
        )
    columns.notes += _notes(count, refused, rounded, spool.renamed)
    return columns


def _encoded(item: Item, scale: Any, row: int, refused: list[str]) -> Encoded:
    """The file of an image; an empty one where it is none, which is then a sample that cannot be
    read.
    """
    try:
        if isinstance(item.image, NoImage):
            raise item.image
        return encode(item.image, scale)
    except NoImage as error:
        refused.append(f"{item.name or f'image {row}'}: {error}")
        return Encoded(b"", "")


def _given(labels: Labels | None) -> list[Any] | Mapping[str, Any] | None:
    if labels is None or isinstance(labels, Mapping):
        return labels
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise OptionError(
            "option labels: expected one label for each image, or a mapping from name to label, "
            f"got {labels!r}"
        )
    return list(labels)


def _notes(count: int, refused: Sequence[str], rounded: int, renamed: int) -> list[str]:
    notes = []
    if refused:
        notes.append(
            f"{len(refused):,} of {count:,} elements are no usable images, and count as empty "
            f"files: {refused[0]}"
        )
    if rounded:
        notes.append(
            f"{rounded:,} of {count:,} images have fractional pixels, which were rounded to 8 bits"
        )
    if renamed:
        notes.append(
            f"{renamed:,} of {count:,} images have another name here: theirs was taken, or no file "
            "can have it"
        )
    return notes
