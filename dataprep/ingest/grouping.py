"""Groups (patient, video, burst) from folders below the class, file names, a regular expression or
a column.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from dataprep.errors import OptionError
from dataprep.ingest.layouts import GENERIC
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.manifest import split_of
from dataprep.schemas.text.names import escape_name, unescape_name

By = Literal["folder", "name", "regex", "column"]
#: A name that ends in its running number: all before that, without the separator.
_NUMBERED = re.compile(r"^(.*?)[\s_.\-()#]*\d+[\s)]*$", re.DOTALL)
#: Where the column of groups goes that `group_by` replaces.
REPLACED = "manifest_group"
#: Names that an error or a note gives as examples.
_EXAMPLES = 3


@dataclass(frozen=True)
class Grouping:
    """A way to tell what belongs together.

    Attributes:
        by: "folder": the folders below the class (`folders_below`); "name": the file's name without
            the number at its end (`P003b_1.jpg`: ``P003b``); "regex": `value` on the path relative
            to the root, its first group or else the whole match; "column": the samples' own column
            `value`.
        value: the pattern or the column's name.
    """

    by: By
    value: str = ""

    @classmethod
    def parse(cls, group_by: str) -> Grouping:
        """The grouping that ``--group-by`` asks for.

        Raises:
            OptionError: a regular expression that cannot be read.
        """
        if group_by in ("folder", "name"):
            return cls("folder" if group_by == "folder" else "name")
        try:
            re.compile(group_by)
        except (re.error, OverflowError, RecursionError) as error:
            raise OptionError(
                f"option group_by: expected folder, name or a regular expression, and '{group_by}' "
                f"is none: {error}"
            ) from error
        return cls("regex", group_by)

    def keys(self, dataset: Dataset) -> list[str]:
        """(n,) the name of each sample's group; empty where it has none."""
        if self.by == "column":
            values = dataset.samples[self.value]
            return [
                "" if missing else str(value)
                for value, missing in zip(values, values.isna(), strict=True)
            ]
        if self.by == "folder":
            return folders_below(dataset)
        names = dataset.samples.index
        if self.by == "name":
            return [name_key(name) for name in names]
        pattern = re.compile(self.value)
        return [_matched(pattern, name) for name in names]

    @property
    def option(self) -> str:
        """The option that uses it, as it is typed for ``dataprep audit`` and ``dataprep split``."""
        if self.by == "column":
            return f"--group-column {shlex.quote(self.value)}"
        return f"--group-by {self.by if self.by != 'regex' else shlex.quote(self.value)}"


def grouped(dataset: Dataset, group_by: str) -> Dataset:
    """The data set with the column ``group`` as `group_by` tells it, and a note with its figures.

    A column ``group`` that the manifest gave is kept as ``manifest_group``.

    Raises:
        OptionError: a regular expression that cannot be read, or a grouping that no sample is in.
    """
    grouping = Grouping.parse(group_by)
    keys = np.array(grouping.keys(dataset), dtype=object)
    if len(keys) and not (keys != "").any():
        raise OptionError(_nothing(grouping, dataset))
    columns: dict[str, Any] = {"group": as_groups(keys)}
    if "group" in dataset.samples:
        columns[REPLACED] = dataset.samples["group"]
    return replace(
        dataset.assign(**columns), notes=(*dataset.notes, _note(grouping, dataset, keys))
    )


def as_groups(keys: Any) -> pd.Categorical:
    """Names of groups (n,) as a column of samples; empty ones are missing."""
    names = sorted({key for key in keys if key})
    place = {name: number for number, name in enumerate(names)}
    codes: Any = np.array([place.get(key, -1) for key in keys], dtype=np.int64)
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"))


def folders_below(dataset: Dataset) -> list[str]:
    """(n,) the folders between the class and the file, as text; without the split's folder, and
    empty where there are none.

    The class is the first folder that is called as the sample's label is (several, where the label
    is a path); where no folder is, all folders count that do not lie around everything. Folders of
    generic names (``images``) do not count. Two classes that have a folder of one name have the
    group in common.
    """
    samples = dataset.samples
    empty = [""] * len(samples)
    labels = samples["label"].astype("str").fillna("").tolist() if "label" in samples else empty
    splits = samples["split"].astype("str").fillna("").tolist() if "split" in samples else empty
    folders = [name.rpartition("/")[0] for name in samples.index]
    keys = list(zip(folders, labels, splits, strict=True))
    around = _around(folders)
    found = {key: "/".join(_below(*key, around)) for key in set(keys)}
    return [found[key] for key in keys]


def name_key(sample: str) -> str:
    """The file's name without its ending and the number before that; empty where nothing is left,
    or where no number is.

    >>> name_key("speed/00012_00007.ppm")
    '00012'
    """
    match = _NUMBERED.match(stem_of(sample))
    return match[1] if match else ""


def stem_of(sample: str) -> str:
    """The file's name without folders and ending."""
    name = sample.rpartition("/")[2]
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


def _below(folder: str, label: str, split: str, around: int) -> list[str]:
    parts = folder.split("/") if folder else []
    level = parts[around:]
    wanted = label.split("/") if label else []
    for start in range(len(level)):
        if wanted and level[start : start + len(wanted)] == wanted:
            level = level[start + len(wanted) :]
            break
    return [
        part
        for part in level
        if part.lower() not in GENERIC
        and not (split and (part == split or split_of(part) == split))
    ]


def _around(folders: Sequence[str]) -> int:
    """How many folders lie around every file."""
    distinct = [folder.split("/") if folder else [] for folder in set(folders)]
    depth = 0
    while (
        distinct
        and all(len(parts) > depth for parts in distinct)
        and len({parts[depth] for parts in distinct}) == 1
    ):
        depth += 1
    return depth if len(distinct) > 1 else 0


def _matched(pattern: re.Pattern[str], name: str) -> str:
    match = pattern.search(unescape_name(name) if "\\" in name else name)
    if match is None:
        return ""
    return escape_name((match[1] if pattern.groups else match[0]) or "")


def _nothing(grouping: Grouping, dataset: Dataset) -> str:
    names = ", ".join(map(repr, dataset.samples.index[:_EXAMPLES]))
    if grouping.by == "folder":
        return (
            "option group_by: 'folder' needs folders below the classes, and there are none; "
            f"the paths are such as {names}"
        )
    if grouping.by == "name":
        return (
            "option group_by: 'name' needs names that end in a number (P003b_1.jpg), not such "
            f"as {names}"
        )
    return (
        f"option group_by: the regular expression '{grouping.value}' matches none of the "
        f"{len(dataset):,} paths, which are such "
        f"as {names}. Give folder, name or a pattern that is found in them, such as '(P[0-9]+)_'"
    )


def _note(grouping: Grouping, dataset: Dataset, keys: Any) -> str:
    sizes = np.unique(keys[keys != ""], return_counts=True)[1]
    way = {"folder": "folder below the class", "name": "name without its number"}.get(
        grouping.by, f"'{grouping.value}' on the path"
    )
    note = (
        f"Groups by {way}: {len(sizes):,} group{'' if len(sizes) == 1 else 's'}, "
        f"{int((sizes > 1).sum()):,} of several samples"
    )
    without = np.flatnonzero(keys == "")
    if len(without):
        note += (
            f"; {len(without):,} of {len(keys):,} samples are in none, such as "
            f"{dataset.samples.index[without[0]]}"
        )
    if "group" in dataset.samples:
        note += f"; the manifest's groups are kept as the column {REPLACED!r}"
    return f"{note}."
