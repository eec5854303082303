"""Perceptual hashes: the DCT hash of the image under its eight orientations, and of the image
without its frame.

`HASHES` also holds the measures ``sketch`` (`dataprep.measures.fingerprints.sketch`) and ``thumb``
(`dataprep.measures.fingerprints.thumb`), which tell alike from equal where hashes or embeddings are
close.

The hash is that of the ImageHash library's ``phash``, bit for bit: luma reduced to 32 x 32 by
Pillow's LANCZOS filter, a two-dimensional DCT, and for each of its 8 x 8 lowest coefficients
whether it is above their median (Zauner 2010, "Implementation and benchmarking of perceptual image
hash functions"). Pillow's filter works with whole numbers, so products of matrices, taken again
exactly where rounding could matter, give the same pixels in a quarter of the time.

Turning or mirroring an image swaps its DCT coefficients or changes their signs, so one transform
serves all orientations. Orientation ``k = 4 t + 2 v + h`` is the image transposed if t, then turned
upside down if v, then mirrored left to right if h:

== ===================== == ===================================
0  as it is              4  transposed
1  mirrored left-right   5  a quarter turn clockwise
2  mirrored top-bottom   6  a quarter turn counter-clockwise
3  half a turn           7  transposed along the other diagonal
== ===================== == ===================================
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dataprep.errors import InputError
from dataprep.measures import compiled
from dataprep.measures.contract import Measure, measure_of
from dataprep.measures.decode.pixels import Bytes2D, Pixels
from dataprep.measures.fingerprints.sketch import BYTES, SIDE, sketch_of
from dataprep.measures.fingerprints.thumb import pack_thumb
from dataprep.measures.image.frame import picture_box

if TYPE_CHECKING:
    from imagehash import ImageHash

#: The orientations of a ``phash``, in order.
ORIENTATIONS: tuple[str, ...] = (
    "as it is",
    "mirrored left-right",
    "mirrored top-bottom",
    "half a turn",
    "transposed",
    "a quarter turn clockwise",
    "a quarter turn counter-clockwise",
    "transposed along the other diagonal",
)
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
_SIGNS = (-1.0) ** np.arange(_LOW)
#: (4, 64) signs of the coefficients in the orientations 0 to 3.
_MIRRORS = np.stack([np.outer(_SIGNS**v, _SIGNS**h).ravel() for v in (0, 1) for h in (0, 1)])
#: (8, 64) places in (4, 64) bits of the orientations 0 to 3 of those of all: transposing swaps the
#: mirrorings too.
_PLACES = np.arange(4 * _LOW * _LOW).reshape(4, _LOW, _LOW)
_VIEWS = np.concatenate([_PLACES, _PLACES[[0, 2, 1, 3]].transpose(0, 2, 1)]).reshape(8, -1)


@measure_of("phash")
def measure_phash(pixels: Pixels) -> NDArray[np.uint64]:
    """(8,) uint64: DCT hash of each orientation, the first bit of ImageHash in the highest bit."""
    return pixels.shared(_hash_whole)


@measure_of("phash_inner")
def measure_phash_inner(pixels: Pixels) -> NDArray[np.uint64]:
    """(8,) uint64: as ``phash``, of the picture without its uniform frame; equal to it when
    there is none.
    """
    whole, inner = pixels.shared(_whole), pixels.shared(_inner)
    return pixels.shared(_hash_whole) if inner is whole else hash_thumb(inner)


@measure_of("sketch", 2)
def measure_sketch(pixels: Pixels) -> NDArray[np.uint8]:
    """(2, 144) uint8: `dataprep.measures.fingerprints.sketch.sketch_of` the image, and of the
    picture without its uniform frame.
    """
    whole, inner = pixels.shared(_whole), pixels.shared(_inner)
    sketches = np.empty((2, BYTES), np.uint8)
    sketches[0] = sketch_of(whole)
    sketches[1] = sketches[0] if inner is whole else sketch_of(inner)
    return sketches


@measure_of("thumb")
def measure_thumb(pixels: Pixels) -> NDArray[np.uint8]:
    """(512,) uint8: `dataprep.measures.fingerprints.thumb.pack_thumb` of the image."""
    return pack_thumb(pixels.shared(_whole))


HASHES: tuple[Measure, ...] = (measure_phash, measure_phash_inner, measure_sketch, measure_thumb)


def to_imagehash(value: int) -> ImageHash:
    """A 64-bit hash in the form of the ImageHash library; its ``str`` is the hexadecimal text.

    >>> str(to_imagehash(0xAD6B0196FC19E2B4))
    'ad6b0196fc19e2b4'
    """
    from imagehash import hex_to_hash

    return hex_to_hash(f"{int(value):016x}")


def from_imagehash(given: ImageHash | str) -> int:
    """The 64-bit hash of an `imagehash.ImageHash`, or of its hexadecimal text.

    Raises:
        InputError: it has another number of bits, or is no hexadecimal text.

    >>> hex(from_imagehash("ad6b0196fc19e2b4"))
    '0xad6b0196fc19e2b4'
    """
    text = str(given).strip()
    try:
        bits, value = 4 * len(text), int(text, 16)
    except ValueError:
        bits, value = 0, 0
    if bits != _LOW * _LOW:
        raise InputError(
            f"expected a perceptual hash of {_LOW * _LOW} bits (16 hexadecimal digits, "
            f"hash_size=8), got {text[:80]!r}"
        )
    return value


def hash_thumb(thumb: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(8,) hashes of the orientations of a (32, 32) luma image."""
    if compiled.KERNEL is not None:
        return np.frombuffer(compiled.KERNEL.hashes(thumb), np.uint64)
    low = np.round(_DCT @ thumb @ _DCT.T, _DECIMALS)
    signed = low.ravel() * _MIRRORS
    ordered = np.sort(signed, axis=1)
    above = signed > (ordered[:, 31:32] + ordered[:, 32:33]) / 2
    return np.packbits(above.ravel()[_VIEWS], axis=1).view(">u8")[:, 0].astype(np.uint64)


