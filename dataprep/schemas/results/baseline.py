"""metrics.json: everything that was measured of a baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dataprep.schemas.results.errors import Errors
from dataprep.schemas.results.evaluation import (
    CalibrationOfParts,
    ClassThreshold,
    ClassWeightEffect,
    CleaningEffect,
    Coverage,
    Estimate,
    NeighbourFigures,
    NoiseCeiling,
    PartEvaluation,
    ProbeFigures,
    TrivialBaseline,
)
from dataprep.schemas.results.record import MERGED, Record


@dataclass(frozen=True, eq=False, kw_only=True)
class DataFigures(Record):
    """What was trained on: part to its samples, to the samples of each class and to its units;
    sample to why it could not be read; mean and standard deviation of the training values of a
    regression (0 and 1 else).
    """

    parts: dict[str, int]
    counts: dict[str, dict[str, int]]
    lost: dict[str, Any]
    units: dict[str, int]
    centre: float
    spread: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RegimeFigures(Record):
    """How it was trained.

    Attributes:
        name: frozen, fine-tune or scratch. arch: the network. size: pixels a side.
        reason: why this regime. device: where.
        settings: of the loop (`dataprep.baselines.training.settings.TrainSettings`).
        policy, policy_reasons: the augmentation policy, and why.
    """

    name: str
    arch: str
    size: int
    reason: str
    device: str
    settings: dict[str, Any]
    policy: str
    policy_reasons: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldFigures(Record):
    """One fold of a cross-validation: rows learned from, rows judged, metrics."""

    fold: int
    train: int
    samples: int
    metrics: dict[str, float | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldEstimate(Record):
    """Mean and standard deviation over folds, with a 95 % interval (Nadeau & Bengio 2003)."""

    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossValidation(Record):
    """Figures of each fold, and metric to its estimate over folds."""

    folds: list[FoldFigures]
    metrics: dict[str, FoldEstimate]


@dataclass(frozen=True, eq=False, kw_only=True)
class FinalTraining(Record):
    """The training on train and val together: epochs, samples, loss of the last epoch (None of
    frozen features).
    """

    epochs: int
    samples: int
    train_loss: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class FrozenLinear(Record):
    """The classifier on frozen features that fine-tuning started from: its penalty, the scores that
    the penalty was chosen by, and its metrics on validation.
    """

    penalty: float
    scores: Any
    validation: dict[str, Estimate]


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureMapFigures(Record):
    """Where images lie on the map of the penultimate layer; empty for fewer than 12.

    Attributes:
        samples: names. x, y: 0 to 65535.
        agreeing: of the 15 nearest neighbours how many share the label; -1 unknown.
        labels, label_of: names, and the code of each sample; -1 unknown.
        total: images that could be on the map.
        reading: what it says, in a sentence. classes: name, count, agreement, other, share.
    """

    samples: list[str] | None = None
    x: list[int] | None = None
    y: list[int] | None = None
    agreeing: list[int] | None = None
    labels: list[str] | None = None
    label_of: list[int] | None = None
    total: int | None = None
    reading: str | None = None
    classes: list[dict[str, Any]] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class NextStep(Record):
    """A step that pays: a short code, the sentence, the figure that it rests on, what there is to
    gain, and the facts behind it.
    """

    step: str
    sentence: str
    figure: float | None
    gain: float
    evidence: dict[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExportResult(Record):
    """Whether the exported models are there, the greatest difference from torch, the images that
    they were compared on, and megabytes; `reason`: why they are not.
    """

    known: bool
    difference: float | None = None
    images: int | None = None
    size_mb: float | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class BaselineMetrics(Record):
    """Everything measured; what was not is None, and has no key in ``metrics.json``.

    Attributes:
        fingerprint: of the data, in the file alone.
        sanity: lines of the checks before training: check, value, expected, passed, sentence.
        learning_rate: the range test
            (`dataprep.baselines.tuning.learning_rate_range`).
        tuning: trials of hyperparameters (`dataprep.baselines.tuning.tuning`).
        goal: the fields of `dataprep.schemas.goal.Goal`, requirements as text.
        data, regime: what was trained on, and how.
        trivial_baselines: the best first; their key is ``dumb``.
        ceiling: of label noise. probe, neighbours: on the audit's embeddings. imbalance: class
            weights.
        compare: cleaning. final: the training on train and val.
        cross_validation: a model per fold.
        latency_ms, size_mb: one image on one thread, and the weights.
        calibration: None of a regression. thresholds: class to its threshold.
        parts: ``validation``, ``train``, ``test`` and the user's own parts; their keys lie beside
            the others.
        coverage: of a binary or multi-class goal.
        history: figures by epoch. best_epoch: from 0.
        linear: None from scratch. errors: on validation. map: of the features. next: steps.
        seconds: by stage. export: of the model files.
    """

    fingerprint: str | None = None
    sanity: list[dict[str, Any]] | None = None
    learning_rate: dict[str, Any] | None = None
    tuning: dict[str, Any] | None = None
    goal: dict[str, Any] | None = None
    data: DataFigures | None = None
    regime: RegimeFigures | None = None
    trivial_baselines: list[TrivialBaseline] | None = field(default=None, metadata={"key": "dumb"})
    ceiling: NoiseCeiling | None = None
    probe: ProbeFigures | None = None
    neighbours: NeighbourFigures | None = None
    imbalance: ClassWeightEffect | None = None
    compare: CleaningEffect | None = None
    final: FinalTraining | None = None
    cross_validation: CrossValidation | None = None
    latency_ms: float | None = None
    size_mb: float | None = None
    calibration: CalibrationOfParts | None = None
    thresholds: dict[str, ClassThreshold] | None = None
    parts: dict[str, PartEvaluation] | None = field(default=None, metadata=MERGED)
    coverage: Coverage | None = None
    history: list[dict[str, Any]] | None = None
    best_epoch: int | None = None
    linear: FrozenLinear | None = None
    errors: Errors | None = None
    map: FeatureMapFigures | None = None
    next: list[NextStep] | None = None
    seconds: dict[str, float] | None = None
    export: ExportResult | None = None
