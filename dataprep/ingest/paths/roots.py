"""The folder that a data set's names are relative to: it holds the files of its table, but for a
few strays.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence

from dataprep.errors import InputError
from dataprep.ingest.paths.locating import Located
from dataprep.ingest.paths.resolving import to_posix

OUTSIDE = "it lies outside the folder of the other files,"
#: Files that only a folder near the top of the file system would hold together with the others are
#: strays where they are one in so many, or no more than so many and no more than the others.
_ONE_IN, _FEW = 10, 2


def leave_out_strays(root: str, located: Sequence[Located], *, keep_root: bool) -> str:
    """The root: `root`, or the folder above it that holds the files that were found, but for
    strays, which lose their file.

    Args:
        root: absolute or a URL; POSIX separators; empty for the folder of most files.
        located: the files of each manifest's rows; those of strays are taken out, with the reason.
        keep_root: whether `root` was asked for, and belongs to the data set even if no file is in
            it.

    Raises:
        InputError: files on several drives, or outside a URL.
    """
    files = [file for each in located for file in each.files if file]
    outside = [file for file in files if not root or not _holds(root, file)]
    if not outside:
        return root
    start = (
        root
        if keep_root or len(outside) < len(files) or "://" in root
        else _folder_of_most(outside)
    )
    outside = [file for file in outside if not _holds(start, file)]
    chosen = _lifted(start, outside, len(files))
    for each in located:
        for row, file in enumerate(each.files):
            if file and not _holds(chosen, file):
                each.files[row] = ""
                each.reasons[row] = (OUTSIDE, f"'{chosen}'")
    return chosen


def _holds(folder: str, file: str) -> bool:
    return file.startswith(folder.rstrip("/") + "/")


def _folder_of_most(files: Sequence[str]) -> str:
    """The folder above all of `files`, or where that is near the top, above those that are there
    in the middle of their order.
    """
    folders = sorted({posixpath.dirname(file) for file in files})
    whole = _common(folders)
    return (
        posixpath.dirname(sorted(files)[len(files) // 2])
        if whole is None or _is_top(whole)
        else whole
    )


def _lifted(start: str, outside: Sequence[str], total: int) -> str:
    """The deepest folder from `start` upwards outside of which there are only strays."""
    folder = start
    while True:
        left = [posixpath.dirname(file) for file in outside if not _holds(folder, file)]
        if not left:
            return folder
        common = None if "://" in folder else _common([folder, *left])
        few = len(left) * _ONE_IN <= total or (len(left) <= _FEW and 2 * len(left) <= total)
        if few and (common is None or _is_top(common)):
            return folder
        if common is None:
            _refuse(folder, min(left))
        folder = posixpath.dirname(folder)


def _refuse(folder: str, other: str) -> None:
    if "://" in folder or "://" in other:
        raise InputError(
            f"the manifest lists files outside {folder}, such as {other}: give the URL above all "
            "of them"
        )
    raise InputError(
        f"the manifest lists files on several drives, such as {other}: audit each by itself"
    )


def _common(folders: Iterable[str]) -> str | None:
    """The folder above all of `folders`; None where there is none."""
    try:
        return to_posix(os.path.commonpath(set(folders)))
    except ValueError:
        return None


def _is_top(folder: str) -> bool:
    """Whether a folder is at the top of a file system, or holds a user's whole home."""
    above = posixpath.dirname(folder)
    home = to_posix(os.path.expanduser("~"))
    return above in (folder, posixpath.dirname(above)) or home == folder or _holds(folder, home)
