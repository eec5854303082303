"""Bands: a few evenly spaced strips of rows that stand for the picture in the measures of texture.

They are small enough to stay in the processor's cache, where the whole plane does not: that makes
texture cheap.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.decode.pixels import Bytes2D, Pixels

BLOCK = 8
#: Rows of a band: two rows of 8 x 8 blocks, and the row after them.
ROWS = 2 * BLOCK + 1
#: As many bands as give about this many pixels, at least four.
_PIXELS = 64_000
#: Pictures are reduced to a shorter side of at most this where blur matters relative to the
#: picture's size.
SHORT_SIDE = 512


def cut_bands(plane: Bytes2D, factor: int = 1) -> Bytes2D:
    """(n * 17, w) rows of `plane` (h, w), reduced by a whole `factor`, the mean of factor x factor
    pixels for each.

    The n bands start at multiples of 8 and are evenly spaced; all of them where few fit. Only their
    rows are reduced. The reduced plane must have at least 17 rows.
    """
    height, width = plane.shape[0] // factor, plane.shape[1] // factor
    tops = _tops(height, width)
    bands = np.concatenate(
        [plane[top * factor : (top + ROWS) * factor, : width * factor] for top in tops]
    )
    if factor == 1:
        return bands
    return np.asarray(
        cv2.resize(bands, (width, len(tops) * ROWS), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def _tops(height: int, width: int) -> list[int]:
    """The first row of each band of a plane."""
    places = (height - ROWS) // BLOCK + 1
    count = min(max(_PIXELS // (ROWS * width), 4), max(places // 2, 1))
    return [round(i * (places - 1) / max(count - 1, 1)) * BLOCK for i in range(count)]


def luma_tops(pixels: Pixels) -> NDArray[np.int64] | None:
    """(n,) first rows of the bands of the luma; None when there are none."""
    height, width = pixels.luma.shape
    return _tops_array(height, width) if min(height, width) >= ROWS else None


@lru_cache(maxsize=256)
def _tops_array(height: int, width: int) -> NDArray[np.int64]:
    return np.array(_tops(height, width), np.int64)


def luma_bands(pixels: Pixels) -> Bytes2D | None:
    """Bands of the luma at full resolution; None when the picture is less than 17 pixels high or
    wide.
    """
    return cut_bands(pixels.luma) if min(pixels.luma.shape) >= ROWS else None


def reduced_bands(pixels: Pixels) -> Bytes2D | None:
    """Bands of the luma reduced by a whole factor to a shorter side of at most 512 pixels; None
    when there are none.
    """
    factor = reduction_of(pixels.luma)
    return pixels.shared(luma_bands) if factor == 1 else cut_bands(pixels.luma, factor)


def reduction_of(plane: Bytes2D) -> int:
    """The whole factor that reduces the shorter side of `plane` to at most 512 pixels."""
    return -(-int(min(plane.shape)) // SHORT_SIDE)
