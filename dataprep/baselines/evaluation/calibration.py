"""Calibration: whether a model that says 90 % is right in nine cases of ten, and temperature
scaling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import expit, softmax

from dataprep.baselines.evaluation.bootstrap import numbered
from dataprep.baselines.evaluation.metrics import LabelledRows, row_losses
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.results.evaluation import Calibration, CalibrationFigures, ReliabilityBin
from dataprep.schemas.results.record import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal

Binning = Literal["width", "mass"]
_BINS = 15
#: Temperatures are looked for between these.
_COLDEST, _HOTTEST = 0.02, 50.0
#: By so many halvings, which leave 1e-14 of the logarithm's range.
_HALVINGS = 50
_FOLDS = 5
#: Data sets drawn from a calibrated model, to tell how large an error chance makes.
_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Reliability(Record):
    """The expected calibration error (None of nothing), and the bins that are not empty."""

    error: float | None
    bins: list[ReliabilityBin]


def reliability(
    confidence: NDArray[Any], right: NDArray[Any], *, bins: int = _BINS, equal: Binning = "width"
) -> Reliability:
    """How often statements of each confidence are right, and the expected calibration error (Guo et
    al. 2017).

    Args:
        confidence: (n,) probability of what is said, 0 to 1.
        right: (n,) bool whether it is so.
        bins: number of bins; of equal mass, equal confidences stay in one bin, so that there may be
            fewer.
        equal: bins of equal width in confidence, or of equal mass (equal numbers of statements;
            Nguyen & O'Connor 2015).

    Returns:
        The mean gap of confidence and accuracy, weighted by counts, and the bins.
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if not len(confidence):
        return Reliability(None, [])
    if equal == "width":
        edges = np.linspace(0, 1, bins + 1)
    else:
        edges = np.unique(
            np.quantile(confidence, np.linspace(0, 1, bins + 1), method="inverted_cdf")
        )
        edges = np.append(edges, edges[-1]) if len(edges) == 1 else edges
    code = _bin_of(confidence, edges)
    counts = np.bincount(code, minlength=len(edges) - 1)
    kept = np.flatnonzero(counts)
    said = np.bincount(code, confidence, len(counts))[kept] / counts[kept]
    true = np.bincount(code, right, len(counts))[kept] / counts[kept]
    rows = [
        ReliabilityBin(
            low=float(edges[place]),
            high=float(edges[place + 1]),
            count=int(counts[place]),
            confidence=float(mean),
            accuracy=float(accuracy),
        )
        for place, mean, accuracy in zip(kept, said, true, strict=True)
    ]
    return Reliability(float((counts[kept] * np.abs(said - true)).sum() / len(confidence)), rows)


def _bin_of(confidence: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) bin (low, high] of each confidence; the first holds its lower edge."""
    return np.asarray(
        np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2), np.int64
    )


def fit_temperature(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """The number that logits are divided by so that the log-loss is least (Guo et al. 2017).

    The log-loss is convex in the inverse temperature; the zero of its slope is found by halving.
    The logarithm of the temperature has a standard normal prior, so that a few rows that are all
    answered rightly do not make a model sure of everything. 1 where there is nothing to fit on.

    Args:
        logits: (n, k), softmax follows; with labels (n, k) bool the logistic function follows.
        labels: (n,) codes, all known, or (n, k) bool.
    """
    logits = np.asarray(logits, np.float64)
    if not len(logits) or not np.isfinite(logits).all():
        return 1.0

    def slope(log_inverse: float) -> float:
        inverse = float(np.exp(log_inverse))
        return inverse * _slope(logits, labels, inverse) + log_inverse / len(logits)

    low, high = float(np.log(1 / _HOTTEST)), float(np.log(1 / _COLDEST))
    if slope(low) > 0:
        return _HOTTEST
    if slope(high) <= 0:
        return _COLDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) <= 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))


def _slope(logits: NDArray[np.float64], labels: NDArray[Any], inverse: float) -> float:
    """Derivative of the log-loss with respect to the inverse temperature."""
    probs = probabilities(logits, 1 / inverse, several=labels.ndim == 2)
    if labels.ndim == 2:
        return float(((probs - labels) * logits).mean())
    return float(((probs * logits).sum(axis=1) - logits[np.arange(len(labels)), labels]).mean())


def probabilities(
    logits: NDArray[Any], temperature: float = 1.0, *, several: bool = False
) -> NDArray[np.float64]:
    """(n, k) probabilities of logits over `temperature`: softmax, or the logistic function where
    `several` labels may hold.
    """
    scaled = np.asarray(logits, np.float64) / temperature
    return np.asarray(expit(scaled) if several else softmax(scaled, axis=1))


def calibrate(
    goal: Goal, logits: NDArray[Any], labels: NDArray[Any], *, units: Any = None, seed: int = 0
) -> tuple[float, Calibration]:
    """The temperature of a model, fitted on rows that it was not trained on, and what it brings.

    What is told of ``after`` comes from temperatures of other folds of units, so that no row is
    judged by a temperature that it helped to fit.

    Args:
        goal: not a regression.
        logits: (n, k).
        labels: (n,) codes, -1 where missing, or (n, k) bool.
        units: (n,) what has to stay together.
        seed: of the folds.

    Returns:
        The temperature of all rows, and the calibration before and after it.
    """
    judged = LabelledRows.of(goal, labels, logits)
    if not judged.sound:
        nothing = CalibrationFigures()
        return 1.0, Calibration(
            temperature=1.0, samples=len(judged), folds=0, before=nothing, after=nothing
        )
    several = goal.kind == "multi-label"
    temperature = fit_temperature(judged.probs, judged.labels)
    first = judged.labels.argmax(axis=1) if several else judged.labels
    fold = folds_of(numbered(units, judged.rows), first.astype(np.int32), _FOLDS, seed=seed)
    after = np.empty_like(judged.probs)
    for held in np.unique(fold):
        own = fold == held
        rest = fit_temperature(judged.probs[~own], judged.labels[~own])
        after[own] = probabilities(judged.probs[own], rest, several=several)
    before = probabilities(judged.probs, several=several)
    return temperature, Calibration(
        temperature=temperature,
        samples=len(judged),
        folds=int(fold.max()) + 1,
        before=calibration_figures(goal, judged.labels, before, seed=seed),
        after=calibration_figures(goal, judged.labels, after, seed=seed),
    )


def calibration_figures(
    goal: Goal, labels: NDArray[Any], probs: NDArray[Any], *, seed: int = 0
) -> CalibrationFigures:
    """Calibration of probabilities as they are."""
    judged = LabelledRows.of(goal, labels, probs)
    if not judged.sound:
        return CalibrationFigures()
    confidence, right = statements(judged)
    wide, mass = reliability(confidence, right), reliability(confidence, right, equal="mass")
    return CalibrationFigures(
        ece=wide.error,
        ece_mass=mass.error,
        by_chance=_by_chance(confidence, seed),
        log_loss=float(row_losses(judged).mean()),
        reliability=wide.bins,
    )


def statements(judged: LabelledRows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence and truth of everything that is said: one statement per row, or per row and
    label of several.
    """
    if judged.goal.kind == "multi-label":
        confidence = np.maximum(judged.probs, 1 - judged.probs)
        return confidence.ravel(), ((judged.probs >= 0.5) == judged.labels).ravel()
    return judged.probs.max(axis=1), judged.probs.argmax(axis=1) == judged.labels


def _by_chance(confidence: NDArray[np.float64], seed: int) -> float:
    """95th percentile of the calibration error (equal width) when every confidence is true
    (Bröcker & Smith 2007).
    """
    rng = np.random.default_rng(seed)
    code = _bin_of(confidence, np.linspace(0, 1, _BINS + 1))
    said = np.bincount(code, confidence, _BINS)
    errors = [
        np.abs(said - np.bincount(code[rng.random(len(code)) < confidence], minlength=_BINS)).sum()
        for _ in range(_DRAWS)
    ]
    return float(np.quantile(errors, 0.95) / len(confidence))
