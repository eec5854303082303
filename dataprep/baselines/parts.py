"""Evaluation of a trained network part by part: temperature, thresholds and abstention chosen on
validation, figures reported on every part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.evaluation.calibration import calibrate, calibration_figures
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.evaluation.metrics import LabelledRows, decide
from dataprep.baselines.evaluation.scoring import predictions
from dataprep.baselines.evaluation.thresholds import (
    choose_abstention,
    choose_thresholds,
    decides_by_threshold,
    report_abstention,
    risk_coverage,
    threshold_array,
)
from dataprep.baselines.training.network_predictions import logits_of
from dataprep.schemas.columns import PROPERTIES
from dataprep.schemas.results.evaluation import CalibrationOfParts, Coverage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network

#: Wished error among answers, as shares of the error without refusing.
_RISKS = (0.01, 0.05, 0.1)
#: Columns by which errors are sliced, beside the user's own.
_SLICED = (
    "luma_mean",
    "contrast",
    "sharpness",
    "saturation",
    "width",
    "height",
    "format",
    "camera",
)
_MOST_VALUES = 40


@dataclass(frozen=True, eq=False)
class PartResults:
    """Predictions for every part, and all that they say.

    Attributes:
        table: one row per predicted sample (`dataprep.schemas.baseline.Baseline.predictions`).
        logits: part to its (rows, k) logits.
        temperature: of the probabilities.
        thresholds: (k,) least probability for a yes; None where the most probable class is taken.
        figures: ``validation``, ``train``, ``test`` and further parts: `evaluate`; ``calibration``,
            ``thresholds``, ``coverage``, ready for JSON.
    """

    table: pd.DataFrame
    logits: Mapping[str, NDArray[np.float32]]
    temperature: float
    thresholds: NDArray[np.float64] | None
    figures: dict[str, Any]


def evaluate_parts(
    materials: Materials,
    network: Network,
    *,
    final: Network | None = None,
    test: bool = True,
    measured: Mapping[str, float] | None = None,
    seed: int = 0,
) -> PartResults:
    """Predict every part and judge it; temperature, thresholds and abstention are chosen on val
    alone.

    Args:
        materials: what was learned from.
        network: the model.
        final: the model that is judged on the parts other than train and val; `network` by default.
        test: judge the parts other than train and val.
        measured: figures for requirements that predictions do not tell.
        seed: of the bootstrap.
    """
    goal = materials.goal
    parts = {
        name: rows
        for name, rows in materials.parts.items()
        if len(rows) and (test or name in ("train", "val"))
    }
    models = {
        name: network if final is None or name in ("train", "val") else final for name in parts
    }
    logits = {name: logits_of(models[name], materials.store, rows) for name, rows in parts.items()}
    temperature = 1.0
    figures: dict[str, Any] = {}
    labels, units = materials.labels[materials.val], materials.units[materials.val]
    if goal.kind != "regression":
        temperature, calibration = calibrate(goal, logits["val"], labels, units=units, seed=seed)
    probs = {name: predictions(materials, each, temperature) for name, each in logits.items()}
    chosen = {} if goal.kind == "regression" else choose_thresholds(goal, labels, probs["val"])
    thresholds = threshold_array(goal, chosen) if chosen and decides_by_threshold(goal) else None
    if goal.kind != "regression":
        others = {
            name: calibration_figures(goal, materials.labels[rows], probs[name], seed=seed)
            for name, rows in parts.items()
            if name not in ("train", "val")
        }
        figures["calibration"] = CalibrationOfParts(validation=calibration, parts=others)
    figures["thresholds"] = chosen
    for name, rows in parts.items():
        figures["validation" if name == "val" else name] = evaluate(
            goal,
            materials.labels[rows],
            probs[name],
            units=materials.units[rows],
            names=materials.names[rows],
            slices=None if name == "train" else slices_of(materials, rows),
            measured=measured,
            thresholds=thresholds,
            seed=seed,
            draws=200 if name == "train" else 1000,
        )
    if goal.kind in ("binary", "multi-class"):
        figures["coverage"] = _coverage(materials, probs, thresholds)
    return PartResults(
        _table(materials, parts, probs, thresholds), logits, temperature, thresholds, figures
    )


def slices_of(materials: Materials, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Columns of the samples by which errors may differ: measured ones that people understand,
    and the user's own.
    """
    samples = materials.dataset.samples
    known = {
        *PROPERTIES,
        "label",
        "split",
        "unit",
        "lost",
        "lost_detail",
        "file_hash",
        "pixel_hash",
        "captured_at",
    }
    own = [
        name
        for name in samples
        if name not in known and name not in _SLICED and 1 < samples[name].nunique() <= _MOST_VALUES
    ]
    wanted = [name for name in _SLICED if name in samples]
    return samples.iloc[rows][[*wanted, *own]]


