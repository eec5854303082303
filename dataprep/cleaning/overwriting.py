"""User files are not overwritten: dataprep remembers, by content hash, the files that it wrote to
paths which a user chose.

The record is in the user's cache folder; without it (another machine, a cache that was deleted) a
file counts as the user's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

import xxhash

from dataprep.errors import InputError, OutputError
from dataprep.measures.cache_files import cache_folder
from dataprep.schemas.files.reading import content_hash
from dataprep.schemas.files.writing import write_atomically

_FOLDER = "written"


def refuse_overwriting(
    path: str | os.PathLike[str],
    inputs: Iterable[str] = (),
    *,
    ours: bool = False,
    force: bool = False,
) -> None:
    """Refuse to write to a file that was read, or that is there and is not what dataprep wrote
    there last.

    Args:
        path: the file to be.
        inputs: files that the result is made from.
        ours: the place is dataprep's own (``dataprep-out/clean/clean.csv``): only inputs are
            refused.
        force: overwrite whatever is there.

    Raises:
        InputError: with what to do.
    """
    path = os.fspath(path)
    if force or not os.path.lexists(path):
        return
    for source in inputs:
        if _is_same(path, source):
            raise InputError(
                f"{path} is what was read, and would be replaced: choose another name, or give "
                "--force"
            )
    if not ours and not is_written_by_us(path):
        raise InputError(
            f"{path} is there, and is not (or no longer) what dataprep wrote there: choose another "
            "name, or give --force to "
            "replace it"
        )


def remember_written(path: str | os.PathLike[str]) -> None:
    """Keep in mind that dataprep wrote the file, so that a later run may replace it while it is
    unchanged.
    """
    with suppress(OSError, OutputError):  # then the next run asks for --force
        digest = content_hash(path)
        with write_atomically(_note(path)) as file:
            file.write(digest.encode())


def is_written_by_us(path: str | os.PathLike[str]) -> bool:
    """Whether a file is as dataprep wrote it."""
    try:
        if not os.path.isfile(path):
            return False
        with open(_note(path), encoding="ascii") as file:
            return file.read(64) == content_hash(path)
    except (OSError, ValueError):
        return False


def _note(path: str | os.PathLike[str]) -> str:
    name = xxhash.xxh3_128(os.fsencode(os.path.realpath(path))).hexdigest()
    return os.path.join(cache_folder(), _FOLDER, str(name))


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
