"""wrong-label, ambiguous-classes, label-noise and learning-curve: what they say of planted
errors.
"""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.checks.content.learning_curve import LearningCurve
from dataprep.checks.labels.ambiguous_classes import AmbiguousClasses, wilson
from dataprep.checks.labels.label_candidates import LabelCandidates
from dataprep.checks.labels.label_noise import LabelNoise
from dataprep.checks.labels.wrong_label import WrongLabel
from dataprep.schemas.issues import evidence_of
from tests.probes.made import clustered, dataset_of, look, spoilt


def claims(check, dataset):
    rows = [row for batch in check.find(dataset, look(dataset)) for row in batch.to_dict("records")]
    return [row | {"evidence": evidence_of(row["evidence"])} for row in rows]


def text(check, claim):
    return check.message.format(
        **claim["evidence"], **{key: claim[key] for key in ("figure", "target", "value")}
    )


@pytest.fixture(scope="module")
def mixed_up():
    """1,600 samples of 6 classes, 15 % labelled as the next class."""
    embedding, true = clustered(1600, 6)
    return dataset_of(spoilt(true, 6, 0.15, pairs=True), embedding), true


def test_the_list_is_introduced_by_its_estimated_precision(mixed_up):
    dataset, true = mixed_up
    about, *listed = claims(WrongLabel(), dataset)
    assert about["scope"] == "dataset"
    assert about["evidence"]["listed"] == len(listed)
    right = np.mean([f"c{true[int(claim['target'][:5])]}" == claim["value"] for claim in listed])
    assert abs(about["evidence"]["estimated_precision"] - right) < 0.1
    assert f"about {100 * about['figure']:.0f} % (" in text(WrongLabel, about)
    assert about["evidence"]["low"] <= right <= about["evidence"]["high"]


def test_a_wrong_label_is_told_with_its_neighbours_and_the_surest_come_first(mixed_up):
    dataset, _ = mixed_up
    _, *listed = claims(WrongLabel(), dataset)
    first = listed[0]
    given, meant = dataset.samples["label"][first["target"]], first["value"]
    assert text(WrongLabel, first).startswith(f"labelled {given!r}, but ")
    assert f"{meant!r} (probability {first['figure']:.2f})" in text(WrongLabel, first)
    assert 1 <= len(first["evidence"]["neighbours"]) <= 6
    assert {dataset.samples["label"][name] for name in first["evidence"]["neighbours"]} == {meant}
    sure = [claim["confidence"] for claim in listed]
    assert sure == sorted(sure, reverse=True)


def test_a_higher_confidence_lists_less(mixed_up):
    dataset, _ = mixed_up
    assert (
        1
        < len(claims(WrongLabel(min_confidence=0.9), dataset))
        < len(claims(WrongLabel(), dataset))
    )


def test_clean_labels_raise_nothing():
    embedding, true = clustered(600, 4, apart=0.8)
    assert not claims(WrongLabel(), dataset_of(true, embedding))
    assert not claims(LabelCandidates(), dataset_of(true, embedding))
    assert not claims(AmbiguousClasses(), dataset_of(true, embedding))


def test_a_class_that_cannot_be_judged_is_named():
    embedding, true = clustered(300, 3, apart=0.8)
    true[0] = 5
    (about,) = claims(WrongLabel(), dataset_of(true, embedding))
    assert about["severity"] == "fact"
    assert "'c5'" in text(WrongLabel, about)


def test_probabilities_do_in_place_of_the_embedding(mixed_up):
    _, true = mixed_up
    bare = dataset_of(true)
    assert WrongLabel().lacks(bare, look(bare)) == ["embedding"]
    probs = np.full((1600, 6), 0.004, np.float32)
    probs[np.arange(1600), true] = 0.98
    given = dataset_of(spoilt(true, 6, 0.1)).with_arrays(probs=probs)
    assert not WrongLabel().lacks(given, look(given))
    _, *listed = claims(WrongLabel(), given)
    wrong = set(
        given.samples.index[given.samples["label"].astype(str) != [f"c{label}" for label in true]]
    )
    assert {claim["target"] for claim in listed} <= wrong
    assert len(listed) > 0.97 * len(wrong)
    assert "looks like" in text(WrongLabel, listed[0])


