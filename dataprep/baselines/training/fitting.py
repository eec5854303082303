"""Train one network on some materials, by one regime."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.scoring import metric_and_score, predictions
from dataprep.baselines.frozen.linear import Linear, linear_on
from dataprep.baselines.frozen.losses import weights_for
from dataprep.baselines.frozen.model import train_frozen
from dataprep.baselines.training.distributed import rank_and_world_size
from dataprep.baselines.training.history import FitResult, Log
from dataprep.baselines.training.network_predictions import deep_features, logits_of
from dataprep.errors import InputError, OptionError
from dataprep.schemas.baseline import CHECKPOINT
from dataprep.schemas.text.extras import how_to_install

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.feeding import Feeder
    from dataprep.baselines.training.loop import Report
    from dataprep.baselines.training.losses import Loss
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.regimes import Regime
    from dataprep.baselines.training.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network.

    Attributes:
        network: with the weights of its best epoch.
        fitted: history of the loop; None of a frozen regime.
        linear: the classifier on frozen features that it started from; None from scratch.
        linear_val: (rows of val, k) logits of that classifier.
    """

    network: Any
    fitted: FitResult | None
    linear: Linear | None
    linear_val: NDArray[np.float32] | None


def train_network(
    materials: Materials,
    regime: Regime,
    *,
    policy: Policy | None = None,
    device: str = "cpu",
    workers: int = 0,
    folder: str = "",
    resume: bool = False,
    key: str = "",
    report: Report | None = None,
    log: Log | None = None,
    choose: bool = True,
    linear: Linear | None = None,
    watch: Callable[[Mapping[str, float]], None] | None = None,
) -> TrainedNetwork:
    """Train by `regime` on the rows of train, choosing the epoch by those of val.

    A pretrained network first gets a classifier fitted on its frozen features, and then learns
    along with it (Kumar et al. 2022): a random classifier would spoil its features first.

    Args:
        materials: what to learn from.
        regime: how.
        policy: augmentation; None for none.
        device: where.
        workers: processes that augment beside the training.
        folder: where the checkpoint goes; "" for none.
        resume: go on from the checkpoint there.
        key: what the checkpoint must have been made with.
        report: called after every step.
        log: called after every epoch with the figures of all epochs so far.
        choose: keep the epoch that is best on val; else the last one.
        linear: the classifier on frozen features to start from, where it was fitted before.
        watch: called with the figures of val after every epoch; what it raises ends the training.
    """
    settings = regime.settings
    if materials.embedding is not None:
        model, linear = train_frozen(materials, settings, linear)
        return TrainedNetwork(model, None, linear, model.logits(model.embedding[materials.val]))
    import torch

    from dataprep.baselines.training.loop import fit

    torch.manual_seed(settings.seed)
    network = network_for(materials, regime, device)
    loss = loss_for(materials, settings).to(device)
    linear_val = None
    checkpoint = os.path.join(folder, CHECKPOINT) if folder else ""
    if regime.name != "scratch":
        if linear is None:
            linear = linear_on(
                materials,
                deep_features(network, materials.store, materials.train),
                materials.train,
                settings,
            )
        network.classifier.weight.data.copy_(torch.from_numpy(linear.weight))
        network.classifier.bias.data.copy_(torch.from_numpy(linear.bias))
        linear_val = logits_of(network, materials.store, materials.val)
    if regime.name == "frozen":
        return TrainedNetwork(network, None, linear, linear_val)
    network.freeze(settings.freeze, **settings.kept)
    feeder = feeder_for(materials, settings, policy, workers)
    _refuse_lone(network, feeder, regime.size, device)

    def score(trained: Network) -> Mapping[str, float]:
        found = scores(materials, trained)
        if watch is not None:
            watch(found)
        return found

    fitted = fit(
        network,
        feeder,
        len(feeder),
        loss,
        score if choose else None,
        settings,
        checkpoint=checkpoint,
        resume=resume,
        key=key,
        report=report,
        log=log,
    )
    return TrainedNetwork(network, fitted, linear, linear_val)


def network_for(materials: Materials, regime: Regime, device: str = "cpu") -> Network:
    """The network of a regime before training, on `device`."""
    from dataprep.baselines.training.networks import make_network

    return make_network(
        regime.arch,
        materials.goal.outputs,
        size=regime.size,
        dropout=regime.settings.dropout,
        pretrained=regime.name != "scratch",
    ).to(device)


