"""Connected components of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def connect(count: int, a: Rows, b: Rows) -> Rows:
    """(count,) the least row that each row is connected with, by way of the pairs (a, b); itself
    when alone.

    Trees are hooked onto trees of a lesser root and flattened, until no pair joins two of them
    (Shiloach & Vishkin 1982).
    """
    root = np.arange(count)
    while len(a):
        one, other = root[a], root[b]
        apart = one != other
        a, b, one, other = a[apart], b[apart], one[apart], other[apart]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(above := root[root], root):
            root = above
    return root
