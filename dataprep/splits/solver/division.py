"""The division itself: units to parts, folds, groups left out one by one, or parts in order of
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import OptionError
from dataprep.splits.requests import MOST_FOLDS
from dataprep.splits.solver.problem import Problem
from dataprep.splits.units import Units, hashed_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset
    from dataprep.splits.features import Features

    Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Division:
    """Parts, and the part of each sample.

    Attributes:
        parts: names.
        part: (n,) number of each sample's part, by sample name.
        targets: wanted samples of each part; NaN where nothing was wanted.
        repeats: `part` of each further repeat.
        holds: what each part holds, in words; empty but for groups left out one by one.
        apart: parts that are filled by a rule, not by the search.
        notes: what the reader should know.
        by_rule: whether nothing was searched for: time or groups decide.
    """

    parts: tuple[str, ...]
    part: Rows
    targets: tuple[float, ...]
    repeats: tuple[Rows, ...] = ()
    holds: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    by_rule: bool = False


def problem_of(
    unit: Rows,
    names: NDArray[np.object_],
    features: Features,
    parts: Sequence[str],
    targets: Sequence[float],
    *,
    seeds: tuple[int, ...],
    fixed: Rows | None = None,
) -> tuple[Problem, Rows]:
    """The problem of dividing units, and (n,) the place of each sample's unit in it.

    Args:
        unit: (n,) number of each sample's unit.
        names: (u,) name of each unit.
        features: what the samples hold.
        parts, targets: names and wanted samples of the parts.
        seeds: what the order of the units depends on beside their names.
        fixed: (u,) part that each unit has to be in, -1 where free.
    """
    order = hashed_order(names, *seeds)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    units = place[unit]
    count = max(1, len(features.names))
    keys, counts = np.unique(units[features.rows] * count + features.features, return_counts=True)
    problem = Problem(
        np.bincount(units, minlength=len(order)).astype(np.int64),
        keys // count,
        keys % count,
        counts.astype(np.int64),
        features.names,
        features.weights,
        tuple(parts),
        np.asarray(targets, np.float64),
        np.full(len(order), -1) if fixed is None else fixed[order],
    )
    return problem, units


def refuse_too_few(units: int, parts: int) -> None:
    """Raise OptionError where there are fewer units than parts."""
    if units < parts:
        raise OptionError(
            f"{parts} parts need at least {parts} units (groups that can be separated), and there "
            f"{'is' if units == 1 else 'are'} {units}: ask for fewer parts or add images; where "
            "there are enough images, see in the audit why so many belong together; "
            "--cut-similar allows similar images that are no duplicates to be separated"
        )


def groups_apart(
    units: Units, dataset: Dataset, apart: NDArray[np.bool_]
) -> tuple[list[str], Rows]:
    """Leave-one-group-out: the group of each fold in words, and (n,) the fold of each sample, -1
    where it is in no group.

    Rows where `apart` (n,) is true are in no fold.

    Groups that copies or several columns join are one fold, named by all of its groups.
    """
    if not units.groups:
        raise OptionError("leave_one_group_out: expected a group column: --group patient")
    column, numbers = next(iter(units.groups.items()))
    grouped = np.zeros(len(units), bool)
    for each in units.groups.values():
        grouped |= each >= 0
    inside = np.unique(units.unit[grouped & ~apart])
    if not 2 <= len(inside) <= MOST_FOLDS:
        raise OptionError(
            f"leave_one_group_out: expected 2 to {MOST_FOLDS:,} groups that nothing joins, got "
            f"{len(inside):,} in "
            f"{', '.join(units.groups)}. For many groups take folds"
        )
    member = np.isin(units.unit, inside) & ~apart
    fold = np.where(member, np.searchsorted(inside, units.unit), -1)
    texts = dataset.samples[column].astype("str").to_numpy(dtype=object)[units.order]
    return _named(fold, numbers, texts, len(inside)), fold


def _named(fold: Rows, numbers: Rows, texts: NDArray[Any], folds: int) -> list[str]:
    """The groups of each fold, up to three; "" where it has none in the first column."""
    inside = np.flatnonzero((fold >= 0) & (numbers >= 0))
    pairs = (
        pd.DataFrame({"fold": fold[inside], "text": texts[inside]})
        .drop_duplicates()
        .sort_values(["fold", "text"])
    )
    listed = {int(str(number)): part["text"].tolist() for number, part in pairs.groupby("fold")}
    groups = [listed.get(number, []) for number in range(folds)]
    return [
        " + ".join(each[:3]) + (f" and {len(each) - 3} more" if len(each) > 3 else "")
        for each in groups
    ]


def divide_by_time(
    unit: Rows, times: NDArray[np.float64], targets: Sequence[float], parts: Sequence[str]
) -> tuple[Rows, int]:
    """(u,) part of each unit, in order of their last members, and how many samples are older than
    their part.

    "train" is first and "test" last with "val" before it, in whatever order they are named; others
    follow each other as they are named. Units of one time stay together; cuts are where the sizes
    come nearest to the targets.

    Raises:
        OptionError: fewer different times than parts.
    """
    last = np.full(int(unit.max()) + 1, -np.inf)
    np.maximum.at(last, unit, times)
    moments, moment = np.unique(last, return_inverse=True)
    if len(moments) < len(parts):
        raise OptionError(
            f"time_column: {len(parts)} parts need at least {len(parts)} different times, and the "
            "last members of what "
            f"belongs together have {len(moments)}"
        )
    reached = np.cumsum(np.bincount(moment[unit], minlength=len(moments)))
    ends: list[int] = []
    order = in_time(parts)
    for number, wanted in enumerate(np.cumsum(np.asarray(targets)[order])[:-1]):
        low = (ends[-1] if ends else -1) + 1
        high = len(moments) - len(parts) + number
        ends.append(low + int(np.argmin(np.abs(reached[low : high + 1] - wanted))))
    part = np.searchsorted(np.array(ends), moment, side="left")
    borders = np.array([-np.inf, *moments[ends]])
    return order[part], int((times <= borders[part[unit]]).sum())


def in_time(parts: Sequence[str]) -> Rows:
    """Numbers of the parts in order of time: train first, test last, val before test, others
    between as they are named.
    """
    ranks = {"train": 0, "val": 2, "test": 3}
    return np.array(
        sorted(range(len(parts)), key=lambda number: ranks.get(parts[number], 1)), np.int64
    )
