"""Sanity of a network before it learns: its first loss, its activations and gradients, and
whether it can fit one batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from dataprep.baselines.inference.network_predictions import features_of
from dataprep.baselines.sanity.data import Line
from dataprep.baselines.training.fitting import loss_for
from dataprep.baselines.training.loop import make_optimiser
from dataprep.baselines.training.losses import Loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.settings import TrainSettings

#: A first loss may be off by this share of what is expected (of ln 2 at least): the classifier's
#: small random weights move its logits by a tenth or two, and the loss by a few hundredths.
START_OFF = 0.2
#: Share of channels that no image wakes, at most, of random weights and of pretrained ones (which
#: know much that a data set does not show: a third of Lite0's channels sleep on plain drawings);
#: and in a single layer.
MOST_DEAD, MOST_DEAD_PRETRAINED, MOST_DEAD_LAYER = 0.4, 0.8, 0.95
#: Ratio of the classifier's gradient to that of the first layer that learns; sound networks at
#: their start lie well inside.
LEAST_RATIO, MOST_RATIO = 1e-4, 1e4
#: Norm of the whole gradient, at most; where the loss is near its expected start, sound networks
#: have 0.1 to 50.
MOST_GRADIENT = 1e4
#: Steps for one batch, and the share of its first loss that has to be reached.
FIT_STEPS, FITTED = 40, 0.1
#: Times the first loss by which it may rise on the way; beyond, a fit at the end is luck.
BLOWN = 100.0
#: Rates at which small batches are fitted by AdamW, whatever the settings.
_SAFE_RATES = (1e-3, 1e-2)
_DEFAULT_SPREAD = math.log(2)
_TAKEN = 16
_RECTIFIERS = {"relu", "relu_", "relu6", "hardtanh", "hardtanh_"}


def batch_of(
    network: Network, materials: Materials, rows: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Images (B, 3, H, W) from 0 to 1 and targets of some rows, where the network is."""
    device = next(network.parameters()).device
    images = torch.from_numpy(np.stack([materials.store.images[row] for row in rows])).permute(
        0, 3, 1, 2
    )
    return images.to(device).float() / 255, torch.from_numpy(materials.targets[rows]).to(device)


def look_at_start(
    network: Network, materials: Materials, settings: TrainSettings, rows: NDArray[np.int64]
) -> Iterator[Line]:
    """The loss of a network that knows nothing: that of a uniform guess, and of the mix of
    classes once its biases say that.
    """
    images, targets = batch_of(network, materials, rows)
    network.train()
    with torch.no_grad():
        logits = network(images).float()
    idle = torch.zeros_like(logits)
    loss = loss_for(materials, settings).to(logits.device)
    yield _start("loss-at-start", loss(logits, targets), loss(idle, targets), _uniform(materials))
    prior = prior_logits(materials)
    if prior is None:
        return
    plain, biases = Loss(materials.goal), prior.to(logits.device)
    entropy = _entropy(materials)
    yield _start(
        "loss-at-prior",
        plain(logits + biases, targets),
        plain(idle + biases, targets),
        f"the mix of the training labels (entropy {entropy:.3f}) on these images",
    )


def _start(check: str, value: Tensor, expected: Tensor, what: str) -> Line:
    found, wanted = float(value), float(expected)
    reach = START_OFF * max(wanted, _DEFAULT_SPREAD)
    return Line(
        check,
        found,
        f"{wanted:.3f} ± {reach:.3f}",
        abs(found - wanted) <= reach,
        f"the loss before training is {found:.3f}, where {what} gives {wanted:.3f}",
        "The network's outputs are off before it learns: look at the scale of its weights and of "
        "the pixels it gets, and at NaN",
    )


def _uniform(materials: Materials) -> str:
    kind, outputs = materials.goal.kind, materials.goal.outputs
    if kind == "regression":
        return "the mean of the training values"
    if kind == "multi-label":
        return "a guess of one half for every label (ln 2 = 0.693 each)"
    return (
        f"a uniform guess among {outputs} classes (ln {outputs} = {math.log(outputs):.3f}, "
        "times the settings' weights)"
    )


