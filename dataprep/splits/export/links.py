"""How a file comes into a new folder: as a link of some kind, or as a copy."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

from dataprep.cleaning.staging import downloads, link_or_copy
from dataprep.errors import OptionError

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

Link = Literal["auto", "hard", "reflink", "symlink", "copy"]

#: What links say when the file system, not the disk or the permissions of the source, is in the
#: way.
_IMPOSSIBLE = {
    errno.EXDEV,
    errno.EPERM,
    errno.EMLINK,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.ENOTTY,
}
#: The request "share the blocks of that file" (linux/fs.h), which Btrfs, XFS, bcachefs and others
#: answer.
_FICLONE = 0x40049409


def placer(dataset: Dataset, link: Link) -> Callable[[str, str], bool]:
    """A function (path of a sample's file, path of a new file) that makes the second and says
    whether it is a link.

    "auto" takes a hard link where that is possible and a copy elsewhere; "hard" shares the file
    with the original (a program that writes into one writes into the other); "reflink" shares its
    blocks until one of them is written to; "symlink" points to the original, and ends when that is
    moved; "copy" shares nothing. Files of a URL are always fetched, as copies.

    Raises:
        OptionError: an unknown kind, or a link to a file of a URL; the function raises it where
            such links cannot be made.
    """
    if link not in get_args(Link):
        raise OptionError(f"option link: expected one of {', '.join(get_args(Link))}, got {link!r}")
    if dataset.is_remote:
        if link not in ("auto", "copy"):
            raise OptionError(
                f"option link: files of {dataset.root} can only be copied, got {link!r}: take "
                "'copy'"
            )
        fetch = downloads(dataset)

        def download(source: str, target: str) -> bool:
            fetch(source, target)
            return False

        return download
    make = {
        "auto": link_or_copy,
        "hard": _hard,
        "reflink": _reflink,
        "symlink": _symlink,
        "copy": _copy,
    }[link]
    return lambda source, target: make(os.path.realpath(source), target)


def _hard(source: str, target: str) -> bool:
    try:
        os.link(source, target)
    except OSError as error:
        _explain(error, "a hard link", "both must be on one file system that has them")
        raise
    return True


def _reflink(source: str, target: str) -> bool:
    if not sys.platform.startswith("linux"):
        raise OptionError("option link: reflinks are made on Linux only: take 'auto' or 'copy'")
    import fcntl

    try:
        with open(source, "rb") as original, open(target, "xb") as clone:
            fcntl.ioctl(clone.fileno(), _FICLONE, original.fileno())
    except OSError as error:
        _explain(
            error,
            "a reflink",
            "both must be on one file system that has them (Btrfs, XFS, bcachefs)",
        )
        raise
    shutil.copystat(source, target)
    return True


def _symlink(source: str, target: str) -> bool:
    try:
        os.symlink(source, target)
    except OSError as error:
        _explain(
            error, "a symbolic link", "the file system or the system's settings do not allow them"
        )
        raise
    return True


def _copy(source: str, target: str) -> bool:
    shutil.copy2(source, target)
    return False


def _explain(error: OSError, what: str, why: str) -> None:
    if error.errno in _IMPOSSIBLE:
        place = error.filename or "the images"
        raise OptionError(
            f"option link: {what} to {place} cannot be made ({error.strerror}): {why}. Take 'auto' "
            "or 'copy'"
        ) from error
