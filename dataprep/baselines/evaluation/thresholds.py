"""Thresholds: from which score on to say yes, and below which confidence to say nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import betaincinv

from dataprep.baselines.evaluation.bootstrap import numbered
from dataprep.baselines.evaluation.metrics import LabelledRows
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.schemas.results.evaluation import (
    Abstention,
    AbstentionReport,
    ClassThreshold,
    CoverageCurve,
    Decision,
    PrecisionRecallCurve,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal, Requirement

#: Points of a curve that are kept for charts.
_SHOWN = 400
#: Thresholds that an abstention is chosen from.
_GRID = 20


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision and recall at every threshold that makes a difference.

    Attributes:
        thresholds: (t,) rising; a row whose score is at or above it is taken for positive. They lie
            half-way between scores.
        precision: (t,) share of those taken for positive that are.
        recall: (t,) share of the positive that are taken for it.
        taken: (t,) rows taken for positive.
        positive: positive rows.
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    taken: NDArray[np.int64]
    positive: int

    def f(self, beta: float = 1.0) -> NDArray[np.float64]:
        """(t,) F-beta."""
        hits = self.recall * self.positive
        return np.asarray((1 + beta**2) * hits / (beta**2 * self.positive + self.taken))

    def shown(self) -> PrecisionRecallCurve:
        """The curve for a chart."""
        keep = _spread(len(self.thresholds))
        return PrecisionRecallCurve(
            threshold=self.thresholds[keep].tolist(),
            precision=self.precision[keep].tolist(),
            recall=self.recall[keep].tolist(),
        )


def _spread(count: int) -> NDArray[np.int64]:
    """At most `_SHOWN` of `count` places, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(_SHOWN, count)).round().astype(np.int64))


def precision_recall(scores: NDArray[Any], positive: NDArray[Any]) -> PrecisionRecall | None:
    """The curve of scores (n,) for rows (n,) that are `positive` or not; None without positive
    rows or finite scores.
    """
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if not positive.any() or not np.isfinite(scores).all():
        return None
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    taken, hits = ends + 1, np.cumsum(positive[order])[ends]
    levels = scores[order][ends]
    between = levels - np.append(levels[:-1] - levels[1:], 0.0) / 2
    between[:-1] = np.where(
        between[:-1] > levels[1:], between[:-1], levels[:-1]
    )  # neighbouring floats have nothing between
    between[-1] = min(levels[-1], max(0.0, levels[-1] / 2))  # everything is taken from here down
    flip = slice(None, None, -1)
    return PrecisionRecall(
        between[flip],
        (hits / taken)[flip],
        (hits / positive.sum())[flip],
        taken[flip].astype(np.int64),
        int(positive.sum()),
    )


def choose_threshold(
    scores: NDArray[Any],
    positive: NDArray[Any],
    *,
    beta: float = 1.0,
    require: Sequence[Requirement] = (),
) -> ClassThreshold | None:
    """The threshold with the best F-beta among those at which every requirement holds; of equals
    the least.

    Where recall must reach a bound, this is the highest threshold that still does unless a lower
    one scores better; where precision must, the lowest. Where no threshold meets all, it is the one
    that misses by least, and ``holds`` is false.

    Args:
        scores: (n,) probabilities of the class, of rows that the model was not trained on.
        positive: (n,) bool.
        beta: weight of recall against precision.
        require: requirements on ``precision``, ``recall`` or ``f1`` of this class; others are
            passed over.

    Returns:
        The threshold with what it does; None without positive rows.
    """
    curve = precision_recall(scores, positive)
    if curve is None:
        return None
    figures = {"precision": curve.precision, "recall": curve.recall, "f1": curve.f()}
    missed = np.zeros(len(curve.thresholds))
    for each in require:
        if each.figure in figures:
            missed = np.maximum(missed, each.bound - figures[each.figure])
    f_beta = curve.f(beta)
    allowed = np.flatnonzero(missed <= max(0.0, float(missed.min())) + 1e-12)
    best = int(allowed[np.argmax(f_beta[allowed])])
    hits = curve.recall[best] * curve.positive
    return ClassThreshold(
        threshold=float(curve.thresholds[best]),
        holds=bool(missed[best] <= 1e-12),
        precision=float(curve.precision[best]),
        recall=float(curve.recall[best]),
        f_beta=float(f_beta[best]),
        precision_low=float(wilson(hits, int(curve.taken[best]))[0]),
        recall_low=float(wilson(hits, curve.positive)[0]),
        default=_decision_at(np.asarray(scores) >= 0.5, np.asarray(positive, bool), beta),
        curve=curve.shown(),
    )


