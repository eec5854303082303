"""Candidates for near duplicates among images, from their hashes and sketches alone: nothing is
decoded.

Each image is searched for under a few hashes: as it is, and in a canonical orientation, the
smallest of its eight hashes, so that mirrored and turned copies meet; both also without its frame.
Where a bit tips the order of the smallest two, copies would miss each other, so of up to 20,000
images the second smallest is searched for too. Pairs whose hashes are near but whose sketches
differ are dropped: they are unrelated images of a like layout.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dataprep.measures.fingerprints.sketch import compare_sketches, turn_sketches, unpack_sketches
from dataprep.neighbours import Pairs
from dataprep.neighbours.hamming import Hashes, collapse, distance, pairs_within

#: Number of distinct hashes up to which a radius is affordable; beyond the last, `_LEAST_RADIUS`.
_RADII: tuple[tuple[int, int], ...] = ((60_000, 12), (400_000, 10))
_LEAST_RADIUS = 8
#: Number of images up to which the second canonical orientation is affordable.
_TWO_CANONICAL = 20_000
#: Likeness of sketches from which a pair is a candidate: true copies were at 0.995 and above, crops
#: to 80 % at 0.990. Of unrelated photos within 12 bits of each other, one in twenty gets there.
LIKENESS = 0.99
#: Of images with the same hash, how many are paired with those of a near hash; the best ones come
#: first.
_SPEAKERS = 3
_CHUNK = 20_000


def near_images(
    phash: Hashes,
    inner: Hashes,
    sketch: NDArray[np.uint8] | None,
    *,
    radius: int = 0,
    jobs: int = 0,
) -> Pairs:
    """Pairs of images that may be near duplicates, nearest first; `Pairs.distance` is in bits.

    Args:
        phash, inner: (n, 8) hashes of the orientations, of the image and of it without its frame.
            Better images first: of many with the same hash, the first speak for all.
        sketch: (n, 2, 144), or None to take pairs by their hashes alone.
        radius: bits; 0 takes what the number of images allows.
        jobs: threads; 0 takes every core.
    """
    values, owners = _entries(phash, inner)
    distinct, places = collapse(values)
    radius = radius or radius_for(len(distinct))
    found = pairs_within(distinct, radius, jobs=jobs)
    a, b = _as_images(found, places, owners)
    keep, bits = _judge(a, b, phash, inner, sketch)
    a, b, bits = a[keep], b[keep], bits[keep]
    order = np.lexsort((b, a, bits))
    return Pairs(a[order], b[order], bits[order], found.cut)


def radius_for(hashes: int) -> int:
    """Bits that hashes of candidates may differ in, where there are so many hashes."""
    return next((bits for most, bits in _RADII if hashes <= most), _LEAST_RADIUS)


def _entries(phash: Hashes, inner: Hashes) -> tuple[Hashes, NDArray[np.int32]]:
    """Every hash under which an image is searched for, and the image; sorted by image."""
    everyone = np.arange(len(phash), dtype=np.int32)
    framed = everyone[(phash != inner).any(axis=1)]
    columns = [(phash[:, 0], everyone), (inner[framed, 0], framed)]
    for canonical in range(2 if len(phash) <= _TWO_CANONICAL else 1):
        columns.append((np.partition(phash, canonical, axis=1)[:, canonical], everyone))
        columns.append((np.partition(inner[framed], canonical, axis=1)[:, canonical], framed))
    values, owners = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.lexsort((values, owners))
    values, owners = values[order], owners[order]
    new = np.concatenate(
        [np.ones(1, bool), (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])]
    )[: len(values)]
    return values[new], owners[new]


def _as_images(
    found: Pairs, places: NDArray[np.int64], owners: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pairs of images, a < b, each once, from pairs of hashes and from images that share one."""
    order = np.argsort(places, kind="stable")
    members = owners[order]
    counts = np.bincount(places)
    starts = np.cumsum(counts) - counts
    parts = [*_same_hash(members, starts, counts), *_near_hash(found, members, starts, counts)]
    a, b = (np.concatenate(column) for column in zip(*parts, strict=True))
    differ = a != b
    low, high = np.minimum(a, b)[differ], np.maximum(a, b)[differ]
    keys = np.unique(low.astype(np.int64) << 32 | high)
    return (keys >> 32).astype(np.int32), (keys & 0xFFFFFFFF).astype(np.int32)


def _same_hash(
    members: NDArray[np.int32], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int32], ...]]:
    """Every image with the best one of its hash, and with the next: that links them all, where
    all pairs could be billions.
    """
    firsts = np.repeat(starts, counts)
    yield members[firsts], members
    same = firsts[1:] == firsts[:-1]
    yield members[:-1][same], members[1:][same]


def _near_hash(
    found: Pairs, members: NDArray[np.int32], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int32], ...]]:
    for i in range(_SPEAKERS):
        for j in range(_SPEAKERS):
            present = (counts[found.a] > i) & (counts[found.b] > j)
            yield members[starts[found.a[present]] + i], members[starts[found.b[present]] + j]


def _judge(
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    phash: Hashes,
    inner: Hashes,
    sketch: NDArray[np.uint8] | None,
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which pairs are candidates, and their distance in bits in the nearest orientation."""
    keep, bits = np.ones(len(a), bool), np.zeros(len(a), np.uint8)
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        i, j = a[part], b[part]
        whole = distance(phash[i, :1], phash[j])
        within = distance(inner[i, :1], inner[j])
        nearest = np.minimum(whole, within)
        bits[part] = nearest.min(axis=1)
        if sketch is not None:
            framed = (phash[i] != inner[i]).any(axis=1) | (phash[j] != inner[j]).any(axis=1)
            keep[part] = _likeness(sketch[i], sketch[j], nearest.argmin(axis=1), framed) >= LIKENESS
    return keep, bits


def _likeness(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    orientations: NDArray[np.intp],
    framed: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """(m,) likeness of sketches (m, 2, 144), the second of each pair turned; of framed images
    the best with or without frame.
    """
    likeness = np.zeros(len(first), np.float32)
    for orientation in range(8):
        of_all = np.flatnonzero(orientations == orientation)
        for ours, theirs in ((0, 0), (1, 1), (0, 1), (1, 0)):
            rows = of_all[framed[of_all]] if ours or theirs else of_all
            if len(rows):
                turned = turn_sketches(unpack_sketches(second[rows, theirs]), orientation)
                alike = compare_sketches(unpack_sketches(first[rows, ours]), turned)
                likeness[rows] = np.maximum(likeness[rows], alike)
    return likeness
