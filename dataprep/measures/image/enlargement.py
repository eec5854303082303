"""Traces of enlargement: interpolated pixels follow from their neighbours, and how closely they do
repeats with the old grid.

Curvature relative to slope, column by column and row by row, goes up and down with the period of
the factor (after Gallagher, "Detection of linear and cubic interpolation in JPEG compressed
images", 2005). Being out of focus makes every pixel follow from its neighbours alike, so that
nothing repeats.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.decode.pixels import Bytes2D
from dataprep.measures.image.bands import BLOCK

_LEAST_SIDE = 80
_LEAST_COLUMNS = 48
#: Points of the spectrum, and the frequencies that are searched: periods of 2 to 11 pixels.
_POINTS = 2048
_FREQUENCIES = np.arange(_POINTS // 2 + 1) / _POINTS
_SEARCHED = (_FREQUENCIES >= 0.09) & (_FREQUENCIES <= 0.495)
#: About so many lines are read along each axis, and of each at most so many pixels, in the middle.
_LINES, _LONGEST = 160, 2048
#: Levels of slope per pixel from which a place counts; slope and curvature are cut off at these.
_LEAST_SLOPE, _MOST_SLOPE, _MOST_CURVATURE = 4, 40, 80
#: The slow part of a profile, as the sigma of a Gaussian in pixels, and the most that is kept of
#: what is left.
_SLOW, _MOST_LOG = 4.25, 1.2
#: An enlargement shows along both axes; tiles and stripes often along one. Peaks lower than this
#: are none, and what is seen along the only axis with slopes counts less by this.
_LEAST_PEAK, _ONE_AXIS = 3.5, 1.5
#: Width of a peak, in frequencies.
_WIDTH = 0.003
_NEAR_GRID = np.flatnonzero(
    np.any([np.abs(_FREQUENCIES - k / BLOCK) < _WIDTH for k in (1, 2, 3)], axis=0)
)
_NEIGHBOURS = np.ones((1, 5), np.uint8)


class Resampling(NamedTuple):
    """How strongly curvature repeats: peaks of a spectrum relative to its median. NaN where slopes
    are too few.

    Untouched photos have 2.6, those out of focus 3 to 3.6, enlarged ones 6 to 26.

    Attributes:
        fine: the largest peak of curvature over one pixel, at other frequencies than those of the
            blocks of JPEG.
        fine_factor: its period in pixels: the factor by which the image was enlarged.
        coarse, coarse_factor: the same of curvature over two pixels, which sees smooth
            interpolation better.
        grid, grid_factor: the same at periods of 8, 4 and 8/3 pixels, which the blocks of JPEG can
            have.
    """

    fine: float = math.nan
    fine_factor: float = math.nan
    coarse: float = math.nan
    coarse_factor: float = math.nan
    grid: float = math.nan
    grid_factor: float = math.nan


def measure_resampling(luma: Bytes2D) -> Resampling:
    """Traces of enlargement in `luma` (h, w)."""
    found = Resampling()
    planes = luma, np.asarray(cv2.transpose(luma), np.uint8)
    for lag, name in ((1, "fine"), (2, "coarse")):
        spectra = [spectrum for plane in planes if (spectrum := _spectrum(plane, lag)) is not None]
        if not spectra:
            continue
        searched = _off_grid(min(luma.shape) if len(spectra) > 1 else max(luma.shape))
        both = _together(spectra)
        at = int(searched[np.argmax(both[searched])])
        found = found._replace(
            **{name: float(both[at]), f"{name}_factor": 1 / float(_FREQUENCIES[at])}
        )
        if lag == 2:
            at = int(_NEAR_GRID[np.argmax(both[_NEAR_GRID])])
            found = found._replace(grid=float(both[at]), grid_factor=1 / float(_FREQUENCIES[at]))
    return found


def _together(spectra: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(1025,) geometric mean of the axes where both have a peak, else the lower one; of a single
    axis somewhat less than it.
    """
    if len(spectra) == 1:
        return spectra[0] / _ONE_AXIS
    near = [cv2.dilate(spectrum[None], _NEIGHBOURS)[0] for spectrum in spectra]
    lower = np.minimum(*near)
    return np.asarray(
        np.where(lower >= _LEAST_PEAK, np.sqrt(spectra[0] * spectra[1]), np.minimum(*spectra))
    )


