"""Measure of uniform frames: letterbox bars, scanner margins, drawn borders."""

from __future__ import annotations

import numpy as np

from dataprep.measures.contract import measure_of
from dataprep.measures.pixels import Bytes2D, Pixels

#: Grey levels by which a line of the frame may vary: compression, not texture.
_TOLERANCE = 8
#: Grey levels by which the picture's own pixels differ from the frame.
_DIFFERENCE = 16
#: Share of the first lines inside that must differ; a subject on a plain background begins with a few pixels.
_STRAIGHT = 0.5
#: Lines inside the edge that are looked at, fewer in small images: compression off the block grid makes it as soft as a block is
#: wide.
_EDGE = 10


@measure_of("border")
def measure_border(pixels: Pixels) -> float:
    """Share of the area, 0 to 1, outside the picture proper; 0 for uniform images and plain backgrounds."""
    top, bottom, left, right = pixels.shared(picture_box)
    return 1 - (bottom - top) * (right - left) / pixels.luma.size


def picture_box(pixels: Pixels) -> tuple[int, int, int, int]:
    """The picture without its uniform frame: (top, bottom, left, right) in pixels of `Pixels.luma`, ends excluded."""
    luma = pixels.luma
    rows, columns = luma.shape
    top, bottom = _depth(luma), _depth(luma[::-1])
    if top + bottom >= rows:
        return 0, rows, 0, columns
    inner = luma[top : rows - bottom]
    left, right = _depth(inner.T), _depth(inner.T[::-1])
    if left + right >= columns:
        return 0, rows, 0, columns
    return top, rows - bottom, left, columns - right


def _depth(plane: Bytes2D) -> int:
    """Number of lines of the frame at the top of `plane` (h, w)."""
    edge = plane[0]
    if abs(int(edge[0]) - int(edge[len(edge) // 2])) > _TOLERANCE:  # most images, at a glance
        return 0
    low, high = int(edge.min()), int(edge.max())
    if high - low > _TOLERANCE:
        return 0
    # Lines are compared in growing portions: most images need only the first.
    depth, portion = 1, 8
    while depth < len(plane):
        part = plane[depth : depth + portion]
        same = (part.min(axis=1).astype(np.int16) >= high - _TOLERANCE) & (part.max(axis=1).astype(np.int16) <= low + _TOLERANCE)
        if not same.all():
            depth += int(np.argmin(same))
            return depth if _is_straight(plane, depth, (low + high) // 2) else 0
        depth, portion = depth + len(part), portion * 2
    return depth


def _is_straight(plane: Bytes2D, depth: int, level: int) -> bool:
    lines = max(2, min(_EDGE, len(plane) // 16))
    inside = plane[depth : depth + lines].astype(np.int16)
    return bool((np.abs(inside - level) > _DIFFERENCE).mean(axis=1).max() >= _STRAIGHT)


FRAME = (measure_border,)
