"""Every path of a table to the file that it means, with a reason where there is none and a note
where it was not as written.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dataprep.ingest.paths.name_matching import NameMatcher, PathMatch, composed
from dataprep.ingest.paths.remapping import remap_paths
from dataprep.ingest.paths.resolving import Finder, plain_path
from dataprep.ingest.paths.walk import Tree
from dataprep.schemas.text.words import counted, first_of

NO_FILE = "there is no such file"
SEVERAL = "several files may be meant:"
OTHER_CASE = "the file whose name differs only in the case of letters belongs to another row:"
#: So many files are named where several may be meant.
_NAMED = 4
#: Signs of either end of a path that messages show.
_SHOWN = 100
#: The nearest of so many names is looked for.
_MOST_NAMES = 50_000


@dataclass
class Located:
    """The files of a table's rows.

    Attributes:
        files: (n,) absolute paths or URLs; empty where there is none.
        reasons: row to why it has none, in a few words and with the names that belong to them;
            `NO_FILE` for the others.
        notes: how paths were read that are not those of the files, one sentence each.
    """

    files: list[str]
    reasons: dict[int, tuple[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def locate(
    paths: Sequence[str],
    finder: Finder,
    root: str,
    tree: Callable[[], Tree],
    name: str,
    *,
    elsewhere: bool = True,
) -> Located:
    """The files that `paths` mean.

    Args:
        paths: as a manifest or a list writes them.
        finder: knows the folders that they may start from.
        root: the first of these folders.
        tree: gives the files below `root`; asked only where a path leads nowhere.
        name: of the manifest, for the notes.
        elsewhere: whether paths of another machine may lead to files of the tree.
    """
    located = Located([finder.find(path) for path in paths])
    if all(located.files):
        return located
    _take_alike(located, paths, NameMatcher(finder), name)
    if elsewhere and not all(located.files):
        moved = remap_paths(paths, located.files, tree(), root, name)
        for row, file in moved.files.items():
            located.files[row] = file
        located.reasons |= {
            row: (reason, _named(files, root)) for row, (reason, files) in moved.doubtful.items()
        }
        located.notes += moved.notes
    return located


def _take_alike(located: Located, paths: Sequence[str], alike: NameMatcher, name: str) -> None:
    """Files whose names look like those written: of another Unicode form, or in another case
    where no other row means them.
    """
    direct = set(filter(None, located.files))
    found = {row: alike.find(path) for row, path in enumerate(paths) if not located.files[row]}
    root = alike.finder.bases[0]
    wanted = defaultdict[str, set[str]](set)
    for row, each in found.items():
        if len(each.files) == 1 and each.how == "case":
            wanted[each.files[0]].add(composed(plain_path(paths[row])))
    taken: dict[str, list[int]] = {"form": [], "case": []}
    for row, each in found.items():
        if len(each.files) > 1:
            located.reasons[row] = (SEVERAL, _named(each.files, root))
        elif (
            each.files
            and each.how == "case"
            and (each.files[0] in direct or len(wanted[each.files[0]]) > 1)
        ):
            located.reasons[row] = (OTHER_CASE, _named(each.files, root))
        elif each.files:
            located.files[row] = each.files[0]
            taken.setdefault(each.how, []).append(row)
    _note_alike(located, paths, found, taken, name)


def _note_alike(
    located: Located,
    paths: Sequence[str],
    found: dict[int, PathMatch],
    taken: dict[str, list[int]],
    name: str,
) -> None:
    spellings = {
        "form": "another Unicode form than the names of the files (programs that compare byte by "
        "byte find none)",
        "case": "another case of letters than the names of the files",
    }
    for how, what in spellings.items():
        rows = taken[how]
        if rows:
            file = found[rows[0]].files[0].rpartition("/")[2]
            located.notes.append(
                f"{counted(len(rows), 'path')} of {name} found, though written in {what}: "
                f"{shortened(paths[rows[0]])} is {file}"
            )


def _named(files: Sequence[str], root: str) -> str:
    prefix = root.rstrip("/") + "/"
    return first_of([f"'{file.removeprefix(prefix)}'" for file in sorted(files)], _NAMED)


def shortened(path: str) -> str:
    """A path for a message: as written, the middle of a very long one left out."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}...{text[-_SHOWN:]}"


def hint(path: str, tree: Tree, root: str) -> str:
    """What to do where no path of a table leads anywhere, from its first path; empty where
    nothing is near.
    """
    tidy = plain_path(path).removeprefix("./")
    parts = [part for part in tidy.split("/") if part]
    files = list(tree.paths())
    for start in range(len(parts) - 1):
        ending = "/" + "/".join(parts[start:])
        ends = [file for file in files if f"/{file}".endswith(ending)]
        if ends:
            above = f"{root.rstrip('/')}/{ends[0]}"[: -len(ending)]
            if not start and len(ends) == 1:
                return f"give the folder {above} instead"
            return (
                f"the ending {ending[1:]} exists here as {_named(ends, root)}: give the folder "
                "that the paths start from"
            )
    names = {file.rpartition("/")[2]: file for file in files[:_MOST_NAMES]}
    near = difflib.get_close_matches(parts[-1], list(names), n=5, cutoff=0.75) if parts else []
    whole = difflib.get_close_matches(tidy, [names[each] for each in near], n=1, cutoff=0.0)
    return (
        f"the nearest name is {whole[0]}: give the folder that its paths start from"
        if whole
        else ""
    )
