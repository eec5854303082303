"""Paths as manifests write them, to files that exist."""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from dataprep.errors import InputError
from dataprep.ingest.paths.junk import why_no_sample
from dataprep.ingest.paths.walk import Tree
from dataprep.schemas.text.names import unescape_name

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
#: How Label Studio writes a file of a folder that it serves.
_SERVED = re.compile(r"(?:^|/)data/local-files/?\?(?:.*&)?d=([^&#]+)")
_FILE_URL = re.compile(r"file://(?:localhost(?=/))?", re.IGNORECASE)


def to_posix(path: str) -> str:
    """An operating system path with ``/`` as separator."""
    return path.replace(os.sep, "/") if os.sep != "/" else path


def absolute(path: str) -> str:
    """`path` from the root of the file system on, ``~`` and ``~user`` expanded where no file or
    folder is called so.

    Raises:
        InputError: `path` is relative, and the working folder has been deleted.
    """
    try:
        return os.path.abspath(expanded(path))
    except FileNotFoundError as error:
        raise InputError(
            f"{path or '.'} is relative to the working folder, which has been deleted: change to a "
            "folder that exists (cd), or "
            "give paths from the root on"
        ) from error


def expanded(path: str) -> str:
    """`path` with ``~`` and ``~user`` expanded where no file or folder is called so."""
    if not path.startswith("~") or os.path.lexists(path):
        return path
    return os.path.expanduser(path)


def plain_path(text: str) -> str:
    """The path that a manifest's cell means, in POSIX writing: of a URL or of a path of Windows,
    without query or fragment.

    ``file:///data/a%20b.jpg`` is ``/data/a b.jpg``, ``C:\\images\\a.jpg`` is ``C:/images/a.jpg``,
    and what Label Studio writes, ``/data/local-files/?d=set1/a.jpg``, is ``set1/a.jpg``.
    """
    tidy = text.strip()
    served = served_path(tidy)
    if served:
        return served
    local = _FILE_URL.match(tidy)
    if "://" in tidy:
        tidy = unquote(re.split(r"[?#]", tidy, maxsplit=1)[0], errors="surrogateescape")
    if local:
        tidy = tidy[local.end() :]
        tidy = tidy[1:] if _DRIVE.match(tidy[1:]) else tidy
    return tidy.replace("\\", "/")


def served_path(text: str) -> str:
    """What Label Studio serves from a folder of its own, relative to that folder; empty for any
    other path.
    """
    served = _SERVED.search(text)
    return unquote(served[1], errors="surrogateescape") if served else ""


def is_absolute(path: str) -> bool:
    """Whether `path` starts from the root of some file system, of this machine or another, or is
    a URL.
    """
    tidy = path.strip()
    return tidy.startswith(("/", "\\\\")) or "://" in tidy or _DRIVE.match(tidy) is not None


