"""Candidates for groups that nobody named: folders below the classes, parts of file names, columns,
and runs of numbers.

A candidate is a `Grouping` whose keys are shared as groups share theirs: by a few samples each,
several to a class, and not one to one with the classes. Whether pictures of one key look alike is
for `dataprep.probes.groups.evidence` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.ingest.grouping import REPLACED, Grouping
from dataprep.probes.groups.evidence import distinct_pairs, in_blocks
from dataprep.probes.groups.names import name_candidates, run_candidates
from dataprep.schemas.columns import COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

#: Samples whose names are looked at, at most; and columns of names that say nothing.
_NAMES, _MOST_CANDIDATES = 50_000, 50
#: Groups of several samples, for each class with such groups: fewer, and the keys are the classes
#: under another name, or versions and views of them, where keys are parts of names.
_PER_CLASS, _NAMES_PER_CLASS = 1.5, 2.5
#: Folders called so divide the files for handling, not by what they show; so do short hexadecimal
#: names.
_CHUNK = re.compile(
    r"(?:part|chunk|batch|shard|archive|folder|dir|images?|img|zip)?[\s_\-]?\d{0,4}|[0-9a-f]{2,3}",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
#: Words of columns that hold groups.
_WORDS = frozenset(
    (
        "patient",
        "subject",
        "participant",
        "person",
        "individual",
        "donor",
        "lesion",
        "case",
        "study",
        "series",
        "scan",
        "slide",
        "specimen",
        "biopsy",
        "animal",
        "plant",
        "tree",
        "field",
        "plot",
        "video",
        "clip",
        "movie",
        "sequence",
        "seq",
        "track",
        "session",
        "scene",
        "burst",
        "shot",
        "sender",
        "user",
        "uploader",
        "photographer",
        "author",
        "owner",
        "location",
        "camera",
        "identity",
        "trajectory",
        "episode",
        "visit",
        "exam",
        "wsi",
        "writer",
        "signer",
        "speaker",
        "household",
        "product",
        "item",
        "object",
        "group",
    )
)
#: Words that end the name of a column of identities, unless one of the others stands before them.
_ENDINGS = frozenset(
    ("id", "ids", "uid", "uuid", "guid", "no", "nr", "num", "number", "key", "code", "name")
)
_NOT_GROUPS = frozenset(
    (
        "image",
        "img",
        "picture",
        "photo",
        "file",
        "path",
        "class",
        "label",
        "category",
        "target",
        "species",
        "row",
        "index",
        "sample",
        "license",
        "licence",
        "split",
        "set",
        "fold",
        "version",
        "annotator",
        "rater",
        "type",
        "kind",
        "color",
        "colour",
    )
)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A way to group that the data may follow.

    Attributes:
        grouping: how to group.
        code: (n,) int64 number of each sample's group; -1 where it has none.
        firm: whether the form alone makes groups likely; else pictures of one group must look alike
            too.
        kind: "folder", "name", "column" or "numbers".
    """

    grouping: Grouping
    code: Rows
    firm: bool
    kind: str

    @property
    def several(self) -> NDArray[np.bool_]:
        """(n,) whether the sample shares its group with another."""
        inside = self.code >= 0
        return np.asarray(
            inside & (np.bincount(self.code[inside], minlength=1)[np.maximum(self.code, 0)] > 1),
            bool,
        )


def codes_of(keys: Any) -> Rows:
    """(n,) number of each key in their order, -1 for empty ones."""
    codes, names = pd.factorize(np.asarray(keys, dtype=object), sort=True)
    empty = np.flatnonzero(np.asarray(names) == "")
    codes = np.asarray(codes, np.int64)
    return (
        codes
        if not len(empty)
        else np.where(codes == empty[0], -1, np.where(codes > empty[0], codes - 1, codes))
    )


def find_candidates(dataset: Dataset) -> list[Candidate]:
    """The candidates of a data set by form alone, the likeliest kind first; runs of numbers are
    last.

    Of many samples, the names of some decide: of those in blocks of names that follow each other.
    """
    if len(dataset) < 4:
        return []
    mask = np.zeros(len(dataset), bool)
    mask[in_blocks(dataset, _NAMES)] = True
    some = dataset if mask.all() else dataset.where(mask)
    found = list(_of_paths(some, _classes(some)))
    if not mask.all():
        found = [replace(each, code=codes_of(each.grouping.keys(dataset))) for each in found]
    return [*_columns(dataset, _classes(dataset)), *found]


def _of_paths(dataset: Dataset, label: Rows) -> Iterator[Candidate]:
    yield from _folders(dataset, label)
    for grouping, firm in name_candidates(dataset):
        candidate = Candidate(grouping, codes_of(grouping.keys(dataset)), firm, "name")
        if fits(candidate, label, covered=0.7, groups=4 if label.max() > 0 else 20, largest=0.3):
            yield candidate
    for grouping in run_candidates(dataset):
        candidate = Candidate(grouping, codes_of(grouping.keys(dataset)), False, "numbers")
        if fits(candidate, label, covered=0.9, groups=5, largest=0.2):
            yield candidate


