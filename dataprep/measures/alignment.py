"""Alignment of two images: the affine map between them, and how much of what they share agrees once it is applied.

Plain copies (re-encoded, resized, brightened, turned by quarters) need no search: reduced to one size they lie on top of each
other. For the rest, key points are matched (ORB, Rublee et al. 2011; ratio test, Lowe 2004) and an affine map is fitted to them
(RANSAC). Either way the pixels decide: the overlap is cut into blocks, and a block agrees when its correlation is high. Two
photos of one scene share key points by the dozen, but their blocks do not agree. Two small pictures have too few key points and
blocks; they are registered by their pixels (`dataprep.measures.registration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.registration import SMALL_SIDE, register

Plane = NDArray[np.uint8]
Matrix = NDArray[np.float64]

#: Longer side of the planes that are compared, in pixels.
LONG_SIDE = 320
#: Side of the squares that plain copies are compared as, and of a block, in pixels.
_SQUARE, _BLOCK = 128, 16
#: Correlation from which a block agrees; with key points the map is only as good as they are.
AGREES = 0.7
#: Grey levels of standard deviation below which a block has nothing to correlate.
TEXTURE = 4.0
#: A plain copy: that share of the blocks correlates that much. Slight crops and turns stay below, and are aligned.
_PLAIN_SHARE, _PLAIN_CORRELATION = 0.5, 0.93
#: Above the first share there is no need to ask key points for a better map than "as a whole"; below the second, they must agree
#: that it is a copy: photos of like things in one place get there too.
_CERTAIN, _LIKELY = 0.85, 0.75
#: Distance of corners, relative to the size, that is no difference between two maps.
_NEAR = 0.006
_FEWEST_BLOCKS = 6
_FEWEST_INLIERS, _RATIO, _REACH = 10, 0.8, 3.0
#: Share of the blocks that must agree: two shirts on one floor came to 0.55, crops to half of the area and images with a covered
#: strip to 0.62 and more.
_LEAST_SHARE = 0.6
#: Share of the smaller image that must overlap.
_LEAST_OVERLAP = 0.3
#: Orientations in which small pictures are always tried, as it is and mirrored: their hashes tell little.
_UPRIGHT = (0, 1)
#: Without texture: grey levels within which two images are the same everywhere.
_SAME_LEVEL = 3.0

_ORB: list[Any] = []


class Picture:
    """One image reduced for comparison.

    Attributes:
        plane: (h, w) uint8 luma, longer side `LONG_SIDE` or less.
        width, height: full size as displayed.
    """

    def __init__(self, plane: Plane, width: int, height: int) -> None:
        self.plane, self.width, self.height = plane, width, height
        self._turned: dict[int, Picture] = {}

    @classmethod
    def of(cls, luma: Plane, width: int, height: int) -> Picture:
        """Reduce `luma`, which may itself be decoded at reduced scale."""
        scale = LONG_SIDE / max(luma.shape)
        if scale < 1:
            size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
            luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return cls(luma, width, height)

    def turned(self, orientation: int) -> Picture:
        """The picture in one of the eight orientations of `dataprep.measures.hashes`."""
        if not orientation:
            return self
        if orientation not in self._turned:
            plane = self.plane.T if orientation & 4 else self.plane
            plane = plane[::-1] if orientation & 2 else plane
            plane = plane[:, ::-1] if orientation & 1 else plane
            size = (self.height, self.width) if orientation & 4 else (self.width, self.height)
            self._turned[orientation] = Picture(np.ascontiguousarray(plane), *size)
        return self._turned[orientation]

    @cached_property
    def square(self) -> Plane:
        """(128, 128): the whole picture, its proportions lost."""
        shrinks = min(self.plane.shape) >= _SQUARE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(self.plane, (_SQUARE, _SQUARE), interpolation=how), dtype=np.uint8)

    @cached_property
    def key_points(self) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        """Places (k, 2), x and y in pixels of `plane`, and descriptors (k, 32); of a small plane, enlarged."""
        if not _ORB:
            _ORB.append(cv2.ORB.create(nfeatures=500, scaleFactor=1.3, nlevels=6, edgeThreshold=16, fastThreshold=8))
        factor = LONG_SIDE / max(self.plane.shape)
        plane = cv2.resize(self.plane, None, fx=factor, fy=factor) if factor > 1.2 else self.plane
        points, descriptors = _ORB[0].detectAndCompute(plane, None)
        places = np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)
        return places / np.float32(factor if factor > 1.2 else 1), descriptors

    @property
    def to_full(self) -> Matrix:
        """(3, 3): pixels of `plane` to pixels of the full image."""
        return np.diag([self.width / self.plane.shape[1], self.height / self.plane.shape[0], 1.0])


@dataclass(frozen=True, eq=False)
class Match:
    """Two pictures that show the same.

    Attributes:
        map: (3, 3) pixels of A's full image to pixels of B's, as turned.
        orientation: B was turned so (see `dataprep.measures.hashes`) before it was compared.
        share: of the blocks with texture in the overlap, how many agree, 0 to 1; of small pictures, the correlation of detail.
        plain: whether A and B lie on top of each other as wholes.
    """

    map: Matrix
    orientation: int
    share: float
    plain: bool


def match(a: Picture, b: Picture, orientations: tuple[int, ...]) -> Match | None:
    """How `a` and `b` show the same, `b` turned as one of `orientations`, likeliest first; None when they do not."""
    plain, is_likely = None, False
    for orientation in orientations:
        turned = b.turned(orientation)
        share, certainty = _compare_squares(a.square, turned.square)
        if share:
            whole = np.diag([turned.width / a.width, turned.height / a.height, 1.0])
            plain, is_likely = Match(whole, orientation, share, True), certainty > _LIKELY
            if certainty > _CERTAIN:
                return plain
            break
    is_small = max(*a.plane.shape, *b.plane.shape) <= SMALL_SIDE
    align = _register if is_small else _align
    tried = orientations if not is_small else tuple(dict.fromkeys((*orientations, *_UPRIGHT)))
    for orientation in (plain.orientation,) if plain else tried:
        found = align(a, b.turned(orientation), orientation)
        if found is not None:
            return plain if plain and _are_close(plain.map, found.map, a) else _settle(found, b)
    return plain if is_likely else None


def _are_close(first: Matrix, second: Matrix, a: Picture) -> bool:
    """Whether two maps bring the corners of `a` to about the same places: slight crops look plain at first sight."""
    corners = np.array([[0, 0, 1], [a.width, 0, 1], [a.width, a.height, 1], [0, a.height, 1]], dtype=np.float64)
    there, size = corners @ first.T, np.array([a.width, a.height, 1.0]) @ first.T
    return bool(np.abs((there - corners @ second.T)[:, :2] / size[:2]).max() < _NEAR)


def _settle(found: Match, b: Picture) -> Match:
    """The same match with quarter turns in `Match.orientation` rather than in the map."""
    best = found
    back = np.linalg.inv(turn_matrix(found.orientation, b.width, b.height)) @ found.map
    for orientation in range(8):
        undone = turn_matrix(orientation, b.width, b.height) @ back
        if _uprightness(undone) > _uprightness(best.map) + 1e-6:
            best = Match(undone, orientation, found.share, found.plain)
    return best


def _uprightness(full: Matrix) -> float:
    """1 for a map that neither turns nor mirrors, less for every other."""
    linear = full[:2, :2] / np.linalg.norm(full[:2, :2])
    return float(np.trace(linear)) / 2**0.5 - float(np.linalg.det(linear) < 0)


def turn_matrix(orientation: int, width: int, height: int) -> Matrix:
    """(3, 3) map from pixels of an image to pixels of the same image in `orientation`."""
    turn = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]], float) if orientation & 4 else np.eye(3)
    width, height = (height, width) if orientation & 4 else (width, height)
    if orientation & 2:
        turn = np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]], float) @ turn
    if orientation & 1:
        turn = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], float) @ turn
    return turn


def _compare_squares(a: Plane, b: Plane) -> tuple[float, float]:
    """Share of agreeing blocks when `a` and `b` are plain copies of each other, else 0; and how certain that is."""
    correlation, texture = block_correlations(a, b, None)
    if texture.sum() < _FEWEST_BLOCKS:
        same = float(_is_same_everywhere(a, b))
        return same, same
    close = float((correlation[texture] > _PLAIN_CORRELATION).mean())
    return (float((correlation[texture] > AGREES).mean()) if close >= _PLAIN_SHARE else 0.0), close


def _is_same_everywhere(a: Plane, b: Plane) -> bool:
    """For pictures with next to no texture: whether they differ nowhere by more than rounding and compression."""
    return float(np.abs(_blur(a) - _blur(b)).max()) <= _SAME_LEVEL


def _blur(plane: Plane) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 2))


def block_correlations(a: Plane, b: Plane, inside: NDArray[np.bool_] | None) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(rows, columns) correlation of each block of two planes of one size, and whether it has texture in either and is inside."""
    first, second = (_cut(np.asarray(cv2.GaussianBlur(plane, (0, 0), 1))) for plane in (a, b))
    first -= first.mean(axis=2, keepdims=True)
    second -= second.mean(axis=2, keepdims=True)
    power_a, power_b = (np.einsum("rcp,rcp->rc", part, part) / _BLOCK**2 for part in (first, second))
    common = np.einsum("rcp,rcp->rc", first, second) / _BLOCK**2
    # The constant keeps noise in all but flat blocks from counting as disagreement.
    correlation = common / np.sqrt((power_a + 1) * (power_b + 1))
    texture = np.maximum(power_a, power_b) > TEXTURE**2
    if inside is not None:
        texture &= _cut(inside).all(axis=2)
    return correlation, texture


