"""Why targets could not be met: a group that holds most of a class, a class in too few groups, a
unit larger than a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dataprep.splits.proof.absent_classes import absent_classes
from dataprep.splits.proof.comparisons import deviations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.splits.inputs import SplitInputs
    from dataprep.splits.solver.division import Division

    Rows = NDArray[np.int64]

#: Sentences listed.
_LISTED = 10
#: A unit that holds this share of a class is named, when the class is off by this much of its own
#: share in some part.
_MOST_OF, _OFF = 0.2, 0.1
#: Sizes that miss their targets by less than this share of them are not worth a sentence.
_SIZE_OFF = 0.05


def explain_missed_targets(inputs: SplitInputs, division: Division) -> tuple[str, ...]:
    """Which targets could not be met, and why, in sentences; the worst first. Where a rule decides,
    only the classes that parts lack.
    """
    if division.by_rule:
        found = absent_classes(inputs, division)
    else:
        classes, explained = _classes(inputs, division)
        found = [*_sizes(inputs, division), *absent_classes(inputs, division, explained), *classes]
    if len(found) <= _LISTED:
        return tuple(found)
    return (*found[:_LISTED], f"and {len(found) - _LISTED:,} more of this kind")


def _sizes(inputs: SplitInputs, division: Division) -> list[str]:
    largest = int(np.bincount(inputs.units.unit).max())
    counts, missed = np.bincount(division.part, minlength=len(division.parts)), []
    for number, name in enumerate(division.parts):
        target = division.targets[number]
        if name not in division.apart and abs(counts[number] - target) > max(
            1.0, _SIZE_OFF * target
        ):
            missed.append(f"{name} has {counts[number]:,} samples instead of {target:,.0f}")
    if not missed:
        return []
    more = f" and {len(missed) - _LISTED:,} parts more" if len(missed) > _LISTED else ""
    why = (
        f"groups of up to {largest:,} samples are kept together"
        if largest > 1
        else "labels are balanced first"
    )
    return [f"{', '.join(missed[:_LISTED])}{more}: {why}"]


def _classes(inputs: SplitInputs, division: Division) -> tuple[list[str], set[int]]:
    """Sentences about classes that are off, and the numbers of those of which they say that
    parts lack them.
    """
    features, explained = inputs.features, set()
    if not features.labels:
        return [], set()
    inside = features.features < features.labels
    keys, counts = np.unique(
        inputs.units.unit[features.rows[inside]] * features.labels + features.features[inside],
        return_counts=True,
    )
    unit, label = keys // features.labels, keys % features.labels
    order = np.lexsort((unit, -counts, label))
    firsts = order[np.flatnonzero(np.diff(label[order], prepend=-1))]
    units = np.bincount(label, minlength=features.labels)
    wanted = [number for number, name in enumerate(division.parts) if name not in division.apart]
    away = deviations(features, division.part, len(division.parts))[wanted]
    totals = np.bincount(label, counts, minlength=features.labels)
    found = []
    for first in firsts.tolist():
        code, share = int(label[first]), counts[first] / totals[label[first]]
        overall = totals[code] / len(inputs.units)
        worst = int(np.nanargmax(np.abs(away[:, code])))
        empty = [
            division.parts[wanted[row]] for row in np.flatnonzero(away[:, code] <= -overall + 1e-12)
        ]
        name = features.names[code].partition("=")[2] or features.names[code]
        figures = (
            f"{overall + away[worst, code]:.2%} of {division.parts[wanted[worst]]} instead "
            f"of {overall:.2%}"
        )
        gap = float(abs(away[worst, code]))
        if empty and units[code] < len(wanted):
            few = f"{units[code]} unit{'' if units[code] == 1 else 's'}"
            why = (
                f"class {name!r} is in {few} that cannot be separated, too few for "
                f"{len(wanted)} parts"
            )
            explained.add(code)
            found.append((gap, f"{why}: {_without(empty)}"))
        elif share >= _MOST_OF and gap > _OFF * overall and gap * len(inputs.units) >= 1:
            if empty:
                explained.add(code)
            then = _without(empty) if empty else f"it is {figures}"
            found.append(
                (
                    gap,
                    f"{_unit_text(inputs, int(unit[first]))} holds {share:.0%} of class "
                    f"{name!r}: {then}",
                )
            )
    return [text for _, text in sorted(found, key=lambda each: (-each[0], each[1]))], explained


def _without(parts: Sequence[str]) -> str:
    return f"{' and '.join(parts)} {'go' if len(parts) > 1 else 'goes'} without it"


def _unit_text(inputs: SplitInputs, unit: int) -> str:
    """The unit by its group, where it is one, else by its first sample."""
    rows = np.flatnonzero(inputs.units.unit == unit)
    for column, numbers in inputs.units.groups.items():
        if len(rows) and (numbers[rows] == numbers[rows[0]]).all() and numbers[rows[0]] >= 0:
            value = inputs.dataset.samples[column].iloc[int(inputs.units.order[rows[0]])]
            return f"{column} {value!s}"
    return f"the unit of {inputs.units.names[rows[0]]}"
