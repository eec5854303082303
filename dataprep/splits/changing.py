"""A split that is there already: repaired with the fewest moves, or extended by new samples
without any.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dataprep.errors import InputError, OptionError
from dataprep.progress import Progress
from dataprep.schemas.results.proof import BeforeRepair, Changed, FrontierPoint, FrontierRow, Leaks
from dataprep.schemas.split import BEFORE, Split
from dataprep.schemas.text.words import counted
from dataprep.splits.earlier import Earlier, earlier_of, refuse_changed_rules
from dataprep.splits.inputs import Kept, SplitInputs, as_category, collect_inputs
from dataprep.splits.proof.comparisons import LeakCounter, label_deviation
from dataprep.splits.requests import EXTERNAL, Ratios, Request
from dataprep.splits.solver.division import Division, problem_of
from dataprep.splits.solver.repairing import (
    LABEL_TOLERANCE,
    SIZE_TOLERANCE,
    Point,
    fewest_moves,
    frontier,
)
from dataprep.splits.solver.solving import solve
from dataprep.splits.sources import audit_of
from dataprep.splits.splitting import features_inside, finished, plan_of, request_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.plan import Plan
    from dataprep.splits.solver.problem import Problem

    Rows = NDArray[np.int64]

#: Leaks of an earlier split that are named.
_NAMED = 5


class _Given(NamedTuple):
    """What repair and extension are both asked for."""

    ratios: Ratios | None
    group: str | Sequence[str]
    balance: str | Sequence[str]
    seed: int
    keep_similar: bool | None
    keep_unlabelled: bool
    plan: Plan | str | os.PathLike[str] | None


def _begin(
    source: Audit | Dataset | str | os.PathLike[str],
    earlier: Split | str | os.PathLike[str] | None,
    given: _Given,
    progress: Progress | None,
    *,
    moves: bool,
) -> tuple[Earlier, Request, SplitInputs, Rows]:
    """The earlier split, what is asked for, the samples to divide, and the part that each has
    had, -1 for none.
    """
    audit = audit_of(source, progress)
    known = earlier_of(earlier, audit)
    made_with = known.asked
    groups = (*made_with.groups, *([given.group] if isinstance(given.group, str) else given.group))
    request = request_of(
        ratios=given.ratios,
        folds=0,
        leave_one_group_out=False,
        group=groups,
        external=made_with.external,
        balance=given.balance or made_with.balance,
        seed=given.seed,
        keep_similar=made_with.keep_similar if given.keep_similar is None else given.keep_similar,
        keep_unlabelled=given.keep_unlabelled or made_with.keep_unlabelled,
    )
    refuse_changed_rules(known, audit.dataset)
    _refuse_other_parts(request.parts if given.ratios is not None else (), known)
    kept = Kept(known.codes, known.external, moves)
    inputs = collect_inputs(
        audit, replace(request, parts=known.parts), plan_of(given.plan, audit), kept=kept
    )
    return known, request, inputs, known.codes(inputs.units.names)


def repair(
    source: Audit | Dataset | str | os.PathLike[str],
    *,
    earlier: Split | str | os.PathLike[str] | None = None,
    ratios: Ratios | None = None,
    group: str | Sequence[str] = (),
    balance: str | Sequence[str] = (),
    seed: int = 0,
    keep_similar: bool | None = None,
    keep_unlabelled: bool = False,
    size_tolerance: float = SIZE_TOLERANCE,
    label_tolerance: float = LABEL_TOLERANCE,
    plan: Plan | str | os.PathLike[str] | None = None,
    tests: bool = True,
    progress: Progress | None = None,
) -> Split:
    """Repair a split with as few moved samples as possible: no leak is left, and sizes and mix are
    within tolerances.

    A part "test" keeps every sample that it has, and gets only those that belong to them, as long
    as the tolerances can be held that way. The column ``split_before`` says where each sample was.

    Args:
        source, seed, plan, tests, progress: as of `split`.
        group, balance, keep_similar, keep_unlabelled: likewise; what an earlier Split (or its
            folder) was made with counts too: its groups beside these, its other options where these
            say nothing, and its `external` rows.
        earlier: the split to repair: a Split, its folder or its splits.csv; None takes the column
            ``split`` of the data.
        ratios: wanted sizes; None takes those that the parts have. What had no part joins the parts
            that are not kept.
        size_tolerance: share of its size by which a part may miss it.
        label_tolerance: how far a label's share in a part may be from that of all samples, 0 to 1.

    Raises:
        InputError: there is no split to repair.
        OptionError: as of `split`; or the earlier split is in order of time, or kept groups
            together whose column is not there.
        FingerprintError: as of `split`.
    """
    started = time.perf_counter()
    for name, value in (("size_tolerance", size_tolerance), ("label_tolerance", label_tolerance)):
        if not value >= 0:
            raise OptionError(f"{name}: expected a share from 0 on, such as 0.05, got {value!r}")
    given = _Given(ratios, group, balance, seed, keep_similar, keep_unlabelled, plan)
    known, request, inputs, before = _begin(source, earlier, given, progress, moves=True)
    if (before < 0).all():
        raise InputError(
            "none of the samples that can be used is in a part of the split to repair: make a new "
            "split, without --repair"
        )
    inside = ~inputs.external
    sizes = np.bincount(before[inside & (before >= 0)], minlength=len(known.parts)).astype(
        np.float64
    )
    targets = _targets(
        request.targets(int(inside.sum())) if ratios is not None else None,
        request.parts,
        known,
        sizes,
        inside,
    )
    division, changed = _repaired(
        inputs,
        known,
        before,
        inside,
        targets,
        (size_tolerance, label_tolerance),
        wanted=ratios is not None,
    )
    made = finished(
        inputs, division, tests=tests, seconds=time.perf_counter() - started, changed=changed
    )
    placed = np.empty(len(before), np.int64)
    placed[inputs.units.order] = before
    return replace(made, dataset=made.dataset.assign(**{BEFORE: as_category(placed, known.parts)}))


def _repaired(
    inputs: SplitInputs,
    known: Earlier,
    before: Rows,
    inside: NDArray[np.bool_],
    targets: Sequence[float],
    tolerances: tuple[float, float],
    *,
    wanted: bool,
) -> tuple[Division, Changed]:
    """The repaired division, and what was done; `wanted`: the targets were asked for rather than
    what the parts have.
    """
    numbers, first, unit = np.unique(
        inputs.units.unit[inside], return_index=True, return_inverse=True
    )
    names, seed = inputs.units.names[inside][first], inputs.request.seed
    problem, place = problem_of(
        unit, names, features_inside(inputs, inside), known.parts, targets, seeds=(seed, 0)
    )
    was = before[inside]
    held = np.zeros((len(numbers), len(known.parts)), np.int64)
    np.add.at(held, (place[was >= 0], was[was >= 0]), 1)
    cost = (
        problem.sizes[:, None] - held
    )  # what had no part moves wherever it goes, and is not counted in the end
    cost[:, np.asarray(targets) <= 0] = len(before) + 1
    ways: list[tuple[tuple[int, ...], Problem]] = [((), problem)]
    if "test" in known.parts and len(known.parts) > 2:
        test = known.parts.index("test")
        ways.insert(0, ((test,), problem if wanted else _with_kept(problem, held, test)))
    points, point, kept, met, targets = _chosen(ways, cost, tolerances, seed)

    def placed(point: Point) -> Rows:
        part = np.full(len(before), known.external)
        part[inside] = point.part[place]
        return part

    part = placed(point)
    listed, joined = _listed(points, point), int((was < 0).sum())
    found = [(replace(each, moves=each.moves - joined), placed(each)) for each in listed]
    changed = _changed(inputs, known, before, found, listed.index(point), kept)
    lines = [*changed.lines]
    lines += [_test_line(before, part, known.parts)] if "test" in known.parts else []
    if not kept and "test" in known.parts:
        lines.append(
            "With the test part kept as it is, the tolerances could not be held, so it takes part "
            "in the moves."
        )
    if not met:
        lines.append(
            f"No repair has every size within {tolerances[0]:.0%} and every label within "
            f"{100 * tolerances[1]:g} points: "
            "this is the closest."
        )
    apart = (EXTERNAL,) if EXTERNAL in known.parts else ()
    division = Division(known.parts, part, tuple(targets), apart=apart)
    return division, replace(changed, lines=tuple(lines))


def _with_kept(problem: Problem, held: Rows, part: int) -> Problem:
    """The problem in which a part that is kept has for its target what it then holds, and the
    others share the rest as before.
    """
    keeps = float(problem.sizes[held[:, part] > 0].sum())
    targets = problem.targets.copy()
    targets[part] = 0.0
    targets *= (float(problem.sizes.sum()) - keeps) / max(1.0, targets.sum())
    targets[part] = keeps
    return replace(problem, targets=targets)


def _chosen(
    ways: Sequence[tuple[tuple[int, ...], Problem]],
    cost: Rows,
    tolerances: tuple[float, float],
    seed: int,
) -> tuple[tuple[Point, ...], Point, bool, bool, list[float]]:
    """The frontier, the point taken, whether parts were kept for it, whether it is within the
    tolerances, and its targets.

    Args:
        ways: numbers of the parts that are kept as they are, and the problem then; the first way
            within tolerances is taken.
    """
    size, label = tolerances
    best = None
    for frozen, problem in ways:
        points = frontier(problem, cost, frozen=frozen, seed=seed)
        point, met = fewest_moves(
            problem,
            cost,
            points,
            frozen=frozen,
            size_tolerance=size,
            label_tolerance=label,
            seed=seed,
        )
        if met or best is None:
            best = (points, point, bool(frozen), met, problem.targets.tolist())
        if met:
            break
    assert best is not None
    return best


def _listed(points: Sequence[Point], taken: Point) -> list[Point]:
    return [*points] if taken in points else sorted([*points, taken], key=lambda point: point.moves)


def _changed(
    inputs: SplitInputs,
    known: Earlier,
    before: Rows,
    ways: Sequence[tuple[Point, Rows]],
    taken: int,
    kept: bool,
) -> Changed:
    """What was done, in words and figures.

    Args:
        ways: the points of the frontier, each with the part of every sample.
        taken: place of the one that was taken.
        kept: whether the test part was kept as it is.
    """
    counter, features = LeakCounter(inputs.units), inputs.features
    part = ways[taken][1]
    leaks = counter.count(before)
    moved = int(((part != before) & (before >= 0)).sum())
    joined = int((before < 0).sum())
    counted_parts = (
        before if not kept else np.where(before == known.parts.index("test"), -1, before)
    )
    deviation = label_deviation(features, counted_parts, len(known.parts))
    rows = [_row("0", leaks.total, "", deviation, "as it was")]
    rows += [
        _row(
            f"{point.moves:,}",
            counter.count(way).total,
            f"{point.size_deviation:.1%}",
            point.label_deviation,
            "taken" if number == taken else "",
        )
        for number, (point, way) in enumerate(ways)
    ]
    points = tuple(
        FrontierPoint(point.moves, point.size_deviation, point.label_deviation) for point, _ in ways
    )
    lines = [
        f"It had {counted(leaks.total, 'leak')}: {_leak_words(leaks)}.",
        f"{counted(moved, 'sample')} of {len(before):,} moved.",
    ]
    lines += [_exposure_line(counter, before, known.parts)] if leaks.total else []
    lines += [f"{counted(joined, 'sample')} without a part joined one."] if joined else []
    lines += (
        ["test keeps its own mix; the figures of the table are about the other parts."]
        if kept
        else []
    )
    return Changed(
        "Repaired",
        moved,
        tuple(lines),
        tuple(rows),
        points,
        BEFORE,
        BeforeRepair(leaks.groups, leaks.pairs, leaks.total, deviation),
    )


def _row(moves: str, leaks: int, size: str, deviation: float | None, chosen: str) -> FrontierRow:
    off = "" if deviation is None else f"{100 * deviation:.2f} points"
    return FrontierRow(moves, f"{leaks:,}", size, off, chosen)


def _leak_words(leaks: Leaks) -> str:
    counts = [*leaks.groups.items(), *leaks.pairs.items()]
    words = ", ".join(f"{cut:,} of {what}" for what, cut in counts if cut) or "none"
    return f"{words}; {counted(leaks.units, 'unit')} spread over parts"


def _exposure_line(counter: LeakCounter, before: Rows, parts: Sequence[str]) -> str:
    """How many samples of each part shared a unit with training samples."""
    trained = parts.index("train") if "train" in parts else None
    words = []
    for number, name in enumerate(parts):
        size = int((before == number).sum())
        if number != trained and size:
            exposed = counter.exposed(before, number, trained)
            words.append(f"{round(exposed * size):,} of the {size:,} samples of {name}")
    return (
        f"{' and '.join(words)} had a look-alike in "
        f"{'train' if trained is not None else 'another part'}."
    )


def _test_line(before: Rows, part: Rows, parts: Sequence[str]) -> str:
    number = parts.index("test")
    left = int(((before == number) & (part != number)).sum())
    came = int(((before != number) & (part == number)).sum())
    return (
        "The test part is as it was."
        if not left and not came
        else f"The test part lost {left:,} samples and got {came:,}."
    )


def extend(
    source: Audit | Dataset | str | os.PathLike[str],
    earlier: Split | str | os.PathLike[str],
    *,
    ratios: Ratios | None = None,
    group: str | Sequence[str] = (),
    balance: str | Sequence[str] = (),
    seed: int = 0,
    keep_similar: bool | None = None,
    keep_unlabelled: bool = False,
    plan: Plan | str | os.PathLike[str] | None = None,
    tests: bool = True,
    progress: Progress | None = None,
) -> Split:
    """Give new samples a part of an earlier split; no sample that has one moves.

    What belongs to samples of one part joins them. The others are divided so that sizes and mix of
    all samples, old and new, are as near as possible to the targets. What belongs to samples of
    several parts was leaking already, and is named.

    Args:
        source, seed, plan, tests, progress: as of `split`.
        group, balance, keep_similar, keep_unlabelled: likewise; what an earlier Split (or its
            folder) was made with counts too: its groups beside these, its other options where these
            say nothing, and its `external` rows.
        earlier: a Split, its folder or its splits.csv.
        ratios: wanted sizes of old and new samples together; None takes the shares that the parts
            have.

    Raises:
        InputError: no earlier split there, or one that shares no sample with the data.
        OptionError: as of `split`; or the earlier split is in order of time, or kept groups
            together whose column is not there.
        FingerprintError: as of `split`.
    """
    started = time.perf_counter()
    given = _Given(ratios, group, balance, seed, keep_similar, keep_unlabelled, plan)
    known, request, inputs, before = _begin(source, earlier, given, progress, moves=False)
    if (before < 0).all():
        raise InputError(
            "no sample of the earlier split is among those to divide: is it of the same data? "
            "Paths must be the same"
        )
    division, changed = _extended(
        inputs, known, before, request.targets if ratios is not None else None, request.parts
    )
    return finished(
        inputs, division, tests=tests, seconds=time.perf_counter() - started, changed=changed
    )


def _extended(
    inputs: SplitInputs,
    known: Earlier,
    before: Rows,
    wanted: Callable[[int], list[float]] | None,
    named: Sequence[str],
) -> tuple[Division, Changed]:
    home, torn = _homes(inputs.units.unit, before, len(known.parts))
    inside = ~inputs.external
    home[~inside] = known.external
    sizes = np.bincount(before[inside & (before >= 0)], minlength=len(known.parts)).astype(
        np.float64
    )
    targets = _targets(wanted(int(inside.sum())) if wanted else None, named, known, sizes, inside)
    piece = np.unique(
        inputs.units.unit[inside] * (len(known.parts) + 1) + home[inside] + 1, return_inverse=True
    )[1]
    first = np.unique(piece, return_index=True)[1]
    features = features_inside(inputs, inside)
    problem, place = problem_of(
        piece,
        inputs.units.names[inside][first],
        features,
        known.parts,
        targets,
        seeds=(inputs.request.seed, 0),
        fixed=home[inside][first],
    )
    part = home.copy()
    part[inside] = solve(problem, seed=inputs.request.seed)[place]
    apart = (EXTERNAL,) if EXTERNAL in known.parts else ()
    changed = Changed("Extended", lines=_extension_lines(inputs, known, before, part, torn))
    return Division(known.parts, part, tuple(targets), apart=apart), changed


def _homes(unit: Rows, before: Rows, parts: int) -> tuple[Rows, Rows]:
    """(n,) part that each sample has to be in, -1 where free: its own, or that of most of its
    unit; and units of several.
    """
    held = np.zeros((int(unit.max()) + 1, parts), np.int64)
    old = before >= 0
    np.add.at(held, (unit[old], before[old]), 1)
    most = np.where(held.any(axis=1), held.argmax(axis=1), -1)
    return np.where(old, before, most[unit]), np.flatnonzero((held > 0).sum(axis=1) > 1)


def _extension_lines(
    inputs: SplitInputs, known: Earlier, before: Rows, part: Rows, torn: Rows
) -> tuple[str, ...]:
    new, unit = before < 0, inputs.units.unit
    gone = len(known.of) - int((~new).sum())
    bound = int((new & np.isin(unit, unit[~new])).sum())
    lines = [
        f"{counted(int(new.sum()), 'new sample')} joined {int((~new).sum()):,} old ones; no old "
        "sample moved."
    ]
    counts = np.bincount(part[new], minlength=len(known.parts))
    lines += (
        [
            "New samples: "
            f"{', '.join(f'{name} {count:,}' for name, count in zip(known.parts, counts))}."
        ]
        if new.any()
        else []
    )
    lines += [f"{bound:,} of them went where what they belong to is."] if bound else []
    if gone > 0:
        lines.append(
            f"{counted(gone, 'sample')} of the earlier split {'is' if gone == 1 else 'are'} not "
            "among those to divide."
        )
    for number in torn[:_NAMED].tolist():
        rows = np.flatnonzero((unit == number) & ~new)
        held = ", ".join(
            f"{int((before[rows] == code).sum())} in {known.parts[code]}"
            for code in np.unique(before[rows])
        )
        fresh = np.flatnonzero((unit == number) & new)
        joined = f", joined by {inputs.units.names[fresh[0]]}" if len(fresh) else ""
        lines.append(
            f"Leaks already: the unit of {inputs.units.names[rows[0]]} has {held}{joined}."
        )
    if len(torn):
        more = f"{len(torn) - _NAMED:,} more leak. " if len(torn) > _NAMED else ""
        lines.append(f"{more}To fix this, samples have to move: dataprep split --repair")
    return tuple(lines)


def _targets(
    wanted: Sequence[float] | None,
    named: Sequence[str],
    known: Earlier,
    sizes: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> list[float]:
    """Wished samples of each part, 0 for the external one: as asked, or in the proportions that
    they have.
    """
    if wanted is not None:
        given = dict(zip(named, wanted))
        return [given.get(name, 0.0) for name in known.parts]
    shares = np.where(np.array(known.parts) == EXTERNAL, 0.0, sizes)
    return [float(share) for share in shares / max(1.0, shares.sum()) * int(inside.sum())]


def _refuse_other_parts(named: Sequence[str], known: Earlier) -> None:
    there = [name for name in known.parts if name != EXTERNAL]
    if named and sorted(named) != sorted(there):
        raise OptionError(
            f"ratios: expected the parts that the split has, {', '.join(there)}, got "
            f"{', '.join(named)}"
        )
