"""The proof of a division: what leaks, how far sizes and labels are from what was asked, and what
others would have made.

Keys of ``proof.json``:

``version``; ``parts``: names in order; ``apart``: those filled by their rows' values; ``by_rule``:
nothing was searched for; ``asked``: the request; ``samples``, ``units``, ``largest_unit``
(``name``, ``samples``); ``sizes``: one entry a part: ``part``, ``samples``, ``target``, ``share``,
``units``; of groups left out singly also ``holds``; ``left_out``: entries of ``why`` and
``samples``; ``notes``: what else a reader should know; ``possible_groups``: what looks like groups
that nobody named: ``kind``, ``by`` and ``value`` (how they are told), ``option`` that keeps them
together, ``groups`` of several samples, ``torn`` (those in several parts; of repeats, the most) and
their ``samples``; ``kept_together``: ``pairs`` (check to number) and ``groups`` (column to
numbers); ``not_looked``: check of duplicates to why not; ``leaks``: ``units``, ``groups`` (column
to groups cut), ``pairs`` (check to pairs across), ``total``: of all repeats; ``labels``:
``deviation`` (largest absolute difference of a share from that of all samples), ``table``: of each
label its ``share`` and ``shares`` (one a part); ``others`` likewise for columns to balance;
``compared``: ``ours``, ``stratified_group_kfold`` (``deviation``, ``sizes``, ``seeds``, ``folds``;
null where it cannot be) and ``random`` (means over ``draws``: ``deviation``, ``units``, ``groups``
and ``pairs`` cut, ``exposed``: share of test samples with a relative in train); ``tests``: see
`dataprep.splits.proof.mismatch.match_of`; ``changed``: what a repair or an extension did;
``given_up``: what stood in the way, in sentences; ``repeats``: of each further one ``column``,
``leaks``, ``deviation`` and ``sizes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.splits.proof.comparisons import (
    Leaks,
    compare_random,
    compare_stratified_groups,
    label_deviation,
)
from dataprep.splits.proof.compromises import given_up
from dataprep.splits.proof.mismatch import match_of
from dataprep.splits.proof.possible_groups import torn_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.splits.inputs import Material
    from dataprep.splits.solver.division import Division

    Rows = NDArray[np.int64]

VERSION = 1


def prove(material: Material, division: Division, *, tests: bool = True) -> dict[str, Any]:
    """The proof of a division; ready for JSON."""
    leaks = Leaks(material.bonds)
    counts = [_leaks_of(leaks, part) for part in (division.part, *division.repeats)]
    searched = np.where(np.isin(division.part, _apart(division)), -1, division.part)
    deviation = _rounded(label_deviation(material.features, searched, len(division.parts)))
    unit_sizes = np.bincount(material.bonds.unit)
    return {
        "version": VERSION,
        "parts": list(division.parts),
        "apart": list(division.apart),
        "by_rule": division.by_rule,
        "asked": _asked(material),
        "samples": len(material.bonds),
        "units": len(unit_sizes),
        "largest_unit": _largest(material, unit_sizes),
        "sizes": _sizes(material, division),
        "left_out": [
            {"why": why, "samples": count} for why, count in material.left_out.items() if count
        ],
        "notes": [*material.notes, *division.notes],
        "kept_together": _kept_together(material),
        "possible_groups": torn_groups(material, (division.part, *division.repeats)),
        "not_looked": dict(material.not_looked),
        "leaks": _summed(counts),
        "labels": {
            "deviation": deviation,
            "table": _table(material, division)[: material.features.labels],
        },
        "others": _table(material, division)[material.features.labels :],
        "compared": _compared(material, division, leaks),
        "tests": _tests(material, division) if tests else {},
        "given_up": given_up(material, division),
        "repeats": _repeats(material, division, counts),
    }


def _apart(division: Division) -> list[int]:
    return [number for number, name in enumerate(division.parts) if name in division.apart]


def _asked(material: Material) -> dict[str, Any]:
    asked = asdict(material.request)
    asked["sizes"] = ["rest" if size != size else size for size in asked["sizes"]]
    return asked


def _leaks_of(leaks: Leaks, part: Rows) -> dict[str, Any]:
    groups, pairs = leaks.groups(part), leaks.pairs(part)
    return {
        "units": leaks.units(part),
        "groups": groups,
        "pairs": pairs,
        "total": sum(groups.values()) + sum(pairs.values()),
    }


def _summed(counts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = counts[0]
    return {
        "units": sum(each["units"] for each in counts),
        "groups": {name: sum(each["groups"][name] for each in counts) for name in first["groups"]},
        "pairs": {name: sum(each["pairs"][name] for each in counts) for name in first["pairs"]},
        "total": sum(each["total"] for each in counts),
    }


def _largest(material: Material, sizes: Rows) -> dict[str, Any]:
    largest = int(sizes.argmax())
    return {
        "name": str(material.bonds.names[int(np.argmax(material.bonds.unit == largest))]),
        "samples": int(sizes[largest]),
    }


def _sizes(material: Material, division: Division) -> list[dict[str, Any]]:
    counts = np.bincount(division.part, minlength=len(division.parts))
    firsts = np.unique(np.stack([material.bonds.unit, division.part]), axis=1)[1]
    units = np.bincount(firsts, minlength=len(division.parts))
    rows = []
    for number, name in enumerate(division.parts):
        target = division.targets[number]
        row = {
            "part": name,
            "samples": int(counts[number]),
            "target": None if target != target else round(target, 3),
            "share": round(int(counts[number]) / max(1, len(material.bonds)), 6),
            "units": int(units[number]),
        }
        rows.append(row | ({"holds": division.holds[number]} if division.holds else {}))
    return rows


def _kept_together(material: Material) -> dict[str, Any]:
    bonds = material.bonds
    groups = {}
    for name, numbers in bonds.groups.items():
        sizes = np.bincount(numbers[numbers >= 0])
        groups[name] = {"groups": int((sizes > 0).sum()), "of_several": int((sizes > 1).sum())}
    return {"pairs": {check: len(a) for check, (a, _) in bonds.pairs.items()}, "groups": groups}


def _table(material: Material, division: Division) -> list[dict[str, Any]]:
    """One entry a feature: its share among all samples and in each part."""
    features, parts = material.features, len(division.parts)
    counts = np.bincount(
        division.part[features.rows] * max(1, len(features.names)) + features.features,
        minlength=parts * max(1, len(features.names)),
    ).reshape(parts, -1)
    sizes = np.maximum(np.bincount(division.part, minlength=parts), 1)
    shares = counts / sizes[:, None]
    overall = counts.sum(axis=0) / max(1, len(material.bonds))
    return [
        {
            "feature": name.partition("=")[2] if number < features.labels and "=" in name else name,
            "samples": int(counts[:, number].sum()),
            "share": round(float(overall[number]), 6),
            "shares": [round(float(share), 6) for share in shares[:, number]],
            "counts": counts[:, number].tolist(),
        }
        for number, name in enumerate(features.names)
    ]


def _compared(material: Material, division: Division, leaks: Leaks) -> dict[str, Any]:
    """What others would have made of the samples that were free to go anywhere."""
    free = [number for number, name in enumerate(division.parts) if name not in division.apart]
    rows = np.flatnonzero(np.isin(division.part, free))
    if division.by_rule or not len(rows) or len(free) < 2:
        return {"stratified_group_kfold": None, "random": None}
    targets = [division.targets[number] for number in free]
    if any(target != target for target in targets) or sum(targets) <= 0:
        targets = (
            np.bincount(division.part, minlength=len(division.parts))[free].astype(float).tolist()
        )
    tested, trained = tested_and_trained([division.parts[number] for number in free])
    ours = np.full(len(division.part), -1)
    ours[rows] = np.searchsorted(free, division.part[rows])
    compared = compare_random(
        leaks, material.features, targets, rows, tested, trained, seed=material.request.seed
    )
    return {
        "ours": {
            "deviation": _rounded(label_deviation(material.features, ours, len(free))),
            "exposed": leaks.exposed(ours, tested, trained),
        },
        "stratified_group_kfold": _figures(
            compare_stratified_groups(material.bonds, material.features, targets, rows)
        ),
        "random": _figures(compared),
    }


def tested_and_trained(parts: Sequence[str]) -> tuple[int, int | None]:
    """Number of the part that is tested on, and of that which is trained on (None: all others,
    as with folds).
    """
    tested = parts.index("test") if "test" in parts else len(parts) - 1
    trained = parts.index("train") if "train" in parts and parts[tested] != "train" else None
    return tested, trained


def _figures(found: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if found is None else found | {"deviation": _rounded(found["deviation"])}


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 6)


def _tests(material: Material, division: Division) -> dict[str, Any]:
    order = material.bonds.order
    part, unit = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    part[order], unit[order] = division.part, material.bonds.unit
    return match_of(
        material.dataset,
        part,
        unit,
        division.parts,
        ran_with=material.audit.run,
        apart=division.apart,
    )


def _repeats(
    material: Material, division: Division, counts: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    parts = len(division.parts)
    return [
        {
            "column": f"split_{number}",
            "leaks": counts[number - 1]["total"],
            "deviation": _rounded(label_deviation(material.features, part, parts)),
            "sizes": np.bincount(part, minlength=parts).tolist(),
        }
        for number, part in enumerate(division.repeats, 2)
    ]
