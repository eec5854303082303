"""Disagreements: swapped labels are told from hard images by how their scores thin out, and
judgements move what is said.
"""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.probes.labels.disagreements import fit_disagreements
from dataprep.probes.labels.judgements import with_judgements
from dataprep.probes.labels.label_list import list_labels


def overconfident(
    rows: int, classes: int, factor: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (rows, classes) surer than right, and the true classes: `factor` times the
    logits that are calibrated.
    """
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, rows).astype(np.int32)
    logits = rng.normal(0, 0.3, (rows, classes))
    logits[np.arange(rows), (true + rng.integers(1, classes, rows)) % classes] += 2
    logits[np.arange(rows), true] += rng.normal(5, 2.5, rows)
    powers = np.exp(factor * (logits - logits.max(axis=1, keepdims=True)))
    return powers / powers.sum(axis=1, keepdims=True), true


def swapped(true: np.ndarray, classes: int, rate: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    other = (true + rng.integers(1, classes, len(true))) % classes
    return np.where(rng.random(len(true)) < rate, other, true).astype(np.int32)


@pytest.mark.parametrize("factor", [1.4, 2.0])
def test_hard_images_are_no_evidence_however_sure_the_classifier_is(factor):
    probs, true = overconfident(4000, 8, factor)
    found = fit_disagreements(probs, true)
    assert (found.scores(probs, true) > 2).sum() > 20
    assert found.evidence < 5
    assert found.share().mean < 0.004


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_the_share_of_swapped_labels_is_found(rate):
    probs, true = overconfident(4000, 8, 1.6)
    given = swapped(true, 8, rate)
    found = fit_disagreements(probs, given)
    share = found.share()
    assert found.evidence > 40
    assert share.mean == pytest.approx(rate, abs=0.015)
    assert share.low <= share.mean <= share.high
    scores = found.scores(probs, given)
    wrong = found.wrong(scores)
    listed = wrong >= 0.5
    truly = float((given != true)[listed].mean())
    part = found.share_among(scores[listed], wrong[listed])
    assert part.mean == pytest.approx(truly, abs=0.08)
    assert part.low <= truly <= part.high


def test_the_probability_rises_with_the_score():
    probs, true = overconfident(3000, 5, 1.6)
    found = fit_disagreements(probs, swapped(true, 5, 0.1))
    wrong = found.wrong(np.linspace(-3, 20, 200))
    assert (np.diff(wrong) >= 0).all()
    assert (wrong[:25] == 0).all()
    assert wrong[-1] < 1


def test_who_is_labelled_as_whom_is_learnt():
    probs, true = overconfident(4000, 5, 1.6)
    rows = np.random.default_rng(2).random(4000) < 0.1
    pattern = fit_disagreements(
        probs, np.where(rows, (true + 1) % 5, true).astype(np.int32)
    ).pattern
    assert (pattern.argmax(axis=1) == (np.arange(5) + 1) % 5).all()
    assert pattern.sum() == pytest.approx(5 * 4)


def test_judgements_move_the_others_and_settle_themselves():
    wrong = np.array([0.9, 0.9, 0.9, 0.6, 0.0])
    none = with_judgements(wrong, np.zeros(5, np.int8))
    np.testing.assert_allclose(none, wrong)
    right = with_judgements(wrong, np.array([1, 1, 0, 0, 0], np.int8))
    assert (right[:2] == 0).all()
    assert right[2] < 0.6
    assert right[3] < 0.4
    assert right[4] == 0
    confirmed = with_judgements(wrong, np.array([-1, -1, 0, 0, -1], np.int8))
    assert confirmed[2] > right[2] + 0.2
    assert confirmed[3] > right[3] + 0.2
    assert (confirmed[[0, 1, 4]] > 0.99).all()


def test_a_person_can_bear_out_a_list_that_statistics_withhold():
    """Among 600 images no share is stated; twelve that were looked at, most of them wrong, make
    one.
    """
    probs, true = overconfident(600, 5, 1.6)
    given = swapped(true, 5, 0.1)
    doubt = np.where((probs.argmax(axis=1) != given) & (probs.max(axis=1) > 0.9), 0.9, 0.1).astype(
        np.float32
    )
    before = list_labels(probs, given, doubt)
    assert before.withheld == "few"
    assert before.precision is None
    judged = np.zeros(600, np.int8)
    rows = np.flatnonzero(doubt > 0.5)[:16]
    judged[rows] = np.where(given[rows] != true[rows], -1, 1)
    after = list_labels(probs, given, doubt, judged)
    assert after.precision is not None
    assert after.listed[rows[given[rows] != true[rows]]].all()
    assert not after.listed[rows[given[rows] == true[rows]]].any()
