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
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, first, component = np.unique(component, return_index=True, return_inverse=True)
    return np.asarray(first[component], np.int64)
