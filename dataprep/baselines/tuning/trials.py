"""Trials: one training for some settings, judged on val or by grouped folds; and the file in
which each is logged at once.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.baselines.inference.network_predictions import features_of, logits_of, predictions
from dataprep.baselines.training.fitting import linear_on, train_network
from dataprep.baselines.training.frozen_features import Linear
from dataprep.baselines.training.networks import make_network
from dataprep.baselines.tuning.search_space import regime_of
from dataprep.errors import OutputError
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.baseline import TRIALS
from dataprep.schemas.files.writing import mark_output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime

#: A part val with fewer rows or units than these judges too coarsely: folds of train and val do it
#: instead.
FEWEST_ROWS, FEWEST_UNITS = 200, 20
FOLDS = 3
#: Called after every epoch of a trial with (step, score so far); what it raises ends the trial.
Watch = Callable[[int, float], None]


@dataclass
class TrialEvaluator:
    """What trials are judged by.

    Attributes:
        materials: only train and val are looked at.
        regime: of the default.
        policy: augmentation of the default.
        device, workers: where.
        seed: of the folds.
    """

    materials: Materials
    regime: Regime
    policy: Policy | None = None
    device: str = "cpu"
    workers: int = 0
    seed: int = 0
    _linear: dict[tuple[int, str], Linear] = field(default_factory=dict)
    _features: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows, units = self.materials.val, self.materials.units
        small = len(rows) < FEWEST_ROWS or len(np.unique(units[rows])) < FEWEST_UNITS
        self.parts = self._folds() if small else [(self.materials.train, rows)]
        self.rows = np.concatenate([held for _, held in self.parts])

    def _folds(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(rows to learn from, rows to judge by) of each fold of train and val, units whole."""
        rows = np.concatenate([self.materials.train, self.materials.val])
        labels = self.materials.labels
        codes = (
            labels[rows]
            if labels.ndim == 1 and self.materials.goal.kind != "regression"
            else np.zeros(len(rows))
        )
        fold = folds_of(self.materials.units[rows], codes.astype(np.int32), FOLDS, seed=self.seed)
        return [
            (rows[fold != held], rows[fold == held]) for held in range(int(fold.max(initial=0)) + 1)
        ]

    @property
    def told(self) -> str:
        """What trials are judged on, in words."""
        if len(self.parts) > 1:
            return f"{len(self.parts)} grouped folds of train and val, as val is small"
        return "val"

    def score(self, probs: NDArray[Any]) -> tuple[float, float]:
        """The metric of predictions for `rows`, and the same turned so that higher is better."""
        goal = self.materials.goal
        own = METRICS[goal.metric]
        value = float(own.function(goal, self.materials.labels[self.rows], probs))
        return value, value if own.direction == "higher" else -value

    def judge(self, values: Mapping[str, Any], watch: Watch) -> tuple[NDArray[Any], int]:
        """Train with the settings in `values`.

        Returns:
            predictions for `rows`, each by a model that has not learned from it, and epochs that
            were trained.
        """
        regime = regime_of(self.regime, dict(values))
        policy = None if values.get("policy") == "none" else self.policy
        said, epochs, past = [], 0, 0.0
        for number, (learned, held) in enumerate(self.parts):
            own = replace(self.materials, parts={"train": learned, "val": held})
            if regime.name == "frozen":
                logits = self._linear_for(number, own, regime)(self._features_of(regime)[held])
                past += self._aim(own, logits)
                watch(number, past / (number + 1))
            else:
                logits, count, best = self._train(number, own, regime, policy, past, watch)
                epochs, past = epochs + count, past + best
            said.append(predictions(own, logits))
        return np.concatenate(said), epochs

    def _train(
        self,
        number: int,
        own: Materials,
        regime: Regime,
        policy: Policy | None,
        past: float,
        watch: Watch,
    ) -> tuple[NDArray[np.float32], int, float]:
        best = -math.inf
        step = number * regime.settings.epochs

        def watched(figures: Mapping[str, float]) -> None:
            nonlocal best, step
            best = max(best, figures["score"])
            watch(step, (past + best) / (number + 1))
            step += 1

        linear = None if regime.name == "scratch" else self._linear_for(number, own, regime)
        trained = train_network(
            own,
            regime,
            policy=policy,
            device=self.device,
            workers=self.workers,
            linear=linear,
            watch=watched,
        )
        assert trained.fitted is not None
        return (
            logits_of(trained.network, own.store, own.val),
            len(trained.fitted.history),
            trained.fitted.best_score,
        )

    def _aim(self, own: Materials, logits: NDArray[np.float32]) -> float:
        """The metric on val of `own`, turned so that higher is better."""
        metric = METRICS[own.goal.metric]
        value = float(metric.function(own.goal, own.labels[own.val], predictions(own, logits)))
        return value if metric.direction == "higher" else -value

    def _linear_for(self, number: int, own: Materials, regime: Regime) -> Linear:
        """The classifier on frozen features, fitted once for each fold and kind of loss."""
        key = number, f"{regime.settings.class_weights} {regime.settings.focal}"
        if key not in self._linear:
            self._linear[key] = linear_on(
                own, self._features_of(regime)[own.train], own.train, regime.settings
            )
        return self._linear[key]

    def _features_of(self, regime: Regime) -> NDArray[np.float32]:
        """(rows of the data set, width) features of train and val, which no setting changes."""
        if "all" not in self._features:
            network = make_network(regime.arch, self.materials.goal.outputs, size=regime.size).to(
                self.device
            )
            rows = np.concatenate([self.materials.train, self.materials.val])
            features = np.zeros((len(self.materials.dataset), network.width), np.float32)
            features[rows] = features_of(network, self.materials.store, rows)
            self._features["all"] = features
        return self._features["all"]


class TrialLog:
    """``trials.csv``: one line a trial, on the disk as soon as it ends; a kill loses the line of
    the trial that runs, no other.

    Args:
        folder: of the baseline; "" writes nothing.
        columns: of the table.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, folder: str, columns: Sequence[str]) -> None:
        self.path, self.columns = os.path.join(folder, TRIALS) if folder else "", list(columns)
        if self.path:
            mark_output(folder)
            self._write(self.columns, os.O_TRUNC)

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a trial."""
        if self.path:
            self._write([row.get(name, "") for name in self.columns], os.O_APPEND)

    def _write(self, cells: Sequence[Any], how: int) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(
            ["" if cell is None else cell for cell in cells]
        )
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | how, 0o644)
            try:
                os.write(
                    file, text.getvalue().encode()
                )  # one call, so that a line is there whole or not at all
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path}: {error.strerror}. Make room, or take another --out"
            ) from error
