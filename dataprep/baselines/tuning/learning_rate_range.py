"""Learning-rate range test: rates that rise step by step, until the loss does (Smith 2017)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.signal import lfilter
from torch import nn

from dataprep.baselines.training.fitting import feeder_for, loss_for, network_for
from dataprep.baselines.training.loop import autocast, make_optimiser
from dataprep.baselines.training.networks import random_state_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.feeding import Batch
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.regimes import Regime
    from dataprep.baselines.training.settings import TrainSettings

#: Steps of the test, and images in each.
STEPS, _BATCH = 36, 16
#: Fewer training images than this are not tested.
_FEWEST = 4
#: The rates that are tried, as multiples of the settings' own.
_BELOW, _ABOVE = 0.03, 300.0
#: Share of the old value in the running mean of the loss.
_MOMENTUM = 0.8
#: The loss diverges where its running mean is above the best so far by this share of the first
#: loss.
DIVERGED = 0.5
#: A rate is safe up to this share of the one at which the loss diverges; what is suggested is a
#: tenth of it.
SAFE, SUGGESTED = 1 / 3, 1 / 10


@dataclass(frozen=True)
class RangeTest:
    """What the test found.

    Attributes:
        curve: (rate, running mean of the loss) of every step.
        default: rate of the settings.
        steepest: rate at which the loss falls fastest; None where it never falls.
        diverged_at: rate at which the loss diverges; None where it did not.
        suggested: the steepest, or a tenth of where it diverges, whichever is less; None where
            neither is known.
        chosen: the rate to train with.
        reason: why, in a sentence.
    """

    curve: tuple[tuple[float, float], ...]
    default: float
    steepest: float | None
    diverged_at: float | None
    suggested: float | None
    chosen: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As the report takes it."""
        return asdict(self) | {"curve": [list(point) for point in self.curve]}


def run_range_test(
    materials: Materials,
    regime: Regime,
    policy: Policy | None = None,
    *,
    device: str = "cpu",
    asked: bool = False,
    report: Callable[[int, int, str], None] | None = None,
) -> RangeTest:
    """Train a network of its own over rising learning rates on train, and check the regime's rate
    against it.

    The settings' rate stays unless the loss diverges near it, above `SAFE` of the rate at which it
    diverges: the test is short and its batches are small, so that it shows what is too much better
    than what is best.

    Args:
        materials: what is learned from; only train is used.
        regime: its network, optimiser, batch (16 images at most) and rate.
        policy: augmentation.
        device: where.
        asked: the user named the rate, which then stays whatever the test says.
        report: called with (done, total, note).
    """
    default = regime.settings.lr
    if default == 0 or len(materials.train) < _FEWEST:
        reason = "not tested: too few images, or a rate of 0"
        return RangeTest((), default, None, None, None, default, reason)
    settings = replace(
        regime.settings, batch=max(2, min(_BATCH, regime.settings.batch))
    )  # batch norm takes two
    rates = (default * np.geomspace(_BELOW, _ABOVE, STEPS)).tolist()
    losses: list[float] = []
    with random_state_of(settings.seed, device):
        network = network_for(materials, regime, device)
        network.freeze(settings.freeze, **settings.kept)
        feeder = feeder_for(materials, settings, policy)
        batches = (batch for epoch in count() for batch in feeder(epoch))
        loss = loss_for(materials, settings).to(device)
        for value in sweep(network, batches, loss, settings, rates):
            losses.append(value)
            if report is not None:
                report(len(losses), STEPS, f"learning rate {rates[len(losses) - 1]:.2g}")
    return pick_learning_rate(rates[: len(losses)], losses, default, asked=asked)


def sweep(
    network: Network,
    batches: Iterator[Batch],
    loss: nn.Module,
    settings: TrainSettings,
    rates: Sequence[float],
) -> Iterator[float]:
    """One step of `network` at each rate; yields the loss before each, until it diverges."""
    optimiser = make_optimiser(network, settings)
    shares = [group["lr"] / settings.lr for group in optimiser.param_groups]
    device = next(network.parameters()).device
    network.train()
    losses: list[float] = []
    for rate, (images, targets) in zip(rates, batches, strict=False):
        for group, share in zip(optimiser.param_groups, shares, strict=True):
            group["lr"] = rate * share
        with autocast(settings.precision, device.type):
            value = loss(network(images.to(device).float() / 255), targets.to(device))
        losses.append(float(value.detach()))
        yield losses[-1]
        if divergence(losses) is not None:
            return
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.greatest_norm)
        optimiser.step()


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """(s,) running means of losses, corrected for their start as Adam's moments are."""
    steps = np.arange(1, len(losses) + 1)
    means = lfilter([1 - _MOMENTUM], [1, -_MOMENTUM], np.asarray(losses, np.float64))
    return np.asarray(means / (1 - _MOMENTUM**steps))


def divergence(losses: Sequence[float]) -> int | None:
    """The first step at which the loss diverges or is not finite; None where it does not."""
    means = smoothed(losses)
    limits = np.fmin.accumulate(means) + DIVERGED * means[:1]
    diverged = np.flatnonzero(~np.isfinite(means) | (means > limits))
    return int(diverged[0]) if len(diverged) else None


def pick_learning_rate(
    rates: Sequence[float], losses: Sequence[float], default: float, *, asked: bool = False
) -> RangeTest:
    """Read the curve: where the loss falls fastest, where it diverges, and which rate follows.

    Args:
        rates: (s,) rising.
        losses: (s,) the loss before the step at each.
        default: the settings' rate.
        asked: it stays.
    """
    means, end = smoothed(losses), divergence(losses)
    # the loss is that before the step: the step before made it diverge
    diverged = None if end is None else rates[max(0, end - 1)]
    steepest = _steepest(rates, means[:end])
    tenth = None if diverged is None else diverged * SUGGESTED
    suggested = min((rate for rate in (steepest, tenth) if rate is not None), default=None)
    chosen, reason = _chosen(default, diverged, asked)
    curve = tuple(zip(rates, means.tolist(), strict=True))
    return RangeTest(curve, default, steepest, diverged, suggested, chosen, reason)


def _steepest(rates: Sequence[float], means: NDArray[np.float64]) -> float | None:
    """Rate of the greatest fall of the loss over the logarithm of the rate, before its minimum."""
    end = int(np.argmin(means)) + 1 if len(means) else 0
    if end < 3:
        return None
    slopes = np.gradient(means[:end], np.log(np.asarray(rates[:end])))
    place = int(np.argmin(slopes))
    return float(rates[place]) if slopes[place] < 0 else None


def _chosen(default: float, diverged: float | None, asked: bool) -> tuple[float, str]:
    if diverged is None:
        return default, f"the loss does not diverge at any rate that was tried: {default:g} stays"
    found = f"the loss diverges at {diverged:.2g}"
    if default <= diverged * SAFE:
        times = f"{diverged / default:.0f} times the rate of {default:g}, which stays"
        return default, f"{found}, {times}"
    lower = float(f"{diverged * SUGGESTED:.2g}")
    if asked:
        stays = f"too near to {default:g}, which stays as it was asked for; {lower:g} would be safe"
        return default, f"{found}, {stays}"
    return lower, f"{found}, too near to {default:g}: a tenth of it is taken, {lower:g}"
