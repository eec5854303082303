"""Candidates by embedding: what is unusually alike, whose thumb lies within another's, who
speaks for whom, and the budget.
"""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.measures.fingerprints.thumb import pack_thumb
from dataprep.neighbours import embedding_candidates
from dataprep.neighbours.components import connect
from dataprep.neighbours.cosine import nearest
from dataprep.neighbours.embedding_candidates import alike_images, unusual_similarity

ROWS = 400


def vectors() -> np.ndarray:
    """Random directions, but rows 0 and 1, and 2 and 3, close to each other."""
    values = np.random.default_rng(0).normal(size=(ROWS, 512))
    values[1], values[3] = values[0] + 0.1 * values[5], values[2] + 0.1 * values[6]
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def candidates(
    speaker: np.ndarray | None = None, thumbs: np.ndarray | None = None
) -> set[tuple[int, int]]:
    values, known = vectors(), np.ones(ROWS, bool)
    speaker = np.arange(ROWS) if speaker is None else speaker
    found = alike_images(
        nearest(values, known, 16), unusual_similarity(values, known), thumbs, speaker, jobs=1
    )
    assert (found.distance[1:] >= found.distance[:-1]).all()
    return set(zip(found.a.tolist(), found.b.tolist(), strict=True))


def test_what_is_unusual_follows_the_data() -> None:
    values, known = vectors(), np.ones(ROWS, bool)
    fewer = values[:, :256] / np.linalg.norm(values[:, :256], axis=1, keepdims=True)
    assert unusual_similarity(values, known) == pytest.approx(12 / 512**0.5, rel=0.05)
    assert unusual_similarity(fewer, known) == pytest.approx(12 / 256**0.5, rel=0.05)
    assert unusual_similarity(values, np.zeros(ROWS, bool)) == 1


def test_pairs_that_are_unusually_alike() -> None:
    assert candidates() == {(0, 1), (2, 3)}


def test_a_thumb_within_another_makes_a_candidate() -> None:
    random = np.random.default_rng(1)
    planes = random.normal(size=(ROWS, 32, 32)) * 40 + 120
    thumbs = np.stack([pack_thumb(plane.clip(0, 255).astype(np.uint8)) for plane in planes])
    values, known = vectors(), np.ones(ROWS, bool)
    found = nearest(values, known, 16)
    other = int(found.indices[7, 0])
    assert candidates(thumbs=thumbs) == {(0, 1), (2, 3)}
    thumbs[other] = thumbs[7]
    assert candidates(thumbs=thumbs) == {(0, 1), (2, 3), (min(7, other), max(7, other))}


def test_a_keeper_speaks_for_its_copies() -> None:
    speaker = np.arange(ROWS)
    speaker[1], speaker[3], speaker[2] = 9, 2, -1
    assert candidates(speaker) == {(0, 9)}


def test_the_budget_counts_what_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_candidates, "UNUSUAL", 2.0)
    monkeypatch.setattr(embedding_candidates, "_MOST", 1)
    monkeypatch.setattr(embedding_candidates, "_IMAGES_PER_MORE", ROWS)
    values, known = vectors(), np.ones(ROWS, bool)
    found = alike_images(
        nearest(values, known, 16), unusual_similarity(values, known), None, np.arange(ROWS)
    )
    assert set(zip(found.a.tolist(), found.b.tolist(), strict=True)) == {(0, 1), (2, 3)}
    assert found.cut > 0


def test_components() -> None:
    a, b = np.array([5, 2, 8, 7]), np.array([6, 5, 9, 8])
    assert connect(11, a, b).tolist() == [0, 1, 2, 3, 4, 2, 2, 7, 7, 7, 10]
    chain = np.arange(999)
    assert (connect(1000, chain, chain + 1) == 0).all()
