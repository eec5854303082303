"""A new folder of the kept files: written next to its destination, then renamed. The originals are
read, never written.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from dataprep.cleaning.staging import (
    downloads,
    link_or_copy,
    refuse_changed,
    refuse_place,
    staged,
    write_record,
)
from dataprep.errors import OptionError
from dataprep.schemas.text.names import escape_name, unescape_name

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset

Layout = Literal["auto", "class", "split", "tree"]

#: In a folder that `make_folder` made: what it put there, so that a later run replaces that and
#: nothing else.
RECORD = ".dataprep-clean.json"
#: The manifest in the new folder, under the name that the Hugging Face image folder uses.
METADATA = "metadata.csv"

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
#: What Windows takes for a device, with or without an extension.
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE
)
#: Bytes of a name that file systems hold, and those that a folder's name is cut to: files called
#: after it need some more.
_MOST_BYTES, _FOLDER_BYTES = 255, 200
#: Bytes of an extension that is kept where a name is cut.
_LONGEST_EXTENSION = 16
_REPORT_EVERY = 256


def make_folder(
    dataset: Dataset,
    folder: str,
    rows: pd.DataFrame,
    *,
    layout: Layout = "auto",
    copy: bool = False,
    about: Mapping[str, Any] | None = None,
    progress: Callable[[str, int, int, str], None] | None = None,
) -> tuple[int, int]:
    """Lay out the files of `dataset` in a new folder; gives the numbers of linked and of copied
    files.

    The folder also gets a ``metadata.csv`` with `rows` under the new names, and a record of what
    was put there, in which `about` is kept. It appears whole or not at all.

    Raises:
        InputError: `folder` lies in the folder of images or around it, or holds files that are not
            ours.
        FingerprintError: files are gone or changed their size since they were measured.
        OptionError: the layout needs labels or splits that some samples lack.
        OutputError: the folder cannot be written.
    """
    folder = os.path.abspath(folder)
    refuse_place(dataset, folder, RECORD)
    names = new_names(dataset, layout)
    if not dataset.is_remote:
        refuse_changed(dataset)
    with staged(folder) as stage:
        linked, copied = _fill(dataset, names, stage, copy or dataset.is_remote, progress)
        _write_metadata(rows, names, stage)
        write_record(stage, RECORD, "dataprep clean", len(names), about)
    return linked, copied


def own_files(folder: str) -> list[str]:
    """The files in a folder of `make_folder` that are no images."""
    return (
        [os.path.join(os.path.abspath(folder), name) for name in (METADATA, RECORD)]
        if folder
        else []
    )


def new_names(dataset: Dataset, layout: Layout = "auto") -> list[str]:
    """(n,) path of each sample in the new folder, as the operating system spells it, with "/"
    between the parts.

    Two samples of one name in one folder become ``a.jpg`` and ``a-2.jpg``; letter case does not
    tell names apart, because on some systems it doesn't. What a folder name cannot hold in a label
    becomes "_".
    """
    paths = [unescape_name(str(sample)) for sample in dataset.samples.index]
    parts = _parts(dataset, layout)
    if not parts:
        _refuse_outside(paths)
        return paths
    folders = [_folder_names(dataset, column) for column in parts]
    heads = ["/".join(each) for each in zip(*folders, strict=True)]
    return unique_paths(
        [f"{head}/{path.rpartition('/')[2]}" for head, path in zip(heads, paths, strict=True)]
    )


def _refuse_outside(paths: Sequence[str]) -> None:
    for path in paths:
        if (
            os.path.isabs(path)
            or {"", ".", ".."} & set(path.split("/"))
            or os.path.splitdrive(path)[0]
        ):
            raise OptionError(
                f"layout 'tree' needs paths below the folder of images, got {path!r}: take the "
                "layout 'class'"
            )


def _parts(dataset: Dataset, layout: Layout) -> tuple[str, ...]:
    """The columns that name the folders, outermost first."""
    if layout not in get_args(Layout):
        raise OptionError(
            f"option clean.layout: expected one of {', '.join(get_args(Layout))}, got {layout!r}"
        )
    usable = ("split", "label") if dataset.task in ("classification", "none") else ("split",)
    complete = [
        name for name in usable if name in dataset.samples and dataset.samples[name].notna().all()
    ]
    if layout == "auto":
        return tuple(complete) if "label" in complete else ()
    wanted = {"class": ("label",), "split": ("split", "label"), "tree": ()}[layout]
    for name in wanted:
        if name not in usable:
            raise OptionError(
                f"layout {layout!r} needs one class for each sample, not {dataset.task} labels: "
                "take the layout 'tree'"
            )
        if name not in complete:
            lacking = (
                int(dataset.samples[name].isna().sum()) if name in dataset.samples else len(dataset)
            )
            raise OptionError(
                f"layout {layout!r} needs a {name} for every sample, and {lacking:,} of "
                f"{len(dataset):,} have none: "
                "drop or relabel them in the plan, or take the layout 'tree'"
            )
    return wanted


def _folder_names(dataset: Dataset, column: str) -> list[str]:
    values = dataset.samples[column].astype("str")
    table = own_folders(
        sorted(values.unique()),
        column,
        "relabel one of them in the plan, or take the layout 'tree'",
    )
    return [table[value] for value in values]


def own_folders(values: Iterable[str], kind: str, advice: str) -> dict[str, str]:
    """Value to the name of its folder.

    Raises:
        OptionError: two values would share a folder, where capitals make no difference; `advice`
            says what to do.
    """
    table = {value: folder_name(value) for value in values}
    owners: dict[str, str] = {}
    for value, name in table.items():
        other = owners.setdefault(name.lower(), value)
        if other != value:
            raise OptionError(
                f"the {kind}s {other!r} and {value!r} would share the folder {name!r}: {advice}"
            )
    return table


def distinct_folders(values: Iterable[str]) -> dict[str, str]:
    """Value to the name of its folder, without blanks; values that would share one get a hash
    each.
    """
    plain = {value: folder_name(re.sub(r"[^\w.-]+", "_", value).strip(".")) for value in values}
    shared = Counter(name.lower() for name in plain.values())
    return {
        value: name if shared[name.lower()] == 1 else _cut(name, f"-{_hash(value)}", _FOLDER_BYTES)
        for value, name in plain.items()
    }


def folder_name(label: str) -> str:
    """A name that every system takes for a folder; a label that is one already stays as it is."""
    name = _UNSAFE.sub("_", unescape_name(label)).strip()
    name = name[:-1] + "_" if name.endswith(".") else name
    return shortened(
        f"_{name}" if not name or name.startswith(".") or _RESERVED.fullmatch(name) else name,
        _FOLDER_BYTES,
    )


def shortened(name: str, most: int = _MOST_BYTES) -> str:
    """`name` if it has at most so many bytes, else its beginning, a hash of the whole, so that
    names stay distinct, and its extension."""
    if len(os.fsencode(name)) <= most:
        return name
    stem, extension = os.path.splitext(name)
    extension = extension if len(os.fsencode(extension)) <= _LONGEST_EXTENSION else ""
    return _cut(stem, f"-{_hash(name)}{extension}", most)


def _hash(name: str) -> str:
    return hashlib.blake2b(os.fsencode(name), digest_size=6).hexdigest()


def _cut(stem: str, ending: str, most: int = _MOST_BYTES) -> str:
    """As much of `stem` as fits before `ending`, in whole characters."""
    room = most - len(os.fsencode(ending))
    while len(os.fsencode(stem)) > room:
        stem = stem[: max(room, 0)] if len(stem) > room else stem[:-1]
    return stem.rstrip(" .") + ending


def unique_paths(names: Sequence[str]) -> list[str]:
    """The names, with a number where one is taken; a name that some file has of its own is never
    given to another.

    What comes after the last "/" is shortened where no file system holds it.
    """
    names = [
        "/".join([*name.split("/")[:-1], shortened(name.rpartition("/")[2])]) for name in names
    ]
    taken = {name.lower() for name in names}
    seen: set[str] = set()
    unique = []
    for name in names:
        folder, slash, base = name.rpartition("/")
        stem, extension = os.path.splitext(base)
        number = 1
        while name.lower() in seen or (number > 1 and name.lower() in taken):
            number += 1
            name = folder + slash + _cut(stem, f"-{number}{extension}")
        seen.add(name.lower())
        unique.append(name)
    return unique


def _fill(
    dataset: Dataset,
    names: Sequence[str],
    stage: str,
    copy: bool,
    progress: Callable[[str, int, int, str], None] | None,
) -> tuple[int, int]:
    linked = 0
    download = downloads(dataset) if dataset.is_remote else None
    for done, (sample, name) in enumerate(zip(dataset.samples.index, names, strict=True)):
        target = os.path.join(stage, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if download is None:
            linked += _put(dataset.path(sample), target, copy)
        else:
            download(dataset.path(sample), target)
        if progress is not None and done % _REPORT_EVERY == 0:
            progress("files", done, len(names), "")
    return linked, len(names) - linked


def _put(source: str, target: str, copy: bool) -> bool:
    """Link or copy; gives whether it was a link."""
    source = os.path.realpath(source)
    if not copy:
        return link_or_copy(source, target)
    shutil.copy2(source, target)
    return False


def _write_metadata(rows: pd.DataFrame, names: Sequence[str], stage: str) -> None:
    table = rows.drop(columns="path")
    table.insert(0, "file_name", [escape_name(name) for name in names])
    with open(os.path.join(stage, METADATA), "x", encoding="utf-8", newline="") as file:
        table.to_csv(file, index=False, lineterminator="\n")
