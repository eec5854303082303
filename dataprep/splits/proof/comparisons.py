"""What others would have made of the same samples: StratifiedGroupKFold, and random splits that
know of no groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dataprep.splits.proof.stratified_groups import merged_folds, stratified_group_folds

if TYPE_CHECKING:
    from dataprep.splits.features import Features
    from dataprep.splits.units import Bonds

Rows = NDArray[np.int64]

#: Random splits that are drawn.
DRAWS = 20
#: Seeds of StratifiedGroupKFold that are tried, fewer where groups times folds times seeds would
#: exceed `_MOST_STEPS`.
SEEDS, _MOST_STEPS = 10, 500_000


@dataclass(frozen=True, eq=False)
class Leaks:
    """Counts what a division cuts; made once, asked often.

    Attributes:
        bonds: what binds the samples.
    """

    bonds: Bonds

    def __post_init__(self) -> None:
        sorted_by = {"": self.bonds.unit, **self.bonds.groups}
        object.__setattr__(
            self, "_runs", {name: _Runs(numbers) for name, numbers in sorted_by.items()}
        )

    def units(self, part: Rows) -> int:
        """Units with members in more than one part; (n,) `part` counts from 0 on, -1 for none."""
        return self._of("", part)

    def groups(self, part: Rows) -> dict[str, int]:
        """Column to its groups with members in more than one part."""
        return {name: self._of(name, part) for name in self.bonds.groups}

    def pairs(self, part: Rows) -> dict[str, int]:
        """Check to its pairs in different parts."""
        found = {}
        for check, (a, b) in self.bonds.pairs.items():
            found[check] = int(((part[a] != part[b]) & (part[a] >= 0) & (part[b] >= 0)).sum())
        return found

    def total(self, part: Rows) -> int:
        """Groups and pairs that are cut."""
        return sum(self.groups(part).values()) + sum(self.pairs(part).values())

    def exposed(self, part: Rows, tested: int, trained: int | None) -> float:
        """Share of the samples in part `tested` whose unit has a member in part `trained` (None:
        in any other part).
        """
        runs: _Runs = self._runs[""]  # type: ignore[attr-defined]
        inside = part[runs.order]
        other = inside == trained if trained is not None else (inside != tested) & (inside >= 0)
        has = runs.any(other)
        asked = inside == tested
        return float((has & asked).sum() / max(1, int(asked.sum())))

    def _of(self, name: str, part: Rows) -> int:
        return int(self._runs[name].mixed(part).sum())  # type: ignore[attr-defined]


class _Runs:
    """Rows sorted by a number, so that what they have in common is one reduction."""

    def __init__(self, numbers: Rows) -> None:
        order = np.argsort(numbers, kind="stable")
        self.order = order[int((numbers < 0).sum()) :]
        ordered = numbers[self.order]
        self._starts = (
            np.flatnonzero(np.diff(ordered, prepend=-1)) if len(ordered) else np.zeros(0, np.int64)
        )
        self._run = (
            np.cumsum(np.isin(np.arange(len(ordered)), self._starts)) - 1
            if len(ordered)
            else ordered
        )

    def mixed(self, part: Rows) -> NDArray[np.bool_]:
        """Per run: whether its rows are in more than one part; those in none (-1) do not count."""
        if not len(self._starts):
            return np.zeros(0, bool)
        inside = part[self.order]
        highest = np.maximum.reduceat(inside, self._starts)
        lowest = np.minimum.reduceat(
            np.where(inside < 0, np.iinfo(np.int64).max, inside), self._starts
        )
        return np.asarray((highest >= 0) & (highest != lowest))

    def any(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Per row (in `order`): whether any row of its run is marked."""
        if not len(self._starts):
            return np.zeros(0, bool)
        return np.asarray(np.logical_or.reduceat(marked, self._starts)[self._run])


def label_deviation(features: Features, part: Rows, parts: int) -> float | None:
    """Largest absolute difference between a label's share in a part and in all samples; None
    without labels.
    """
    return (
        None
        if not features.labels
        else float(np.nanmax(np.abs(deviations(features, part, parts)), initial=0.0))
    )


