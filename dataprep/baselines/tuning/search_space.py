"""Search space: which settings tuning moves, in which range and order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime

#: Groups of settings in the order in which stepwise tuning goes through them. The widths of the
#: networks are fixed by their pretrained weights, so that "units" is what can honestly be said of
#: them: how many take part in a training step (dropout).
GROUPS = ("learning rate", "layers", "units", "rest")
#: Stages of lite0 that may stay frozen.
_MOST_FROZEN = 6


@dataclass(frozen=True)
class Hyperparameter:
    """A setting that tuning moves.

    Attributes:
        name: a setting of `dataprep.baselines.training.settings.TrainSettings`, or "policy".
        group: one of `GROUPS`.
        default: value without tuning.
        low, high: range of a number.
        log: whether it is drawn evenly by its logarithm.
        choices: instead of a range.
    """

    name: str
    group: str
    default: Any
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, trial: Any) -> Any:
        """A value from an Optuna trial."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if isinstance(self.default, int):
            return trial.suggest_int(self.name, int(self.low), int(self.high))
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def to_dict(self) -> dict[str, Any]:
        """As the report takes it."""
        unused = ("low", "high", "log") if self.choices else ("choices",)
        return {name: value for name, value in asdict(self).items() if name not in unused}


def hyperparameters_for(
    materials: Materials, regime: Regime, policy: Policy | None = None, asked: Collection[str] = ()
) -> tuple[Hyperparameter, ...]:
    """What may be moved for `regime`; not what the user set (`asked`), nor what does nothing for
    the goal.
    """
    found = [*_of_the_loop(materials, regime, policy), *_of_the_loss(materials, regime)]
    return tuple(parameter for parameter in found if parameter.name not in asked)


def _of_the_loop(
    materials: Materials, regime: Regime, policy: Policy | None
) -> Iterator[Hyperparameter]:
    settings = regime.settings
    if regime.name == "frozen":
        return
    if settings.lr > 0:
        yield Hyperparameter(
            "lr", "learning rate", settings.lr, settings.lr / 10, settings.lr * 10, log=True
        )
    if regime.name == "fine-tune":
        rate = settings.body_lr
        yield Hyperparameter("body_lr", "learning rate", rate, min(0.02, rate), 1.0, log=rate > 0)
        if regime.arch == "lite0":
            most = max(_MOST_FROZEN, settings.freeze)
            yield Hyperparameter("freeze", "layers", settings.freeze, 0, most)
    yield Hyperparameter("dropout", "units", settings.dropout, 0.0, max(0.6, settings.dropout))
    decay = settings.weight_decay
    if decay > 0:
        yield Hyperparameter("weight_decay", "rest", decay, decay / 30, decay * 10, log=True)
    if _has_classes(materials):
        yield _choice("smoothing", settings.smoothing, (0.0, 0.05, 0.1, 0.2))
    sizes = [size for size in (16, 32, 64) if size * 4 <= len(materials.train)]
    yield _choice("batch", settings.batch, sizes)
    if policy is not None:
        choices = (policy.name, "none")
        yield Hyperparameter("policy", "rest", policy.name, choices=choices)


def _of_the_loss(materials: Materials, regime: Regime) -> Iterator[Hyperparameter]:
    if not _has_classes(materials):
        return
    weights = regime.settings.class_weights
    yield Hyperparameter("class_weights", "rest", weights, choices=("inverse", "effective", "none"))
    if regime.name == "frozen":  # few values, so that fits are kept
        yield _choice("focal", regime.settings.focal, (0.0, 1.0, 2.0))


def _has_classes(materials: Materials) -> bool:
    return materials.goal.kind in ("binary", "multi-class")


def _choice(name: str, default: Any, values: Collection[Any]) -> Hyperparameter:
    return Hyperparameter(name, "rest", default, choices=tuple(sorted({*values, default})))


def with_settings(regime: Regime, values: Mapping[str, Any]) -> Regime:
    """`regime` with the settings in `values`, among which may be a policy."""
    moved = {name: value for name, value in values.items() if name != "policy"}
    return replace(regime, settings=replace(regime.settings, **moved))
