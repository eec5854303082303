"""A first division: the largest units first, each to the part that lacks most of what it holds;
equal units are assigned together.

For units of one sample with several labels this is the iterative stratification of Sechidis,
Tsoumakas and Vlahavas ("On the Stratification of Multi-Label Data", ECML PKDD 2011) with all labels
weighed at once; for groups it is what scikit-learn's ``StratifiedGroupKFold`` does, with parts of
any size.
"""

from __future__ import annotations

import numpy as np

from dataprep.splits.solver.layout import Floats, Layout
from dataprep.splits.solver.problem import Ints

#: Units placed one at a time; beyond that, units that are not alike are assigned in the order of
#: their rarest feature.
SINGLY = 150_000

_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def assign_greedily(layout: Layout, rng: np.random.Generator, *, noise: float = 0.0) -> Ints:
    """(u,) part of each unit: whole units, fixed ones where they have to be; no part is empty that
    need not be.

    Args:
        noise: how far the order of the units may differ from largest first, as a share of their
            size; 0: not at all.
    """
    part = layout.problem.fixed.copy()
    need = _need(layout, part)
    kinds, members, starts = _kinds(layout)
    sizes = layout.problem.sizes[members[starts[:-1]]] * (1 + noise * rng.random(len(kinds)))
    queue = np.argsort(-sizes, kind="stable")
    for kind in queue[:SINGLY].tolist():
        _place(layout, part, need, members[starts[kind] : starts[kind + 1]])
    rest = np.flatnonzero(part < 0)
    if len(rest):
        part[rest] = _in_turn(layout, rest, need)
    return fill_empty(layout, part)


def fill_empty(layout: Layout, part: Ints) -> Ints:
    """`part` (u,) with a free unit in each part that wants samples and had none, as long as another
    part can spare one.

    Of the units that can be spared, the one whose move leaves sizes nearest to their targets;
    largest targets are filled first.
    """
    sizes, targets = layout.problem.sizes, layout.problem.targets
    part, free = part.copy(), layout.free
    empty = np.setdiff1d(layout.active, part)
    for goal in empty[np.argsort(-targets[empty], kind="stable")].tolist():
        held, counts = layout.problem.sizes_of(part), np.bincount(part, minlength=len(targets))
        spare = free[counts[part[free]] > 1]
        if not len(spare):
            break
        source, size = part[spare], sizes[spare]
        over = held[source] - targets[source]
        part[
            spare[np.argmin(np.abs(over - size) - np.abs(over) + np.abs(size - targets[goal]))]
        ] = goal
    return part


def _need(layout: Layout, part: Ints) -> Floats:
    """(p, f + 1) samples of each feature that each part still lacks, given the fixed units;
    last, samples of any kind.
    """
    problem = layout.problem
    wanted: Floats = problem.targets[:, None] * np.append(layout.shares, 1.0)
    set_down = np.flatnonzero(part >= 0)
    if len(set_down):
        inside = part[problem.entry_unit] >= 0
        cells = (part[problem.entry_unit[inside]], problem.entry_feature[inside])
        np.subtract.at(wanted, cells, problem.entry_count[inside])
        wanted[:, -1] -= np.bincount(part[set_down], problem.sizes[set_down], len(problem.parts))
    return wanted


def _place(layout: Layout, part: Ints, need: Floats, units: Ints) -> None:
    """Set down units that are all alike: most of them at once, by what the parts lack, the
    others one at a time.
    """
    first, active = units[0], layout.active
    span = slice(layout.starts[first], layout.starts[first + 1])
    feature = np.append(layout.feature[span], need.shape[1] - 1)
    count = np.append(layout.count[span], layout.problem.sizes[first]).astype(np.float64)
    cells, targets = np.ix_(active, feature), np.maximum(layout.problem.targets[active], 1.0)
    weight = layout.squares[feature]
    done = 0
    if len(units) >= 2 * len(active):
        wanting = np.maximum((need[cells] * weight).sum(axis=1), 0.0)
        if wanting.sum() > 0:
            assigned = np.floor(len(units) * wanting / wanting.sum()).astype(np.int64)
            done = int(assigned.sum())
            part[units[:done]] = np.repeat(active, assigned)
            need[cells] -= assigned[:, None] * count
    pull, own = 2.0 * weight * count, float((weight * count**2).sum())
    for unit in units[done:].tolist():
        best = int(np.argmin((own - (need[cells] * pull).sum(axis=1)) / targets))
        part[unit] = active[best]
        need[active[best], feature] -= count


def _kinds(layout: Layout) -> tuple[Ints, Ints, Ints]:
    """First free unit of each kind, the free units by kind, and where each kind begins: units of
    a kind hold the same.
    """
    problem = layout.problem
    unit = np.repeat(np.arange(len(problem.sizes)), np.diff(layout.starts))
    prints = _mixed(problem.sizes.astype(np.uint64))
    with np.errstate(over="ignore"):
        np.add.at(
            prints,
            unit,
            _mixed(_mixed(layout.feature.astype(np.uint64)) + layout.count.astype(np.uint64)),
        )
    _, first, place = np.unique(prints[layout.free], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    members = layout.free[np.argsort(rank[place], kind="stable")]
    starts = np.append(0, np.cumsum(np.bincount(rank[place], minlength=len(first))))
    return np.sort(first), members, starts


def _mixed(values: np.ndarray) -> np.ndarray:
    """splitmix64 of each value (Steele, Lea, Flood: Fast splittable pseudorandom number
    generators, 2014).
    """
    with np.errstate(over="ignore"):
        values = values + np.uint64(_MIX[0])
        values = (values ^ (values >> np.uint64(30))) * np.uint64(_MIX[1])
        values = (values ^ (values >> np.uint64(27))) * np.uint64(_MIX[2])
    return np.asarray(values ^ (values >> np.uint64(31)))


def _in_turn(layout: Layout, units: Ints, need: Floats) -> Ints:
    """(k,) part of each of very many small units: those of one rarest feature go to the parts in
    turn, by what the parts lack.
    """
    rarest = np.full(len(layout.problem.sizes), len(layout.shares), np.int64)
    unit = np.repeat(np.arange(len(rarest)), np.diff(layout.starts))
    rank = np.argsort(np.argsort(layout.shares, kind="stable"), kind="stable")
    np.minimum.at(rarest, unit, rank[layout.feature])
    order = np.lexsort((layout.problem.sizes[units], rarest[units]))
    lacking = np.maximum(need[layout.active, -1], 0.0)
    lacking = (
        lacking if lacking.sum() > 0 else np.maximum(layout.problem.targets[layout.active], 1.0)
    )
    golden = (np.arange(len(units)) * 0.6180339887498949) % 1.0
    part = np.empty(len(units), np.int64)
    part[order] = layout.active[
        np.searchsorted(np.cumsum(lacking / lacking.sum())[:-1], golden, side="right")
    ]
    return part
