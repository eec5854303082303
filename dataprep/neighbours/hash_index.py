"""An index of 64-bit hashes, asked for those near a few others.

Multi-index hashing (Norouzi, Punjani, Fleet 2012): the 64 bits are cut into four chunks. Of two
hashes that differ in at most r bits, one chunk differs in at most r // 4, so the hashes with a
chunk that near are all that need to be compared. Few hashes are compared outright.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dataprep.neighbours.hamming import BITS, Hashes, distance

_CHUNK_BITS = 16
_CHUNKS = BITS // _CHUNK_BITS
_VALUES = 1 << _CHUNK_BITS
#: Largest radius: beyond, a chunk may differ in so many bits that nearly every hash is compared.
MAX_RADIUS = 15
#: Hashes up to which all are compared.
_FEW = 20_000


class HashIndex:
    """Hashes that can be asked which of them are near others."""

    def __init__(self, hashes: Hashes) -> None:
        """Index `hashes` (n,) uint64; a tenth of a second and 16 bytes a hash for many."""
        self._hashes = np.ascontiguousarray(hashes)
        self._tables = [] if len(hashes) <= _FEW else list(map(self._table, range(_CHUNKS)))

    def __len__(self) -> int:
        return len(self._hashes)

    def within(self, asked: Hashes, radius: int) -> NDArray[np.int64]:
        """The places, ascending, of the hashes that differ from any of `asked` (q,) in at most
        `radius` bits.

        Raises:
            ValueError: a radius out of 0 to `MAX_RADIUS`.
        """
        if not 0 <= radius <= MAX_RADIUS:
            raise ValueError(f"radius: expected 0 to {MAX_RADIUS} bits, got {radius}")
        asked = np.unique(asked)
        if not self._tables:
            return np.flatnonzero(self._nearest(self._hashes, asked) <= radius)
        parts = [self._sharing(chunk, asked, radius) for chunk in range(_CHUNKS)]
        places = np.unique(np.concatenate(parts)).astype(np.int64)
        return places[self._nearest(self._hashes[places], asked) <= radius]

    @staticmethod
    def _nearest(hashes: Hashes, asked: Hashes) -> NDArray[np.uint8]:
        """(m,) bits to the nearest of `asked`."""
        bits = np.full(len(hashes), BITS + 1, np.uint8)
        for each in asked:
            np.minimum(bits, distance(hashes, each), out=bits)
        return bits

    def _table(self, chunk: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The places sorted by a chunk, and where each of its values begins among them."""
        values = _chunk(self._hashes, chunk)
        order = np.argsort(values, kind="stable").astype(np.int32)
        starts = np.zeros(_VALUES + 1, np.int64)
        np.cumsum(np.bincount(values, minlength=_VALUES), out=starts[1:])
        return order, starts

    def _sharing(self, chunk: int, asked: Hashes, radius: int) -> NDArray[np.int32]:
        """The places of hashes whose `chunk` differs from one of those asked in few bits."""
        order, starts = self._tables[chunk]
        keys = np.unique(_chunk(asked, chunk)[:, None] ^ _masks(radius // _CHUNKS))
        first, count = starts[keys], starts[keys.astype(np.int64) + 1] - starts[keys]
        ends = np.cumsum(count)
        within = np.arange(ends[-1]) - np.repeat(ends - count, count)
        found: NDArray[np.int32] = order[np.repeat(first, count) + within]
        return found


def _chunk(hashes: Hashes, chunk: int) -> NDArray[np.uint16]:
    return (hashes >> np.uint64(_CHUNK_BITS * chunk)).astype(np.uint16)


@cache
def _masks(bits: int) -> NDArray[np.uint16]:
    """Every chunk with at most so many bits set."""
    sets = (each for size in range(bits + 1) for each in combinations(range(_CHUNK_BITS), size))
    return np.array([sum(1 << bit for bit in each) for each in sets], np.uint16)
