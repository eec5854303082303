"""Walks: the files below a folder or an fsspec URL, without opening any."""

from __future__ import annotations

import os
import posixpath
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dataprep.errors import InputError
from dataprep.ingest.paths.junk import why_no_folder, why_no_sample
from dataprep.schemas.files.writing import MARKER

#: The same folder is walked at most so often when symbolic links lead to it on several ways
#: (splits, folds).
_MOST_VISITS = 16
_Identity = tuple[int, int]
_USUAL = (".jpg", ".jpeg", ".png", ".webp", ".JPG", ".JPEG")
_METADATA = frozenset(("metadata.csv", "metadata.jsonl", "metadata.parquet"))


@dataclass
class Tree:
    """What a walk found.

    Attributes:
        root: directory or fsspec URL.
        folders: folder relative to `root` ("" for itself, POSIX separators) to the sorted names of
            its candidate files, as `os.fsdecode` gives them; folders without any are left out.
            Sorted by folder.
        ignored: what was passed over: kind to count.
        unreadable: folder to what the operating system said.
        metadata: files that are called as Hugging Face calls its manifests.
    """

    root: str
    folders: dict[str, list[str]] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, str] = field(default_factory=dict)
    metadata: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.folders.values()))

    def paths(self) -> Iterator[str]:
        """Every candidate file, relative to the root."""
        for folder, names in self.folders.items():
            prefix = f"{folder}/" if folder else ""
            for name in names:
                yield prefix + name


def walk_folder(root: str) -> Tree:
    """The tree below the directory `root`.

    Symbolic links are followed; a link to a folder that holds it is counted as a loop. A folder
    that dataprep wrote (`dataprep.schemas.files.writing.MARKER`) is passed over, unless it is the
    root itself.
    """
    tree = Tree(root)
    visits: Counter[_Identity] = Counter()
    pending: list[tuple[str, frozenset[_Identity], bool]] = [("", frozenset(), False)]
    while pending:
        folder, above, linked = pending.pop()
        try:
            identity = _identity(_place(root, folder))
            visits[identity] += linked
            if identity in above:
                tree.ignored["symbolic links that loop"] += 1
            elif linked and visits[identity] > _MOST_VISITS:
                tree.ignored[f"folders linked more than {_MOST_VISITS} times"] += 1
            else:
                pending += [
                    (name, above | {identity}, linked or link)
                    for name, link in _list_folder(tree, folder)
                ]
        except OSError as error:
            tree.unreadable[folder] = error.strerror or str(error)
    tree.folders = dict(sorted(tree.folders.items()))
    return tree


def walk_url(url: str) -> Tree:
    """The tree below an fsspec URL.

    Raises:
        InputError: no driver for the protocol is installed, or the place cannot be listed.
    """
    files, base = _find(url)
    tree = Tree(url.rstrip("/"))
    found: dict[str, list[str]] = {}
    marked: set[str] = set()
    for file in files:
        folder, name = posixpath.split(file.removeprefix(base).lstrip("/"))
        if name == MARKER and folder:
            marked.add(folder)
        found.setdefault(folder, []).append(name)
    for folder in sorted(found):
        names, parts = found[folder], folder.split("/") if folder else []
        kinds = [kind for part in parts if (kind := why_no_folder(part))]
        if any("/".join(parts[: depth + 1]) in marked for depth in range(len(parts))):
            kinds = ["folders written by dataprep"]
        if kinds:
            tree.ignored[kinds[0]] += 1
        else:
            _keep(tree, folder, names)
    return tree


def _place(root: str, folder: str) -> str:
    return os.path.join(root, folder) if folder else root


def _identity(folder: str) -> _Identity:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _list_folder(tree: Tree, folder: str) -> list[tuple[str, bool]]:
    """Add the files of `folder` to `tree`; give back the folders below it, and whether each is a
    link.
    """
    files: list[str] = []
    below: dict[str, bool] = {}
    special = 0
    with os.scandir(_place(tree.root, folder)) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                files.append(entry.name)
            elif _leads_to_folder(entry):
                below[entry.name] = entry.is_symlink()
            elif entry.is_symlink() and not _leads_to_special(entry):
                files.append(entry.name)
            else:
                special += 1
    if folder and MARKER in files:
        tree.ignored["folders written by dataprep"] += 1
        return []
    if special:
        tree.ignored["devices, pipes and sockets"] += special
    _keep(tree, folder, files)
    prefix = f"{folder}/" if folder else ""
    return [(prefix + name, below[name]) for name in _walked(tree, below)]


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads to itself


def _leads_to_special(entry: os.DirEntry[str]) -> bool:
    """Whether a link leads to something that exists and is no file; one that leads nowhere
    stays, to be reported as missing.
    """
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False


def _walked(tree: Tree, names: Iterable[str]) -> Iterator[str]:
    for name in sorted(names, reverse=True):
        kind = why_no_folder(name)
        if kind:
            tree.ignored[kind] += 1
        else:
            yield name


def _keep(tree: Tree, folder: str, names: Iterable[str]) -> None:
    kept = []
    for name in names:
        if name.endswith(_USUAL) and not name.startswith("."):
            kept.append(name)
            continue
        kind = why_no_sample(name)
        if name in _METADATA:
            tree.metadata.append(f"{folder}/{name}" if folder else name)
        if kind:
            tree.ignored[kind] += 1
        else:
            kept.append(name)
    if kept:
        tree.folders[folder] = sorted(kept)


def _find(url: str) -> tuple[list[str], str]:
    """Every file below `url`, and the path of `url` itself, in the file system's own writing."""
    system, base = open_file_system(url)
    try:
        return list(system.find(base)), base.rstrip("/")
    except Exception as error:  # every driver has errors of its own
        raise InputError(f"cannot list {url}: {type(error).__name__}: {error}") from error


def open_file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of `url`, and the path in it.

    Raises:
        InputError: no driver for the protocol is installed or known, or it refuses the URL.
    """
    import fsspec

    if "::" in url:
        raise InputError(
            f"chained URLs are not read: {url}. Unpack the archive and give the folder"
        )
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise InputError(
            f"cannot open {url}: {error} (pip install the package it names)"
        ) from error
    except ValueError as error:
        raise InputError(f"cannot open {url}: {error}") from error
    except Exception as error:  # every driver has errors of its own
        raise InputError(f"cannot open {url}: {type(error).__name__}: {error}") from error
    return system, str(path)
