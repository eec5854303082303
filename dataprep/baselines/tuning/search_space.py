"""Search space: which settings tuning moves, in which range and order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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

    def ask(self, trial: Any) -> Any:
        """A value from an Optuna trial."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        if isinstance(self.default, int):
            return trial.suggest_int(self.name, int(self.low), int(self.high))
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def shown(self) -> dict[str, Any]:
        """As the report takes it."""
        return {name: value for name, value in asdict(self).items() if name in _shown_of(self)}


def _shown_of(parameter: Hyperparameter) -> tuple[str, ...]:
    return (
        ("name", "group", "default", "choices")
        if parameter.choices
        else ("name", "group", "default", "low", "high", "log")
    )


def space_for(
    materials: Materials, regime: Regime, policy: Policy | None = None, asked: Collection[str] = ()
) -> tuple[Hyperparameter, ...]:
    """What may be moved for `regime`; not what the user set (`asked`), nor what does nothing for
    the goal.
    """
    return tuple(
        parameter for parameter in _knobs(materials, regime, policy) if parameter.name not in asked
    )


def _knobs(materials: Materials, regime: Regime, policy: Policy | None) -> Iterator[Hyperparameter]:
    settings = regime.settings
    classes = materials.goal.kind in ("binary", "multi-class")
    if regime.name != "frozen":
        if settings.lr > 0:
            yield Hyperparameter(
                "lr", "learning rate", settings.lr, settings.lr / 10, settings.lr * 10, log=True
            )
        if regime.name == "fine-tune":
            yield Hyperparameter(
                "body_lr",
                "learning rate",
                settings.body_lr,
                min(0.02, settings.body_lr),
                1.0,
                log=settings.body_lr > 0,
            )
            if regime.arch == "lite0":
                yield Hyperparameter(
                    "freeze", "layers", settings.freeze, 0, max(_MOST_FROZEN, settings.freeze)
                )
        yield Hyperparameter("dropout", "units", settings.dropout, 0.0, max(0.6, settings.dropout))
        if settings.weight_decay > 0:
            yield Hyperparameter(
                "weight_decay",
                "rest",
                settings.weight_decay,
                settings.weight_decay / 30,
                settings.weight_decay * 10,
                log=True,
            )
        if classes:
            yield Hyperparameter(
                "smoothing",
                "rest",
                settings.smoothing,
                choices=_with((0.0, 0.05, 0.1, 0.2), settings.smoothing),
            )
        fits = tuple(size for size in (16, 32, 64) if size * 4 <= len(materials.train))
        yield Hyperparameter("batch", "rest", settings.batch, choices=_with(fits, settings.batch))
        if policy is not None:
            yield Hyperparameter("policy", "rest", policy.name, choices=(policy.name, "none"))
    if classes:
        weightings = ("inverse", "effective", "none")
        yield Hyperparameter("class_weights", "rest", settings.class_weights, choices=weightings)
    if classes and regime.name == "frozen":
        yield Hyperparameter(
            "focal", "rest", settings.focal, choices=_with((0.0, 1.0, 2.0), settings.focal)
        )  # few, so that fits are kept


def _with(values: tuple[Any, ...], default: Any) -> tuple[Any, ...]:
    return tuple(sorted({*values, default}))


def regime_of(regime: Regime, values: dict[str, Any]) -> Regime:
    """`regime` with the settings in `values`."""
    return replace(
        regime,
        settings=replace(
            regime.settings, **{name: each for name, each in values.items() if name != "policy"}
        ),
    )
