"""Two pictures in one frame, that of the first, at the scale of whichever has less detail."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.pairs.cells import CELL
from dataprep.measures.pairs.picture import Picture, reduce_area

Matrix = NDArray[np.float64]
Pixels3 = NDArray[np.uint8]

#: A picture whose scale is finer than the other's by more than this is reduced.
_SAME_SCALE = 0.03
#: Entries of a map this close to the identity's leave every pixel as it is.
_AT_REST = 1e-9
#: Pixels lie at the middle of their squares: places of pixels to places on the plane, and back.
_TO_PLACES = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
_TO_PIXELS = np.linalg.inv(_TO_PLACES)


class Frame:
    """The frame of an overlay, in which its map may be moved.

    Attributes:
        a: (h, w, 3) uint8 plane, at the scale of whichever picture has less detail, cut to whole
            cells.
        b: (h, w, 3) uint8 plane, at about the same scale.
        between: (3, 3) pixels of `a` to pixels of `b`.
    """

    def __init__(self, a: Picture, b: Picture, full: Matrix) -> None:
        between = np.linalg.inv(b.to_full) @ full @ a.to_full
        growth = float(np.sqrt(abs(np.linalg.det(between[:2, :2]))))
        first, self.b = _reduced(a.rgb, growth), _reduced(b.rgb, 1 / growth)
        self._a_to_full = np.diag([a.width / first.shape[1], a.height / first.shape[0], 1.0])
        self._b_to_full = np.diag([b.width / self.b.shape[1], b.height / self.b.shape[0], 1.0])
        height, width = (CELL * (side // CELL) for side in first.shape[:2])
        self.a = np.ascontiguousarray(first[:height, :width])
        places = np.linalg.inv(self._b_to_full) @ full @ self._a_to_full
        self.between: Matrix = _TO_PIXELS @ places @ _TO_PLACES

    @property
    def map(self) -> Matrix:
        """(3, 3) pixels of A's full image to pixels of B's."""
        return np.asarray(
            self._b_to_full
            @ _TO_PLACES
            @ self.between
            @ _TO_PIXELS
            @ np.linalg.inv(self._a_to_full)
        )

    def lay(self, plane: Any, how: int = cv2.INTER_CUBIC) -> Any:
        """A plane of `b`'s size, laid over `a`."""
        height, width = self.a.shape[:2]
        if height <= plane.shape[0] and width <= plane.shape[1] and self._rests():
            return np.ascontiguousarray(plane[:height, :width])
        return cv2.warpAffine(
            plane,
            self.between[:2],
            (width, height),
            flags=how | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _rests(self) -> bool:
        return bool(np.abs(self.between - np.eye(3)).max() < _AT_REST)

    def covered(self) -> NDArray[np.bool_]:
        """(rows, columns) cells of `a` that `b` covers."""
        rows, columns = self.a.shape[0] // CELL, self.a.shape[1] // CELL
        down, across = np.mgrid[: rows + 1, : columns + 1] * float(CELL)
        down[1:], across[:, 1:] = (
            down[1:] - 1,
            across[:, 1:] - 1,
        )  # the last pixel of the cells above and to the left
        (xx, xy, x0), (yx, yy, y0) = self.between[:2]
        x, y = xx * across + xy * down + x0, yx * across + yy * down + y0
        slack = 0.01
        within = (
            (x >= -slack)
            & (x <= self.b.shape[1] - 1 + slack)
            & (y >= -slack)
            & (y <= self.b.shape[0] - 1 + slack)
        )
        return np.asarray(within[1:, 1:] & within[1:, :-1] & within[:-1, 1:] & within[:-1, :-1])


def _reduced(plane: Pixels3, factor: float) -> Pixels3:
    if factor >= 1 - _SAME_SCALE:
        return plane
    size = (max(CELL, round(plane.shape[1] * factor)), max(CELL, round(plane.shape[0] * factor)))
    return reduce_area(plane, size)
