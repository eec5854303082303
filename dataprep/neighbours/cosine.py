"""The nearest neighbours of every vector by cosine, in blocks: exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest neighbours of each of n vectors, nearest first, itself excluded.

    Attributes:
        indices: (n, k) int32, -1 where there is none.
        similarity: (n, k) float32 cosine, -1 to 1; -inf where there is none.
    """

    indices: NDArray[np.int32]
    similarity: NDArray[np.float32]


def nearest(values: NDArray[np.float32], known: NDArray[np.bool_], k: int) -> Nearest:
    """The `k` nearest of every known row.

    Args:
        values: (n, m) float32 rows of unit length.
        known: (n,) bool; other rows have no neighbours and are nobody's.
        k: neighbours of each.
    """
    indices = np.full((len(values), k), -1, np.int32)
    similarity = np.full((len(values), k), -np.inf, np.float32)
    rows = np.flatnonzero(known)
    inside = values[rows]
    most = min(k, len(rows) - 1)
    for start in range(0, len(rows), _BLOCK):
        block = inside[start : start + _BLOCK]
        likeness: NDArray[Any] = block @ inside.T
        likeness[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        if most < 1:
            break
        best = np.argpartition(-likeness, most - 1, axis=1)[:, :most]
        cosine = np.take_along_axis(likeness, best, axis=1)
        order = np.lexsort((best, -cosine))
        indices[rows[start : start + len(block)], :most] = rows[np.take_along_axis(best, order, axis=1)]
        similarity[rows[start : start + len(block)], :most] = np.take_along_axis(cosine, order, axis=1)
    return Nearest(indices, similarity)
