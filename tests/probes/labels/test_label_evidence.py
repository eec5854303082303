"""Evidence on labels: planted errors are found at about the rate that is said, and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dataprep.errors import InputError
from dataprep.neighbours.cosine import nearest
from dataprep.probes.features import features_of
from dataprep.probes.labels.label_evidence import evidence_of_labels
from dataprep.probes.labels.label_list import MOST_SURE
from dataprep.schemas.issues import faults_table
from tests.probes.made import clustered, dataset_of, evidence, spoilt


@pytest.mark.parametrize("pairs", [False, True])
def test_planted_errors_are_listed_with_the_precision_that_is_estimated(pairs):
    embedding, true = clustered(1600, 6)
    given = spoilt(true, 6, 0.15, pairs=pairs)
    found = evidence(dataset_of(given, embedding))
    wrong, listed = given != true, found.listed
    assert (listed & wrong).sum() / wrong.sum() > 0.85
    precision = (listed & wrong).sum() / listed.sum()
    assert precision > 0.85
    assert abs(precision - found.precision.mean) < 0.1
    assert found.precision.low <= precision <= found.precision.high
    assert abs(found.rate.mean - wrong.mean()) < 0.04
    np.testing.assert_allclose(
        found.joint.sum() - np.trace(found.joint), 1600 * found.rate.mean, rtol=0.02
    )
    assert not len(found.candidates(10))
    assert (found.suggested[listed & wrong] == true[listed & wrong]).mean() > 0.9
    if pairs:
        off = found.joint * (1 - np.eye(6))
        assert (off.argmax(axis=1) == (np.arange(6) + 1) % 6).all()


def test_clean_labels_are_left_alone():
    embedding, true = clustered(800, 5, apart=0.35)
    found = evidence(dataset_of(true, embedding))
    assert not found.listed.any()
    assert found.precision is None
    assert found.rate is None
    assert np.trace(found.joint) == pytest.approx(found.joint.sum())
    np.testing.assert_allclose(found.joint.sum(), 800, rtol=1e-3)


def test_labels_that_the_features_do_not_see_are_not_judged():
    embedding, _ = clustered(500, 4)
    found = evidence(dataset_of(np.random.default_rng(3).integers(0, 4, 500), embedding))
    assert not found.judged.any()
    assert "does not tell the classes apart" in found.notes[0]
    np.testing.assert_allclose(found.probs.sum(axis=1), 1, atol=1e-4)


def test_a_class_of_one_is_named_and_not_judged_but_the_others_are():
    embedding, true = clustered(300, 3)
    given = true.copy()
    given[0] = 7
    found = evidence(dataset_of(given, embedding))
    assert not found.judged[0]
    assert found.judged[1:].all()
    assert "'c7'" in found.notes[0]


def test_a_class_of_copies_counts_as_one():
    embedding, true = clustered(300, 3)
    embedding[:20], true[:20] = embedding[0], 9
    units = np.where(np.arange(300) < 20, 0, np.arange(300))
    found = evidence(dataset_of(true, embedding), units)
    assert not found.judged[:20].any()


def test_unlabelled_samples_are_predicted_and_unknown_ones_are_not():
    embedding, true = clustered(400, 4)
    embedding[5] = 0
    given = true.copy()
    given[:5] = -1
    found = evidence(dataset_of(given, embedding))
    assert (found.probs[:5].argmax(axis=1) == true[:5]).all()
    assert np.isnan(found.probs[5]).all()
    assert not found.judged[:6].any()
    assert (found.given[:5] == -1).all()


def test_two_runs_agree():
    embedding, true = clustered(200, 3)
    data = dataset_of(spoilt(true, 3, 0.1), embedding)
    np.testing.assert_array_equal(evidence(data).wrong, evidence(data).wrong)


def test_given_probabilities_take_the_place_of_the_probes():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (600, 4))
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = (probs.cumsum(axis=1) > rng.random((600, 1))).argmax(
        axis=1
    )  # the probabilities are calibrated
    given = spoilt(true, 4, 0.1)
    found = evidence(dataset_of(given, np.ones((600, 2), np.float16)).with_arrays(probs=probs))
    assert np.abs(found.probs - probs).mean() < 0.03
    doubted = found.doubt >= 0.5
    assert abs((given != true)[doubted].mean() - found.doubt[doubted].mean()) < 0.15


@pytest.mark.parametrize(
    ("probs", "says"),
    [
        (np.full((10, 3), 1 / 3), "10 samples x 2 classes, got 10 x 3"),
        (np.full((10, 2), 0.8), "sum to 1 for each sample, got 1.6 in row 0"),
        (np.tile([-0.5, 1.5], (10, 1)), "probabilities"),
    ],
)
def test_probabilities_that_are_none_are_refused(probs, says):
    data = dataset_of(np.arange(10) % 2, np.ones((10, 2), np.float16)).with_arrays(probs=probs)
    with pytest.raises(InputError, match=says):
        evidence(data)


def test_misspelt_labels_count_for_what_is_meant():
    embedding, true = clustered(300, 3)
    data = dataset_of(true, embedding)
    labels = data.samples["label"].astype("object")
    labels.iloc[:4] = "C 0"
    fault = {"check": "label-spelling", "target": "C 0", "value": "c0"}
    found = evidence(dataclasses.replace(data.assign(label=labels), faults=faults_table([fault])))
    assert found.classes == ("c0", "c1", "c2")
    assert (found.given[:4] == 0).all()


def test_many_classes_of_few_samples():
    embedding, true = clustered(2000, 150, apart=1.2)
    given = spoilt(true, 150, 0.1)
    found = evidence(dataset_of(given, embedding))
    listed, wrong = found.doubt >= 0.5, given != true
    assert (listed & wrong).sum() / wrong.sum() > 0.8
    assert (listed & wrong).sum() / listed.sum() > 0.8


def test_a_small_class_that_the_features_do_not_see_is_not_called_wrong():
    """Six samples that lie among another class: that all are wrong says more of the features
    than of the labels.
    """
    embedding, true = clustered(300, 3)
    hidden = np.flatnonzero(true == 0)[:6]
    given = true.copy()
    given[hidden] = 8
    found = evidence(dataset_of(given, embedding))
    assert np.isnan(found.wrong[hidden]).all()
    assert (found.suggested[hidden] == -1).all()
    assert found.judged.sum() == 294
    assert any("'c8'" in note and "does not tell them" in note for note in found.notes)


def test_of_few_images_no_share_is_stated_and_those_in_doubt_are_candidates():
    embedding, true = clustered(600, 4)
    given = spoilt(true, 4, 0.15)
    found = evidence(dataset_of(given, embedding))
    assert found.withheld == "few"
    assert not found.listed.any()
    rows = found.candidates(5)
    assert len(rows) == found.list.in_doubt > 50
    assert (given != true)[rows].mean() > 0.7


def test_no_label_is_called_wrong_with_certainty():
    embedding, true = clustered(1600, 4, apart=1.5)
    found = evidence(dataset_of(spoilt(true, 4, 0.1), embedding))
    assert np.nanmax(found.wrong) <= MOST_SURE < 1
    assert np.nanmax(found.suggested_probs) <= MOST_SURE


@pytest.mark.parametrize("side", [1, -1])
def test_what_a_person_judged_sharpens_the_estimate(side):
    embedding, true = clustered(1600, 6)
    data = dataset_of(spoilt(true, 6, 0.1), embedding)
    before = evidence(data)
    rows = np.flatnonzero(before.listed)[::8]
    judged = np.zeros(1600, np.int8)
    judged[rows] = side
    features = features_of(embedding)
    near = nearest(features.values, features.known, 32)
    after = evidence_of_labels(data, features, near, np.arange(1600), judged=judged)
    others = before.listed & (judged == 0)
    assert side * (before.wrong[others].mean() - after.wrong[others].mean()) > 0.01
    assert (after.wrong[rows] == (0 if side > 0 else np.float32(MOST_SURE))).all()
    assert not after.listed[rows].any() if side > 0 else after.listed[rows].all()
