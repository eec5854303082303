"""Learning-rate range test: rates that rise step by step, until the loss does (Smith 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from dataprep.baselines.training.fitting import feeder_for, loss_for
from dataprep.baselines.training.loop import autocast, make_optimiser
from dataprep.baselines.training.networks import make_network

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.feeding import Batch
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.regimes import Regime
    from dataprep.baselines.training.settings import TrainSettings

#: Steps of the test, and images in each.
STEPS, _BATCH = 36, 16
#: Below so many training images nothing is tested.
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
class Ranged:
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

    def shown(self) -> dict[str, Any]:
        """As the report takes it."""
        return asdict(self) | {"curve": [list(point) for point in self.curve]}


def range_rates(
    materials: Materials,
    regime: Regime,
    policy: Policy | None = None,
    *,
    device: str = "cpu",
    asked: bool = False,
    report: Callable[[int, int, str], None] | None = None,
) -> Ranged:
    """Train a network of its own over rising learning rates on train, and judge the regime's rate
    by it.

    The settings' rate stays unless the loss diverges near it, above `SAFE` of the rate at which it
    diverges: the test is short and its batches are small, so that it tells what is too much better
    than what is best.

    Args:
        materials: what is learned from; only train is looked at.
        regime: its network, optimiser, batch (16 images at most) and rate.
        policy: augmentation.
        device: where.
        asked: the user named the rate, which then stays whatever the test says.
        report: called with (done, total, note).
    """
    if regime.settings.lr == 0 or len(materials.train) < _FEWEST:
        return Ranged(
            (),
            regime.settings.lr,
            None,
            None,
            None,
            regime.settings.lr,
            "not tested: too few images, or a rate of 0",
        )
    settings = replace(
        regime.settings, batch=max(2, min(_BATCH, regime.settings.batch))
    )  # batch norm takes two
    with torch.random.fork_rng(devices=[torch.device(device)] if device.startswith("cuda") else []):
        torch.manual_seed(settings.seed)
        network = make_network(
            regime.arch,
            materials.goal.outputs,
            size=regime.size,
            dropout=settings.dropout,
            pretrained=regime.name != "scratch",
        ).to(device)
        network.freeze(settings.freeze)
        feeder = feeder_for(materials, settings, policy)
        rates = (settings.lr * np.geomspace(_BELOW, _ABOVE, STEPS)).tolist()
        losses = []
        for step, value in enumerate(
            sweep(
                network, _endless(feeder), loss_for(materials, settings).to(device), settings, rates
            )
        ):
            losses.append(value)
            if report is not None:
                report(step + 1, STEPS, f"learning rate {rates[step]:.2g}")
    return pick_learning_rate(rates[: len(losses)], losses, settings.lr, asked=asked)


def sweep(
    network: Network,
    batches: Iterator[Batch],
    loss: nn.Module,
    settings: TrainSettings,
    rates: Sequence[float],
) -> Iterator[float]:
    """One step of `network` at each rate; yields the loss before each, until it is no longer
    finite or has diverged.
    """
    optimiser = make_optimiser(network, settings)
    shares = [group["lr"] / settings.lr for group in optimiser.param_groups]
    device = next(network.parameters()).device
    network.train()
    smooth = _Smooth()
    for rate, (images, targets) in zip(rates, batches, strict=False):
        for group, share in zip(optimiser.param_groups, shares, strict=True):
            group["lr"] = rate * share
        with autocast(settings.precision, device.type):
            value = loss(network(images.to(device).float() / 255), targets.to(device))
        found = float(value.detach())
        yield found
        if smooth.diverges(found):
            return
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.greatest_norm)
        optimiser.step()


class _Smooth:
    """A running mean of losses without the pull of its start (as Adam's), that knows where it
    diverges.
    """

    def __init__(self) -> None:
        self.mean, self.count, self.first, self.best = 0.0, 0, math.nan, math.inf

    def __call__(self, loss: float) -> float:
        self.count += 1
        self.mean = _MOMENTUM * self.mean + (1 - _MOMENTUM) * loss
        value = self.mean / (1 - _MOMENTUM**self.count)
        self.first = value if self.count == 1 else self.first
        self.best = min(self.best, value)
        return value

    def diverges(self, loss: float) -> bool:
        value = self(loss)
        return not math.isfinite(value) or value > self.best + DIVERGED * self.first


def pick_learning_rate(
    rates: Sequence[float], losses: Sequence[float], default: float, *, asked: bool = False
) -> Ranged:
    """Read the curve: where the loss falls fastest, where it diverges, and which rate follows.

    Args:
        rates: (s,) rising.
        losses: (s,) the loss before the step at each.
        default: the settings' rate.
        asked: it stays.
    """
    smooth, judge = _Smooth(), _Smooth()
    means = [smooth(loss) for loss in losses]
    off = next((place for place, loss in enumerate(losses) if judge.diverges(loss)), None)
    diverged = (
        None if off is None else rates[max(0, off - 1)]
    )  # the loss is that before the step: the step before did it
    curve = tuple(zip(rates, means, strict=True))
    steepest = _steepest(rates, means[:off])
    known = [
        each
        for each in (steepest, None if diverged is None else diverged * SUGGESTED)
        if each is not None
    ]
    suggested = min(known, default=None)
    chosen, reason = _chosen(default, diverged, asked)
    return Ranged(curve, default, steepest, diverged, suggested, chosen, reason)


def _steepest(rates: Sequence[float], means: Sequence[float]) -> float | None:
    """Rate of the greatest fall of the loss over the logarithm of the rate, before its minimum."""
    end = int(np.argmin(means)) + 1 if len(means) else 0
    if end < 3:
        return None
    slopes = np.gradient(np.asarray(means[:end]), np.log(np.asarray(rates[:end])))
    place = int(np.argmin(slopes))
    return float(rates[place]) if slopes[place] < 0 else None


def _chosen(default: float, diverged: float | None, asked: bool) -> tuple[float, str]:
    if diverged is None:
        return default, f"the loss does not diverge at any rate that was tried: {default:g} stays"
    told = f"the loss diverges at {diverged:.2g}"
    if default <= diverged * SAFE:
        return (
            default,
            f"{told}, {diverged / default:.0f} times the rate of {default:g}, which stays",
        )
    lower = float(f"{diverged * SUGGESTED:.2g}")
    if asked:
        return (
            default,
            f"{told}, too near to {default:g}, which stays as it was asked for; {lower:g} would be "
            "safe",
        )
    return lower, f"{told}, too near to {default:g}: a tenth of it is taken, {lower:g}"


def _endless(feeder: Callable[[int], Iterator[Batch]]) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from feeder(epoch)
        epoch += 1
