"""The nearest neighbours of every vector by cosine: exact up to `EXACT_ROWS` vectors, in cells
above.

Many vectors are divided by k-means into cells, each vector goes into the few cells whose centres
are nearest to it, and within a cell everything is compared with everything by matrix products (an
inverted file with its lists joined with themselves; Sivic & Zisserman 2003). Almost every near
neighbour shares a cell. A distance and the number of the neighbour lie in one 64-bit key, so that
choosing the nearest, and joining the lists of several cells, are sorts of whole numbers, and ties
fall to the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataprep.backends.capacity import worker_count
from dataprep.neighbours.kmeans import spherical_kmeans

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
#: (rows, k) uint64: the bits of the distance (1 - cosine, at least 0), which order like numbers,
#: above the neighbour's row.
Keys = NDArray[np.uint64]

#: Known rows up to which every vector is compared with every other.
EXACT_ROWS = 30_000
#: Cells, relative to the square root of the number of vectors.
_CELLS = 0.5
#: Cells that each vector goes into, up to so many vectors: more find more, and cost with their
#: square.
_OVERLAPS: tuple[tuple[int, int], ...] = ((100_000, 4), (300_000, 3))
_LEAST_OVERLAP = 2
#: Vectors of the sample that the centres are fitted on, per cell, and rounds of fitting.
_SAMPLE_PER_CELL, _ROUNDS = 64, 8
#: A cell with more than this many times its even share is halved: comparisons grow with the square.
_MOST_OVER_SHARE = 4
#: Comparisons at once: few enough for the processor's cache, many enough for a matrix product.
_BLOCK = 1 << 20
#: Cells between two merges of what the threads found; results do not depend on the number of
#: threads.
_BATCH = 16
_SHIFT, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
#: No neighbour: an infinite distance to no row.
_NONE = np.uint64(0x7F800000_FFFFFFFF)


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest neighbours of each of n vectors, nearest first, itself excluded.

    Attributes:
        indices: (n, k) int32, -1 where there is none.
        similarity: (n, k) float32 cosine, -1 to 1; -inf where there is none.
    """

    indices: NDArray[np.int32]
    similarity: NDArray[np.float32]


def nearest(
    values: Vectors,
    known: NDArray[np.bool_],
    k: int,
    *,
    exact_rows: int = EXACT_ROWS,
    jobs: int = 0,
) -> Nearest:
    """The `k` nearest of every known row; the same for any number of threads.

    Exact up to `exact_rows` known rows. Above, most of the ten nearest are found, and nearly all of
    those that stand out (`benchmarks/scale.py`); memory above `values` is that of the result,
    twice, and some 100 MB.

    Args:
        values: (n, m) float32 rows of unit length.
        known: (n,) bool; other rows have no neighbours and are nobody's.
        k: neighbours of each.
        exact_rows: known rows up to which every pair is compared.
        jobs: threads; 0 takes every core.
    """
    rows = np.flatnonzero(known)
    search = _in_whole if len(rows) <= exact_rows else _in_cells
    keys = np.full((len(values), k), _NONE)
    search(values, rows, keys, worker_count(jobs))
    return _decoded(keys)


