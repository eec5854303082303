"""Tuning: trials of other settings by Optuna, judged on validation alone, and taken only where
they are better than noise.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataprep.baselines.training.distributed import is_rank_zero, run_on_rank_zero
from dataprep.baselines.tuning.search_space import GROUPS, Hyperparameter, regime_of, space_for
from dataprep.baselines.tuning.selection import select_trial
from dataprep.baselines.tuning.trials import TrialEvaluator, TrialLog
from dataprep.errors import OptionError, WorkError
from dataprep.schemas.text.extras import how_to_install

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime

#: Strategy to what it does.
STRATEGIES = {
    "random": "every trial is drawn anew (Bergstra & Bengio 2012)",
    "tpe": "trials are drawn where good ones were (tree-structured Parzen estimator, Bergstra et "
    "al. 2011)",
    "stepwise": "one group of settings after the other, each from the best so far: "
    f"{', '.join(GROUPS)}",
}
#: Of as many trials that came as far, one goes on (ASHA, Li et al. 2020); the first decision falls
#: after an epoch.
_HALVING = 3
#: Cells of predictions that are kept to judge the winner.
_MOST_CELLS = 100_000_000
_FIXED = ("trial", "group", "state", "score", "epochs", "seconds")


@dataclass(frozen=True, eq=False)
class Tuned:
    """What tuning found.

    Attributes:
        regime: with the settings to train with: the winner's, or the default's.
        policy: augmentation to train with.
        table: one mapping per trial: ``trial``, ``group``, ``state`` (complete, pruned, failed),
            ``score`` (the metric), ``epochs``, ``seconds``, and every setting that was moved.
        figures: for the report.
    """

    regime: Regime
    policy: Policy | None
    table: list[dict[str, Any]]
    figures: dict[str, Any]


def tune(
    materials: Materials,
    regime: Regime,
    trials: int,
    *,
    strategy: str = "tpe",
    policy: Policy | None = None,
    device: str = "cpu",
    workers: int = 0,
    folder: str = "",
    seed: int = 0,
    asked: Collection[str] = (),
    report: Callable[[int, int, str], None] | None = None,
) -> Tuned:
    """Try `trials` settings; the first are the default's, so that what is found is held against
    them.

    Judged by val, or by grouped folds of train and val where val is small; never by test. Trials
    that fall behind are pruned after an epoch or more (ASHA). The same seed tries the same
    settings.

    Args:
        materials: what is learned from.
        regime: its settings are the default; those of a frozen regime that shape its classifier are
            tuned on features that are computed once, its penalty by cross-validation within each
            trial as ever.
        trials: trainings.
        strategy: one of `STRATEGIES`.
        policy: augmentation; tuning may leave it out.
        device, workers: where.
        folder: where ``trials.csv`` goes, line by line; "" for none.
        seed: of the trials.
        asked: settings that the user gave, which stay.
        report: called with (done, total, note).

    Raises:
        OptionError: an unknown strategy, nothing to tune, or Optuna is not installed.
        WorkError: the default settings themselves cannot be trained.
    """
    optuna = _optuna()
    if strategy not in STRATEGIES:
        raise OptionError(
            f"option tune_strategy: expected one of {', '.join(STRATEGIES)}, got {strategy!r}"
        )
    space = space_for(materials, regime, policy, asked)
    if not space:
        raise OptionError(
            f"nothing to tune: the regime {regime.name} has no setting to move for a "
            f"{materials.goal.kind} goal"
        )
    evaluator = TrialEvaluator(materials, regime, policy, device, workers, seed)
    log = TrialLog(
        folder if is_rank_zero() else "",
        [*_FIXED, *(parameter.name for parameter in space), "curve"],
    )
    study = _study(optuna, strategy, trials, seed)
    study.enqueue_trial({parameter.name: parameter.default for parameter in space})
    table: list[dict[str, Any]] = []
    kept: dict[int, NDArray[Any]] = {}
    for number, group in enumerate(_plan(space, trials, strategy)):
        if report is not None:
            report(number, trials, _told(table))
        row, probs = _run(optuna, study, evaluator, space, group, _best(table))
        log.add(row)
        table.append({**row, "trial": number})
        if probs is not None:
            kept[number] = probs
            _forget(kept, table)
    return run_on_rank_zero(lambda: _chosen(evaluator, space, table, kept, strategy, seed))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise OptionError(
            f"--tune needs Optuna, which does not load ({error}): {how_to_install('train')}"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _study(optuna: Any, strategy: str, trials: int, seed: int) -> Any:
    """A study in memory, with nothing that looks at a clock."""
    samplers = optuna.samplers
    if strategy == "random":
        sampler = samplers.RandomSampler(seed=seed)
    else:
        sampler = samplers.TPESampler(seed=seed, n_startup_trials=max(3, min(10, trials // 3)))
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=_HALVING)
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def _plan(space: tuple[Hyperparameter, ...], trials: int, strategy: str) -> Iterator[str]:
    """Group of settings that each trial moves; "all" for the default and for strategies that
    know no groups.
    """
    groups = [group for group in GROUPS if any(parameter.group == group for parameter in space)]
    for number in range(trials):
        yield (
            "all"
            if strategy != "stepwise" or number == 0
            else groups[(number - 1) * len(groups) // max(1, trials - 1)]
        )


def _run(
    optuna: Any,
    study: Any,
    evaluator: TrialEvaluator,
    space: tuple[Hyperparameter, ...],
    group: str,
    best: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """One trial: its line of the log, and its predictions where it was complete."""
    trial = study.ask()
    moved = [parameter for parameter in space if group in ("all", parameter.group)]
    values = {
        parameter.name: parameter.default if best is None else best[parameter.name]
        for parameter in space
    }
    values |= run_on_rank_zero(
        lambda: {parameter.name: parameter.ask(trial) for parameter in moved}
    )
    curve: list[float] = []

    def watch(step: int, score: float) -> None:
        curve.append(score)
        trial.report(score, step)
        if (
            trial.number > 0 and trial.should_prune()
        ):  # the default is trained to its end: all others are held against it
            raise optuna.TrialPruned

    started = time.perf_counter()
    row: dict[str, Any] = {
        "trial": trial.number,
        "group": group,
        "score": None,
        "epochs": 0,
        **values,
    }
    probs = None
    try:
        probs, row["epochs"] = evaluator.judge(values, watch)
        row["score"], aim = evaluator.score(probs)
        row["state"] = "complete" if math.isfinite(aim) else "failed"
        study.tell(
            trial,
            aim if math.isfinite(aim) else None,
            state=None if math.isfinite(aim) else optuna.trial.TrialState.FAIL,
        )
    except optuna.TrialPruned:
        row |= {"state": "pruned", "epochs": len(curve)}
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except (
        WorkError
    ) as error:  # a loss that is no longer finite: a finding about these settings, not the end
        if trial.number == 0:
            raise
        row |= {"state": "failed", "epochs": len(curve), "error": str(error)}
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    row |= {
        "seconds": round(time.perf_counter() - started, 3),
        "curve": " ".join(f"{score:.6g}" for score in curve),
    }
    row["aim"] = None if row["state"] != "complete" else aim
    return row, probs if row["state"] == "complete" else None


def _best(table: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The best complete trial so far, the first of equal ones."""
    return max(
        (row for row in table if row["state"] == "complete"),
        key=lambda row: row["aim"],
        default=None,
    )


