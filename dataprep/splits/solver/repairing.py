"""Repairing a split: units that are spread over parts are gathered with as few moved samples as can
be, then the mix is improved.

Every unit ends up whole in one part. Gathering each where most of it is already is the fewest moves
that leave no leak. From there, moves are made for what they improve: sizes and the mix of the
parts. The result is a frontier, from the fewest moves to a division as good as a new one, out of
which the caller, or `fewest_moves`, takes a point.

A frozen part, such as a test part on which figures were published, keeps every sample that it has,
and no unit joins it of which it holds nothing. A unit of which it holds some comes to it whole:
samples can only change parts here, and leaving the others where they are would be the leak. Whoever
wants such a part exactly as it was has to drop those others from the data instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from dataprep.splits.solver.layout import Floats, lay_out
from dataprep.splits.solver.local_search import Search
from dataprep.splits.solver.problem import Ints, Problem
from dataprep.splits.solver.solving import SIZE_WEIGHT, solve

#: Tolerances of `fewest_moves`: a part's size may miss its target by 5 % of it, which hardly
#: changes how precise a figure on that part is (its standard error by 2.5 %), and a share may be 2
#: percentage points off, which is what a random split of 400 samples gives a class of 20 % (its
#: standard error).
SIZE_TOLERANCE, LABEL_TOLERANCE = 0.05, 0.02

#: What moving all samples costs, in shares of a feature, along the frontier, from high to low.
PRICES = tuple(10.0 / 2.0**step for step in range(13))

#: Numbers that the search may look at for each price, and for the point within tolerances; attempts
#: to leave a local optimum.
BUDGET, PERTURBATIONS = 20_000_000, 12

#: What a part without samples counts for beside them: more than any deviation and miss of one.
EMPTY = 10.0

#: Divisions remembered before those are dropped that another beats.
KEPT = 200


@dataclass(frozen=True, eq=False)
class Point:
    """One way to repair a split.

    Attributes:
        part: (u,) part of each unit; no unit is spread any more.
        moves: samples that change parts.
        size_deviation: largest share of its target by which the size of a part, frozen ones aside,
            misses it.
        label_deviation: largest deviation of a feature's share in a part from its share in all
            parts that are not frozen, times the feature's weight. (A frozen part may hold another
            mix, which the others could only mirror.) A part that is left empty counts as holding no
            share of anything.
        empty: parts that want samples and have none.
    """

    part: Ints
    moves: int
    size_deviation: float
    label_deviation: float
    empty: int = 0

    @property
    def distance(self) -> float:
        """What is lacking: the label deviation, the size deviation for what it counts beside it,
        and what empty parts cost.
        """
        return self.label_deviation + SIZE_WEIGHT * self.size_deviation + EMPTY * self.empty


def frontier(
    problem: Problem, cost: Ints, *, frozen: tuple[int, ...] = (), seed: int = 0, most: int = 20
) -> tuple[Point, ...]:
    """Ways to repair a split, by rising moves: no unit is spread in any, and each is nearer its
    targets than those before.

    Args:
        problem: units and parts; the targets are the sizes that the parts should have after the
            repair.
        cost: (u, p) samples that move if a unit goes to a part: those of its samples that are
            elsewhere now, in other parts or in none.
        frozen: numbers of parts that keep what they have, see above.
        seed: of the search.
        most: points given back; the first (fewest moves that remove every leak) and the last always
            are.
    """
    repair = _Repair.of(problem, cost, frozen, seed)
    for price in PRICES:
        repair.improve(price)
    repair.search.reset(solve(repair.problem, seed=seed))
    repair.note()
    return _thinned(repair.front(), most)


def fewest_moves(
    problem: Problem,
    cost: Ints,
    points: tuple[Point, ...],
    *,
    frozen: tuple[int, ...] = (),
    size_tolerance: float = SIZE_TOLERANCE,
    label_tolerance: float = LABEL_TOLERANCE,
    seed: int = 0,
) -> tuple[Point, bool]:
    """The point with the fewest moves whose sizes and shares are within tolerances, and whether
    there is one; else the nearest.

    Args:
        problem, cost, frozen, seed: as of `frontier`.
        points: what `frontier` gave; the search for a cheaper one within the tolerances goes on
            from there.
        size_tolerance: share of its target by which a part may miss it.
        label_tolerance: deviation of a share that is fine.
    """

    def excess(point: Point) -> float:
        beyond = (
            point.label_deviation - label_tolerance,
            SIZE_WEIGHT * (point.size_deviation - size_tolerance),
            EMPTY * point.empty,
        )
        return round(sum(max(0.0, each) for each in beyond), 12)

    repair = _Repair.of(problem, cost, frozen, seed)
    repair.tolerances = (size_tolerance, label_tolerance)
    for point in sorted(points, key=lambda point: (excess(point), point.moves))[:3]:
        repair.search.reset(point.part[repair.units])
        repair.settle()
    best = min(
        (*points, *repair.seen), key=lambda point: (excess(point), point.moves, point.distance)
    )
    return best, excess(best) == 0


def _without_frozen(
    problem: Problem, cost: Ints, frozen: tuple[int, ...]
) -> tuple[Problem, Ints, Ints]:
    """The problem without units of frozen parts and with no room there; its units; and the
    frozen part of each unit, or -1.
    """
    home = np.where(np.isin(problem.fixed, frozen), problem.fixed, -1)
    if not frozen:
        return problem, np.arange(len(home)), home
    held = (problem.sizes[:, None] - cost)[:, list(frozen)]
    there = (problem.fixed < 0) & (held.max(axis=1) > 0)
    home = np.where(there, np.asarray(frozen, np.int64)[held.argmax(axis=1)], home)
    units = np.flatnonzero(home < 0)
    place = np.cumsum(home < 0) - 1
    inside = home[problem.entry_unit] < 0
    targets = problem.targets.copy()
    targets[list(frozen)] = 0.0
    return (
        replace(
            problem,
            sizes=problem.sizes[units],
            fixed=problem.fixed[units],
            targets=targets,
            entry_unit=place[problem.entry_unit[inside]],
            entry_feature=problem.entry_feature[inside],
            entry_count=problem.entry_count[inside],
        ),
        units,
        home,
    )


def _thinned(points: list[Point], most: int) -> tuple[Point, ...]:
    """At most so many points, evenly spaced by what is lacking; the first and the last are kept."""
    if len(points) <= max(2, most):
        return tuple(points)
    levels = np.linspace(points[0].distance, points[-1].distance, max(2, most))
    places = {
        next(at for at, point in enumerate(points) if point.distance <= level + 1e-12)
        for level in levels[:-1].tolist()
    }
    return tuple(points[at] for at in sorted(places | {len(points) - 1}))


@dataclass(eq=False)
class _PricedSearch(Search):
    """A search in which every exchange has its price in moved samples; `ask` says what is
    lacking.
    """

    cost: Ints = field(kw_only=True)
    price: float = 0.0
    caps: tuple[float, float] | None = None

    def _move_cost(self, one: int, other: int, first: Ints, second: Ints) -> Floats:
        there, back = (
            self.cost[units, goal] - self.cost[units, source]
            for units, goal, source in ((first, other, one), (second, one, other))
        )
        rise = np.append(there, 0)[:, None] + np.append(back, 0)[None, :]
        return np.asarray(rise * self.price, np.float64)

    def _price(self, held: Floats, part: int, bound: float) -> Floats:
        return self.lacking(held, part)

    def lacking(self, held: Floats, part: int) -> Floats:
        """What a part's size and mix lack: beyond the caps, where there are any."""
        _, worst, squares = self.rate(held, np.int64(part))
        target = max(self.layout.problem.targets[part], 1.0)
        miss = np.abs(held[-1] - target) / target
        empty = EMPTY * (held[-1] < 0.5)
        if self.caps:
            size, label = self.caps
            worst, miss = np.maximum(worst - label, 0.0), np.maximum(miss - size, 0.0)
            return np.asarray(worst + SIZE_WEIGHT * miss + empty)
        return np.asarray(worst + SIZE_WEIGHT * miss + 1e-3 * squares + empty)


