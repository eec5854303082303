"""Every metric against scikit-learn's, with and without weights, and where there is nothing to
judge.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from dataprep.baselines.evaluation.metrics import METRICS, LabelledRows, Weighted, metrics_for
from dataprep.schemas.goal import Goal

BINARY = Goal("binary", ("well", "sick"), "macro-f1", positive="sick", beta=2.0)
CLASSES = Goal("multi-class", ("a", "b", "c", "d"), "accuracy", beta=0.5)
SEVERAL = Goal("multi-label", ("x", "y", "z"), "macro-f1")
NUMBER = Goal("regression", (), "mae")


@st.composite
def judged(draw: st.DrawFn, goal: Goal) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities with many ties, and weights such as a bootstrap draws."""
    n, k = draw(st.integers(1, 40)), max(1, len(goal.classes))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    levels = draw(st.sampled_from([2, 5, 1000]))
    weights = rng.integers(0, 3, n).astype(float)
    if goal.kind == "regression":
        return rng.integers(0, levels, n) / 7, rng.integers(0, levels, n) / 7, weights
    scores = rng.integers(1, levels + 1, (n, k)) / (levels + 1)
    if goal.kind == "multi-label":
        return rng.random((n, k)) < draw(st.sampled_from([0.1, 0.5])), scores, weights
    present = rng.choice(k, draw(st.integers(1, k)), replace=False)
    return rng.choice(present, n), scores / scores.sum(axis=1, keepdims=True), weights


def both(
    goal: Goal, name: str, labels: np.ndarray, probs: np.ndarray, weights: np.ndarray
) -> tuple[float, float]:
    """A metric without weights, and under them."""
    rows = Weighted(LabelledRows.of(goal, labels, probs), weights[None])
    return METRICS[name].function(goal, labels, probs), METRICS[name].values(rows)[0]


