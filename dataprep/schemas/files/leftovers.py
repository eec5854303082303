"""Temporary files and folders, locked while their process lives, so that the next run can clean up
after a dead one.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

#: None on Windows, which has no such locks.
fcntl: Any = None if os.name == "nt" else import_module("fcntl")

#: The end of a name that is not in its place yet.
PARTIAL = ".partial"

_STALE_S = 24 * 3600.0
_LONGEST = 150
_NO_LOCK = -1


def partial_path(folder: str, name: str, note: str = "") -> str:
    """A new path in `folder` for what will be called `name`; `note` stands in it."""
    return os.path.join(folder, f".{_stem(name)}.{secrets.token_hex(4)}{note}{PARTIAL}")


def former_path(folder: str) -> str:
    """Where a folder is between two renames, on systems that cannot swap it with its successor."""
    parent, name = os.path.split(folder)
    return os.path.join(parent, f".{_stem(name)}.former")


def partials(folder: str, name: str) -> Iterator[os.DirEntry[str]]:
    """What runs left in `folder` on the way to `name`, theirs that are at work included."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    ours = re.compile(rf"\.{re.escape(_stem(name))}\.[0-9a-f]{{8}}(-\d+)?{re.escape(PARTIAL)}")
    yield from (entry for entry in entries if ours.fullmatch(entry.name))


def _stem(name: str) -> str:
    """The name, shortened so that what is put around it fits into a file name too."""
    data = os.fsencode(name)
    return name if len(data) <= _LONGEST else hashlib.blake2b(data, digest_size=16).hexdigest()


def lock(handle: int) -> bool:
    """Lock an open file or folder for this process; False where somebody else holds it, or has
    removed it just now.

    Where the file system has no locks, nothing is locked, and only age tells what a dead run left.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return os.fstat(handle).st_nlink > 0


def claim(path: str) -> int | None:
    """A locked handle of what a dead run left, for `release`; None where its run is alive, or it
    is gone.
    """
    if fcntl is None:
        return _old(path)
    try:
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        )
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # no locks here
        os.close(handle)
        return _old(path)
    return handle


def if_dead(path: str, do: Callable[[str], object]) -> None:
    """Do it with what a run left, unless that run is alive; errors of the operating system are
    of no account.
    """
    handle = claim(path)
    if handle is not None:
        try:
            with suppress(OSError):
                do(path)
        finally:
            release(handle)


def release(handle: int) -> None:
    """Close what `claim` or `new_folder` gave."""
    if handle != _NO_LOCK:
        os.close(handle)


def new_folder(folder: str, name: str, note: str = "") -> tuple[str, int]:
    """A new folder in `folder` for what will be called `name`: its path, and a handle that holds
    its lock, for `release`.
    """
    while True:
        path = partial_path(folder, name, note)
        os.mkdir(path)
        if fcntl is None:
            return path, _NO_LOCK
        handle = os.open(path, os.O_RDONLY)
        if lock(handle) and os.path.isdir(path):
            return path, handle
        os.close(handle)


def _old(path: str) -> int | None:
    try:
        return _NO_LOCK if time.time() - os.lstat(path).st_mtime > _STALE_S else None
    except OSError:
        return None
