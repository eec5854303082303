"""Local search over a division: units change places, or one moves, as long as the worst deviation
falls.

Each step looks at two parts at once and weighs every exchange of one unit for one, or for none,
exactly: sizes, the largest deviation and the sum of squared deviations. What counts comes in this
order: sizes within their slack, then the largest deviation, then the squares (which also bring
sizes nearer and keep rare features in every part).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dataprep.splits.solver.layout import Floats, Layout
from dataprep.splits.solver.problem import Ints

#: Numbers that one step may look at: exchanges times features.
CELLS = 120_000

#: Numbers that could be looked at while one step is set up.
OVERHEAD = 10_000

_BEYOND_SLACK, _WORSE = 1e9, 1e6


@dataclass(eq=False)
class Search:
    """A division that changes: `part` (u,), what the parts hold (p, f + 1), and the free units of
    each part.

    `size_slack` (p,): samples by which a part's size may miss its target before that counts for
    more than its mix.
    """

    layout: Layout
    part: Ints
    rng: np.random.Generator
    size_slack: Floats
    held: Floats = field(init=False)
    members: dict[int, Ints] = field(init=False)
    spent: int = 0

    def __post_init__(self) -> None:
        self.reset(self.part)

    def reset(self, part: Ints) -> None:
        """Go on from another division."""
        self.part = part.copy()
        self.held = self.layout.held(part)
        free = self.layout.free
        self.members = {int(each): free[part[free] == each] for each in self.layout.active}

    def objective(self) -> tuple[float, float, float]:
        """Samples beyond the slack, largest deviation, sum of squares; less is better, the first
        counts first.
        """
        beyond, worst, squares = self.rate(self.held[self.layout.active].T, self.layout.active)
        return round(float(beyond.sum()), 6), round(float(worst.max()), 12), float(squares.sum())

    def descend(self, budget: int) -> None:
        """Improve until no exchange between any two parts helps, or `budget` numbers were looked
        at.
        """
        end = self.spent + budget
        while self.spent < end and self.step():
            pass

    def perturb(self, times: int) -> None:
        """Exchange units of the worst part for others at random, so that the search can leave a
        local optimum.
        """
        active = self.layout.active
        worst = int(active[np.argmax(self.rate(self.held[active].T, active)[1])])
        for _ in range(times):
            other = int(self.rng.choice(active[active != worst]))
            if len(self.members[worst]) and len(self.members[other]):
                self._exchange(
                    worst,
                    other,
                    *(int(self.rng.integers(len(self.members[each]))) for each in (worst, other)),
                )

    def step(self) -> bool:
        """Take the best exchange between the worst part and another; where none helps, between
        any two. Whether one helped.
        """
        active = self.layout.active
        beyond, worst, _ = self.rate(self.held[active].T, active)
        bound = max(float(worst.max()), 1e-12)
        order = self.rng.permutation(len(active))
        order = order[np.argsort(-(beyond[order] * _WORSE + worst[order]), kind="stable")]
        for place, one in enumerate(order.tolist()):
            for other in self.rng.permutation(order[place + 1 :]).tolist():
                if self._try(int(active[one]), int(active[other]), bound):
                    return True
        return False

    def _try(self, one: int, other: int, bound: float) -> bool:
        side = max(8, int((CELLS / self.held.shape[1]) ** 0.5))
        places = [self._some(each, side) for each in (one, other)]
        first, second = (self.members[each][chosen] for each, chosen in zip((one, other), places))
        leaving, coming = self._vectors(first), self._vectors(second)
        change = leaving[:, :, None] - coming[:, None, :]
        held = self.held[:, :, None, None]
        after = self._price(held[one] - change, one, bound) + self._price(
            held[other] + change, other, bound
        )
        after += self._move_cost(one, other, first, second)
        self.spent += change.size + OVERHEAD
        now = sum(float(self._price(self.held[each], each, bound)) for each in (one, other))
        best = int(np.argmin(after))
        if not after.flat[best] < now - 1e-9 * (1 + abs(now)):
            return False
        row, column = divmod(best, after.shape[1])
        self._exchange(
            one,
            other,
            *(int(each[at]) if at < len(each) else -1 for each, at in zip(places, (row, column))),
        )
        return True

    def _some(self, part: int, most: int) -> Ints:
        """Places among the members of a part: all, or `most` drawn at random, half of them as
        likely as they are large.
        """
        count = len(self.members[part])
        if count <= most:
            return np.arange(count)
        ends = np.cumsum(self.layout.problem.sizes[self.members[part]])
        by_size = np.searchsorted(ends, self.rng.integers(0, ends[-1], most // 2), side="right")
        return np.unique(np.append(by_size, self.rng.integers(0, count, most - most // 2)))

    def _move_cost(self, one: int, other: int, first: Ints, second: Ints) -> Floats | float:
        """(k + 1, l + 1) what each exchange costs in itself: nothing, in a division that is new."""
        return 0.0

    def _vectors(self, units: Ints) -> Floats:
        """(f + 1, k + 1): what each unit holds, and nothing, for a unit that moves without
        another in return.
        """
        dense = self.layout.vectors(units)
        return np.vstack([dense, np.zeros(dense.shape[1])]).T

    def _price(self, held: Floats, part: int, bound: float) -> Floats:
        beyond, worst, squares = self.rate(held, np.int64(part), bound)
        return np.asarray(
            beyond * _BEYOND_SLACK + np.where(worst > bound * (1 + 1e-9), _WORSE, 0.0) + squares
        )

    def rate(
        self, held: Floats, part: Ints | np.int64, bound: float = 0.0
    ) -> tuple[Floats, Floats, Floats]:
        """Of holdings (f + 1, ...): samples beyond the slack, largest deviation, squares (with
        `bound`, eighth powers too).

        A part without samples is beyond its slack by twice all that there are: no miss of sizes
        comes to as much.
        """
        layout = self.layout
        size, target = held[-1], layout.problem.targets[part]
        miss = np.abs(size - target)
        apart = held[:-1] * (1.0 / np.maximum(size, 1.0))
        flat = apart.reshape(len(apart), size.size)
        flat -= layout.shares[:, None]
        np.multiply(flat, flat, out=flat)
        # Sums over features are added up feature by feature: a dot product would round as the
        # machine's library likes.
        squares = (flat * layout.squares[:-1, None]).sum(axis=0).reshape(size.shape) + (
            miss / np.maximum(target, 1.0)
        ) ** 2
        flat *= layout.squared_weights[:, None]
        worst = np.sqrt(apart.max(axis=0, initial=0.0))
        if bound:
            flat *= 1 / bound**2
            for _ in range(2):
                np.multiply(flat, flat, out=flat)
            squares = squares + np.minimum(apart, 256.0).sum(axis=0)
        return (
            np.maximum(miss - self.size_slack[part], 0.0) + 2 * layout.everything * (size < 0.5),
            worst,
            squares,
        )

    def _exchange(self, one: int, other: int, first: int, second: int) -> None:
        """Swap the units at two places, or move one where the other place is -1."""
        for source, goal, place in ((one, other, first), (other, one, second)):
            if place >= 0:
                unit = self.members[source][place]
                vector = self.layout.vectors(np.array([unit]))[0]
                self.held[source] -= vector
                self.held[goal] += vector
                self.part[unit] = goal
        if first >= 0 and second >= 0:
            ones, others = self.members[one], self.members[other]
            ones[first], others[second] = others[second], ones[first]
        elif first >= 0 or second >= 0:
            source, goal, place = (one, other, first) if first >= 0 else (other, one, second)
            unit = self.members[source][place]
            self.members[source] = np.delete(self.members[source], place)
            self.members[goal] = np.append(self.members[goal], unit)