def _off_grid(length: int) -> NDArray[np.int64]:
    """Places of the frequencies that are searched: none that the blocks of JPEG can have in a
    profile of so many pixels.
    """
    return _away_from_blocks(min(length, _POINTS))


@lru_cache(maxsize=64)
def _away_from_blocks(length: int) -> NDArray[np.int64]:
    tolerance = 2.2 / length
    near = [np.abs(_FREQUENCIES - k / BLOCK) < tolerance for k in range(1, 5)]
    return np.flatnonzero(_SEARCHED & ~np.any(near, axis=0))


@lru_cache(maxsize=64)
def _window(length: int) -> NDArray[np.float64]:
    return np.hanning(length)


def _spectrum(plane: Bytes2D, lag: int) -> NDArray[np.float64] | None:
    """(1025,) spectrum of the profile along the columns of `plane`, relative to its median; None
    where there is too little.
    """
    if plane.shape[1] < _LEAST_SIDE:
        return None
    profile = _profile(plane, lag)
    if profile is None:
        return None
    slow = cv2.GaussianBlur(profile[None].astype(np.float32), (0, 0), _SLOW)[0]
    fast = np.minimum(np.maximum(profile - slow, -_MOST_LOG), _MOST_LOG)
    spectrum = np.abs(np.fft.rfft(fast * _window(len(fast)), _POINTS))
    searched = spectrum[_off_grid(plane.shape[1])]
    middle = len(searched) // 2
    lower = middle - 1 + len(searched) % 2
    ordered = np.partition(searched, (lower, middle))
    median = float((ordered[lower] + ordered[middle]) / 2)
    return np.asarray(spectrum / max(median, 1e-9))


def _profile(plane: Bytes2D, lag: int) -> NDArray[np.float64] | None:
    """Per column the log of curvature relative to slope, over `lag` pixels to each side, where
    slopes are not small.
    """
    start = max((plane.shape[1] - _LONGEST) // 2, 0)
    plane = plane[:, start : start + _LONGEST]
    step = max(1, len(plane) // _LINES)
    # Slopes are over 2 lag pixels.
    limits = 2 * _LEAST_SLOPE * lag, 2 * _MOST_SLOPE * lag, _MOST_CURVATURE * lag
    if compiled.KERNEL is None:
        sums = _slopes_and_bends(plane[::step], lag, *limits)
    else:
        found = compiled.KERNEL.slopes_and_bends(plane, step, lag, *limits)
        sums = np.frombuffer(found, np.uint32).reshape(2, -1).astype(np.int64)
    slopes, curvatures = sums[0] / 2, sums[1]
    known = np.flatnonzero(slopes > max(8.0, 0.05 * slopes.mean()))
    if len(known) < _LEAST_COLUMNS:
        return None
    ratio = np.interp(np.arange(len(slopes)), known, curvatures[known] / slopes[known])
    return np.asarray(np.log(ratio + 0.02))


def _slopes_and_bends(
    lines: Bytes2D, lag: int, least: int, most_slope: int, most_bend: int
) -> NDArray[np.int64]:
    """(2, w - 2 lag) sums of slopes and of curvatures per column: what `kernel.c` does faster."""
    deep = lines.astype(np.int16)
    left, middle, right = deep[:, : -2 * lag], deep[:, lag:-lag], deep[:, 2 * lag :]
    slope = np.abs(right - left)
    steep = slope >= least
    slopes = np.minimum(slope, most_slope) * steep
    bends = np.minimum(np.abs(2 * middle - left - right), most_bend) * steep
    return np.stack([part.sum(axis=0, dtype=np.int64) for part in (slopes, bends)])
