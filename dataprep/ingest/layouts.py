"""Layouts: what the folders of a data set say about classes and splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataprep.schemas.manifest import SPLITS, split_of

_FOLD_FOLDER = re.compile(r"(?:cv|k)?[ _-]?fold[ _-]?\d{1,3}", re.IGNORECASE)
#: A folder of such a name, where it is the only one, holds "the images" and names no class.
GENERIC = frozenset((
    "images", "image", "imgs", "img", "jpegimages", "jpegs", "jpg", "png", "photos", "photo", "pictures", "pics", "data", "files",
    "input", "raw",
))  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """What each folder says.

    Attributes:
        labels: folder to class; absent where the folder names none.
        splits: folder to split (`split_of`, or the folder's name where that is empty); absent where it names none.
        loose: labelled layouts only: folders whose files lie outside the class folders.
    """

    labels: Mapping[str, str]
    splits: Mapping[str, str]
    loose: Sequence[str] = ()


def read_layout(counts: Mapping[str, int]) -> Layout:
    """The layout of folders (relative, POSIX separators, "" for the root) with `counts` candidate files each.

    The class is the first folder below the root, or below the split; deeper folders add nothing. A split is known by its name
    (`split_of`), above the classes or below them. A lone folder around everything else (what unpacking an archive leaves) is
    looked through. Folders beside more loose files than they hold themselves are not taken for classes.
    """
    parts = {folder: tuple(folder.split("/")) if folder else () for folder in counts}
    depth = _wrapping(list(parts.values()))
    heads = {each[depth] for each in parts.values() if len(each) > depth}
    splits: dict[str, str] = {}
    if _are_splits(heads):
        splits = {folder: split_of(each[depth]) or each[depth] for folder, each in parts.items() if len(each) > depth}
        depth += 1
    labels = {folder: each[depth] for folder, each in parts.items() if len(each) > depth}
    if not _are_classes(labels, counts):
        return Layout({}, splits)
    if not splits:
        splits = _splits_below(labels, parts, depth + 1)
    return Layout(labels, splits, [folder for folder in counts if folder not in labels])


def _wrapping(folders: Sequence[tuple[str, ...]]) -> int:
    """How many lone folders lie around everything."""
    depth = 0
    while True:
        heads = {each[depth : depth + 1] for each in folders}
        if len(heads) != 1 or any(len(each) <= depth + 1 for each in folders) or _are_splits(next(iter(heads))):
            return depth
        depth += 1


def _are_splits(heads: set[str] | tuple[str, ...]) -> bool:
    named = [head for head in heads if head.strip().lower() in SPLITS or _FOLD_FOLDER.fullmatch(head)]
    known = {split_of(head) for head in named}
    return bool(heads) and (len(named) == len(heads) or (len(known) > 1 and "train" in known))


def _are_classes(labels: Mapping[str, str], counts: Mapping[str, int]) -> bool:
    names = set(labels.values())
    if not names or all(name.lower() in GENERIC for name in names):
        return False
    filed = sum(counts[folder] for folder in labels)
    loose = sum(counts.values()) - filed
    return loose < filed and (len(names) > 1 or not loose)


def _splits_below(labels: Mapping[str, str], parts: Mapping[str, tuple[str, ...]], depth: int) -> dict[str, str]:
    """Splits inside the classes (``cat/train``), where every class has nothing but them."""
    found = {folder: split_of(parts[folder][depth]) if len(parts[folder]) > depth else "" for folder in labels}
    return found if all(split in SPLITS.values() for split in found.values()) else {}