def agrees(found: float, wanted: float) -> None:
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(judged(CLASSES))
def test_metrics_of_classes_are_those_of_scikit_learn(
    made: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, probs, weights = made
    said, k = probs.argmax(axis=1), range(len(CLASSES.classes))
    seen = sorted({*labels.tolist(), *said.tolist()})
    for place, weight in enumerate((np.ones(len(labels)), weights)):
        if not weight.any():
            continue
        # a bootstrap sample is the rows themselves, repeated
        own, told, shown = (
            np.repeat(each, weight.astype(int), axis=0) for each in (labels, said, probs)
        )
        seen = sorted({*own.tolist(), *told.tolist()})
        found = {
            name: both(CLASSES, name, labels, probs, weights)[place]
            for name in METRICS
            if "multi-class" in METRICS[name].kinds
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recall = reference.recall_score(
                own, told, labels=seen, average=None, zero_division=np.nan
            )
            agrees(found["accuracy"], reference.accuracy_score(own, told))
            agrees(found["macro-f1"], reference.f1_score(own, told, labels=seen, average="macro"))
            agrees(
                found["f-beta"],
                reference.fbeta_score(own, told, beta=0.5, labels=seen, average="macro"),
            )
            agrees(
                found["precision"],
                reference.precision_score(own, told, labels=seen, average="macro", zero_division=0),
            )
            agrees(found["recall"], np.nanmean(recall))
            agrees(found["balanced-accuracy"], reference.balanced_accuracy_score(own, told))
            agrees(found["mcc"], reference.matthews_corrcoef(own, told))
            agrees(found["log-loss"], reference.log_loss(own, shown, labels=list(k)))
        areas = [
            reference.average_precision_score(own == c, shown[:, c]) for c in k if (own == c).any()
        ]
        agrees(found["pr-auc"], np.mean(areas))
        mixed = [
            reference.roc_auc_score(own == c, shown[:, c])
            for c in k
            if (own == c).any() and (own != c).any()
        ]
        agrees(found["roc-auc"], np.mean(mixed) if mixed else np.nan)


@settings(max_examples=25, deadline=None)
@given(judged(BINARY))
def test_metrics_of_two_classes_are_those_of_the_positive_one(
    made: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, probs, _ = made
    said = probs.argmax(axis=1)
    found = {
        name: METRICS[name].function(BINARY, labels, probs)
        for name in ("f-beta", "precision", "recall", "mcc", "pr-auc", "roc-auc")
    }
    if (labels == 1).any():
        agrees(found["f-beta"], reference.fbeta_score(labels, said, beta=2.0))
        agrees(found["precision"], reference.precision_score(labels, said, zero_division=0))
        agrees(found["recall"], reference.recall_score(labels, said))
        agrees(found["mcc"], reference.matthews_corrcoef(labels, said))
        agrees(found["pr-auc"], reference.average_precision_score(labels, probs[:, 1]))
        agrees(
            found["roc-auc"],
            reference.roc_auc_score(labels, probs[:, 1]) if (labels == 0).any() else np.nan,
        )
    else:
        assert np.isnan([found["recall"], found["pr-auc"], found["roc-auc"]]).all()


@settings(max_examples=15, deadline=None)
@given(judged(SEVERAL))
def test_metrics_of_several_labels_are_those_of_scikit_learn(
    made: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, probs, _ = made
    said = probs >= 0.5
    found = {
        metric.name: metric.function(SEVERAL, labels, probs) for metric in metrics_for(SEVERAL)
    }
    there = [c for c in range(3) if labels[:, c].any() or said[:, c].any()]
    if there:
        agrees(
            found["macro-f1"],
            reference.f1_score(labels, said, average="macro", labels=there, zero_division=np.nan),
        )
        agrees(found["micro-f1"], reference.f1_score(labels, said, average="micro"))
    agrees(found["exact-match"], reference.accuracy_score(labels, said))
    areas = [
        reference.average_precision_score(labels[:, c], probs[:, c])
        for c in range(3)
        if labels[:, c].any()
    ]
    agrees(found["mean-average-precision"], np.mean(areas) if areas else np.nan)
    losses = [reference.log_loss(labels[:, c], probs[:, c], labels=[False, True]) for c in range(3)]
    agrees(found["log-loss"], np.mean(losses))


@settings(max_examples=15, deadline=None)
@given(judged(NUMBER))
def test_metrics_of_numbers_are_those_of_scikit_learn(
    made: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, values, weights = made
    for place, weight in enumerate((np.ones(len(labels)), weights)):
        if not weight.any():
            continue
        found = {
            name: both(NUMBER, name, labels, values, weights)[place]
            for name in ("mae", "rmse", "r2")
        }
        agrees(found["mae"], reference.mean_absolute_error(labels, values, sample_weight=weight))
        agrees(
            found["rmse"], reference.root_mean_squared_error(labels, values, sample_weight=weight)
        )
        own = labels[weight > 0]
        wanted = (
            reference.r2_score(labels, values, sample_weight=weight) if np.ptp(own) > 0 else np.nan
        )
        assert found["r2"] == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("goal", [BINARY, CLASSES, SEVERAL, NUMBER], ids=lambda goal: goal.kind)
def test_nothing_to_judge_is_nan_without_a_warning(goal: Goal) -> None:
    shape = () if goal.kind == "regression" else (len(goal.classes),)
    unlabelled = {"regression": np.full(3, np.nan), "multi-label": np.full((3, 3), -1)}.get(
        goal.kind, np.full(3, -1)
    )
    broken = np.full((3, *shape), np.nan)
    labels = {"regression": np.arange(3.0), "multi-label": np.eye(3, dtype=bool)}.get(
        goal.kind, np.array([0, 1, 1])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for metric in metrics_for(goal):
            assert np.isnan(metric.function(goal, unlabelled[:0], np.zeros((0, *shape))))
            assert np.isnan(metric.function(goal, unlabelled, np.full((3, *shape), 0.5)))
            assert np.isnan(metric.function(goal, labels, broken)), (
                "a model whose answers are not numbers has no score"
            )
            metric.function(goal, labels[:1], np.full((1, *shape), 0.5))


def test_rows_without_a_label_do_not_count() -> None:
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
    assert METRICS["accuracy"].function(BINARY, np.array([0, 1, -1]), probs) == 1.0
    assert METRICS["mae"].function(NUMBER, np.array([1.0, np.nan]), np.array([2.0, 9.0])) == 1.0


def test_the_optimised_metric_comes_first_and_knows_what_is_better() -> None:
    first = metrics_for(Goal("regression", (), "rmse"))[0]
    assert first.name == "rmse"
    assert first.is_better(1.0, 2.0)
    assert not first.is_better(np.nan, 2.0)


def test_taking_scores_together_for_resampling_hardly_moves_a_rare_class() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(30_000) < 0.003).astype(int)
    score = 1 / (1 + np.exp(-(rng.normal(size=30_000) + 3 * labels)))
    probs = np.stack([1 - score, score], axis=1)
    rows = LabelledRows.of(BINARY, labels, probs)
    assert rows.coarse_rankings[0].steps < 5000 < rows.rankings[0].steps
    for name in ("pr-auc", "roc-auc"):
        exact, coarse = both(BINARY, name, labels, probs, np.ones(len(labels)))
        assert coarse == pytest.approx(exact, abs=5e-4)
