"""Checks of a network before it learns: its first loss, dead units, gradients, and whether it can
fit one batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import entropy
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from dataprep.baselines.sanity.results import CheckResult
from dataprep.baselines.training.fitting import loss_for
from dataprep.baselines.training.loop import make_optimiser
from dataprep.baselines.training.losses import Loss
from dataprep.baselines.training.network_predictions import deep_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.settings import TrainSettings

#: A first loss may be off by this share of what is expected (of ln 2 at least): the classifier's
#: small random weights move its logits by a tenth or two, and the loss by a few hundredths.
START_OFF = 0.2
#: Share of channels that no image activates, at most, of random weights and of pretrained ones
#: (which know much that a data set does not show: a third of Lite0's channels stay 0 on plain
#: drawings); and in a single layer.
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
_DIVERGED = 100.0
#: Rates at which small batches are fitted by AdamW, whatever the settings.
_SAFE_RATES = (1e-3, 1e-2)
_BATCH = 16
_RECTIFIERS = {"relu", "relu_", "relu6", "hardtanh", "hardtanh_"}


def batch_of(
    network: Network, materials: Materials, rows: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Images (B, 3, H, W) from 0 to 1 and targets of some rows, where the network is."""
    device = next(network.parameters()).device
    images = torch.from_numpy(np.stack([materials.store.images[row] for row in rows]))
    targets = torch.from_numpy(materials.targets[rows])
    return images.permute(0, 3, 1, 2).to(device).float() / 255, targets.to(device)


def check_first_loss(
    network: Network, materials: Materials, settings: TrainSettings, rows: NDArray[np.int64]
) -> Iterator[CheckResult]:
    """The loss of a network that knows nothing is that of a uniform guess, and that of the class
    frequencies once its biases say those.
    """
    images, targets = batch_of(network, materials, rows)
    network.train()
    with torch.no_grad():
        logits = network(images).float()

    def compared(check: str, loss: nn.Module, guess: Tensor, named: str) -> CheckResult:
        found, wanted = (
            float(loss(values + guess, targets)) for values in (logits, torch.zeros_like(logits))
        )
        reach = START_OFF * max(wanted, math.log(2))
        return CheckResult(
            check,
            found,
            f"{wanted:.3f} ± {reach:.3f}",
            abs(found - wanted) <= reach,
            f"the loss before training is {found:.3f}, where {named} gives {wanted:.3f}",
            "The network's outputs are off before it learns: look at the scale of its weights and "
            "of the pixels it gets, and at NaN",
        )

    loss = loss_for(materials, settings).to(logits.device)
    yield compared("loss-at-start", loss, torch.zeros_like(logits[0]), _uniform_guess(materials))
    if materials.goal.kind != "regression":  # whose mean is 0 already
        prior, in_nats = class_prior(materials)
        named = f"the mix of the training labels (entropy {in_nats:.3f}) on these images"
        yield compared("loss-at-prior", Loss(materials.goal), prior.to(logits.device), named)


def _uniform_guess(materials: Materials) -> str:
    kind, outputs = materials.goal.kind, materials.goal.outputs
    if kind == "regression":
        return "the mean of the training values"
    if kind == "multi-label":
        return "a guess of one half for every label (ln 2 = 0.693 each)"
    return (
        f"a uniform guess among {outputs} classes (ln {outputs} = {math.log(outputs):.3f}, "
        "times the settings' weights)"
    )


def class_prior(materials: Materials) -> tuple[Tensor, float]:
    """(k,) biases that predict the class frequencies of train, and the entropy of those in nats;
    of several labels their mean entropy.
    """
    counts, total = materials.counts(materials.train), len(materials.train)
    if materials.goal.kind == "multi-label":
        biases = np.log((counts + 0.5) / (total + 0.5 - counts))
        return torch.from_numpy(biases).float(), float(entropy([counts, total - counts]).mean())
    biases = np.log((counts + 0.5) / (counts + 0.5).sum())
    return torch.from_numpy(biases).float(), float(entropy(counts))


def check_dead_units(
    network: Network, materials: Materials, rows: NDArray[np.int64], most: float = MOST_DEAD
) -> Iterator[CheckResult]:
    """Channels behind a ReLU that are 0 at every place of every image cannot learn: no gradient
    goes through.
    """
    images, _ = batch_of(network, materials, rows)
    network.train()
    recorder = _ActiveChannels()
    ends = [*range(_BATCH, len(images) - 1, _BATCH), len(images)]  # batch norm needs two images
    with torch.no_grad(), recorder:
        for start, end in zip([0, *ends], ends, strict=False):
            network(images[start:end])
            recorder.layer = 0
    if not recorder.active:
        return
    layers = np.array([1 - float(layer.float().mean()) for layer in recorder.active])
    channels = torch.cat(recorder.active)
    dead, worst = 1 - float(channels.float().mean()), int(layers.argmax())
    yield CheckResult(
        "dead-relu",
        dead,
        f"<= {most:g} (<= {MOST_DEAD_LAYER:g} in a layer)",
        dead <= most and layers[worst] <= MOST_DEAD_LAYER,
        f"{dead:.1%} of {len(channels):,} channels behind a ReLU are 0 for all of {len(images)} "
        f"images, at most {layers[worst]:.1%} in a layer (number {worst + 1} of {len(layers)})",
        "Look at the weights that the network starts from and at their biases; take other ones, or "
        "a smaller learning rate",
    )


