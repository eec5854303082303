"""Sums by group."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.neighbours import kmeans
from dataprep.neighbours.kmeans import group_sums


@pytest.mark.parametrize("few", [0, kmeans._FEW_VALUES])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sums_by_group_are_those_of_adding_row_by_row(
    kind: type, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kmeans, "_FEW_VALUES", few)
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=(500, 7)).astype(kind), rng.integers(0, 9, 500)
    expected = np.zeros((12, 7), kind)
    np.add.at(expected, groups, values)
    found = group_sums(values, groups, 12)
    assert found.dtype == kind
    np.testing.assert_allclose(found, expected, rtol=0, atol=64 * np.finfo(kind).eps)


def test_no_rows_have_no_sums() -> None:
    assert group_sums(np.zeros((0, 2)), np.zeros(0, np.int64), 3).tolist() == [[0, 0]] * 3
