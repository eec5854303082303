"""Nearest neighbours as a simple alternative."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.baselines.evaluation.nearest_neighbours import neighbour_baseline
from dataprep.schemas.goal import Goal

CODES = np.array([0] * 12 + [1] * 12 + [-1])
VALUES = np.array([[1.0, 0.1]] * 12 + [[0.1, 1.0]] * 12 + [[0.1, 1.0]], np.float32)
TRAIN = np.arange(25)


def test_classes_are_those_of_the_nearest_rows_that_have_a_label() -> None:
    goal = Goal("binary", ("a", "b"), "accuracy", positive="a")
    probs = neighbour_baseline(VALUES, CODES, TRAIN, np.array([0, 20]), goal)
    assert probs == pytest.approx(np.eye(2))


def test_values_and_labels_are_means_and_no_rows_give_zeros() -> None:
    numbers = np.where(CODES < 0, np.nan, np.where(CODES == 1, 5.0, 1.0))
    goal = Goal("regression", (), "mae")
    assert neighbour_baseline(VALUES, numbers, TRAIN, np.array([0, 20]), goal) == pytest.approx(
        [1, 5]
    )
    several = np.stack([CODES == 1, CODES == 0], axis=1).astype(np.int8)
    several[CODES < 0] = -1
    goal = Goal("multi-label", ("x", "y"), "macro-f1")
    found = neighbour_baseline(VALUES, several, TRAIN, np.array([20]), goal)
    assert found == pytest.approx(np.array([[1, 0]]))
    assert not neighbour_baseline(VALUES, several, TRAIN[:0], np.array([20]), goal).any()
