"""Publication: the files of a stage appear in one step, whatever ends the run.

They are written to a folder out of sight, which then swaps places with the stage's folder
(`exchange`); what is not replaced is linked into it before. Where folders cannot be swapped (no
such call, a mount point, the working folder, a folder that is not dataprep's own), the files are
moved in one by one, after one renaming that makes the move certain: the next run, and every reader,
carries on with it (`settle`). What a dead run left unfinished is removed by the next.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from dataprep.schemas.files.exchange import exchange
from dataprep.schemas.files.leftovers import if_dead, new_folder, partials, release

#: What a move of files within a folder is called, and how its name ends once it is certain.
_MOVE, _READY = "publish", ".ready"
#: In the folder of such a move: names that go.
_GOING = ".going.json"
#: Files of others that are linked into a new folder at most; beyond, the folder stays and files are
#: moved into it.
_MOST_CARRIED = 10_000


class Publication:
    """A folder out of sight, `stage`, and the way of its files to their places in `folder`.

    Args:
        folder: absolute path, links resolved; it exists.
        whole: whether the folder is dataprep's own, so that it may be swapped as a whole.
        owns: names of the files that a result may consist of: those that were not written this time
            go.
        keeps: names of folders in it that stay; any other folder means that it is not swapped.
    """

    def __init__(
        self, folder: str, *, whole: bool, owns: Collection[str], keeps: Collection[str]
    ) -> None:
        self.folder, self.owns, self.stage, self._lock = folder, set(owns), "", -1
        clear_leftovers(folder, self.owns)
        if whole and _may_be_swapped(folder, keeps):
            with suppress(OSError):  # the folder above may be closed to us
                parent, name = os.path.split(folder)
                self.stage, self._lock = new_folder(parent, name, f"-{os.stat(folder).st_ino}")
        self._beside = bool(self.stage)
        if not self.stage:
            self.stage, self._lock = new_folder(folder, _MOVE)
        self._ready = os.path.join(folder, f".{_MOVE}.{secrets.token_hex(4)}{_READY}")

    def publish(self) -> None:
        """Put the files in their places; they are on the disk."""
        written = os.listdir(self.stage)
        self.owns.update(written)
        for name in written:
            if os.path.isdir(os.path.join(self.folder, name)):
                raise IsADirectoryError(
                    errno.EISDIR, os.strerror(errno.EISDIR), os.path.join(self.folder, name)
                )
        sync_folder(self.stage)
        if self._beside and self._swapped(written):
            sync_folder(os.path.dirname(self.folder))
            return
        with open(os.path.join(self.stage, _GOING), "x", encoding="utf-8") as file:
            json.dump(sorted(self.owns.difference(written)), file)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.stage)
        os.rename(self.stage, self._ready)
        sync_folder(self.folder)
        _carry_on(self._ready, self.folder)
        sync_folder(self.folder)

    def close(self) -> None:
        """Carry on with what is certain, and remove what is not."""
        try:
            if os.path.isdir(self._ready):
                _carry_on(self._ready, self.folder)
            with suppress(OSError):  # what cannot be removed now, the next run removes
                if os.path.isdir(self.stage):
                    _remove(self.stage, self.folder, self.owns)
        finally:
            release(self._lock)

    def _swapped(self, written: Collection[str]) -> bool:
        """Whether the folders swapped places; if not, the stage holds again what was written
        alone.
        """
        try:
            _link_others(self.folder, self.stage, self.owns)
            if exchange(self.stage, self.folder):
                return True
        except OSError:  # no hard links here, or not to these files
            pass
        for name in set(os.listdir(self.stage)).difference(written):
            _delete(os.path.join(self.stage, name))
        return False


@contextmanager
def published(
    folder: str, *, whole: bool, owns: Collection[str] = (), keeps: Collection[str] = ()
) -> Iterator[Publication]:
    """A `Publication` that is closed whatever happens."""
    publication = Publication(folder, whole=whole, owns=owns, keeps=keeps)
    try:
        yield publication
    finally:
        publication.close()


def settle(folder: str | os.PathLike[str]) -> None:
    """Carry on with a move of files into `folder` that a killed run had begun, before they are
    read. Raises nothing.
    """
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(f".{_MOVE}.") and entry.name.endswith(_READY):
                if_dead(entry.path, lambda path: _carry_on(path, os.fspath(folder)))


def clear_leftovers(folder: str, owns: Collection[str] = ()) -> None:
    """Put right what dead runs left on the way to the files of `folder`."""
    settle(folder)
    parent, name = os.path.split(folder)
    for entry in (*partials(parent, name), *partials(folder, _MOVE)):
        if entry.is_dir(follow_symlinks=False):
            if_dead(entry.path, lambda path: _remove(path, folder, owns))


def sync_folder(folder: str) -> None:
    """Make renames in a folder last; Windows has no such call."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _may_be_swapped(folder: str, keeps: Collection[str]) -> bool:
    """Whether nobody minds that another folder takes its place: it is ours, holds little else,
    and nothing hangs on it.
    """
    if os.name == "nt" or os.path.ismount(folder):
        return False
    found, above = os.stat(folder), os.stat(os.path.dirname(folder))
    if found.st_dev != above.st_dev or found.st_uid != os.geteuid() or _is_working_folder(folder):
        return False
    entries = list(os.scandir(folder))
    return len(entries) < _MOST_CARRIED and all(
        entry.name in keeps or not entry.is_dir(follow_symlinks=False) for entry in entries
    )


