"""The losses in numpy are those that networks are trained by, with the same gradients."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines.frozen.losses import LinearLoss  # noqa: E402
from dataprep.baselines.training.losses import Loss  # noqa: E402
from dataprep.schemas.goal import Goal, Kind  # noqa: E402


@pytest.mark.parametrize("focal", [0.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["multi-class", "multi-label", "regression"])
def test_values_and_gradients_are_those_of_torch(kind: Kind, weighted: bool, focal: float) -> None:
    rng = np.random.default_rng(0)
    outputs = 1 if kind == "regression" else 3
    logits = rng.normal(0, 2, (20, outputs)).astype(np.float32)
    targets: np.ndarray = {
        "multi-class": rng.integers(0, 3, 20),
        "multi-label": rng.integers(0, 2, (20, 3)).astype(np.float32),
        "regression": rng.normal(size=(20, 1)).astype(np.float32),
    }[kind]
    weights = np.array([0.5, 1.0, 3.0], np.float32) if weighted and outputs == 3 else None
    value, gradient = LinearLoss(kind, weights, focal)(logits, targets)
    theirs = torch.from_numpy(logits).requires_grad_()
    goal = Goal(kind, ("a", "b", "c") if outputs == 3 else (), "accuracy")
    loss = Loss(goal, weights, focal=focal)(theirs, torch.from_numpy(targets))
    loss.backward()
    assert value == pytest.approx(float(loss.detach()), rel=1e-5)
    assert gradient == pytest.approx(theirs.grad.numpy(), abs=1e-6)
