"""Trivial baselines are those of scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from dataprep.baselines.evaluation.dummy import trivial_baselines
from dataprep.schemas.goal import Goal

GOAL = Goal("multi-class", ("a", "b", "c"), "macro-f1")


def test_trivial_baselines_score_what_scikit_learns_do() -> None:
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


def test_trivial_baselines_of_several_labels_and_numbers() -> None:
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
