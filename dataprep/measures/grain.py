"""Measures of what was added to the picture: noise, and the block borders of JPEG compression."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.bands import BLOCK, ROWS, luma_bands
from dataprep.measures.contract import measure_of
from dataprep.measures.pixels import Bytes2D, Pixels

_LEAST_BLOCKS = 9
_CLIPPED = 16  # blocks nearer to black or white than this hide their noise
#: Shares of the blocks below the two ranks that are compared. Noise is alike everywhere; carpets and foliage are not.
_QUIET_SHARES = (0.05, 0.3)
#: What the figure below would be of white noise of unit deviation, were it not divided by this.
_WHITE_SHARE = 0.70
#: Mean absolute value of the mixed difference of four independent pixels of unit deviation: 2 * sqrt(2 / pi).
_MIXED_MEAN = 2 * math.sqrt(2 / math.pi)
#: Parts of a grey level to which means of mixed differences are rounded.
_FINE = 16
#: Added to the mean step elsewhere, in grey levels, so that rounding in a flat picture makes no ratio.
_LEAST_STEP = 0.05


@measure_of("noise")
def measure_noise(pixels: Pixels) -> float:
    """Standard deviation of additive noise, 0 to 1, from mixed second differences in the flattest 8 x 8 blocks.

    The mixed difference (Immerkaer, "Fast noise variance estimation", 1996, in its smallest form) is blind to edges along
    the axes and to slopes. The level of the flattest twentieth of the blocks is taken, and reduced by as much as the
    flattest third exceeds it: noise is alike everywhere, texture is not. Images smaller than two blocks give NaN, those
    with hardly a block that is not clipped 0.
    """
    bands = pixels.shared(luma_bands)
    if bands is None:
        return math.nan
    # (n, 17, 8 * across + 1): of every third band its whole blocks, and the row and column after them.
    across = (bands.shape[1] - 1) // BLOCK
    strips = bands.reshape(-1, ROWS, bands.shape[1])[::3, :, : across * BLOCK + 1].reshape(-1, across * BLOCK + 1)
    steps = cv2.subtract(strips[:, 1:], strips[:, :-1], dtype=cv2.CV_16S)
    # A strip's last row meets the first of the next here, and is left out of the means.
    mixed = np.concatenate([cv2.absdiff(steps[1:], steps[:-1]), steps[-1:]]) * np.int16(_FINE)
    means, levels = _block_means(mixed), _block_means(strips[:, :-1])
    open_blocks = means[(levels > _CLIPPED) & (levels < 255 - _CLIPPED)]
    if open_blocks.size < _LEAST_BLOCKS:
        return 0.0
    low, high = (int(open_blocks.size * share) for share in _QUIET_SHARES)
    ordered = np.partition(open_blocks, (low, high))
    quietest, quiet = float(ordered[low]) / _FINE / _MIXED_MEAN, float(ordered[high]) / _FINE / _MIXED_MEAN
    return min(quietest * quietest / max(quiet, 1e-6) / _WHITE_SHARE / 255, 1.0)


def _block_means(strips: NDArray[Any]) -> NDArray[Any]:
    """(2 * n, w / 8) means, rounded, of the 8 x 8 blocks of n strips (n * 17, w), each strip's last row left out."""
    width = strips.shape[1]
    blocks = strips.reshape(-1, ROWS, width)[:, : ROWS - 1].reshape(-1, width)
    return np.asarray(cv2.resize(blocks, (width // BLOCK, len(blocks) // BLOCK), interpolation=cv2.INTER_AREA))


@measure_of("blockiness")
def measure_blockiness(pixels: Pixels) -> float:
    """Mean step of luma at the borders of the 8 x 8 grid that starts at the corner, relative to the mean step inside.

    Geometric mean of both axes; about 1 without compression. NaN for images smaller than two blocks.
    """
    bands = pixels.shared(luma_bands)
    if bands is None:
        return math.nan
    return math.sqrt(_excess(_row_steps(bands), bands.shape[1]) * _excess(_column_steps(bands), len(bands)))


def _row_steps(bands: Bytes2D) -> NDArray[np.int32]:
    """(2 * n, 8) total absolute step from each row to the next: for each row of blocks those after its first row to its last."""
    width = bands.shape[1]
    long = bands.reshape(-1, ROWS * width)
    steps = cv2.absdiff(long[:, :-width], long[:, width:]).reshape(-1, width)
    return np.asarray(cv2.reduce(steps, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).reshape(-1, BLOCK), dtype=np.int32)


def _column_steps(bands: Bytes2D) -> NDArray[np.int32]:
    """(blocks, 8) total absolute step from each column to the next."""
    steps = cv2.reduce(cv2.absdiff(bands[:, :-1], bands[:, 1:]), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    return np.asarray(steps[: len(steps) // BLOCK * BLOCK].reshape(-1, BLOCK), dtype=np.int32)


def _excess(steps: NDArray[np.int32], pixels: int) -> float:
    """Mean step across block borders, relative to the mean step inside, each without the two largest totals over `pixels`.

    A straight edge of the picture (a frame, a horizon) that happens to lie on the grid is among these.
    """
    kept = max(len(steps) - 2, 1)
    phases = (np.sort(steps, axis=0)[:kept].sum(axis=0) / (kept * pixels)).tolist()
    border, inside = phases[BLOCK - 1], sum(phases[: BLOCK - 1]) / (BLOCK - 1)
    return float((border + _LEAST_STEP) / (inside + _LEAST_STEP))


GRAIN = (measure_noise, measure_blockiness)
