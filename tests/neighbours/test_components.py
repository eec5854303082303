"""Connected components: the same as by hand, and of long chains in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.neighbours.components import connect


def by_hand(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    least = list(range(count))
    for _ in range(count):
        for one, other in pairs:
            least[one] = least[other] = min(least[one], least[other])
    return least


@given(st.data())
def test_as_by_hand(data):
    count = data.draw(st.integers(1, 12))
    row = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(row, row), max_size=20))
    a, b = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    assert connect(count, a, b).tolist() == by_hand(count, pairs)


@pytest.mark.parametrize("order", ["forwards", "shuffled", "alternating"])
def test_a_long_chain_is_one_component(order):
    count = 50_000
    rows = np.arange(count)
    if order == "shuffled":
        rows = np.random.default_rng(0).permutation(count)
    elif order == "alternating":
        rows = np.stack(
            [np.arange(count // 2), np.arange(count)[::-1][: count // 2]], axis=1
        ).ravel()
    assert not connect(count, rows[:-1], rows[1:]).any()
