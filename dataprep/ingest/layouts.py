"""Layouts: what the folders of a data set say about classes and splits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataprep.errors import InputError
from dataprep.ingest.notes import listed
from dataprep.schemas.manifest import SPLITS, split_of
from dataprep.schemas.text.words import counted

_FOLD_FOLDER = re.compile(r"(?:cv|k)?[ _-]?fold[ _-]?\d{1,3}", re.IGNORECASE)
_SET_WORDS = frozenset(
    (
        "set",
        "sets",
        "data",
        "dataset",
        "images",
        "image",
        "imgs",
        "img",
        "photos",
        "pictures",
        "files",
        "split",
    )
)
#: A folder of such a name, where it is the only one, holds "the images" and names no class.
GENERIC = frozenset(
    """
    images image imgs img jpegimages jpegs jpg png photos photo pictures pics data files input raw
    """.split()
)


@dataclass(frozen=True)
class Layout:
    """What each folder says.

    Attributes:
        labels: folder to class; absent where the folder names none.
        splits: folder to split (`split_of`, or the folder's name where that is empty); absent where
            it names none.
        loose: labelled layouts only: folders whose files lie outside the class folders.
        notes: which level of folders was taken for the classes, where there are several.
    """

    labels: Mapping[str, str]
    splits: Mapping[str, str]
    loose: Sequence[str] = ()
    notes: tuple[str, ...] = ()


def read_layout(counts: Mapping[str, int], label_from: str | None = None) -> Layout:
    """The layout of folders (relative, POSIX separators, "" for the root) with `counts` candidate
    files each.

    The class is the first folder below the root, or below the split, unless `label_from`
    (`dataprep.schemas.source.Reading`) asks for another level; what the other levels would give is
    noted. A split is known by its name (`split_of`), above the classes or below them. A lone folder
    around everything else (what unpacking an archive leaves), and a folder such as ``images``
    around all classes, are looked through and are no level. Folders beside more loose files than
    they hold themselves are not taken for classes.

    Raises:
        InputError: no file lies as deep as `label_from` asks.
    """
    parts = {folder: tuple(folder.split("/")) if folder else () for folder in counts}
    depth = _wrapping(list(parts.values()))
    heads = {each[depth] for each in parts.values() if len(each) > depth}
    splits: dict[str, str] = {}
    if _are_splits(heads):
        splits = {
            folder: _split_name(each[depth]) or each[depth]
            for folder, each in parts.items()
            if len(each) > depth
        }
        depth = _without_generic(list(parts.values()), depth + 1)
    labels = {folder: each[depth] for folder, each in parts.items() if len(each) > depth}
    if label_from is None and not _are_classes(labels, counts):
        return Layout({}, splits)
    below = {} if splits else _splits_below(labels, parts, depth + 1)
    if below:
        splits = below
        parts = {folder: each[: depth + 1] + each[depth + 2 :] for folder, each in parts.items()}
    if label_from is not None:
        labels = _asked(parts, depth, label_from)
        return Layout(labels, splits, [folder for folder in counts if folder not in labels])
    return Layout(
        labels,
        splits,
        [folder for folder in counts if folder not in labels],
        _levels_noted(parts, depth, counts),
    )


def _asked(parts: Mapping[str, tuple[str, ...]], depth: int, label_from: str) -> dict[str, str]:
    """Folder to class, at the level that the user asks for."""
    levels = {folder: each[depth:] for folder, each in parts.items()}
    if label_from == "path":
        labels = {folder: "/".join(each) for folder, each in levels.items() if each}
    elif label_from == "leaf":
        labels = {folder: each[-1] for folder, each in levels.items() if each}
    else:
        level = 1 if label_from == "first" else int(label_from)
        labels = {folder: each[level - 1] for folder, each in levels.items() if len(each) >= level}
    if not labels:
        deepest = max(map(len, levels.values()), default=0)
        has = (
            f"{deepest} levels of folders"
            if deepest > 1
            else "1 level of folders"
            if deepest
            else "no folders"
        )
        raise InputError(
            f"option label_from: {label_from} names a level of folders that is not there; the "
            f"pictures lie in {has}"
        )
    return labels


def _levels_noted(
    parts: Mapping[str, tuple[str, ...]], depth: int, counts: Mapping[str, int]
) -> tuple[str, ...]:
    """What deeper folders would give as classes, where at least half of the files lie in several
    of them.
    """
    levels: list[tuple[int, set[str]]] = []
    for level in range(1, max(len(each) - depth for each in parts.values())):
        deeper = {
            folder: each[depth + level]
            for folder, each in parts.items()
            if len(each) > depth + level
        }
        names = {name for name in deeper.values() if name.lower() not in GENERIC}
        if len(names) < 2 or 2 * sum(counts[folder] for folder in deeper) < sum(counts.values()):
            break
        levels.append((level + 1, names))
    if not levels:
        return ()
    first = {each[depth] for each in parts.values() if len(each) > depth}
    further = ", ".join(
        f"level {level} has {len(names):,} folders ({listed(sorted(names), 3)})"
        for level, names in levels
    )
    options = [f"--label-from {level}" for level, _ in levels[:-1]] + ["--label-from leaf"]
    return (
        f"Classes are the first level of folders ({counted(len(first), 'class')}: "
        f"{listed(sorted(first), 3)}); {further}: "
        f"{' or '.join(options)} takes those instead.",
    )


def _without_generic(folders: Sequence[tuple[str, ...]], depth: int) -> int:
    """The depth below lone folders such as ``images`` around all classes, and splits that lie in
    a folder of their own name.
    """
    while True:
        heads = {each[depth].lower() for each in folders if len(each) > depth}
        deeper = [each for each in folders if len(each) > depth + 1]
        generic = len(heads) == 1 and heads <= GENERIC
        if len(deeper) < len(folders) or not (
            generic or all(each[depth] == each[depth - 1] for each in folders)
        ):
            return depth
        depth += 1


def _wrapping(folders: Sequence[tuple[str, ...]]) -> int:
    """How many lone folders lie around everything."""
    depth = 0
    while True:
        heads = {each[depth : depth + 1] for each in folders}
        if (
            len(heads) != 1
            or any(len(each) <= depth + 1 for each in folders)
            or _are_splits(next(iter(heads)))
        ):
            return depth
        depth += 1


def _are_splits(heads: set[str] | tuple[str, ...]) -> bool:
    named = [head for head in heads if _split_name(head)]
    known = {_split_name(head) for head in named}
    beside = {_words_beside_split(head) for head in named}
    if len(beside) > 1 or (beside != {()} and not (len(known) > 1 and "train" in known)):
        return False  # toy train, express train
    return bool(heads) and (len(named) == len(heads) or (len(known) > 1 and "train" in known))


def _split_name(head: str) -> str:
    """The split that a folder names (``train``, ``training_set``, ``fold 3``); else empty."""
    if _FOLD_FOLDER.fullmatch(head):
        return split_of(head)
    known = {SPLITS[word] for word in _words(head) if word in SPLITS}
    return known.pop() if len(known) == 1 else ""


def _words(head: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", head.strip().lower()) if word]


def _words_beside_split(head: str) -> tuple[str, ...]:
    """What a folder's name says beside the split, usual words for a set of pictures left out."""
    return tuple(word for word in _words(head) if word not in SPLITS and word not in _SET_WORDS)


def _are_classes(labels: Mapping[str, str], counts: Mapping[str, int]) -> bool:
    names = set(labels.values())
    if not names or all(name.lower() in GENERIC for name in names):
        return False
    filed = sum(counts[folder] for folder in labels)
    loose = sum(counts.values()) - filed
    return loose < filed and (len(names) > 1 or not loose)


def _splits_below(
    labels: Mapping[str, str], parts: Mapping[str, tuple[str, ...]], depth: int
) -> dict[str, str]:
    """Splits inside the classes (``cat/train``), where every class has nothing but them."""
    found = {
        folder: split_of(parts[folder][depth]) if len(parts[folder]) > depth else ""
        for folder in labels
    }
    return found if all(split in SPLITS.values() for split in found.values()) else {}
