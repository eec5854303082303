"""Nearest-neighbour search. Every search gives `Pairs`: `hamming` over hashes; one over vectors
would give the same.

Imports `schemas` and `measures.fingerprints`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of near things, each pair once.

    Attributes:
        a, b: (p,) int32 positions of the two, a < b, sorted by a, then b.
        distance: (p,) in the unit of the search; smaller is nearer.
        cut: how many of the things searched had more neighbours than were looked at or kept; 0
            means the search was exact.
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    distance: NDArray[Any]
    cut: int = 0

    def __len__(self) -> int:
        return len(self.a)

    @classmethod
    def empty(cls) -> Pairs:
        """No pairs."""
        return cls(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint8))
