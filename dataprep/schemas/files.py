"""Result files: written beside their place, flushed to disk and renamed: a killed run leaves the previous result whole."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from dataprep.errors import OutputError

#: A folder that holds a file of this name was written by dataprep; `dataprep.scan` passes it over.
MARKER = ".dataprep-out"

_MARKER_TEXT = b"Written by dataprep. A folder with this file is not scanned for images.\n"
_PARTIAL = ".partial"
_STALE_S = 24 * 3600.0
_WHY = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space or choose another folder",
    errno.EFBIG: "a file would grow beyond the limit on file sizes (ulimit -f): raise it or choose another folder",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EACCES: "no permission to write there: choose another folder",
    errno.EPERM: "no permission to write there: choose another folder",
    errno.ENOTDIR: "a part of that path is a file, not a folder: choose another folder",
    errno.EEXIST: "a file is in the place of the folder: choose another folder",
    errno.EISDIR: "a folder is in the place of the file: move it away or choose another folder",
    errno.ENOENT: "no folder can be made there: choose another folder",
}


@contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` when the block ends without an error; folders are made as needed.

    Raises:
        OutputError: the file cannot be written (disk full, read-only folder).
    """
    folder, name = os.path.split(os.path.abspath(path))
    with write_together(folder) as opened:
        yield opened(name)


@contextmanager
def write_together(folder: str | os.PathLike[str]) -> Iterator[Callable[[str], BinaryIO]]:
    """Gives a function (file name) -> binary file; all of them take their places in `folder` when the block ends well.

    Raises:
        OutputError: a file cannot be written (disk full, read-only folder); then none of them takes its place.
    """
    folder = os.path.abspath(folder)
    files: dict[str, BinaryIO] = {}

    def opened(name: str) -> BinaryIO:
        _remove_stale(folder, name)
        place = os.path.join(folder, f".{name}.{secrets.token_hex(4)}{_PARTIAL}")
        files[name] = open(place, "xb")  # noqa: SIM115 - closed when the block ends
        return files[name]

    try:
        os.makedirs(folder, exist_ok=True)
        yield opened
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        for name, file in files.items():
            os.replace(file.name, os.path.join(folder, name))
        _sync_folder(folder)
    except OSError as error:
        if not _is_ours(error, folder, files):
            raise
        raise OutputError(f"cannot write to {folder}: {_WHY.get(error.errno or 0, error.strerror or str(error))}") from error
    finally:
        _discard(files)


def mark_output(folder: str | os.PathLike[str]) -> None:
    """Make `folder` if needed and put the marker file in it.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    if not os.path.exists(os.path.join(folder, MARKER)):
        with write_atomically(os.path.join(folder, MARKER)) as file:
            file.write(_MARKER_TEXT)


def _is_ours(error: OSError, folder: str, files: dict[str, BinaryIO]) -> bool:
    """Whether the error is about writing: one that names another file comes from the caller's own work."""
    if error.filename is None:
        return error.errno in _WHY or error.errno == errno.EIO
    name = os.fsdecode(error.filename)
    return folder.startswith(name) or os.path.dirname(name) == folder


def _discard(files: dict[str, BinaryIO]) -> None:
    for file in files.values():
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            os.unlink(file.name)


def _remove_stale(folder: str, name: str) -> None:
    """What a killed run left; a run at work now is younger than a day."""
    for entry in os.scandir(folder):
        if entry.name.startswith(f".{name}.") and entry.name.endswith(_PARTIAL):
            with suppress(OSError):
                if time.time() - entry.stat().st_mtime > _STALE_S:
                    os.unlink(entry.path)


def _sync_folder(folder: str) -> None:
    """Make the renames last; Windows has no such call for folders."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