def _told(table: list[dict[str, Any]]) -> str:
    best = _best(table)
    return (
        "the default settings"
        if best is None
        else f"trial {len(table) + 1}, best {best['score']:.3f}"
    )


def _forget(kept: dict[int, NDArray[Any]], table: list[dict[str, Any]]) -> None:
    """Let go of the predictions of the worst trials, where all would not fit into memory; never
    of the default's.
    """
    while len(kept) > 2 and sum(each.size for each in kept.values()) > _MOST_CELLS:
        del kept[
            min((number for number in kept if number), key=lambda number: table[number]["aim"])
        ]


def _chosen(
    evaluator: TrialEvaluator,
    space: tuple[Hyperparameter, ...],
    table: list[dict[str, Any]],
    kept: dict[int, NDArray[Any]],
    strategy: str,
    seed: int,
) -> Tuned:
    goal, rows = evaluator.materials.goal, evaluator.rows
    best = _best(table)
    if best is None or 0 not in kept:
        raise WorkError(
            "the default settings cannot be judged: their figure on validation is not defined"
        )
    places = sorted(kept)
    verdict = select_trial(
        goal,
        evaluator.materials.labels[rows],
        [kept[number] for number in places],
        places.index(best["trial"]),
        evaluator.materials.units[rows],
        seed=seed,
    )
    winner = best if verdict["taken"] else table[0]
    values = {parameter.name: winner[parameter.name] for parameter in space}
    shown = [{name: value for name, value in row.items() if name != "aim"} for row in table]
    states = [row["state"] for row in table]
    figures = {
        "known": True,
        "strategy": strategy,
        "metric": goal.metric,
        "judged_on": evaluator.told,
        "rows": len(rows),
        "units": len(set(evaluator.materials.units[rows].tolist())),
        "space": [parameter.shown() for parameter in space],
        "trials": shown,
        **{state: states.count(state) for state in ("complete", "pruned", "failed")},
        "default": table[0]["score"],
        "best": {"trial": best["trial"], "score": best["score"]},
        **verdict,
        "settings": values,
        "sentence": _sentence(evaluator, table, best, verdict),
    }
    policy = None if values.get("policy") == "none" else evaluator.policy
    return Tuned(regime_of(evaluator.regime, values), policy, shown, figures)


def _sentence(
    evaluator: TrialEvaluator,
    table: list[dict[str, Any]],
    best: Mapping[str, Any],
    verdict: Mapping[str, Any],
) -> str:
    told = (
        f"the best of {len(table)} trials has {evaluator.materials.goal.metric} "
        f"{best['score']:.3f} "
        f"on {evaluator.told}"
    )
    if verdict["corrected"] is not None:
        told += (
            ", which is optimistic, as the same samples chose it: about "
            f"{verdict['corrected']:.3f} on others"
        )
    return f"{told}; {verdict['reason']}"