def reduce_to_thumb(plane: Bytes2D) -> NDArray[np.uint8]:
    """(32, 32) uint8: `plane` (h, w) as ``Image.resize((32, 32), LANCZOS)`` of
    Pillow reduces it.
    """
    height, width = plane.shape
    if height == width == SIDE:
        return np.ascontiguousarray(plane)
    if height - SIDE > 2 * (width - SIDE):
        # Which of its two passes Pillow makes first, and so how it rounds, depends on its version
        # for narrow images.
        return np.asarray(Image.fromarray(plane).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    if compiled.KERNEL is not None:
        thumb = compiled.KERNEL.reduce(plane, _compact(width), _compact(height))
        return np.frombuffer(thumb, np.uint8).reshape(SIDE, SIDE)
    narrow, reduction = np.empty((height, SIDE)), _reduction(width)
    step = max(1, _BLOCK // width)
    for start in range(0, height, step):
        narrow[start : start + step] = reduction.narrow(plane[start : start + step])
    levels = np.floor(_weights(height) @ narrow * 2.0**-_PRECISION + 0.5)
    return np.asarray(_clipped(levels), np.uint8)


def _clipped(levels: NDArray[Any]) -> NDArray[Any]:
    """`levels` clipped to 0 to 255, in place; for small arrays quicker than ``np.clip``."""
    return np.asarray(np.maximum(np.minimum(levels, 255, out=levels), 0, out=levels))


class _Reduction:
    """Reduces rows of `width` pixels to 32 as Pillow does.

    Products of singles serve where they cannot round to another level; the few sums near a boundary
    are taken again exactly.
    """

    def __init__(self, width: int) -> None:
        weights = _weights(width)
        self._first, compact = _compact(width)
        self._weights = compact.astype(np.float64)  # (32, taps)
        taps = compact.shape[1]
        self._parts = tuple(self._part(weights, start) for start in range(0, SIDE, _BAND))
        # More than the rounding error: each term rounds the sum at most by half a bit of all their
        # sizes; zeros round nothing.
        size = 255 * float(np.abs(weights).sum(axis=1).max()) * 2.0**-_PRECISION
        self._sure = np.float32(0.5 - (taps + 1) * size * float(np.finfo(np.float32).eps) / 2)

    @staticmethod
    def _part(weights: NDArray[np.float64], start: int) -> tuple[slice, slice, NDArray[np.float32]]:
        """Some output pixels, the input pixels that they need, and the weights, (input, output)."""
        part = weights[start : start + _BAND]
        used = np.flatnonzero(part.any(axis=0))
        span = slice(int(used[0]), int(used[-1]) + 1)
        return (
            slice(start, start + _BAND),
            span,
            np.ascontiguousarray(part[:, span].T * 2.0**-_PRECISION, dtype=np.float32),
        )

    def narrow(self, plane: Bytes2D) -> NDArray[np.float32]:
        """(h, 32) whole numbers 0 to 255, of (h, w)."""
        pixels, sums = plane.astype(np.float32, order="C"), np.empty((len(plane), SIDE), np.float32)
        for outputs, inputs, weights in self._parts:
            np.matmul(pixels[:, inputs], weights, out=sums[:, outputs])
        levels = np.rint(sums)
        sums -= levels
        doubtful = np.flatnonzero(np.abs(sums, out=sums).ravel() > self._sure)
        if doubtful.size:
            levels.ravel()[doubtful] = self._exact(pixels, *np.divmod(doubtful, SIDE))
        return _clipped(levels)

    def _exact(
        self, pixels: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Levels of single output pixels."""
        height, width = pixels.shape
        taps = self._weights.shape[1]
        windows: NDArray[np.float32] = np.ndarray(
            (height, width - taps + 1, taps), np.float32, pixels, 0, (*pixels.strides, 4)
        )
        sums = np.einsum("ij,ij->i", windows[rows, self._first[columns]], self._weights[columns])
        return np.asarray(np.floor(sums * 2.0**-_PRECISION + 0.5))


@lru_cache(maxsize=64)
def _reduction(width: int) -> _Reduction:
    return _Reduction(width)


@lru_cache(maxsize=256)
def _compact(size: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(32,) first pixels and (32, taps) weights from them on, whole numbers, with which Pillow's
    LANCZOS filter reduces `size` pixels to 32.
    """
    scale = size / SIDE
    stretch = max(scale, 1.0)
    centres = (_N + 0.5) * scale
    first = np.maximum((centres - _TAPS * stretch + 0.5).astype(np.int64), 0)
    last = np.minimum((centres + _TAPS * stretch + 0.5).astype(np.int64), size)
    taps = int((last - first).max())
    start = np.minimum(first, size - taps)
    pixel = start[:, None] + np.arange(taps)
    at = (pixel - centres[:, None] + 0.5) * (1.0 / stretch)
    inside = (pixel >= first[:, None]) & (pixel < last[:, None]) & (np.abs(at) < _TAPS)
    raw = np.where(inside, np.sinc(at) * np.sinc(at / _TAPS), 0.0)
    shares = raw * (1.0 / raw.sum(axis=1, keepdims=True)) * 2.0**_PRECISION
    weights = np.trunc(shares + np.copysign(0.5, shares))
    return start.astype(np.int32), weights.astype(np.int32)


@lru_cache(maxsize=64)
def _weights(size: int) -> NDArray[np.float64]:
    """(32, size): the weights of `_compact`, each at its pixel."""
    first, weights = _compact(size)
    whole = np.zeros((SIDE, size))
    np.put_along_axis(whole, first[:, None] + np.arange(weights.shape[1]), weights, axis=1)
    return whole


def _whole(pixels: Pixels) -> NDArray[np.uint8]:
    return reduce_to_thumb(pixels.luma)


def _hash_whole(pixels: Pixels) -> NDArray[np.uint64]:
    return hash_thumb(pixels.shared(_whole))


def _inner(pixels: Pixels) -> NDArray[np.uint8]:
    """The thumb of the picture within its frame; the very same object as `_whole`'s when there
    is no frame.
    """
    top, bottom, left, right = pixels.shared(picture_box)
    rows, columns = pixels.luma.shape
    if bottom - top > (1 - _THIN) * rows and right - left > (1 - _THIN) * columns:
        return pixels.shared(_whole)
    return reduce_to_thumb(pixels.luma[top:bottom, left:right])
