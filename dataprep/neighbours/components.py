"""Connected components of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def connect(count: int, a: Rows, b: Rows) -> Rows:
    """(count,) the least row that each row is connected with, by way of the pairs (a, b); itself when alone."""
    least = np.arange(count)
    while True:
        before = least.copy()
        both = np.minimum(least[a], least[b])
        np.minimum.at(least, a, both)
        np.minimum.at(least, b, both)
        least = least[least]
        if np.array_equal(least, before):
            return least
