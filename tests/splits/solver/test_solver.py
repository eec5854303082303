from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.splits.proof.stratified_groups import stratified_group_folds
from dataprep.splits.solver.greedy_assignment import assign_greedily
from dataprep.splits.solver.layout import lay_out
from dataprep.splits.solver.problem import Ints, Problem
from dataprep.splits.solver.solving import size_price, solve
from tests.splits.solver.problems import all_divisions, problem_of, problems, random_problem


def deviation(problem: Problem, part: Ints) -> float:
    apart = problem.deviations_of(part)
    return float(
        np.abs(np.where(np.isnan(apart), problem.totals / problem.sizes.sum(), apart)).max(
            initial=0.0
        )
    )


def standing(problem: Problem, part: Ints) -> float:
    miss = np.abs(problem.sizes_of(part) - problem.targets) / problem.targets
    return deviation(problem, part) + float(size_price(miss.max()))


@given(problems())
@settings(max_examples=20, deadline=None)
def test_every_unit_is_in_one_part_and_fixed_ones_where_they_have_to_be(problem: Problem) -> None:
    part = solve(problem)
    assert (part.dtype, part.shape) == (np.int64, problem.sizes.shape)
    assert ((part >= 0) & (part < len(problem.parts))).all()
    held = problem.fixed >= 0
    assert (part[held] == problem.fixed[held]).all()
    assert (problem.targets[part[~held]] > 0).all()
    assert problem.sizes_of(part).sum() == problem.sizes.sum()


@given(problems(), st.randoms(use_true_random=False), st.integers(0, 3))
@settings(max_examples=8, deadline=None)
def test_the_order_of_entries_does_not_matter(problem: Problem, random: object, seed: int) -> None:
    order = np.random.default_rng(random.randrange(1000)).permutation(len(problem.entry_unit))  # type: ignore[attr-defined]
    names = ("entry_unit", "entry_feature", "entry_count")
    mixed = replace(problem, **{name: getattr(problem, name)[order] for name in names})
    assert np.array_equal(solve(problem, seed=seed), solve(mixed, seed=seed))


@pytest.mark.parametrize("seed", range(4))
def test_sizes_are_less_than_the_largest_unit_from_their_targets(seed: int) -> None:
    problem = random_problem(seed, 60, 4, samples=240)
    miss = np.abs(problem.sizes_of(solve(problem)) - problem.targets)
    assert miss.max() < problem.sizes.max()


@pytest.mark.parametrize("targets", [[1, 1, 1, 1, 1], [70, 15, 15], [8, 1, 1]])
def test_single_samples_are_divided_to_the_sample(targets: list[int]) -> None:
    label = np.repeat(np.arange(4), [400, 300, 200, 100])
    problem = problem_of(np.arange(1000), label, targets)
    part = solve(problem)
    assert (problem.sizes_of(part) == problem.targets).all()
    assert deviation(problem, part) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("everything", [20_000, 0])
@pytest.mark.parametrize("seed", range(4))
def test_tiny_problems_come_out_as_trying_everything_does(
    seed: int, everything: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataprep.splits.solver.solving.ALL", everything)
    problem = random_problem(seed, 8, 3, samples=18)
    best = min(
        standing(problem, part)
        for part in all_divisions(8, 3)
        if (np.abs(problem.sizes_of(part) - problem.targets) <= problem.sizes.max() - 0.5).all()
    )
    assert standing(problem, solve(problem)) <= (1.0 if everything else 1.3) * best + 1e-9


@pytest.mark.parametrize(("seed", "parts"), [(0, 5), (2, 10), (3, 3)])
def test_folds_are_no_further_from_the_mix_than_the_best_of_many_of_scikit_learn(
    seed: int, parts: int
) -> None:
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(1, 81) ** 0.8
    unit = np.unique(rng.choice(80, 600, p=weight / weight.sum()), return_inverse=True)[1]
    lean = rng.integers(0, 6, unit.max() + 1)
    label = np.where(rng.random(600) < 0.6, lean[unit], rng.integers(0, 6, 600))
    problem = problem_of(unit, label, [1] * parts)
    theirs = []
    first = np.unique(unit, return_index=True)[1]
    for draw in range(20):
        # The same folds as StratifiedGroupKFold's, in a tenth of the time.
        fold = stratified_group_folds(unit, label, parts, seed=draw)
        theirs.append(deviation(problem, fold[first]))
    assert deviation(problem, solve(problem)) <= min(theirs)


def test_labels_of_a_multi_label_set_keep_their_shares() -> None:
    rng = np.random.default_rng(0)
    held = rng.random((400, 8)) < np.linspace(0.02, 0.5, 8)
    unit, feature = np.nonzero(held)
    problem = Problem(
        np.ones(400, np.int64),
        unit,
        feature,
        np.ones(len(unit), np.int64),
        tuple("abcdefgh"),
        np.ones(8),
        ("train", "val", "test"),
        np.array([280.0, 60, 60]),
        np.full(400, -1, np.int64),
    )
    part = solve(problem)
    assert (problem.sizes_of(part) == problem.targets).all()
    assert deviation(problem, part) < 0.5 / 60 + 1e-9
    assert (problem.counts_of(part) > 0).all(), "the rarest label is in every part"


def test_a_feature_of_no_weight_is_not_heeded() -> None:
    label = np.repeat([0, 1], 50)
    problem = problem_of(np.repeat(np.arange(20), 5), label, [1, 1])
    part = solve(replace(problem, weights=np.array([1.0, 0.0])))
    assert deviation(problem, part) < 0.05, "the other class mirrors the first"
    site = replace(
        problem, entry_feature=np.zeros_like(problem.entry_feature), features=("site=A", "site=B")
    )
    assert (site.sizes_of(solve(site)) == [50, 50]).all()


@pytest.mark.parametrize(
    ("sizes", "targets", "expected"),
    [
        ([7], [1, 1, 1], [0, 0, 7]),
        ([90, 4, 3, 3], [1, 1], [10, 90]),
        ([1, 1], [1, 1, 1, 1], [0, 0, 1, 1]),
        ([2, 2, 2], [1, 0, 1], [0, 2, 4]),
    ],
)
def test_what_cannot_be_divided_is_divided_as_far_as_it_goes(
    sizes: list[int], targets: list[int], expected: list[int]
) -> None:
    unit = np.repeat(np.arange(len(sizes)), sizes)
    problem = problem_of(unit, np.zeros(len(unit), np.int64), targets)
    assert sorted(problem.sizes_of(solve(problem)).tolist()) == expected


def test_new_units_make_up_for_what_fixed_ones_lack() -> None:
    label = np.append(np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [10, 30]))
    fixed = np.append(np.zeros(40, np.int64), np.full(40, -1, np.int64))
    problem = problem_of(np.arange(80), label, [60, 20], fixed)
    part = solve(problem)
    assert (part[:40] == 0).all()
    assert problem.sizes_of(part).tolist() == [60, 20]
    assert problem.counts_of(part).tolist() == [[30, 30], [10, 10]]


