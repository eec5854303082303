"""Measures of focus: how much of the picture's contrast lies in its finest detail, and whether
directions differ in it.

Both rest on the structure function S(r), the mean squared difference of luma between pixels a step
r apart. Across a sharp edge it grows like the length of r, across a blurred one like its square, so
S(1) / S(8) falls from 1/8 to 1/64 whatever the contrast and however little of the picture has
detail. Strong edges weigh most: one sharp subject before a soft background counts as sharp.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from dataprep.measures import compiled
from dataprep.measures.contract import measure_of
from dataprep.measures.decode.pixels import Bytes2D, Pixels
from dataprep.measures.image.bands import ROWS, luma_tops, reduced_bands, reduction_of

_FAR = 8
#: Steps (down, right) at which differences are taken.
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, _FAR), (_FAR, 0))
#: For each, the rows of a band and the columns, fewer than all, from which it is taken.
_SPANS = ((ROWS, 1), (ROWS - 1, 0), (3, 1), (3, 1), (ROWS, _FAR), (ROWS - _FAR, 0))
#: Squared grey levels that rounding adds to a mean squared difference.
_ROUNDING = 2 / 12
#: Squared grey levels: with less contrast at a distance of 8 pixels, rounding is all there is to
#: see.
_LEAST_CONTRAST = 2.0


def structure(bands: Bytes2D, down: int, right: int) -> float:
    """Mean squared difference, in squared grey levels, of pixels a step apart within each band of
    `bands` (n * 17, w).

    Args:
        bands: from `cut_bands`.
        down: rows of the step, 0 to 16.
        right: columns of the step, may be negative.
    """
    width = bands.shape[1]
    # With each band as one long row, a step down is a shift by whole rows; the columns that wrap
    # round are cut off first.
    if right == 0:
        long = bands.reshape(-1, ROWS * width)
        first, second = long[:, : (ROWS - down) * width], long[:, down * width :]
        return _distance(first, second) / first.size
    left = bands[:, max(-right, 0) : width - max(right, 0)]
    shifted = bands[:, max(right, 0) : width - max(-right, 0)]
    if down == 0:
        return _distance(left, shifted) / left.size
    # Three rows of each band do: a step aslant costs a call for each.
    total, count = 0, 0
    for row in range(0, ROWS - down, 6):
        first, second = left[row::ROWS], shifted[row + down :: ROWS]
        total += _distance(first, second)
        count += first.size
    return total / count


def _distance(first: Bytes2D, second: Bytes2D) -> int:
    """Sum of squared differences; OpenCV's is right to less than a half."""
    return round(cv2.norm(first, second, cv2.NORM_L2SQR))


def _structures(pixels: Pixels) -> list[float] | None:
    """`structure` at each of `_STEPS`; None when there are no bands."""
    if compiled.KERNEL is None:
        bands = pixels.shared(reduced_bands)
        if bands is None or bands.shape[1] < ROWS:
            return None
        return [structure(bands, *step) for step in _STEPS]
    if reduction_of(pixels.luma) == 1:
        plane, tops = pixels.luma, pixels.shared(luma_tops)
    else:
        bands = pixels.shared(reduced_bands)
        assert bands is not None  # of so large an image
        plane, tops = bands, np.arange(0, len(bands), ROWS)
    if tops is None:
        return None
    sums = compiled.KERNEL.steps(plane, tops)
    width, count = plane.shape[1], len(tops)
    return [
        total / (count * rows * (width - fewer))
        for total, (rows, fewer) in zip(sums, _SPANS, strict=True)
    ]


def focus(pixels: Pixels) -> tuple[float, float]:
    """Least and greatest sharpness among the directions 0, 45, 90 and 135 degrees; NaN where
    there is nothing to judge.
    """
    found = _structures(pixels)
    if found is None:
        return math.nan, math.nan
    across, down = (max(mean - _ROUNDING, 0.0) for mean in found[:2])
    # For slopes, a diagonal step of one pixel's length follows from those along the axes and the
    # slopes' covariance.
    tilt = (found[2] - found[3]) / 4
    far = found[4:]
    if min(far) < _LEAST_CONTRAST:
        return math.nan, math.nan
    sharpness = _FAR * across / far[0], _FAR * down / far[1]
    aslant = _FAR * ((across + down) / 2 - abs(tilt)) / (sum(far) / 2)
    return max(min(*sharpness, aslant), 0.0), max(sharpness)


@measure_of("sharpness")
def measure_sharpness(pixels: Pixels) -> float:
    """8 S(1) / S(8) along the sharper axis: 1 for clean steps, more for fine texture, towards
    0.125 the stronger the blur.
    """
    return pixels.shared(focus)[1]


@measure_of("directionality")
def measure_directionality(pixels: Pixels) -> float:
    """1 - least / greatest sharpness among four directions, 0 to 1: how much sharper one
    direction is than another.
    """
    least, greatest = pixels.shared(focus)
    return 1 - least / greatest if greatest > 0 else math.nan


FOCUS = (measure_sharpness, measure_directionality)
