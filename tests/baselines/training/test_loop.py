"""The training loop: each of its parts by itself, so that none can be wrong unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines.training.feeding import Batch  # noqa: E402
from dataprep.baselines.training.history import FitResult  # noqa: E402
from dataprep.baselines.training.loop import fit, learning_rate_schedule, make_optimiser  # noqa: E402
from dataprep.baselines.training.networks import Network  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from tests.baselines.small import small_network  # noqa: E402

SETTINGS = TrainSettings(epochs=10, lr=0.1, body_lr=1.0, optimiser="sgd", dropout=0.0, patience=0)
IMAGES = torch.from_numpy(
    np.random.default_rng(0).integers(0, 256, (8, 3, 8, 8)).astype(np.uint8)
)  # (8, 3, 8, 8)
TARGETS = torch.arange(8) % 3


def batches_of(size: int) -> Any:
    """The eight images in batches of `size`, in the same order every epoch."""

    def batches(epoch: int) -> Iterator[Batch]:
        yield from zip(IMAGES.split(size), TARGETS.split(size), strict=True)

    return batches


def trained(
    settings: TrainSettings, scores: list[float] | None = None, batch: int = 8
) -> tuple[Network, FitResult, list[dict[str, Any]]]:
    """A network without batch norm after `fit`, and its weights at the end of each epoch.

    Args:
        settings: of the loop.
        scores: figure of each epoch; None for one that rises.
        batch: images per batch.
    """
    network = small_network()
    network.body.norm = torch.nn.Identity()
    seen: list[dict[str, Any]] = []

    def score(current: Network) -> dict[str, float]:
        seen.append({name: value.clone() for name, value in current.state_dict().items()})
        return {"score": float(len(seen)) if scores is None else scores[len(seen) - 1]}

    loss = torch.nn.CrossEntropyLoss()
    fitted = fit(network, batches_of(batch), len(IMAGES) // batch, loss, score, settings)
    return network, fitted, seen


def same(one: dict[str, Any], other: dict[str, Any], tolerance: float = 0.0) -> bool:
    return all(torch.allclose(one[name], other[name], rtol=0, atol=tolerance) for name in one)


def test_the_rate_rises_over_the_warmup_and_falls_along_half_a_cosine() -> None:
    factor = learning_rate_schedule(replace(SETTINGS, epochs=11, warmup_epochs=1.0), steps=10)
    assert [factor(step) for step in range(10)] == pytest.approx(np.arange(1, 11) / 10)
    assert factor(10) == pytest.approx(1.0)
    assert factor(35) == pytest.approx(0.5 * (1 + np.cos(np.pi / 4)))
    assert factor(60) == pytest.approx(0.5)
    assert factor(110) == pytest.approx(0.0, abs=1e-12)
    assert all(factor(step) > factor(step + 1) for step in range(10, 110))


def test_a_constant_rate_stays_after_the_warmup() -> None:
    factor = learning_rate_schedule(
        replace(SETTINGS, schedule="constant", warmup_epochs=2.0), steps=5
    )
    assert factor(0) == pytest.approx(0.1)
    assert [factor(step) for step in (9, 10, 30, 49)] == [1.0] * 4


def test_the_loop_steps_with_the_schedule() -> None:
    _, fitted, _ = trained(replace(SETTINGS, epochs=4, warmup_epochs=1.0), batch=4)
    # the rate of the step that comes next, after 2, 4, 6 and 8 steps of 8
    expected = [0.1, 0.1 * 0.75, 0.1 * 0.25, 0.0]
    assert [row["lr"] for row in fitted.history] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
def test_weight_decay_shrinks_kernels_but_not_biases_and_norms(optimiser: str) -> None:
    network = small_network()
    for parameter in network.parameters():
        parameter.data.fill_(1.0)
        parameter.grad = torch.zeros_like(parameter)
    settings = replace(SETTINGS, optimiser=optimiser, weight_decay=0.5)
    make_optimiser(network, settings).step()
    after = {name: float(value.detach().mean()) for name, value in network.named_parameters()}
    decayed = {name for name, value in after.items() if value < 0.99}
    assert decayed == {"body.first.weight", "body.second.weight", "classifier.weight"}
    assert {value for name, value in after.items() if name not in decayed} == {1.0}


def test_the_body_learns_at_its_share_of_the_rate_and_frozen_weights_are_left_out() -> None:
    network = small_network()
    network.freeze(1)
    optimiser = make_optimiser(network, replace(SETTINGS, lr=0.1, body_lr=0.25))
    names = {parameter: name for name, parameter in network.named_parameters()}
    rates = {
        names[parameter]: group["lr"]
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    assert rates["classifier.weight"] == rates["classifier.bias"] == 0.1
    assert rates["body.second.weight"] == pytest.approx(0.025)
    assert "body.first.weight" not in rates


def test_the_weights_of_the_best_epoch_are_restored() -> None:
    network, fitted, seen = trained(replace(SETTINGS, epochs=4), [0.1, 0.9, 0.3, 0.9])
    assert fitted.best_epoch == 1, "the first of equal epochs"
    assert fitted.best_score == 0.9
    assert same(network.state_dict(), seen[1])
    assert not same(network.state_dict(), seen[3])


def test_training_stops_after_as_many_epochs_without_improvement_as_patience_says() -> None:
    falling = [0.5, *[0.1] * 9]
    for patience, epochs in ((1, 2), (3, 4), (0, 10)):
        _, fitted, _ = trained(replace(SETTINGS, patience=patience), falling)
        assert len(fitted.history) == epochs, f"patience {patience}"


def test_an_improvement_in_the_last_epoch_of_patience_goes_on() -> None:
    scores = [0.1, 0.0, 0.2, 0.0, 0.3, 0.0, 0.0, 0.9, 0.9, 0.9]
    _, fitted, _ = trained(replace(SETTINGS, patience=2), scores)
    assert fitted.best_epoch == 4
    assert len(fitted.history) == 7


@pytest.mark.parametrize("batch", [4, 2])
def test_accumulated_batches_make_the_step_of_one_large_batch(batch: int) -> None:
    plain = replace(SETTINGS, epochs=3, clip=0.0, weight_decay=0.0)
    whole, *_ = trained(plain)
    parts, *_ = trained(replace(plain, accumulate=8 // batch), batch=batch)
    assert same(whole.state_dict(), parts.state_dict(), 1e-6)
    unlike, *_ = trained(plain, batch=batch)
    assert not same(whole.state_dict(), unlike.state_dict(), 1e-3)


def test_the_gradient_is_cut_to_its_greatest_norm() -> None:
    start = small_network().state_dict()
    plain = replace(SETTINGS, epochs=1, warmup_epochs=0.0, weight_decay=0.0, lr=1.0)
    for clip in (0.01, 0.02):
        network, *_ = trained(replace(plain, clip=clip))
        moved = sum(
            float((value.detach() - start[name]).square().sum())
            for name, value in network.named_parameters()
        )
        # the first step of Nesterov's momentum of 0.9 goes 1.9 times as far
        assert np.sqrt(moved) == pytest.approx(1.9 * clip, rel=1e-3)


def test_a_figure_of_the_epoch_is_the_mean_over_its_images() -> None:
    _, fitted, _ = trained(replace(SETTINGS, epochs=1, lr=0.0), batch=2)
    network = small_network()
    network.body.norm = torch.nn.Identity()
    expected = torch.nn.functional.cross_entropy(network(IMAGES.float() / 255), TARGETS)
    assert fitted.history[0]["train_loss"] == pytest.approx(float(expected.detach()), rel=1e-5)
