"""A split as files, in a new folder that appears whole or not at all. The images are read or
linked to, never written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from dataprep.cleaning.folders import folder_name, own_folders, unique_paths
from dataprep.cleaning.staging import refuse_changed, refuse_place, staged, write_record
from dataprep.errors import OptionError
from dataprep.progress import Progress
from dataprep.schemas.split import PART
from dataprep.schemas.text.class_order import is_text_order
from dataprep.schemas.text.names import escape_name, unescape_name
from dataprep.splits.export.files import write_metadata, write_rows, write_yolo
from dataprep.splits.export.links import Link, placer
from dataprep.splits.export.shards import ShardLimits, write_shards
from dataprep.splits.export.views import (
    Rows,
    assignments,
    classes_of,
    has_repeats,
    labels_of,
    views,
)

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

Kind = Literal["folders", "webdataset", "huggingface", "yolo"]

#: In a folder that `materialise` made: what it put there, so that a later run replaces that and
#: nothing else.
RECORD = ".dataprep-split.json"
#: Which sample each file is: file, sample, label, split, unit.
FILES = "files.csv"

_REPORT_EVERY = 256
_LISTED = 5
_SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
}
#: Bytes that are not UTF-8, as Python shows them.
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_KNOWN = frozenset((*_SUFFIXES.values(), ".jpeg", ".tiff", ".ppm", ".pgm"))


@dataclass(frozen=True)
class Materialised:
    """What was made of a split.

    Attributes:
        folder: the new folder.
        kind: what it holds.
        parts: path of each part in the folder (``train``, ``fold1/val``) to its samples.
        linked: files that are links to the originals.
        copied: files that are copies; samples in shards count here.
        notes: what somebody who goes on from here has to know, in words.
    """

    folder: str
    kind: Kind
    parts: Mapping[str, int]
    linked: int = 0
    copied: int = 0
    notes: tuple[str, ...] = ()


def materialise(
    split: Split,
    folder: str | os.PathLike[str],
    kind: Kind = "folders",
    *,
    link: Link = "auto",
    shard_samples: int = 10_000,
    shard_mb: float = 1000.0,
    progress: Progress | None = None,
) -> Materialised:
    """Lay a split out in a new folder, for a training program to read.

    Folds become ``fold1/train`` and ``fold1/val`` (all other folds, and the fold), so that each can
    be trained on as it is; parts that are no folds (a test set kept apart) stand in each of them.
    Hugging Face folders and shards hold each fold once, to be combined by the reader. The same
    split gives the same names and, in shards and tables, the same bytes.

    Args:
        split: a finished split.
        folder: new or empty, or what an earlier call made there, which is replaced whole.
        kind: "folders" (PART/CLASS/file, PART/file without labels; also what YOLO's classification
            reads), "webdataset" (tar shards PART-000000.tar), "huggingface" (PART/file and
            PART/metadata.csv) or "yolo" (train.txt, val.txt, data.yaml; the images stay where they
            are).
        link: how files come into the folder, see `dataprep.splits.export.links.placer`; of no
            effect on shards and YOLO lists.
        shard_samples: most samples in one shard, at least 1.
        shard_mb: most megabytes in one shard, unless one sample alone has more.
        progress: called with (stage, done, total, note) now and then.

    Raises:
        OptionError: an unknown kind or link, links that cannot be made, labels or names that the
            kind cannot hold.
        InputError: the folder lies among the images or around them, or holds files that are not
            ours.
        FingerprintError: files are gone or changed their size since they were measured.
        OutputError: the folder cannot be written; nothing of it is left then.
    """
    if kind not in get_args(Kind):
        raise OptionError(f"option as: expected one of {', '.join(get_args(Kind))}, got {kind!r}")
    folder = os.path.abspath(os.fspath(folder))
    refuse_place(split.dataset, folder, RECORD)
    split, notes = _without_missing(split)
    job = _Job(split, folder, link, ShardLimits(shard_samples, shard_mb), progress)
    if not split.dataset.is_remote:
        refuse_changed(split.dataset)
    with staged(folder) as stage:
        made = {
            "folders": _folders,
            "webdataset": _shards,
            "huggingface": _huggingface,
            "yolo": _yolo,
        }[kind](job, stage)
        write_record(stage, RECORD, "dataprep split", sum(made.parts.values()))
    return replace(made, kind=kind, notes=(*notes, *made.notes))


@dataclass(frozen=True, eq=False)
class _Job:
    split: Split
    folder: str
    link: Link
    limits: ShardLimits
    progress: Progress | None

    @property
    def dataset(self) -> Dataset:
        return self.split.dataset

    def report(self, done: int, total: int) -> None:
        if self.progress is not None and done % _REPORT_EVERY == 0:
            self.progress("files", done, total, "")

    def made(self, parts: Mapping[str, int], **columns: Any) -> Materialised:
        return Materialised(self.folder, "folders", dict(parts), **columns)


def _folders(job: _Job, stage: str) -> Materialised:
    heads, notes = _class_folders(job.dataset)
    plan = {
        os.path.join(view.folder, folder_name(part)): (part, rows, _names(job.dataset, rows, heads))
        for view in views(job.split)
        for part, rows in view.parts.items()
    }
    linked, copied = _place(job, stage, plan)
    write_rows(os.path.join(stage, FILES), job.dataset, plan)
    parts = {place.replace(os.sep, "/"): len(rows) for place, (_, rows, _) in plan.items()}
    notes = (*notes, *_other_numbers(job.dataset), *_absent_classes(job.dataset, plan))
    return job.made(parts, linked=linked, copied=copied, notes=notes)


def _huggingface(job: _Job, stage: str) -> Materialised:
    if has_repeats(job.split):
        raise _one_division("huggingface")
    (_, parts), *_ = assignments(job.split)
    plan = {
        folder_name(part): (part, rows, _names(job.dataset, rows, None))
        for part, rows in parts.items()
    }
    linked, copied = _place(job, stage, plan)
    notes = write_metadata(stage, job.dataset, plan)
    write_rows(os.path.join(stage, FILES), job.dataset, plan)
    return job.made(
        {place: len(rows) for place, (_, rows, _) in plan.items()},
        linked=linked,
        copied=copied,
        notes=notes,
    )


def _shards(job: _Job, stage: str) -> Materialised:
    if has_repeats(job.split):
        raise _one_division("webdataset")
    (_, parts), *_ = assignments(job.split)
    plan = {folder_name(part): (part, rows) for part, rows in parts.items()}
    keys = write_shards(stage, job.dataset, plan, job.limits, job.report)
    with_keys = {place: (part, *keys[place]) for place, (part, _) in plan.items()}
    write_rows(os.path.join(stage, FILES), job.dataset, with_keys)
    unlabelled = labels_of(job.dataset).count(None) if job.dataset.task == "classification" else 0
    notes = (
        (f"{unlabelled:,} samples have no label, and no .cls in the shards",) if unlabelled else ()
    )
    counts = {place: len(rows) for place, (_, rows) in plan.items()}
    return job.made(counts, copied=sum(counts.values()), notes=notes)


def _yolo(job: _Job, stage: str) -> Materialised:
    counts: dict[str, int] = {}
    for view in views(job.split):
        place = os.path.join(stage, *view.folder.split("/")) if view.folder else stage
        final = os.path.join(job.folder, *view.folder.split("/")) if view.folder else job.folder
        os.makedirs(place, exist_ok=True)
        write_yolo(place, final, job.dataset, view.parts)
        counts |= {
            "/".join(filter(None, (view.folder, folder_name(part)))): len(rows)
            for part, rows in view.parts.items()
        }
    notes = ("for YOLO's classification, which reads class folders, take --as folders",)
    return job.made(counts, notes=notes if job.dataset.task == "classification" else ())


def _place(
    job: _Job, stage: str, plan: Mapping[str, tuple[str, Rows, list[str]]]
) -> tuple[int, int]:
    """Put the files in their places; gives how many are links and how many copies."""
    put = placer(job.dataset, job.link)
    total, linked = sum(len(rows) for _, rows, _ in plan.values()), 0
    for done, (sample, target) in enumerate(_targets(job.dataset, stage, plan)):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        linked += put(job.dataset.path(sample), target)
        job.report(done, total)
    return linked, total - linked


def _targets(
    dataset: Dataset, stage: str, plan: Mapping[str, tuple[str, Rows, list[str]]]
) -> Iterator[tuple[str, str]]:
    samples = dataset.samples.index
    for place, (_, rows, names) in plan.items():
        for row, name in zip(rows.tolist(), names, strict=True):
            yield str(samples[row]), os.path.join(stage, place, *name.split("/"))


def _names(dataset: Dataset, rows: Rows, heads: list[str] | None) -> list[str]:
    """Path of each row's file in its part: in class folders under the same name, else under one
    that every table holds.
    """
    paths = [unescape_name(str(dataset.samples.index[row])) for row in rows.tolist()]
    bases = [
        path.replace("\\", "/").rpartition("/")[2] if os.name == "nt" else path.rpartition("/")[2]
        for path in paths
    ]
    if heads is None:
        return unique_paths(
            [_plain(base, kind) for base, kind in zip(bases, _formats(dataset, rows), strict=True)]
        )
    bases = [folder_name(base) if base in ("", ".", "..") else base for base in bases]
    return unique_paths(
        [
            "/".join(filter(None, (heads[row], base)))
            for row, base in zip(rows.tolist(), bases, strict=True)
        ]
    )


def _plain(base: str, kind: str) -> str:
    """A file name that a table in UTF-8 holds, that no reader takes for hidden, and that ends as
    images do.
    """
    name = _NOT_TEXT.sub("_", folder_name(escape_name(base)))
    name = f"image{name}" if name.startswith("__") else name
    suffix = os.path.splitext(name)[1].lower()
    return name if suffix in _KNOWN else name + _SUFFIXES.get(kind, "")


def _formats(dataset: Dataset, rows: Rows) -> Iterable[str]:
    if "format" not in dataset.samples:
        return [""] * len(rows)
    return [str(value) for value in dataset.samples["format"].iloc[rows]]


def _class_folders(dataset: Dataset) -> tuple[list[str], tuple[str, ...]]:
    """(n,) name of each sample's class folder, "" without labels.

    Raises:
        OptionError: there is not one class for each sample, or two classes would share a folder.
    """
    if dataset.task == "none":
        return [""] * len(dataset), ()
    if dataset.task != "classification":
        fitting = (
            "yolo" if dataset.task in ("detection", "segmentation") else "huggingface or webdataset"
        )
        raise OptionError(
            f"--as folders needs one class for each sample, not {dataset.task} labels: take --as "
            f"{fitting}"
        )
    labels = labels_of(dataset)
    if None in labels:
        lacking = [
            str(name)
            for name, label in zip(dataset.samples.index, labels, strict=True)
            if label is None
        ]
        raise OptionError(
            f"--as folders needs a label for every sample, and {len(lacking):,} of "
            f"{len(dataset):,} have none "
            f"({', '.join(lacking[:_LISTED])}{', ...' * (len(lacking) > _LISTED)}): label or drop "
            "them, or take --as huggingface"
        )
    table = own_folders(
        sorted({str(label) for label in labels}), "label", "relabel one, or take --as huggingface"
    )
    renamed = [
        f"{label!r} is in the folder {name!r}" for label, name in table.items() if label != name
    ]
    return [table[str(label)] for label in labels], tuple(f"class {text}" for text in renamed)


def _other_numbers(dataset: Dataset) -> Iterator[str]:
    """What readers that number the folders by their names as text make of classes that are
    numbers.
    """
    classes = classes_of(dataset)
    if not is_text_order(classes):
        pairs = enumerate(zip(classes, sorted(classes), strict=True))
        number, ours, theirs = next(
            (number, ours, theirs) for number, (ours, theirs) in pairs if ours != theirs
        )
        yield (
            "readers that number the folders in the order of text (torchvision's ImageFolder) "
            f"give {theirs!r} the number "
            f"{number}, which is {ours!r} in every other output of dataprep: go by the names of "
            "the folders"
        )


def _absent_classes(
    dataset: Dataset, plan: Mapping[str, tuple[str, Rows, list[str]]]
) -> Iterator[str]:
    """Parts without a class: readers that number the folders they find would number them
    otherwise there.
    """
    labels = np.asarray(labels_of(dataset), dtype=object)
    known = set(classes_of(dataset))
    for place, (_, rows, _) in plan.items():
        absent = sorted(known - set(labels[rows].tolist()))
        if absent:
            named = ", ".join(map(repr, absent[:_LISTED])) + ", ..." * (len(absent) > _LISTED)
            yield (
                f"{place} has no {named}: a reader that numbers the folders it finds numbers "
                "them otherwise there"
            )


def _without_missing(split: Split) -> tuple[Split, tuple[str, ...]]:
    """The split without samples that were known to have no file, or that have no part, and how
    many they were.
    """
    samples, notes = split.dataset.samples, []
    left_out = np.zeros(len(samples), bool)
    for column, why in (("lost", "no file"), (PART, "no part")):
        if column not in samples:
            continue
        lacking = (
            samples[column].isna() if column == PART else samples[column].astype("str") == "missing"
        ).to_numpy(dtype=bool)
        if lacking.any():
            named = ", ".join(map(str, samples.index[lacking][:_LISTED]))
            notes.append(f"{int(lacking.sum()):,} samples have {why} and were left out ({named})")
            left_out |= lacking
    return (
        replace(split, dataset=split.dataset.where(~left_out)) if left_out.any() else split
    ), tuple(notes)


def _one_division(kind: str) -> OptionError:
    return OptionError(
        f"--as {kind} holds one division, and this split was made several times over: take --as "
        "folders or yolo"
    )
