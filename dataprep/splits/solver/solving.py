"""Solving a division: whole units to parts, sizes near their targets, every part with the same mix
of features.

Dividing weighted units over parts of given sizes is number partitioning, or a multiple knapsack
filled to the brim, and with it NP-hard; so a first division (`greedy_assignment`) is improved by
local search (`local_search`), restarted where that is cheap. scikit-learn's
``StratifiedGroupKFold`` stops after such a first division and knows folds of one size only.
"""

from __future__ import annotations

import numpy as np

from dataprep.splits.solver.greedy_assignment import assign_greedily
from dataprep.splits.solver.layout import Floats, Layout, lay_out
from dataprep.splits.solver.local_search import Search
from dataprep.splits.solver.problem import Ints, Problem

#: Numbers that the search may look at, in all: the bound on work, and the same on every machine.
BUDGET = 100_000_000

#: Attempts to leave a local optimum, for each slack; how many without gain are enough;
#: every how many it starts over.
PERTURBATIONS, PATIENCE, RESTART = 60, 20, 4

#: Shares of its target by which a part's size may miss it, tried one after the other as long as the
#: mix gains by it.
SLACKS = (0.005, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8)

#: What a miss of the whole target counts for, in shares of a feature (`size_price`).
SIZE_WEIGHT = 0.15

#: Divisions up to which all of them are tried.
ALL = 20_000

Objective = tuple[float, float, float]


def size_price(miss: Floats | np.float64) -> Floats:
    """What a size that misses its target by this share of it counts for, in shares of a feature.

    Little as long as it is small: a fold that is 10 % off costs its figure 5 % of precision, and is
    worth a deviation that is 0.002 less; 40 %, one that is 0.032 less.
    """
    return np.asarray(SIZE_WEIGHT * miss * np.minimum(1.0, miss / 0.75), np.float64)


def solve(problem: Problem, *, seed: int = 0) -> Ints:
    """(u,) part of each unit.

    What counts: fixed units stay; no part that wants samples is empty where there are as many units
    as parts; each size is less than the largest unit from its target where that can be; then the
    largest deviation of a feature's share in a part from its share in all samples, times the
    feature's weight, with the largest miss of a size (`size_price`); then the sum of squared
    deviations, rare features more. Parts whose target is 0 get fixed units only. Units that are
    larger than their part, or fewer than the parts, are no errors: sizes are then as near as they
    get, and only in the latter case are parts empty.

    Args:
        problem: units, what they hold, parts. The order of its entries does not matter, that of its
            units settles ties.
        seed: of the search; the result is the same for the same problem and seed, on every machine.
    """
    layout = lay_out(problem)
    rng = np.random.default_rng(seed)
    if not len(layout.free) or len(layout.active) == 1:
        return np.where(problem.fixed >= 0, problem.fixed, layout.active[0])
    if len(layout.active) ** len(layout.free) <= ALL:
        return _best_of_all(layout)
    best = assign_greedily(layout, rng)
    objective, last = (np.inf, np.inf, np.inf), np.zeros(0)
    for slack in SLACKS:
        size_slack = layout.size_slack(slack)
        if _is_good(objective, slack):
            break
        if np.array_equal(size_slack, last):
            continue
        found = _within(layout, best, size_slack, rng)
        if (reached := _objective(layout, found)) < objective:
            best, objective = found, reached
        last = size_slack
    return best


def _best_of_all(layout: Layout) -> Ints:
    """The best of all divisions of a few units."""
    choices = layout.active[
        np.indices((len(layout.active),) * len(layout.free)).reshape(len(layout.free), -1)
    ]  # (units, ways)
    search = Search(
        layout,
        np.where(layout.problem.fixed >= 0, layout.problem.fixed, -1),
        np.random.default_rng(0),
        layout.size_slack(SLACKS[-1]),
    )
    vectors = layout.vectors(layout.free).T
    beyond, worst, miss, squares = np.zeros((4, choices.shape[1]))
    for part in layout.active.tolist():
        held = search.held[part][:, None] + vectors @ (
            choices == part
        )  # whole numbers: exact in any order
        rated = search.rate(held, np.int64(part))
        target = layout.problem.targets[part]
        beyond, worst, squares = beyond + rated[0], np.maximum(worst, rated[1]), squares + rated[2]
        miss = np.maximum(miss, np.abs(held[-1] - target) / max(target, 1.0))
    best = np.lexsort((squares, np.round(worst + size_price(miss), 12), np.round(beyond, 6)))[0]
    part = layout.problem.fixed.copy()
    part[layout.free] = choices[:, best]
    return part


def _within(layout: Layout, first: Ints, size_slack: np.ndarray, rng: np.random.Generator) -> Ints:
    """Search from a first division, from others, and from the neighbourhood of the best, over
    and over.
    """
    search = Search(layout, first, rng, size_slack)
    share = BUDGET // len(SLACKS)
    search.descend(share // 3)
    best, objective = search.part.copy(), search.objective()
    unimproved = 0
    for attempt in range(PERTURBATIONS):
        if search.spent >= share or unimproved > PATIENCE or objective[:2] == (0.0, 0.0):
            break
        if attempt % RESTART == 0:
            search.reset(assign_greedily(layout, rng, noise=0.5))
        else:
            search.reset(best)
            search.perturb(int(rng.integers(1, 5)))
        search.descend(share - search.spent)
        unimproved += 1
        if search.objective() < objective:
            best, objective, unimproved = search.part.copy(), search.objective(), 0
    return best


def _objective(layout: Layout, part: Ints) -> Objective:
    """What is minimised, in this order: samples beyond the largest slack, deviation with
    miss of size, squares.
    """
    beyond, worst, squares = Search(
        layout, part, np.random.default_rng(0), layout.size_slack(SLACKS[-1])
    ).objective()
    targets = layout.problem.targets[layout.active]
    miss = np.abs(layout.problem.sizes_of(part)[layout.active] - targets) / np.maximum(targets, 1.0)
    return beyond, round(worst + float(size_price(miss.max())), 12), squares


def _is_good(objective: Objective, slack: float) -> bool:
    """Whether more slack could hardly help: what is lacking now is less than the larger miss of
    size would count for.
    """
    return objective[0] == 0 and objective[1] < float(size_price(np.float64(slack))) / 2
