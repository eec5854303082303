"""Regimes: how much of a network the data can train, and the settings that suit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dataprep.baselines.training.settings import TrainSettings
from dataprep.errors import OptionError
from dataprep.schemas.options import from_mapping

if TYPE_CHECKING:
    from dataprep.schemas.goal import Goal

#: Network of a frozen regime whose features are those of the audit's default embedder.
EMBEDDER_ARCH = "lite0-int8"
#: Regime to what it means.
REGIMES = {
    "frozen": "a linear classifier on the features of a pretrained network that stays as it is",
    "fine-tune": "a pretrained network whose upper stages learn along, after the classifier",
    "scratch": "a network trained from random weights",
}
#: Below this many training images a linear classifier on frozen features is taken: there is too
#: little to move a network by.
FEW = 1000
#: Images that are shown in a training run, about: epochs times training images.
_SHOWN = 12_000
_LEAST_EPOCHS, _MOST_EPOCHS = 5, 12
#: What stays of lite0 in fine-tuning. The classifier that it starts from was fitted on features
#: under the pretrained statistics; those of each batch would change them. The depthwise kernels are
#: 6 % of the weights, and their gradients take ten times as long as their forward pass.
_LITE0_KEEPS: dict[str, Any] = {"freeze": 3, "norms": "fixed", "depthwise": "fixed"}
#: Images up to this side are small: ResNet-18 keeps their resolution, pretrained networks see them
#: enlarged.
_SMALL = 64
#: Settings that a linear classifier on frozen features heeds.
_FROZEN = {"class_weights", "focal", "seed"}
#: Network of each regime where nothing else is asked for. The frozen one is that of the audit's
#: embeddings.
_ARCHITECTURES = {"frozen": EMBEDDER_ARCH, "fine-tune": "lite0", "scratch": "resnet18"}
_SIZES = {"frozen": 160, "fine-tune": 160, "scratch": 128}


@dataclass(frozen=True)
class Regime:
    """What is trained and how.

    Attributes:
        name: one of `REGIMES`.
        arch: network (`dataprep.baselines.training.networks`).
        size: pixels a side.
        settings: of the loop.
        reason: why, in a sentence.
    """

    name: str
    arch: str
    size: int
    settings: TrainSettings
    reason: str


def choose_regime(
    count: int,
    side: float,
    *,
    regime: str = "auto",
    arch: str = "auto",
    size: int = 0,
    settings: Mapping[str, Any] | None = None,
    embedded_at: int = 160,
) -> Regime:
    """The regime for `count` training images of `side` pixels (median of the shorter sides).

    Args:
        count: training images.
        side: pixels, NaN where unknown.
        regime, arch, size: what the user wants instead; "auto" and 0 leave the choice.
        settings: settings of the loop that the user gave.
        embedded_at: pixels a side at which the audit's embedder sees images.

    Raises:
        OptionError: an unknown regime, or one that does not fit the network.
    """
    if regime not in (*REGIMES, "auto"):
        raise OptionError(f"option regime: expected auto, {', '.join(REGIMES)}, got {regime!r}")
    if size and not 16 <= size <= 1024:
        raise OptionError(f"option size: expected 16 to 1024 pixels, got {size}")
    name, reason = _named(count, regime, arch)
    if name != "scratch" and arch == "resnet18":
        raise OptionError(
            f"regime {name} needs pretrained weights, and resnet18 has none: take --arch lite0 or "
            "--regime scratch"
        )
    if arch == EMBEDDER_ARCH and name != "frozen":
        raise OptionError(
            f"the weights of {arch} are 8-bit numbers that cannot learn: take --arch lite0 or "
            "--regime frozen"
        )
    chosen = _ARCHITECTURES[name] if arch == "auto" else arch
    if chosen == EMBEDDER_ARCH:
        size = size or embedded_at
    size = size or (
        32 if name == "scratch" and side <= _SMALL else _SIZES[name] if not side <= _SMALL else 128
    )
    return Regime(name, chosen, size, _settings(name, chosen, count, settings or {}), reason)


def _named(count: int, regime: str, arch: str) -> tuple[str, str]:
    if regime != "auto":
        return regime, "asked for"
    if arch == "resnet18":
        return "scratch", "resnet18 has no pretrained weights"
    if arch == EMBEDDER_ARCH:
        return "frozen", f"{arch} is the network of the audit's embeddings, which stays as it is"
    if count < FEW:
        return (
            "frozen",
            f"{count:,} training images are too few to move a network by (fewer than {FEW:,})",
        )
    return (
        "fine-tune",
        f"{count:,} training images are enough to fine-tune a pretrained network ({FEW:,} or more)",
    )


def _settings(name: str, arch: str, count: int, given: Mapping[str, Any]) -> TrainSettings:
    epochs = min(_MOST_EPOCHS, max(_LEAST_EPOCHS, round(_SHOWN / max(count, 1))))
    base = {
        "frozen": TrainSettings(epochs=1, smoothing=0.0, patience=0),
        "fine-tune": TrainSettings(epochs=epochs, **(_LITE0_KEEPS if arch == "lite0" else {})),
        "scratch": TrainSettings(
            epochs=max(30, epochs),
            lr=0.05,
            body_lr=1.0,
            optimiser="sgd",
            weight_decay=5e-4,
            batch=64,
            patience=10,
        ),
    }[name]
    renamed = {key.replace("-", "_"): value for key, value in given.items()}
    if (
        renamed.get("sampler") == "balanced"
    ):  # which evens the classes out already: weights on top would turn them round
        if renamed.get("class_weights", "none") != "none":
            raise OptionError(
                "sampler balanced and class weights both make rare classes count: give one of them"
            )
        renamed["class_weights"] = "none"
    return from_mapping(TrainSettings, {**asdict(base), **renamed}, "train")


def refuse_idle(goal: Goal, regime: Regime, given: Mapping[str, Any]) -> None:
    """Say which of the settings that were asked for can do nothing here.

    Raises:
        OptionError: a setting that this regime or goal has no use for.
    """
    asked = {key.replace("-", "_") for key in given}
    classes = goal.kind in ("binary", "multi-class")
    idle = set() if classes else asked & {"sampler", "class_weights", "smoothing"}
    why = f"a {goal.kind} goal"
    if regime.name == "frozen":
        idle, why = (
            asked - _FROZEN,
            "the regime frozen, which fits a linear classifier at once (another one: --regime "
            "fine-tune)",
        )
    if idle:
        raise OptionError(f"{', '.join(sorted(idle))}: without use for {why}; leave it out")
