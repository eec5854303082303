"""Tuning: trials of other settings by Optuna, scored on validation alone, and taken only where
they are better than noise.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataprep.baselines.training.distributed import is_rank_zero, run_on_rank_zero
from dataprep.baselines.training.history import write_table
from dataprep.baselines.tuning.search_space import (
    GROUPS,
    Hyperparameter,
    hyperparameters_for,
    with_settings,
)
from dataprep.baselines.tuning.selection import select_trial
from dataprep.baselines.tuning.trials import TrialEvaluator
from dataprep.errors import OptionError, WorkError
from dataprep.schemas.baseline import TRIALS
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
#: ASHA's reduction factor (Li et al. 2020): one trial in three survives each rung; the first rung
#: is one epoch.
_REDUCTION = 3
#: Cells of predictions that are kept for the comparison at the end.
_MOST_CELLS = 100_000_000
#: Columns of trials.csv beside the settings.
_COLUMNS = ("trial", "group", "state", "score", "epochs", "seconds")


@dataclass(frozen=True, eq=False)
class TuningResult:
    """What tuning found.

    Attributes:
        regime: with the settings to train with: the best trial's, or the default's.
        policy: augmentation to train with.
        table: one mapping per trial: ``trial``, ``group``, ``state`` (complete, pruned, failed),
            ``score`` (the metric), ``epochs``, ``seconds``, and every setting that was moved.
        figures: for the report.
    """

    regime: Regime
    policy: Policy | None
    table: list[dict[str, Any]]
    figures: dict[str, Any]


@dataclass
class _Trial:
    """One trial: its row of the table, its score turned so that higher is better (None where it
    was not completed), and its predictions.
    """

    row: dict[str, Any]
    score: float | None = None
    probs: NDArray[Any] | None = None
    curve: list[float] = field(default_factory=list)


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
) -> TuningResult:
    """Try `trials` settings; the first are the default's, and all others are compared with them.

    Scored on val, or by grouped folds of train and val where val is small; never on test. Trials
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
        folder: where ``trials.csv`` goes, trial by trial; "" for none.
        seed: of the trials.
        asked: settings that the user gave, which stay.
        report: called with (done, total, note).

    Raises:
        OptionError: an unknown strategy, nothing to tune, or Optuna is not installed.
        WorkError: the default settings themselves cannot be trained.
        OutputError: ``trials.csv`` cannot be written.
    """
    optuna = _optuna()
    if strategy not in STRATEGIES:
        raise OptionError(
            f"option tune_strategy: expected one of {', '.join(STRATEGIES)}, got {strategy!r}"
        )
    space = hyperparameters_for(materials, regime, policy, asked)
    if not space:
        raise OptionError(
            f"nothing to tune: the regime {regime.name} has no setting to move for a "
            f"{materials.goal.kind} goal"
        )
    evaluator = TrialEvaluator(materials, regime, policy, device, workers, seed)
    study = _study(optuna, strategy, trials, seed)
    study.enqueue_trial({parameter.name: parameter.default for parameter in space})
    path = os.path.join(folder, TRIALS) if folder and is_rank_zero() else ""
    columns = [*_COLUMNS, *(parameter.name for parameter in space), "curve"]
    done: list[_Trial] = []
    for number, group in enumerate(_groups(space, trials, strategy)):
        _write(path, columns, done)
        if report is not None:
            report(number, trials, _progress(done))
        done.append(_run(optuna, study, evaluator, space, group, _best(done)))
        _forget(done)
    _write(path, columns, done)
    return run_on_rank_zero(lambda: _result(evaluator, space, done, strategy, seed))


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
    """A study in memory, which does not depend on time."""
    samplers = optuna.samplers
    if strategy == "random":
        sampler = samplers.RandomSampler(seed=seed)
    else:
        sampler = samplers.TPESampler(seed=seed, n_startup_trials=max(3, min(10, trials // 3)))
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=_REDUCTION)
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def _groups(space: tuple[Hyperparameter, ...], trials: int, strategy: str) -> Iterator[str]:
    """Group of settings that each trial moves; "all" for the default and for strategies that
    know no groups.
    """
    groups = [group for group in GROUPS if any(parameter.group == group for parameter in space)]
    for number in range(trials):
        if strategy != "stepwise" or number == 0:
            yield "all"
        else:
            yield groups[(number - 1) * len(groups) // max(1, trials - 1)]


def _run(
    optuna: Any,
    study: Any,
    evaluator: TrialEvaluator,
    space: tuple[Hyperparameter, ...],
    group: str,
    best: _Trial | None,
) -> _Trial:
    trial = study.ask()
    moved = [parameter for parameter in space if group in ("all", parameter.group)]
    values = {
        parameter.name: parameter.default if best is None else best.row[parameter.name]
        for parameter in space
    }
    values |= run_on_rank_zero(
        lambda: {parameter.name: parameter.suggest(trial) for parameter in moved}
    )
    done = _Trial({"trial": trial.number, "group": group, "score": None, "epochs": 0, **values})

    def watch(step: int, score: float) -> None:
        done.curve.append(score)
        trial.report(score, step)
        # the default is trained to its end: all others are compared with it
        if trial.number > 0 and trial.should_prune():
            raise optuna.TrialPruned

    started = time.perf_counter()
    states = optuna.trial.TrialState
    try:
        probs, done.row["epochs"] = evaluator.evaluate(values, watch)
        done.row["score"], score = evaluator.score(probs)
        state = states.COMPLETE if math.isfinite(score) else states.FAIL
        if state == states.COMPLETE:
            done.score, done.probs = score, probs
    except optuna.TrialPruned:
        state, done.row["epochs"] = states.PRUNED, len(done.curve)
    except WorkError as error:  # the loss is no longer finite: that is a result of these settings
        if trial.number == 0:
            raise
        state, done.row["epochs"] = states.FAIL, len(done.curve)
        done.row["error"] = str(error)
    study.tell(trial, done.score, state=state)
    done.row |= {
        "state": "failed" if state == states.FAIL else state.name.lower(),
        "seconds": round(time.perf_counter() - started, 3),
        "curve": " ".join(f"{score:.6g}" for score in done.curve),
    }
    return done


def _write(path: str, columns: list[str], done: list[_Trial]) -> None:
    if path:
        write_table([trial.row for trial in done], columns, path)


def _best(done: list[_Trial]) -> _Trial | None:
    """The best complete trial so far, the first of equal ones."""
    complete = [trial for trial in done if trial.score is not None]
    return max(complete, key=lambda trial: trial.score or 0.0, default=None)


def _progress(done: list[_Trial]) -> str:
    best = _best(done)
    if best is None:
        return "the default settings"
    return f"trial {len(done) + 1}, best {best.row['score']:.3f}"


def _forget(done: list[_Trial]) -> None:
    """Drop the predictions of the worst trials, where all would not fit into memory; never those
    of the default.
    """
    kept = [trial for trial in done if trial.probs is not None]
    while len(kept) > 2 and sum(trial.probs.size for trial in kept if trial.probs is not None) > (
        _MOST_CELLS
    ):
        worst = min(kept[1:], key=lambda trial: trial.score or 0.0)
        worst.probs = None
        kept.remove(worst)


def _result(
    evaluator: TrialEvaluator,
    space: tuple[Hyperparameter, ...],
    done: list[_Trial],
    strategy: str,
    seed: int,
) -> TuningResult:
    materials, rows = evaluator.materials, evaluator.rows
    best, default = _best(done), done[0]
    if best is None or default.probs is None:
        raise WorkError(
            "the default settings cannot be judged: their figure on validation is not defined"
        )
    kept = [trial for trial in done if trial.probs is not None]
    verdict = select_trial(
        materials.goal,
        materials.labels[rows],
        [trial.probs for trial in kept if trial.probs is not None],
        kept.index(best),
        materials.units[rows],
        seed=seed,
    )
    chosen = best if verdict["taken"] else default
    values = {parameter.name: chosen.row[parameter.name] for parameter in space}
    table = [trial.row for trial in done]
    states = [row["state"] for row in table]
    figures = {
        "known": True,
        "strategy": strategy,
        "metric": materials.goal.metric,
        "judged_on": evaluator.scored_on,
        "rows": len(rows),
        "units": len(set(materials.units[rows].tolist())),
        "space": [parameter.to_dict() for parameter in space],
        "trials": table,
        **{state: states.count(state) for state in ("complete", "pruned", "failed")},
        "default": default.row["score"],
        "best": {"trial": best.row["trial"], "score": best.row["score"]},
        **verdict,
        "settings": values,
        "sentence": _sentence(evaluator, len(done), best.row["score"], verdict),
    }
    policy = None if values.get("policy") == "none" else evaluator.policy
    return TuningResult(with_settings(evaluator.regime, values), policy, table, figures)


def _sentence(
    evaluator: TrialEvaluator, trials: int, score: float, verdict: Mapping[str, Any]
) -> str:
    metric = evaluator.materials.goal.metric
    found = f"the best of {trials} trials has {metric} {score:.3f} on {evaluator.scored_on}"
    if verdict["corrected"] is not None:
        found += (
            ", which is optimistic, as the same samples chose it: about "
            f"{verdict['corrected']:.3f} on others"
        )
    return f"{found}; {verdict['reason']}"