def _cut(plane: NDArray[Any]) -> NDArray[Any]:
    """(rows, columns, 256) the blocks of a plane; what does not fill a block at the right and bottom is left."""
    rows, columns = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    kind = plane.dtype if plane.dtype == bool else np.float32
    whole = plane[: rows * _BLOCK, : columns * _BLOCK].astype(kind)
    return whole.reshape(rows, _BLOCK, columns, _BLOCK).transpose(0, 2, 1, 3).reshape(rows, columns, _BLOCK**2)


def _align(a: Picture, b: Picture, orientation: int) -> Match | None:
    between = _fit(a, b)
    if between is None:
        return None
    full = b.to_full @ between @ np.linalg.inv(a.to_full)
    overlay = Overlay.of(a, b, full)
    if overlay is None:
        return None
    correlation, texture = block_correlations(overlay.a, overlay.b, overlay.inside)
    if texture.sum() < _FEWEST_BLOCKS:
        return None
    share = float((correlation[texture] > AGREES).mean())
    return Match(full, orientation, share, False) if share >= _LEAST_SHARE else None


def _register(a: Picture, b: Picture, orientation: int) -> Match | None:
    found = register(a.plane, b.plane)
    return None if found is None else Match(b.to_full @ found[0] @ np.linalg.inv(a.to_full), orientation, found[1], False)


