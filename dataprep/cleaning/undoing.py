"""Undo an applied plan: later stages ignore it, and the files that it created are removed unless
they were changed since.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.cleaning.applied import Applied, read_applied
from dataprep.cleaning.applying import cleaned_dataset, existing
from dataprep.cleaning.folders import RECORD, new_names, own_files
from dataprep.cleaning.staging import is_ours, lies_in
from dataprep.errors import InputError, OutputError, UserError
from dataprep.schemas.files.reading import content_hash
from dataprep.schemas.plan import difference

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Undone:
    """What undoing did, or would do.

    Attributes:
        removed: files and folders that applying the plan made and that nobody changed since.
        left: what stays, with the reason.
    """

    removed: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def look_before_undoing(applied: Applied, dataset: Dataset | None) -> Undone:
    """What `undo` would remove and what it would leave.

    Args:
        applied: the plan that was applied.
        dataset: the audited data that it was made for, which says where the originals are; None
            leaves a new folder alone.
    """
    removed, left = [], []
    inside = set(own_files(applied.result.folder))
    for path, content in applied.files.items():
        if path in inside or not os.path.lexists(path):
            continue
        changed = not os.path.isfile(path) or content_hash(path) != content
        left.extend([(path, "it was changed since")] if changed else [])
        removed.extend([] if changed else [path])
    folder = applied.result.folder
    if folder and os.path.isdir(folder):
        why = _why_to_leave(applied, dataset)
        left.extend([(folder, why)] if why else [])
        removed.extend([] if why else [folder])
    return Undone(tuple(removed), tuple(left))


def undo(folder: str | os.PathLike[str], dataset: Dataset | None = None) -> Undone:
    """Take back the plan that was applied last in a folder of plans (``dataprep-out/clean``); the
    plan itself stays.

    Only what applying it made and what nobody changed since is removed: a file by its content; a
    new folder if it holds the files that were put there, no others, and every original is still
    there with the same content. Originals are never touched.

    Args:
        folder: the folder of plans.
        dataset: the audited data; None leaves a new folder alone.

    Raises:
        InputError: no plan was applied there.
        OutputError: something cannot be removed; the plan then still counts.
    """
    applied = read_applied(folder)
    if applied is None:
        raise InputError(f"nothing to undo: no plan was applied in {os.fspath(folder)}")
    done = look_before_undoing(applied, dataset)
    own = content_hash(applied.path)
    copies = [
        path
        for path in applied.records
        if os.path.isfile(path) and content_hash(path) == own and path != applied.path
    ]
    try:
        for path in done.removed:
            (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
        for path in (*copies, applied.path):
            os.unlink(path)
    except OSError as error:
        raise OutputError(f"cannot remove {error.filename}: {error.strerror or error}") from error
    return done


def _why_to_leave(applied: Applied, dataset: Dataset | None) -> str:
    """Why a new folder is not removed; "" when it can be: whatever it holds is elsewhere too."""
    folder = applied.result.folder
    if dataset is None or difference(applied.plan.data, dataset):
        return "the audit that it was made from is not there any more"
    if dataset.is_remote:
        return "its originals are at a URL and are not read again"
    if os.path.islink(folder) or not is_ours(folder, RECORD) or lies_in(dataset.root, folder):
        return "it holds other files than those that were put there"
    if any(content_hash(path) != applied.files.get(path) for path in own_files(folder)):
        return "its lists were changed since"
    kept = existing(cleaned_dataset(applied.plan, dataset))
    try:
        names = new_names(kept, applied.layout)  # type: ignore[arg-type]
    except UserError as error:
        return str(error)
    for sample, name in zip(kept.samples.index, names, strict=True):
        if not _is_elsewhere(os.path.join(folder, *name.split("/")), dataset.path(str(sample))):
            return f"the original of {name} is not there any more, or one of the two was changed"
    return ""


def _is_elsewhere(path: str, original: str) -> bool:
    try:
        return os.path.samefile(path, original) or filecmp.cmp(path, original, shallow=False)
    except OSError:
        return False