def prior_logits(materials: Materials) -> Tensor | None:
    """(k,) biases whose guess is the mix of the training labels; None for a regression, whose
    mean is 0 already.
    """
    if materials.goal.kind == "regression":
        return None
    counts = materials.counts(materials.train) + 0.5
    if materials.goal.kind == "multi-label":
        return torch.from_numpy(np.log(counts / (len(materials.train) + 1 - counts))).float()
    return torch.from_numpy(np.log(counts / counts.sum())).float()


def _entropy(materials: Materials) -> float:
    """Of the mix of training labels in nats; of several labels their mean."""
    shares = materials.counts(materials.train) / len(materials.train)
    if materials.goal.kind == "multi-label":
        both = np.stack([shares, 1 - shares])
        return float(-(both * np.log(np.maximum(both, 1e-12))).sum(axis=0).mean())
    return float(-(shares * np.log(np.maximum(shares, 1e-12))).sum())


def look_at_activations(
    network: Network, materials: Materials, rows: NDArray[np.int64], most: float = MOST_DEAD
) -> Iterator[Line]:
    """Channels behind a ReLU that are 0 at every place of every image cannot learn: no gradient
    goes through.
    """
    images, _ = batch_of(network, materials, rows)
    network.train()
    watch = _Rectified()
    with torch.no_grad(), watch:
        for start in range(
            0, max(1, len(images) - 1), _TAKEN
        ):  # no last image by itself: batch norm knows no spread of one
            network(images[start : start + _TAKEN + (start + _TAKEN == len(images) - 1)])
            watch.place = 0
    if not watch.awake:
        return
    layers = np.array([1 - float(each.float().mean()) for each in watch.awake])
    awake = torch.cat(watch.awake)
    dead, worst = 1 - float(awake.float().mean()), int(layers.argmax())
    yield Line(
        "dead-relu",
        dead,
        f"<= {most:g} (<= {MOST_DEAD_LAYER:g} in a layer)",
        dead <= most and layers[worst] <= MOST_DEAD_LAYER,
        f"{dead:.1%} of {len(awake):,} channels behind a ReLU are 0 for all of {len(images)} "
        f"images, at most {layers[worst]:.1%} "
        f"in a layer (number {worst + 1} of {len(layers)})",
        "Look at the weights that the network starts from and at their biases; take other ones, or "
        "a smaller learning rate",
    )


class _Rectified(TorchFunctionMode):
    """Notes which channels behind each ReLU are ever above 0."""

    def __init__(self) -> None:
        super().__init__()
        self.awake: list[Tensor] = []
        self.place = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in _RECTIFIERS and out.ndim == 4:
            awake = (out > 0).amax(dim=(0, 2, 3)).cpu()
            if self.place == len(self.awake):
                self.awake.append(awake)
            else:
                self.awake[self.place] |= awake
            self.place += 1
        return out


def look_at_gradients(
    network: Network, materials: Materials, settings: TrainSettings, rows: NDArray[np.int64]
) -> Iterator[Line]:
    """The gradient of one step: finite, of a size that a step can follow, and not lost on its
    way to the first layer.
    """
    images, targets = batch_of(network, materials, rows)
    network.train()
    loss_for(materials, settings).to(images.device)(network(images), targets).backward()
    whole = math.sqrt(
        sum(
            float(each.grad.square().sum())
            for each in network.parameters()
            if each.grad is not None
        )
    )
    advice = "Take a smaller --lr, --precision fp32, and look at the pixels and labels that go in"
    yield Line(
        "gradient-norm",
        whole,
        f"> 0, <= {MOST_GRADIENT:g}, finite",
        math.isfinite(whole) and 0 < whole <= MOST_GRADIENT,
        f"the gradient of the first step has the norm {whole:.3g}",
        advice,
    )
    norms = [
        float(weight.grad.norm())
        for name, weight in network.named_parameters()
        if weight.requires_grad
        and weight.grad is not None
        and weight.ndim > 1
        and "classifier" not in name
    ]
    last = network.classifier.weight.grad
    if not norms or last is None:
        return
    ratio = float(last.norm()) / norms[0] if norms[0] else math.inf
    yield Line(
        "gradient-ratio",
        ratio,
        f"{LEAST_RATIO:g} to {MOST_RATIO:g}",
        LEAST_RATIO <= ratio <= MOST_RATIO,
        f"the classifier's gradient is {ratio:.3g} times that of the first layer that learns "
        f"({len(norms)} layers below it)",
        "Gradients explode or vanish on their way: take a network with batch norm and short cuts, "
        "or freeze fewer stages",
    )