def _fit(a: Picture, b: Picture) -> Matrix | None:
    """(3, 3) map from pixels of ``a.plane`` to pixels of ``b.plane``, or None."""
    (places_a, words_a), (places_b, words_b) = a.key_points, b.key_points
    if words_a is None or words_b is None or len(places_b) < 2:
        return None
    found = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(words_a, words_b, k=2)
    good = [best for best, second in found if best.distance < _RATIO * second.distance]
    if len(good) < _FEWEST_INLIERS:
        return None
    start = places_a[[pair.queryIdx for pair in good]]
    end = places_b[[pair.trainIdx for pair in good]]
    affine, used = cv2.estimateAffine2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=_REACH, maxIters=1000, confidence=0.99
    )
    if affine is None or int(used.sum()) < _FEWEST_INLIERS:
        return None
    stretch = np.linalg.svd(affine[:, :2], compute_uv=False)
    if stretch[0] > 2 * stretch[1] or not 0.1 < stretch[1] < 10 or np.linalg.det(affine[:, :2]) < 0:
        return None
    return np.vstack([affine, [0, 0, 1]])


@dataclass(frozen=True, eq=False)
class Overlay:
    """Two pictures in one frame, that of A, at the scale of whichever has less detail.

    Attributes:
        a, b: (h, w) uint8 planes.
        inside: (h, w) where B covers A.
    """

    a: Plane
    b: Plane
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, a: Picture, b: Picture, full: Matrix) -> Overlay | None:
        """Lay `b` over `a` by the map `full` from A's full image to B's; None when they hardly overlap."""
        between = np.linalg.inv(b.to_full) @ full @ a.to_full
        growth = float(np.sqrt(abs(np.linalg.det(between[:2, :2]))))
        plane_a, plane_b = _shrink(a.plane, growth), _shrink(b.plane, 1 / growth)
        between = _scale(b.plane, plane_b) @ between @ np.linalg.inv(_scale(a.plane, plane_a))
        size = (plane_a.shape[1], plane_a.shape[0])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        # Pixels lie at the middle of their squares: half a pixel off, and a small picture's blocks no longer agree.
        centred = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]]) @ between @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        laid = np.asarray(cv2.warpAffine(plane_b, centred[:2], size, flags=how), dtype=np.uint8)
        cover = cv2.warpAffine(np.ones_like(plane_b), centred[:2], size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        inside = np.asarray(cover) > 0
        if inside.sum() < _LEAST_OVERLAP * min(plane_a.size, plane_b.size):
            return None
        return cls(plane_a, laid, inside)


def _shrink(plane: Plane, factor: float) -> Plane:
    if factor >= 1:
        return plane
    size = (max(1, round(plane.shape[1] * factor)), max(1, round(plane.shape[0] * factor)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _scale(before: Plane, after: Plane) -> Matrix:
    """(3, 3): pixels of a plane to pixels of what it was resized to."""
    return np.diag([after.shape[1] / before.shape[1], after.shape[0] / before.shape[0], 1.0])
