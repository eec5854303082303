"""Columns of a manifest: which one holds the path, the label, the split and the group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dataprep.errors import InputError
from dataprep.schemas.options import did_you_mean

#: Names to look for, in bare letters. A later tier counts only where the earlier ones have no match.
_GUESSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "path": (
        (
            "path", "paths", "filepath", "filename", "file", "files", "fname", "imagepath", "imgpath", "imagefile",
            "imagefilename", "imgfile", "imgname", "imagename", "image", "img", "relpath", "relativepath", "fullpath",
        ),
        ("id", "imageid", "imgid", "fileid", "name", "key"),
    ),
    "label": (
        ("label", "labels", "class", "classname", "target", "category", "categoryname", "labelname", "classlabel"),
        ("y", "labelid", "classid", "categoryid", "targetid", "classidx", "classindex"),
    ),
    "split": (("split", "set", "subset", "partition", "phase"), ("fold", "folds", "kfold")),
    "group": (
        ("group", "groupid", "groups"),
        ("patient", "patientid", "subject", "subjectid", "sender", "senderid", "participant", "participantid", "person",
         "personid"),
        ("user", "userid", "donor", "donorid", "animalid", "caseid", "video", "videoid", "session", "sessionid", "burst",
         "burstid", "sequence", "sequenceid", "scene", "sceneid"),
    ),
}  # fmt: skip


def choose_columns(names: Sequence[str], chosen: Mapping[str, str | None], place: str) -> dict[str, str]:
    """Role (path, label, split, group) to column, as named in `chosen` or guessed; a role without a column is left out.

    Raises:
        InputError: a named column does not exist, no column can be the path, or a guess is ambiguous.
    """
    found: dict[str, str] = {}
    for role in _GUESSES:
        name = chosen.get(role)
        if name is not None and name not in names:
            raise InputError(f"{place} has no column {name!r} (option --{role}-column). {did_you_mean(name, names)}")
        name = name or _guess(role, [other for other in names if other not in chosen.values()], place)
        if name:
            found[role] = name
    if "path" not in found:
        raise InputError(
            f"{place}: no column looks like a path. It has {_listed(names)}: name one with --path-column"
            + (", or add the header line path,label" if any(_looks_like_file(name) for name in names) else "")
        )
    return found


def has_path(names: Sequence[str]) -> bool:
    """Whether one of the columns is called as a path is."""
    return any(re.sub(r"[\W_]", "", name).lower() in tier for name in names for tier in _GUESSES["path"])


def _guess(role: str, names: Sequence[str], place: str) -> str:
    bare = {name: re.sub(r"[\W_]", "", name).lower() for name in names}
    for tier in _GUESSES[role]:
        matches = [name for name in names if bare[name] in tier]
        exact = [name for name in matches if bare[name] == tier[0] == role]
        if len(matches) > 1 and len(exact) != 1:
            raise InputError(
                f"{place}: {_listed(matches)} may each be the {role} (its columns are {_listed(names)}): "
                f"name one with --{role}-column"
            )
        if matches:
            return exact[0] if len(exact) == 1 else matches[0]
    return ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")


def _looks_like_file(name: str) -> bool:
    return re.search(r"\.(jpe?g|png|webp|bmp|tiff?|gif)$", name, re.IGNORECASE) is not None
