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
    monkeypatch.setattr(hamming, "_LEAST_WORK", 300_000)
    pairs = pairs_within(hashes, 8)
    # Of the others, one that happens to be equal to the crowd in some chunks may be cut with it.
    assert 0 < pairs.cut <= len(np.unique(near)) + 10
    assert len(pairs) < 300 * len(hashes)
    values = {
        tuple(sorted((hashes[a], hashes[b])))
        for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)
    }
    wanted = {(lonely[a], lonely[b]) for a, b, _ in brute_force(lonely, 8)}
    assert len(wanted) > 200
    assert wanted <= values


def clusters(count: int, size: int, seed: int = 3) -> np.ndarray:
    """(count, size) hashes, those of a row about 6 bits from each other."""
    random = np.random.default_rng(seed)
    hashes = np.repeat(random.integers(0, 2**64, count, dtype=np.uint64)[:, None], size, axis=1)
    for bit in range(64):
        flips = random.random(hashes.shape) < 0.05
        hashes ^= flips.astype(np.uint64) << np.uint64(bit)
    return hashes


def test_what_is_near_to_one_of_a_cluster_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clusters(30, 80)
    far = rows[:, 0].copy()
    for place in range(len(far)):  # eight bits off, so that it is no neighbour of most others
        for bit in np.random.default_rng(place).choice(64, 8, replace=False):
            far[place] ^= np.uint64(1) << np.uint64(bit)
    monkeypatch.setattr(hamming, "_plan", lambda n, r: hamming._Plan(r + 3, 3))
    hashes = np.unique(np.concatenate([rows.ravel(), far]))
    pairs = pairs_within(hashes, 8, most=12)
    assert pairs.cut > 0.9 * rows.size
    known = set(zip(hashes[pairs.a].tolist(), hashes[pairs.b].tolist(), strict=True))
    wanted = zip(rows[:, 0].tolist(), far.tolist(), strict=True)
    assert sum((min(pair), max(pair)) in known for pair in wanted) == len(far)
    assert len(pairs) < 0.9 * len(brute_force(hashes, 8))


def test_a_crowd_costs_no_step_for_each_of_its_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    measured = hamming.distance
    monkeypatch.setattr(hamming, "_plan", lambda n, r: hamming._Plan(r + 3, 3))
    monkeypatch.setattr(hamming, "distance", lambda a, b: steps.append(1) or measured(a, b))
    hashes = np.unique(clusters(1, 3000))
    assert pairs_within(hashes, 8, most=4).cut >= len(hashes) - 200
    assert len(steps) < 60_000


def test_nothing_to_compare() -> None:
    assert len(pairs_within(np.zeros(0, np.uint64), 8)) == 0
    assert len(pairs_within(np.zeros(1, np.uint64), 8)) == 0
    with pytest.raises(ValueError, match="0 to 16"):
        pairs_within(np.zeros(2, np.uint64), 17)
