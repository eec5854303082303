"""Alignment of two images: the affine map between them, and what the two show of each other once it
is applied.

Plain copies (re-encoded, resized, brightened, turned by quarters) need no search: reduced to one
size they lie on top of each other. For the rest, key points are matched (ORB, Rublee et al. 2011;
ratio test, Lowe 2004) and an affine map is fitted to them (RANSAC). Either way the pixels decide
(`dataprep.measures.pairs.agreement`): an edit is told from another shot of the same scene, and both
from a picture that is merely alike. Two small pictures have too few key points and cells; they are
registered by their pixels (`dataprep.measures.pairs.registration`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.pairs.agreement import LEAST_AGREEING, Agreement, measure_agreement
from dataprep.measures.pairs.edit_model import edit_score
from dataprep.measures.pairs.frames import Frame
from dataprep.measures.pairs.picture import Picture
from dataprep.measures.pairs.registration import DETAIL_AGREES, SMALL_SIDE, register

Plane = NDArray[np.uint8]
Matrix = NDArray[np.float64]
#: "edit": the same picture, edited; "overlay": an edit that covers a part; "shot": the same scene
#: or thing, another picture; "other": none of these.
Kind = Literal["edit", "overlay", "shot", "other"]

#: Correlation of the squares by which orientations are told apart, from which a whole lies on a
#: whole.
_LIKE = 0.6
#: Blurs of the refinement where the map of the wholes is the first guess.
_WHOLE_BLURS = (1.5, 1.5)
#: An agreement as good as this needs no key points: share of agreeing cells, displacement in
#: pixels, containment.
_CERTAIN_SHARE, _CERTAIN_MOVE, _CERTAIN_FINE = 0.95, 0.12, 0.93
_FEWEST_INLIERS, _PLENTY, _RATIO, _REACH = 8, 40, 0.8, 3.0
#: Share of the smaller image that must overlap.
_LEAST_OVERLAP = 0.3
#: An edit: shear that no edit goes beyond, log odds asked of one that covers a part and of others,
#: and share of cells that differ from which it covers a part.
_MOST_SHEAR = 0.01
_EDIT_SCORE, _OVERLAY_SCORE, _COVERED = 2.1, 1.9, 0.02
#: The log odds of a pair that is equal to the finest detail.
_SURE_SCORE = 4.0
#: Another shot: key points that follow one map, and share of the cells with texture that agree.
SHOT_INLIERS, _SHOT_SHARE = 12, 0.6


@dataclass(frozen=True, eq=False)
class Match:
    """What two pictures show of each other.

    Attributes:
        kind: whether the one is an edit of the other, or another shot.
        map: (3, 3) pixels of A's full image to pixels of B's, as turned.
        orientation: B was turned so (see `dataprep.measures.fingerprints.hashes`) before it was
            compared; of an edit, quarter turns are in it rather than in the map.
        strength: how much speaks for it, by which a pair is held against pairs that cannot be
            copies: of an edit the log odds of `dataprep.measures.pairs.edit_model`, of another shot
            the key points that follow the map, of small pictures Fisher's z of the correlation of
            detail. Of other pictures what came nearest to another shot.
        small: whether the pictures were registered by their pixels.
    """

    kind: Kind
    map: Matrix
    orientation: int
    strength: float
    small: bool = False


_NOTHING = Match("other", np.eye(3), 0, 0.0)


def match(a: Picture, b: Picture) -> Match:
    """What `a` and `b` show of each other."""
    orientations = _likeliest(a, b)
    if max(*a.plane.shape, *b.plane.shape) <= SMALL_SIDE:
        return _register(a, b, orientations)
    found: list[tuple[Agreement, int]] = []
    inliers = 0
    likeness, orientation = orientations[0]
    if likeness > _LIKE:
        turned = b.turned(orientation)
        whole = np.diag([turned.width / a.width, turned.height / a.height, 1.0])
        found.append((measure_agreement(Frame(a, turned, whole), _WHOLE_BLURS), orientation))
    if not found or not _is_certain(found[0][0]):
        inliers, orientation, between = _by_key_points(a, b)
        if between is not None:
            found.append((measure_agreement(Frame(a, b.turned(orientation), between)), orientation))
    if not found:
        return _NOTHING
    agreement, orientation = max(found, key=lambda each: (each[0].mean, each[0].agreeing))
    if not _overlaps(a, b.turned(orientation), agreement.map):
        return _NOTHING
    kind, strength = judge(agreement, inliers)
    compared = Match(kind, agreement.map, orientation, strength)
    return _settle(compared, b) if kind in ("edit", "overlay") else compared


def judge(found: Agreement, inliers: int = 0) -> tuple[Kind, float]:
    """Edit, edit with an overlay, another shot or none of these, by the statistics of a pair and
    its key points; its strength.
    """
    if found.shear <= _MOST_SHEAR and found.agreeing >= LEAST_AGREEING and found.textured:
        covers = found.regions > 0 or found.bad > _COVERED
        score = max(edit_score(found), _SURE_SCORE if _is_exact(found) else 0.0)
        if score > (_OVERLAY_SCORE if covers else _EDIT_SCORE):
            return "overlay" if covers else "edit", score
    if found.agreeing < _SHOT_SHARE:
        return "other", 0.0
    return "shot" if inliers >= SHOT_INLIERS else "other", float(inliers)


def _is_exact(found: Agreement) -> bool:
    """Whether all lies where it was and agrees to the finest detail, as no other shot does in
    what the trees were fitted on.
    """
    return (
        found.shear < 0.0005
        and not found.bad
        and found.typical > 0.995
        and found.moved < 0.05
        and found.fine_correlation > 0.985
    )


def _or(value: float, missing: float) -> float:
    return missing if math.isnan(value) else value


def _is_certain(found: Agreement) -> bool:
    return (
        found.agreeing > _CERTAIN_SHARE
        and _or(found.moved_high, 1.0) < _CERTAIN_MOVE
        and _or(found.fine, 0.0) > _CERTAIN_FINE
    )


def _likeliest(a: Picture, b: Picture) -> list[tuple[float, int]]:
    """(correlation, orientation of b) of the wholes, likeliest first; the first of equally
    likely ones.
    """
    squares = np.stack([turn_square(b.square, orientation) for orientation in range(8)])
    likeness = np.einsum("ij,oij->o", a.square, squares)
    return sorted(
        ((float(each), orientation) for orientation, each in enumerate(likeness)),
        key=lambda each: (-each[0], each[1]),
    )


def turn_square(square: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    square = square.T if orientation & 4 else square
    square = square[::-1] if orientation & 2 else square
    return square[:, ::-1] if orientation & 1 else square


def _overlaps(a: Picture, b: Picture, full: Matrix) -> bool:
    corners = np.array([[0, 0], [a.width, 0], [a.width, a.height], [0, a.height]], np.float64)
    mapped = (corners @ full[:2, :2].T + full[:2, 2]).astype(np.float32)
    frame = np.array([[0, 0], [b.width, 0], [b.width, b.height], [0, b.height]], np.float32)
    common, _ = cv2.intersectConvexConvex(mapped, frame)
    return common >= _LEAST_OVERLAP * min(abs(cv2.contourArea(mapped)), b.width * b.height)


def _settle(found: Match, b: Picture) -> Match:
    """The same match with quarter turns in `Match.orientation` rather than in the map."""
    best = found
    back = np.linalg.inv(turn_matrix(found.orientation, b.width, b.height)) @ found.map
    for orientation in range(8):
        undone = turn_matrix(orientation, b.width, b.height) @ back
        if _uprightness(undone) > _uprightness(best.map) + 1e-6:
            best = replace(found, map=undone, orientation=orientation)
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


def _register(a: Picture, b: Picture, orientations: list[tuple[float, int]]) -> Match:
    """The best registration of two small pictures, in the likeliest orientation, as they are,
    and mirrored.
    """
    best = replace(_NOTHING, small=True)
    for orientation in dict.fromkeys((orientations[0][1], 0, 1)):
        turned = b.turned(orientation)
        found = register(a.plane, turned.plane)
        if found is None or found[1] <= 0:
            continue
        strength = float(np.arctanh(min(found[1], 1 - 1e-6)))
        if strength > best.strength:
            full = turned.to_full @ found[0] @ np.linalg.inv(a.to_full)
            best = Match(
                "edit" if found[1] >= DETAIL_AGREES else "other",
                full,
                orientation,
                strength,
                small=True,
            )
        if best.kind == "edit":
            break
    return _settle(best, b) if best.kind == "edit" else best


def _by_key_points(a: Picture, b: Picture) -> tuple[int, int, Matrix | None]:
    """(key points that follow it, orientation of b: 0 or mirrored, the map from A's full image
    to B's).
    """
    best: tuple[int, int, Matrix | None] = (0, 0, None)
    for orientation in (0, 1):
        turned = b.turned(orientation)
        found = _fit(a, turned)
        if found is not None and found[0] > best[0]:
            best = (found[0], orientation, turned.to_full @ found[1] @ np.linalg.inv(a.to_full))
        if best[0] >= _PLENTY:
            break
    return best


def _fit(a: Picture, b: Picture) -> tuple[int, Matrix] | None:
    """Key points that agree, and the (3, 3) map from pixels of ``a.plane`` to pixels of
    ``b.plane`` that they follow.
    """
    (places_a, words_a), (places_b, words_b) = a.key_points, b.key_points
    if words_a is None or words_b is None or len(places_b) < 2:
        return None
    good, theirs = _clear_matches(words_a, words_b)
    if len(good) < _FEWEST_INLIERS:
        return None
    affine, used = cv2.estimateAffine2D(
        places_a[good],
        places_b[theirs],
        method=cv2.RANSAC,
        ransacReprojThreshold=_REACH,
        maxIters=1000,
        confidence=0.99,
    )
    if affine is None or int(used.sum()) < _FEWEST_INLIERS:
        return None
    stretch = np.linalg.svd(affine[:, :2], compute_uv=False)
    if stretch[0] > 2 * stretch[1] or not 0.1 < stretch[1] < 10 or np.linalg.det(affine[:, :2]) < 0:
        return None
    return int(used.sum()), np.vstack([affine, [0, 0, 1]])


def _clear_matches(words_a: Plane, words_b: Plane) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of (m, bytes) descriptors that lie much nearer to one of the others than to the next
    (ratio test), and the rows of these.

    Without the compiled measures, descriptors as rows of -1 and 1 make their distances one matrix
    product, which float32 holds exactly.
    """
    if compiled.KERNEL is not None and len(words_b) > 1:
        found = np.frombuffer(compiled.KERNEL.nearest_words(words_a, words_b), np.int32)
        nearest, best, second = found.reshape(-1, 3).T
        good = np.flatnonzero(best < _RATIO * second)
        return good, nearest[good].astype(np.intp)
    likeness = _signs(words_a) @ _signs(words_b).T  # (m, n): number of bits - 2 x distance
    rows = np.arange(len(words_a))
    nearest = likeness.argmax(axis=1)
    best = likeness[rows, nearest].astype(np.float64)
    likeness[rows, nearest] = -np.inf
    second = likeness.max(axis=1).astype(np.float64)
    bits = 8 * words_a.shape[1]
    good = np.flatnonzero(bits - best < _RATIO * (bits - second))
    return good, nearest[good]


def _signs(words: Plane) -> NDArray[np.float32]:
    return np.unpackbits(words, axis=1).astype(np.float32) * 2 - 1
