"""Other splitters on the same samples: scikit-learn's StratifiedGroupKFold, and random splits of
single samples; and how leaks and deviations are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dataprep.schemas.results.proof import Leaks, RandomSplits, StratifiedGroupFolds
from dataprep.splits.proof.stratified_groups import merged_folds, stratified_group_folds

if TYPE_CHECKING:
    from dataprep.splits.features import Features
    from dataprep.splits.units import Units

Rows = NDArray[np.int64]

#: Random splits that are drawn.
DRAWS = 20
#: Seeds of StratifiedGroupKFold that are tried, fewer where groups times folds times seeds would
#: exceed `_MOST_STEPS`.
SEEDS, _MOST_STEPS = 10, 500_000


class LeakCounter:
    """Counts what divisions of some units separate; sorts their rows once."""

    def __init__(self, units: Units) -> None:
        self.units = units
        self._unit = _Runs(units.unit)
        self._groups = {name: _Runs(numbers) for name, numbers in units.groups.items()}

    def count(self, part: Rows) -> Leaks:
        """The leaks of a division; (n,) `part` counts from 0 on, -1 for none."""
        groups = {name: int(runs.mixed(part).sum()) for name, runs in self._groups.items()}
        pairs = {
            check: int(((part[a] != part[b]) & (part[a] >= 0) & (part[b] >= 0)).sum())
            for check, (a, b) in self.units.pairs.items()
        }
        total = sum(groups.values()) + sum(pairs.values())
        return Leaks(int(self._unit.mixed(part).sum()), groups, pairs, total)

    def exposed(self, part: Rows, tested: int, trained: int | None) -> float:
        """Share of the samples in part `tested` whose unit has a member in part `trained` (None:
        in any other part).
        """
        inside = part[self._unit.order]
        other = inside == trained if trained is not None else (inside != tested) & (inside >= 0)
        asked = inside == tested
        return float((self._unit.any(other) & asked).sum() / max(1, int(asked.sum())))


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
    units: Units, features: Features, sizes: Sequence[float], taking_part: Rows
) -> StratifiedGroupFolds | None:
    """What scikit-learn's StratifiedGroupKFold makes of the rows `taking_part`, with the seed whose
    labels deviate least; None where it cannot.

    Args:
        units: its groups.
        features: their labels.
        sizes: wanted samples of each part.
        taking_part: (m,) rows that are divided.
    """
    classes = features.classes[taking_part]
    group = np.unique(units.unit[taking_part], return_inverse=True)[1]
    groups = int(group.max()) + 1
    folds = merged_folds([size / sum(sizes) for size in sizes])
    if not features.labels or (classes < 0).any() or groups < sum(folds):
        return None
    classes = np.unique(classes, return_inverse=True)[1]
    seeds = max(1, min(SEEDS, _MOST_STEPS // (groups * sum(folds))))
    best: StratifiedGroupFolds | None = None
    least = np.inf
    for seed in [None, *range(seeds - 1)]:
        part = np.full(len(units), -1)
        part[taking_part] = np.repeat(np.arange(len(folds)), folds)[
            stratified_group_folds(group, classes, sum(folds), seed=seed)
        ]
        deviation = label_deviation(features, part, len(folds))
        assert deviation is not None
        if deviation < least:
            sizes_there = np.bincount(part[taking_part], minlength=len(folds)).tolist()
            least = deviation
            best = StratifiedGroupFolds(round(deviation, 6), tuple(sizes_there), seeds, sum(folds))
    return best


def compare_random(
    leaks: LeakCounter,
    features: Features,
    sizes: Sequence[float],
    taking_part: Rows,
    tested: int,
    trained: int | None,
    *,
    seed: int,
) -> RandomSplits:
    """What stratified random splits of single samples would have made of the rows `taking_part`:
    means over 20 draws.
    """
    rng = np.random.default_rng([seed, 20])
    classes = features.classes[taking_part]
    deviations, exposed, counts = [], [], []
    for _ in range(DRAWS):
        part = np.full(len(leaks.units), -1)
        part[taking_part] = _drawn(classes, sizes, rng)
        deviations.append(label_deviation(features, part, len(sizes)))
        exposed.append(leaks.exposed(part, tested, trained))
        counts.append(leaks.count(part))
    return RandomSplits(
        DRAWS,
        _mean([each for each in deviations if each is not None]) if features.labels else None,
        _mean([each.units for each in counts]),
        {name: _mean([each.groups[name] for each in counts]) for name in leaks.units.groups},
        {check: _mean([each.pairs[check] for each in counts]) for check in leaks.units.pairs},
        _mean(exposed),
    )


def _mean(figures: Sequence[float]) -> float:
    return round(float(np.mean(figures)), 6)


def _drawn(classes: Rows, sizes: Sequence[float], rng: np.random.Generator) -> Rows:
    """(m,) part of each row: the rows shuffled within their classes, then given to the parts
    in turn, in proportion to the sizes.
    """
    order = np.argsort(classes + rng.random(len(classes)))
    borders = np.cumsum(np.asarray(sizes, np.float64) / sum(sizes))
    # Additive recurrence of the golden ratio: any stretch of places holds the parts in proportion,
    # so every class does.
    places = (np.arange(len(classes)) * 0.6180339887498949 + rng.random()) % 1.0
    part = np.empty(len(classes), np.int64)
    part[order] = np.minimum(np.searchsorted(borders, places, side="right"), len(sizes) - 1)
    return part
