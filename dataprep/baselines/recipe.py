"""train_baseline(): from a split to an honest model, in the order of the recipe."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.augment.choice import choose_policy
from dataprep.augment.policies import policy as named_policy
from dataprep.backends.capacity import worker_count
from dataprep.baselines.cleaning_effect import compare_cleaned, refuse_no_comparison
from dataprep.baselines.diagnosis.errors import find_errors
from dataprep.baselines.diagnosis.facts import facts_of
from dataprep.baselines.diagnosis.feature_map import plane_of
from dataprep.baselines.diagnosis.next_steps import what_next
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.evaluation.scoring import predictions
from dataprep.baselines.inference.latency import measure_cost
from dataprep.baselines.out_of_fold import OutOfFold, given_folds, out_of_fold, with_parts
from dataprep.baselines.parts import PartResults, evaluate_parts
from dataprep.baselines.sanity.checklist import check_before_training
from dataprep.baselines.simple_baselines import reference_figures
from dataprep.baselines.training.distributed import (
    is_rank_zero,
    rank_and_world_size,
    rank_zero_first,
    run_on_rank_zero,
)
from dataprep.baselines.training.final_model import finalise
from dataprep.baselines.training.fitting import TrainedNetwork, device_for, key_of, train_network
from dataprep.baselines.training.forecast import in_words, training_seconds
from dataprep.baselines.training.history import EpochLog, Log, history_logger
from dataprep.baselines.training.preparing import prepare
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.baselines.tuning.searching import search_settings
from dataprep.errors import OverBudget
from dataprep.measures.options import PassOptions
from dataprep.progress import Progress, StageClock
from dataprep.schemas.baseline import PIXELS, Baseline
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.results.baseline import (
    BaselineMetrics,
    DataFigures,
    FrozenLinear,
    RegimeFigures,
)
from dataprep.schemas.run import run_record
from dataprep.schemas.split import Split

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
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
    log: EpochLog | None = None,
    say: Callable[[str], None] | None = None,
) -> Baseline:
    """Train a baseline on the part train of a split, choose by val, and evaluate once on test.

    Args:
        source: a Split, or a Dataset with labels and the column ``split``. Who looks at test is not
            recorded here: `dataprep.baselines.evaluation.test_access.record_test_use` does that, as
            the command does.
        folder: where pixels and checkpoints go (``dataprep-out/baseline``).
        options: what is trained and how it is evaluated.
        settings: settings of the loop instead of those of the regime
            (`dataprep.baselines.training.settings.TrainSettings`).
        audit: what the audit found about the same samples: the ceiling of label noise, and reasons
            for errors.
        plan: what cleaning would do, for ``options.compare``.
        resume: go on from the checkpoint in `folder`.
        progress: called with (stage, done, total, note) now and then.
        log: called after every epoch with its number and its figures, which are in ``history.csv``
            too; for a tracking server.
        say: told beforehand how long the training will take.

    Raises:
        OverBudget: the training would take longer than ``options.budget``.
        InputError: no parts, labels or readable images to train on; a check before training failed
            (SanityFailed).
        OptionError: an option that does not suit the data or this machine.
        WorkError: training failed: no room on the disk, a loss that is not finite.
    """
    recipe = _prepared(source, folder, options or BaselineOptions(), settings, audit, progress)
    refuse_no_comparison(recipe.options.compare, recipe.materials, plan)
    recipe.choose_policy(source)
    recipe.forecast(say)
    recipe.check_before_training()
    recipe.search_settings(asked=[name.replace("-", "_") for name in settings or {}])
    recipe.describe()
    recipe.measure_references()
    trained = recipe.train(resume, log=history_logger(folder, log))
    folds = recipe.train_folds()
    recipe.compare_cleaning(trained, plan)
    network = recipe.train_final(trained, resume)
    if not is_rank_zero():
        return Baseline(
            recipe.dataset, recipe.materials.goal, pd.DataFrame(), BaselineMetrics(), network
        )
    judged = recipe.evaluate(trained, network)
    recipe.diagnose(trained, judged)
    return recipe.finished(judged, network, folds)


def _prepared(
    source: Split | Dataset,
    folder: str,
    options: BaselineOptions,
    settings: Mapping[str, Any] | None,
    audit: Audit | None,
    progress: Progress | None,
) -> _Recipe:
    """The images decoded once, the goal, the parts and the regime."""
    dataset = with_parts(source.dataset if isinstance(source, Split) else source)
    clock = StageClock(progress)
    device = options.device if options.device in ("auto", "cpu") else device_for(options.device)
    reading = PassOptions.of_run(getattr(source if audit is None else audit, "run", {}))
    with clock.stage("decode"):
        materials, regime = rank_zero_first(
            lambda: prepare(
                dataset,
                options,
                settings or {},
                os.path.join(folder, PIXELS),
                passing=reading,
                progress=clock.report,
            )
        )
    if materials.embedding is not None:  # nothing here needs torch
        device = device.replace("auto", "cpu")
    else:
        import torch

        device = device_for(device)
        torch.set_num_threads(options.threads or max(1, worker_count() // rank_and_world_size()[1]))
    return _Recipe(dataset, materials, regime, options, folder, device, reading, clock, audit)


@dataclass(eq=False)
class _Recipe:
    """The steps of `train_baseline`, each a stage with a clock; what they measure gathers in
    `figures`.

    Attributes:
        dataset: the samples, with parts.
        materials: pixels, goal, labels, units and parts.
        regime: what is trained and how; the search may replace it.
        options, folder, audit: as of `train_baseline`.
        device: where it is trained.
        reading: how files are read.
        clock: seconds per stage.
        policy: augmentation, None for none.
        reasons: why that policy.
        figures: what was measured, by its key in ``metrics.json``.
    """

    dataset: Dataset
    materials: Materials
    regime: Regime
    options: BaselineOptions
    folder: str
    device: str
    reading: PassOptions
    clock: StageClock
    audit: Audit | None
    policy: Policy | None = None
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.figures: dict[str, Any] = {}
        asked = self.options.workers
        on_processor = 0 if self.device == "cpu" else min(8, worker_count())
        self.workers = asked if asked >= 0 else on_processor

    @property
    def means(self) -> dict[str, Any]:
        """How every network of this run is trained."""
        return {
            "policy": self.policy,
            "device": self.device,
            "workers": self.workers,
            "report": self._report_step,
        }

    def choose_policy(self, source: Split | Dataset) -> None:
        """The augmentation policy that was asked for, or that suits the data."""
        with self.clock.stage("policy"):
            self.policy, self.reasons = run_on_rank_zero(
                lambda: _policy(self.options.policy, source, self.audit, self.regime)
            )

    def forecast(self, say: Callable[[str], None] | None) -> None:
        """Say how long the training will take, and refuse what is beyond the budget."""
        budget = self.options.budget
        if self.regime.name == "frozen" or (say is None and not budget):
            return
        seconds = run_on_rank_zero(
            lambda: training_seconds(self.materials, self.regime, self.policy, self.device)
        )
        words = f"{self.regime.name} on {len(self.materials.train):,} images: at most about "
        if budget and seconds > budget:
            raise OverBudget(
                f"{words}{in_words(seconds)} here, more than the budget of {in_words(budget)}: "
                "take --regime frozen, fewer --epochs or a larger --budget"
            )
        if say is not None and is_rank_zero():
            say(f"{words}{in_words(seconds)} here")

    def check_before_training(self) -> None:
        """Sanity checks of the data and the network."""
        if not self.options.sanity:
            return
        with self.clock.stage("sanity"):
            self.figures["sanity"] = run_on_rank_zero(
                lambda: check_before_training(
                    self.materials,
                    self.regime,
                    self.policy,
                    device=self.device,
                    seed=self.regime.settings.seed,
                    report=self.clock.report,
                )
            )

    def search_settings(self, asked: list[str]) -> None:
        """The learning-rate range test, and trials of hyperparameters."""
        with self.clock.stage("search"):
            self.regime, self.policy, found = search_settings(
                self.materials,
                self.regime,
                self.policy,
                self.options,
                asked=asked,
                device=self.device,
                workers=self.workers,
                folder=self.folder,
                report=self.clock.report,
            )
        self.figures |= found

    def describe(self) -> None:
        """The goal, the data and the regime."""
        materials, regime, goal = self.materials, self.regime, self.materials.goal
        parts = materials.parts
        counts = {
            part: dict(zip(goal.classes, map(int, materials.counts(rows)), strict=True))
            if goal.classes
            else {}
            for part, rows in parts.items()
        }
        self.figures["goal"] = {
            **asdict(goal),
            "requirements": [str(each) for each in goal.requirements],
        }
        self.figures["data"] = DataFigures(
            parts={part: len(rows) for part, rows in parts.items()},
            counts=counts,
            lost=dict(materials.store.lost),
            units={part: len(np.unique(materials.units[rows])) for part, rows in parts.items()},
            centre=materials.centre,
            spread=materials.spread,
        )
        self.figures["regime"] = RegimeFigures(
            name=regime.name,
            arch=regime.arch,
            size=regime.size,
            reason=regime.reason,
            device=self.device,
            settings=asdict(regime.settings),
            policy=self.policy.name if self.policy else "none",
            policy_reasons=list(self.reasons),
        )

    def measure_references(self) -> None:
        """What the model is compared with: trivial baselines, a linear probe, label noise."""
        with self.clock.stage("references"):
            self.figures |= run_on_rank_zero(
                lambda: reference_figures(
                    self.materials,
                    self.regime.settings,
                    self.audit,
                    self.reading,
                    test=self.options.evaluate_test,
                )
            )

    def train(self, resume: bool, log: Log) -> TrainedNetwork:
        """The network, with the weights of the epoch that is best on val."""
        with self.clock.stage("train"):
            key = key_of(self.materials, self.regime, self.policy)
            return train_network(
                self.materials,
                self.regime,
                folder=self.folder,
                resume=resume,
                key=key,
                log=log,
                **self.means,
            )

    def train_folds(self) -> OutOfFold | None:
        """A model per fold, where that is asked for or the split is made of folds."""
        given = given_folds(self.materials)
        if given is None and not self.options.out_of_fold:
            return None

        def report_fold(fold: int, folds: int) -> Any:
            return lambda epoch, step, steps, _: self.clock.report(
                step, steps, f"fold {fold + 1}/{folds}, epoch {epoch + 1}"
            )

        with self.clock.stage("folds"):
            folds = out_of_fold(
                self.materials,
                self.regime,
                folds=self.options.out_of_fold,
                given=given,
                **{**self.means, "report": report_fold},
            )
        self.figures["cross_validation"] = folds.figures
        return folds

    def compare_cleaning(self, trained: TrainedNetwork, plan: Plan | None) -> None:
        """The same training before and after cleaning, where that is asked for."""
        if not self.options.compare or plan is None:
            return
        with self.clock.stage("compare"):
            self.figures["compare"] = compare_cleaned(
                self.materials, self.regime, trained, plan, seeds=self.options.seeds, **self.means
            )

    def train_final(self, trained: TrainedNetwork, resume: bool) -> Any:
        """The network to hand over: trained on train and val together, where that is asked for."""
        if not self.options.final:
            return trained.network
        with self.clock.stage("final"):
            network, self.figures["final"] = finalise(
                self.materials,
                self.regime,
                trained,
                folder=self.folder,
                resume=resume,
                **self.means,
            )
        return network

    def evaluate(self, trained: TrainedNetwork, network: Network) -> PartResults:
        """Every part evaluated; temperature, thresholds and abstention chosen on val."""
        with self.clock.stage("judge"):
            cost = measure_cost(network, self.regime.size)
            judged = evaluate_parts(
                self.materials,
                trained.network,
                final=network,
                test=self.options.evaluate_test,
                measured=cost,
            )
            self.figures |= cost | judged.figures | _training(self.materials, trained)
        return judged

    def diagnose(self, trained: TrainedNetwork, judged: PartResults) -> None:
        """The mistakes, the map of the features, and what next."""
        with self.clock.stage("errors"):
            self.figures["errors"] = find_errors(
                self.materials.goal, judged.table, self.dataset, self.audit
            )
            self.figures["map"] = plane_of(
                self.materials, trained.network, test=self.options.evaluate_test
            )
            self.figures["next"] = what_next(facts_of(self.figures, self.dataset, self.audit))

    def finished(self, judged: PartResults, network: Network, folds: OutOfFold | None) -> Baseline:
        """The baseline, with the record of the run."""
        run = run_record(
            "train-baseline",
            self.dataset,
            {**asdict(self.options), "settings": asdict(self.regime.settings)},
            self.clock.seconds,
        )
        return Baseline(
            self.dataset,
            self.materials.goal,
            judged.table,
            BaselineMetrics.read({**self.figures, "seconds": self.clock.seconds}),
            network,
            run,
            folds.table if folds is not None else None,
        )

    def _report_step(self, epoch: int, step: int, steps: int, figures: Mapping[str, float]) -> None:
        epochs = self.regime.settings.epochs
        rate = figures["images"] / max(figures["seconds"], 1e-9)
        score = figures["best"]
        best = f", best {score:.3f}" if math.isfinite(score) else ""
        self.clock.report(
            epoch * steps + step,
            epochs * steps,
            f"epoch {epoch + 1}/{epochs}, {rate:.0f} images/s{best}",
        )


def _policy(
    name: str, source: Any, audit: Audit | None, regime: Regime
) -> tuple[Policy | None, tuple[str, ...]]:
    """The augmentation policy, and why."""
    if regime.name == "frozen":
        return None, ("the features stay as they are: nothing is augmented",)
    if name == "auto":
        chosen = choose_policy(audit if audit is not None else source)
        return chosen.policy, tuple(chosen.reasons)
    if name.endswith((".yaml", ".yml")):
        from dataprep.augment.policies import Policy as Loaded

        return Loaded.load(name), ("asked for",)
    return named_policy(name), ("asked for",)


def _training(materials: Materials, trained: TrainedNetwork) -> dict[str, Any]:
    """The history, and the classifier on frozen features that fine-tuning started from."""
    history = trained.fitted.history if trained.fitted is not None else []
    found: dict[str, Any] = {
        "history": history,
        "best_epoch": trained.fitted.best_epoch if trained.fitted is not None else 0,
    }
    if trained.linear is not None and trained.linear_val is not None:
        metrics = evaluate(
            materials.goal,
            materials.labels[materials.val],
            predictions(materials, trained.linear_val),
            units=materials.units[materials.val],
            draws=200,
        ).metrics
        found["linear"] = FrozenLinear(
            penalty=trained.linear.penalty, scores=trained.linear.scores, validation=metrics
        )
    return found
