"""Oddness: alike outliers do not hide each other, ordinary images are left alone, and nothing is
guessed from few.
"""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.probes import oddness
from dataprep.probes.oddness import LEAST, _Space, oddness_of

SIZE = 48


def bulk(rows: int, *, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0.6, 0.5, (classes, SIZE))
    labels = rng.integers(0, classes, rows)
    return np.maximum(centres[labels] + rng.normal(0, 0.5, (rows, SIZE)), 0).astype(
        np.float16
    ), labels


def planted(number: int, *, spread: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.maximum(
        np.random.default_rng(99).normal(0.6, 1.1, SIZE) + rng.normal(0, spread, (number, SIZE)), 0
    ).astype(np.float16)


def odd(vectors: np.ndarray, labels: np.ndarray, **options) -> np.ndarray:
    found = oddness_of(vectors, np.ones(len(vectors), bool), labels, np.arange(len(vectors)))
    return found.odd(options.get("rate", 0.001))


@pytest.mark.parametrize("number", [1, 5, 20])
@pytest.mark.parametrize("labelled", [True, False])
def test_alike_outliers_are_found_whatever_their_number(number, labelled):
    vectors, labels = bulk(1000)
    vectors = np.concatenate([vectors, planted(number, spread=0.1)])
    labels = (
        np.concatenate([labels, np.arange(number) % 3]) if labelled else np.full(len(vectors), -1)
    )
    found = odd(vectors, labels)
    assert found[1000:].all()
    assert found[:1000].mean() <= 0.01


@pytest.mark.parametrize("seed", range(4))
def test_ordinary_images_are_left_alone(seed):
    assert odd(*bulk(800, seed=seed)).mean() <= 0.01


def test_a_class_of_its_own_is_no_outlier():
    vectors, labels = bulk(1000)
    vectors = np.concatenate([vectors, planted(60, spread=0.5)])
    assert not odd(vectors, np.concatenate([labels, np.full(60, 3)]))[1000:].any()


def test_nothing_is_said_of_few_or_unknown():
    vectors, labels = bulk(LEAST - 1)
    found = oddness_of(vectors, np.ones(len(vectors), bool), labels, np.arange(len(vectors)))
    assert np.isnan(found.score).all()
    assert not found.odd(0.1).any()
    vectors, labels = bulk(300)
    known = np.arange(300) % 10 > 0
    found = oddness_of(np.where(known[:, None], vectors, 0), known, labels, np.arange(300))
    assert np.array_equal(np.isnan(found.score), ~known)
    assert not found.odd(0.1)[~known].any()


def test_equal_images_and_negative_activations_do_no_harm():
    equal = np.ones((200, SIZE), np.float16)
    assert not odd(equal, np.full(200, -1)).any()
    signed = np.random.default_rng(0).normal(0, 1, (500, SIZE)).astype(np.float32) + 1
    signed[0] = -3 * signed[0]
    assert odd(signed, np.full(500, -1))[0]


def test_the_same_twice_and_scale_does_not_matter():
    vectors, labels = bulk(400)
    first = oddness_of(vectors, np.ones(400, bool), labels, np.arange(400))
    again = oddness_of(vectors, np.ones(400, bool), labels, np.arange(400))
    doubled = oddness_of(vectors * np.float16(2), np.ones(400, bool), labels, np.arange(400))
    np.testing.assert_array_equal(first.score, again.score)
    np.testing.assert_allclose(doubled.score, first.score, atol=0.02)


def test_who_lies_among_another_class_is_farther_than_with_the_label_of_that_class():
    vectors, labels = bulk(900)
    spoilt = labels.copy()
    spoilt[:3] = (labels[:3] + 1) % 3
    units, known = np.arange(900), np.ones(900, bool)
    right, wrong = (oddness_of(vectors, known, given, units) for given in (labels, spoilt))
    assert (wrong.far[:3] > right.far[:3] + 1).all()
    assert (wrong.ratio_in_class[:3] > right.ratio_in_class[:3]).all()
    assert wrong.ratio[:3] == pytest.approx(right.ratio[:3])


@pytest.mark.parametrize("most", [4_000, 60])
def test_vectors_that_are_made_again_say_the_same_as_those_that_are_held(most, monkeypatch):
    vectors, labels = bulk(1000)
    vectors = np.concatenate([vectors, planted(20, spread=0.1)])
    labels = np.concatenate([labels, np.arange(20) % 3])
    known, units = np.ones(len(vectors), bool), np.arange(len(vectors))
    monkeypatch.setattr(oddness, "_FITTED", most)
    held = oddness_of(vectors, known, labels, units)
    monkeypatch.setattr(oddness, "_HELD", 0)
    again = oddness_of(vectors, known, labels, units)
    np.testing.assert_allclose(held.score, again.score, atol=1e-3)
    assert held.odd(0.001)[1000:].all()


def test_few_images_are_compared_in_the_space_that_they_span() -> None:
    rng = np.random.default_rng(0)
    embedding, rows = rng.normal(size=(20, 300)).astype(np.float32), np.arange(20)
    space = _Space.of(embedding, rows)
    turned = space.turned()
    assert turned[rows].shape == (20, 20)
    np.testing.assert_allclose(
        turned[rows] @ turned[rows].T, space[rows] @ space[rows].T, atol=1e-5
    )
    wide = _Space.of(embedding[:, :30], rows)
    assert wide.turned() is wide