def loss_for(materials: Materials, settings: TrainSettings) -> Loss:
    """The loss of a goal, with weights by the training part's classes."""
    from dataprep.baselines.training.losses import Loss

    goal = materials.goal
    weights = weights_for(materials, materials.train, settings.class_weights)
    smoothing = settings.smoothing if goal.kind in ("binary", "multi-class") else 0.0
    return Loss(goal, weights, focal=settings.focal, smoothing=smoothing)


def feeder_for(
    materials: Materials, settings: TrainSettings, policy: Policy | None, workers: int = 0
) -> Feeder:
    """Batches of the training part."""
    from dataprep.baselines.training.feeding import Feeder

    draw = _Balanced(materials, settings.seed) if settings.sampler == "balanced" else None
    augment = None if policy is None else _Augmented(policy, settings.seed, materials.names)
    return Feeder(
        materials.store,
        materials.train,
        materials.targets,
        settings.batch,
        shuffle=True,
        draw=draw,
        augment=augment,
        seed=settings.seed,
        workers=workers,
        shard=rank_and_world_size(),
    )


def _refuse_lone(network: Network, feeder: Feeder, size: int, device: str) -> None:
    """Batch norm knows no spread of a single value: one image at a time needs maps of more than
    one place.
    """
    if network.fixed_norms or min(feeder.batch, len(feeder.rows) // feeder.shard[1]) > 1:
        return
    import torch

    network.eval()
    with torch.inference_mode():
        maps = network.maps(torch.zeros(1, 3, size, size, device=device))
    if maps[0, 0].numel() == 1:
        raise OptionError(
            f"one image at a time leaves batch norm a single value a channel at {size} pixels: "
            "expected --batch 2 or more, "
            "or a larger --size"
        )


@dataclass(frozen=True, eq=False)
class _Augmented:
    """A policy as the feeder calls it; it travels to worker processes."""

    policy: Policy
    seed: int
    names: NDArray[np.object_]

    def __call__(self, image: NDArray[np.uint8], epoch: int, row: int) -> NDArray[np.uint8]:
        return self.policy.augment(image, sample=str(self.names[row]), epoch=epoch, seed=self.seed)


@dataclass(frozen=True, eq=False)
class _Balanced:
    """As many rows as the training part has, every class as often as another."""

    materials: Materials
    seed: int

    def __call__(self, epoch: int) -> NDArray[np.int64]:
        rows = self.materials.train
        labels = self.materials.labels[rows]
        chances = 1 / np.bincount(labels)[labels]
        rng = np.random.default_rng([self.seed, epoch, 1])
        return rng.choice(rows, len(rows), p=chances / chances.sum())


def scores(materials: Materials, network: Network) -> Mapping[str, float]:
    """Figures of the validation part: the metric, the loss, and "score", which is higher for
    better.
    """
    import torch

    from dataprep.baselines.training.losses import Loss

    goal, rows = materials.goal, materials.val
    logits = logits_of(network, materials.store, rows)
    value, score = metric_and_score(materials, rows, predictions(materials, logits))
    loss = float(Loss(goal)(torch.from_numpy(logits), torch.from_numpy(materials.targets[rows])))
    return {
        "score": score if np.isfinite(score) else -loss,
        f"val_{goal.metric}": value,
        "val_loss": loss,
    }


def key_of(materials: Materials, regime: Regime, policy: Policy | None) -> str:
    """What a checkpoint depends on: data, parts, regime, augmentation, goal and processes."""
    import xxhash

    parts = [
        materials.dataset.fingerprint,
        repr(sorted(asdict(regime).items())),
        policy.to_yaml() if policy else "",
    ]
    parts += [
        f"{name} {xxhash.xxh3_128_hexdigest(rows.tobytes())}"
        for name, rows in materials.parts.items()
    ]
    goal = materials.goal
    parts.append(f"{rank_and_world_size()[1]} processes, {goal.metric} {goal.positive} {goal.beta}")
    return str(xxhash.xxh3_128("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest())


def demand_torch() -> None:
    """Say what is missing where a network is to be trained without torch.

    Raises:
        InputError: torch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise InputError(f"training needs torch, which is not installed: {how_to_install('train')}")


def device_for(name: str) -> str:
    """The device that a name stands for; "auto" takes a GPU where there is one.

    Raises:
        OptionError: a device that this machine or torch does not have.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(
            f"option device: {name!r} cannot be used here: {str(error).splitlines()[0]}"
        ) from error
    return name
