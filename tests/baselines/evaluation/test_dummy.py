"""What a model has to beat, and what it cannot."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from dataprep.baselines.evaluation.dummy import noise_ceiling, probe_baseline, trivial_baselines
from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.probes.classifiers.logistic import fit_logistic, logistic_probs
from dataprep.probes.classifiers.targets import Targets
from dataprep.schemas.goal import Goal
from dataprep.schemas.issues import Issues, batch

GOAL = Goal("multi-class", ("a", "b", "c"), "macro-f1")


def test_dumb_answers_score_what_scikit_learns_do() -> None:
    rng = np.random.default_rng(0)
    codes = rng.choice(3, 3000, p=[0.6, 0.3, 0.1])
    codes[::50] = -1
    train, rows = np.arange(1500), np.arange(1500, 3000)
    found = {each["name"]: each for each in trivial_baselines(GOAL, codes, train, rows)}
    assert list(found) == ["stratified", "majority"], "the best comes first"
    known = train[codes[train] >= 0]
    judged = rows[codes[rows] >= 0]
    for name, strategy in (("majority", "most_frequent"), ("stratified", "stratified")):
        model = DummyClassifier(strategy=strategy, random_state=np.random.RandomState(0)).fit(
            known[:, None], codes[known]
        )
        score = float(np.mean([model.score(judged[:, None], codes[judged]) for _ in range(30)]))
        assert found[name]["metrics"]["accuracy"] == pytest.approx(score, abs=0.015)
    assert found["majority"]["value"] == found["majority"]["metrics"]["macro-f1"]
    assert found["majority"]["metrics"]["roc-auc"] == 0.5
    assert found["majority"]["metrics"]["log-loss"] == pytest.approx(0.9, abs=0.03), (
        "the entropy of the mix"
    )
    assert "log-loss" not in found["stratified"]["metrics"]
    json.dumps(list(found.values()), allow_nan=False)


def test_dumb_answers_to_several_labels_and_numbers() -> None:
    several = np.array([[1, 0], [1, 0], [1, 1], [0, 0], [-1, -1]], np.int8)
    found = trivial_baselines(
        Goal("multi-label", ("x", "y"), "macro-f1"), several, np.arange(5), np.arange(5)
    )
    majority = next(each for each in found if each["name"] == "majority")
    assert majority["metrics"]["exact-match"] == 0.5
    values = np.array([0.0, 0, 0, 10, np.nan])
    found = trivial_baselines(Goal("regression", (), "mae"), values, np.arange(5), np.arange(5))
    assert [(each["name"], each["value"]) for each in found] == [("median", 2.5), ("mean", 3.75)]
    assert found[1]["metrics"]["r2"] == 0
    assert trivial_baselines(GOAL, np.full(3, -1), np.arange(3), np.arange(3)) == []


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


def test_the_ceiling_is_the_audits() -> None:
    claim = batch(
        "label-noise",
        "warning",
        "dataset",
        [""],
        evidence={"rate": 0.1, "ceiling": 0.9, "ceiling_low": 0.86, "ceiling_high": 0.93},
    )
    found = noise_ceiling(Issues.collect([claim]))
    assert (found["known"], found["ceiling"], found["low"], found["high"]) == (
        True,
        0.9,
        0.86,
        0.93,
    )
    assert "0.900 (between 0.860 and 0.930)" in found["sentence"]
    listed = batch(
        "wrong-label",
        "warning",
        "dataset",
        [""],
        evidence={"judged": 200, "listed": 9, "expected_wrong": 10.0},
    )
    sample = batch(
        "wrong-label", "warning", "sample", ["a.png"], evidence={"judged": 1, "expected_wrong": 1.0}
    )
    found = noise_ceiling(Issues.collect([sample, listed]))
    assert (found["ceiling"], found["low"], found["source"]) == (0.95, None, "wrong-label")


def test_without_a_claim_the_ceiling_is_unknown() -> None:
    assert "no audit was given" in noise_ceiling(None)["sentence"]
    nothing = batch("wrong-label", "info", "dataset", [""], evidence={"judged": 0, "listed": 0})
    for issues in (Issues.collect([]), Issues.collect([nothing])):
        assert not noise_ceiling(issues)["known"]
        assert "unknown" in noise_ceiling(issues)["sentence"]
