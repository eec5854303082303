from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.splits.solver.problem import Ints, Problem
from dataprep.splits.solver.repairing import fewest_moves, frontier
from tests.splits.solver.problems import all_divisions, problem_of


def repair_problem(unit: Ints, label: Ints, now: Ints, parts: int) -> tuple[Problem, Ints]:
    """A split as it stands, its parts to keep their sizes; and what it costs to send a unit to a
    part.
    """
    problem = problem_of(unit, label, np.bincount(now, minlength=parts).tolist())
    held = np.zeros((len(problem.sizes), parts), np.int64)
    np.add.at(held, (unit, now), 1)
    return problem, problem.sizes[:, None] - held


def random_split(
    seed: int, *, samples: int = 24, units: int = 9, parts: int = 3, classes: int = 2
) -> tuple[Problem, Ints]:
    rng = np.random.default_rng(seed)
    unit = np.append(np.arange(units), rng.integers(0, units, samples - units))
    home = rng.integers(0, parts, units)
    now = np.where(rng.random(samples) < 0.7, home[unit], rng.integers(0, parts, samples))
    now[:parts] = np.arange(parts)
    return repair_problem(unit, rng.integers(0, classes, samples), now, parts)


def moves_of(cost: Ints, part: Ints) -> int:
    return int(cost[np.arange(len(part)), part].sum())


def figures(problem: Problem, part: Ints) -> tuple[float, float]:
    miss = np.abs(problem.sizes_of(part) - problem.targets) / problem.targets
    empty = problem.totals / problem.sizes.sum()
    apart = problem.deviations_of(part)
    return float(miss.max()), float(np.abs(np.where(np.isnan(apart), empty, apart)).max())


@given(st.integers(0, 10_000), st.sampled_from([(), (2,), (1, 2)]))
@settings(max_examples=8, deadline=None)
def test_a_frontier_rises_in_moves_and_falls_in_what_is_lacking(
    seed: int, frozen: tuple[int, ...]
) -> None:
    problem, cost = random_split(seed)
    points = frontier(problem, cost, frozen=frozen, most=6)
    assert 1 <= len(points) <= 6
    for before, after in itertools.pairwise(points):
        assert before.moves < after.moves
        assert before.distance > after.distance
    for point in points:
        assert point.moves == moves_of(cost, point.part)
        if not frozen:
            assert figures(problem, point.part) == pytest.approx(
                (point.size_deviation, point.label_deviation)
            )


@given(st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_no_sample_leaves_a_frozen_part_and_no_stranger_joins_it(seed: int) -> None:
    problem, cost = random_split(seed)
    held = problem.sizes[:, None] - cost
    for point in frontier(problem, cost, frozen=(2,)):
        assert ((point.part == 2) == (held[:, 2] > 0)).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_first_point_has_the_fewest_moves_that_leave_no_leak(seed: int) -> None:
    problem, cost = random_split(seed)
    assert frontier(problem, cost)[0].moves == cost.min(axis=1).sum()


@pytest.mark.parametrize("seed", range(5))
def test_moves_within_tolerances_are_as_few_as_trying_everything_finds(seed: int) -> None:
    problem, cost = random_split(seed)
    tolerances = (0.3, 0.15)
    fine = [
        part
        for part in all_divisions(9, 3)
        if np.all(np.array(figures(problem, part)) <= tolerances)
    ]
    points = frontier(problem, cost)
    best, met = fewest_moves(problem, cost, points, size_tolerance=0.3, label_tolerance=0.15)
    assert met == bool(fine)
    if fine:
        assert best.moves == min(moves_of(cost, part) for part in fine)
        assert np.all(np.array(figures(problem, best.part)) <= tolerances)


def test_a_split_that_is_clean_stays_as_it_is() -> None:
    unit = np.repeat(np.arange(20), 3)
    problem, cost = repair_problem(
        unit, np.arange(60) % 3, (np.arange(20) % 4 == 0).astype(int)[unit], 2
    )
    points = frontier(problem, cost)
    best, met = fewest_moves(problem, cost, points)
    assert met
    assert (best.moves, len(points)) == (0, 1)


def test_tolerances_that_cannot_be_met_give_the_nearest_point() -> None:
    problem, cost = repair_problem(
        np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2
    )
    best, met = fewest_moves(problem, cost, frontier(problem, cost), label_tolerance=0.01)
    assert not met
    assert best.moves == 2
    assert sorted(best.part.tolist()) == [0, 1]


def test_a_unit_of_two_frozen_parts_goes_to_the_one_that_holds_most_of_it() -> None:
    problem, cost = repair_problem(
        np.array([0, 0, 0, 1, 1, 2]), np.zeros(6, np.int64), np.array([1, 2, 2, 0, 2, 1]), 3
    )
    assert all(point.part[0] == 2 for point in frontier(problem, cost, frozen=(1, 2)))


def test_a_repair_is_the_same_every_time() -> None:
    problem, cost = random_split(1, samples=120, units=40)
    first, again = (frontier(problem, cost, seed=3) for _ in range(2))
    assert [point.part.tolist() for point in first] == [point.part.tolist() for point in again]


def test_a_repair_leaves_no_part_empty_where_another_way_is_within_reach() -> None:
    unit = np.array([0] * 12 + [1] * 4 + [2] * 4)
    now = np.array([0] * 10 + [1] * 2 + [0] * 4 + [0] * 4)
    problem, cost = repair_problem(unit, np.zeros(20, np.int64), now, 2)
    points = frontier(problem, cost)
    point, met = fewest_moves(problem, cost, points, size_tolerance=1.5)
    assert met
    assert (problem.sizes_of(point.part) > 0).all()
    assert points[0].empty == 1, "the fewest moves would leave it so"
