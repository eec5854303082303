"""Many small pictures in one: the sheet from which the feature map draws, and which images it
shows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import simplejpeg

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of a picture on the sheet: a multiple of the 16 pixels that JPEG codes together, so that
#: neighbours do not bleed.
SIDE = 48
#: Longer side of the picture that it is cut from.
SOURCE = 72
#: Pictures on the sheet at most, the part of them for images that checks complain of, and pictures
#: in a row.
MOST, _CLAIMED_PART, _ACROSS = 1200, 0.4, 40
#: Megapixels that are decoded for the sheet, and the pictures that are made in any case.
MEGAPIXELS, FEWEST = 2000, 120
_QUALITY = 62
#: Cells along each side of the map in which images take turns to be shown.
_CELLS = 28


def affordable(widths: Sequence[int], heights: Sequence[int]) -> int:
    """How many pictures of such sizes (pixels, -1 unknown) are decoded in a few seconds."""
    sizes = [
        width * height / 1e6 for width, height in zip(widths, heights) if width > 0 and height > 0
    ]
    mean = sum(sizes) / len(sizes) if sizes else 1.0
    return int(min(MOST, max(FEWEST, MEGAPIXELS / max(mean, 0.01))))


def pictured(
    positions: NDArray[np.float32], claimed: NDArray[np.bool_], most: int = MOST
) -> NDArray[np.int64]:
    """Which points get a picture: those that checks complain of, up to 2 in 5, and others evenly
    over the map.

    Args:
        positions: (m, 2), -1 to 1.
        claimed: (m,) bool.
        most: pictures.

    Returns:
        Points, ascending.
    """
    if len(positions) <= most:
        return np.arange(len(positions))
    first = _evenly(positions, np.flatnonzero(claimed))[: int(most * _CLAIMED_PART)]
    rest = np.setdiff1d(np.arange(len(positions)), first)
    rest = _evenly(positions, rest)[: most - len(first)]
    return np.sort(np.concatenate([first, rest]))


def _evenly(positions: NDArray[np.float32], points: NDArray[np.int64]) -> NDArray[np.int64]:
    """The points, so that the first ones lie all over the map: of each cell one, then of each a
    second.
    """
    cell = np.clip(
        ((positions[points] + 1) / 2 * _CELLS).astype(np.int64), 0, _CELLS - 1
    ) @ np.array([_CELLS, 1])
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], cell[order], side="left")
    turn = np.empty(len(points), np.int64)
    turn[order] = np.arange(len(points)) - starts
    return np.asarray(points[np.lexsort((points, turn))], np.int64)


def sheet(pictures: Mapping[int, bytes]) -> dict[str, Any]:
    """Point to JPEG as one JPEG: ``image`` (base64), ``side``, ``across``, ``points`` (in the
    order of their places).
    """
    points = sorted(pictures)
    if not points:
        return {"image": "", "side": SIDE, "across": _ACROSS, "points": []}
    canvas = np.zeros(
        (-(-len(points) // _ACROSS) * SIDE, min(len(points), _ACROSS) * SIDE, 3), np.uint8
    )
    for place, point in enumerate(points):
        y, x = place // _ACROSS * SIDE, place % _ACROSS * SIDE
        canvas[y : y + SIDE, x : x + SIDE] = _square(
            simplejpeg.decode_jpeg(pictures[point], colorspace="RGB")
        )
    data: Any = simplejpeg.encode_jpeg(
        canvas, quality=_QUALITY, colorspace="RGB", colorsubsampling="420"
    )
    return {
        "image": base64.b64encode(data).decode("ascii"),
        "side": SIDE,
        "across": _ACROSS,
        "points": points,
    }


def _square(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3): the middle of the picture, as large as fits."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    part = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=how), np.uint8)
