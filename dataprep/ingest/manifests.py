"""Manifests and lists of files to a Dataset, every breach of the contract noted."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np
import pandas as pd

from dataprep.errors import InputError
from dataprep.ingest.annotations.boxes import box_columns, without_repeated_rows
from dataprep.ingest.annotations.exports import refuse_records
from dataprep.ingest.folders import keep_wanted, unreadable_faults, walk
from dataprep.ingest.labels.columns import find_label
from dataprep.ingest.labels.parsing import read_classes
from dataprep.ingest.labels.sources import (
    labels_from_folders,
    labels_of_table,
    refuse_task_without_labels,
    with_note_on_no_labels,
)
from dataprep.ingest.labels.user_columns import user_column
from dataprep.ingest.labels.values import split_column, text_column, texts_of
from dataprep.ingest.lists import manifests_of, with_split
from dataprep.ingest.masks import Mask, find_masks, mask_faults
from dataprep.ingest.paths.locating import NO_FILE, Located, hint, locate, shortened
from dataprep.ingest.paths.resolving import Finder, absolute, to_posix
from dataprep.ingest.paths.roots import leave_out_strays
from dataprep.ingest.paths.walk import Tree
from dataprep.ingest.tables.columns import choose_columns
from dataprep.ingest.tables.reading import read_table
from dataprep.ingest.tables.table import Table
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.manifest import Manifest
from dataprep.schemas.source import Reading
from dataprep.schemas.text.names import escape_name, unescape_name

Keeps = Callable[[str], bool] | None


@dataclass(frozen=True)
class Listing:
    """One manifest as read.

    Attributes:
        name: what locations call it.
        bases: folders that its paths start from, tried in order.
        table: its rows.
        roles: role (path, label, split, group) to column.
        names_alone: whether a bare name may stand for the only such file in any folder below.
        elsewhere: whether paths of another machine may lead to files below; with `names_alone` in
            any case.
        notes: how the roles of its columns were found.
        open: whether a column may hold the label, so that folders do not.
    """

    name: str
    bases: Sequence[str]
    table: Table
    roles: Mapping[str, str]
    names_alone: bool = False
    elsewhere: bool = False
    notes: tuple[str, ...] = ()
    open: bool = False

    @property
    def free_columns(self) -> list[str]:
        """The columns that play no role."""
        return [column for column in self.table.columns if column not in self.roles.values()]


class Place:
    """The folder or URL that a manifest was given with, walked when first asked for."""

    def __init__(self, root: str, keeps: Keeps, tree: Tree | None = None) -> None:
        self.root = root.rstrip("/") if "://" in root else to_posix(absolute(root))
        self._given, self._keeps = tree, keeps

    @cached_property
    def tree(self) -> Tree:
        """Its tree, of which only wanted files are left."""
        tree = self._given or walk(self.root)
        if tree.folders:
            keep_wanted(tree, self._keeps)
        return replace(tree, root=self.root)


def scan_manifest(manifest: str, source: str | None, reading: Reading, keeps: Keeps) -> Dataset:
    """The Dataset that `manifest` lists; with a folder as `source`, paths may start there and its
    other files are unlisted.

    A manifest may be several (``{train,val}.txt``, ``*.csv``): the name of each is then the split
    of its rows.

    Raises:
        InputError: the manifest cannot be read or has no usable path column, or none of its files
            exists.
    """
    files = manifests_of(manifest)
    folder = os.path.dirname(files[0]) if "://" in files[0] else os.path.dirname(absolute(files[0]))
    place = Place(source if source is not None else folder, keeps)
    listings = []
    for file in files:
        table = read_table(file, reading.encoding)
        table = with_split(table, file) if len(files) > 1 else table
        bases = dict.fromkeys(
            (
                place.root,
                to_posix(
                    os.path.dirname(file) if "://" in file else os.path.dirname(absolute(file))
                ),
            )
        )
        listing = _listing(posixpath.basename(to_posix(file)), table, bases, reading)
        listings.append(replace(listing, names_alone=True))
    return _dataset(listings, place, keeps, reading, with_folder=source is not None)


def scan_rows(
    table: Table,
    name: str,
    roles: Mapping[str, str] | None,
    source: str | None,
    reading: Reading,
    keeps: Keeps,
    *,
    whole: bool = False,
) -> Dataset:
    """The Dataset of a table in memory, whose relative paths start from `source`, or else from the
    working folder.

    Args:
        table: its rows.
        name: what locations call it.
        roles: role (path, label, split, group) to column; None leaves it to `reading`, or else to
            their names.
        source: a folder.
        keeps: which files are wanted; None for all.
        whole: whether the folder's other files belong to the data set and are unlisted.

    Raises:
        InputError: no usable path column, or none of the files exists.
    """
    here = absolute("") if source is None else absolute(source)
    bases = [to_posix(here)]
    listing = (
        _listing(name, table, bases, reading)
        if roles is None
        else Listing(name, bases, table, roles)
    )
    listing = replace(listing, names_alone=whole)
    return _dataset(
        [listing], Place(here, keeps), keeps, reading, with_folder=whole, anywhere=source is None
    )


def scan_hugging_face(tree: Tree, reading: Reading, keeps: Keeps) -> Dataset | None:
    """The Dataset of a folder that holds ``metadata.csv``, ``.jsonl`` or ``.parquet`` with a
    column ``file_name``; else None.
    """
    root = tree.root.rstrip("/") if "://" in tree.root else to_posix(absolute(tree.root))
    listings = []
    for path in sorted(tree.metadata):
        table = read_table(f"{root}/{path}", reading.encoding)
        if "file_name" in table.columns:
            named = replace(reading, path_column=reading.path_column or "file_name")
            listings.append(_listing(path, table, [posixpath.dirname(f"{root}/{path}")], named))
    if not listings:
        return None
    return _dataset(listings, Place(root, keeps, tree), keeps, reading, with_folder=True)


def scan_files(files: Iterable[str], source: str | None, reading: Reading, keeps: Keeps) -> Dataset:
    """The Dataset of a list of files, relative to `source` or else to the working folder.

    Raises:
        InputError: the list is empty, or none of the files exists.
    """
    paths = list(files)
    if not paths:
        raise InputError("the list of files is empty")
    table = Table({"path": paths}, list(range(1, len(paths) + 1)))
    place = Place(source if source is not None else _common(paths), keeps)
    here = to_posix(absolute(""))
    bases = [here] if source is None else [place.root, here]
    listing = Listing("files", bases, table, {"path": "path"}, elsewhere=source is not None)
    return _dataset(
        [listing],
        place,
        keeps,
        reading,
        with_folder=False,
        folders_speak=True,
        anywhere=source is None,
    )


def _listing(name: str, table: Table, bases: Iterable[str], reading: Reading) -> Listing:
    """A manifest with its columns chosen; rows without a path are malformed, and rows of boxes
    are one row per file.
    """
    boxes = box_columns(list(table.columns))
    refuse_records(name, table.columns)
    chosen = {
        **table.roles,
        **{role: column for role, column in reading.columns.items() if column is not None},
    }
    roles = choose_columns(list(table.columns), chosen, name, boxes=boxes, cells=table.columns)
    table = table.without_long(list(roles.values()))
    table.refuse_empty(name)
    table = table.where_given(roles["path"], texts_of(table.columns[roles["path"]]))
    found = find_label(name, table, roles, reading, boxes)
    table, roles, notes = without_repeated_rows(name, found.table, found.roles, boxes, reading.task)
    notes = (*table.notes, *found.notes, *notes)
    return Listing(
        name,
        list(bases),
        table,
        roles,
        notes=notes,
        open=found.open or bool(boxes and "label" not in roles),
    )


def _common(paths: Sequence[str]) -> str:
    """The folder above all of `paths`."""
    if any("://" in path for path in paths):
        return posixpath.commonpath([posixpath.dirname(path) for path in paths]).replace(
            ":/", "://", 1
        )
    try:
        return os.path.commonpath({os.path.dirname(absolute(path)) for path in paths})
    except ValueError as error:
        raise InputError("the files lie on several drives: audit each by itself") from error


def _dataset(
    listings: Sequence[Listing],
    place: Place,
    keeps: Keeps,
    reading: Reading,
    *,
    with_folder: bool,
    folders_speak: bool = False,
    anywhere: bool = False,
) -> Dataset:
    located = [_located(listing, place) for listing in listings]
    from_files = anywhere and "://" not in place.root
    root = (
        leave_out_strays("" if from_files else place.root, located, keep_root=with_folder)
        or place.root
    )
    found = [each.files for each in located]
    table = pd.concat(
        [_rows(listing, each, root) for listing, each in zip(listings, located, strict=True)],
        ignore_index=True,
    )
    table, left_out = _wanted(table, keeps)
    labelled = labels_of_table(table, listings[0].roles.get("label", "label"), reading)
    _refuse_nothing_found(table, place, listings[0], left_out)
    unlisted = _unlisted(found, place, listings) if with_folder else []
    masks, unlisted = _masks_among(unlisted, place)
    start = len(root.rstrip("/")) + 1
    unlisted = [escape_name(file[start:]) for file in unlisted]
    manifest = Manifest(
        labelled.table,
        _malformed(listings),
        unlisted,
        labelled.whys,
        several=labelled.task == "multi-label",
    )
    ignored = dict(place.tree.ignored) if with_folder else {}
    if left_out:
        ignored["rows left out by include and exclude"] = left_out
    below = escape_name(place.root[start:] + "/") if len(place.root) > start else ""
    faults = [
        manifest.violations(),
        mask_faults(masks, below),
        *([unreadable_faults(place.tree)] if with_folder else []),
    ]
    labelled = replace(
        labelled,
        table=manifest.samples(),
        notes=(*chain(*(listing.notes for listing in listings)), *labelled.notes),
    )
    if with_folder or folders_speak or reading.label_from is not None:
        labelled = labels_from_folders(
            labelled,
            reading,
            "" if folders_speak else listings[0].name,
            labels=not any(each.open for each in listings),
        )
    labelled = with_note_on_no_labels(labelled, {each.name: each.free_columns for each in listings})
    refuse_task_without_labels(labelled, reading)
    classes, samples = read_classes(labelled.table, labelled.task)
    told_faults = pd.concat(faults, ignore_index=True)
    found_notes = [escape_name(note) for each in located for note in each.notes]
    notes = tuple(dict.fromkeys([*found_notes, *labelled.notes]))
    return Dataset(
        _native(root),
        samples,
        labelled.task,
        classes,
        faults=told_faults,
        ignored=dict(sorted(ignored.items())),
        notes=notes,
        listed=table[["path", "sample"]],
    )


def _located(listing: Listing, place: Place) -> Located:
    """The file of each row, absolute; empty where there is none."""
    finder = Finder(
        listing.bases,
        lambda: place.tree,
        listing.table.encoding,
        listing.names_alone,
        "://" in place.root,
    )
    paths = listing.table.columns[listing.roles["path"]]
    elsewhere = listing.elsewhere or listing.names_alone
    return locate(paths, finder, place.root, lambda: place.tree, listing.name, elsewhere=elsewhere)


def _rows(listing: Listing, located: Located, root: str) -> pd.DataFrame:
    """The listing as `Manifest.table` wants it; rows without a path are malformed."""
    columns = listing.table.columns
    roles = listing.roles
    files = located.files
    rows = len(located.files)
    start = len(root.rstrip("/")) + 1
    table = pd.DataFrame(
        {
            "place": pd.array([listing.name] * rows, dtype="str"),
            "row": np.array(listing.table.rows, dtype=np.int64),
            "path": pd.array([escape_name(path) for path in columns[roles["path"]]], dtype="str"),
            "sample": pd.array([escape_name(file[start:]) for file in files], dtype="str"),
        }
    )
    if located.reasons:
        reasons = [located.reasons.get(row, (NO_FILE, "")) for row in range(rows)]
        table["reason"] = [reason for reason, _ in reasons]
        table["detail"] = [escape_name(detail) for _, detail in reasons]
    if "label" in roles:  # as the cells are, until the labels of all listings are read together
        table["label"] = pd.Series(list(columns[roles["label"]]), index=table.index, dtype=object)
    for role, convert in (("split", split_column), ("group", text_column)):
        if role in roles:
            table[role] = convert(columns[roles[role]])
    own: dict[str, pd.Categorical] = {}
    for name, values in columns.items():
        if name not in roles.values():
            taken = name in COLUMNS or name in table
            own[f"manifest_{name}" if taken else name] = user_column(values)
    return pd.concat([table, pd.DataFrame(own, index=table.index)], axis=1)


def _wanted(table: pd.DataFrame, keeps: Keeps) -> tuple[pd.DataFrame, int]:
    """The rows that `keeps` wants, and how many it does not."""
    if keeps is None:
        return table, 0
    mask = np.array(
        [
            keeps(sample or path)
            for sample, path in zip(table["sample"], table["path"], strict=True)
        ],
        dtype=bool,
    )
    return table[mask].reset_index(drop=True), int((~mask).sum())


def _refuse_nothing_found(
    table: pd.DataFrame, place: Place, listing: Listing, left_out: int
) -> None:
    name = listing.name
    if not len(table) and not left_out and listing.table.malformed:
        row, why = listing.table.malformed[0]
        raise InputError(f"{name} has no row that can be read; the first is row {row}: {why}")
    if not len(table):
        raise InputError(f"include and exclude leave no row of {name}")
    if (table["sample"] != "").any():
        return
    first = unescape_name(table["path"].iloc[0])
    why = (
        f"{table['reason'].iloc[0]} {table['detail'].iloc[0]}"
        if "reason" in table and table["detail"].iloc[0]
        else ""
    )
    todo = why or hint(first, place.tree, place.root) or "give the folder that its paths start from"
    raise InputError(
        f"no file of {name} exists ({len(table):,} rows, the first {shortened(first)}) below "
        f"{place.root}: {todo} "
        "(dataprep audit FOLDER --manifest FILE), or name the column of paths with --path-column"
    )


def _malformed(listings: Sequence[Listing]) -> pd.DataFrame:
    rows = [
        (listing.name, row, escape_name(why))
        for listing in listings
        for row, why in listing.table.malformed
    ]
    return pd.DataFrame(rows, columns=["place", "row", "why"])


def _unlisted(
    found: Sequence[Sequence[str]], place: Place, listings: Sequence[Listing]
) -> list[str]:
    """Files of the folder, absolute, that no row lists, not even one that could not be read."""
    listed = set().union(*found)
    mentioned = {
        posixpath.basename(cell.replace("\\", "/"))
        for listing in listings
        for cell in listing.table.mentioned
    }
    prefix = place.root.rstrip("/") + "/"
    files = [prefix + path for path in place.tree.paths()]
    return [
        file for file in files if file not in listed and posixpath.basename(file) not in mentioned
    ]


def _masks_among(files: Sequence[str], place: Place) -> tuple[list[Mask], list[str]]:
    """The masks of pictures among files that no row lists, and the other files."""
    if not files:
        return [], []
    unlisted, prefix = set(files), place.root.rstrip("/") + "/"
    masks = [mask for mask in find_masks(place.tree) if prefix + mask.path in unlisted]
    gone = {prefix + mask.path for mask in masks}
    return masks, [file for file in files if file not in gone]


def _native(root: str) -> str:
    return root if "://" in root else root.replace("/", os.sep)
