"""Whether files changed: a hash of the names, sizes, times and inodes below folders, and of the
software that is installed. No file is opened and no library is loaded.
"""

from __future__ import annotations

import os
import platform
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from dataprep.schemas.files.writing import MARKER
from dataprep.version import __version__

#: A file that was modified this shortly before it was looked at may change again without its time
#: stamp showing it.
RACY_NS = 2_000_000_000
#: How the record of this package begins: beside its source it is seen from some folders only.
_OWN_RECORD = "dataprep_images"


@dataclass(frozen=True)
class Snapshot:
    """The state of files.

    Attributes:
        digest: 128-bit hexadecimal hash of their names, sizes, modification times and inodes.
        newest_ns: the latest modification time.
    """

    digest: str
    newest_ns: int

    def is_reliable(self, now_ns: int) -> bool:
        """Whether every later change would show, for a snapshot begun at `now_ns`."""
        return self.newest_ns <= now_ns - RACY_NS


def snapshot(trees: Iterable[str] = (), folders: Iterable[str] = ()) -> Snapshot:
    """The state of all files below `trees` (folders or single files), and of those directly in
    `folders`.

    Symbolic links are followed, every folder is listed once; hidden folders, caches of Python and
    folders that dataprep wrote are passed over. What is missing or cannot be read counts as such.
    """
    import xxhash

    digest, newest = xxhash.xxh3_128(), 0
    visited: set[tuple[int, int]] = set()
    places = [(place, True) for place in trees] + [(place, False) for place in folders]
    for place, deep in places:
        digest.update(os.fsencode(f"{place}\n"))
        for lines, modified in _below(place, visited, deep):
            newest = max(newest, modified)
            digest.update(os.fsencode("\n".join((*lines, ""))))
    return Snapshot(digest.hexdigest(), newest)


def _below(
    place: str, visited: set[tuple[int, int]], deep: bool
) -> Iterator[tuple[list[str], int]]:
    """(descriptions, latest modification time in ns or 0) of a file, or of each folder below."""
    try:
        facts = os.stat(place)
    except OSError as error:
        yield [f"error {error.errno}"], 0
        return
    if not stat.S_ISDIR(facts.st_mode):
        yield [_state(place, facts)], facts.st_mtime_ns
        return
    pending = [place]
    while pending:
        folder = pending.pop()
        lines, below, newest = _in_folder(folder, folder == place, visited if deep else set())
        yield lines, newest
        if deep:
            pending += below


def _in_folder(
    folder: str, is_root: bool, visited: set[tuple[int, int]]
) -> tuple[list[str], list[str], int]:
    """Descriptions of everything in a folder, the folders in it, and the latest modification time
    of its files.
    """
    lines: list[str] = []
    below: list[str] = []
    newest = 0
    try:
        facts = os.stat(folder)
        if (facts.st_dev, facts.st_ino) in visited:
            return [f"{folder} again"], [], 0
        visited.add((facts.st_dev, facts.st_ino))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == MARKER and not is_root:
                    return [f"{folder} written by dataprep"], [], 0
                try:
                    facts = entry.stat()
                except OSError as error:
                    lines.append(f"{entry.path}\0error {error.errno}")
                    continue
                if not stat.S_ISDIR(facts.st_mode):
                    lines.append(_state(entry.path, facts))
                    newest = max(newest, facts.st_mtime_ns)
                elif not entry.name.startswith(".") and entry.name != "__pycache__":
                    below.append(entry.path)
    except OSError as error:
        lines.append(f"{folder}\0error {error.errno}")
    below.sort()
    return sorted(lines) + below, below, newest


def _state(path: str, facts: os.stat_result) -> str:
    return "\0".join(
        map(str, (path, facts.st_size, facts.st_mtime_ns, facts.st_ino, stat.S_IFMT(facts.st_mode)))
    )


def _is_record(name: str) -> bool:
    """Whether a folder is the record of another package; the files of this one are looked at."""
    return name.endswith("-info") and not name.startswith(_OWN_RECORD)


@cache
def software() -> str:
    """128-bit hexadecimal hash of what computes: this package's files, Python, and the names and
    versions of all installed packages.
    """
    import xxhash

    parts = [__version__, platform.python_version(), platform.machine(), sys.platform]
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parts.append(snapshot([package]).digest)
    for folder in sorted({os.path.realpath(folder or ".") for folder in sys.path}):
        with suppress(OSError):
            parts += sorted(filter(_is_record, os.listdir(folder)))
    return xxhash.xxh3_128_hexdigest("\n".join(parts).encode("utf-8", "surrogateescape"))
