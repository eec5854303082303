"""Connected components of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def connect(count: int, a: Rows, b: Rows) -> Rows:
    """(count,) the least row that each row is connected with, by way of the pairs (a, b); itself
    when alone.

    >>> connect(5, np.array([1, 4]), np.array([2, 2])).tolist()
    [0, 1, 1, 3, 1]
    """
    least = np.arange(count)
    while True:
        one, other = least[a], least[b]
        if np.array_equal(one, other):
            return least
        low = np.minimum(one, other)
        np.minimum.at(least, one, low)
        np.minimum.at(least, other, low)
        while not np.array_equal(lower := least[least], least):
            least = lower
