"""Metrics: the figures by which a model is evaluated, each defined once, for plain rows and for
resampled ones.

A metric is a function of rows with weights. With weights of one it is the metric; with the number
of times that each row was drawn it is the metric of a bootstrap sample, without a copy of the rows.
Weighted as not, they equal scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal, Kind

#: Probabilities are not taken below this in logarithms.
_LEAST = float(np.finfo(np.float64).eps)
#: Scores that are told apart in resampling.
_BINS = 4096


def decide(
    goal: Goal, probs: NDArray[Any], thresholds: NDArray[np.float64] | None = None
) -> NDArray[Any]:
    """Predictions from probabilities.

    Args:
        goal: what is predicted.
        probs: (n, k) probabilities in the order of the goal's classes; (n,) values for a
            regression.
        thresholds: (k,) least probability for a yes: of the positive class of a binary goal, of
            each label of a multi-label one; 0.5 by default. A multi-class goal takes the most
            probable class.

    Returns:
        (n,) class codes; (n, k) bool for several labels; the values themselves for a regression.
    """
    if goal.kind == "regression":
        return probs
    if goal.kind == "multi-label":
        return probs >= (0.5 if thresholds is None else thresholds)
    if goal.kind == "binary" and thresholds is not None:
        positive = goal.classes.index(goal.positive)
        return np.where(probs[:, positive] >= thresholds[positive], positive, 1 - positive)
    return np.asarray(probs.argmax(axis=1), np.int64) if len(probs) else np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The rows that can be evaluated: those with a label.

    Attributes:
        goal: what is predicted.
        labels: (n,) codes, (n, k) bool, or (n,) values.
        probs: (n, k) float64 probabilities, or (n,) values.
        predicted: (n,) codes, (n, k) bool, or the values.
        rows: (n,) places of these rows among those given.
    """

    goal: Goal
    labels: NDArray[Any]
    probs: NDArray[np.float64]
    predicted: NDArray[Any]
    rows: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        goal: Goal,
        labels: NDArray[Any],
        probs: NDArray[Any],
        thresholds: NDArray[np.float64] | None = None,
    ) -> LabelledRows:
        """The rows with a label (one that is not -1 or NaN); see `decide` for `thresholds`."""
        rows = np.flatnonzero(known_labels(goal, labels))
        labels, probs = np.asarray(labels)[rows], np.asarray(probs, np.float64)[rows]
        if goal.kind == "regression":
            probs = probs.reshape(len(rows))
        kind: type[Any] = {"regression": np.float64, "multi-label": np.bool_}.get(
            goal.kind, np.int64
        )
        return cls(goal, labels.astype(kind), probs, decide(goal, probs, thresholds), rows)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def sound(self) -> bool:
        """Whether there is anything to judge, and all of it is finite."""
        return len(self) > 0 and bool(np.isfinite(self.probs).all())

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """The rows by falling score: for the positive class of a binary goal, for each class or
        label of the others.
        """
        return self._ranked(len(self))

    @cached_property
    def coarse_rankings(self) -> tuple[Ranking, ...]:
        """As `rankings`, with neighbouring scores of many rows taken together, for resampling."""
        return self._ranked(_BINS)

    def _ranked(self, bins: int) -> tuple[Ranking, ...]:
        if self.goal.kind == "binary":
            code = self.goal.classes.index(self.goal.positive)
            return (Ranking.of(self.probs[:, code], self.labels == code, bins),)
        columns = range(len(self.goal.classes))
        several = self.goal.kind == "multi-label"
        return tuple(
            Ranking.of(self.probs[:, c], self.labels[:, c] if several else self.labels == c, bins)
            for c in columns
        )


