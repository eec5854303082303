"""The linear classifier on features that stay as they are, and its penalty."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dataprep.baselines.frozen.linear import PENALTIES, fit_linear
from dataprep.baselines.frozen.losses import LinearLoss
from dataprep.baselines.training.losses import Loss
from dataprep.schemas.goal import Goal

GOAL = Goal("multi-class", ("a", "b", "c"), "accuracy")
CODES = np.arange(90) % 3
UNITS = np.arange(90) // 2


def log_likelihood(places: np.ndarray, logits: np.ndarray) -> float:
    logs = torch.log_softmax(torch.from_numpy(logits), 1).numpy()
    return float(logs[np.arange(len(places)), CODES[places]].mean())


def test_the_penalty_is_the_one_that_predicts_units_that_were_left_out() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(90, 30)).astype(np.float32)
    clear = np.eye(3, dtype=np.float32)[CODES] + noise[:, :3] / 20
    strong = fit_linear(noise, CODES, UNITS, LinearLoss(GOAL.kind), 3, log_likelihood)
    weak = fit_linear(clear, CODES, UNITS, LinearLoss(GOAL.kind), 3, log_likelihood)
    assert (strong.penalty, weak.penalty) == (PENALTIES[0], PENALTIES[-1])
    assert list(strong.scores) == list(PENALTIES)
    assert strong.scores[PENALTIES[0]] > strong.scores[PENALTIES[-1]]
    assert -1.4 < strong.scores[PENALTIES[0]] < -1.0, "a mean over all rows"
    assert (weak(clear).argmax(axis=1) == CODES).all()


def test_equal_scores_give_the_strongest_penalty_and_a_single_one_is_taken() -> None:
    features = np.random.default_rng(1).normal(size=(90, 4)).astype(np.float32)
    equal = fit_linear(features, CODES, UNITS, LinearLoss(GOAL.kind), 3, lambda places, logits: 0.5)
    assert equal.penalty == PENALTIES[0]
    assert list(equal.scores.values()) == pytest.approx([0.5] * 5)
    asked: list[int] = []

    def score(places: np.ndarray, logits: np.ndarray) -> float:
        asked.append(len(places))
        return 0.0

    only = fit_linear(features, CODES, UNITS, LinearLoss(GOAL.kind), 3, score, penalties=(0.07,))
    assert (only.penalty, asked) == (0.07, [])
    together = np.zeros(90, np.int64)
    one_unit = fit_linear(features, CODES, together, LinearLoss(GOAL.kind), 3, score)
    assert (one_unit.penalty, asked) == (PENALTIES[0], [])


def test_the_fit_is_at_the_least_of_loss_and_penalty() -> None:
    rng = np.random.default_rng(2)
    features = (rng.normal(size=(90, 4)) * [1, 10, 0.1, 0] + 5).astype(np.float32)
    found = fit_linear(
        features, CODES, UNITS, LinearLoss(GOAL.kind), 3, log_likelihood, penalties=(0.05,)
    )
    spread = torch.from_numpy(features).std(0, correction=0)
    spread[3] = 1.0
    centre = torch.from_numpy(features).mean(0)
    weight = (torch.from_numpy(found.weight) * spread).requires_grad_()
    bias = torch.from_numpy(found.bias + found.weight @ centre.numpy()).requires_grad_()
    values = (torch.from_numpy(features) - centre) / spread
    value = Loss(GOAL)(values @ weight.T + bias, torch.from_numpy(CODES))
    (value + 0.05 * weight.square().sum() / 2).backward()
    assert float(weight.grad.abs().max()) < 1e-3
    assert float(bias.grad.abs().max()) < 1e-3