def overfit_batch(
    fresh: Callable[[], Network],
    materials: Materials,
    settings: TrainSettings,
    rows: NDArray[np.int64],
) -> Iterator[Line]:
    """A few different images, learned by heart with the settings' steps: whoever cannot do that
    learns nothing from many.

    Without augmentation, dropout, weight decay, smoothing and weights of classes. Where it fails,
    the same is tried with AdamW at common rates, which tells a bad learning rate from labels that
    contradict the images.
    """
    plain = replace(settings, weight_decay=0.0)
    left, steps = fit_batch(fresh(), materials, plain, rows)
    cure = ""
    if not left <= FITTED:
        safe = (replace(plain, optimiser="adamw", lr=rate, body_lr=1.0) for rate in _SAFE_RATES)
        good = next(
            (each.lr for each in safe if fit_batch(fresh(), materials, each, rows)[0] <= FITTED),
            None,
        )
        cure = (
            "No learning rate mends it: the same picture may have several labels. Look at the "
            "labels (dataprep audit), "
            "or take a larger network"
            if good is None
            else (
                f"The learning rate is to blame: with {good:g} (AdamW) they fit. Take another "
                f"--lr than {settings.lr:g}"
            )
        )
    yield Line(
        "overfit-batch",
        left,
        f"<= {FITTED:g} of the first loss",
        left <= FITTED,
        f"{len(rows)} images are learned by heart to {left:.2g} of their first loss in {steps} "
        "steps",
        cure,
    )


def fit_batch(
    network: Network, materials: Materials, settings: TrainSettings, rows: NDArray[np.int64]
) -> tuple[float, int]:
    """Least share of the first loss that is left within `FIT_STEPS` steps, and the steps it
    took; infinite if it blows up.
    """
    images, targets = batch_of(network, materials, rows)
    loss, optimiser = Loss(materials.goal), make_optimiser(network, settings)
    network.train()
    first, least = 0.0, math.inf
    for step in range(FIT_STEPS + 1):
        value = loss(network(images), targets)
        found = float(value.detach())
        first = found if step == 0 else first
        least = min(least, found) if math.isfinite(found) else least
        if least <= FITTED * first:
            break
        if not found <= BLOWN * first:
            return math.inf, step
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.greatest_norm)
        optimiser.step()
    return (least / first if first > 0 else 0.0), step


def overfit_linear(
    network: Network, materials: Materials, rows: NDArray[np.int64]
) -> Iterator[Line]:
    """The same for a classifier on frozen features: they must tell a few different images apart."""
    features = torch.from_numpy(features_of(network, materials.store, rows))
    values = functional.layer_norm(features - features.mean(dim=0), features.shape[1:])
    targets, loss = torch.from_numpy(materials.targets[rows]), Loss(materials.goal)
    weights = torch.zeros(materials.goal.outputs, values.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.01)
    first, left = 0.0, math.inf
    for _ in range(5 * FIT_STEPS):
        value = loss(values @ weights.T, targets)
        left = float(value.detach())
        first = first or left
        if left <= FITTED * first:
            break
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    share = left / first if first > 0 else 0.0
    yield Line(
        "overfit-batch",
        share,
        f"<= {FITTED:g} of the first loss",
        share <= FITTED,
        f"{len(rows)} images are learned by heart from their features to {share:.2g} of their "
        "first loss",
        "Their features do not tell them apart: look at the images, take a larger --size, or "
        "--regime fine-tune",
    )
