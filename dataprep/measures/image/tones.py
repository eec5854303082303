"""Measures of tone and colour: all of them from the histograms of luma and chroma."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dataprep.measures.contract import Measure, measure_of
from dataprep.measures.decode.pixels import Pixels

_LEVELS = np.arange(256) / 255.0
_POWERS = np.stack([_LEVELS, _LEVELS**2])
_TINY = 1e-300  # its logarithm is finite, and counts nothing where the share is 0
_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def percentiles(shares: NDArray[np.float64], percents: Sequence[float]) -> list[float]:
    """The levels, 0 to 1, at or below which each of `percents` % of the pixels lie, from a
    histogram of `shares` (256,).
    """
    places = np.searchsorted(np.cumsum(shares), [percent / 100 - 1e-9 for percent in percents])
    return [min(place, 255) / 255 for place in places.tolist()]


def _luma_percentiles(pixels: Pixels) -> list[float]:
    return percentiles(pixels.luma_histogram, _PERCENTILES)


def _percentile_measure(place: int) -> Measure:
    def read(pixels: Pixels) -> float:
        return pixels.shared(_luma_percentiles)[place]

    return Measure(f"luma_p{_PERCENTILES[place]:02}", 1, read)


def _luma_moments(pixels: Pixels) -> list[float]:
    """Mean of luma and of its square."""
    moments: list[float] = (_POWERS @ pixels.luma_histogram).tolist()
    return moments


@measure_of("luma_mean")
def measure_mean(pixels: Pixels) -> float:
    """Mean luma, 0 to 1."""
    return pixels.shared(_luma_moments)[0]


@measure_of("contrast")
def measure_contrast(pixels: Pixels) -> float:
    """Standard deviation of luma, 0 to 0.5."""
    mean, square = pixels.shared(_luma_moments)
    return math.sqrt(max(square - mean * mean, 0.0))


@measure_of("entropy")
def measure_entropy(pixels: Pixels) -> float:
    """Shannon entropy of the luma histogram, 0 to 8 bits."""
    shares = pixels.luma_histogram
    return max(-float(shares @ np.log2(np.maximum(shares, _TINY))), 0.0)


@measure_of("saturation")
def measure_saturation(pixels: Pixels) -> float:
    """Mean chroma (max - min of R, G, B), 0 to 1."""
    return float(pixels.chroma_histogram @ _LEVELS)


@measure_of("chroma_p99")
def measure_chroma_p99(pixels: Pixels) -> float:
    """99th percentile of chroma, 0 to 1."""
    return percentiles(pixels.chroma_histogram, [99])[0]


TONES: tuple[Measure, ...] = (
    *map(_percentile_measure, range(len(_PERCENTILES))),
    measure_mean,
    measure_contrast,
    measure_entropy,
    measure_saturation,
    measure_chroma_p99,
)
