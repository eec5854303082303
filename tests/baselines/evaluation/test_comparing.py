"""Two models on the same rows, and over paired seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dataprep.baselines.evaluation.comparing import compare_models, paired_seeds
from dataprep.schemas.goal import Goal

GOAL = Goal("binary", ("a", "b"), "accuracy", positive="b")


def answers(labels: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.eye(2)[np.where(right, labels, 1 - labels)] * 0.8 + 0.1


def test_a_model_that_is_right_more_often_is_better_and_itself_is_not() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 800)
    right = rng.random(800) < 0.8
    one, other = answers(labels, right), answers(labels, right | (rng.random(800) < 0.2))
    found = compare_models(GOAL, labels, one, other, draws=300)
    assert found["metric"]["name"] == "accuracy"
    assert found["metric"]["verdict"] == found["metrics"]["log-loss"]["verdict"] == "better"
    assert found["metrics"]["log-loss"]["difference"] < 0
    assert compare_models(GOAL, labels, other, one, draws=300)["metric"]["verdict"] == "worse"
    same = compare_models(GOAL, labels, one, one, draws=300)["metric"]
    assert (same["low"], same["high"], same["verdict"]) == (0, 0, "no clear difference")


def test_pairing_tells_a_difference_that_intervals_of_each_do_not() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    right = rng.random(400) < 0.6
    better = right.copy()
    better[np.flatnonzero(~right)[:12]] = True
    own = compare_models(GOAL, labels, answers(labels, right), answers(labels, better), draws=500)[
        "metric"
    ]
    assert own["difference"] == pytest.approx(0.03)
    assert 0 < own["low"] < own["high"] < 0.05


def test_rows_of_one_unit_tell_less() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(8), 50)
    labels = rng.integers(0, 2, 400)
    right = np.ones(400, bool)
    fails = units == 3
    found = [
        compare_models(
            GOAL,
            labels,
            answers(labels, right & ~fails),
            answers(labels, right),
            units=given,
            draws=400,
        )["metric"]["verdict"]
        for given in (None, units)
    ]
    assert found == ["better", "no clear difference"]


def test_paired_seeds_are_students_test() -> None:
    before, after = [0.80, 0.82, 0.79, 0.81, 0.80], [0.83, 0.84, 0.83, 0.83, 0.82]
    found = paired_seeds(before, after, "accuracy")
    wanted = stats.ttest_rel(after, before)
    interval = wanted.confidence_interval()
    assert (found["low"], found["high"]) == (
        pytest.approx(interval.low),
        pytest.approx(interval.high),
    )
    assert found["p"] == pytest.approx(wanted.pvalue)
    assert found["verdict"] == "better"
    assert paired_seeds(before, after, "log-loss")["verdict"] == "worse"


def test_one_seed_tells_no_interval_and_unlike_numbers_are_refused() -> None:
    found = paired_seeds([0.5], [0.9], "accuracy")
    assert (found["low"], found["verdict"], found["difference"]) == (
        None,
        "no clear difference",
        pytest.approx(0.4),
    )
    assert paired_seeds([], [], "accuracy")["difference"] is None
    with pytest.raises(ValueError, match="as many values"):
        paired_seeds([0.5], [], "accuracy")
    assert paired_seeds([0.5, 0.5], [0.5, 0.5], "accuracy")["p"] == 1.0
