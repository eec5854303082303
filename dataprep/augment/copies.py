"""Changed copies of training images in a folder of their own, with a manifest of where each came
from.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.augment.balance import MOST_COPIES, BalancedSampler
from dataprep.augment.copying import Item
from dataprep.augment.policies import Policy
from dataprep.augment.probe import options_of
from dataprep.backends import imap
from dataprep.cleaning.folders import distinct_folders, shortened
from dataprep.cleaning.staging import staged
from dataprep.errors import FingerprintError, InputError, OptionError, OutputError
from dataprep.measures.decode.thumbnails import read_remote
from dataprep.progress import Progress
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import STAGE_LIMIT, reading
from dataprep.schemas.files.writing import mark_output
from dataprep.schemas.lost import Lost
from dataprep.schemas.split import PART, UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

#: Files in the folder beside the copies.
MANIFEST, POLICY = "augmented.csv", "policy.yaml"
FORMATS = {"png": "PNG", "jpeg": "JPEG"}
#: Bytes of an original's name that its copies have in theirs.
_STEM_BYTES = 200


@dataclass(frozen=True)
class Copies:
    """What was written.

    Attributes:
        folder: where.
        manifest: its list of copies: path, label, split, unit, source, policy, seed, copy.
        counts: class to images with the copies.
        copies: files written.
        lost: sample to why it could not be copied.
    """

    folder: str
    manifest: str
    counts: Mapping[str, int]
    copies: int
    lost: Mapping[str, str]


def materialise_augmented(
    source: Audit | Split | Dataset,
    folder: str | os.PathLike[str],
    policy: Policy,
    *,
    part: str = "train",
    fold: str | int | None = None,
    ratio: float = 1.0,
    seed: int = 0,
    most: int = MOST_COPIES,
    format: str = "png",
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> Copies:
    """Write changed copies of training images until no class is smaller than `ratio` times the
    largest.

    Only training rows are copied. Each copy stands in the manifest with its original's split and
    unit, so that a later division by the column ``unit`` keeps it with its original;
    `verify_copies` refuses copies that another division has moved apart. The folder appears when it
    is whole: a killed run leaves none. The user's images are not touched.

    Args:
        source: a split, or a data set with the column ``split``.
        folder: a new folder, outside of the images.
        policy: how copies are changed.
        part: the part for training, as for `dataprep.fit_normaliser`.
        fold: for k folds: copy images of all but this one.
        ratio: as for `balanced_counts`.
        seed: of the copies.
        most: times that an image stands in the result at most, itself included.
        format: "png" (no loss) or "jpeg" (quality 95).
        options: limits of reading and decoding, workers.
        progress: called with (stage, done, total, note).

    Raises:
        InputError: the data is not divided, none of its parts is for training, there are no labels,
            or no image to copy is readable.
        OptionError: an unknown format, the policy none, a figure out of range, a part or fold that
            is not for training, or a task other than classification.
        OutputError: the folder is there already, or cannot be written.
    """
    if format not in FORMATS:
        raise OptionError(f"format: expected one of {', '.join(FORMATS)}, got {format!r}")
    if not policy.steps:
        raise OptionError(
            "the policy none changes nothing, so that its copies would be duplicates: choose "
            "another"
        )
    dataset = source if not hasattr(source, "dataset") else source.dataset
    if not dataset.has(PART):
        raise InputError(
            "copies are made of training images alone, and the data is not divided: run dataprep "
            "split first"
        )
    folder = _new_folder(os.path.abspath(folder), dataset)
    sampler = BalancedSampler(source, part=part, fold=fold, ratio=ratio, seed=seed, most=most)
    table = _planned(sampler, policy, seed, format)
    with staged(folder) as stage:
        mark_output(stage)
        lost = _write(
            table,
            sampler.dataset,
            stage,
            policy,
            seed,
            format,
            options or options_of(source),
            progress,
        )
        table = _without(table, lost)
        table.to_csv(os.path.join(stage, MANIFEST), index=False)
        policy.save(os.path.join(stage, POLICY))
    labels = [*sampler.dataset.samples["label"].astype("str"), *table["label"]]
    counts = {str(name): int(count) for name, count in pd.Series(labels).value_counts().items()}
    return Copies(folder, os.path.join(folder, MANIFEST), counts, len(table), lost)


def _new_folder(folder: str, dataset: Dataset) -> str:
    if os.path.lexists(folder):
        raise OutputError(
            f"{folder} is there already: copies go to a new folder; choose another or move it away"
        )
    if not dataset.is_remote:
        root, place = os.path.realpath(dataset.root), os.path.realpath(folder)
        if os.path.commonpath((root, place)) == root:
            raise OutputError(
                f"{folder} lies in the folder of the images ({dataset.root}), which is never "
                "written to: choose another"
            )
    return folder


def _planned(sampler: BalancedSampler, policy: Policy, seed: int, format: str) -> pd.DataFrame:
    """One row per copy; the originals (copy 0) stay where they are."""
    samples = sampler.dataset.samples
    turns = sorted(
        (turn for turn in sampler.epoch(0) if turn.copy), key=lambda turn: (turn.sample, turn.copy)
    )
    rows = samples.iloc[[turn.row for turn in turns]]
    folders = distinct_folders(rows["label"].astype("str").unique())
    heads = [folders[str(label)] for label in rows["label"]]
    return pd.DataFrame(
        {
            "path": [
                _path(head, turn.row, turn.sample, turn.copy, format)
                for head, turn in zip(heads, turns)
            ],
            "label": rows["label"].astype("str").to_numpy(),
            "split": rows[PART].astype("str").to_numpy(),
            "unit": _units_of(rows),
            "source": [turn.sample for turn in turns],
            "policy": policy.name,
            "seed": seed,
            "copy": [turn.copy for turn in turns],
        }
    )


def _units_of(rows: pd.DataFrame) -> NDArray[np.object_]:
    """(n,) what each row has to stay together with: its unit, or else its group; itself where it
    has none.
    """
    units = (
        rows[UNIT] if UNIT in rows else rows["group"] if "group" in rows else rows.index.to_series()
    )
    texts = units.astype("str").to_numpy(dtype=object)
    alone = units.isna().to_numpy() | (texts == "")
    return np.asarray(np.where(alone, rows.index.to_numpy(dtype=object), texts))


def _path(folder: str, row: int, sample: str, copy: int, format: str) -> str:
    """A name that any system takes, and that no two copies share."""
    stem = shortened(
        re.sub(r"[^\w.-]+", "_", os.path.splitext(sample)[0]).strip(".")[:80] or "_", _STEM_BYTES
    )
    return f"{folder}/{stem}-{row}-copy{copy}.{'jpg' if format == 'jpeg' else format}"


def _write(
    table: pd.DataFrame,
    dataset: Dataset,
    folder: str,
    policy: Policy,
    seed: int,
    format: str,
    options: PassOptions,
    progress: Progress | None,
) -> dict[str, str]:
    """Write the copies; sample to why it could not be decoded."""
    wanted: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for source, copy, path in zip(table["source"], table["copy"], table["path"]):
        wanted[source].append((int(copy), os.path.join(folder, *path.split("/"))))
    names = list(wanted)
    items: list[Any] = [(dataset.path(name), name, tuple(wanted[name])) for name in names]
    results = imap(
        "dataprep.augment.copying:copying",
        items,
        setup=(policy.to_yaml(), seed, options, FORMATS[format]),
        jobs=options.jobs,
        time_limit_s=options.time_limit_s,
        memory_limit_mb=options.memory_limit_mb,
        load=_read_remote if dataset.is_remote else None,
    )
    lost = {}
    with closing(results):  # type: ignore[type-var]
        for done, (index, result) in enumerate(results, start=1):
            if isinstance(result, Lost):
                lost[names[index]] = f"{result.reason}: {result.detail}"
            if progress is not None:
                progress("augment", done, len(names), names[index])
    return lost


def _without(table: pd.DataFrame, lost: Mapping[str, str]) -> pd.DataFrame:
    """The rows of the copies that were made."""
    made = table[~table["source"].isin(list(lost))]
    if len(table) and made.empty:
        first, why = next(iter(lost.items()))
        raise InputError(
            f"none of the {len(lost):,} images to copy could be read; the first, {first}: {why}"
        )
    return made


def _read_remote(item: Item) -> Item | Lost:
    """The task with the bytes of its file: workers have no file systems."""
    url, name, copies = item
    data = read_remote(str(url))
    return data if isinstance(data, Lost) else (data, name, copies)


def verify_copies(folder: str | os.PathLike[str], source: Audit | Split | Dataset) -> pd.DataFrame:
    """The manifest of copies, if each is there and still with its original: in the same part, of
    the same unit.

    For before copies are trained on, since the data may have been divided anew since they were
    made, and a copy of what is now a test image would leak. ``dataprep augment --materialise`` ends
    with it.

    Args:
        folder: as `materialise_augmented` wrote it.
        source: the division in use now.

    Raises:
        InputError: no manifest there, one that cannot be read, copies that are gone, or data that
            is not divided.
        FingerprintError: copies whose original is no longer in their part, or of their unit, or not
            in the data.
    """
    path = os.path.join(os.fspath(folder), MANIFEST)
    check_input(path, "the copies in", limit=STAGE_LIMIT)
    with reading(f"the copies in {path}", "Make the copies again: dataprep augment --materialise"):
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
        table = table[["path", "label", "split", "unit", "source", "policy", "seed", "copy"]]
    gone = [
        name
        for name in table["path"]
        if not os.path.isfile(os.path.join(os.fspath(folder), *name.split("/")))
    ]
    if gone:
        raise InputError(
            f"{len(gone):,} of {len(table):,} copies in {os.fspath(folder)} are gone, the first "
            f"{gone[0]}"
        )
    dataset = source if not hasattr(source, "dataset") else source.dataset
    if not dataset.has(PART):
        raise InputError(
            "whether copies are with their originals shows in divided data, and this is not: run "
            "dataprep split first"
        )
    known = dataset.samples.reindex(table["source"])
    apart = ~table["source"].isin(dataset.samples.index).to_numpy()
    apart |= known[PART].astype("str").to_numpy() != table["split"].to_numpy()
    apart |= _units_of(known) != table["unit"].to_numpy()
    if apart.any():
        row = table[apart].iloc[0]
        raise FingerprintError(
            f"{int(apart.sum()):,} of {len(table):,} copies in {os.fspath(folder)} are no longer "
            "with their originals, the first "
            f"{row['path']} (of {row['source']}, made for {row['split']}): the data was divided "
            "anew; make the copies again"
        )
    return table
