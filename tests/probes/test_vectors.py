"""Embeddings as float32: quick ways that give what the plain ones give."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.probes.vectors import (
    _SMALL,
    as_float32,
    is_non_negative,
    known_rows,
    principal_directions,
    unit_length,
)

HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


def test_every_half_as_float32():
    finite = HALVES[np.isfinite(HALVES)]
    for some in (finite, HALVES, finite.reshape(-1, 2)[::3, 1], HALVES[:0]):
        found = as_float32(some)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, some.astype(np.float32))


def test_unit_length_leaves_its_input_as_it_was():
    for kind in (np.float16, np.float32, np.float64):
        values = np.array([[3.0, 4.0], [0.0, 0.0]], kind)
        before = values.copy()
        for rooted in (False, True):
            length = np.linalg.norm(unit_length(values, rooted=rooted), axis=1)
            np.testing.assert_allclose(length, [1, 0], atol=1e-6)
        np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_what_is_known_and_what_is_negative(kind):
    rows = [[1, 2], [0, 0], [-0.0, 0], [0, np.nan], [np.inf, 1], [-np.inf, 1], [0, -1], [6e-8, 0]]
    values = np.array(rows, kind)
    assert known_rows(values).tolist() == [True] + 5 * [False] + 2 * [True]
    for row, expected in enumerate([True, True, True, False, True, False, False, True]):
        assert is_non_negative(values, np.array([row])) == expected


@pytest.mark.parametrize("size", [20, _SMALL + 8])
def test_principal_directions_are_those_of_the_whole_decomposition(size: int) -> None:
    root = np.random.default_rng(0).normal(size=(size, size))
    products = root @ np.diag(np.linspace(1, 3, size)) @ root.T
    variance, directions = principal_directions(products, 3)
    whole, every = np.linalg.eigh(products)
    np.testing.assert_allclose(variance, whole[::-1][:3], rtol=1e-4)
    likeness = np.abs((directions * every[:, ::-1][:, :3]).sum(axis=0))
    np.testing.assert_allclose(likeness, 1, atol=1e-3)
