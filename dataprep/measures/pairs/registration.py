"""Registration of two small pictures, in which key points find nothing to hold on to.

A few shifts and scales are tried by template matching, the best is refined to an affine map by
maximising the correlation of the pixels themselves (ECC; Evangelidis & Psarakis 2008), and what
decides is the correlation of what is left after the coarse layout is taken out: two ships on two
grey seas agree in their layout, copies agree in their detail.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Matrix = NDArray[np.float64]

#: Longer side in pixels up to which a picture counts as small.
SMALL_SIDE = 60
#: Longer side in pixels at which small pictures are compared.
_SIDE = 64
#: Correlation of detail from which two small pictures are one. Of the pairs of CIFAR-10 that people
#: judged to be one shot, 97 % lie above; of the most alike ones that they did not, seven do, of
#: which four are mirrored or overlooked copies.
DETAIL_AGREES = 0.75
#: Correlation of the whole that goes with it.
_WHOLE_AGREES = 0.85
_SCALES = (1.0, 0.85, 1.18)
_PATCH = 0.75  # side of the template, relative
_ITERATIONS, _PRECISION, _SMOOTHING = 40, 1e-4, 3
_LEAST_SCALE, _MOST_SCALE, _MOST_STRETCH = 0.6, 1.67, 1.5
_LEAST_COVER = 0.6
#: Standard deviations in pixels: of the blur before comparing, and of that which is the coarse
#: layout.
_FINE, _COARSE = 0.7, 2.0
#: Variance in grey levels that rounding and compression bring in.
_NOISE = 4.0


def register(a: Plane, b: Plane) -> tuple[Matrix, float] | None:
    """The (3, 3) map from pixels of `a` to pixels of `b`, and the correlation of their detail;
    None where none is found.
    """
    side = min(_SIDE, max(min(a.shape), min(b.shape)))
    first, second = _resized(a, side), _resized(b, side)
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ITERATIONS, _PRECISION)
    everywhere = np.full(first.shape, 255, np.uint8)
    try:
        _, found = cv2.findTransformECC(
            first, second, _start(first, second), cv2.MOTION_AFFINE, enough, everywhere, _SMOOTHING
        )
    except cv2.error:  # it does not converge
        return None
    stretch = np.linalg.svd(found[:, :2], compute_uv=False)
    if (
        stretch[1] < _LEAST_SCALE
        or stretch[0] > _MOST_SCALE
        or stretch[0] > _MOST_STRETCH * stretch[1]
    ):
        return None
    detail = _agreement(first, second, np.asarray(found, dtype=np.float32))
    between = np.vstack([found, [0, 0, 1]]).astype(np.float64)
    return _scaling(second, b) @ _centred(between) @ np.linalg.inv(_scaling(first, a)), detail


def _resized(plane: Plane, side: int) -> Plane:
    factor = side / min(plane.shape)
    size = (max(8, round(plane.shape[1] * factor)), max(8, round(plane.shape[0] * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size, interpolation=how), dtype=np.uint8)


def _scaling(before: Plane, after: Plane) -> Matrix:
    return np.diag([after.shape[1] / before.shape[1], after.shape[0] / before.shape[0], 1.0])


def _centred(between: Matrix) -> Matrix:
    """A map between pixel numbers as one between places: pixels lie at the middle of their
    squares.
    """
    forth = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.asarray(forth @ between @ np.linalg.inv(forth))


def _start(a: Plane, b: Plane) -> NDArray[np.float32]:
    """(2, 3) map from pixels of `a` to pixels of `b`: the shift and scale at which the middle of
    `b` is found best in `a`.
    """
    best, start = -2.0, np.eye(2, 3, dtype=np.float32)
    for scale in _SCALES:
        scaled = cv2.resize(
            b,
            None,
            fx=scale,
            fy=scale,
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        side = int(_PATCH * min(*a.shape, *scaled.shape))
        top, left = (scaled.shape[0] - side) // 2, (scaled.shape[1] - side) // 2
        likeness = cv2.matchTemplate(
            a, scaled[top : top + side, left : left + side], cv2.TM_CCOEFF_NORMED
        )
        _, value, _, (x, y) = cv2.minMaxLoc(likeness)
        if value > best:
            best = value
            start = np.array([[1, 0, left - x], [0, 1, top - y]], np.float32) / np.float32(scale)
    return start


def _agreement(a: Plane, b: Plane, found: NDArray[np.float32]) -> float:
    """Correlation of the detail of `a` and of `b` laid over it; 0 where they hardly overlap or
    differ as a whole.
    """
    size, how = (a.shape[1], a.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = np.asarray(cv2.warpAffine(b, found, size, flags=how))
    inside = np.asarray(cv2.warpAffine(np.full_like(b, 255), found, size, flags=how)) > 250
    if inside.mean() < _LEAST_COVER:
        return 0.0
    first, second = (_blurred(plane.astype(np.float32), _FINE) for plane in (a, laid))
    if _correlation(first[inside], second[inside]) < _WHOLE_AGREES:
        return 0.0
    inner = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    first, second = (plane - _blurred(plane, _COARSE) for plane in (first, second))
    return _correlation(first[inner], second[inner])


def _blurred(plane: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), dtype=np.float32)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a - a.mean(), b - b.mean()
    floor = np.float32(_NOISE * len(a))
    return float(a @ b) / float(np.sqrt((a @ a + floor) * (b @ b + floor)))
