"""Class weights and losses, against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

torch = pytest.importorskip("torch")

from dataprep.baselines.frozen.losses import class_weights  # noqa: E402
from dataprep.baselines.training.losses import Loss  # noqa: E402
from dataprep.schemas.goal import Goal  # noqa: E402

CLASSES = Goal("multi-class", ("a", "b", "c"), "accuracy")
LABELS = Goal("multi-label", ("a", "b"), "macro-f1")
VALUE = Goal("regression", (), "mae")
LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0]])
TARGETS = torch.tensor([0, 1])


def chances() -> np.ndarray:
    """(2,) predicted probability of each sample's class."""
    logits = LOGITS.numpy().astype(float)
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return share[np.arange(2), TARGETS.numpy()]


def test_inverse_weights_are_the_inverse_of_counts_with_mean_one() -> None:
    counts = np.array([10, 30, 0, 60])
    weights = class_weights(counts, "inverse")
    assert weights == pytest.approx([100 / 30, 100 / 90, 0, 100 / 180])
    assert (weights * counts).sum() == pytest.approx(counts.sum())
    assert weights.dtype == np.float32
    balanced = compute_class_weight(
        "balanced", classes=np.arange(3), y=np.repeat(range(3), [10, 30, 60])
    )
    assert weights[counts > 0] == pytest.approx(balanced)


def test_effective_weights_are_those_of_the_effective_number() -> None:
    counts, beta = np.array([5, 50]), 0.9
    mass = np.array([(1 - beta**5) / (1 - beta), (1 - beta**50) / (1 - beta)])
    expected = 1 / mass * 55 / (counts / mass).sum()
    assert class_weights(counts, "effective", beta=beta) == pytest.approx(expected)
    by_default = class_weights(np.array([100, 1000]), "effective")
    mass = 1 - 0.999 ** np.array([100.0, 1000.0])
    assert by_default[0] / by_default[1] == pytest.approx(mass[1] / mass[0])


def test_without_weighting_or_samples_every_class_that_is_there_counts_one() -> None:
    assert class_weights(np.array([3, 0, 1]), "none").tolist() == [1, 0, 1]
    assert class_weights(np.array([0, 0]), "inverse").tolist() == [0, 0]
    assert class_weights(np.array([1, 1]), "inverse").tolist() == [1, 1]


def test_cross_entropy_is_weighted_over_the_batch_size() -> None:
    weights = np.array([2.0, 0.5, 1.0], np.float32)
    expected = (-np.log(chances()) * [2.0, 0.5]).mean()
    assert float(Loss(CLASSES, weights)(LOGITS, TARGETS)) == pytest.approx(expected)
    plain = -np.log(chances()).mean()
    assert float(Loss(CLASSES)(LOGITS, TARGETS)) == pytest.approx(plain)


@pytest.mark.parametrize("focal", [1.0, 2.0])
def test_focal_loss_turns_from_what_is_easy(focal: float) -> None:
    expected = ((1 - chances()) ** focal * -np.log(chances())).mean()
    assert float(Loss(CLASSES, focal=focal)(LOGITS, TARGETS)) == pytest.approx(expected)


def test_smoothing_gives_each_class_its_share_of_the_target() -> None:
    logs = torch.log_softmax(LOGITS.double(), 1).numpy()
    own = logs[np.arange(2), TARGETS.numpy()]
    each = -(0.7 * own + 0.3 * logs.mean(axis=1))
    found = Loss(CLASSES, smoothing=0.3)(LOGITS, TARGETS)
    assert float(found) == pytest.approx(each.mean())
    weights = np.array([2.0, 0.5, 1.0], np.float32)
    found = Loss(CLASSES, weights, smoothing=0.3)(LOGITS, TARGETS)
    assert float(found) == pytest.approx((each * [2.0, 0.5]).mean())


def test_the_loss_of_several_labels_weighs_positive_answers() -> None:
    logits, targets = torch.tensor([[1.0, -2.0]]), torch.tensor([[1.0, 0.0]])
    sure = [1 / (1 + math.exp(-1)), 1 / (1 + math.exp(-2))]
    plain = -(math.log(sure[0]) + math.log(sure[1])) / 2
    assert float(Loss(LABELS)(logits, targets)) == pytest.approx(plain)
    weighed = -(3 * math.log(sure[0]) + math.log(sure[1])) / 2
    weights = np.array([3.0, 5.0], np.float32)
    assert float(Loss(LABELS, weights)(logits, targets)) == pytest.approx(weighed)
    focal = -sum((1 - each) ** 2 * math.log(each) for each in sure) / 2
    assert float(Loss(LABELS, focal=2.0)(logits, targets)) == pytest.approx(focal)


def test_the_loss_of_a_regression_is_square_near_and_straight_far() -> None:
    values, targets = torch.tensor([[0.5], [4.0]]), torch.tensor([[0.0], [1.0]])
    expected = (0.5**2 / 2 + (3.0 - 0.5)) / 2
    assert float(Loss(VALUE)(values, targets)) == pytest.approx(expected)
