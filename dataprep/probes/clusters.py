"""Groups of images that look alike: spherical k-means on the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dataprep.neighbours.kmeans import nearest_centre, spherical_kmeans

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 12


def alike(
    values: NDArray[np.float32], number: int, *, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) group of each row, and (number,) the row nearest to each group's centre.

    Args:
        values: (n, m) float32 rows of unit length, n at least `number`.
        number: of groups; a few of them may stay empty, where rows are equal.
        seed: of the start.

    >>> group, central = alike(np.eye(3, dtype=np.float32)[[0, 0, 2]], 2)
    >>> bool(group[0] == group[1] != group[2])
    True
    """
    start = _far_apart(values, number, np.random.default_rng(seed))
    group, nearness = nearest_centre(values, spherical_kmeans(values, start, _ROUNDS))
    central = [int(np.argmax(np.where(group == code, nearness, -2))) for code in range(number)]
    return group, np.asarray(central, np.int64)


def _far_apart(
    values: NDArray[np.float32], number: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(number, m) of the rows, far apart: k-means++ (Arthur & Vassilvitskii 2007)."""
    chosen = [int(rng.integers(len(values)))]
    apart = np.full(len(values), np.inf)
    for _ in range(number - 1):
        apart = np.minimum(apart, np.maximum(1 - values @ values[chosen[-1]], 1e-9))
        chosen.append(int(rng.choice(len(values), p=apart / apart.sum())))
    return values[chosen]
