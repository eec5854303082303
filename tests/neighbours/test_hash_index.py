"""The index of hashes finds what comparing all of them finds."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.neighbours import hash_index
from dataprep.neighbours.hamming import distance
from dataprep.neighbours.hash_index import MAX_RADIUS, HashIndex


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("radius", [0, 3, 8, 11, MAX_RADIUS])
def test_it_finds_all_within_the_radius(
    monkeypatch: pytest.MonkeyPatch, few: int, radius: int
) -> None:
    monkeypatch.setattr(hash_index, "_FEW", few)
    random = np.random.default_rng(radius)
    asked = random.integers(0, 2**64, 5, np.uint64)
    hashes = random.integers(0, 2**64, 3000, np.uint64)
    for row in range(0, 600, 2):  # near those asked, at every distance
        flipped = random.choice(64, row % 24, replace=False)
        hashes[row] = asked[row % 5] ^ np.bitwise_or.reduce(
            np.uint64(1) << flipped.astype(np.uint64), initial=np.uint64(0)
        )
    bits = distance(hashes[:, None], asked[None]).min(axis=1)
    found = HashIndex(hashes).within(asked, radius)
    assert found.tolist() == np.flatnonzero(bits <= radius).tolist()
    assert len(found)


@pytest.mark.parametrize("few", [0, 10**9])
def test_nothing_is_near_nothing(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(hash_index, "_FEW", few)
    empty = HashIndex(np.zeros(0, np.uint64))
    assert len(empty) == 0
    assert not len(empty.within(np.zeros(1, np.uint64), 8))


def test_a_radius_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="radius"):
        HashIndex(np.zeros(1, np.uint64)).within(np.zeros(1, np.uint64), MAX_RADIUS + 1)
