"""Measures of tone and colour: all of them from the histograms of luma and chroma."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dataprep.measures.contract import Measure, measure_of
from dataprep.measures.pixels import Pixels

_LEVELS = np.arange(256) / 255.0
_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def _cumulative(pixels: Pixels) -> NDArray[np.float64]:
    return np.cumsum(pixels.luma_histogram)


def percentile(cumulative: NDArray[np.float64], percent: float) -> float:
    """The level, 0 to 1, at or below which `percent` % of the pixels lie."""
    return min(int(np.searchsorted(cumulative, percent / 100 - 1e-9)), 255) / 255


def _percentile_measure(percent: int) -> Measure:
    def read(pixels: Pixels) -> float:
        return percentile(pixels.shared(_cumulative), percent)

    return Measure(f"luma_p{percent:02}", 1, read)


@measure_of("luma_mean")
def measure_mean(pixels: Pixels) -> float:
    """Mean luma, 0 to 1."""
    return float(pixels.luma_histogram @ _LEVELS)


@measure_of("contrast")
def measure_contrast(pixels: Pixels) -> float:
    """Standard deviation of luma, 0 to 0.5."""
    shares = pixels.luma_histogram
    mean = float(shares @ _LEVELS)
    return math.sqrt(max(float(shares @ _LEVELS**2) - mean * mean, 0.0))


@measure_of("entropy")
def measure_entropy(pixels: Pixels) -> float:
    """Shannon entropy of the luma histogram, 0 to 8 bits."""
    shares = pixels.luma_histogram
    present = shares[shares > 0]
    return max(-float(present @ np.log2(present)), 0.0)


@measure_of("saturation")
def measure_saturation(pixels: Pixels) -> float:
    """Mean chroma (max - min of R, G, B), 0 to 1."""
    return float(pixels.chroma_histogram @ _LEVELS)


@measure_of("chroma_p99")
def measure_chroma_p99(pixels: Pixels) -> float:
    """99th percentile of chroma, 0 to 1."""
    return percentile(np.cumsum(pixels.chroma_histogram), 99)


TONES: tuple[Measure, ...] = (
    *map(_percentile_measure, _PERCENTILES), measure_mean, measure_contrast, measure_entropy, measure_saturation,
    measure_chroma_p99,
)  # fmt: skip
