"""Noise, separated from texture: it is alike in all blocks, and neighbouring pixels and colours are
uncorrelated.

A carpet, a halftone and foliage give as large differences between pixels as noise does. But their
pixels go together with their neighbours, at half the resolution they are nearly as strong (white
noise is half as strong), some blocks show less of them, and red, green and blue go up and down
together, where each has a noise of its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.image.bands import BLOCK

_LEAST_SIDE = 5 * BLOCK
_LEAST_BLOCKS = 20
#: At most about so many pixels are looked at: strips of rows, evenly spaced.
_PIXELS = 1_000_000
#: Rows of a strip; its last row is only there for differences.
_STRIP = 4 * BLOCK
#: Pixels nearer to black or white, in levels, hide their noise; a block may have less than this
#: share of them.
_CLIPPED, _MOST_CLIPPED = 6, 0.2
_DARKEST, _BRIGHTEST = 10, 245
_QUIETEST, _QUIET = 0.05, 0.3
#: Mean absolute value of the mixed difference of four independent pixels of unit deviation: 2 *
#: sqrt(2 / pi).
_MIXED_MEAN = 2 * math.sqrt(2 / math.pi)


class WhiteNoise(NamedTuple):
    """Noise in the quiet blocks of 8 x 8 pixels; NaN where there are too few that are not clipped.

    Attributes:
        open: share of the blocks that are not clipped.
        level: deviation of noise in the quietest twentieth of them, in levels of 255.
        evenness: that, relative to the quietest third: 0.9 for noise alike everywhere.
        neighbours: correlation of mixed differences one pixel apart: -0.5 to -0.42 for white noise,
            higher where neighbours go together.
        halving: level at half the resolution relative to the full one: 0.5 for white noise, 1 to 2
            for texture and blur.
        peakedness: kurtosis of the mixed differences: 3 for noise of one Gaussian strength.
        colour: level of red less green and of blue less green, relative to that of luma, each at
            half the resolution: 2 where every channel has a noise of its own, 1 after JPEG halved
            it, 0 in grey images, up to 0.5 in textures.
    """

    open: float = math.nan
    level: float = math.nan
    evenness: float = math.nan
    neighbours: float = math.nan
    halving: float = math.nan
    peakedness: float = math.nan
    colour: float = math.nan


def measure_white_noise(rgb: NDArray[np.uint8]) -> WhiteNoise:
    """The noise of an image (h, w, 3)."""
    if min(rgb.shape[:2]) < _LEAST_SIDE:
        return WhiteNoise()
    pixels = _strips(rgb)
    plane = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    mixed = _mixed_differences(plane)
    strength = _block_means(np.pad(np.abs(mixed), ((0, 1), (0, 1)), mode="edge")) / np.float32(
        _MIXED_MEAN
    )
    level = _block_means(plane.astype(np.float32))
    clipped = _block_means(((plane < _CLIPPED) | (plane > 255 - _CLIPPED)).astype(np.float32))
    open_blocks = (clipped < _MOST_CLIPPED) & (level > _DARKEST) & (level < _BRIGHTEST)
    if int(open_blocks.sum()) < _LEAST_BLOCKS:
        return WhiteNoise(open=float(open_blocks.mean()))
    ordered = np.sort(strength[open_blocks])
    quietest, quiet = (float(ordered[int(len(ordered) * share)]) for share in (_QUIETEST, _QUIET))
    asked = open_blocks & (strength <= quiet)
    neighbours, peakedness = _of_mixed(mixed, asked)
    luma, red, blue = (max(_half_level(part, asked), 1e-3) for part in _half_planes(pixels))
    return WhiteNoise(
        open=float(open_blocks.mean()),
        level=quietest,
        evenness=quietest / max(quiet, 1e-6),
        neighbours=neighbours,
        halving=luma / max(float(strength[asked].mean(dtype=np.float64)), 1e-3),
        peakedness=peakedness,
        colour=(red + blue) / 2 / luma,
    )


def _strips(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Whole blocks of `rgb`; of a large image evenly spaced strips of its rows, one below the
    other.
    """
    height, width = rgb.shape[0] // BLOCK * BLOCK, rgb.shape[1] // BLOCK * BLOCK
    count = max(_PIXELS // (_STRIP * width), 2)
    if count * _STRIP >= height:
        return np.ascontiguousarray(rgb[:height, :width])
    tops = [round(i * (height - _STRIP) / (count - 1)) for i in range(count)]
    return np.concatenate([rgb[top : top + _STRIP, :width] for top in tops])


def _mixed_differences(plane: NDArray[np.generic]) -> NDArray[np.float32]:
    """(h - 1, w - 1) differences of differences: blind to slopes and to edges along the axes
    (after Immerkaer 1996).
    """
    steps = np.diff(plane.astype(np.float32), axis=1)
    return np.asarray(np.diff(steps, axis=0), np.float32)


def _block_means(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    return np.asarray(
        cv2.resize(plane, (width // BLOCK, height // BLOCK), interpolation=cv2.INTER_AREA),
        np.float32,
    )


def _of_mixed(mixed: NDArray[np.float32], asked: NDArray[np.bool_]) -> tuple[float, float]:
    """(correlation one pixel apart, kurtosis) of the mixed differences within the blocks
    `asked`.
    """
    mask = np.repeat(np.repeat(asked.astype(np.float32), BLOCK, axis=0), BLOCK, axis=1)[:-1, :-1]
    kept = mixed * mask
    squares = kept * kept
    count = max(float(mask.sum(dtype=np.float64)), 1.0)
    energy = max(float(squares.sum(dtype=np.float64)) / count, 1e-6)
    correlations = []
    for down, right in ((0, 1), (1, 0)):
        end = mixed.shape[0] - down, mixed.shape[1] - right
        together = kept[: end[0], : end[1]] * kept[down:, right:]
        pairs = mask[: end[0], : end[1]] * mask[down:, right:]
        total, number = float(together.sum(dtype=np.float64)), float(pairs.sum(dtype=np.float64))
        correlations.append(total / max(number, 1.0) / energy)
    return sum(correlations) / 2, float(
        (squares * squares).sum(dtype=np.float64)
    ) / count / energy**2


def _half_planes(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Luma, red less green and blue less green at half the resolution."""
    half = cv2.resize(
        pixels, (pixels.shape[1] // 2, pixels.shape[0] // 2), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    red, green, blue = (np.asarray(plane, np.float32) for plane in cv2.split(half))
    return np.asarray(cv2.cvtColor(half, cv2.COLOR_RGB2GRAY), np.float32), red - green, blue - green


def _half_level(half: NDArray[np.float32], asked: NDArray[np.bool_]) -> float:
    """Mean level of a plane at half the resolution in the blocks `asked`."""
    padded = np.pad(np.abs(_mixed_differences(half)), ((0, 1), (0, 1)), mode="edge") / np.float32(
        _MIXED_MEAN
    )
    blocks = cv2.resize(padded, (asked.shape[1], asked.shape[0]), interpolation=cv2.INTER_AREA)
    return float(blocks[asked].mean(dtype=np.float64))
