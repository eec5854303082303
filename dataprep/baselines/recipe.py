"""train_baseline(): from a split to an honest model, in the order of the recipe."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from dataprep.augment.choice import choose_policy
from dataprep.augment.policies import policy as named_policy
from dataprep.backends.capacity import worker_count
from dataprep.baselines.diagnosis.errors import find_errors
from dataprep.baselines.diagnosis.facts import facts_of
from dataprep.baselines.diagnosis.feature_map import plane_of
from dataprep.baselines.diagnosis.next_steps import what_next
from dataprep.baselines.evaluation.cleaning_effect import compare_cleaned, refuse_no_comparison
from dataprep.baselines.evaluation.estimates import evaluate, jsonable
from dataprep.baselines.evaluation.parts import Judgement, judge
from dataprep.baselines.evaluation.simple_baselines import reference_figures
from dataprep.baselines.inference.latency import measure_cost
from dataprep.baselines.inference.network_predictions import predictions
from dataprep.baselines.out_of_fold import OutOfFold, given_folds, out_of_fold, with_parts
from dataprep.baselines.sanity.checklist import check_before_training
from dataprep.baselines.training.distributed import decided, first_then_others, is_first, share
from dataprep.baselines.training.final_model import finalise
from dataprep.baselines.training.fitting import Taught, device_for, key_of, teach
from dataprep.baselines.training.logs import logged
from dataprep.baselines.training.preparing import prepare
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.baselines.tuning.searching import search_settings
from dataprep.measures.options import PassOptions
from dataprep.progress import Progress, StageClock
from dataprep.schemas.baseline import PIXELS, Baseline
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.run import run_record
from dataprep.schemas.split import Split

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.plan import Plan

#: progress(stage, done, total, note): `total` is 0 while unknown.


def train_baseline(
    source: Split | Dataset,
    folder: str,
    options: BaselineOptions | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    audit: Audit | None = None,
    plan: Plan | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Baseline:
    """Train a baseline on the part train of a split, choose by val, and judge once on test.

    Args:
        source: a Split, or a Dataset with labels and the column ``split``. Who looks at test is not
            recorded here: `dataprep.baselines.evaluation.test_access.record_looks` does that, as
            the command does.
        folder: where pixels and checkpoints go (``dataprep-out/baseline``).
        options: what is trained and how it is judged.
        settings: settings of the loop instead of those of the regime
            (`dataprep.baselines.training.settings.TrainSettings`).
        audit: what the audit found about the same samples: the ceiling of label noise, and reasons
            for errors.
        plan: what cleaning would do, for ``options.compare``.
        resume: go on from the checkpoint in `folder`.
        progress: called with (stage, done, total, note) now and then.

    Raises:
        InputError: no parts, labels or readable images to train on; a check before training failed
            (SanityFailed).
        OptionError: an option that does not suit the data or this machine.
        WorkError: training failed: no room on the disk, a loss that is not finite.
    """
    options = options or BaselineOptions()
    dataset = with_parts(source.dataset if isinstance(source, Split) else source)
    clock = StageClock(progress)
    device = device_for(options.device)
    torch.set_num_threads(options.threads or max(1, worker_count() // share()[1]))
    with clock.stage("decode"):
        passing = _passing(source, audit)
        materials, regime = first_then_others(
            lambda: prepare(
                dataset,
                options,
                settings or {},
                os.path.join(folder, PIXELS),
                passing=passing,
                progress=clock.report,
            )
        )
    refuse_no_comparison(options.compare, materials, plan)
    with clock.stage("policy"):
        policy, reasons = decided(lambda: _policy(options.policy, source, audit, regime))
    figures: dict[str, Any] = {}
    if options.sanity:
        with clock.stage("sanity"):
            figures["sanity"] = decided(
                lambda: check_before_training(
                    materials,
                    regime,
                    policy,
                    device=device,
                    seed=regime.settings.seed,
                    report=clock.report,
                )
            )
    with clock.stage("search"):
        regime, policy, found = search_settings(
            materials,
            regime,
            policy,
            options,
            asked=[name.replace("-", "_") for name in settings or {}],
            device=device,
            workers=_workers(options.workers, device),
            folder=folder,
            report=clock.report,
        )
    figures |= found | _facts(materials, regime, policy, reasons, device)
    with clock.stage("references"):
        figures |= decided(
            lambda: reference_figures(
                materials, regime.settings, audit, passing, test=options.evaluate_test
            )
        )
    means: dict[str, Any] = {
        "policy": policy,
        "device": device,
        "workers": _workers(options.workers, device),
        "report": _live(clock, regime),
    }
    with clock.stage("train"):
        key = key_of(materials, regime, policy)
        with (
            logged(options.log, folder, asdict(regime.settings))
            if is_first()
            else nullcontext() as log
        ):
            taught = teach(
                materials, regime, folder=folder, resume=resume, key=key, log=log, **means
            )
    folds = _folds(materials, regime, options, means, clock)
    network = taught.network
    if options.compare and plan is not None:
        with clock.stage("compare"):
            figures["compare"] = compare_cleaned(
                materials, regime, taught, plan, seeds=options.seeds, **means
            )
    if options.final:
        with clock.stage("final"):
            network, figures["final"] = finalise(
                materials, regime, taught, folder=folder, resume=resume, **means
            )
    if not is_first():
        return Baseline(dataset, materials.goal, pd.DataFrame(), {}, network)
    figures |= {"cross_validation": folds.figures} if folds is not None else {}
    with clock.stage("judge"):
        cost = measure_cost(network, regime.size)
        judged = judge(
            materials, taught.network, final=network, test=options.evaluate_test, measured=cost
        )
        figures |= cost | judged.figures | _training(materials, taught, judged)
    with clock.stage("errors"):
        figures["errors"] = find_errors(materials.goal, judged.table, dataset, audit)
        figures["map"] = plane_of(materials, taught.network, test=options.evaluate_test)
        figures["next"] = what_next(facts_of(figures, dataset, audit))
    run = run_record(
        "train-baseline",
        dataset,
        {**asdict(options), "settings": asdict(regime.settings)},
        clock.seconds,
    )
    found = jsonable({**figures, "seconds": clock.seconds})
    return Baseline(
        dataset,
        materials.goal,
        judged.table,
        found,
        network,
        run,
        folds.table if folds is not None else None,
    )


def _folds(
    materials: Materials,
    regime: Regime,
    options: BaselineOptions,
    means: Mapping[str, Any],
    clock: StageClock,
) -> OutOfFold | None:
    """A model per fold, where that is asked for or the split is made of folds."""
    given = given_folds(materials)
    if given is None and not options.out_of_fold:
        return None

    def live(fold: int, folds: int) -> Any:
        return lambda epoch, step, steps, _: clock.report(
            step, steps, f"fold {fold + 1}/{folds}, epoch {epoch + 1}"
        )

    with clock.stage("folds"):
        return out_of_fold(
            materials,
            regime,
            folds=options.out_of_fold,
            given=given,
            policy=means["policy"],
            device=means["device"],
            workers=means["workers"],
            report=live,
        )


def _passing(source: Split | Dataset, audit: Audit | None) -> PassOptions:
    """How files were read in the audit."""
    split = source.run.get("pass", {}) if isinstance(source, Split) else {}
    given = dict(audit.run.get("options", {}).get("pass", {})) if audit is not None else dict(split)
    known = set(PassOptions.__dataclass_fields__)
    return PassOptions(**{name: value for name, value in given.items() if name in known})


def _policy(
    name: str, source: Any, audit: Audit | None, regime: Regime
) -> tuple[Policy | None, list[str]]:
    """The augmentation policy, and why."""
    if regime.name == "frozen":
        return None, ["the features stay as they are: nothing is augmented"]
    if name == "auto":
        chosen = choose_policy(audit if audit is not None else source)
        return chosen.policy, list(chosen.reasons)
    if name.endswith((".yaml", ".yml")):
        from dataprep.augment.policies import Policy as Loaded

        return Loaded.load(name), ["asked for"]
    return named_policy(name), ["asked for"]


def _facts(
    materials: Materials, regime: Regime, policy: Policy | None, reasons: list[str], device: str
) -> dict[str, Any]:
    goal, parts = materials.goal, materials.parts
    counts = {
        part: dict(zip(goal.classes, map(int, materials.counts(rows)), strict=True))
        if goal.classes
        else {}
        for part, rows in parts.items()
    }
    return {
        "goal": {**asdict(goal), "requirements": [str(each) for each in goal.requirements]},
        "data": {
            "parts": {part: len(rows) for part, rows in parts.items()},
            "counts": counts,
            "lost": dict(materials.store.lost),
            "units": {part: len(np.unique(materials.units[rows])) for part, rows in parts.items()},
            "centre": materials.centre,
            "spread": materials.spread,
        },
        "regime": {
            "name": regime.name,
            "arch": regime.arch,
            "size": regime.size,
            "reason": regime.reason,
            "device": device,
            "settings": asdict(regime.settings),
            "policy": policy.name if policy else "none",
            "policy_reasons": reasons,
        },
    }


def _training(materials: Materials, taught: Taught, judged: Judgement) -> dict[str, Any]:
    """The history, and the classifier on frozen features that fine-tuning started from."""
    history = taught.fitted.history if taught.fitted is not None else []
    found: dict[str, Any] = {
        "history": history,
        "best_epoch": taught.fitted.best_epoch if taught.fitted is not None else 0,
    }
    if taught.linear is not None and taught.linear_val is not None:
        metrics = evaluate(
            materials.goal,
            materials.labels[materials.val],
            predictions(materials, taught.linear_val),
            units=materials.units[materials.val],
            draws=200,
        )["metrics"]
        found["linear"] = {
            "penalty": taught.linear.penalty,
            "scores": taught.linear.scores,
            "validation": metrics,
        }
    return found


def _workers(asked: int, device: str) -> int:
    return asked if asked >= 0 else 0 if device == "cpu" else min(8, worker_count())


def _live(
    clock: StageClock, regime: Regime
) -> Callable[[int, int, int, Mapping[str, float]], None]:
    epochs = regime.settings.epochs

    def live(epoch: int, step: int, steps: int, figures: Mapping[str, float]) -> None:
        rate = figures["images"] / max(figures["seconds"], 1e-9)
        score = figures["best"]
        best = f", best {score:.3f}" if math.isfinite(score) else ""
        clock.report(
            epoch * steps + step,
            epochs * steps,
            f"epoch {epoch + 1}/{epochs}, {rate:.0f} images/s{best}",
        )

    return live