def deviations(features: Features, part: Rows, parts: int) -> NDArray[np.float64]:
    """(parts, labels) share of each label in each part less its share in all samples that are in
    a part; NaN in an empty part.
    """
    inside = part[features.rows] >= 0
    of_label = inside & (features.features < features.labels)
    flat = part[features.rows[of_label]] * features.labels + features.features[of_label]
    counts = np.bincount(flat, minlength=parts * features.labels).reshape(parts, features.labels)
    sizes = np.bincount(part[part >= 0], minlength=parts).astype(np.float64)
    shares = counts / np.where(sizes > 0, sizes, np.nan)[:, None]
    return np.asarray(shares - counts.sum(axis=0) / max(1.0, sizes.sum()), np.float64)


def compare_stratified_groups(
    bonds: Bonds, features: Features, sizes: Sequence[float], taking_part: Rows
) -> dict[str, Any] | None:
    """What StratifiedGroupKFold makes of the rows `taking_part`: its best seed's label deviation
    and sizes; None where it cannot.

    Args:
        bonds: what binds the samples; units are its groups.
        features: their labels.
        sizes: wished samples of each part.
        taking_part: (m,) rows that are divided.
    """
    classes = features.classes[taking_part]
    units = np.unique(bonds.unit[taking_part], return_inverse=True)[1]
    folds = merged_folds([size / sum(sizes) for size in sizes])
    if not features.labels or (classes < 0).any() or int(units.max()) + 1 < sum(folds):
        return None
    classes = np.unique(classes, return_inverse=True)[1]
    part_of_fold = np.repeat(np.arange(len(folds)), folds)
    seeds = max(1, min(SEEDS, _MOST_STEPS // ((int(units.max()) + 1) * sum(folds))))
    best: dict[str, Any] | None = None
    for seed in [None, *range(seeds - 1)]:
        part = np.full(len(bonds), -1)
        part[taking_part] = part_of_fold[
            stratified_group_folds(units, classes, sum(folds), seed=seed)
        ]
        deviation = label_deviation(features, part, len(folds))
        if best is None or (deviation is not None and deviation < best["deviation"]):
            counts = np.bincount(part[taking_part], minlength=len(folds))
            best = {
                "deviation": deviation,
                "sizes": counts.tolist(),
                "seeds": seeds,
                "folds": sum(folds),
            }
    return best


def compare_random(
    leaks: Leaks,
    features: Features,
    sizes: Sequence[float],
    taking_part: Rows,
    tested: int,
    trained: int | None,
    *,
    seed: int,
) -> dict[str, Any]:
    """What stratified random splits of single samples would have made of the rows `taking_part`:
    means over 20 draws.
    """
    rng = np.random.default_rng([seed, 20])
    classes, found = features.classes[taking_part], []
    for _ in range(DRAWS):
        part = np.full(len(leaks.bonds), -1)
        part[taking_part] = _drawn(classes, sizes, rng)
        found.append(
            {
                "deviation": label_deviation(features, part, len(sizes)),
                "units": leaks.units(part),
                "groups": leaks.groups(part),
                "pairs": leaks.pairs(part),
                "exposed": leaks.exposed(part, tested, trained),
            }
        )
    return {"draws": DRAWS, **_mean(found)}


def _drawn(classes: Rows, sizes: Sequence[float], rng: np.random.Generator) -> Rows:
    """(m,) part of each row: the rows shuffled within their classes, then dealt evenly in
    proportion to the sizes.
    """
    order = np.argsort(classes + rng.random(len(classes)))
    borders = np.cumsum(np.asarray(sizes, np.float64) / sum(sizes))
    # Additive recurrence of the golden ratio: any stretch of places holds the parts in proportion,
    # so every class does.
    places = (np.arange(len(classes)) * 0.6180339887498949 + rng.random()) % 1.0
    part = np.empty(len(classes), np.int64)
    part[order] = np.minimum(np.searchsorted(borders, places, side="right"), len(sizes) - 1)
    return part


def _mean(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    means: dict[str, Any] = {}
    for name, value in found[0].items():
        if isinstance(value, dict):
            means[name] = _mean([each[name] for each in found])
        else:
            means[name] = (
                None if value is None else round(float(np.mean([each[name] for each in found])), 6)
            )
    return means