def _coverage(
    materials: Materials, probs: Mapping[str, NDArray[Any]], thresholds: NDArray[np.float64] | None
) -> Coverage:
    """Accuracy by the share of images that are answered; thresholds for wished errors, chosen on
    val, as they do elsewhere.
    """
    goal, rows = materials.goal, materials.val
    confidence, right = _answers(
        LabelledRows.of(goal, materials.labels[rows], probs["val"], thresholds)
    )
    curve = risk_coverage(confidence, ~right)
    others = {
        name: _answers(LabelledRows.of(goal, materials.labels[part], probs[name], thresholds))
        for name, part in materials.parts.items()
        if name in probs and name not in ("train", "val")
    }
    found = []
    for risk in _RISKS:
        chosen = choose_abstention(confidence, ~right, risk=risk, units=materials.units[rows])
        if chosen.threshold is not None:
            reports = {
                name: report_abstention(
                    sure, ~good, chosen.threshold, units=materials.units[materials.parts[name]]
                )
                for name, (sure, good) in others.items()
            }
            chosen = replace(chosen, parts=reports)
        found.append(chosen)
    return Coverage(validation=None if curve is None else curve.shown(), abstention=found)


def _answers(judged: LabelledRows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability and truth of what is answered, which a threshold may have made the less
    probable of two classes.
    """
    return judged.probs[np.arange(len(judged)), judged.predicted], judged.predicted == judged.labels


def _table(
    materials: Materials,
    parts: Mapping[str, NDArray[np.int64]],
    probs: Mapping[str, NDArray[Any]],
    thresholds: NDArray[np.float64] | None,
) -> pd.DataFrame:
    frames = []
    for name, rows in parts.items():
        frame = predicted_rows(materials, rows, probs[name], thresholds)
        frames.append(frame.assign(split=name, seen=name == "train"))
    return pd.concat(frames, ignore_index=True)


def predicted_rows(
    materials: Materials,
    rows: NDArray[np.int64],
    probs: NDArray[Any],
    thresholds: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """``sample``, ``label``, ``predicted``, ``confidence`` and ``p:CLASS`` of some rows."""
    goal = materials.goal
    samples = materials.dataset.samples
    frame = pd.DataFrame({"sample": materials.names[rows]})
    frame["label"] = samples["label"].iloc[rows].to_numpy(dtype=object)
    decided = decide(goal, probs, thresholds)
    if goal.kind == "regression":
        return frame.assign(label=pd.to_numeric(frame["label"]), predicted=decided)
    classes = np.array(goal.classes, dtype=object)
    if goal.kind == "multi-label":
        frame["predicted"] = ["|".join(classes[row]) for row in decided]
        frame["confidence"] = np.where(decided, probs, 1 - probs).min(axis=1)
    else:
        frame["predicted"] = classes[decided]
        frame["confidence"] = probs[np.arange(len(rows)), decided]
    return pd.concat(
        [
            frame,
            pd.DataFrame(probs.astype(np.float32), columns=[f"p:{name}" for name in goal.classes]),
        ],
        axis=1,
    )
