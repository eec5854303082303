"""Settings of training: every option of the loop, with its range."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from dataprep.errors import OptionError
from dataprep.schemas.options import did_you_mean, option, validate


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained. Defaults are those of fine-tuning;
    `dataprep.baselines.training.regimes` chooses by the data.
    """

    epochs: int = option(20, "passes over the training samples at most", low=1)
    batch: int = option(32, "images per step", low=1)
    lr: float = option(2e-3, "learning rate of the classifier", low=0)
    body_lr: float = option(
        0.25, "learning rate of the body as a share of the classifier's", low=0, high=1
    )
    optimiser: str = option("adamw", "how steps are taken", choices=("adamw", "sgd"))
    weight_decay: float = option(0.02, "decay of weights per step, times the learning rate", low=0)
    schedule: str = option(
        "cosine", "how the learning rate goes on", choices=("cosine", "constant")
    )
    warmup_epochs: float = option(1.0, "epochs in which the learning rate rises", low=0)
    dropout: float = option(
        0.2, "share of the penultimate layer dropped in training", low=0, high=0.95
    )
    smoothing: float = option(0.1, "label smoothing", low=0, high=0.9)
    focal: float = option(0.0, "exponent of the focal loss; 0 is cross-entropy", low=0, high=10)
    class_weights: str = option(
        "inverse", "weights of classes in the loss", choices=("inverse", "effective", "none")
    )
    sampler: str = option("plain", "how training samples are drawn", choices=("plain", "balanced"))
    clip: float = option(5.0, "greatest norm of the gradient; 0: none is cut", low=0)
    accumulate: int = option(1, "batches per step of the optimiser", low=1)
    precision: str = option(
        "fp32", "number format of the forward pass", choices=("fp32", "bf16", "fp16")
    )
    patience: int = option(
        6, "epochs without improvement until it stops; 0 never stops early", low=0
    )
    freeze: int = option(0, "first stages of a pretrained body that stay as they are", low=0)
    norms: str = option(
        "batch",
        "statistics that batch norm trains with: those of each batch, or fixed as pretrained",
        choices=("batch", "fixed"),
    )
    depthwise: str = option(
        "learned",
        "depthwise kernels of lite0: learned, or fixed as pretrained",
        choices=("learned", "fixed"),
    )
    seed: int = option(0, "of everything that is random", low=0)

    def __post_init__(self) -> None:
        validate(self, "train")

    @property
    def greatest_norm(self) -> float:
        """Norm above which gradients are cut."""
        return self.clip or math.inf

    @property
    def kept(self) -> dict[str, bool]:
        """What of a body stays as it is besides its first stages."""
        return {"norms": self.norms == "fixed", "depthwise": self.depthwise == "fixed"}


@dataclass(frozen=True)
class BaselineOptions:
    """What is to be trained, and how it is evaluated."""

    metric: str = option(
        "auto",
        "figure that is optimised: auto, or a name of "
        "dataprep.baselines.evaluation.metrics.METRICS",
    )
    require: tuple[str, ...] = option(
        (), "figures that must be reached: latency_ms<=5, recall[sick]>=0.95"
    )
    target: float | None = option(None, "target value of the metric")
    positive: str = option("", "of two classes, the positive one")
    beta: float = option(1.0, "weight of recall against precision in F-beta", low=0)
    regime: str = option("auto", "auto, frozen, fine-tune or scratch")
    arch: str = option("auto", "auto, lite0, resnet18 or timm:NAME")
    size: int = option(0, "pixels a side; 0 leaves the choice", low=0, high=1024)
    policy: str = option("auto", "augmentation policy: auto, a name, or a YAML file")
    tune: int = option(0, "trials of hyperparameters, scored on validation", low=0)
    tune_strategy: str = option(
        "tpe", "how trials are drawn", choices=("random", "tpe", "stepwise")
    )
    sanity: bool = option(True, "checks before training, and a test of the learning rate")
    device: str = option("auto", "auto, cpu, cuda or cuda:N")
    workers: int = option(
        -1,
        "processes that augment beside the training; -1: none on a processor, up to 8 beside a GPU",
        low=-1,
    )
    evaluate_test: bool = option(
        True, "evaluate once on test (the command records the use beside the split)"
    )
    threads: int = option(0, "processor threads of torch; 0 takes every usable core", low=0)
    final: bool = option(False, "train on train and val at the end, for the epochs that val chose")
    budget: float = option(0.0, "seconds that training may take at most; 0: no limit", low=0)
    compare: str = option(
        "", "cleaned: train before and after cleaning, by paired seeds", choices=("", "cleaned")
    )
    seeds: int = option(5, "trainings of each side of a comparison", low=2)
    out_of_fold: int = option(
        0,
        "train per fold of train and val, so that every sample is predicted unseen; 0: not",
        low=0,
    )

    def __post_init__(self) -> None:
        validate(self, "baseline")
        if self.out_of_fold == 1:
            raise OptionError("option baseline.out_of_fold: expected 0 or at least 2 folds, got 1")


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Settings out of ``train.KEY=VALUE``, each of the type of its default.

    Raises:
        OptionError: another form, an unknown key, or a value of another type.
    """
    kinds: dict[str, Any] = {field.name: type(field.default) for field in fields(TrainSettings)}
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        key = name.strip().removeprefix("train.").replace("-", "_")
        if not equals or not name.strip().startswith("train."):
            raise OptionError(f"--set: expected train.KEY=VALUE, got {text!r}")
        if key not in kinds:
            raise OptionError(f"--set: unknown setting train.{key}. {did_you_mean(key, kinds)}")
        try:
            found[key] = kinds[key](value.strip())
        except ValueError as error:
            raise OptionError(
                f"--set train.{key}: expected {kinds[key].__name__}, got {value!r}"
            ) from error
    return found
