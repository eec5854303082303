"""Centres of groups of vectors: spherical k-means (Dhillon & Modha 2001)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
#: Cosines that are worked out at a time.
_BLOCK = 1 << 22
#: Up to so many values are summed without scipy.
_FEW_VALUES = 1 << 18


def spherical_kmeans(values: Vectors, centres: Vectors, rounds: int) -> Vectors:
    """(k, m) centres of unit length after some rounds of Lloyd's algorithm by cosine.

    Args:
        values: (n, m) rows of unit length.
        centres: (k, m) to begin with; one that no row is nearest to stays as it is.
        rounds: of assigning rows and moving centres.

    >>> values = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    >>> spherical_kmeans(values, values[1:], 1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    centres = centres.copy()
    for _ in range(rounds):
        home = nearest_centre(values, centres)[0]
        used = np.unique(home)
        sums = group_sums(values, home, len(centres))[used]
        centres[used] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return centres


def group_sums(values: NDArray[Any], groups: NDArray[np.integer[Any]], count: int) -> NDArray[Any]:
    """(count, m) sum of the rows (n, m) of each group, in the type of the values; of many values a
    product with a sparse matrix, of few without the time that scipy takes to load.

    Args:
        values: (n, m).
        groups: (n,) number of each row's group, below `count`.
        count: of groups.

    >>> group_sums(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 1]), 2).tolist()
    [[0.0, 0.0], [4.0, 6.0]]
    """
    if values.size <= _FEW_VALUES:
        width = values.shape[1]
        places = (groups[:, None].astype(np.int64) * width + np.arange(width)).ravel()
        sums = np.bincount(places, values.ravel(), count * width)
        return sums.reshape(count, width).astype(values.dtype)
    from scipy.sparse import csc_array

    ones, ends = np.ones(len(values), values.dtype), np.arange(len(values) + 1)
    return np.asarray(csc_array((ones, groups, ends), (count, len(values))) @ values)


def nearest_centre(
    values: Vectors, centres: Vectors
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n,) number of the centre nearest to each row by cosine, and (n,) that cosine.

    >>> nearest_centre(np.eye(2, dtype=np.float32)[::-1], np.eye(2, dtype=np.float32))[0].tolist()
    [1, 0]
    """
    home, nearness = np.empty(len(values), np.int64), np.empty(len(values), np.float32)
    step = max(1, _BLOCK // len(centres))
    for start in range(0, len(values), step):
        part = slice(start, start + step)
        likeness = values[part] @ centres.T
        home[part], nearness[part] = likeness.argmax(axis=1), likeness.max(axis=1)
    return home, nearness
