"""A linear model on frozen features, which a network has to beat."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dataprep.baselines.evaluation.linear_probe import probe_baseline
from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.probes.classifiers.logistic import fit_logistic, logistic_probs
from dataprep.probes.classifiers.targets import Targets
from dataprep.schemas.goal import Goal

GOAL = Goal("multi-class", ("a", "b", "c"), "macro-f1")


def test_the_fit_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 30))
    codes = (
        (values @ rng.normal(size=(30, 3)) + 2 * rng.normal(size=(400, 3)))
        .argmax(axis=1)
        .astype(np.int32)
    )
    values = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    for penalty in (0.1, 1.0):
        fitted = fit_logistic(values, Targets.of_labels(codes, 3), np.arange(300), penalty=penalty)
        peer = LogisticRegression(C=1 / penalty, max_iter=5000, tol=1e-8).fit(
            values[:300], codes[:300]
        )
        wanted = peer.predict_proba(values[300:])
        assert logistic_probs(values, fitted, np.arange(300, 400)) == pytest.approx(
            wanted, abs=3e-3
        )


def test_the_probe_learns_what_the_features_tell() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 600)
    features = rng.normal(size=(600, 20)).astype(np.float32)
    features[:, :3] += 2 * np.eye(3)[codes]
    train, rows, units = np.arange(400), np.arange(400, 600), np.arange(600)
    probs, facts = probe_baseline(
        features, np.where(np.arange(600) % 7, codes, -1), units, train, rows, GOAL
    )
    peer = (
        LogisticRegression(max_iter=1000)
        .fit(features[train], codes[train])
        .score(features[rows], codes[rows])
    )
    assert METRICS["accuracy"].function(GOAL, codes[rows], probs) > peer - 0.05
    assert probs.sum(axis=1) == pytest.approx(1)
    assert facts["fitted"] == sum(row % 7 > 0 for row in range(400))


def test_the_probe_of_several_labels_and_of_numbers() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 12)).astype(np.float32)
    train, rows, units = np.arange(350), np.arange(350, 500), np.repeat(np.arange(250), 2)
    several = (features[:, :2] > 0.5).astype(np.int8)
    goal = Goal("multi-label", ("x", "y"), "mean-average-precision")
    probs, _ = probe_baseline(features, several, units, train, rows, goal)
    assert METRICS["mean-average-precision"].function(goal, several[rows], probs) > 0.8
    goal = Goal("regression", (), "r2")
    numbers = features[:, 0] * 3 + 100 + rng.normal(size=500) * 0.1
    values, _ = probe_baseline(features, numbers, units, train, rows, goal)
    assert METRICS["r2"].function(goal, numbers[rows], values) > 0.8


@pytest.mark.parametrize("labelled", [0, 1, 2])
def test_the_probe_of_hardly_anything_gives_the_mix(labelled: int) -> None:
    codes = np.full(6, -1)
    codes[:labelled] = np.arange(labelled)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probs, facts = probe_baseline(
            np.eye(6, dtype=np.float32), codes, np.arange(6), np.arange(6), np.arange(6), GOAL
        )
    assert probs.shape == (6, 3)
    assert np.isfinite(probs).all()
    assert facts["fitted"] == labelled
