"""Searching: the settings to train with, from a learning-rate range test and from trials where
they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dataprep.baselines.training.distributed import run_on_rank_zero
from dataprep.baselines.tuning.search_space import with_settings
from dataprep.baselines.tuning.tuning import tune

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime
    from dataprep.baselines.training.settings import BaselineOptions


def search_settings(
    materials: Materials,
    regime: Regime,
    policy: Policy | None,
    options: BaselineOptions,
    *,
    asked: Collection[str] = (),
    device: str = "cpu",
    workers: int = 0,
    folder: str = "",
    report: Callable[[int, int, str], None] | None = None,
) -> tuple[Regime, Policy | None, dict[str, Any]]:
    """The regime and the policy to train with, and ``learning_rate`` and ``tuning`` for the report.

    The learning-rate range test belongs to the checks before training (``options.sanity``); a
    frozen regime takes no steps to test. Trials (``options.tune``) start from what it chose.

    Args:
        asked: settings that the user gave, which stay.
        device, workers, folder, report: as `dataprep.baselines.tuning.tuning.tune` takes them.
    """
    figures: dict[str, Any] = {}
    if options.sanity and regime.name != "frozen":
        from dataprep.baselines.tuning.learning_rate_range import run_range_test

        tested = run_on_rank_zero(
            lambda: run_range_test(
                materials, regime, policy, device=device, asked="lr" in asked, report=report
            )
        )
        regime, figures["learning_rate"] = (
            with_settings(regime, {"lr": tested.chosen}),
            tested.to_dict(),
        )
    if options.tune:
        fixed = {*asked, *(() if options.policy == "auto" else ("policy",))}
        tuned = tune(
            materials,
            regime,
            options.tune,
            strategy=options.tune_strategy,
            policy=policy,
            device=device,
            workers=workers,
            folder=folder,
            seed=regime.settings.seed,
            asked=fixed,
            report=report,
        )
        regime, policy, figures["tuning"] = tuned.regime, tuned.policy, tuned.figures
        if tuned.figures["taken"]:
            regime = replace(
                regime, reason=f"{regime.reason}; settings of the best of {options.tune} trials"
            )
    return regime, policy, figures
