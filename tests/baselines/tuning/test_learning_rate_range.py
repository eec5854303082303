"""The learning-rate range test: a curve that rises tells which rate is too much; the settings'
rate stays while it is safe.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines.training import networks  # noqa: E402
from dataprep.baselines.training.networks import Network  # noqa: E402
from dataprep.baselines.training.regimes import choose_regime  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from dataprep.baselines.tuning.learning_rate_range import pick_learning_rate, run_range_test, sweep  # noqa: E402
from tests.baselines.small import small_network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

RATES = np.geomspace(1e-4, 1, 41).tolist()


def valley(diverges: float) -> list[float]:
    """Losses that fall from 2 to 0.5 around a hundredth of `diverges`, and rise beyond it."""
    return [2 - 1.5 / (1 + diverges / 100 / rate) if rate < diverges else 9.0 for rate in RATES]


def test_a_rate_far_below_the_divergence_stays() -> None:
    found = pick_learning_rate(RATES, valley(0.5), 0.01)
    assert found.diverged_at == pytest.approx(0.45, rel=0.3)
    assert found.chosen == found.default == 0.01
    assert "stays" in found.reason
    assert found.suggested is not None
    assert 1e-3 < found.suggested < 0.05


def test_a_rate_near_the_divergence_is_lowered_to_a_tenth_of_it() -> None:
    found = pick_learning_rate(RATES, valley(0.02), 0.01)
    assert found.diverged_at is not None
    assert found.chosen == pytest.approx(found.diverged_at / 10, rel=0.05)
    assert "too near to 0.01" in found.reason


def test_a_rate_that_was_asked_for_stays_and_is_warned_of() -> None:
    found = pick_learning_rate(RATES, valley(0.02), 0.01, asked=True)
    assert found.chosen == 0.01
    assert "as it was asked for" in found.reason


def test_a_curve_that_never_rises_leaves_the_rate() -> None:
    found = pick_learning_rate(RATES, valley(5.0), 0.01)
    assert (found.diverged_at, found.chosen) == (None, 0.01)
    assert pick_learning_rate([], [], 0.0).chosen == 0.0


def test_losses_that_are_not_numbers_diverge() -> None:
    losses = [2.0] * 20 + [float("nan")]
    assert pick_learning_rate(RATES[:21], losses, RATES[19]).diverged_at == pytest.approx(RATES[19])


class _Pool(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3), keepdim=True)


def test_plain_descent_diverges_where_theory_says() -> None:
    """Gradient descent on a quadratic of curvature h diverges at 2 / h; Nesterov's momentum of
    0.9 moves that by a little.
    """
    network = Network(_Pool(), 3, 1, [], mean=(0.0,) * 3, std=(1.0,) * 3, dropout=0.0)
    torch.nn.init.zeros_(network.classifier.weight)
    torch.nn.init.zeros_(network.classifier.bias)
    images = torch.full((4, 3, 4, 4), 255, dtype=torch.uint8)
    targets = torch.ones(4, 1)
    settings = TrainSettings(lr=1.0, optimiser="sgd", weight_decay=0.0, clip=1e9)
    loss = torch.nn.MSELoss()  # of 3 weights and a bias, all of whose inputs are 1: curvature 2 * 4
    rates = np.geomspace(1e-3, 100, 60).tolist()
    found = list(sweep(network, iter([(images, targets)] * 60), loss, settings, rates))
    assert len(found) < 60
    told = pick_learning_rate(rates[: len(found)], found, 1.0)
    assert told.diverged_at is not None
    assert 2 / 8 / 4 < told.diverged_at < 2 / 8 * 4
    assert told.chosen < 2 / 8


def test_the_test_leaves_random_numbers_and_gives_the_same_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(networks, "make_network", lambda arch, outputs, **_: small_network(outputs))
    materials = toy_materials(size=16)
    regime = choose_regime(48, 16, regime="scratch", size=16, settings={"batch": 8})
    torch.manual_seed(3)
    first = torch.rand(2)
    torch.manual_seed(3)
    found = run_range_test(materials, regime)
    assert torch.equal(torch.rand(2), first)
    assert found == run_range_test(materials, regime)
    assert 3 < len(found.curve) <= 60
    assert found.default == regime.settings.lr
    absurd = dataclasses.replace(regime, settings=dataclasses.replace(regime.settings, lr=1e4))
    lowered = run_range_test(materials, absurd)
    assert lowered.chosen < 1e4
    assert lowered.to_dict()["curve"][0] == list(lowered.curve[0])
