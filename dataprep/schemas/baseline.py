"""Baseline: a trained model with what is known about it; and the names of its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataprep.schemas.results.baseline import BaselineMetrics

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.goal import Goal

#: Files of a baseline in its folder (``dataprep-out/baseline``).
(
    METRICS,
    PREDICTIONS,
    PAGE,
    HISTORY,
    RUN,
    MODEL,
    PROGRAM,
    WEIGHTS,
    HEAD,
    CHECKPOINT,
    PIXELS,
    TRIALS,
    SAMPLES,
    OUT_OF_FOLD,
) = (
    "metrics.json",
    "predictions.parquet",
    "baseline.html",
    "history.csv",
    "run.json",
    "model.onnx",
    "model.pt2",
    "weights.pt",
    "weights.npz",
    "checkpoint.pt",
    "pixels",
    "trials.csv",
    "samples.parquet",
    "predictions_out_of_fold.parquet",
)
#: Folder that training makes there: the second training of --final.
FOLDERS = ("final",)


@dataclass(frozen=True, eq=False)
class Baseline:
    """A trained model with what is known about it.

    Attributes:
        dataset: the samples that it was trained and judged on, with columns ``split`` and ``unit``.
        goal: what it predicts, and the figure that was optimised.
        predictions: one row per sample that was predicted: ``sample``, ``split``, ``label`` (given;
            missing when unlabelled), ``predicted``, ``confidence`` (probability of `predicted`,
            after calibration) and ``p:CLASS`` for every class (for a regression: ``predicted``
            alone, as a number). Which rows a model has seen in training says ``seen``.
        metrics: everything measured: a dataclass that is also the dictionary in ``metrics.json``.
        network: the trained network (`dataprep.baselines.training.networks.Network`); None when
            read back from a folder.
        run: everything that shaped the result.
        out_of_fold: as `predictions`, with the column ``fold``: of every sample by a model that
            never saw it; None where no model per fold was trained.
    """

    dataset: Dataset
    goal: Goal
    predictions: pd.DataFrame
    metrics: BaselineMetrics
    network: Any = None
    run: Mapping[str, Any] = field(default_factory=dict)
    out_of_fold: pd.DataFrame | None = None

    def __repr__(self) -> str:
        validation = (self.metrics.parts or {}).get("validation")
        value = validation.metric.value if validation is not None else None
        return (
            f"Baseline({self.goal.kind}, {self.goal.metric} "
            f"{float('nan') if value is None else value:.3f} on validation)"
        )


@dataclass(frozen=True)
class BaselinePaths:
    """Where the files of a baseline are."""

    folder: str

    def __getitem__(self, name: str) -> str:
        """Path of one of the files named in this module."""
        return os.path.join(self.folder, name)
