"""Atomic writes: result files are written to a temporary name, flushed and renamed, so a killed run
leaves the previous result intact.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from dataprep.errors import OutputError
from dataprep.schemas.files.leftovers import if_dead, lock, partial_path, partials
from dataprep.schemas.files.publishing import published, settle, sync_folder

#: A folder that holds a file of this name was written by dataprep; `dataprep.scan` passes it over.
MARKER = ".dataprep-out"

_MARKER_TEXT = b"Written by dataprep. A folder with this file is not scanned for images.\n"
_WHY = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up: free some space or choose another folder",
    errno.EFBIG: "a file would grow beyond the limit on file sizes (ulimit -f): raise it or choose "
    "another folder",
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
    """A binary file that takes the place of `path` when the block ends without an error; folders
    are made as needed.

    Raises:
        OutputError: the file cannot be written (disk full, read-only folder).
    """
    folder, name = os.path.split(os.path.abspath(path))
    file: BinaryIO | None = None
    handle = -1
    try:
        os.makedirs(folder, exist_ok=True)
        _remove_stale(folder, name)
        file = _new_file(folder, name)
        handle = os.dup(file.fileno())
        yield file
        _finish(file)
        if os.name == "nt":  # where an open file cannot be renamed
            os.close(handle)
            handle = -1
        os.replace(file.name, os.path.join(folder, name))
        sync_folder(folder)
    except OSError as error:
        if not _is_ours(error, folder):
            raise
        raise _cannot_write(folder, error) from error
    finally:
        try:
            _discard(file)
        finally:
            if handle >= 0:
                os.close(handle)


@contextmanager
def write_together(
    folder: str | os.PathLike[str], *, owns: Collection[str] = (), keeps: Collection[str] = ()
) -> Iterator[Callable[[str], BinaryIO]]:
    """Gives a function (file name) -> binary file; all of them take their places in `folder` when
    the block ends well.

    They do so in one step (`dataprep.schemas.files.publishing`): whatever ends the run, the former
    files are there or these are. Other files in the folder stay.

    Args:
        folder: made as needed.
        owns: names of all files that a result may consist of: those of an earlier one that are not
            opened now go.
        keeps: names of folders that other writers make in it.

    Raises:
        OutputError: a file cannot be written (disk full, read-only folder); then none of them takes
            its place.
    """
    folder = os.path.realpath(folder)
    files: dict[str, BinaryIO] = {}
    stage = folder
    try:
        os.makedirs(folder, exist_ok=True)
        whole = os.path.exists(os.path.join(folder, MARKER))
        with published(folder, whole=whole, owns=owns, keeps=keeps) as publication:
            stage = publication.stage

            def opened(name: str) -> BinaryIO:
                files[name] = open(os.path.join(stage, name), "xb")  # noqa: SIM115 - closed when the block ends
                return files[name]

            try:
                yield opened
                for file in files.values():
                    _finish(file)
            finally:
                for file in files.values():
                    with suppress(OSError):
                        file.close()
            publication.publish()
    except OSError as error:
        if not _is_ours(error, folder, stage):
            raise
        raise _cannot_write(folder, error) from error


def mark_output(folder: str | os.PathLike[str]) -> None:
    """Make `folder` if needed and put the marker file in it.

    Raises:
        OutputError: the folder cannot be made or written.
    """
    if not os.path.exists(os.path.join(folder, MARKER)):
        with write_atomically(os.path.join(folder, MARKER)) as file:
            file.write(_MARKER_TEXT)


def _cannot_write(folder: str, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write to {folder}: {_WHY.get(error.errno or 0, error.strerror or str(error))}"
    )


def _is_ours(error: OSError, folder: str, stage: str = "") -> bool:
    """Whether the error is about writing: one that names another file comes from the caller's
    own work.
    """
    if error.filename is None:
        return error.errno in _WHY or error.errno == errno.EIO
    name = os.fsdecode(error.filename)
    return folder.startswith(name) or os.path.dirname(name) in (folder, stage) or name == stage


def _new_file(folder: str, name: str) -> BinaryIO:
    """A new file out of sight, locked while it is open."""
    while True:
        file = open(partial_path(folder, name), "xb")  # noqa: SIM115 - closed by the caller
        if lock(file.fileno()):
            return file
        file.close()


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _discard(file: BinaryIO | None) -> None:
    if file is not None:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            os.unlink(file.name)


def _remove_stale(folder: str, name: str) -> None:
    """What a dead run left on the way to a file."""
    settle(folder)
    for entry in partials(folder, name):
        if_dead(entry.path, os.unlink)