def _decision_at(taken: NDArray[np.bool_], positive: NDArray[np.bool_], beta: float) -> Decision:
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f_beta, _ = precision_recall_fscore_support(
        positive, taken, beta=beta, average="binary", zero_division=0.0
    )
    return Decision(precision=precision, recall=recall, f_beta=f_beta)


def choose_thresholds(
    goal: Goal, labels: NDArray[Any], probs: NDArray[Any]
) -> dict[str, ClassThreshold]:
    """Class to its threshold (`choose_threshold`): the positive class of a binary goal, every label
    of several; of more than two classes those that a requirement names, each against the rest.
    Empty for a regression.
    """
    judged = LabelledRows.of(goal, labels, probs)
    found = {}
    for code, name in enumerate(goal.classes):
        named = [
            each
            for each in goal.requirements
            if each.of == name or (goal.positive == name and not each.of)
        ]
        if (
            goal.positive == name
            or goal.kind == "multi-label"
            or (goal.kind == "multi-class" and named)
        ):
            own = judged.labels[:, code] if goal.kind == "multi-label" else judged.labels == code
            chosen = choose_threshold(judged.probs[:, code], own, beta=goal.beta, require=named)
            if chosen is not None:
                found[name] = chosen
    return found


def decides_by_threshold(goal: Goal) -> bool:
    """Whether a model should say yes from the chosen thresholds on.

    They are those of the best F-beta under the requirements: right for several labels, where F is
    what is optimised, and for a binary goal that asks for F-beta or for a precision or recall;
    another metric, accuracy say, would lose by them.
    """
    if goal.kind == "binary":
        asked = {each.figure for each in goal.requirements if each.of in ("", goal.positive)}
        return goal.metric == "f-beta" or bool(asked & {"precision", "recall", "f1"})
    return goal.kind == "multi-label" and goal.metric in ("macro-f1", "micro-f1", "f-beta")


def threshold_array(goal: Goal, chosen: Mapping[str, ClassThreshold]) -> NDArray[np.float64]:
    """(k,) thresholds as `dataprep.baselines.evaluation.metrics.decide` takes them, 0.5 where
    none was chosen.
    """
    return np.array([chosen[name].threshold if name in chosen else 0.5 for name in goal.classes])


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What is risked when only the most confident answers are given (El-Yaniv & Wiener 2010).

    Attributes:
        coverage: (t,) share of rows that are answered, rising.
        risk: (t,) error among them.
        thresholds: (t,) least confidence that is answered.
        area: mean risk over all coverages, the area under the curve (AURC; Geifman, Uziel &
            El-Yaniv 2019).
        excess: `area` less that of the best order of the same errors.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    area: float
    excess: float

    def shown(self) -> CoverageCurve:
        """The curve for a chart."""
        keep = _spread(len(self.coverage))
        return CoverageCurve(
            coverage=self.coverage[keep].tolist(),
            accuracy=(1 - self.risk[keep]).tolist(),
            threshold=self.thresholds[keep].tolist(),
            area=self.area,
            excess=self.excess,
        )


