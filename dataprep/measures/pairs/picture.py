"""One image reduced for comparison with others: its pixels, its eight orientations, and its key
points.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled

Plane = NDArray[np.uint8]
Matrix = NDArray[np.float64]

#: Longer side of the planes that are compared, in pixels.
LONG_SIDE = 256
#: Side of the squares by which orientations are told apart, in pixels.
_SQUARE = 32

_ORB: list[Any] = []


class Picture:
    """One image reduced for comparison.

    Attributes:
        rgb: (h, w, 3) uint8, longer side `LONG_SIDE` or less.
        width, height: full size as displayed.
    """

    def __init__(self, rgb: Plane, width: int, height: int) -> None:
        self.rgb, self.width, self.height = rgb, width, height
        self._turned: dict[int, Picture] = {}

    @classmethod
    def of(cls, rgb: Plane, width: int, height: int) -> Picture:
        """Reduce `rgb`, which may itself be decoded at reduced scale."""
        scale = LONG_SIDE / max(rgb.shape)
        if scale < 1:
            size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
            rgb = reduce_area(rgb, size)
        return cls(np.ascontiguousarray(rgb), width, height)

    @cached_property
    def plane(self) -> Plane:
        """(h, w) uint8 luma."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), np.uint8)

    def turned(self, orientation: int) -> Picture:
        """The picture in one of the eight orientations of
        `dataprep.measures.fingerprints.hashes`.
        """
        if not orientation:
            return self
        if orientation not in self._turned:
            rgb = self.rgb.swapaxes(0, 1) if orientation & 4 else self.rgb
            rgb = rgb[::-1] if orientation & 2 else rgb
            rgb = rgb[:, ::-1] if orientation & 1 else rgb
            size = (self.height, self.width) if orientation & 4 else (self.width, self.height)
            self._turned[orientation] = Picture(np.ascontiguousarray(rgb), *size)
        return self._turned[orientation]

    @cached_property
    def square(self) -> NDArray[np.float32]:
        """(32, 32): the whole picture, its proportions lost; mean 0, length 1 (0 for a blank
        one).
        """
        small = cv2.resize(self.plane, (_SQUARE, _SQUARE), interpolation=cv2.INTER_AREA).astype(
            np.float32
        )
        small -= small.mean()
        return np.asarray(small / (np.linalg.norm(small) + 1e-3), np.float32)

    @cached_property
    def key_points(self) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        """Places (k, 2), x and y in pixels of `plane`, and descriptors (k, 32); of a small
        plane, enlarged.
        """
        if not _ORB:
            _ORB.append(
                cv2.ORB.create(
                    nfeatures=500, scaleFactor=1.3, nlevels=6, edgeThreshold=16, fastThreshold=8
                )
            )
        factor = LONG_SIDE / max(self.plane.shape)
        plane = cv2.resize(self.plane, None, fx=factor, fy=factor) if factor > 1.2 else self.plane
        points, descriptors = _ORB[0].detectAndCompute(plane, None)
        places = np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)
        return places / np.float32(factor if factor > 1.2 else 1), descriptors

    @property
    def to_full(self) -> Matrix:
        """(3, 3): pixels of `plane` to pixels of the full image."""
        return np.diag([self.width / self.rgb.shape[1], self.height / self.rgb.shape[0], 1.0])


def reduce_area(rgb: Plane, size: tuple[int, int]) -> Plane:
    """(h, w, 3) uint8 at `size` (w, h), by means over areas: OpenCV's ``INTER_AREA``, to the
    bit.
    """
    (height, width), (columns, rows) = rgb.shape[:2], size
    is_whole = not (height % rows or width % columns)  # OpenCV is fast itself
    if compiled.KERNEL is None or is_whole or rows > height or columns > width:
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    found = compiled.KERNEL.areas(np.ascontiguousarray(rgb), rows, columns)
    return np.frombuffer(found, np.uint8).reshape(rows, columns, 3)
