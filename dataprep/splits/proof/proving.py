"""The proof of a division: what leaks, how far sizes and labels are from what was asked, and what
other splitters give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from dataprep.schemas.results.proof import (
    Asked,
    Comparisons,
    FeatureShares,
    GroupCounts,
    KeptTogether,
    Labels,
    LargestUnit,
    Leaks,
    LeftOut,
    MismatchTests,
    PartSize,
    Proof,
    Repeat,
    ThisSplit,
)
from dataprep.splits.proof.comparisons import (
    LeakCounter,
    compare_random,
    compare_stratified_groups,
    label_deviation,
)
from dataprep.splits.proof.compromises import explain_missed_targets
from dataprep.splits.proof.mismatch import match_of
from dataprep.splits.proof.possible_groups import torn_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.splits.inputs import SplitInputs
    from dataprep.splits.solver.division import Division

    Rows = NDArray[np.int64]


def prove(inputs: SplitInputs, division: Division, *, tests: bool = True) -> Proof:
    """The proof of a division."""
    counter = LeakCounter(inputs.units)
    leaks = [counter.count(part) for part in (division.part, *division.repeats)]
    apart = [number for number, name in enumerate(division.parts) if name in division.apart]
    searched = np.where(np.isin(division.part, apart), -1, division.part)
    deviation = label_deviation(inputs.features, searched, len(division.parts))
    unit_sizes = np.bincount(inputs.units.unit)
    table = _table(inputs, division)
    return Proof(
        parts=tuple(division.parts),
        apart=tuple(division.apart),
        by_rule=division.by_rule,
        asked=_asked(inputs),
        samples=len(inputs.units),
        units=len(unit_sizes),
        largest_unit=_largest(inputs, unit_sizes),
        sizes=_sizes(inputs, division),
        left_out=tuple(LeftOut(why, count) for why, count in inputs.left_out.items() if count),
        notes=(*inputs.notes, *division.notes),
        kept_together=_kept_together(inputs),
        possible_groups=torn_groups(inputs, (division.part, *division.repeats)),
        not_looked=dict(inputs.not_looked),
        leaks=_summed(leaks),
        labels=Labels(_rounded(deviation), table[: inputs.features.labels]),
        others=table[inputs.features.labels :],
        compared=_compared(inputs, division, counter),
        tests=_tests(inputs, division) if tests else MismatchTests(),
        compromises=explain_missed_targets(inputs, division),
        repeats=_repeats(inputs, division, leaks),
    )


def _asked(inputs: SplitInputs) -> Asked:
    options = asdict(inputs.request)
    options["sizes"] = tuple("rest" if size != size else size for size in options["sizes"])
    return Asked(**options)


def _summed(leaks: Sequence[Leaks]) -> Leaks:
    return Leaks(
        sum(each.units for each in leaks),
        {name: sum(each.groups[name] for each in leaks) for name in leaks[0].groups},
        {check: sum(each.pairs[check] for each in leaks) for check in leaks[0].pairs},
        sum(each.total for each in leaks),
    )


def _largest(inputs: SplitInputs, sizes: Rows) -> LargestUnit:
    largest = int(sizes.argmax())
    first = int(np.argmax(inputs.units.unit == largest))
    return LargestUnit(str(inputs.units.names[first]), int(sizes[largest]))


def _sizes(inputs: SplitInputs, division: Division) -> tuple[PartSize, ...]:
    parts = len(division.parts)
    counts = np.bincount(division.part, minlength=parts).tolist()
    part_of_unit = np.unique(np.stack([inputs.units.unit, division.part]), axis=1)[1]
    units = np.bincount(part_of_unit, minlength=parts).tolist()
    return tuple(
        PartSize(
            name,
            counts[number],
            None if np.isnan(division.targets[number]) else round(division.targets[number], 3),
            round(counts[number] / max(1, len(inputs.units)), 6),
            units[number],
            division.holds[number] if division.holds else None,
        )
        for number, name in enumerate(division.parts)
    )


def _kept_together(inputs: SplitInputs) -> KeptTogether:
    groups = {}
    for name, numbers in inputs.units.groups.items():
        sizes = np.bincount(numbers[numbers >= 0])
        groups[name] = GroupCounts(int((sizes > 0).sum()), int((sizes > 1).sum()))
    return KeptTogether({check: len(a) for check, (a, _) in inputs.units.pairs.items()}, groups)


def _table(inputs: SplitInputs, division: Division) -> tuple[FeatureShares, ...]:
    features, parts = inputs.features, len(division.parts)
    width = max(1, len(features.names))
    cells = division.part[features.rows] * width + features.features
    counts = np.bincount(cells, minlength=parts * width).reshape(parts, width)
    sizes = np.maximum(np.bincount(division.part, minlength=parts), 1)
    shares = (counts / sizes[:, None]).T.tolist()
    overall = (counts.sum(axis=0) / max(1, len(inputs.units))).tolist()
    return tuple(
        FeatureShares(
            name.partition("=")[2] if number < features.labels and "=" in name else name,
            int(counts[:, number].sum()),
            round(overall[number], 6),
            tuple(round(share, 6) for share in shares[number]),
            tuple(counts[:, number].tolist()),
        )
        for number, name in enumerate(features.names)
    )


def _compared(inputs: SplitInputs, division: Division, counter: LeakCounter) -> Comparisons:
    """Other splitters on the samples that were free to be in any part."""
    free = [number for number, name in enumerate(division.parts) if name not in division.apart]
    rows = np.flatnonzero(np.isin(division.part, free))
    if division.by_rule or not len(rows) or len(free) < 2:
        return Comparisons()
    targets = [division.targets[number] for number in free]
    if np.isnan(targets).any() or sum(targets) <= 0:
        counts = np.bincount(division.part, minlength=len(division.parts))
        targets = counts[free].astype(float).tolist()
    tested, trained = tested_and_trained([division.parts[number] for number in free])
    ours = np.full(len(division.part), -1)
    ours[rows] = np.searchsorted(free, division.part[rows])
    features, seed = inputs.features, inputs.request.seed
    return Comparisons(
        ThisSplit(
            _rounded(label_deviation(features, ours, len(free))),
            counter.exposed(ours, tested, trained),
        ),
        compare_stratified_groups(inputs.units, features, targets, rows),
        compare_random(counter, features, targets, rows, tested, trained, seed=seed),
    )


def tested_and_trained(parts: Sequence[str]) -> tuple[int, int | None]:
    """Number of the part that is tested on, and of that which is trained on (None: all others,
    as with folds).
    """
    tested = parts.index("test") if "test" in parts else len(parts) - 1
    trained = parts.index("train") if "train" in parts and parts[tested] != "train" else None
    return tested, trained


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 6)


def _tests(inputs: SplitInputs, division: Division) -> MismatchTests:
    order = inputs.units.order
    part, unit = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    part[order], unit[order] = division.part, inputs.units.unit
    return match_of(
        inputs.dataset, part, unit, division.parts, ran_with=inputs.audit.run, apart=division.apart
    )


def _repeats(inputs: SplitInputs, division: Division, leaks: Sequence[Leaks]) -> tuple[Repeat, ...]:
    parts = len(division.parts)
    return tuple(
        Repeat(
            f"split_{number}",
            leaks[number - 1].total,
            _rounded(label_deviation(inputs.features, part, parts)),
            tuple(np.bincount(part, minlength=parts).tolist()),
        )
        for number, part in enumerate(division.repeats, 2)
    )
