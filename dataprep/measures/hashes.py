"""Perceptual hashes: the DCT hash of the image under its eight orientations, and of the image without its frame.

`HASHES` also holds the measure ``sketch`` (`dataprep.measures.sketch`), which tells alike from equal where hashes are close.

The hash is that of the ImageHash library's ``phash``, bit for bit: luma reduced to 32 x 32 by Pillow's LANCZOS filter, a
two-dimensional DCT, and for each of its 8 x 8 lowest coefficients whether it is above their median (Zauner 2010,
"Implementation and benchmarking of perceptual image hash functions"). Pillow's filter works with whole numbers, so products of
matrices, taken again exactly where rounding could matter, give the same pixels in a quarter of the time.

Turning or mirroring an image swaps its DCT coefficients or changes their signs, so one transform serves all orientations.
Orientation ``k = 4 t + 2 v + h`` is the image transposed if t, then turned upside down if v, then mirrored left to right if h:

== ===================== == ===================================
0  as it is              4  transposed
1  mirrored left-right   5  a quarter turn clockwise
2  mirrored top-bottom   6  a quarter turn counter-clockwise
3  half a turn           7  transposed along the other diagonal
== ===================== == ===================================
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dataprep.measures.contract import Measure, measure_of
from dataprep.measures.frame import picture_box
from dataprep.measures.pixels import Bytes2D, Pixels
from dataprep.measures.sketch import SIDE, sketch_of

#: For each orientation, the one that undoes it.
INVERSE: tuple[int, ...] = (0, 1, 2, 3, 4, 6, 5, 7)

_LOW = 8
_PRECISION = 22  # bits behind the point in Pillow's filter weights
_BAND = 8  # output columns that share a product; more would multiply zeros, fewer cost calls
_BLOCK = 1 << 19  # input pixels converted to singles at a time
_TAPS = 3.0  # half-width of the LANCZOS filter
#: A frame thinner than this share of the side is not worth a hash of its own.
_THIN = 0.01
#: Below this, differences between coefficients are rounding errors of the transform.
_DECIMALS = 6

_N = np.arange(SIDE)
_DCT = 2 * np.cos(np.pi * (2 * _N + 1) * np.arange(_LOW)[:, None] / (2 * SIDE))  # (8, 32)
_HALF = np.float32(0.5)
_SIGNS = (-1.0) ** np.arange(_LOW)


@measure_of("phash")
def measure_phash(pixels: Pixels) -> NDArray[np.uint64]:
    """(8,) uint64: DCT hash of each orientation, the first bit of ImageHash in the highest bit."""
    return pixels.shared(_hash_whole)


@measure_of("phash_inner")
def measure_phash_inner(pixels: Pixels) -> NDArray[np.uint64]:
    """(8,) uint64: as ``phash``, of the picture without its uniform frame; equal to it when there is none."""
    whole, inner = pixels.shared(_whole), pixels.shared(_inner)
    return pixels.shared(_hash_whole) if inner is whole else hash_thumb(inner)


@measure_of("sketch")
def measure_sketch(pixels: Pixels) -> NDArray[np.uint8]:
    """(2, 144) uint8: `dataprep.measures.sketch.sketch_of` the image, and of the picture without its uniform frame."""
    whole, inner = pixels.shared(_whole), pixels.shared(_inner)
    first = sketch_of(whole)
    return np.stack([first, first if inner is whole else sketch_of(inner)])


HASHES: tuple[Measure, ...] = (measure_phash, measure_phash_inner, measure_sketch)


def hash_thumb(thumb: NDArray[np.float64]) -> NDArray[np.uint64]:
    """(8,) hashes of the orientations of a (32, 32) luma image."""
    low = np.round(_DCT @ thumb @ _DCT.T, _DECIMALS)
    views = np.empty((2, 2, 2, _LOW, _LOW))  # (t, v, h, row, column)
    for t, turned in enumerate((low, low.T)):
        views[t, 0, 0], views[t, 0, 1] = turned, turned * _SIGNS
        views[t, 1] = views[t, 0] * _SIGNS[:, None]
    flat = views.reshape(8, _LOW * _LOW)
    middle = np.partition(flat, (31, 32), axis=1)[:, 31:33].mean(axis=1, keepdims=True)
    return np.packbits(flat > middle, axis=1).view(">u8")[:, 0].astype(np.uint64)


def reduce_to_thumb(plane: Bytes2D) -> NDArray[np.float64]:
    """(32, 32) whole numbers 0 to 255: `plane` (h, w) as ``Image.resize((32, 32), LANCZOS)`` of Pillow reduces it."""
    height, width = plane.shape
    if height - SIDE > 2 * (width - SIDE):
        # Which of its two passes Pillow makes first, and so how it rounds, depends on its version for narrow images.
        return np.asarray(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    narrow = np.empty((height, SIDE))
    step = max(1, _BLOCK // width)
    for start in range(0, height, step):
        narrow[start : start + step] = _narrowed(plane[start : start + step])
    levels = np.floor(_weights(height) @ narrow * 2.0**-_PRECISION + 0.5)
    return np.asarray(np.clip(levels, 0, 255, out=levels))


def _narrowed(plane: Bytes2D) -> NDArray[np.float32]:
    """(h, 32) whole numbers 0 to 255: rows of (h, w) reduced to 32 pixels.

    Products of singles serve where they cannot round to another level; the few sums near a boundary are taken again exactly.
    """
    width = plane.shape[1]
    pixels = plane.astype(np.float32)
    sums = np.empty((len(plane), SIDE), np.float32)
    for index, (low, high, weights) in enumerate(_bands(width)):
        np.matmul(pixels[:, low:high], weights, out=sums[:, index * _BAND : (index + 1) * _BAND])
    levels = np.floor(sums + _HALF)
    sums -= levels
    doubtful = np.flatnonzero(np.abs(sums, out=sums).ravel() > _HALF - _doubt(width))
    rows, columns = np.divmod(doubtful, SIDE)
    exact = np.einsum("ij,ij->i", pixels[rows], _weights(width)[columns])
    levels.ravel()[doubtful] = np.floor(exact * 2.0**-_PRECISION + 0.5)
    return np.asarray(np.clip(levels, 0, 255, out=levels))


@lru_cache(maxsize=64)
def _doubt(width: int) -> np.float32:
    """More than the rounding error of a sum of products of singles: the sum of all their sizes, each rounded once a term."""
    size = 255 * float(np.abs(_weights(width)).sum(axis=1).max()) * 2.0**-_PRECISION
    terms = max(high - low for low, high, _ in _bands(width))
    return np.float32(terms * size * float(np.finfo(np.float32).eps) / 2)


@lru_cache(maxsize=64)
def _bands(size: int) -> tuple[tuple[int, int, NDArray[np.float32]], ...]:
    """For every `_BAND` output pixels, the range of input pixels that they need and its weights, (range, `_BAND`)."""
    weights = _weights(size)
    bands = []
    for start in range(0, SIDE, _BAND):
        part = weights[start : start + _BAND]
        used = np.flatnonzero(part.any(axis=0))
        low, high = int(used[0]), int(used[-1]) + 1
        bands.append((low, high, np.ascontiguousarray(part[:, low:high].T * 2.0**-_PRECISION, dtype=np.float32)))
    return tuple(bands)


@lru_cache(maxsize=64)
def _weights(size: int) -> NDArray[np.float64]:
    """(32, size) whole numbers: the weights with which Pillow's LANCZOS filter reduces `size` pixels to 32."""
    scale = size / SIDE
    stretch = max(scale, 1.0)
    centres = (_N + 0.5) * scale
    first = np.maximum((centres - _TAPS * stretch + 0.5).astype(np.int64), 0)[:, None]
    last = np.minimum((centres + _TAPS * stretch + 0.5).astype(np.int64), size)[:, None]
    pixel = np.arange(size)[None]
    at = (pixel - centres[:, None] + 0.5) * (1.0 / stretch)
    inside = (pixel >= first) & (pixel < last) & (np.abs(at) < _TAPS)
    raw = np.where(inside, np.sinc(at) * np.sinc(at / _TAPS), 0.0)
    shares = raw * (1.0 / raw.sum(axis=1, keepdims=True)) * 2.0**_PRECISION
    return np.asarray(np.trunc(shares + np.copysign(0.5, shares)))


def _whole(pixels: Pixels) -> NDArray[np.float64]:
    return reduce_to_thumb(pixels.luma)


def _hash_whole(pixels: Pixels) -> NDArray[np.uint64]:
    return hash_thumb(pixels.shared(_whole))


def _inner(pixels: Pixels) -> NDArray[np.float64]:
    """The thumb of the picture within its frame; the very same object as `_whole`'s when there is no frame."""
    top, bottom, left, right = pixels.shared(picture_box)
    rows, columns = pixels.luma.shape
    if bottom - top > (1 - _THIN) * rows and right - left > (1 - _THIN) * columns:
        return pixels.shared(_whole)
    return reduce_to_thumb(pixels.luma[top:bottom, left:right])
