"""Paths as manifests write them, to files that exist."""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from dataprep.ingest.junk import why_no_sample
from dataprep.ingest.walk import Tree
from dataprep.schemas.names import unescape_name

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def to_posix(path: str) -> str:
    """An operating system path with ``/`` as separator."""
    return path.replace(os.sep, "/") if os.sep != "/" else path


@dataclass
class Finder:
    """Finds the files that paths mean, listing each folder once and opening nothing.

    Attributes:
        bases: folders that relative paths may start from, tried in order; absolute, or URLs; POSIX separators.
        tree: gives the tree below the first base; asked only for bare names that lie in none of the bases, and for URLs.
        encoding: of the manifest: names on disk may be its bytes rather than its text.
        names_alone: whether a bare name may stand for the only such file in any folder below the first base.
    """

    bases: Sequence[str]
    tree: Callable[[], Tree]
    encoding: str = "utf-8"
    names_alone: bool = True
    _folders: dict[str, list[tuple[str, frozenset[str]]]] = field(default_factory=dict)
    _listed: dict[str, frozenset[str]] = field(default_factory=dict)
    _stems: dict[str, dict[str, str]] = field(default_factory=dict)
    _below: dict[str, str] | None = None

    def find(self, path: str) -> str:
        """The absolute path or URL of the file that `path` means; empty when there is none, or more than one might be meant.

        Tried in order: the path as written; without surrounding white space and with ``\\`` for ``/``; as escaped by
        `dataprep.schemas.names`; as the bytes of the manifest; with the extension that a single file of that stem has; and for a
        bare name (`names_alone`) the single file of that name, or stem, anywhere below the first base.
        """
        folder, slash, name = path.rpartition("/")
        for place, names in self._candidates(folder + slash):
            if name in names:
                return f"{place}/{name}"
        writings = self._writings(path)
        for writing in writings:
            for base in self.bases:
                found = self._exact(_joined(base, writing))
                if found:
                    return found
        for base in self.bases:
            found = self._by_stem(_joined(base, writings[-1]))
            if found:
                return found
        return self._anywhere(writings[-1]) if self.names_alone and "/" not in writings[-1] else ""

    def _candidates(self, folder: str) -> list[tuple[str, frozenset[str]]]:
        """The folders that `folder`, as written and with its last slash, may mean, and the files in each."""
        candidates = self._folders.get(folder)
        if candidates is None:
            places = [_joined(base, f"{folder}.").rstrip("/") for base in self.bases]
            candidates = self._folders[folder] = [(place, self._names(place)) for place in dict.fromkeys(places)]
        return candidates

    def _writings(self, path: str) -> list[str]:
        ways = [path]
        tidy = path.strip().removeprefix("file://")
        if "\\" in path:
            ways.append(unescape_name(tidy))
            tidy = tidy.replace("\\", "/")
        if not self.encoding.startswith("utf") and not path.isascii():
            ways.append(tidy.encode(self.encoding, "replace").decode("utf-8", "surrogateescape"))
        if tidy != ways[-1]:
            ways.append(tidy)
        return ways

    def _exact(self, place: str) -> str:
        folder, _, name = place.rpartition("/")
        if name in self._names(folder):
            return place
        if "://" in place or "\0" in place:
            return ""
        return place if os.path.isfile(place) else ""  # a file system that is lenient in case or Unicode form

    def _by_stem(self, place: str) -> str:
        folder, _, stem = place.rpartition("/")
        stems = self._stems.get(folder)
        if stems is None:
            stems = self._stems[folder] = _unique_stems((name, name) for name in self._names(folder))
        name = stems.get(stem)
        return f"{folder}/{name}" if name else ""

    def _anywhere(self, name: str) -> str:
        if self._below is None:
            self._below = _places_by_name(self.tree())
        return self._below.get(name, "")

    def _names(self, folder: str) -> frozenset[str]:
        names = self._listed.get(folder)
        if names is None:
            names = self._listed[folder] = self._list(folder)
        return names

    def _list(self, folder: str) -> frozenset[str]:
        if "://" in folder:
            tree = self.tree()
            if folder != tree.root and not folder.startswith(tree.root + "/"):
                return frozenset()
            return frozenset(tree.folders.get(folder[len(tree.root) + 1 :], ()))
        try:
            with os.scandir(folder or "/") as entries:
                return frozenset(entry.name for entry in entries if entry.is_file(follow_symlinks=False) or entry.is_symlink())
        except (OSError, ValueError):
            return frozenset()


def _joined(base: str, path: str) -> str:
    """`path` below `base`, unless it is absolute itself; without ``.`` and ``..``."""
    whole = path if path.startswith("/") or "://" in path or _DRIVE.match(path) else f"{base.rstrip('/')}/{path}"
    if "/." not in whole and "//" not in whole:
        return whole
    protocol, mark, rest = whole.rpartition("://")
    return protocol + mark + posixpath.normpath(rest)


def _unique_stems(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Stem to place, for (file name, place) of files that may be images, where only one has that stem."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, place in places:
        if not why_no_sample(name):
            found[name.rpartition(".")[0] or name].append(place)
    return {stem: names[0] for stem, names in found.items() if len(names) == 1}


def _places_by_name(tree: Tree) -> dict[str, str]:
    """File name, and stem, to the only file below the root that has it."""
    files = [(path.rpartition("/")[2], f"{to_posix(tree.root)}/{path}") for path in tree.paths()]
    names: dict[str, list[str]] = defaultdict(list)
    for name, place in files:
        names[name].append(place)
    return {**_unique_stems(files), **{name: places[0] for name, places in names.items() if len(places) == 1}}