def test_very_many_units_that_are_all_different_are_dealt_out_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dataprep.splits.solver.greedy_assignment.SINGLY", 10)
    problem = random_problem(0, 600, 3, samples=3000, classes=5)
    part = solve(problem)
    assert np.abs(problem.sizes_of(part) - problem.targets).max() < problem.sizes.max()
    assert deviation(problem, part) < 0.005


@given(problems(most_parts=6), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_no_part_is_empty_where_units_suffice(problem: Problem, seed: int) -> None:
    part = solve(problem, seed=seed)
    free, wanted = int((problem.fixed < 0).sum()), problem.targets > 0
    filled = np.isin(np.arange(len(problem.parts)), problem.fixed)
    if free >= int((wanted & ~filled).sum()):
        assert (problem.sizes_of(part)[wanted] > 0).all()


@pytest.mark.parametrize(
    ("sizes", "labels", "targets"),
    [
        ([5, 5, 3, 4, 3], [1, 2, 0, 1, 2], [1] * 5),
        ([40, 1, 1, 1], [0, 1, 1, 1], [1] * 4),
        ([1, 1, 1, 1], [0, 0, 1, 1], [70, 15, 15]),
        ([9, 9, 9, 9, 9, 9, 9], [0, 1, 2, 3, 4, 5, 6], [97, 1, 1, 1]),
    ],
)
@pytest.mark.parametrize("everything", [20_000, 0])
def test_few_units_leave_no_part_empty(
    sizes: list[int],
    labels: list[int],
    targets: list[int],
    everything: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dataprep.splits.solver.solving.ALL", everything)
    problem = problem_of(np.repeat(np.arange(len(sizes)), sizes), np.repeat(labels, sizes), targets)
    assert (problem.sizes_of(solve(problem)) > 0).all()


def test_a_first_division_of_as_many_units_as_parts_has_one_in_each() -> None:
    sizes = np.random.default_rng(0).integers(1, 30, 300)
    unit = np.repeat(np.arange(300), sizes)
    problem = problem_of(unit, unit % 2, [1] * 300)
    part = assign_greedily(lay_out(problem), np.random.default_rng(0))
    assert np.bincount(part, minlength=300).tolist() == [1] * 300


def test_small_problems_are_solved_as_well_as_scikit_learn_does() -> None:
    rng, ours, theirs = np.random.default_rng(7), [], []
    for _ in range(25):
        folds = int(rng.integers(2, 5))
        units = folds + int(rng.integers(0, 4))
        unit = np.repeat(np.arange(units), rng.integers(1, 10, units))
        label = rng.integers(0, 3, units)[unit]
        problem = problem_of(unit, label, [1] * folds)
        part = solve(problem)
        assert (problem.sizes_of(part) > 0).all()
        ours.append(deviation(problem, part))
        found = []
        for seed in range(3):
            fold = np.empty(units, np.int64)
            fold[unit] = stratified_group_folds(
                unit, np.unique(label, return_inverse=True)[1], folds, seed=seed
            )
            found.append(deviation(problem, fold))
        theirs.append(np.mean(found))
    assert np.mean(ours) < np.mean(theirs)
    assert (np.array(ours) < np.array(theirs) + 0.1).all()