@dataclass
class Finder:
    """Finds the files that paths mean, listing each folder once and opening nothing.

    Attributes:
        bases: folders that relative paths may start from, tried in order; absolute, or URLs; POSIX
            separators.
        tree: gives the tree below the first base; asked only for bare names that lie in none of the
            bases, and for URLs.
        encoding: of the manifest: names on disk may be its bytes rather than its text.
        names_alone: whether a bare name may stand for the only such file in any folder below the
            first base.
        remote: whether the tree is that of a URL.
    """

    bases: Sequence[str]
    tree: Callable[[], Tree]
    encoding: str = "utf-8"
    names_alone: bool = True
    remote: bool = False
    _folders: dict[str, list[tuple[str, frozenset[str]]]] = field(default_factory=dict)
    _listed: dict[str, frozenset[str]] = field(default_factory=dict)
    _stems: dict[str, dict[str, str]] = field(default_factory=dict)
    _below: dict[str, str] | None = None
    _gone: set[str] = field(default_factory=set)

    def find(self, path: str) -> str:
        """The absolute path or URL of the file that `path` means; empty when there is none, or more
        than one might be meant.

        Tried in order: the path as written; without surrounding white space and with ``\\`` for
        ``/``; as escaped by `dataprep.schemas.text.names`; as the bytes of the manifest; from the
        home folder (``~``); as a URL means it (``file://``, ``?raw=true``, ``%20``); with the
        extension that a single file of that stem has; and for a bare name (`names_alone`) the
        single file of that name, or stem, anywhere below the first base.
        """
        folder, slash, name = path.rpartition("/")
        for place, names in self._candidates(folder + slash):
            if name in names:
                return f"{place}/{name}"
        writings = self._writings(path)
        for writing in writings:
            for base in self.bases:
                found = self._exact(joined(base, writing))
                if found:
                    return found
        tidy = tidy_path(path)
        for base in self.bases:
            found = self._by_stem(joined(base, tidy))
            if found:
                return found
        return self._anywhere(tidy) if self.names_alone and "/" not in tidy else ""

    def _candidates(self, folder: str) -> list[tuple[str, frozenset[str]]]:
        """The folders that `folder`, as written and with its last slash, may mean, and the files
        in each.
        """
        candidates = self._folders.get(folder)
        if candidates is None:
            places = [joined(base, f"{folder}.").rstrip("/") for base in self.bases]
            candidates = self._folders[folder] = [
                (place, self.names(place)) for place in dict.fromkeys(places)
            ]
        return candidates

    def _writings(self, path: str) -> list[str]:
        ways, tidy = [path], tidy_path(path)
        if "\\" in path:
            ways.append(unescape_name(path.strip()))
        if not self.encoding.startswith("utf") and not path.isascii():
            ways.append(tidy.encode(self.encoding, "replace").decode("utf-8", "surrogateescape"))
        ways.append(tidy)
        if tidy.startswith("~"):
            ways.append(to_posix(os.path.expanduser(tidy)))
        if "%" in tidy or "?" in tidy or "#" in tidy or ":" in tidy:
            ways += [
                tidy.removeprefix("file://"),
                plain_path(path),
                unquote(re.split(r"[?#]", tidy, maxsplit=1)[0]),
            ]
        return list(dict.fromkeys(filter(None, ways)))

    def _exact(self, place: str) -> str:
        folder, _, name = place.rpartition("/")
        if name in self.names(folder):
            return place
        if folder in self._gone or "://" in place or "\0" in place:
            return ""
        return (
            place if os.path.isfile(place) else ""
        )  # a file system that is lenient in case or Unicode form

    def _by_stem(self, place: str) -> str:
        folder, _, stem = place.rpartition("/")
        stems = self._stems.get(folder)
        if stems is None:
            stems = self._stems[folder] = _unique_stems((name, name) for name in self.names(folder))
        name = stems.get(stem)
        return f"{folder}/{name}" if name else ""

    def _anywhere(self, name: str) -> str:
        if self._below is None:
            self._below = _places_by_name(self.tree())
        return self._below.get(name, "")

    def names(self, folder: str) -> frozenset[str]:
        """The names of the files in a folder, given as an absolute path or as a URL."""
        names = self._listed.get(folder)
        if names is None:
            names = self._listed[folder] = self._list(folder)
        return names

    def _list(self, folder: str) -> frozenset[str]:
        if "://" in folder:
            if not self.remote:
                return frozenset()  # a URL in a manifest of files on this machine
            tree = self.tree()
            if folder != tree.root and not folder.startswith(tree.root + "/"):
                return frozenset()
            return frozenset(tree.folders.get(folder[len(tree.root) + 1 :], ()))
        try:
            with os.scandir(folder or "/") as entries:
                return frozenset(
                    entry.name
                    for entry in entries
                    if entry.is_file(follow_symlinks=False) or entry.is_symlink()
                )
        except (FileNotFoundError, NotADirectoryError):
            self._gone.add(folder)
        except (OSError, ValueError):
            pass
        return frozenset()


def tidy_path(path: str) -> str:
    """`path` without white space around it, with ``/`` between its parts."""
    return path.strip().replace("\\", "/")


def joined(base: str, path: str) -> str:
    """`path` below `base`, unless it is absolute itself; without ``.`` and ``..``."""
    whole = (
        path
        if path.startswith("/") or "://" in path or _DRIVE.match(path)
        else f"{base.rstrip('/')}/{path}"
    )
    if "/." not in whole and "//" not in whole:
        return whole
    protocol, mark, rest = whole.rpartition("://")
    return protocol + mark + posixpath.normpath(rest)


def _unique_stems(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Stem to place, for (file name, place) of files that may be images, where only one has that
    stem.
    """
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
    return {
        **_unique_stems(files),
        **{name: places[0] for name, places in names.items() if len(places) == 1},
    }