def known_labels(goal: Goal, labels: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) whether each row has a label."""
    labels = np.asarray(labels)
    if goal.kind == "regression":
        return np.asarray(np.isfinite(labels.astype(np.float64)))
    if goal.kind == "multi-label":
        return np.asarray((labels.astype(np.int64) >= 0).all(axis=1))
    return np.asarray(labels >= 0)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows by falling score.

    Attributes:
        step: (n,) number of each row's score, 0 the highest; rows of one score share it.
        positive: (p,) rows that are positive.
        steps: number of scores.
    """

    step: NDArray[np.int64]
    positive: NDArray[np.int64]
    steps: int

    @classmethod
    def of(cls, scores: NDArray[np.float64], positive: NDArray[np.bool_], bins: int) -> Ranking:
        """Rank; where there are more scores than `bins`, neighbours are taken together.

        Bins hold as much of the positive rows and of all rows each, and a positive row ends its
        bin, so that the precision at the few positive rows of a rare class stays what it is.
        """
        order = np.argsort(-scores, kind="stable")
        begins = np.append(True, np.diff(scores[order]) != 0)[: len(order)]
        step = np.empty(len(scores), np.int64)
        step[order] = np.cumsum(begins) - 1
        steps = int(begins.sum())
        if steps > bins:
            hits = np.bincount(step, positive, steps) / max(1, int(positive.sum())) + np.bincount(
                step, minlength=steps
            ) / len(step)
            before = np.cumsum(hits) - hits
            binned = np.append(0, np.cumsum(np.diff((before * bins / 2).astype(np.int64)) > 0))
            step, steps = binned[step], int(binned[-1]) + 1
        return cls(step, np.flatnonzero(positive), steps)

    def sums(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(d, steps) weights of positive rows, and of all, down to each score."""
        positive, every = np.empty((2, len(weights), self.steps))
        own = self.step[self.positive]
        for hits, rows, row in zip(positive, every, weights, strict=True):
            hits[:] = np.bincount(own, row[self.positive], self.steps)
            rows[:] = np.bincount(self.step, row, self.steps)
        return np.cumsum(positive, axis=1), np.cumsum(every, axis=1)


class Weighted:
    """LabelledRows rows under one or many sets of weights, with what several metrics share.

    Args:
        judged: n rows.
        weights: (d, n) weight of every row in each of d sets; ones by default.
    """

    def __init__(self, judged: LabelledRows, weights: NDArray[np.float64] | None = None) -> None:
        self.judged, self.goal = judged, judged.goal
        self.weights = np.ones((1, len(judged))) if weights is None else weights
        self._exact = weights is None

    @cached_property
    def tally(self) -> NDArray[np.float64]:
        """(d, 3, k) of each class: rows of it that were predicted so, rows that were predicted
        so, rows of it.
        """
        labels, predicted, k = self.judged.labels, self.judged.predicted, len(self.goal.classes)
        if self.goal.kind == "multi-label":
            parts = (labels & predicted, predicted, labels)
            return np.stack([self.weights @ part.astype(np.float64) for part in parts], axis=1)
        right = np.flatnonzero(labels == predicted)
        counts = np.empty((len(self.weights), 3, k))
        for own, weights in zip(counts, self.weights, strict=True):
            own[0] = np.bincount(labels[right], weights[right], k)
            own[1] = np.bincount(predicted, weights, k)
            own[2] = np.bincount(labels, weights, k)
        return counts

    @cached_property
    def ranked(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """For every ranking, (d, steps) weights of positive rows and of all rows down to each
        score.
        """
        rankings = self.judged.rankings if self._exact else self.judged.coarse_rankings
        return [ranking.sums(self.weights) for ranking in rankings]

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """(d,) weight of all rows."""
        return np.asarray(self.weights.sum(axis=1))

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """(d,) weighted means of values (n,)."""
        return _ratio(self.weights @ np.asarray(values, np.float64), self.total)


def _ratio(
    part: NDArray[np.float64], whole: NDArray[np.float64], otherwise: float = np.nan
) -> NDArray[np.float64]:
    """`part` / `whole`, and `otherwise` where there is no whole."""
    out = np.full(np.broadcast(part, whole).shape, otherwise)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def _macro(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) means over the last axis of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    return _ratio(
        np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64)
    )


def class_precision(tally: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., k) precision of every class from a tally (..., 3, k): 0 when it is never predicted,
    NaN when it is not there.
    """
    right, predicted, own = tally[..., 0, :], tally[..., 1, :], tally[..., 2, :]
    return np.where((predicted > 0) | (own > 0), _ratio(right, predicted, 0.0), np.nan)


def class_recall(tally: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., k) recall of every class from a tally (..., 3, k); NaN of a class without rows."""
    return _ratio(tally[..., 0, :], tally[..., 2, :])


def class_f(tally: NDArray[np.float64], beta: float = 1.0) -> NDArray[np.float64]:
    """(..., k) F-beta of every class from a tally (..., 3, k); NaN of a class without rows that
    is never predicted.
    """
    right, predicted, own = tally[..., 0, :], tally[..., 1, :], tally[..., 2, :]
    return _ratio((1 + beta**2) * right, beta**2 * own + predicted)


def class_average_precision(rows: Weighted) -> NDArray[np.float64]:
    """(d, r) area under the precision-recall curve of every ranking, as a sum of steps; NaN
    without positive rows.
    """
    found = []
    for positive, every in rows.ranked:
        steps = np.diff(positive, axis=1, prepend=0.0)
        found.append(_ratio((steps * _ratio(positive, every, 0.0)).sum(axis=1), positive[:, -1]))
    return np.stack(found, axis=1)


def class_roc_auc(rows: Weighted) -> NDArray[np.float64]:
    """(d, r) area under the ROC curve of every ranking; NaN without both kinds of rows."""
    found = []
    for positive, every in rows.ranked:
        negative = every - positive
        heights = positive + np.concatenate(
            [np.zeros((len(positive), 1)), positive[:, :-1]], axis=1
        )
        area = (np.diff(negative, axis=1, prepend=0.0) * heights).sum(axis=1) / 2
        found.append(_ratio(area, positive[:, -1] * negative[:, -1]))
    return np.stack(found, axis=1)


def _own(rows: Weighted, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) the positive class's value of a binary goal, else the mean over classes, of values
    (d, k).
    """
    if rows.goal.kind == "binary":
        return values[:, rows.goal.classes.index(rows.goal.positive)]
    return _macro(values)


def _mcc(rows: Weighted) -> NDArray[np.float64]:
    right, predicted, own = (rows.tally[:, i] for i in range(3))
    total = rows.total
    joint = right.sum(axis=1) * total - (predicted * own).sum(axis=1)
    spreads = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (own**2).sum(axis=1))
    return np.where(total > 0, _ratio(joint, np.sqrt(np.maximum(spreads, 0)), 0.0), np.nan)


