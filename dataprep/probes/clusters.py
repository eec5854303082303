"""Groups of images that look alike: spherical k-means on the features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 12
_BLOCK = 8192


def alike(
    values: NDArray[np.float32], number: int, *, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) group of each row, and (number,) the row nearest to each group's centre.

    Spherical k-means (Dhillon & Modha 2001), begun far apart (k-means++; Arthur & Vassilvitskii
    2007).

    Args:
        values: (n, m) float32 rows of unit length, n at least `number`.
        number: of groups; a few of them may stay empty, where rows are equal.
        seed: of the beginning.
    """
    centres = _begin(values, number, np.random.default_rng(seed))
    for _ in range(_ROUNDS):
        group, _ = _assigned(values, centres)
        sums: NDArray[Any] = np.zeros(centres.shape, np.float64)
        np.add.at(sums, group, values)
        size = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(size > 0, sums / np.maximum(size, 1e-12), centres).astype(np.float32)
    group, nearness = _assigned(values, centres)
    central = [int(np.argmax(np.where(group == code, nearness, -2))) for code in range(number)]
    return group, np.asarray(central, np.int64)


def _begin(
    values: NDArray[np.float32], number: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    chosen = [int(rng.integers(len(values)))]
    apart = np.full(len(values), np.inf)
    for _ in range(number - 1):
        apart = np.minimum(apart, np.maximum(1 - values @ values[chosen[-1]], 1e-9))
        chosen.append(int(rng.choice(len(values), p=apart / apart.sum())))
    return values[chosen]


def _assigned(
    values: NDArray[np.float32], centres: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    group, nearness = np.empty(len(values), np.int64), np.empty(len(values), np.float32)
    for start in range(0, len(values), _BLOCK):
        likeness = values[start : start + _BLOCK] @ centres.T
        group[start : start + _BLOCK] = likeness.argmax(axis=1)
        nearness[start : start + _BLOCK] = likeness.max(axis=1)
    return group, nearness
