"""Two-sample tools: permutations that keep what they must, exact rates, and effect sizes as
other libraries give them.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.ridge import ridge_out_of_fold
from dataprep.probes.two_sample import (
    auc,
    cohens_d,
    family_wise,
    log_tail,
    normal_scores,
    permuted_sides,
    spread_ratio,
    standardised,
    sums,
    within,
)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(1, 5), st.integers(1, 20), st.integers(0, 1000))
def test_divisions_keep_lumps_whole_and_their_number_in_each_stratum(rows, strata, lumps, seed):
    rng = np.random.default_rng(seed)
    lump = rng.integers(0, lumps, rows)
    own = rng.random(lumps)[lump] < 0.5
    stratum = rng.integers(0, strata, lumps)[lump]
    sides = permuted_sides(own, stratum, lump, 6, rng)
    assert (sides[0] == own).all()
    _, first = np.unique(lump, return_index=True)
    for side in sides:
        assert all(len(set(side[lump == each])) == 1 for each in np.unique(lump))
        for each in np.unique(stratum):
            assert (
                side[first][stratum[first] == each].sum()
                == own[first][stratum[first] == each].sum()
            )


def test_every_division_is_as_likely():
    sides = permuted_sides(
        np.array([True, True, False, False]),
        np.zeros(4, int),
        np.arange(4),
        6000,
        np.random.default_rng(0),
    )
    _, counts = np.unique(sides[1:], axis=0, return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 850


def test_figures_agree_with_scipy():
    x = np.linspace(-5, 5, 41)
    assert np.exp(log_tail(x)) == pytest.approx(2 * stats.norm.sf(np.abs(x)), rel=0.01)
    values = np.random.default_rng(0).normal(size=(200, 2)).round(1)
    expected = stats.norm.ppf((stats.rankdata(values, axis=0) - 0.5) / 200)
    assert normal_scores(values) == pytest.approx(expected, abs=1e-3)


def test_within_takes_out_the_mean_of_each_stratum():
    values = np.array([[1.0, 2.0], [3.0, 6.0], [10.0, 0.0]])
    assert within(values, np.array([7, 7, 3])).tolist() == [[-1, -2], [1, 2], [0, 0]]
    assert within(values[:, 0], np.array([7, 7, 3])).tolist() == [-1, 1, 0]


def test_the_family_wise_rate_is_as_stated_for_dependent_statistics():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        scores = rng.normal(size=(40, 6)).astype(np.float32)
        scores[:, 3:] = scores[:, :3] + 0.1 * scores[:, 3:]
        sides = permuted_sides(np.arange(40) < 20, np.zeros(40, int), np.arange(40), 99, rng)
        logs = log_tail(standardised(sums(sides, scores)))
        alarms += bool((family_wise(logs, np.array([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])) <= 0.1).any())
    assert 0.05 < alarms / 300 < 0.16


def test_out_of_fold_predictions_are_those_of_a_ridge_that_never_saw_the_row():
    rng = np.random.default_rng(2)
    features = within(rng.normal(size=(60, 5)), np.zeros(60, int)).astype(np.float32)
    targets = (features[:, :1] + rng.normal(size=(60, 1))).astype(np.float32)
    folds = folds_of(np.arange(60), None, 10)
    penalty = 0.1 * float((features**2).sum()) / 5
    predicted = ridge_out_of_fold(features, targets, folds, penalty)
    for fold in range(10):
        out = folds == fold
        model = Ridge(penalty, fit_intercept=False).fit(features[~out], targets[~out, 0])
        assert predicted[out, 0] == pytest.approx(model.predict(features[out]), abs=1e-4)


def test_auc_is_that_of_scikit_learn_and_its_interval_covers():
    rng = np.random.default_rng(3)
    own = np.arange(100) < 40
    truth, covered = stats.norm.cdf(0.8 / np.sqrt(2)), 0
    for _ in range(200):
        scores = rng.normal(size=100) + 0.8 * own
        found = auc(scores, own, np.arange(100))
        covered += found.low <= truth <= found.high
    assert found.size == pytest.approx(roc_auc_score(own, scores))
    assert covered > 180


def test_intervals_of_effects_cover_and_units_widen_them():
    rng = np.random.default_rng(4)
    own, strata = np.tile([True, False], 60), np.repeat([0, 1], 60)
    covered = {"d": 0, "spread": 0}
    for _ in range(200):
        values = rng.normal(size=120) + 0.5 * own + 3 * strata
        found = cohens_d(values - 3 * strata, own, strata, np.arange(120))
        covered["d"] += found.low <= 0.5 <= found.high
        found = spread_ratio(rng.normal(size=120) * np.where(own, 1.5, 1), own, np.arange(120))
        covered["spread"] += found.low <= np.log(1.5) <= found.high
    assert min(covered.values()) > 178
    units = np.where(own, 0, 1000) + np.arange(120) // 20
    alike = np.random.default_rng(5).normal(size=2000)[units]
    alone, together = (cohens_d(alike, own, strata, each) for each in (np.arange(120), units))
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_difference_that_classes_explain_is_none_within_them():
    strata = np.repeat([0, 1], 100)
    own = np.concatenate([np.arange(100) < 80, np.arange(100) < 20])
    values = 5.0 * strata + np.tile([-1.0, 1.0], 100)
    assert abs(cohens_d(values, own, strata, np.arange(200)).size) < 0.05
    assert cohens_d(values, own, np.zeros(200, int), np.arange(200)).size < -1
