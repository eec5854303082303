"""The parts that leave a split: train, val and test as they are, and for folds a train and a val
of each fold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dataprep.cleaning.folders import folder_name
from dataprep.errors import InputError, OptionError
from dataprep.schemas.split import PART
from dataprep.schemas.text.class_order import class_order

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

Rows: TypeAlias = NDArray[np.int64]

_FOLD = re.compile(r"fold[-_ ]?(\d+)", re.IGNORECASE)
_REPEAT = re.compile(rf"{PART}_\d+")
TRAIN, VAL = "train", "val"


@dataclass(frozen=True, eq=False)
class View:
    """One way to train and to evaluate.

    Attributes:
        folder: where it goes: "" where there is one, else ``fold-1``, ``repeat-2/fold-1``.
        parts: name of each part to its rows, by sample name.
    """

    folder: str
    parts: dict[str, Rows]


def assignments(split: Split) -> list[tuple[str, dict[str, Rows]]]:
    """Each repeat's folder ("" where there is one) and its parts: name to rows, by sample name;
    empty parts are left out.

    Raises:
        InputError: the data set has no parts, or two that differ in letter case alone.
    """
    samples = split.dataset.samples
    columns = [
        PART,
        *sorted((name for name in samples if _REPEAT.fullmatch(str(name))), key=_number),
    ]
    if PART not in samples:
        raise InputError(
            f"the data set has no column {PART!r}: divide it first, with dataprep.split"
        )
    order = np.argsort(samples.index.to_numpy(dtype=object), kind="stable")
    found = []
    for number, column in enumerate(columns, 1):
        values = samples[column].astype("object").to_numpy()[order]
        known = sorted({str(value) for value in values if value == value and value is not None})
        asked = [name for name in split.proof.parts if name in known]
        names = (*asked, *(name for name in known if name not in asked))
        parts = {name: order[np.asarray(values == name, bool)] for name in names}
        _refuse_alike(list(parts))
        found.append((f"repeat-{number}" if len(columns) > 1 else "", parts))
    return found


def views(split: Split) -> Iterator[View]:
    """What a person trains and evaluates on: the parts, or for each fold the others as ``train``
    and the fold as ``val``.

    A part that is no fold (a test set kept apart, an external site) belongs to every view of its
    repeat.
    """
    for repeat, parts in assignments(split):
        folds = {name: rows for name, rows in parts.items() if is_fold(name)}
        apart = {name: rows for name, rows in parts.items() if name not in folds}
        if not folds:
            yield View(repeat, parts)
            continue
        if {TRAIN, VAL} & set(apart):
            raise InputError(
                f"the split has both folds and a part {sorted({TRAIN, VAL} & set(apart))[0]!r}: "
                "rename that part"
            )
        for name, rows in folds.items():
            others = [other for fold, other in folds.items() if fold != name]
            train = np.concatenate(others) if others else rows[:0]
            yield View(
                "/".join(filter(None, (repeat, folder_name(name)))),
                {TRAIN: train, VAL: rows, **apart},
            )


def is_fold(name: str) -> bool:
    """Whether a part is one of the folds of a cross-validation."""
    return _FOLD.fullmatch(name) is not None


def has_repeats(split: Split) -> bool:
    """Whether the split was made several times over."""
    return any(_REPEAT.fullmatch(str(name)) for name in split.dataset.samples)


def labels_of(dataset: Dataset) -> list[str | None]:
    """(n,) label of each sample as text, None where it has none or an empty one."""
    if "label" not in dataset.samples:
        return [None] * len(dataset)
    labels = dataset.samples["label"]
    return [
        None if missing else str(label) or None
        for label, missing in zip(labels, labels.isna(), strict=True)
    ]


def classes_of(dataset: Dataset) -> list[str]:
    """The class names in the order that numbers them; none of a regression or without labels."""
    if dataset.task in ("regression", "none"):
        return []
    if dataset.classes:
        return list(dataset.classes)
    labels = {label for label in labels_of(dataset) if label is not None}
    return list(
        class_order(
            {part for label in labels for part in label.split("|")}
            if dataset.task == "multi-label"
            else labels
        )
    )


def _number(column: Any) -> int:
    return int(str(column).rpartition("_")[2])


def _refuse_alike(names: list[str]) -> None:
    folders: dict[str, str] = {}
    for name in names:
        other = folders.setdefault(folder_name(name).lower(), name)
        if other != name:
            raise OptionError(
                f"the parts {other!r} and {name!r} would share the folder {folder_name(name)!r}: "
                "rename one of them"
            )