def row_losses(judged: LabelledRows) -> NDArray[np.float64]:
    """(n,) log-loss of every row, in nats; of several labels their mean."""
    if judged.goal.kind == "multi-label":
        given = np.where(judged.labels, judged.probs, 1 - judged.probs)
        return np.asarray(-np.log(np.clip(given, _LEAST, 1)).mean(axis=1))
    return np.asarray(
        -np.log(np.clip(judged.probs[np.arange(len(judged)), judged.labels], _LEAST, 1))
    )


def row_scores(judged: LabelledRows) -> NDArray[np.float64]:
    """(n,) how right each row is: 1 or 0, the share of labels that are right, or the absolute
    error of a regression.
    """
    if judged.goal.kind == "regression":
        return np.asarray(np.abs(judged.predicted - judged.labels))
    hits = np.asarray(judged.predicted == judged.labels, np.float64)
    return np.asarray(hits.mean(axis=1)) if judged.goal.kind == "multi-label" else hits


def _r2(rows: Weighted) -> NDArray[np.float64]:
    labels = rows.judged.labels - rows.judged.labels.mean()
    spread = rows.mean(labels**2) - rows.mean(labels) ** 2
    missed = rows.mean((rows.judged.predicted - rows.judged.labels) ** 2)
    flat = spread <= 1e-12 * max(float((labels**2).mean()), 1e-300)
    return np.where(flat, np.nan, 1 - missed / np.where(flat, 1.0, spread))


@dataclass(frozen=True)
class Metric:
    """One figure by which models are judged.

    Attributes:
        name: as in options and requirements.
        direction: which values are better.
        kinds: the goals that it suits.
        figure: from judged rows under d sets of weights to (d,) values.
        meaning: what it is and where it comes from.
        bounded: whether it lies between 0 and 1 (for higher-is-better ones other than R² and MCC).
        ranked: whether it needs the order of all scores, which makes a bootstrap dear.
    """

    name: str
    direction: Literal["higher", "lower"]
    kinds: frozenset[Kind]
    figure: Callable[[Weighted], NDArray[np.float64]]
    meaning: str
    bounded: bool = True
    ranked: bool = False

    def function(self, goal: Goal, labels: NDArray[Any], probs: NDArray[Any]) -> float:
        """The figure of all rows with a label; NaN where there are none, or a probability is not
        finite.

        Args:
            goal: of one of `kinds`.
            labels: (n,) codes, -1 where missing; (n, k) bool (or -1 in rows without labels); (n,)
                values, NaN where missing.
            probs: (n, k) probabilities, or (n,) values.
        """
        return self.values(Weighted(LabelledRows.of(goal, labels, probs)))[0]

    def values(self, rows: Weighted) -> list[float]:
        """The figure under each set of weights; NaN where it is not defined."""
        if not rows.judged.sound:
            return [float("nan")] * len(rows.weights)
        return [float(value) for value in self.figure(rows)]

    def is_better(self, one: float, other: float) -> bool:
        """Whether `one` is better than `other`; never, when either is NaN."""
        return one > other if self.direction == "higher" else one < other


_SINGLE: tuple[Kind, ...] = ("binary", "multi-class")
_LABELS: tuple[Kind, ...] = (*_SINGLE, "multi-label")


