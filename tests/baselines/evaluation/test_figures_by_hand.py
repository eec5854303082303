"""Figures of small examples, each against scikit-learn or its formula; no search for examples, so
that they are quick.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from dataprep.baselines.evaluation.calibration import (
    calibration_figures,
    fit_temperature,
    probabilities,
)
from dataprep.baselines.evaluation.linear_probe import PENALTIES, probe_baseline
from dataprep.baselines.evaluation.thresholds import (
    choose_abstention,
    choose_threshold,
    precision_recall,
    report_abstention,
    risk_coverage,
)
from dataprep.baselines.parts import slices_of
from dataprep.baselines.simple_baselines import reference_figures
from dataprep.baselines.training.settings import TrainSettings
from dataprep.measures.options import PassOptions
from dataprep.schemas.audit import Audit
from dataprep.schemas.goal import Goal, Requirement
from dataprep.schemas.issues import Issues
from tests.baselines.toys import toy_materials

CLASSES = Goal("multi-class", ("a", "b", "c"), "accuracy", beta=0.5)
BINARY = Goal("binary", ("well", "sick"), "macro-f1", positive="sick", beta=2.0)
NUMBER = Goal("regression", (), "mae")


def answers(k: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that are right in about two cases of three."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2))
    scores = rng.random((n, k)) + 0.8 * np.eye(k)[labels]
    return labels, scores / scores.sum(axis=1, keepdims=True)


def test_a_threshold_lies_between_two_scores_and_on_the_higher_of_neighbouring_floats() -> None:
    above = float(np.nextafter(0.5, 1))
    curve = precision_recall(np.array([0.9, above, 0.5, 0.1]), np.array([1, 0, 1, 0], bool))
    assert curve is not None
    assert curve.thresholds.tolist() == pytest.approx([0.05, 0.3, 0.5, 0.7])
    assert curve.thresholds[2] == above
    assert curve.precision.tolist() == [0.5, 2 / 3, 0.5, 1.0]
    assert curve.recall.tolist() == [1.0, 1.0, 0.5, 0.5]
    assert curve.taken.tolist() == [4, 3, 2, 1]
    assert curve.f(1.0).tolist() == pytest.approx([2 / 3, 0.8, 0.5, 2 / 3])
    assert len(curve.shown()["threshold"]) == 4
    long = precision_recall(np.arange(1000) / 1000, np.arange(1000) > 500)
    assert long is not None
    assert len(long.shown()["recall"]) == 400
    negative = precision_recall(np.array([-1.0, -2.0]), np.array([1, 0], bool))
    assert negative is not None
    assert negative.thresholds[0] == -2.0, "everything is taken from the lowest score down"


def test_a_required_figure_counts_at_its_bound() -> None:
    scores, positive = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 1, 0, 1], bool)
    exact = choose_threshold(scores, positive, require=[Requirement("recall", "sick", True, 1.0)])
    assert exact is not None
    assert (exact["threshold"], exact["recall"], exact["precision"], exact["holds"]) == (
        0.3, 1.0, 0.75, True
    )  # fmt: skip
    free = choose_threshold(scores, positive, beta=0.5)
    assert free is not None
    assert free["threshold"] == pytest.approx(0.75)
    assert free["f_beta"] == pytest.approx(1.25 * 1 * (2 / 3) / (0.25 * 1 + 2 / 3))


def test_a_row_at_the_threshold_is_answered() -> None:
    confidence, wrong = np.array([0.9, 0.5, 0.4]), np.array([0, 1, 1])
    found = report_abstention(confidence, wrong, 0.5)
    assert (found["answered"], found["risk"], found["accuracy"]) == (2, 0.5, 0.5)
    none = report_abstention(confidence, wrong, 0.95)
    assert (none["answered"], none["coverage"], none["risk"]) == (0, 0.0, None)
    assert none["refused_risk"] == pytest.approx(2 / 3)
    every = report_abstention(confidence, wrong, 0.0)
    assert (every["coverage"], every["refused_risk"]) == (1.0, None)
    assert report_abstention(np.zeros(0), np.zeros(0), 0.5)["refused_risk"] is None


def test_units_make_an_interval_wider() -> None:
    confidence, wrong = np.ones(40), np.arange(40) % 4 == 0
    alone = report_abstention(confidence, wrong, 0.5)
    units = report_abstention(confidence, wrong, 0.5, units=np.arange(40) // 4)
    assert alone["risk"] == units["risk"] == 0.25
    assert units["high"] - units["low"] > alone["high"] - alone["low"]


def test_risk_and_coverage_of_four_answers() -> None:
    curve = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 1, 0, 1]))
    assert curve is not None
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    best = (0 + 0 + 1 / 3 + 1 / 2) / 4
    assert curve.excess == pytest.approx(curve.area - best)


def test_without_enough_rows_no_risk_is_promised() -> None:
    few = choose_abstention(np.full(10, 0.9), np.zeros(10), risk=0.1)
    many = choose_abstention(np.full(100, 0.9), np.zeros(100), risk=0.1)
    assert not few["holds"]
    assert many["holds"]
    assert many["bound"] < 0.1


def test_a_temperature_stays_between_a_fiftieth_and_fifty() -> None:
    labels = np.tile([0, 1], 500)
    right = np.eye(2)[labels] * 1e-3
    assert fit_temperature(right, labels) == pytest.approx(0.02, rel=1e-9)
    assert fit_temperature(-1e6 * right, labels) == pytest.approx(50, rel=1e-9)
    assert fit_temperature(np.zeros((4, 2)), np.array([0, 1, 0, 1])) == pytest.approx(1.0)
    assert fit_temperature(np.full((4, 2), np.inf), np.array([0, 1, 0, 1])) == 1.0


def test_probabilities_of_logits() -> None:
    logits = np.array([[2.0, 0.0, -2.0]])
    share = np.exp(logits / 2) / np.exp(logits / 2).sum()
    assert probabilities(logits, 2.0) == pytest.approx(share)
    assert probabilities(logits, 2.0, several=True) == pytest.approx(1 / (1 + np.exp(-logits / 2)))
    assert probabilities(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def test_the_error_by_chance_is_that_of_true_confidences() -> None:
    labels, probs = answers(3, n=300, seed=3)
    found = calibration_figures(CLASSES, labels, probs, seed=4)
    confidence = probs.max(axis=1)
    code = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(200):
        hit = rng.random(300) < confidence
        gaps = [abs((confidence - hit)[code == b].sum()) for b in range(15)]
        errors.append(sum(gaps) / 300)
    assert found["by_chance"] == pytest.approx(np.quantile(errors, 0.95))
    right = probs.argmax(axis=1) == labels
    gaps = [abs((confidence - right)[code == b].sum()) for b in range(15)]
    assert found["ece"] == pytest.approx(sum(gaps) / 300)
    assert found["log_loss"] == pytest.approx(reference.log_loss(labels, probs))


def test_a_probe_takes_the_penalty_that_predicts_best() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 40)).astype(np.float32)
    codes = rng.integers(0, 2, 200)
    rows, units = np.arange(200), np.arange(200)
    goal = replace(BINARY, beta=1.0)
    assert probe_baseline(noise, codes, units, rows, rows[:5], goal)[1]["penalty"] == PENALTIES[0]
    clear = np.concatenate([codes[:, None] * 4 - 2, noise[:, :3] / 10], axis=1).astype(np.float32)
    assert probe_baseline(clear, codes, units, rows, rows[:5], goal)[1]["penalty"] == PENALTIES[-1]
    one = probe_baseline(noise, codes, np.zeros(200, int), rows, rows[:5], goal)
    assert one[1]["penalty"] == 1.0, "a single unit cannot be left out"
    values, facts = probe_baseline(noise, np.full(200, np.nan), units, rows, rows[:5], NUMBER)
    assert np.isnan(values).all()
    assert (facts["penalty"], facts["fitted"]) == (1.0, 0)


def test_errors_are_sliced_by_columns_of_2_to_40_values() -> None:
    materials = toy_materials(count=60, val=10)
    n = len(materials.dataset)
    columns: dict[str, Any] = {
        "one": ["x"] * n,
        "two": [f"v{row % 2}" for row in range(n)],
        "forty": [f"v{row % 40}" for row in range(n)],
        "more": [f"v{row % 41}" for row in range(n)],
        "luma_mean": np.arange(n) / n,
        "luma_p05": np.arange(n) / n,
        "unit": np.arange(n) % 3,
    }
    given = replace(materials, dataset=materials.dataset.assign(**columns))
    table = slices_of(given, materials.val)
    assert list(table) == ["luma_mean", "two", "forty"]
    assert len(table) == len(materials.val)


def test_what_a_model_is_held_against_needs_neither_audit_nor_embedder() -> None:
    materials = toy_materials(count=30, val=12)
    passing = PassOptions(embedder="")
    found = reference_figures(materials, TrainSettings(), None, passing)
    assert not found["ceiling"]["known"]
    assert "no audit was given" in found["ceiling"]["sentence"]
    assert found["probe"] == {"known": False}
    audit = Audit(materials.dataset, Issues.collect([]), {}, (), {})
    judged = reference_figures(materials, TrainSettings(), audit, passing)
    assert "no audit was given" not in judged["ceiling"]["sentence"]