def _is_working_folder(folder: str) -> bool:
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:
        return False
    return here == folder or here.startswith(folder.rstrip(os.sep) + os.sep)


def _link_others(folder: str, stage: str, without: Collection[str]) -> None:
    """Hard links in `stage` to all that is in `folder`, but for some names; and the folder's
    mode, group and attributes.
    """
    for entry in list(os.scandir(folder)):
        place = os.path.join(stage, entry.name)
        if entry.name in without:
            continue
        if entry.is_dir(follow_symlinks=False):
            os.mkdir(place)
            _link_others(entry.path, place, ())
        else:
            os.link(entry.path, place, follow_symlinks=False)
    shutil.copystat(folder, stage)
    group = os.stat(folder).st_gid
    if os.stat(stage).st_gid != group:
        os.chown(stage, -1, group)


def _carry_on(ready: str, folder: str) -> None:
    """Move the files of a certain move to their places; those that are there already have gone
    before.
    """
    for name in _going(os.path.join(ready, _GOING)):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, name))
    for name in sorted(os.listdir(ready)):
        if name != _GOING:
            with suppress(FileNotFoundError):
                os.replace(os.path.join(ready, name), os.path.join(folder, name))
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(ready, _GOING))
    with suppress(FileNotFoundError):
        os.rmdir(ready)


def _going(path: str) -> list[str]:
    """Names to remove: of this folder, whatever the file says."""
    try:
        with open(path, encoding="utf-8") as file:
            names = json.load(file)
    except (OSError, ValueError):
        return []
    if not isinstance(names, list):
        return []
    return [
        name
        for name in names
        if isinstance(name, str) and name not in ("", ".", "..") and os.path.basename(name) == name
    ]


def _remove(stage: str, folder: str, owns: Collection[str]) -> None:
    """Remove a stage; if it is the folder that was swapped out, what others put there meanwhile
    moves to its place first.
    """
    if f"-{os.stat(stage).st_ino}." in os.path.basename(stage):
        _bring_over(stage, folder, owns)
    else:
        shutil.rmtree(stage, ignore_errors=True)


def _bring_over(old: str, folder: str, owns: Collection[str]) -> None:
    for entry in list(os.scandir(old)):
        place = os.path.join(folder, entry.name)
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name in owns and not is_folder:
            os.unlink(entry.path)
        elif is_folder and os.path.isdir(place):
            _bring_over(entry.path, place, ())
        elif not os.path.lexists(place) or _is_newer(entry.path, place):
            os.replace(entry.path, place)
        else:
            _delete(entry.path)
    with suppress(OSError):
        os.rmdir(old)


def _is_newer(path: str, other: str) -> bool:
    """Whether a file was written again since it was linked to the other place."""
    mine, its = os.lstat(path), os.lstat(other)
    return not os.path.samestat(mine, its) and mine.st_mtime_ns > its.st_mtime_ns


def _delete(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)
