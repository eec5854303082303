"""Candidates: every orientation meets, frames do not hide, look-alikes with other edges stay
apart, crowds are linked.
"""

from __future__ import annotations

import numpy as np

from dataprep.neighbours.hash_candidates import near_images


def random_hashes(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (size, 8), dtype=np.uint64)


def linked(
    phash: np.ndarray, inner: np.ndarray | None = None, sketch: np.ndarray | None = None
) -> set[tuple[int, int]]:
    pairs = near_images(phash, phash if inner is None else inner, sketch)
    return set(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))


def test_turned_copies_meet() -> None:
    phash = random_hashes(0, 40)
    phash[7] = phash[3][[5, 4, 7, 6, 1, 0, 3, 2]]
    assert linked(phash) == {(3, 7)}


def test_a_frame_does_not_hide() -> None:
    phash = random_hashes(1, 40)
    inner = phash.copy()
    inner[9] = phash[2]
    assert linked(phash, inner) == {(2, 9)}


def test_like_hashes_with_unlike_sketches_are_dropped() -> None:
    phash = random_hashes(2, 12)
    phash[1], phash[5] = phash[0] ^ np.uint64(0b101), phash[4] ^ np.uint64(0b11)
    random = np.random.default_rng(0)
    sketch = random.integers(0, 256, (12, 2, 144)).astype(np.uint8)
    sketch[1] = sketch[0]
    assert linked(phash) == {(0, 1), (4, 5)}
    assert linked(phash, sketch=sketch) == {(0, 1)}


def test_many_images_with_one_hash_are_linked_without_all_pairs() -> None:
    phash = np.repeat(random_hashes(3, 1), 500, axis=0)
    pairs = linked(phash)
    assert {(0, i) for i in range(1, 500)} <= pairs
    assert len(pairs) < 1500


def test_nearest_first() -> None:
    phash = random_hashes(4, 9)
    phash[1], phash[3], phash[5] = (
        phash[0] ^ np.uint64(0xFF),
        phash[2] ^ np.uint64(1),
        phash[4] ^ np.uint64(0xF),
    )
    pairs = near_images(phash, phash, None)
    assert pairs.distance.tolist() == [1, 4, 8]
