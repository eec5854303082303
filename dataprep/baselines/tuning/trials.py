"""Trials: one training for some settings, scored on val or by grouped folds of train and val."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.scoring import metric_and_score, predictions
from dataprep.baselines.frozen.linear import Linear, linear_on
from dataprep.baselines.frozen.model import head_on
from dataprep.baselines.training.fitting import network_for, train_network
from dataprep.baselines.training.network_predictions import deep_features, logits_of
from dataprep.baselines.tuning.search_space import with_settings
from dataprep.probes.classifiers.folds import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime

#: With fewer rows or units than these in val, its figures are too coarse: grouped folds of train
#: and val take its place.
FEWEST_ROWS, FEWEST_UNITS = 200, 20
FOLDS = 3
#: Called after every epoch of a trial with (step, score so far); what it raises ends the trial.
Watch = Callable[[int, float], None]


@dataclass
class TrialEvaluator:
    """Trains with given settings, and scores what was trained on rows that it has not seen.

    Attributes:
        materials: only train and val are used.
        regime: of the default.
        policy: augmentation of the default.
        device, workers: where.
        seed: of the folds.
        parts: (rows to learn from, rows to score on) of every training of a trial.
        rows: all rows that a trial is scored on, in the order of its predictions.
    """

    materials: Materials
    regime: Regime
    policy: Policy | None = None
    device: str = "cpu"
    workers: int = 0
    seed: int = 0
    _linear: dict[tuple[int, str, float], Linear] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows, units = self.materials.val, self.materials.units
        small = len(rows) < FEWEST_ROWS or len(np.unique(units[rows])) < FEWEST_UNITS
        self.parts = self._folds() if small else [(self.materials.train, rows)]
        self.rows = np.concatenate([held for _, held in self.parts])

    def _folds(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        rows, goal = self._learnable, self.materials.goal
        labels = self.materials.labels[rows]
        if labels.ndim > 1 or goal.kind == "regression":
            labels = np.zeros(len(rows))
        fold = folds_of(self.materials.units[rows], labels.astype(np.int32), FOLDS, seed=self.seed)
        return [(rows[fold != held], rows[fold == held]) for held in np.unique(fold)]

    @property
    def _learnable(self) -> NDArray[np.int64]:
        return np.concatenate([self.materials.train, self.materials.val])

    @property
    def scored_on(self) -> str:
        """What trials are scored on, in words."""
        if len(self.parts) > 1:
            return f"{len(self.parts)} grouped folds of train and val, as val is small"
        return "val"

    def score(self, predicted: NDArray[Any]) -> tuple[float, float]:
        """The metric of predictions for `rows`, and the same turned so that higher is better."""
        return metric_and_score(self.materials, self.rows, predicted)

    def evaluate(self, values: Mapping[str, Any], watch: Watch) -> tuple[NDArray[Any], int]:
        """Train with the settings in `values`.

        Returns:
            predictions for `rows`, each by a model that has not learned from it, and epochs that
            were trained.
        """
        regime = with_settings(self.regime, values)
        policy = None if values.get("policy") == "none" else self.policy
        predicted, epochs, total = [], 0, 0.0
        for number, (learned, held) in enumerate(self.parts):
            part = replace(self.materials, parts={"train": learned, "val": held})
            if regime.name == "frozen":
                probs = predictions(
                    part, self._linear_for(number, part, regime)(self._features[held])
                )
                total += metric_and_score(part, held, probs)[1]
                watch(number, total / (number + 1))
            else:
                probs, count, best = self._train(number, part, regime, policy, total, watch)
                epochs, total = epochs + count, total + best
            predicted.append(probs)
        return np.concatenate(predicted), epochs

    def _train(
        self,
        number: int,
        part: Materials,
        regime: Regime,
        policy: Policy | None,
        total: float,
        watch: Watch,
    ) -> tuple[NDArray[Any], int, float]:
        """Predictions for val of `part`, epochs, and the best score; `total` is that of the parts
        before.
        """
        scores: list[float] = []

        def watch_scores(figures: Mapping[str, float]) -> None:
            scores.append(figures["score"])
            step = number * regime.settings.epochs + len(scores) - 1
            watch(step, (total + max(scores)) / (number + 1))

        trained = train_network(
            part,
            regime,
            policy=policy,
            device=self.device,
            workers=self.workers,
            linear=None if regime.name == "scratch" else self._linear_for(number, part, regime),
            watch=watch_scores,
        )
        assert trained.fitted is not None
        probs = predictions(part, logits_of(trained.network, part.store, part.val))
        return probs, len(trained.fitted.history), trained.fitted.best_score

    def _linear_for(self, number: int, part: Materials, regime: Regime) -> Linear:
        """The classifier on frozen features, fitted once for each fold and kind of loss."""
        settings = regime.settings
        key = number, settings.class_weights, settings.focal
        if key not in self._linear:
            features = self._features[part.train]
            if part.embedding is None:
                self._linear[key] = linear_on(part, features, part.train, settings)
            else:
                self._linear[key] = head_on(part, features, part.train, settings)
        return self._linear[key]

    @cached_property
    def _features(self) -> NDArray[np.float32]:
        """(rows of the data set, width) features of train and val, which no setting changes."""
        if self.materials.embedding is not None:
            return self.materials.values
        network = network_for(self.materials, self.regime, self.device)
        features = np.zeros((len(self.materials.dataset), network.width), np.float32)
        features[self._learnable] = deep_features(network, self.materials.store, self._learnable)
        return features
