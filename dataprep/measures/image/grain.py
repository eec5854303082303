"""Measures of what was added to the picture: noise, and the block borders of JPEG compression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.contract import measure_of
from dataprep.measures.decode.pixels import Bytes2D, Pixels
from dataprep.measures.image.bands import BLOCK, ROWS, cut_bands, luma_bands, luma_tops

_LEAST_BLOCKS = 9
_CLIPPED = 16  # blocks nearer to black or white than this hide their noise
#: Shares of the blocks below the two ranks that are compared. Noise is alike everywhere; carpets
#: and foliage are not.
_QUIET_SHARES = (0.05, 0.3)
#: What the figure below would be of white noise of unit deviation, were it not divided by this.
_WHITE_SHARE = 0.70
#: Mean absolute value of the mixed difference of four independent pixels of unit deviation: 2 *
#: sqrt(2 / pi).
_MIXED_MEAN = 2 * math.sqrt(2 / math.pi)
#: Parts of a grey level to which means of mixed differences are rounded.
_FINE = 16
#: Added to the mean step elsewhere, in grey levels, so that rounding in a flat picture makes no
#: ratio.
_LEAST_STEP = 0.05
#: Below this blockiness there are no blocks worth counting.
_LEAST_BLOCKINESS = 1.8
#: Of a smaller share of the sides nothing is compared.
_LEAST_SHOWN = 0.01
#: Grey levels of a step between blocks: compression makes none as high as the edges of drawings
#: are. Grey levels of the bend (second difference) that a smooth block has at most, and how many
#: times as high the step is.
_STEPS, _BEND, _STEP_TO_BEND = (6.0, 48.0), 1.0, 3.0
#: Grids that are compared: the one of the blocks, then shifted ones.
_SHIFTS = (0, 2, 4, 6)


@measure_of("noise")
def measure_noise(pixels: Pixels) -> float:
    """Standard deviation of additive noise, 0 to 1, from mixed second differences in the flattest 8
    x 8 blocks.

    The mixed difference (Immerkaer, "Fast noise variance estimation", 1996, in its smallest form)
    is blind to edges along the axes and to slopes. The level of the flattest twentieth of the
    blocks is taken, and reduced by as much as the flattest third exceeds it: noise is alike
    everywhere, texture is not. Images smaller than two blocks give NaN, those with hardly a block
    that is not clipped 0.
    """
    tops = pixels.shared(luma_tops)
    if tops is None:
        return math.nan
    count, lower, upper = (
        _quiet_blocks(pixels)
        if compiled.KERNEL is None
        else compiled.KERNEL.quiet_blocks(
            pixels.luma, np.ascontiguousarray(tops[::3]), _CLIPPED, *_QUIET_SHARES
        )
    )
    if count < _LEAST_BLOCKS:
        return 0.0
    quietest, quiet = lower / _FINE / _MIXED_MEAN, upper / _FINE / _MIXED_MEAN
    return float(min(quietest * quietest / max(quiet, 1e-6) / _WHITE_SHARE / 255, 1.0))


def _quiet_blocks(pixels: Pixels) -> tuple[int, int, int]:
    """Number of blocks that are not clipped, and their mean mixed differences, in sixteenths of a
    level, at the two ranks.
    """
    bands = pixels.shared(luma_bands)
    if bands is None:
        return 0, 0, 0
    # (n, 17, 8 * across + 1): of every third band its whole blocks, and the row and column after
    # them.
    across = (bands.shape[1] - 1) // BLOCK
    strips = bands.reshape(-1, ROWS, bands.shape[1])[::3, :, : across * BLOCK + 1].reshape(
        -1, across * BLOCK + 1
    )
    steps = cv2.subtract(strips[:, 1:], strips[:, :-1], dtype=cv2.CV_16S)
    # A strip's last row meets the first of the next here, and is left out of the means.
    mixed = np.concatenate([cv2.absdiff(steps[1:], steps[:-1]), steps[-1:]]) * np.int16(_FINE)
    means, levels = _block_means(mixed), _block_means(strips[:, :-1])
    open_blocks = means[(levels > _CLIPPED) & (levels < 255 - _CLIPPED)]
    if not open_blocks.size:
        return 0, 0, 0
    low, high = (int(open_blocks.size * share) for share in _QUIET_SHARES)
    ordered = np.partition(open_blocks, (low, high))
    return open_blocks.size, int(ordered[low]), int(ordered[high])


def _block_means(strips: NDArray[Any]) -> NDArray[Any]:
    """(2 * n, w / 8) means, rounded, of the 8 x 8 blocks of n strips (n * 17, w), each strip's
    last row left out.
    """
    width = strips.shape[1]
    blocks = strips.reshape(-1, ROWS, width)[:, : ROWS - 1].reshape(-1, width)
    return np.asarray(
        cv2.resize(blocks, (width // BLOCK, len(blocks) // BLOCK), interpolation=cv2.INTER_AREA)
    )


@measure_of("blockiness")
def measure_blockiness(pixels: Pixels) -> float:
    """Mean step of luma at the borders of the 8 x 8 grid that starts at the corner, relative to the
    mean step inside.

    Geometric mean of both axes; about 1 without compression. NaN for images smaller than two
    blocks.
    """
    return pixels.shared(_blockiness)


def _blockiness(pixels: Pixels) -> float:
    tops = pixels.shared(luma_tops)
    if tops is None:
        return math.nan
    down, across = (
        _block_steps(pixels)
        if compiled.KERNEL is None
        else compiled.KERNEL.block_steps(pixels.luma, tops)
    )
    blocks, width = 2 * len(tops), pixels.luma.shape[1]
    return math.sqrt(
        _excess(down, max(blocks - 2, 1) * width)
        * _excess(across, max((width - 1) // BLOCK - 2, 1) * len(tops) * ROWS)
    )


def _block_steps(pixels: Pixels) -> tuple[list[int], list[int]]:
    """(8,) and (8,) total absolute step to the next row and to the next column, by place within a
    block, without the two largest totals.

    A straight edge of the picture (a frame, a horizon) that happens to lie on the grid is among
    these.
    """
    bands = pixels.shared(luma_bands)
    assert bands is not None
    down, across = (
        np.sort(steps, axis=0)[: max(len(steps) - 2, 1)].sum(axis=0).tolist()
        for steps in (_row_steps(bands), _column_steps(bands))
    )
    return down, across


def _row_steps(bands: Bytes2D) -> NDArray[np.int32]:
    """(2 * n, 8) total absolute step from each row to the next: for each row of blocks those
    after its first row to its last.
    """
    width = bands.shape[1]
    long = bands.reshape(-1, ROWS * width)
    steps = cv2.absdiff(long[:, :-width], long[:, width:]).reshape(-1, width)
    return np.asarray(
        cv2.reduce(steps, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).reshape(-1, BLOCK), dtype=np.int32
    )


def _column_steps(bands: Bytes2D) -> NDArray[np.int32]:
    """(blocks, 8) total absolute step from each column to the next."""
    steps = cv2.reduce(
        cv2.absdiff(bands[:, :-1], bands[:, 1:]), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S
    ).ravel()
    return np.asarray(steps[: len(steps) // BLOCK * BLOCK].reshape(-1, BLOCK), dtype=np.int32)


def _excess(steps: Sequence[int], pixels: int) -> float:
    """Mean step across block borders, relative to the mean step inside, of the total steps (8,) of
    so many `pixels` each.
    """
    border, inside = steps[BLOCK - 1] / pixels, sum(steps[: BLOCK - 1]) / (BLOCK - 1) / pixels
    return (border + _LEAST_STEP) / (inside + _LEAST_STEP)


@measure_of("block_steps")
def measure_block_steps(pixels: Pixels) -> float:
    """Share of the sides of 8 x 8 blocks, 0 to 1, that show as a step between two smooth blocks,
    beyond those of shifted grids.

    The smaller figure of both axes. Texture with the grid's period is not smooth, and edges of
    drawings lie on shifted grids as often. NaN for images smaller than two blocks, 0 for those
    without blockiness.
    """
    blockiness = pixels.shared(_blockiness)
    if not blockiness >= _LEAST_BLOCKINESS:
        return blockiness * 0.0  # NaN stays NaN
    bands = pixels.shared(luma_bands)
    assert bands is not None
    shown = _stepped(bands)
    return min(shown, _stepped(cut_bands(np.ascontiguousarray(pixels.luma.T)))) if shown else 0.0


def _stepped(bands: Bytes2D) -> float:
    """Share of the upright sides of blocks that are such steps, less the largest share on the
    shifted grids; 0 for hardly any.
    """
    width = bands.shape[1]
    strips = bands.reshape(-1, ROWS, width)[:, : ROWS - 1].reshape(-1, width).astype(np.int16)
    steps = np.diff(strips, axis=1)
    bends = np.abs(np.diff(steps, axis=1)).astype(np.float32)
    # Mean of the five bends that begin at each column, all of which lie within a block where the
    # first pixel of one is meant.
    inside = np.asarray(cv2.blur(bends, (5, 1), anchor=(0, 0)), np.float32)
    heights = np.abs(steps)
    grid, *shifted = (_places(width, shift) for shift in _SHIFTS)
    shown = _stepped_share(heights, inside, grid)
    if shown < _LEAST_SHOWN:
        return 0.0
    return max(shown - max(_stepped_share(heights, inside, places) for places in shifted), 0.0)


def _places(width: int, shift: int) -> NDArray[np.int64]:
    """Columns on the right of the sides of a grid, of those that have a whole block on both
    sides.
    """
    return np.arange(BLOCK + shift, width - BLOCK + 1, BLOCK)


def _stepped_share(
    steps: NDArray[np.int16], inside: NDArray[np.float32], places: NDArray[np.int64]
) -> float:
    """Share of the sides at `places` (columns on their right) at which there is a step, and
    hardly a bend on both sides.
    """
    if not len(places):
        return 0.0
    step = _means_of_eight(steps[:, places - 1])
    bend = _means_of_eight((inside[:, places - 7] + inside[:, places]) / 2)
    return float(
        (
            (step >= _STEPS[0])
            & (step <= _STEPS[1])
            & (bend <= _BEND)
            & (step >= _STEP_TO_BEND * bend)
        ).mean()
    )


def _means_of_eight(rows: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(rows.reshape(len(rows) // BLOCK, BLOCK, -1).mean(axis=1, dtype=np.float64))


GRAIN = (measure_noise, measure_blockiness, measure_block_steps)
