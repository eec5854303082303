"""Sketch: where edges run in which direction, so coarsely that small shifts, turns and crops change
little.

Hashes of unrelated images of a like layout (a garment on a bed, a face before a wall) come close by
chance. Their sketches do not: of 6,100 unrelated pairs within 12 bits of each other, 29 passed the
level at which 2 % of true copies (re-encoded, brightened, turned by 3 degrees, cropped, written
upon) are lost. So the pairs worth decoding again are known without decoding.

A sketch is a histogram of gradients (Dalal and Triggs 2005) in 6 x 6 cells of 8 directions. Each
cell's histogram has length 1, so that contrast does not count, and its square root is kept in 4
bits. Sums are of whole numbers, so that the order of adding them, and with it the processor, makes
no difference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled

#: Side of the square luma image that hashes and sketches are made from.
SIDE = 32
#: A sketch's size in bytes, two values each.
BYTES = 144

_CELLS = 6
_DIRECTIONS = 8
_SHARPNESS = 0.3  # share of the gradient that is taken off, so that a direction has few neighbours
_FLAT = 1.0  # grey levels of gradient below which a cell counts as without edges
_LEVELS = 15
#: Share of the cells, the most alike ones, that a comparison counts; the others may be covered, cut
#: off or written upon.
_COUNTED = 2 / 3

#: Parts of a grey level to which gradients and the means of cells are rounded, and parts of 1 to
#: which the weights of these means are.
_FINE, _FINER, _PARTS = 2.0**12, 2.0**16, 2.0**14

_SLANT = 0.5**0.5
_RIGHT = np.array([1, _SLANT, 0, -_SLANT, -1, -_SLANT, 0, _SLANT])[:, None, None]
_DOWN = np.roll(_RIGHT, 2, axis=0)


def _pooling() -> NDArray[np.float64]:
    """(6, 32) weights of each line in each row of cells, in `_PARTS`: a line counts in its two
    nearest, by distance.
    """
    width = SIDE / _CELLS
    centres = (np.arange(_CELLS) + 0.5) * width
    line = np.maximum(0, 1 - np.abs(np.arange(SIDE) + 0.5 - centres[:, None]) / width)
    return np.asarray(np.rint(line / line.sum(axis=1, keepdims=True) * _PARTS))


_POOL = _pooling()


def sketch_of(thumb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(144,) uint8 sketch of a (32, 32) luma image.

    Cells row by row, in each the directions from right over down, two values of 4 bits a byte.
    """
    if compiled.KERNEL is not None:
        return np.frombuffer(compiled.KERNEL.sketch(thumb), np.uint8)
    plane = thumb.astype(np.float64)
    right, down = np.zeros((2, SIDE, SIDE))
    right[:, 1:-1], down[1:-1] = plane[:, 2:] - plane[:, :-2], plane[2:] - plane[:-2]
    parts = _RIGHT * right + _DOWN * down - _SHARPNESS * np.sqrt(right * right + down * down)
    strength = np.floor(np.maximum(parts, 0) * _FINE + 0.5)  # (8, 32, 32)
    sums = (_POOL @ strength @ _POOL.T).transpose(1, 2, 0).reshape(-1, _DIRECTIONS)  # (36, 8)
    cells = np.floor(sums * (_FINER / (_FINE * _PARTS * _PARTS)) + 0.5)
    length = np.sqrt(np.einsum("cd,cd->c", cells, cells))[:, None]
    levels = np.rint(np.sqrt(cells / (length + _FLAT * _FINER)) * _LEVELS).astype(np.uint8)
    pairs = levels.reshape(BYTES, 2)
    return np.asarray((pairs[:, 0] << 4) | pairs[:, 1])


def turn_sketches(cells: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Unpacked sketches (n, 36, 8) as they would be of the images in `orientation` (see
    `dataprep.measures.fingerprints.hashes`).
    """
    return cells[:, _CELL_ORDER[orientation]][:, :, _DIRECTION_ORDER[orientation]]


def _orders() -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    cells, directions = [], []
    for orientation in range(8):
        transposed, upside, mirrored = orientation & 4, orientation & 2, orientation & 1
        grid = np.arange(_CELLS * _CELLS).reshape(_CELLS, _CELLS)
        angle = np.arange(_DIRECTIONS)
        # Backwards: which direction of the image gives direction `angle` of the turned one.
        angle = (_DIRECTIONS // 2 - angle) % _DIRECTIONS if mirrored else angle
        angle = -angle % _DIRECTIONS if upside else angle
        angle = (_DIRECTIONS // 4 - angle) % _DIRECTIONS if transposed else angle
        grid = grid.T if transposed else grid
        grid = grid[::-1] if upside else grid
        grid = grid[:, ::-1] if mirrored else grid
        cells.append(grid.ravel())
        directions.append(angle)
    return cells, directions


_CELL_ORDER, _DIRECTION_ORDER = _orders()


def unpack_sketches(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 144) packed sketches as (n, 36, 8) numbers 0 to 15."""
    values = np.stack([packed >> 4, packed & 15], axis=2)
    return values.reshape(len(packed), _CELLS * _CELLS, _DIRECTIONS).astype(np.float32)


def compare_sketches(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(n,) likeness, 0 to 1, of unpacked sketches (n, 36, 8): the cosine over the two thirds of the
    cells that are most alike.

    Cells without edges say nothing; two images without any edges are alike.
    """
    products = np.einsum("ncd,ncd->nc", first, second)
    lengths = np.sqrt(
        np.einsum("ncd,ncd->nc", first, first) * np.einsum("ncd,ncd->nc", second, second)
    )
    alike = products / np.maximum(lengths, 1e-6)
    counted = round(_COUNTED * products.shape[1])
    best = np.argpartition(-alike, counted - 1, axis=1)[:, :counted]
    top = np.take_along_axis(products, best, axis=1).sum(axis=1)
    bottom = np.take_along_axis(lengths, best, axis=1).sum(axis=1)
    edgeless = ~(first.any(axis=(1, 2)) | second.any(axis=(1, 2)))
    return np.asarray(np.where(edgeless, 1.0, top / np.maximum(bottom, 1e-6)), dtype=np.float32)
