"""Groups of images that look alike."""

from __future__ import annotations

import numpy as np

from dataprep.probes.clusters import alike


def test_clusters_are_told_apart_and_named_by_a_member():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 400)
    values = (np.eye(8)[true] + rng.normal(0, 0.1, (400, 8))).astype(np.float32)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    group, central = alike(values, 4)
    assert sorted(true[central]) == [0, 1, 2, 3]
    for code, row in enumerate(central):
        assert group[row] == code
        assert (true[group == code] == true[row]).all()


def test_equal_rows_are_one_group():
    values = np.tile(np.array([[1, 0]], np.float32), (20, 1))
    group, central = alike(values, 3)
    assert len(set(group)) == 1
    assert len(central) == 3
