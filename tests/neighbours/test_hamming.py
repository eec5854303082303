"""All pairs within a radius: the same as comparing every hash with every other, whatever the
plan.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.neighbours import hamming
from dataprep.neighbours.hamming import collapse, pairs_within


def hashes_with_neighbours(seed: int, size: int = 1500, radius: int = 8) -> np.ndarray:
    """Random hashes, a third of which have a neighbour 1 to radius + 2 bits away; distinct and
    sorted.
    """
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**64, size, dtype=np.uint64)
    planted = hashes[: size // 3].copy()
    for i in range(len(planted)):
        for bit in random.choice(64, random.integers(1, radius + 3), replace=False):
            planted[i] ^= np.uint64(1) << np.uint64(bit)
    return np.unique(np.concatenate([hashes, planted]))


def brute_force(hashes: np.ndarray, radius: int) -> set[tuple[int, int, int]]:
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    a, b = np.nonzero(np.triu(bits <= radius, 1))
    return {(int(i), int(j), int(bits[i, j])) for i, j in zip(a, b, strict=True)}


def found(hashes: np.ndarray, radius: int, **options: int) -> list[tuple[int, int, int]]:
    pairs = pairs_within(hashes, radius, **options)
    return list(zip(pairs.a.tolist(), pairs.b.tolist(), pairs.distance.tolist(), strict=True))


@pytest.mark.parametrize("equal", [1, 2, 3, 4])
@pytest.mark.parametrize("radius", [5, 8, 12])
def test_every_plan_finds_every_pair_once(
    monkeypatch: pytest.MonkeyPatch, radius: int, equal: int
) -> None:
    monkeypatch.setattr(hamming, "_plan", lambda n, r: hamming._Plan(r + equal, equal))
    hashes = hashes_with_neighbours(radius, radius=radius)
    pairs = found(hashes, radius)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute_force(hashes, radius)
    assert pairs_within(hashes, radius).cut == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=60), st.integers(0, 16))
def test_any_hashes(values: list[int], radius: int) -> None:
    hashes, places = collapse(np.array(values, dtype=np.uint64))
    assert hashes[places].tolist() == values
    assert set(found(hashes, radius)) == brute_force(hashes, radius)


def test_pairs_are_sorted_and_do_not_depend_on_threads() -> None:
    hashes = hashes_with_neighbours(5, 30_000)
    one, two = found(hashes, 6, jobs=1), found(hashes, 6, jobs=3)
    assert one == two == sorted(one)
    assert len(one) > 5000


def test_a_crowd_is_cut_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    near = np.uint64(0xF0F0F0F0F0F0F0F0) ^ (
        np.uint64(1) << random.integers(0, 64, (6000, 3), dtype=np.uint64)
    ).sum(axis=1)
    lonely = hashes_with_neighbours(2, 900)
    hashes = np.unique(np.concatenate([near, lonely]))
    monkeypatch.setattr(hamming, "_plan", lambda n, r: hamming._Plan(r + 3, 3))
    monkeypatch.setattr(hamming, "_LEAST_WORK", 100_000)
    pairs = pairs_within(hashes, 8)
    assert 0 < pairs.cut <= len(np.unique(near))
    assert len(pairs) < 300 * len(hashes)
    values = {
        tuple(sorted((hashes[a], hashes[b])))
        for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)
    }
    wanted = {(lonely[a], lonely[b]) for a, b, _ in brute_force(lonely, 8)}
    assert len(wanted) > 200
    assert wanted <= values


def test_nothing_to_compare() -> None:
    assert len(pairs_within(np.zeros(0, np.uint64), 8)) == 0
    assert len(pairs_within(np.zeros(1, np.uint64), 8)) == 0
    with pytest.raises(ValueError, match="0 to 16"):
        pairs_within(np.zeros(2, np.uint64), 17)