def test_pairs_that_are_mixed_up_are_named_with_their_rate(mixed_up):
    dataset, _ = mixed_up
    found = claims(AmbiguousClasses(), dataset)
    pairs = {frozenset((claim["target"], claim["evidence"]["other"])) for claim in found}
    assert pairs <= {frozenset((f"c{code}", f"c{(code + 1) % 6}")) for code in range(6)}
    assert len(pairs) >= 5
    assert all(
        claim["evidence"]["low"] <= claim["figure"] <= claim["evidence"]["high"] for claim in found
    )


def test_errors_spread_over_all_classes_name_no_pair():
    embedding, true = clustered(1600, 6)
    data = dataset_of(spoilt(true, 6, 0.15), embedding)
    assert claims(WrongLabel(), data)
    assert not claims(AmbiguousClasses(), data)


def test_hard_images_are_candidates_and_nothing_else():
    """Classes that overlap, every label right: the classifier contradicts many, and none is
    listed.
    """
    embedding, true = clustered(1600, 4, apart=0.3)
    dataset = dataset_of(true, embedding)
    about, *found = claims(LabelCandidates(), dataset)
    assert len(found) == 20
    assert about["evidence"]["why"] == "tail"
    assert "None of these 20 is known to be wrong" in text(LabelCandidates, about)
    assert {claim["severity"] for claim in (about, *found)} == {"fact"}
    assert {claim["suggestion"] for claim in (about, *found)} == {"none"}
    assert [claim["figure"] for claim in found] == list(range(1, 21))
    assert not any(claim["confidence"] for claim in found)
    assert not any(
        "%" in text(LabelCandidates, claim) or "probab" in text(LabelCandidates, claim)
        for claim in (about, *found)
    )
    assert not claims(WrongLabel(), dataset)
    assert not claims(AmbiguousClasses(), dataset)


def test_where_there_is_a_list_there_are_no_candidates(mixed_up):
    assert not claims(LabelCandidates(), mixed_up[0])


def test_the_rate_of_wrong_labels_and_the_ceiling(mixed_up):
    dataset, true = mixed_up
    (claim,) = claims(LabelNoise(), dataset)
    rate = (dataset.samples["label"].astype(str) != [f"c{label}" for label in true]).mean()
    found = claim["evidence"]
    assert claim["severity"] == "warning"
    assert found["low"] <= rate <= found["high"]
    assert found["ceiling"] == pytest.approx(1 - claim["figure"])
    matrix = np.array(found["matrix"]["rows"])
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=0.01)
    assert abs(np.diag(matrix).mean() - (1 - rate)) < 0.05
    assert "most often 'c" in text(LabelNoise, claim)


def test_a_clean_data_set_is_no_warning():
    embedding, true = clustered(600, 4, apart=0.8)
    (claim,) = claims(LabelNoise(), dataset_of(true, embedding))
    assert claim["severity"] == "fact"
    assert np.isnan(claim["figure"])
    assert "cannot be estimated" in text(LabelNoise, claim)
    assert "ceiling" not in claim["evidence"]


def test_the_learning_curve_is_carried_on():
    embedding, true = clustered(1200, 8, apart=0.25)
    (half,) = claims(LearningCurve(), dataset_of(true[:600], embedding[:600]))
    (whole,) = claims(LearningCurve(), dataset_of(true, embedding))
    assert half["evidence"]["now"] < half["figure"]
    assert abs(half["figure"] - whole["evidence"]["now"]) < 0.03
    assert half["evidence"]["low"] <= half["figure"] <= half["evidence"]["high"]
    curve = half["evidence"]["curve"]
    assert len(curve["x"]) == len(curve["y"]) == len(curve["low"]) == len(curve["high"])
    assert curve["x"][-1] == 1200
    assert text(LearningCurve, half).startswith(
        f"twice the data: accuracy {half['evidence']['now']:.2f} → "
    )


def test_a_flat_curve_says_so_and_few_samples_too():
    embedding, true = clustered(700, 3, apart=1.5)
    (flat,) = claims(LearningCurve(), dataset_of(true, embedding))
    assert "flat" in text(LearningCurve, flat)
    (few,) = claims(LearningCurve(), dataset_of(true[:60], embedding[:60]))
    assert "pretrained" in text(LearningCurve, few)
    assert not claims(LearningCurve(), dataset_of(true[:30], embedding[:30]))


def test_wilson_interval():
    low, high = wilson(np.array([0.0, 5.0]), np.array([10.0, 10.0]))
    assert low == pytest.approx([0, 0.2366], abs=1e-4)
    assert high == pytest.approx([0.2775, 0.7634], abs=1e-4)
