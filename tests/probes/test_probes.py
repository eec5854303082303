"""The probes: leaving out is leaving out, and they agree with reference solvers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dataprep.neighbours.cosine import nearest
from dataprep.probes.classifiers import ridge
from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.knn import knn_probs
from dataprep.probes.classifiers.logistic import logistic_scores
from dataprep.probes.classifiers.ridge import ridge_scores, solved
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.features import features_of
from dataprep.probes.labels.confident import confident_joint
from tests.probes.made import clustered


def refitted(values, targets, units, penalty):
    """Ridge scores by fitting again without each row's unit."""
    x = np.concatenate([values, np.ones((len(values), 1))], axis=1).astype(np.float64)
    y = targets.dense(np.arange(len(values))).astype(np.float64)
    w = y.sum(axis=1)
    scale = np.linalg.eigvalsh((x * w[:, None]).T @ x)[:-1].mean()
    scores = np.empty_like(y)
    for row in range(len(values)):
        kept = (units != units[row]) | (w[row] == 0)
        inner = (x[kept] * w[kept, None]).T @ x[kept] + penalty * scale * np.eye(x.shape[1])
        scores[row] = x[row] @ np.linalg.solve(inner, x[kept].T @ y[kept])
    return scores


@pytest.mark.parametrize("largest", [1, 3, 200])
def test_ridge_leaves_out_whole_units_in_closed_form(largest, monkeypatch):
    monkeypatch.setattr(ridge, "PENALTIES", (0.1,))
    monkeypatch.setattr(ridge, "_LARGE", 5)
    rng = np.random.default_rng(largest)
    values = rng.normal(size=(90, 7)).astype(np.float32)
    codes = np.stack([rng.integers(-1, 3, 90), rng.integers(-1, 3, 90)], axis=1).astype(np.int32)
    weights = np.where(codes >= 0, rng.uniform(0.1, 0.5, codes.shape), 0).astype(np.float32)
    targets = Targets(codes, weights, 3)
    units = np.sort(rng.integers(0, 90 // largest + 2, 90)) if largest > 1 else np.arange(90)
    labelled = weights.sum(axis=1) > 0
    expected = refitted(values, targets, np.where(labelled, units, -1 - np.arange(90)), 0.1)
    np.testing.assert_allclose(ridge_scores(values, targets, units), expected, atol=2e-3)


def test_ridge_without_targets_or_with_one_row_does_not_fail():
    none = ridge_scores(
        np.zeros((4, 3), np.float32), Targets.of_labels(np.full(4, -1, np.int32), 2), np.arange(4)
    )
    assert np.isfinite(none).all()
    assert ridge_scores(
        np.ones((1, 3), np.float32), Targets.of_labels(np.zeros(1, np.int32), 1), np.zeros(1, int)
    ).shape == (1, 1)


def test_conjugate_gradients_solve_what_a_decomposition_solves():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 60)).astype(np.float32)
    matrix = values.T @ values + 5 * np.eye(60, dtype=np.float32)
    wanted = rng.normal(size=60).astype(np.float32)
    found = solved(lambda x: matrix @ x, wanted)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, wanted), atol=1e-5)
    assert not solved(lambda x: matrix @ x, 0 * wanted).any()


def test_a_label_has_no_part_in_its_own_prediction():
    embedding, true = clustered(300, 3)
    features, units = features_of(embedding), np.arange(300) // 3
    near = nearest(features.values, features.known, 32)
    other = true.copy()
    other[:3] = (true[:3] + 1) % 3  # the labels of one unit
    both = [Targets.of_labels(labels.astype(np.int32), 3) for labels in (true, other)]
    for probe in (
        lambda t: ridge_scores(features.values, t, units),
        lambda t: knn_probs(near, t, units, np.arange(3)),
    ):
        before, after = (probe(targets)[:3] for targets in both)
        np.testing.assert_allclose(before, after, atol=0.02)


def test_nearest_neighbours_count_votes_of_other_units_only():
    near = nearest(np.eye(4, dtype=np.float32)[[0, 0, 0, 1]], np.ones(4, bool), 3)
    probs = knn_probs(
        near, Targets.of_labels(np.array([0, 0, 1, 1], np.int32), 2), np.array([0, 0, 1, 2])
    )
    assert probs[0, 1] > 0.5 > probs[2, 1]
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-6)
    alone = knn_probs(
        near, Targets.of_labels(np.array([0, 0, 0, 1], np.int32), 2), np.zeros(4, int)
    )
    np.testing.assert_allclose(alone, np.tile([3.5 / 5, 1.5 / 5], (4, 1)), atol=1e-6)


def test_logistic_regression_agrees_with_scikit_learn():
    embedding, true = clustered(600, 4, apart=0.25)
    values, units = features_of(embedding).values, np.arange(600)
    scores = logistic_scores(values, Targets.of_labels(true.astype(np.int32), 4), units)
    fold = folds_of(units, true, 5)
    for held in range(5):
        model = LogisticRegression(C=1.0, max_iter=500).fit(
            values[fold != held], true[fold != held]
        )
        np.testing.assert_allclose(
            np.exp(scores[fold == held]), model.predict_proba(values[fold == held]), atol=0.03
        )


def test_folds_keep_units_whole_and_spread_classes():
    units = np.repeat(np.arange(100), 3)
    given = np.repeat(np.arange(100) % 4, 3).astype(np.int32)
    fold = folds_of(units, given, 5)
    assert all(len(set(fold[units == unit])) == 1 for unit in range(100))
    assert (
        np.array([[((fold == f) & (given == c)).sum() for f in range(5)] for c in range(4)]).min()
        == 15
    )


def test_folds_without_classes_are_of_one_size_and_follow_the_seed():
    units = np.repeat(np.arange(50), 4)
    folds = folds_of(units, None, 10)
    assert all(len(set(folds[units == unit])) == 1 for unit in range(50))
    assert np.bincount(folds).tolist() == [20] * 10
    assert np.array_equal(folds, folds_of(units, None, 10, seed=0))
    assert not np.array_equal(folds, folds_of(units, None, 10, seed=1))


def test_the_seed_of_out_of_fold_probabilities_draws_other_folds():
    embedding, true = clustered(120, 3)
    values, targets = features_of(embedding).values, Targets.of_labels(true.astype(np.int32), 3)
    first, other = (logistic_scores(values, targets, np.arange(120), seed=seed) for seed in (0, 1))
    assert not np.allclose(first, other, atol=1e-4)


def test_confident_joint_counts_what_is_sure():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]])
    joint = confident_joint(probs, np.array([0, 0, 1, 1, 0], np.int32))
    np.testing.assert_allclose(joint.sum(axis=0), [3, 2])
    assert joint[1, 0] > 0 == joint[0, 1]
