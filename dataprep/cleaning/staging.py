"""A new folder that appears complete or not at all: filled next to its destination, then renamed;
never inside the image folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dataprep.errors import FingerprintError, InputError, OutputError
from dataprep.schemas.files.exchange import exchange
from dataprep.schemas.files.leftovers import former_path, if_dead, new_folder, partials, release
from dataprep.schemas.files.publishing import sync_folder

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

_LISTED = 5


def refuse_place(dataset: Dataset, folder: str, record: str) -> None:
    """Refuse a folder that lies among the images or around them, or that holds anything but what an
    earlier run put there.

    Args:
        dataset: whose images are never written to.
        folder: absolute path of the folder to be.
        record: name of the file in which `write_record` says what is in a folder of ours.

    Raises:
        InputError: with what to do.
    """
    if not dataset.is_remote:
        if lies_in(folder, dataset.root):
            raise InputError(
                f"{folder} lies in the folder of images, which is never written: choose a folder "
                f"outside {dataset.root}"
            )
        if lies_in(dataset.root, folder):
            raise InputError(
                f"{folder} holds the folder of images {dataset.root}: choose another folder"
            )
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"{folder} is a file: choose a folder")
    if os.path.isdir(folder) and os.listdir(folder) and not is_ours(folder, record):
        raise InputError(
            f"{folder} is not empty, and holds files that dataprep did not put there: choose "
            "another folder"
        )


def lies_in(folder: str, other: str) -> bool:
    """Whether `folder` is `other` or lies in it, links resolved."""
    inner, outer = (os.path.normcase(os.path.realpath(path)) for path in (folder, other))
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


def refuse_changed(dataset: Dataset) -> None:
    """Refuse files that are gone, or whose size is not the measured one; cheap beside hashing every
    file again.

    Raises:
        FingerprintError: naming the first of them.
    """
    sizes = dataset.samples["bytes"] if "bytes" in dataset.samples else [None] * len(dataset)
    changed = []
    for sample, size in zip(dataset.samples.index, sizes, strict=True):
        try:
            found = os.stat(dataset.path(sample)).st_size
        except OSError as error:
            changed.append(f"{sample} ({error.strerror or error})")
            continue
        if size is not None and size == size and found != size:
            changed.append(f"{sample} ({found} bytes, measured {int(size)})")
    if changed:
        more = f" and {len(changed) - _LISTED} more" if len(changed) > _LISTED else ""
        raise FingerprintError(
            f"{len(changed):,} files changed or went since the audit: "
            f"{', '.join(changed[:_LISTED])}{more}. "
            "Run dataprep audit again."
        )


@contextmanager
def staged(folder: str) -> Iterator[str]:
    """A new folder beside `folder` that takes its place when the block ends without an error.

    It does so in one step; where the system has none, the former folder is moved aside and back, by
    the next run if need be.

    Raises:
        OutputError: the block or the renaming met an error of the operating system; an earlier
            `folder` is then as it was.
    """
    parent, name = os.path.split(os.path.realpath(folder) if os.path.isdir(folder) else folder)
    place = os.path.join(parent, name)
    stage, handle = "", -1
    try:
        restore(place)
        os.makedirs(parent, exist_ok=True)
        stage, handle = new_folder(parent, name)
        yield stage
        sync_folder(stage)
        if not (os.path.isdir(place) and exchange(stage, place)):
            if os.path.isdir(place):
                os.rename(place, former_path(place))
            os.rename(stage, place)
        sync_folder(parent)
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error}") from error
    finally:
        try:
            restore(place)
            shutil.rmtree(stage, ignore_errors=True)
        finally:
            release(handle)


def restore(folder: str) -> None:
    """Put right what a killed run left beside a folder of `staged`: the former one comes back if
    it was moved aside.
    """
    former = former_path(folder)
    if os.path.isdir(former):
        if os.path.lexists(folder):
            shutil.rmtree(former, ignore_errors=True)
        else:
            os.rename(former, folder)
    for entry in partials(*os.path.split(folder)):
        if entry.is_dir(follow_symlinks=False):
            if_dead(entry.path, shutil.rmtree)


def downloads(dataset: Dataset) -> Callable[[str, str], None]:
    """A function (URL of a sample, path) that fetches the file of a remote data set to a new
    file.
    """
    import fsspec

    system, _ = fsspec.core.url_to_fs(dataset.root)

    def download(source: str, target: str) -> None:
        with (
            system.open(system._strip_protocol(source), "rb") as remote,
            open(target, "xb") as local,
        ):
            shutil.copyfileobj(remote, local)

    return download


def write_record(
    stage: str, record: str, made_by: str, files: int, more: Mapping[str, Any] | None = None
) -> None:
    """Say in the file `record` what was put into the folder `stage`, so that a later run
    replaces that and nothing else.
    """
    content: dict[str, Any] = {
        "made by": made_by,
        "files": files,
        "names": _names_digest(stage, record),
        **(more or {}),
    }
    with open(os.path.join(stage, record), "x", encoding="utf-8") as file:
        json.dump(content, file, indent=2)


def is_ours(folder: str, record: str) -> bool:
    """Whether the folder holds exactly what an earlier run put there."""
    try:
        with open(os.path.join(folder, record), encoding="utf-8") as file:
            return bool(json.load(file)["names"] == _names_digest(folder, record))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _names_digest(folder: str, record: str) -> str:
    """Hash of the names of all files below `folder`, but for the record."""
    digest = hashlib.blake2b(digest_size=16)
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.relpath(os.path.join(here, name), folder)
            if path != record:
                digest.update(os.fsencode(path) + b"\0")
    return digest.hexdigest()


def link_or_copy(source: str, target: str) -> bool:
    """Link, or copy where that is impossible (another disk, a file system without links); gives
    whether it was a link.
    """
    try:
        os.link(source, target)
        return True
    except OSError:
        if not os.path.exists(source):
            raise
    shutil.copy2(source, target)
    return False
