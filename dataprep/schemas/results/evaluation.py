"""Results of an evaluation: figures with intervals, classes, slices, calibration, thresholds,
comparisons. Figures are None where they are not defined.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dataprep.schemas.results.record import MERGED, Record


@dataclass(frozen=True, eq=False)
class Estimate(Record):
    """A figure with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class OptimisedMetric(Record):
    """The metric that is optimised: its `name`, which `direction` is better ("higher" or "lower"),
    its value and its 95 % interval.
    """

    name: str
    direction: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class RankingAreas(Record):
    """Areas under the precision-recall and the ROC curve of a class against the rest."""

    pr_auc: float | None
    roc_auc: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassFigures(Record):
    """Figures of one class.

    Attributes:
        name: of the class; its key is ``class``.
        support: rows of the class.
        units: units (patients, sets of copies) that these rows come from.
        precision, recall, f1: with intervals.
        areas: None for the negative class of a binary goal; its keys lie beside the others.
    """

    name: str = field(metadata={"key": "class"})
    support: int
    units: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    areas: RankingAreas | None = field(default=None, metadata=MERGED)


@dataclass(frozen=True, eq=False, kw_only=True)
class Confusion(Record):
    """Rows by true and by predicted class.

    Attributes:
        classes: names, in the order of `rows`; None where there is nothing to count.
        rows: (k, k) counts, true class by predicted class.
        labels: of several labels instead: ``tn``, ``fp``, ``fn``, ``tp``, one count per label each.
    """

    classes: list[str] | None = None
    rows: list[list[int]] | None = None
    labels: dict[str, list[int]] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class SliceFigures(Record):
    """How a slice scores beside rows of the same classes outside of it.

    Attributes:
        slice: in words. property: the column that it is cut by.
        rows, units: how many.
        value, rest: mean scores within and without.
        difference: standardised by class, with `low` and `high` (95 %).
        p: adjusted for all slices. worse: whether the slice is flagged.
        examples: names of the most confident mistakes, of flagged slices.
    """

    slice: str
    property: str
    rows: int
    units: int
    value: float
    rest: float
    difference: float
    low: float
    high: float
    p: float
    worse: bool
    examples: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class RequirementResult(Record):
    """Whether a requirement is met: the requirement in words, its figure with the interval,
    whether the figure is known, whether it `holds`, and `surely`: at both ends of the interval.
    """

    requirement: str
    figure: str
    of: str
    bound: float
    value: float | None
    low: float | None
    high: float | None
    known: bool
    holds: bool
    surely: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class TargetResult(Record):
    """The value aimed at, whether it is reached, and `surely`: at the worse end of the interval."""

    value: float
    reached: bool
    surely: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class PartEvaluation(Record):
    """All that predictions on one part say.

    Attributes:
        samples, unlabelled, units: rows with and without a label, and units of those with one.
        draws: bootstrap samples.
        metric: the optimised one.
        metrics: name to its estimate.
        confusion: rows by true and predicted class.
        classes: figures of each class, in the goal's order.
        absent: classes without a row here.
        slices: worst first.
        requirements: in the goal's order.
        target: None where the goal has none.
    """

    samples: int
    unlabelled: int
    units: int
    draws: int
    metric: OptimisedMetric
    metrics: dict[str, Estimate]
    confusion: Confusion
    classes: list[ClassFigures]
    absent: list[str]
    slices: list[SliceFigures]
    requirements: list[RequirementResult]
    target: TargetResult | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ReliabilityBin(Record):
    """Predictions whose confidence lies in (low, high]: how many, their mean confidence, and the
    share that is right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibrationFigures(Record):
    """How well probabilities are calibrated; all None where there is nothing to judge.

    Attributes:
        ece: expected calibration error, 15 bins of equal width. ece_mass: of equal mass.
        by_chance: 95th percentile of the error that a calibrated model would show on so many rows.
        log_loss: in nats.
        reliability: the bins of equal width that are not empty.
    """

    ece: float | None = None
    ece_mass: float | None = None
    by_chance: float | None = None
    log_loss: float | None = None
    reliability: list[ReliabilityBin] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration(Record):
    """Temperature scaling: the temperature, the rows and folds that it was fitted on, and the
    calibration before and after it; after: by temperatures of other folds.
    """

    temperature: float
    samples: int
    folds: int
    before: CalibrationFigures
    after: CalibrationFigures


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibrationOfParts(Record):
    """Calibration on validation, where the temperature comes from, and on the `parts` that were
    only evaluated (part to its figures; their keys lie beside ``validation``).
    """

    validation: Calibration
    parts: dict[str, CalibrationFigures] | None = field(default=None, metadata=MERGED)


@dataclass(frozen=True, eq=False, kw_only=True)
class Decision(Record):
    """Precision, recall and F-beta of the decisions at a threshold."""

    precision: float
    recall: float
    f_beta: float


@dataclass(frozen=True, eq=False, kw_only=True)
class PrecisionRecallCurve(Record):
    """Points of a precision-recall curve by rising threshold, at most 400."""

    threshold: list[float]
    precision: list[float]
    recall: list[float]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassThreshold(Record):
    """The threshold of a class, chosen on validation.

    Attributes:
        threshold: least probability for a yes.
        holds: whether every requirement on the class is met there.
        precision, recall, f_beta: there.
        precision_low, recall_low: lower ends of their 95 % intervals (Wilson).
        default: the same at 0.5.
        curve: for a chart.
    """

    threshold: float
    holds: bool
    precision: float
    recall: float
    f_beta: float
    precision_low: float
    recall_low: float
    default: Decision
    curve: PrecisionRecallCurve


@dataclass(frozen=True, eq=False, kw_only=True)
class CoverageCurve(Record):
    """Accuracy by the share of rows that are answered, at most 400 points.

    Attributes:
        coverage, accuracy, threshold: of each point.
        area: mean error over all coverages (AURC). excess: less that of the best order.
    """

    coverage: list[float]
    accuracy: list[float]
    threshold: list[float]
    area: float
    excess: float


@dataclass(frozen=True, eq=False, kw_only=True)
class AbstentionReport(Record):
    """What an abstention threshold does on a part that it was not chosen on.

    Attributes:
        answered, coverage: rows that are answered, and their share.
        risk: error among them, with `low` and `high` (95 %, Wilson over units). accuracy: 1 - risk.
        refused_risk: error among the others; None where there are none.
    """

    answered: int
    coverage: float
    risk: float | None
    low: float | None
    high: float | None
    accuracy: float | None
    refused_risk: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Abstention(Record):
    """The least confidence to answer at for a wished error.

    Attributes:
        threshold: None where there are no rows to choose on.
        coverage, risk: share that is answered, and the error among it, on validation.
        bound: of the error on new data, with probability 1 - `delta`.
        units: that are answered.
        holds: whether the bound is no more than the error `wished` for.
        parts: part to what the threshold does there; their keys lie beside the others.
    """

    threshold: float | None
    coverage: float
    risk: float | None
    bound: float
    units: int
    holds: bool
    wished: float
    delta: float
    parts: dict[str, AbstentionReport] | None = field(default=None, metadata=MERGED)


@dataclass(frozen=True, eq=False, kw_only=True)
class Coverage(Record):
    """The coverage curve on validation (None without rows), and the thresholds for wished errors,
    the least error first.
    """

    validation: CoverageCurve | None
    abstention: list[Abstention]


@dataclass(frozen=True, eq=False, kw_only=True)
class MetricDifference(Record):
    """A metric of `one` and of the `other` model, their difference (other less one) with its 95 %
    interval, and the verdict: "better", "worse" or "no clear difference".
    """

    one: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, eq=False, kw_only=True)
class NamedDifference(Record):
    """As `MetricDifference`, of the metric `name`."""

    name: str
    one: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison(Record):
    """Two models on the same rows: how many rows and units, the optimised metric, and all metrics
    by name.
    """

    samples: int
    units: int
    metric: NamedDifference
    metrics: dict[str, MetricDifference]


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedSeeds(Record):
    """A metric before and after a change, over runs that share their seeds.

    Attributes:
        metric: its name. seeds: pairs whose difference is defined.
        before, after: means.
        differences: after less before, seed by seed.
        difference: their mean, with `low` and `high` (95 %, Student) and the two-sided `p`.
        verdict: "better", "worse" or "no clear difference".
    """

    metric: str
    seeds: int
    before: float | None
    after: float | None
    differences: list[float]
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: str


@dataclass(frozen=True, eq=False, kw_only=True)
class CleaningEffect(Record):
    """Training before and after cleaning.

    Attributes:
        paired: over seeds; its keys lie beside the others.
        dropped, relabelled: training samples. judged: rows of val that the plan leaves alone.
        rows: the mean predictions of all seeds compared on these rows.
        helped: "better" or "worse" where both comparisons say so, else "no clear difference".
        sentence: in words.
    """

    paired: PairedSeeds | None = field(default=None, metadata=MERGED)
    dropped: int
    relabelled: int
    judged: int
    rows: Comparison
    helped: str
    sentence: str


@dataclass(frozen=True, eq=False, kw_only=True)
class TrivialBaseline(Record):
    """A prediction that does not look at the image: its name, what it is in words, the value of the
    optimised metric, and all metrics.
    """

    name: str
    what: str
    value: float | None
    metrics: dict[str, float | None]


@dataclass(frozen=True, eq=False, kw_only=True)
class CeilingEstimate(Record):
    """The accuracy of a perfect model judged by labels of which the share `rate` is wrong, with
    its interval where the check `source` tells one.
    """

    ceiling: float
    low: float | None
    high: float | None
    rate: float
    source: str


@dataclass(frozen=True, eq=False, kw_only=True)
class NoiseCeiling(Record):
    """What wrong labels allow a perfect model to reach: whether that is `known`, its `estimate`
    where it is (its keys lie beside the others), and the same in words.
    """

    known: bool
    estimate: CeilingEstimate | None = field(default=None, metadata=MERGED)
    sentence: str


@dataclass(frozen=True, eq=False, kw_only=True)
class ProbeFigures(Record):
    """A linear probe on the audit's embeddings: whether there were any, the rows that it was fitted
    on, the width of its features, its penalty (one per label of several), and part to the
    estimates of its metrics, whose keys lie beside the others.
    """

    known: bool
    fitted: int | None = None
    features: int | None = None
    penalty: Any = None
    parts: dict[str, dict[str, Estimate]] | None = field(default=None, metadata=MERGED)


@dataclass(frozen=True, eq=False, kw_only=True)
class NeighbourFigures(Record):
    """Nearest neighbours on embeddings: how many vote, and part to the estimates of the metrics,
    whose keys lie beside that.
    """

    neighbours: int
    parts: dict[str, dict[str, Estimate]] | None = field(default=None, metadata=MERGED)


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightingFigures(Record):
    """Macro-F1 and the recall of every class under one weighting of the classes."""

    macro_f1: Estimate = field(metadata={"key": "macro-f1"})
    recall: dict[str, Estimate]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassWeightEffect(Record):
    """What was done about unequal classes, and what class weights do on frozen embeddings; empty
    for several labels and regressions.

    Attributes:
        counts: class to its training samples. ratio: the largest class to the smallest.
        imbalanced: whether the ratio is above 1.5. used: class_weights, sampler and focal.
        sentence: in words.
        choices: weighting to its figures. difference: one without weights, other with `weighting`.
        weighting: the one that was used, else "inverse".
    """

    counts: dict[str, int] | None = None
    ratio: float | None = None
    imbalanced: bool | None = None
    used: dict[str, Any] | None = None
    sentence: str | None = None
    choices: dict[str, WeightingFigures] | None = None
    difference: Comparison | None = None
    weighting: str | None = None