def risk_coverage(confidence: NDArray[Any], wrong: NDArray[Any]) -> RiskCoverage | None:
    """The curve of confidences (n,) and errors (n,), 0 or 1; rows of one confidence are answered
    together. None of nothing.
    """
    confidence, wrong = np.asarray(confidence, np.float64), np.asarray(wrong, np.float64)
    if not len(confidence) or not np.isfinite(confidence).all():
        return None
    n, order = len(confidence), np.argsort(-confidence, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    errors = np.cumsum(wrong[order])[ends]
    every = np.arange(1, n + 1)
    # within equal confidence any order is as likely: errors grow in a straight line
    area = float((np.interp(every, np.append(0, ends + 1), np.append(0.0, errors)) / every).mean())
    best = float((np.cumsum(np.sort(wrong)) / every).mean())
    return RiskCoverage(
        (ends + 1) / n, errors / (ends + 1), confidence[order][ends], area, area - best
    )


def choose_abstention(
    confidence: NDArray[Any],
    wrong: NDArray[Any],
    *,
    risk: float,
    delta: float = 0.05,
    units: Any = None,
) -> Abstention:
    """The least confidence to answer at so that the risk on new data is at most `risk`, with
    probability 1 - `delta`.

    The least of twenty thresholds, those that answer 5 %, 10 %, ... of these rows, at which the
    exact binomial bound of the error, at a twentieth of `delta`, is no more than `risk` (selective
    classification with guaranteed risk, Geifman & El-Yaniv 2017, with a grid in place of their
    binary search, which can miss where errors do not fall evenly). The guarantee holds for data
    drawn as these rows were, which the model and its temperature have not seen. Where units have
    several rows, a unit counts as one, with the mean error of its rows, since rows of one patient
    do not tell apart more than one.

    Args:
        confidence: (n,) of rows that the model was not trained on.
        wrong: (n,) bool or 0 to 1.
        risk: wished error among those that are answered, above 0 and below 1.
        delta: probability that the guarantee fails.
        units: (n,) what varies together.

    Returns:
        The threshold with what it does here; where none is good enough, `holds` is false and the
        values are those of the one with the least bound.
    """
    confidence, wrong = np.asarray(confidence, np.float64), np.asarray(wrong, np.float64)
    unit = numbered(units, np.arange(len(confidence)))
    if not len(confidence) or not np.isfinite(confidence).all():
        return Abstention(
            threshold=None,
            coverage=0.0,
            risk=None,
            bound=1.0,
            units=0,
            holds=False,
            wished=risk,
            delta=delta,
        )
    levels = np.unique(
        np.quantile(confidence, 1 - np.arange(1, _GRID + 1) / _GRID, method="inverted_cdf")
    )
    found = [_answered(confidence, wrong, unit, float(level), risk, delta) for level in levels]
    good = [each for each in found if each.holds]
    return good[0] if good else min(found, key=lambda each: each.bound)


def _answered(
    confidence: NDArray[np.float64],
    wrong: NDArray[np.float64],
    unit: NDArray[np.int64],
    threshold: float,
    wished: float,
    delta: float,
) -> Abstention:
    """What is answered at one of the `_GRID` thresholds: coverage, error, and its bound."""
    inside = confidence >= threshold
    rows = np.bincount(unit[inside])
    errors = np.bincount(unit[inside], wrong[inside])[rows > 0] / rows[rows > 0]
    bound = binomial_bound(math.ceil(float(errors.sum()) - 1e-9), len(errors), delta / _GRID)
    return Abstention(
        threshold=threshold,
        coverage=float(inside.mean()),
        risk=float(wrong[inside].mean()),
        bound=bound,
        units=len(errors),
        holds=bound <= wished,
        wished=wished,
        delta=delta,
    )


def binomial_bound(errors: int, of: int, delta: float) -> float:
    """The largest rate that gives at most `errors` errors in `of` trials with probability
    `delta` (Clopper & Pearson 1934).
    """
    return float(betaincinv(errors + 1, of - errors, 1 - delta)) if errors < of else 1.0


def report_abstention(
    confidence: NDArray[Any], wrong: NDArray[Any], threshold: float, *, units: Any = None
) -> AbstentionReport:
    """What a threshold chosen elsewhere does on these rows (the test part)."""
    confidence, wrong = np.asarray(confidence, np.float64), np.asarray(wrong, np.float64)
    inside = confidence >= threshold
    refused = float(wrong[~inside].mean()) if (~inside).any() else None
    if not inside.any():
        return AbstentionReport(
            answered=0,
            coverage=0.0,
            risk=None,
            low=None,
            high=None,
            accuracy=None,
            refused_risk=refused,
        )
    rate = float(wrong[inside].mean())
    count = len(np.unique(numbered(units, np.arange(len(wrong)))[inside]))
    low, high = (float(end) for end in wilson(rate * count, count))
    return AbstentionReport(
        answered=int(inside.sum()),
        coverage=float(inside.mean()),
        risk=rate,
        low=low,
        high=high,
        accuracy=1 - rate,
        refused_risk=refused,
    )