def _metric(
    name: str,
    direction: Literal["higher", "lower"],
    kinds: tuple[Kind, ...],
    figure: Callable[[Weighted], Any],
    meaning: str,
    *,
    bounded: bool = True,
    ranked: bool = False,
) -> Metric:
    return Metric(name, direction, frozenset(kinds), figure, meaning, bounded, ranked)


#: Every metric, by name.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _metric(
            "accuracy",
            "higher",
            _SINGLE,
            lambda rows: _ratio(rows.tally[:, 0].sum(axis=1), rows.total),
            "share of rows that are right",
        ),
        _metric(
            "macro-f1",
            "higher",
            _LABELS,
            lambda rows: _macro(class_f(rows.tally)),
            "mean over the classes of the harmonic mean of precision and recall, so that each "
            "class counts alike whatever its "
            "size (van Rijsbergen 1979; averaged as Opitz & Burst 2019 recommend)",
        ),
        _metric(
            "micro-f1",
            "higher",
            ("multi-label",),
            lambda rows: class_f(rows.tally.sum(axis=2, keepdims=True))[:, 0],
            "F1 of all decisions on labels taken together, so that frequent labels count most",
        ),
        _metric(
            "f-beta",
            "higher",
            _LABELS,
            lambda rows: _own(rows, class_f(rows.tally, rows.goal.beta)),
            "weighted harmonic mean of precision and recall, recall beta times as important (van "
            "Rijsbergen 1979): of the "
            "positive class, or the mean over classes",
        ),
        _metric(
            "precision",
            "higher",
            _LABELS,
            lambda rows: _own(rows, class_precision(rows.tally)),
            "share of rows predicted as a class that are of it: of the positive class, or the mean "
            "over classes",
        ),
        _metric(
            "recall",
            "higher",
            _LABELS,
            lambda rows: _own(rows, class_recall(rows.tally)),
            "share of rows of a class that are found: of the positive class, or the mean over "
            "classes",
        ),
        _metric(
            "balanced-accuracy",
            "higher",
            _SINGLE,
            lambda rows: _macro(class_recall(rows.tally)),
            "mean recall of the classes that have rows (Brodersen et al. 2010)",
        ),
        _metric(
            "mcc",
            "higher",
            _SINGLE,
            _mcc,
            "Matthews correlation of predictions and labels, -1 to 1, 0 for chance (Matthews 1975; "
            "for classes Gorodkin 2004)",
            bounded=False,
        ),
        _metric(
            "pr-auc",
            "higher",
            _SINGLE,
            lambda rows: _macro(class_average_precision(rows)),
            "average precision: area under the precision-recall curve as a sum of steps, of the "
            "positive class, or the mean over "
            "one class against the rest (Davis & Goadrich 2006)",
            ranked=True,
        ),
        _metric(
            "mean-average-precision",
            "higher",
            ("multi-label",),
            lambda rows: _macro(class_average_precision(rows)),
            "mean over labels of the area under the precision-recall curve as a sum of steps "
            "(Davis & Goadrich 2006)",
            ranked=True,
        ),
        _metric(
            "roc-auc",
            "higher",
            _LABELS,
            lambda rows: _macro(class_roc_auc(rows)),
            "probability that a row of the class scores higher than another: of the positive "
            "class, or the mean over one class "
            "against the rest (Hanley & McNeil 1982)",
            ranked=True,
        ),
        _metric(
            "exact-match",
            "higher",
            ("multi-label",),
            lambda rows: rows.mean((rows.judged.predicted == rows.judged.labels).all(axis=1)),
            "share of rows with every label right",
        ),
        _metric(
            "log-loss",
            "lower",
            _LABELS,
            lambda rows: rows.mean(row_losses(rows.judged)),
            "mean negative logarithm of the probability of the given label, in nats (Good 1952)",
            bounded=False,
        ),
        _metric(
            "mae",
            "lower",
            ("regression",),
            lambda rows: rows.mean(row_scores(rows.judged)),
            "mean absolute error, in the unit of the labels",
            bounded=False,
        ),
        _metric(
            "rmse",
            "lower",
            ("regression",),
            lambda rows: np.sqrt(rows.mean(row_scores(rows.judged) ** 2)),
            "root of the mean squared error, in the unit of the labels",
            bounded=False,
        ),
        _metric(
            "r2",
            "higher",
            ("regression",),
            _r2,
            "share of the labels' variance that is explained; below 0 when worse than their mean",
            bounded=False,
        ),
    )
}


def metrics_for(goal: Goal) -> list[Metric]:
    """The metrics that suit a goal, the one that is optimised first."""
    suited = [metric for metric in METRICS.values() if goal.kind in metric.kinds]
    return sorted(suited, key=lambda metric: metric.name != goal.metric)
