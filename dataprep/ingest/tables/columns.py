"""Columns of a manifest: which one holds the path, the label, the split and the group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dataprep.errors import InputError
from dataprep.schemas.options import did_you_mean

#: How names of image files end, as a pattern.
IMAGE_ENDING = r"\.(?:jpe?g|jfif|png|webp|bmp|tiff?|gif|p[bgpn]m|heic|heif|avif|jp2)"
_NAMES_IMAGE = re.compile(rf".*{IMAGE_ENDING}\s*", re.IGNORECASE | re.DOTALL)
#: Names to look for, in bare letters. A later tier counts only where the earlier ones have no
#: match.
_GUESSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "path": (
        tuple(
            """
            path paths filepath filename file files fname imagepath imgpath imagefile imagefilename
            imgfile imgname imagename image img relpath relativepath fullpath
            """.split()
        ),
        (
            "id",
            "imageid",
            "imgid",
            "fileid",
            "name",
            "key",
            "idcode",
            "isicid",
            "imageindex",
            "photo",
            "photoid",
            "picture",
            "pictureid",
        ),
    ),
    "label": (
        (
            "label",
            "labels",
            "class",
            "classname",
            "target",
            "category",
            "categoryname",
            "labelname",
            "classlabel",
        ),
        ("y", "labelid", "classid", "categoryid", "targetid", "classidx", "classindex"),
    ),
    "split": (("split", "set", "subset", "partition", "phase"), ("fold", "folds", "kfold")),
    "group": (
        ("group", "groupid", "groups"),
        (
            "patient",
            "patientid",
            "subject",
            "subjectid",
            "sender",
            "senderid",
            "participant",
            "participantid",
            "person",
            "personid",
        ),
        tuple(
            """
            user userid donor donorid animalid caseid video videoid session sessionid burst burstid
            sequence sequenceid scene sceneid
            """.split()
        ),
    ),
}


def choose_columns(
    names: Sequence[str],
    chosen: Mapping[str, str | None],
    place: str,
    *,
    boxes: Sequence[str] = (),
    cells: Mapping[str, Sequence[Any]] | None = None,
) -> dict[str, str]:
    """Role (path, label, split, group) to column, as named in `chosen` or guessed; a role without a
    column is left out.

    Columns of `boxes` play no role but a chosen one. Where no column is called like a path, the
    only one of the `cells` whose values are all names of image files is it.

    Raises:
        InputError: a named column does not exist, no column can be the path, or a guess is
            ambiguous.
    """
    found: dict[str, str] = {}
    for role in _GUESSES:
        name = chosen.get(role)
        if name is not None and name not in names:
            raise InputError(
                f"{place} has no column {name!r} (option --{role}-column). "
                f"{did_you_mean(name, names)}"
            )
        free = [other for other in names if other not in chosen.values() and other not in boxes]
        if role == "label" and {"x", "y"} <= {bare(other) for other in free}:  # coordinates
            free = [other for other in free if bare(other) != "y"]
        name = name or _guess(role, free, place)
        if name:
            found[role] = name
    files = (
        [name for name in names if _are_files(cells[name])] if cells and "path" not in found else []
    )
    if len(files) == 1 and files[0] not in found.values():
        found["path"] = files[0]
    if "path" not in found:
        which = f" (names of files in {_listed(files)})" if files else ""
        raise InputError(
            (
                f"{place}: no column looks like a path. It has {_listed(names)}{which}: name one "
                "with "
                "--path-column"
            )
            + (
                ", or add the header line path,label"
                if any(is_image_name(name) for name in names)
                else ""
            )
        )
    return found


def _are_files(cells: Sequence[Any]) -> bool:
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(
        isinstance(cell, str) and is_image_name(cell.strip()) for cell in given
    )


def has_path(names: Sequence[str]) -> bool:
    """Whether one of the columns is called as a path is."""
    return any(bare(name) in tier for name in names for tier in _GUESSES["path"])


def bare(name: str) -> str:
    """A column's name in bare lower-case letters and digits: ``Image_ID`` is ``imageid``."""
    return re.sub(r"[\W_]", "", name).lower()


def _guess(role: str, names: Sequence[str], place: str) -> str:
    letters = {name: bare(name) for name in names}
    for tier in _GUESSES[role]:
        matches = [name for name in names if letters[name] in tier]
        exact = [name for name in matches if letters[name] == tier[0] == role]
        if len(matches) > 1 and len(exact) != 1:
            raise InputError(
                f"{place}: {_listed(matches)} may each be the {role} (its columns are "
                f"{_listed(names)}): "
                f"name one with --{role}-column"
            )
        if matches:
            return exact[0] if len(exact) == 1 else matches[0]
    return ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")


def is_image_name(name: str) -> bool:
    """Whether a text ends like the name of an image file."""
    return _NAMES_IMAGE.fullmatch(name) is not None