class _ActiveChannels(TorchFunctionMode):
    """Records which channels behind each ReLU are ever above 0."""

    def __init__(self) -> None:
        super().__init__()
        self.active: list[Tensor] = []
        self.layer = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in _RECTIFIERS and out.ndim == 4:
            active = (out > 0).amax(dim=(0, 2, 3)).cpu()
            if self.layer == len(self.active):
                self.active.append(active)
            else:
                self.active[self.layer] |= active
            self.layer += 1
        return out


def check_gradients(
    network: Network, materials: Materials, settings: TrainSettings, rows: NDArray[np.int64]
) -> Iterator[CheckResult]:
    """The gradient of one step is finite, of a size that a step can follow, and does not vanish
    on its way to the first layer.
    """
    images, targets = batch_of(network, materials, rows)
    network.train()
    loss_for(materials, settings).to(images.device)(network(images), targets).backward()
    norms = {
        name: float(parameter.grad.norm())
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    whole = math.hypot(*norms.values())
    yield CheckResult(
        "gradient-norm",
        whole,
        f"> 0, <= {MOST_GRADIENT:g}, finite",
        math.isfinite(whole) and 0 < whole <= MOST_GRADIENT,
        f"the gradient of the first step has the norm {whole:.3g}",
        "Take a smaller --lr, --precision fp32, and look at the pixels and labels that go in",
    )
    kernels = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    body = [norm for name, norm in norms.items() if name in kernels and "classifier" not in name]
    if not body:
        return
    ratio = norms["classifier.weight"] / body[0] if body[0] else math.inf
    yield CheckResult(
        "gradient-ratio",
        ratio,
        f"{LEAST_RATIO:g} to {MOST_RATIO:g}",
        LEAST_RATIO <= ratio <= MOST_RATIO,
        f"the classifier's gradient is {ratio:.3g} times that of the first layer that learns "
        f"({len(body)} layers below it)",
        "Gradients explode or vanish on their way: take a network with batch norm and short cuts, "
        "or freeze fewer stages",
    )


def check_overfitting(
    fresh: Callable[[], Network],
    materials: Materials,
    settings: TrainSettings,
    rows: NDArray[np.int64],
) -> Iterator[CheckResult]:
    """A few different images can be learned by heart with the settings' steps; a network that
    cannot do that learns nothing from many.

    Without augmentation, dropout, weight decay, smoothing and class weights. Where it fails, the
    same is tried with AdamW at common rates, which tells a bad learning rate from labels that
    contradict the images.
    """

    def overfit(chosen: TrainSettings) -> tuple[float, int]:
        network = fresh()
        network.train()
        optimiser = make_optimiser(network, chosen)
        return fit_batch(
            network,
            optimiser,
            batch_of(network, materials, rows),
            Loss(materials.goal),
            clip=chosen.greatest_norm,
        )

    plain = replace(settings, weight_decay=0.0)
    left, steps = overfit(plain)
    advice = ""
    if not left <= FITTED:
        safe = [replace(plain, optimiser="adamw", lr=rate, body_lr=1.0) for rate in _SAFE_RATES]
        good = next((chosen.lr for chosen in safe if overfit(chosen)[0] <= FITTED), None)
        advice = (
            "No learning rate mends it: the same picture may have several labels. Look at the "
            "labels (dataprep audit), or take a larger network"
            if good is None
            else f"The learning rate is to blame: with {good:g} (AdamW) they fit. Take another "
            f"--lr than {settings.lr:g}"
        )
    yield _overfitted(
        left,
        f"{len(rows)} images are learned by heart to {left:.2g} of their first loss in {steps} "
        "steps",
        advice,
    )


def check_linear_overfitting(
    network: Network, materials: Materials, rows: NDArray[np.int64]
) -> Iterator[CheckResult]:
    """The same for a classifier on frozen features: they must tell a few different images apart."""
    features = torch.from_numpy(deep_features(network, materials.store, rows))
    values = functional.layer_norm(features - features.mean(dim=0), features.shape[1:])
    classifier = nn.Linear(values.shape[1], materials.goal.outputs, bias=False)
    nn.init.zeros_(classifier.weight)
    left, _ = fit_batch(
        classifier,
        torch.optim.Adam(classifier.parameters(), lr=0.01),
        (values, torch.from_numpy(materials.targets[rows])),
        Loss(materials.goal),
        steps=5 * FIT_STEPS,
    )
    yield _overfitted(
        left,
        f"{len(rows)} images are learned by heart from their features to {left:.2g} of their "
        "first loss",
        "Their features do not tell them apart: look at the images, take a larger --size, or "
        "--regime fine-tune",
    )


def _overfitted(left: float, sentence: str, advice: str) -> CheckResult:
    expected = f"<= {FITTED:g} of the first loss"
    return CheckResult("overfit-batch", left, expected, left <= FITTED, sentence, advice)


def fit_batch(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: tuple[Tensor, Tensor],
    loss: nn.Module,
    *,
    clip: float = math.inf,
    steps: int = FIT_STEPS,
) -> tuple[float, int]:
    """Least share of the first loss within `steps` steps on one batch, and the steps it took;
    infinite if it diverges.
    """
    inputs, targets = batch
    first, least = 0.0, math.inf
    for step in range(steps + 1):
        value = loss(network(inputs), targets)
        found = float(value.detach())
        first = found if step == 0 else first
        least = min(least, found) if math.isfinite(found) else least
        if least <= FITTED * first:
            break
        if not found <= _DIVERGED * first:
            return math.inf, step
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimiser.step()
    return (least / first if first > 0 else 0.0), step
