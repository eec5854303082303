"""Measures of the colour cast and of what surrounds the subject: the outermost pixels, where
backgrounds and edges show.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.contract import measure_of
from dataprep.measures.decode.pixels import Pixels

#: Width of the outer frame as a share of the shorter side.
_SHARE = 0.04
#: Rows of at most about this many pixels give the mean colour.
_PIXELS = 16_000


@measure_of("warmth")
def measure_warmth(pixels: Pixels) -> float:
    """Mean red less mean blue, -1 to 1."""
    red, _, blue = pixels.shared(_mean_colour)
    return (red - blue) / 255


@measure_of("tint")
def measure_tint(pixels: Pixels) -> float:
    """Mean green less the mean of red and blue, -1 to 1."""
    red, green, blue = pixels.shared(_mean_colour)
    return (green - (red + blue) / 2) / 255


@measure_of("edge_luma")
def measure_edge_luma(pixels: Pixels) -> float:
    """Mean luma of the outer frame, 0 to 1."""
    return pixels.shared(_edge)[0]


@measure_of("edge_contrast")
def measure_edge_contrast(pixels: Pixels) -> float:
    """Standard deviation of the luma of the outer frame, 0 to 0.5."""
    return pixels.shared(_edge)[1]


SURROUND = (measure_warmth, measure_tint, measure_edge_luma, measure_edge_contrast)


def _mean_colour(pixels: Pixels) -> tuple[float, float, float]:
    """Mean red, green and blue of evenly spaced rows, 0 to 255."""
    height, width = pixels.rgb.shape[:2]
    step = min(max(1, height * width // _PIXELS), height)
    red, green, blue, _ = cv2.mean(np.ascontiguousarray(pixels.rgb[step // 2 :: step]))
    return red, green, blue


def _edge(pixels: Pixels) -> tuple[float, float]:
    """Mean and standard deviation of the luma of the outer frame, 0 to 1."""
    luma = pixels.luma
    depth = max(1, round(_SHARE * min(luma.shape)))
    sides: tuple[NDArray[np.uint8], ...] = (
        luma[:depth],
        luma[-depth:],
        luma[:, :depth].T,
        luma[:, -depth:].T,
    )
    total, mean, square = 0, 0.0, 0.0
    for side in sides:
        middle, spread = cv2.meanStdDev(np.ascontiguousarray(side))
        level, deviation = float(middle[0, 0]), float(spread[0, 0])
        total += side.size
        mean += side.size * level
        square += side.size * (level * level + deviation * deviation)
    mean, square = mean / total, square / total
    return mean / 255, max(square - mean * mean, 0.0) ** 0.5 / 255
