"""A class of which a judged part has no image is named, with what that does to macro-F1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.pages.summary import absent_lines
from dataprep.schemas.goal import Goal

GOAL = Goal("multi-class", ("0", "90", "180"), "macro-f1", "asked for")


def metrics_of(
    validation: list[int], test: list[int], predicted: list[int], goal: Goal = GOAL
) -> dict[str, Any]:
    probs = np.eye(len(goal.classes))[predicted]
    judged = {
        name: evaluate(goal, np.array(labels), probs, draws=10)
        for name, labels in (("validation", validation), ("test", test))
    }
    return {
        "goal": {"metric": goal.metric},
        "data": {"parts": {"train": 4, "val": 4, "test": 4}},
        **judged,
    }


def test_a_class_that_was_predicted_and_is_not_there_counts_as_zero() -> None:
    metrics = metrics_of([0, 1, 2, 2], [1, 1, 2, 2], [0, 1, 2, 2])
    assert metrics["validation"]["absent"] == []
    assert metrics["test"]["absent"] == ["0"]
    (line,) = absent_lines(metrics)
    assert line.startswith(
        "Test has no image of class '0': recall there is unknown, and macro-F1 counts '0' as 0"
    )
    assert metrics["test"]["metric"]["value"] == pytest.approx((0 + 2 / 3 + 1) / 3)


def test_a_class_that_was_not_predicted_is_left_out() -> None:
    metrics = metrics_of([1, 1, 1, 1], [0, 1, 2, 2], [1, 1, 1, 1])
    (line,) = absent_lines(metrics)
    assert line == (
        "Validation has no image of class '0', '180': recall there is unknown, and macro-F1 "
        "leaves '0', '180' out."
    )
    assert metrics["validation"]["metric"]["value"] == 1


def test_several_labels_and_figures() -> None:
    goal = replace(GOAL, kind="multi-label")
    judged = evaluate(goal, np.array([[1, 0, 1], [0, 0, 1]], bool), np.full((2, 3), 0.1), draws=10)
    metrics = {"goal": {"metric": "macro-f1"}, "data": {"parts": {}}, "validation": judged}
    assert judged["absent"] == ["90"]
    assert "leaves '90' out" in absent_lines(metrics)[0]
    figures = evaluate(
        Goal("regression", (), "mae", ""), np.array([1.0, 2.0]), np.array([1.0, 2.0]), draws=10
    )
    assert not absent_lines(
        {"goal": {"metric": "mae"}, "data": {"parts": {}}, "validation": figures}
    )
