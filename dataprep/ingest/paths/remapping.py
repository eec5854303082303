"""Paths of another machine: one prefix of the table to one folder here, where the endings of the
paths leave no doubt.
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dataprep.ingest.paths.name_matching import folded
from dataprep.ingest.paths.resolving import is_absolute, plain_path, served_path
from dataprep.ingest.paths.walk import Tree

#: Rows whose endings are looked up to see which prefix may stand for which folder; the moves that
#: are then tried, and made.
_SAMPLED, _TRIED, _MOST_MOVES = 300, 12, 8
#: A row whose last two parts fit more files than this proposes nothing.
_MOST_CANDIDATES = 2000
#: Shares of the rows with a prefix that must be found: where the prefix is only dropped, the same
#: in a table of which other rows were found as written, and where a folder has another name here,
#: or only the names of the files are left.
_DROPPED, _DROPPED_BESIDE_OTHERS, _RENAMED = 0.05, 0.5, 0.9
_FEWEST_BESIDE_OTHERS = 3
WHICH_FOLDER = "it is not certain which folder is meant:"
TAKEN = "the file with the same ending belongs to another row:"
_SERVED = "/data/local-files/?d="

_Parts = tuple[str, ...]


@dataclass(frozen=True)
class Move:
    """A prefix of paths, and the folder that stands for it here, each as its parts."""

    prefix: _Parts
    folder: _Parts


@dataclass
class Remapped:
    """What was found below another prefix.

    Attributes:
        files: row to its file.
        doubtful: row to why it has none, and the files that it might mean.
        notes: one sentence for each prefix.
    """

    files: dict[int, str] = field(default_factory=dict)
    doubtful: dict[int, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Files:
    """The files below a root by their parts, whatever the case of letters."""

    def __init__(self, tree: Tree, root: str) -> None:
        self.root = tuple(root.rstrip("/").split("/"))
        self._tree, self._folders = tree, defaultdict[str, list[str]](list)
        for folder in tree.folders:
            self._folders[folded("/".join(filter(None, ("/".join(self.root), folder))))].append(
                folder
            )
        self._names: dict[str, dict[str, list[str]]] = {}

    def folders(self, parts: Iterable[str]) -> list[str]:
        """The folders with these parts, relative to the root."""
        return self._folders.get(folded("/".join(parts)), [])

    def file(self, folders: Sequence[str], name: str) -> str:
        """The only file of `folders` that is called so; of several that differ in the case of
        letters the one as written.
        """
        found = [
            (folder, each) for folder in folders for each in self._in(folder).get(folded(name), ())
        ]
        if len(found) > 1:
            found = [(folder, each) for folder, each in found if each == name]
        return "/".join(filter(None, ("/".join(self.root), *found[0]))) if len(found) == 1 else ""

    def _in(self, folder: str) -> dict[str, list[str]]:
        names = self._names.get(folder)
        if names is None:
            names = self._names[folder] = defaultdict(list)
            for name in self._tree.folders[folder]:
                names[folded(name)].append(name)
        return names

    def with_endings(self, endings: set[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        """Folded (folder, name) to the folders, absolute, of the files that end so."""
        found = defaultdict[tuple[str, str], list[str]](list)
        last = {folder for folder, _ in endings}
        for key, folders in self._folders.items():
            name_of_folder = key.rpartition("/")[2]
            if name_of_folder in last:
                for folder in folders:
                    place = "/".join(filter(None, ("/".join(self.root), folder)))
                    for name in self._in(folder):
                        if (name_of_folder, name) in endings:
                            found[name_of_folder, name].append(place)
        return found


class _Rows:
    """Rows without a file, by the folder that they are in as written."""

    def __init__(self, folders: Mapping[_Parts, Mapping[int, str]], files: _Files) -> None:
        self.folders, self.files = folders, files

    def __len__(self) -> int:
        return sum(map(len, self.folders.values()))

    def found(self, move: Move) -> dict[int, str]:
        """Row to the file that `move` gives it."""
        found = {}
        for folder, names in self._below(move.prefix):
            here = self.files.folders((*move.folder, *folder[len(move.prefix) :]))
            for row, name in names.items() if here else ():
                file = self.files.file(here, name)
                if file:
                    found[row] = file
        return found

    def below(self, prefix: _Parts) -> set[int]:
        """The rows with a prefix."""
        return {row for _, names in self._below(prefix) for row in names}

    def without(self, prefix: _Parts) -> _Rows:
        """The rows that have another prefix."""
        return _Rows(
            {
                folder: names
                for folder, names in self.folders.items()
                if folder[: len(prefix)] != prefix
            },
            self.files,
        )

    def _below(self, prefix: _Parts) -> Iterable[tuple[_Parts, Mapping[int, str]]]:
        return (
            (folder, names)
            for folder, names in self.folders.items()
            if folder[: len(prefix)] == prefix
        )

    def only_names(self, move: Move, found: Iterable[int]) -> bool:
        """Whether nothing but the names of the files is the same: they lie in one folder here."""
        rows = set(found)
        depths = {
            len(folder) for folder, names in self.folders.items() if not rows.isdisjoint(names)
        }
        return move.folder == self.files.root and depths == {len(move.prefix)}

    def proposals(self) -> list[Move]:
        """Moves that rows spread over the table propose, by the longest ending that exists; the
        most proposed first.
        """
        rows = [(folder, name) for folder, names in self.folders.items() for name in names.values()]
        rows = rows[:: max(1, len(rows) // _SAMPLED)]
        endings = self.files.with_endings(
            {(folded(folder[-1]), folded(name)) for folder, name in rows if folder}
        )
        votes: Counter[Move] = Counter()
        for folder, name in rows:
            places = endings.get((folded(folder[-1]), folded(name)), []) if folder else []
            if not places and self.files.file(
                [""] if "" in self.files.folders(self.files.root) else [], name
            ):
                votes[Move(folder, self.files.root)] += 1
            if len(places) <= _MOST_CANDIDATES:
                votes.update(_moves(folder, places))
        return sorted(votes, key=lambda move: (-votes[move], move.prefix, move.folder))[:_TRIED]


def _moves(folder: _Parts, places: Sequence[str]) -> set[Move]:
    """The moves from `folder` to the places with the longest common ending."""
    keys = [folded(part) for part in folder]
    common = {}
    for place in places:
        other, count = folded(place).split("/"), 0
        while count < min(len(keys), len(other)) and keys[-1 - count] == other[-1 - count]:
            count += 1
        common[place] = count
    longest = max(common.values(), default=0)
    best = [place for place in places if common[place] == longest]
    return {
        Move(folder[: len(folder) - longest], tuple(place.split("/")[:-longest])) for place in best
    }


def remap_paths(
    paths: Sequence[str], files: Sequence[str], tree: Tree, root: str, name: str
) -> Remapped:
    """The rows without a file that have one here below another prefix.

    A prefix stands for one folder, for the whole table: no other folder may have nearly as many of
    its files, and no file is taken for two paths. Relative paths are looked for only where no row
    at all was found.

    Args:
        paths: as written.
        files: the file of each row; empty where there is none.
        tree: the files below `root`, where paths of another machine may lead.
        root: absolute, or a URL; POSIX separators.
        name: of the manifest, for the notes.
    """
    moved, known = Remapped(), set(filter(None, files))
    any_as_written = bool(known)
    folders = defaultdict[_Parts, dict[int, str]](dict)
    shared: dict[str, _Parts] = {}
    for row, path in enumerate(paths):
        if not files[row] and (not known or is_absolute(path)):
            folder, slash, last = _plain(path).rpartition("/")
            if slash and last:
                folders[shared.setdefault(folder, _parts(folder))][row] = last
    rows = _Rows(folders, _Files(tree, root))
    for _ in range(_MOST_MOVES):
        best = _best(rows, any_as_written) if len(rows) else None
        if best is None:
            break
        move, found, otherwise = best
        if otherwise:
            for row in found.keys() | otherwise.keys():
                moved.doubtful[row] = (
                    WHICH_FOLDER,
                    tuple(filter(None, (found.get(row, ""), otherwise.get(row, "")))),
                )
        else:
            _take(moved, found, rows, known)
            moved.notes.append(
                _note(
                    name,
                    move,
                    len(found),
                    len(rows.below(move.prefix)),
                    paths[min(found)],
                    found[min(found)],
                )
            )
        rows = rows.without(move.prefix)
    return moved


def _plain(path: str) -> str:
    plain = plain_path(path)
    if served_path(path):
        return f"{_SERVED}/{plain.lstrip('/')}"
    head, mark, rest = plain.rpartition("://")
    return head + mark + posixpath.normpath(rest) if plain else ""


def _parts(folder: str) -> _Parts:
    if folder.startswith(_SERVED):
        return (_SERVED, *filter(None, folder[len(_SERVED) :].split("/")))
    return tuple(folder.split("/"))


def _best(rows: _Rows, beside_others: bool) -> tuple[Move, dict[int, str], dict[int, str]] | None:
    """The move that finds the most, what it finds, and what a rival finds instead where nothing
    decides between them.
    """
    found = {move: rows.found(move) for move in rows.proposals()}
    enough = [move for move in found if _enough(rows, move, found[move], beside_others)]
    if not enough:
        return None
    best = min(enough, key=lambda move: (-len(found[move]), move.prefix, move.folder))
    below = rows.below(best.prefix)
    for rival in found:
        otherwise = {
            row: file
            for row, file in found[rival].items()
            if row in below and found[best].get(row) != file
        }
        if 2 * len(otherwise) > len(found[best]):
            return best, found[best], otherwise
    return best, found[best], {}


def _enough(rows: _Rows, move: Move, found: Mapping[int, str], beside_others: bool) -> bool:
    """Whether a move finds so much that it is not chance."""
    if not found or not move.prefix:
        return False
    if rows.only_names(move, found):
        return not beside_others and len(found) >= max(2, _RENAMED * len(rows))
    dropped = move.folder == rows.files.root[: len(move.folder)]
    share = len(found) / len(rows.below(move.prefix))
    if not is_absolute("/".join(move.prefix) + "/"):
        return dropped and share >= _DROPPED_BESIDE_OTHERS
    if beside_others and (len(found) < _FEWEST_BESIDE_OTHERS or share < _DROPPED_BESIDE_OTHERS):
        return False
    return share >= (_DROPPED if dropped else _RENAMED)


def _take(moved: Remapped, found: Mapping[int, str], rows: _Rows, known: set[str]) -> None:
    """Take what was found, but no file that another row names or that two paths would mean."""
    written = {
        row: (folder, name)
        for folder, names in rows.folders.items()
        for row, name in names.items()
        if row in found
    }
    meant = defaultdict[str, set[tuple[_Parts, str]]](set)
    for row, file in found.items():
        meant[file].add(written[row])
    for row, file in found.items():
        if file in known or len(meant[file]) > 1:
            moved.doubtful[row] = (TAKEN, (file,))
        else:
            moved.files[row] = file
    known |= set(moved.files.values())


def _note(name: str, move: Move, found: int, below: int, path: str, file: str) -> str:
    prefix, folder = "/".join(move.prefix) or "/", "/".join(move.folder) or "/"
    return (
        f"{found:,} of {below:,} paths of {name} that start with {prefix} do not exist as written "
        f"and were found below {folder}: "
        f"{path} as {file[len(folder.rstrip('/')) + 1 :]}"
    )