def _classes(dataset: Dataset) -> Rows:
    """(n,) number of each sample's class and split."""
    label = labels_of(dataset)
    if not dataset.has("split"):
        return label
    split = pd.factorize(dataset.samples["split"].astype("str"))[0]
    return np.asarray(
        np.unique(label * (split.max() + 2) + split, return_inverse=True)[1], np.int64
    )


def fits(candidate: Candidate, label: Rows, *, covered: float, groups: int, largest: float) -> bool:
    """Whether samples share keys as groups do.

    Args:
        candidate: how they are grouped.
        label: (n,) number of each sample's class and split.
        covered: least share of samples that share their key with another.
        groups: least number of keys of several samples.
        largest: largest share of samples in one group.
    """
    several = candidate.several
    if several.mean() < covered:
        return False
    sizes = np.bincount(candidate.code[several])
    if int((sizes > 0).sum()) < groups or sizes.max() > largest * len(label):
        return False
    if label.max() <= 0:
        return True
    keys, classes = distinct_pairs(candidate.code[several], label[several] + 1)
    least = _NAMES_PER_CLASS if candidate.kind == "name" else _PER_CLASS
    return bool(len(keys) >= least * len(np.unique(classes)))


def labels_of(dataset: Dataset) -> Rows:
    """(n,) number of the class; zeros where there are no classes."""
    if "label" not in dataset.samples or dataset.task == "regression":
        return np.zeros(len(dataset), np.int64)
    return np.asarray(pd.factorize(dataset.samples["label"].astype("str"))[0], np.int64)


def _folders(dataset: Dataset, label: Rows) -> Iterator[Candidate]:
    grouping = Grouping("folder")
    keys = grouping.keys(dataset)
    words = label.max() <= 0 and not any(
        _DIGIT.search(key) for key in set(keys)
    )  # no classes: these may be they
    candidate = Candidate(grouping, codes_of(keys), not (words or _are_chunks(keys)), "folder")
    if fits(candidate, label, covered=0.1, groups=2, largest=0.7):
        yield candidate


def _are_chunks(keys: list[str]) -> bool:
    return all(
        _CHUNK.fullmatch(part) and not _is_large(part)
        for key in set(keys)
        if key
        for part in key.split("/")
    ) and not (_is_counted(keys))


def _is_large(part: str) -> bool:
    return part.isdigit() and len(part) > 4


def _is_counted(keys: list[str]) -> bool:
    """Whether the folders are plain numbers of few samples each: patients and videos are
    numbered so, chunks are large.
    """
    names, sizes = np.unique(
        np.asarray([key for key in keys if key], dtype=object).astype(str), return_counts=True
    )
    return (
        len(names) >= 5
        and all(re.fullmatch(r"\d+(?:/\d+)*", name) for name in names)
        and float(np.median(sizes)) <= 100
    )


def _columns(dataset: Dataset, label: Rows) -> Iterator[Candidate]:
    own = [
        name
        for name in dataset.samples
        if isinstance(name, str) and name not in COLUMNS and name != REPLACED
    ]
    others = [name for name in own if not names_groups(name)][:_MOST_CANDIDATES]
    for name in own:
        named = name not in others
        if named and not names_groups(name):
            continue
        code = _codes_of_column(dataset.samples[name])
        candidate = Candidate(Grouping("column", name), code, named, "column")
        limits = (
            {"groups": 3, "covered": 0.3, "largest": 0.5}
            if named
            else {"groups": 8, "covered": 0.5, "largest": 0.2}
        )
        if fits(candidate, label, **limits) and not _are_fractions(dataset.samples[name]):  # type: ignore[arg-type]
            yield candidate


def _codes_of_column(values: pd.Series[Any]) -> Rows:
    """(n,) number of each value, -1 where it is missing or empty; truth values are none."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return np.full(len(values), -1)
    codes, names = pd.factorize(values)
    empty = [number for number, name in enumerate(names) if name == ""]
    return np.asarray(np.where(np.isin(codes, empty), -1, codes), np.int64)


def _are_fractions(values: pd.Series[Any]) -> bool:
    """Whether all values are numbers, and some have fractions: figures, not names."""
    numbers = pd.to_numeric(pd.Series(values.dropna().unique(), dtype=object), errors="coerce")
    return bool(numbers.notna().all() and (numbers % 1 != 0).any())


def names_groups(column: str) -> bool:
    """Whether a column is called as a column of groups is: ``lesion_id``, ``patientNumber``,
    ``video``.

    >>> names_groups("lesion_id"), names_groups("image_id"), names_groups("age")
    (True, False, False)
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    words = [word for word in re.split(r"[\W_]+", spaced.lower()) if word]
    bare = [re.sub(r"(?:id|no|nr)$", "", word) or word for word in words]
    if any(
        word in _NOT_GROUPS or word.removesuffix("s") in _NOT_GROUPS for word in (*words, *bare)
    ):
        return False
    if any(word in _WORDS or word.removesuffix("s") in _WORDS for word in (*words, *bare)):
        return True
    return (
        len(words) > 1
        and words[-1] in _ENDINGS
        and words[-1] not in ("name", "code", "num", "number")
    )
