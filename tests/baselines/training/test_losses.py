"""Losses and class weights, held against scikit-learn and torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

torch = pytest.importorskip("torch")

from dataprep.baselines.training.losses import Loss, class_weights  # noqa: E402
from dataprep.schemas.goal import Goal  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

COUNTS = np.array([300, 60, 12])


@pytest.mark.parametrize("weighting", ["inverse", "effective"])
def test_class_weights_have_a_mean_of_one_over_the_samples(weighting: Any) -> None:
    weights = class_weights(COUNTS, weighting)
    assert (weights * COUNTS).sum() / COUNTS.sum() == pytest.approx(1.0)
    assert weights[0] < weights[1] < weights[2]
    assert weights.dtype == np.float32


def test_inverse_weights_are_those_of_scikit_learn() -> None:
    labels = np.repeat(np.arange(3), COUNTS)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert class_weights(COUNTS, "inverse") == pytest.approx(expected)


def test_effective_weights_go_by_the_effective_number_of_samples() -> None:
    weights = class_weights(COUNTS, "effective", beta=0.99)
    effective = (1 - 0.99**COUNTS) / (1 - 0.99)
    assert weights[2] / weights[0] == pytest.approx(effective[0] / effective[2])


def test_a_class_without_samples_weighs_nothing() -> None:
    assert class_weights(np.array([4, 0, 4]), "inverse").tolist() == [1.0, 0.0, 1.0]
    assert class_weights(np.array([4, 0, 4]), "none").tolist() == [1.0, 0.0, 1.0]


def goal_of(kind: Any) -> Goal:
    return toy_materials(kind, count=3, val=3, size=2).goal


def test_cross_entropy_is_weighted_over_the_batch_and_smoothed() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    targets = torch.tensor([0, 2])
    weights = np.array([0.5, 1.0, 3.0], np.float32)
    each = torch.nn.functional.cross_entropy(logits, targets, reduction="none", label_smoothing=0.1)
    found = Loss(goal_of("multi-class"), weights, smoothing=0.1)(logits, targets)
    assert float(found) == pytest.approx(float((each * torch.tensor([0.5, 3.0])).sum()) / 2)


def test_the_focal_loss_turns_from_what_is_easy() -> None:
    logits, targets = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    right = float(torch.softmax(logits, 1)[0, 0])
    found = Loss(goal_of("multi-class"), focal=2.0)(logits, targets)
    assert float(found) == pytest.approx(-((1 - right) ** 2) * np.log(right), rel=1e-5)


def test_weights_of_several_labels_are_those_of_the_positives() -> None:
    logits, targets = torch.tensor([[1.0, -1.0, 0.5]]), torch.tensor([[1.0, 0.0, 1.0]])
    weights = np.array([2.0, 5.0, 1.0], np.float32)
    right = torch.sigmoid(logits)[0].numpy()
    expected = -(2 * np.log(right[0]) + np.log(1 - right[1]) + np.log(right[2])) / 3
    assert float(Loss(goal_of("multi-label"), weights)(logits, targets)) == pytest.approx(expected)
