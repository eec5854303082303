"""Names that differ in Unicode form or in the case of letters from those of the files: found
where only one file can be meant.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from dataprep.ingest.paths.junk import why_no_sample
from dataprep.ingest.paths.resolving import Finder, joined, plain_path, tidy_path, to_posix

#: How a writing differs from the name of the file: in its Unicode form alone, or in the case of
#: letters.
How = Literal["", "form", "case"]


def composed(name: str) -> str:
    """The composed Unicode form (NFC) of a name, so that writings which look alike are equal."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """A name without the case of its letters, in composed form."""
    return name.lower() if name.isascii() else composed(composed(name).casefold())


#: How names are compared, the nearest way first.
_KEYS: tuple[tuple[How, Callable[[str], str]], ...] = (
    ("", str),
    ("form", composed),
    ("case", folded),
)
#: Name to its first place, and to the further ones where there are several.
_Table = tuple[dict[str, str], dict[str, list[str]]]


@dataclass(frozen=True)
class PathMatch:
    """The files that a written path may mean.

    Attributes:
        files: absolute paths or URLs; one that is meant, several between which nothing decides, or
            none.
        how: how the writing differs from them.
    """

    files: tuple[str, ...] = ()
    how: How = ""


class Names:
    """Names, found again in another Unicode form or another case; a name that is not there may be
    the stem of one that is.

    Args:
        places: (name, place) of each file.
        stems: whether a name may stand for the file that it is the stem of.
    """

    def __init__(self, places: Iterable[tuple[str, str]], *, stems: bool = True) -> None:
        given = list(places)
        bare = (
            [
                (name.rpartition(".")[0] or name, place)
                for name, place in given
                if not why_no_sample(name)
            ]
            if stems
            else []
        )
        self._pairs = (given, bare)
        self._are_ascii = all(name.isascii() for name, _ in given)
        self._tables: dict[How, list[_Table]] = {}

    def find(self, name: str) -> PathMatch:
        """The files that `name` may mean, in the nearest writing that any has."""
        for how, key in _KEYS:
            if how == "form" and self._are_ascii and name.isascii():
                continue  # the same as without
            if how not in self._tables:
                self._tables[how] = [_table(pairs, key) for pairs in self._pairs]
            wanted = key(name)
            for first, further in self._tables[how]:
                if wanted in first:
                    return PathMatch((first[wanted], *further.get(wanted, ())), how)
        return PathMatch()


def _table(pairs: Iterable[tuple[str, str]], key: Callable[[str], str]) -> _Table:
    first: dict[str, str] = {}
    further = defaultdict[str, list[str]](list)
    for name, place in pairs:
        wanted = key(name)
        if wanted in first:
            further[wanted].append(place)
        else:
            first[wanted] = place
    return first, further


@dataclass
class NameMatcher:
    """Finds files whose names, or whose folders' names, look like those written; asked for what
    `Finder` does not find.

    Attributes:
        finder: knows the folders that paths may start from.
    """

    finder: Finder
    _files: dict[str, Names] = field(default_factory=dict)
    _folders: dict[str, Names] = field(default_factory=dict)
    _real: dict[str, PathMatch] = field(default_factory=dict)
    _below: Names | None = None

    def find(self, path: str) -> PathMatch:
        """The files that `path` may mean."""
        tidy = tidy_path(path)
        writings = dict.fromkeys(
            filter(None, (tidy, plain_path(path), to_posix(os.path.expanduser(tidy))))
        )
        for writing in writings:
            for base in self.finder.bases:
                place = joined(base, writing)
                if place.startswith(base.rstrip("/") + "/"):
                    found = self._below_base(base.rstrip("/"), place)
                    if found.files:
                        return found
        if self.finder.names_alone and "/" not in tidy:
            return self._anywhere(tidy)
        return PathMatch()

    def _below_base(self, base: str, place: str) -> PathMatch:
        folder, _, name = place.rpartition("/")
        real = self._folder(base, folder)
        if len(real.files) != 1:
            return PathMatch()
        names = self._cached(
            self._files,
            real.files[0],
            lambda at: ((each, f"{at}/{each}") for each in self.finder.names(at)),
        )
        found = names.find(name)
        return PathMatch(found.files, max(real.how, found.how, key=("", "form", "case").index))

    def _folder(self, base: str, folder: str) -> PathMatch:
        """The folder that is meant, part by part from `base` on."""
        if folder == base:
            return PathMatch((base,))
        found = self._real.get(folder)
        if found is None:
            above, _, name = folder.rpartition("/")
            real = self._folder(base, above)
            found = real
            if len(real.files) == 1:
                names = self._cached(self._folders, real.files[0], self._subfolders, stems=False)
                found = names.find(name)
                found = PathMatch(
                    found.files, max(real.how, found.how, key=("", "form", "case").index)
                )
            self._real[folder] = found
        return found

    def _cached(
        self,
        cache: dict[str, Names],
        place: str,
        listing: Callable[[str], Iterable[tuple[str, str]]],
        stems: bool = True,
    ) -> Names:
        if place not in cache:
            cache[place] = Names(listing(place), stems=stems)
        return cache[place]

    def _subfolders(self, folder: str) -> Iterable[tuple[str, str]]:
        if "://" in folder:
            start = folder[len(self.finder.tree().root) :].strip("/")
            prefix = f"{start}/" if start else ""
            below = (
                each[len(prefix) :].partition("/")[0]
                for each in self.finder.tree().folders
                if each.startswith(prefix)
            )
            return [(name, f"{folder}/{name}") for name in dict.fromkeys(below) if name]
        try:
            with os.scandir(folder) as entries:
                return [
                    (entry.name, f"{folder}/{entry.name}") for entry in entries if entry.is_dir()
                ]
        except (OSError, ValueError):
            return []

    def _anywhere(self, name: str) -> PathMatch:
        if self._below is None:
            tree = self.finder.tree()
            root = to_posix(tree.root)
            self._below = Names(
                (path.rpartition("/")[2], f"{root}/{path}") for path in tree.paths()
            )
        return self._below.find(name)
