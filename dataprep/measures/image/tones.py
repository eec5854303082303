"""Measures of tone and colour: all of them from the histograms of luma and chroma."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.contract import Measure, measure_of
from dataprep.measures.decode.pixels import Pixels, row_step

#: Histograms count at least this many pixels of a larger image: the rank of a percentile is then
#: right to about 0.1 %.
_PIXELS = 32_000
_CHROMA_PIXELS = 8_000
_LEVELS = np.arange(256)
_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def _shares(*percents: int) -> NDArray[np.float64]:
    """Shares of the pixels, a little less than `percents`, so that rounding counts nothing."""
    return np.array(percents) / 100 - 1e-9


_SHARES, _CHROMA_SHARES = _shares(*_PERCENTILES), _shares(99)


class Tones(NamedTuple):
    """A histogram of levels, 0 to 255, in a few numbers.

    Attributes:
        pixels: those counted, of evenly spaced rows in large images.
        total, squares: sums of their levels and of the squares of these.
        entropy: Shannon entropy in bits.
        levels: at or below which the asked shares of the pixels lie.
    """

    pixels: int
    total: int
    squares: int
    entropy: float
    levels: tuple[int, ...]


def luma_tones(pixels: Pixels) -> Tones:
    """Of the luma; levels for `_PERCENTILES`."""
    step = row_step(pixels.luma, _PIXELS)
    if compiled.KERNEL is not None:
        return Tones(*compiled.KERNEL.tones(pixels.luma, step, _SHARES))
    return _describe(pixels.luma[step // 2 :: step], _SHARES)


def chroma_tones(pixels: Pixels) -> Tones:
    """Of the chroma, max - min of R, G, B; the level for 99 %."""
    step = row_step(pixels.rgb, _CHROMA_PIXELS)
    if compiled.KERNEL is not None:
        return Tones(*compiled.KERNEL.chroma(pixels.rgb, step, _CHROMA_SHARES))
    red, green, blue = cv2.split(np.ascontiguousarray(pixels.rgb[step // 2 :: step]))
    high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return _describe(np.asarray(cv2.subtract(high, low), np.uint8), _CHROMA_SHARES)


def _describe(rows: NDArray[np.uint8], asked: NDArray[np.float64]) -> Tones:
    plane = np.ascontiguousarray(rows)
    if rows.size < 2**24:  # singles hold the counts
        counts = cv2.calcHist([plane], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    else:
        counts = np.bincount(plane.ravel(), minlength=256)
    share = counts[counts > 0] / rows.size
    levels = np.searchsorted(np.cumsum(counts), asked * rows.size).tolist()
    return Tones(
        rows.size,
        int(counts @ _LEVELS),
        int(counts @ _LEVELS**2),
        -float(share @ np.log2(share)),
        tuple(min(level, 255) for level in levels),
    )


def _percentile_measure(place: int) -> Measure:
    def read(pixels: Pixels) -> float:
        return pixels.shared(luma_tones).levels[place] / 255

    return Measure(f"luma_p{_PERCENTILES[place]:02}", 1, read)


@measure_of("luma_mean")
def measure_mean(pixels: Pixels) -> float:
    """Mean luma, 0 to 1."""
    tones = pixels.shared(luma_tones)
    return tones.total / tones.pixels / 255


@measure_of("contrast", 2)
def measure_contrast(pixels: Pixels) -> float:
    """Standard deviation of luma, 0 to 0.5."""
    return deviation(*pixels.shared(luma_tones)[:3])


def deviation(pixels: int, total: int, squares: int) -> float:
    """Standard deviation, 0 to 0.5, of levels 0 to 255 with this sum and sum of squares; exact
    for uniform ones.
    """
    return math.sqrt(pixels * squares - total * total) / pixels / 255


@measure_of("entropy")
def measure_entropy(pixels: Pixels) -> float:
    """Shannon entropy of the luma histogram, 0 to 8 bits."""
    return max(pixels.shared(luma_tones).entropy, 0.0)


@measure_of("saturation")
def measure_saturation(pixels: Pixels) -> float:
    """Mean chroma (max - min of R, G, B), 0 to 1."""
    tones = pixels.shared(chroma_tones)
    return tones.total / tones.pixels / 255


@measure_of("chroma_p99")
def measure_chroma_p99(pixels: Pixels) -> float:
    """99th percentile of chroma, 0 to 1."""
    return pixels.shared(chroma_tones).levels[0] / 255


TONES: tuple[Measure, ...] = (
    *map(_percentile_measure, range(len(_PERCENTILES))),
    measure_mean,
    measure_contrast,
    measure_entropy,
    measure_saturation,
    measure_chroma_p99,
)
