"""Nearest neighbours by cosine: exact against brute force, in cells nearly so; the odd shapes of
data.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.neighbours.cosine import nearest


def clustered(rows: int, clusters: int, seed: int = 0, size: int = 32) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.normal(size=(clusters, size))[
        random.integers(0, clusters, rows)
    ] + 0.3 * random.normal(size=(rows, size))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def brute(values: np.ndarray, k: int) -> np.ndarray:
    likeness = values @ values.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :k]


@settings(deadline=None, max_examples=20)
@given(rows=st.integers(0, 40), k=st.integers(1, 12), seed=st.integers(0, 5))
def test_exact_search_is_brute_force(rows: int, k: int, seed: int) -> None:
    values = clustered(rows, 3, seed) if rows else np.zeros((0, 32), np.float32)
    found = nearest(values, np.ones(rows, bool), k)
    assert found.indices.shape == found.similarity.shape == (rows, k)
    most = max(0, min(k, rows - 1))
    assert (found.indices[:, most:] == -1).all()
    assert np.isneginf(found.similarity[:, most:]).all()
    likeness = values @ values.T
    np.fill_diagonal(likeness, -np.inf)
    expected = -np.sort(-likeness, axis=1)[:, :most]
    np.testing.assert_allclose(found.similarity[:, :most], expected, atol=1e-5)
    assert (found.indices[:, :most] != np.arange(rows)[:, None]).all()


def test_unknown_rows_have_no_neighbours_and_are_nobodys() -> None:
    values, known = clustered(50, 5), np.ones(50, bool)
    known[[3, 17]] = False
    for exact_rows in (100, 10):
        found = nearest(values, known, 4, exact_rows=exact_rows)
        assert (found.indices[~known] == -1).all()
        assert not np.isin(found.indices, [3, 17]).any()


def test_cells_find_nearly_all_and_pairs_surely() -> None:
    values = clustered(4000, 60)
    values[3000:3100] = values[:100] + np.float32(0.01)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    found = nearest(values, np.ones(4000, bool), 10, exact_rows=0)
    recall = np.mean(
        [np.isin(a, b).mean() for a, b in zip(brute(values, 10), found.indices, strict=True)]
    )
    assert recall > 0.9
    assert (found.indices[:100] == np.arange(3000, 3100)[:, None]).any(axis=1).mean() > 0.98
    assert (np.diff(found.similarity, axis=1) <= 0).all()
    assert all(len(set(row)) == 10 for row in found.indices.tolist())
    assert (found.indices != np.arange(4000)[:, None]).all()


@pytest.mark.parametrize("exact_rows", [0, 5000])
def test_threads_do_not_change_the_result(exact_rows: int) -> None:
    values = clustered(1500, 20, 1)
    one, three = (
        nearest(values, np.ones(1500, bool), 6, exact_rows=exact_rows, jobs=jobs) for jobs in (1, 3)
    )
    assert np.array_equal(one.indices, three.indices)


def test_a_crowd_of_equal_vectors_is_cut_into_bearable_cells() -> None:
    values = np.concatenate([np.repeat(clustered(1, 1), 2000, axis=0), clustered(500, 10, 2)])
    found = nearest(values, np.ones(2500, bool), 5, exact_rows=0)
    np.testing.assert_allclose(found.similarity[:2000], 1, atol=1e-5)
    assert (found.indices >= 0).all()
