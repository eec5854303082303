"""Thumb: the luma image of 32 x 32 pixels in 4 bits, and whether one such image lies within
another.

It tells whether a pair is worth decoding again where hashes cannot: of a crop to half of the area
nothing is where it was.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.backends.capacity import worker_count
from dataprep.measures import compiled
from dataprep.measures.fingerprints.sketch import SIDE

Packed = NDArray[np.uint8]
Thumbs = NDArray[np.float32]
Rows = NDArray[np.int64]

#: Size of a thumb in bytes, two pixels each.
BYTES = SIDE * SIDE // 2
_LEVELS = 15
#: The first comparison: side of the whole, sides of the part (all of it to a little less than half
#: of its area), and the correlation below which the second, at full size, is spared.
_COARSE, _COARSE_SIDES, _COARSE_LEAST = 16, (16, 15, 14, 13, 12, 11), 0.8
#: Side of the smallest part in the second comparison.
_LEAST_SIDE = 21
_LEAST_POWER = 1e-3
_CHUNK = 256


def pack_thumb(thumb: NDArray[np.uint8]) -> Packed:
    """(512,) uint8: a (32, 32) luma image, its range stretched over 16 levels, two pixels a
    byte.
    """
    if compiled.KERNEL is not None:
        return np.frombuffer(compiled.KERNEL.pack(thumb), np.uint8)
    low, high = float(thumb.min()), float(thumb.max())
    levels = (
        np.rint((thumb - low) * (_LEVELS / max(high - low, 1.0))).astype(np.uint8).reshape(BYTES, 2)
    )
    return np.asarray((levels[:, 0] << 4) | levels[:, 1])


def unpack_thumbs(packed: Packed) -> Packed:
    """(n, 32, 32) levels 0 to 15 of (n, 512) packed thumbs."""
    return np.stack([packed >> 4, packed & 15], axis=2).reshape(len(packed), SIDE, SIDE)


def correlate_parts(thumbs: Packed, a: Rows, b: Rows, jobs: int = 0) -> NDArray[np.float32]:
    """(m,) the highest correlation of one thumb of each pair with a part of the other, at any place
    and several sizes, -1 to 1.

    Pairs that do not come near at a quarter of the pixels keep that first, coarse figure. Neither
    is turned.

    Args:
        thumbs: (n, 512) packed thumbs.
        a, b: (m,) rows of the two of each pair.
        jobs: threads; 0 takes every core.
    """
    starts = range(0, len(a), _CHUNK)
    with ThreadPoolExecutor(worker_count(jobs)) as pool:
        found = pool.map(partial(_correlate_chunk, thumbs, a, b), starts)
        return np.concatenate([np.zeros(0, np.float32), *found], dtype=np.float32)


def _correlate_chunk(thumbs: Packed, a: Rows, b: Rows, start: int) -> NDArray[np.float32]:
    first, second = (thumbs[rows[start : start + _CHUNK]] for rows in (a, b))
    there, back = _both_ways(first, second)
    best: NDArray[np.float32] = np.maximum(there.max(axis=1), back.max(axis=1))
    near = np.flatnonzero(best >= _COARSE_LEAST)
    wholes, parts = (unpack_thumbs(packed[near]).astype(np.float32) for packed in (first, second))
    for place, pair in enumerate(near.tolist()):
        whole, part, found = (
            (wholes, parts, there)
            if there[pair].max() >= back[pair].max()
            else (parts, wholes, back)
        )
        best[pair] = _fine(whole[place], part[place], 2 * _COARSE_SIDES[int(found[pair].argmax())])
    return best


def _both_ways(first: Packed, second: Packed) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`_coarse` of packed thumbs, the second in the first and the first in the second."""
    if compiled.KERNEL is not None:
        there, back = np.frombuffer(compiled.KERNEL.parts(first, second), np.float32).reshape(
            2, len(first), len(_COARSE_SIDES)
        )
        return there, back
    whole, part = (unpack_thumbs(packed).astype(np.float32) for packed in (first, second))
    return _coarse(whole, part), _coarse(part, whole)


def _coarse(whole: Thumbs, part: Thumbs) -> NDArray[np.float32]:
    """(m, sides) the highest correlation of each part, reduced to each of `_COARSE_SIDES`, with
    a place in the whole.
    """
    wholes = _reduced(whole, _COARSE)
    totals, squares = _box_sums(wholes), _box_sums(wholes**2)
    best = np.empty((len(whole), len(_COARSE_SIDES)), np.float32)
    for column, side in enumerate(_COARSE_SIDES):
        template = _reduced(part, side)
        template = template - template.mean(axis=(1, 2), keepdims=True)
        windows = np.lib.stride_tricks.sliding_window_view(wholes, (side, side), axis=(1, 2))
        common = (
            windows.reshape(len(whole), -1, side * side) @ template.reshape(len(part), -1, 1)
        )[:, :, 0]
        power = _of_boxes(squares, side) - _of_boxes(totals, side) ** 2 / side**2
        lengths = (
            np.maximum(power, _LEAST_POWER)
            * np.maximum((template**2).sum(axis=(1, 2)), _LEAST_POWER)[:, None]
        )
        best[:, column] = (common / np.sqrt(lengths)).max(axis=1)
    return best


def _box_sums(values: Thumbs) -> Thumbs:
    """(m, h + 1, w + 1) sums of all that is above and to the left."""
    return np.asarray(
        np.pad(values.cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0))), dtype=np.float32
    )


def _of_boxes(sums: Thumbs, side: int) -> Thumbs:
    """(m, places) sums over every square of `side`."""
    boxes = (
        sums[:, side:, side:]
        - sums[:, :-side, side:]
        - sums[:, side:, :-side]
        + sums[:, :-side, :-side]
    )
    return np.asarray(boxes.reshape(len(sums), -1), dtype=np.float32)


def _fine(whole: Thumbs, part: Thumbs, side: int) -> float:
    """The highest correlation of `part`, reduced to about `side`, with a place in `whole`."""
    best = -1.0
    for near in range(max(_LEAST_SIDE, side - 1), min(SIDE, side + 1) + 1):
        template = cv2.resize(part, (near, near), interpolation=cv2.INTER_AREA)
        likeness = cv2.matchTemplate(whole, template, cv2.TM_CCOEFF_NORMED)
        best = max(best, cv2.minMaxLoc(likeness)[1])
    return best


def _reduced(thumbs: Thumbs, side: int) -> Thumbs:
    """(m, side, side) the thumbs as means over areas."""
    weights = _area_weights(side)
    return np.asarray(weights @ thumbs @ weights.T, dtype=np.float32)


def _area_weights(side: int) -> NDArray[np.float32]:
    """(side, 32) share of each pixel in each of `side` equal parts."""
    edges = np.arange(side + 1) * (SIDE / side)
    pixels = np.arange(SIDE)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(np.maximum(shared, 0) * (side / SIDE), dtype=np.float32)