@dataclass(eq=False)
class _Repair:
    """A repair under way, and the points seen on it that no other beats in moves and in what is
    lacking.
    """

    problem: Problem
    search: _PricedSearch
    units: Ints
    home: Ints
    given: Ints
    tolerances: tuple[float, float] = (SIZE_TOLERANCE, LABEL_TOLERANCE)
    seen: list[Point] = field(default_factory=list)

    @classmethod
    def of(cls, problem: Problem, cost: Ints, frozen: tuple[int, ...], seed: int) -> _Repair:
        """Begin with the fewest moves that leave no unit spread; of equal ones, to the part with
        most room.
        """
        without, units, home = _without_frozen(problem, cost, frozen)
        layout, own = lay_out(without), cost[units]
        active = layout.active
        room = without.targets[active] - without.sizes_of(np.argmin(own, axis=1))[active]
        ranks = np.lexsort(
            (np.broadcast_to(-room, (len(own), len(active))), own[:, active]), axis=1
        )
        part = np.where(without.fixed >= 0, without.fixed, active[ranks[:, 0]])
        search = _PricedSearch(
            layout, part, np.random.default_rng(seed), layout.size_slack(SIZE_TOLERANCE), cost=own
        )
        repair = cls(without, search, units, home, cost)
        repair.note()
        return repair

    def note(self) -> None:
        """Measure where the search stands, and remember it."""
        search, problem = self.search, self.problem
        active = search.layout.active
        held, wanted = search.held[active], problem.targets[active]
        miss = np.abs(held[:, -1] - wanted) / np.maximum(wanted, 1.0)
        apart = (
            np.abs(held[:, :-1] / np.maximum(held[:, -1:], 1.0) - search.layout.shares)
            * problem.weights
        )
        whole = self.home.copy()
        whole[self.units] = search.part
        moves = int(self.given[np.arange(len(whole)), whole].sum())
        empty = int((held[:, -1] < 0.5).sum())
        self.seen.append(
            Point(whole, moves, float(miss.max()), float(apart.max(initial=0.0)), empty)
        )
        if len(self.seen) >= KEPT and not search.caps:
            self.seen = self.front()

    def improve(self, price: float) -> None:
        """Exchange units as long as that mends more than its moves cost; every division on the
        way is noted.
        """
        self.search.price = price / max(1, int(self.problem.sizes.sum()))
        self._run(BUDGET)

    def settle(self) -> None:
        """Come within the tolerances, then give back moves for as long as they hold, from
        several sides.
        """
        self.search.caps = self.tolerances
        self.search.price = 1e-3 / max(1, int(self.problem.sizes.sum()))
        self._run(BUDGET)

    def _run(self, budget: int) -> None:
        if len(self.search.layout.active) == 1:
            return
        end = self.search.spent + budget
        best, paid = self.search.part.copy(), self._paid()
        for attempt in range(PERTURBATIONS):
            if attempt:
                self.search.reset(best)
                self.search.perturb(1 + attempt % 3)
            while self.search.spent < end and self.search.step():
                if not self.search.caps:
                    self.note()
            self.note()
            if (now := self._paid()) < paid or not attempt:
                best, paid = self.search.part.copy(), now
            if self.search.spent >= end:
                break
        self.search.reset(best)

    def _paid(self) -> float:
        """What the division costs at the present price, with what is lacking."""
        search, active = self.search, self.search.layout.active
        lacking = sum(float(search.lacking(search.held[each], int(each))) for each in active)
        return lacking + search.price * float(
            search.cost[np.arange(len(search.part)), search.part].sum()
        )

    def front(self) -> list[Point]:
        """The points by rising moves that lack less than every point before."""
        best: list[Point] = []
        for point in sorted(self.seen, key=lambda point: (point.moves, point.distance)):
            if not best or point.distance < best[-1].distance - 1e-12:
                best.append(point)
        return best
