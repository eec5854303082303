"""Measures of the colour cast and of what surrounds the subject: the outermost pixels, where
backgrounds and edges show.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.contract import measure_of
from dataprep.measures.decode.pixels import Pixels, row_step
from dataprep.measures.image.tones import deviation

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
    count, total, _ = pixels.shared(_edge)
    return total / count / 255


@measure_of("edge_contrast", 2)
def measure_edge_contrast(pixels: Pixels) -> float:
    """Standard deviation of the luma of the outer frame, 0 to 0.5."""
    return deviation(*pixels.shared(_edge))


SURROUND = (measure_warmth, measure_tint, measure_edge_luma, measure_edge_contrast)


def _mean_colour(pixels: Pixels) -> tuple[float, float, float]:
    """Mean red, green and blue of evenly spaced rows, 0 to 255."""
    step = row_step(pixels.rgb, _PIXELS)
    if compiled.KERNEL is not None:
        *sums, count = compiled.KERNEL.colours(pixels.rgb, step)
        red, green, blue = (total * (1.0 / count) for total in sums)
        return red, green, blue
    red, green, blue, _ = cv2.mean(np.ascontiguousarray(pixels.rgb[step // 2 :: step]))
    return red, green, blue


def _edge(pixels: Pixels) -> tuple[int, int, int]:
    """Number, sum and sum of squares of the levels of luma in the outer frame; its corners count
    twice.
    """
    luma = pixels.luma
    depth = max(1, round(_SHARE * min(luma.shape)))
    if compiled.KERNEL is not None:
        count, total, squares = compiled.KERNEL.edge(luma, depth)
        return count, total, squares
    sides: tuple[NDArray[np.uint8], ...] = (
        luma[:depth],
        luma[-depth:],
        luma[:, :depth],
        luma[:, -depth:],
    )
    levels = [np.ascontiguousarray(side) for side in sides]
    return (
        sum(side.size for side in levels),
        sum(int(cv2.sumElems(side)[0]) for side in levels),
        sum(round(cv2.norm(side, cv2.NORM_L2SQR)) for side in levels),
    )
