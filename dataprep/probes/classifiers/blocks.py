"""Rows in blocks, so that no more of a large array is held at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def blocks(rows: NDArray[np.int64], size: int = 8192) -> Iterator[NDArray[np.int64]]:
    """`rows`, at most `size` at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