def _decoded(keys: Keys) -> Nearest:
    indices = np.empty(keys.shape, np.int32)
    similarity = np.empty(keys.shape, np.float32)
    for start in range(0, len(keys), _BLOCK // 64):
        part = slice(start, start + _BLOCK // 64)
        block = np.sort(keys[part], axis=1)
        indices[part] = (block & _LOW).astype(np.uint32).view(np.int32)  # 2**32 - 1 is -1
        similarity[part] = 1 - (block >> _SHIFT).astype(np.uint32).view(np.float32)
    return Nearest(indices, similarity)


def _in_whole(values: Vectors, rows: Rows, keys: Keys, threads: int) -> None:
    """Fill `keys` by comparing every row with every other."""
    inside = values if len(rows) == len(values) else values[rows]
    step = max(1, 4 * _BLOCK // max(1, len(rows)))

    def search(start: int) -> Keys:
        return _best(inside[start : start + step], inside, start, rows, keys.shape[1])

    starts = range(0, len(rows), step)
    for start, found in zip(starts, _in_threads(search, list(starts), threads), strict=True):
        keys[rows[start : start + step], : found.shape[1]] = found


def _best(block: Vectors, others: Vectors, start: int, rows: Rows, k: int) -> Keys:
    """(b, k or fewer) the nearest of each of `block`: `others` from `start` on; the numbers of
    `others` are `rows`.
    """
    distance: NDArray[Any] = block @ others.T
    np.subtract(1, distance, out=distance)
    np.maximum(distance, 0, out=distance)
    distance[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
    found: Keys = distance.view(np.uint32).astype(np.uint64)
    found <<= _SHIFT
    found |= rows.astype(np.uint64)
    k = min(k, len(others) - 1)
    if k < 1:
        return found[:, :0]
    found.partition(k - 1, axis=1)
    return found[:, :k].copy()


def _in_threads(work: Callable[[Any], Any], items: list[Any], threads: int) -> Iterator[Any]:
    """The results in order. Of what is not wanted any more (an interruption), nothing further is
    started.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        for start in range(0, len(items), _BATCH):
            yield from pool.map(work, items[start : start + _BATCH])
    finally:
        pool.shutdown(cancel_futures=True)


def _in_cells(values: Vectors, rows: Rows, keys: Keys, threads: int) -> None:
    """Fill `keys` by comparing the rows that share a cell."""
    k = keys.shape[1]

    def search(members: Rows) -> list[Keys]:
        inside = values[members]
        step = max(1, _BLOCK // len(members))
        return [
            _best(inside[start : start + step], inside, start, members, k)
            for start in range(0, len(members), step)
        ]

    cells = _cells(values, rows)
    for members, parts in zip(cells, _in_threads(search, cells, threads), strict=True):
        keys[members] = _joined(keys[members], np.concatenate(parts))


def _joined(ours: Keys, theirs: Keys) -> Keys:
    """(m, k) the nearest in two lists, each neighbour once: the product of another block may
    round its distance otherwise.
    """
    both = np.concatenate([ours, theirs], axis=1)
    both = both << _SHIFT | both >> _SHIFT
    both.sort(axis=1)
    again = both[:, 1:] & ~_LOW == both[:, :-1] & ~_LOW
    both = both << _SHIFT | both >> _SHIFT
    both[:, 1:][again] = _NONE
    both.partition(ours.shape[1] - 1, axis=1)
    return both[:, : ours.shape[1]]


def _cells(values: Vectors, rows: Rows) -> list[Rows]:
    """The rows of each cell, ascending; every row is in `_OVERLAPS` cells."""
    count = max(2, round(_CELLS * len(rows) ** 0.5))
    overlap = min(
        count, next((cells for most, cells in _OVERLAPS if len(rows) <= most), _LEAST_OVERLAP)
    )
    centres = _centres(values, rows, count)
    homes = np.empty((len(rows), overlap), np.int32)
    step = _BLOCK // count
    for start in range(0, len(rows), step):
        likeness = values[rows[start : start + step]] @ centres.T
        homes[start : start + step] = np.argpartition(-likeness, overlap - 1, axis=1)[:, :overlap]
    order = np.argsort(homes.ravel(), kind="stable")
    members = rows[order // overlap]
    ends = np.cumsum(np.bincount(homes.ravel(), minlength=count))[:-1]
    most = _MOST_OVER_SHARE * overlap * len(rows) // count
    return [
        part
        for cell in np.split(members, ends)
        if len(cell)
        for part in _halved(values, cell, most)
    ]


def _centres(values: Vectors, rows: Rows, count: int) -> Vectors:
    """(count, m) centres by spherical k-means on an even sample."""
    sample = values[
        rows[
            np.linspace(0, len(rows) - 1, min(len(rows), count * _SAMPLE_PER_CELL)).astype(np.int64)
        ]
    ]
    chosen = np.sort(np.random.default_rng(0).choice(len(sample), count, replace=False))
    return spherical_kmeans(sample, sample[chosen], _ROUNDS)


def _halved(values: Vectors, cell: Rows, most: int) -> Iterator[Rows]:
    """The cell, or parts of it with `most` rows at most, cut across its longest direction."""
    if len(cell) <= most:
        yield cell
        return
    along = _longest_direction(values[cell[:: max(1, len(cell) // 1024)]])
    place = np.concatenate(
        [
            values[cell[start : start + _BLOCK // 64]] @ along
            for start in range(0, len(cell), _BLOCK // 64)
        ]
    )
    order = np.argsort(place, kind="stable")
    for half in np.array_split(order, 2):
        yield from _halved(values, cell[np.sort(half)], most)


def _longest_direction(sample: Vectors) -> Vectors:
    """(m,) the first principal direction, roughly: power iteration from the vector that is
    farthest from the mean.
    """
    centred = sample - sample.mean(axis=0)
    direction = centred[int(np.einsum("ij,ij->i", centred, centred).argmax())]
    for _ in range(8):
        direction = centred.T @ (centred @ direction)
        direction = direction / np.maximum(np.linalg.norm(direction), np.float32(1e-12))
    return np.asarray(direction, np.float32)
