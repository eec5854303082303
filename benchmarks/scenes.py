"""Scenes of textured planes seen by a pinhole camera from two places, and the camera's light,
blur, noise and JPEG.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

_FOCAL = 1.15  # in long sides
_UNIT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


def texture(rng: np.random.Generator, size: int) -> Picture:
    """A square of some material: coloured noise of several octaves, stripes, bricks or spots."""
    grey = np.zeros((size, size), np.float32)
    for cells in (4, 9, 20, 45, 100):
        noise = rng.normal(0, 1, (cells, max(cells // int(rng.integers(1, 4)), 2))).astype(
            np.float32
        )
        grey += np.asarray(
            cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
        ) / np.sqrt(cells)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    kind = rng.integers(0, 4)
    if kind == 0:
        grey += np.sin(2 * np.pi * (rng.uniform(4, 12) * x + grey / 4))
    elif kind == 1:
        rows = rng.integers(6, 14)
        shifted = (x * rows / 2 + 0.5 * (np.floor(y * rows) % 2)) % 1
        grey -= 1.5 * ((shifted < 0.06) | ((y * rows) % 1 < 0.12))
    elif kind == 2:
        for _ in range(60):
            centre = tuple(int(value) for value in rng.integers(0, size, 2))
            cv2.circle(grey, centre, int(rng.integers(3, size // 12)), float(rng.normal(0, 1)), -1)
    low, high = rng.uniform(20, 130, 3), rng.uniform(110, 240, 3)
    share = 1 / (1 + np.exp(-1.5 * (grey - grey.mean()) / grey.std()))
    return np.asarray(low + share[..., None] * (high - low), np.uint8)


def loose_corners(rng: np.random.Generator) -> Floats:
    """Where the corners (4, 2) of a sheet lie in a photograph of it, from 0 to 1: nearly upright
    and nearly all of it.
    """
    angle = np.radians(rng.normal(0, 1.5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (_UNIT - 0.5) @ turn.T * rng.uniform(0.86, 0.97) + 0.5 + rng.normal(0, 0.008, (4, 2))


def laid_on(picture: Picture, ground: Picture, corners: Floats) -> Picture:
    """`picture` on a ground, its corners at `corners`, in a frame of its own size."""
    height, width = picture.shape[:2]
    frame = np.asarray(cv2.resize(ground, (width, height), interpolation=cv2.INTER_AREA))
    return _pasted(frame, picture, corners * (width, height))


def _pasted(frame: Picture, picture: Picture, corners: Floats) -> Picture:
    """`picture` warped so that its corners are at `corners` (4, 2), in pixels of the frame;
    reduced before where it shrinks.
    """
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    wanted = (max(sides[0], sides[2]), max(sides[1], sides[3]))
    width, height = (
        max(2, min(have, round(1.3 * want))) for have, want in zip(picture.shape[1::-1], wanted)
    )
    small = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    to_frame = cv2.getPerspectiveTransform(
        (_UNIT * (width, height)).astype(np.float32), corners.astype(np.float32)
    )
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(
        np.ceil(corners.max(axis=0)).astype(int) + 1, (frame.shape[1], frame.shape[0])
    )
    if x1 <= x0 or y1 <= y0:
        return frame
    half = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    shift = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]])
    to_part = half @ shift @ to_frame @ np.linalg.inv(half)
    size = int(x1 - x0), int(y1 - y0)
    warped = cv2.warpPerspective(
        small, to_part, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    shape = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(
        shape, np.rint(16 * (corners - (x0, y0) - 0.5)).astype(np.int32), 255, cv2.LINE_AA, 4
    )
    alpha = shape[..., None].astype(np.float32) / 255
    result = frame.copy()
    result[y0:y1, x0:x1] = np.rint(
        frame[y0:y1, x0:x1] * (1 - alpha) + np.asarray(warped, np.float32) * alpha
    )
    return result


def exposed(picture: Picture, rng: np.random.Generator) -> Picture:
    """What a camera makes of it: uneven light, exposure, white balance, slight blur, noise and
    JPEG.
    """
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width] / max(height, width)
    light = 1 + rng.normal(0, 0.06) * (x - 0.5) + rng.normal(0, 0.06) * (y - 0.5)
    values = picture * light[..., None] * rng.uniform(0.9, 1.08) * rng.normal(1, 0.015, 3)
    values = np.asarray(cv2.GaussianBlur(values, (0, 0), rng.uniform(0.3, 0.9)))
    values = np.clip(np.rint(values + rng.normal(0, rng.uniform(0.7, 4), values.shape)), 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(buffer, "JPEG", quality=int(rng.integers(70, 96)))
    return np.asarray(Image.open(buffer))


@dataclass(frozen=True)
class Plane:
    """A rectangle in space: corners (4, 3), x to the right, y down, z away from the camera;
    boxes have one `depth`.
    """

    corners: Floats
    surface: Picture
    depth: float


@dataclass(frozen=True)
class View:
    """A camera at `place`, which looks along z turned by `rotation` (3, 3)."""

    place: Floats
    rotation: Floats

    def project(self, points: Floats) -> Floats:
        """Points (n, 3) in long sides of the picture, from its centre: (n, 2)."""
        seen = (points - self.place) @ self.rotation.T
        return _FOCAL * seen[:, :2] / seen[:, 2:]


@dataclass(frozen=True)
class Scene:
    """Planes, farthest first, and the two views; `size` is width and height in pixels."""

    planes: list[Plane]
    views: tuple[View, View]
    size: tuple[int, int]

    @classmethod
    def around(cls, picture: Picture, rng: np.random.Generator) -> Scene:
        """`picture` on the front of a box, other boxes before and behind it, a wall and a floor."""
        aspect = picture.shape[1] / picture.shape[0]
        wide, high = min(0.8, 0.75 * aspect), min(0.75, 0.8 / aspect)
        planes = [
            Plane(_upright(0, -0.4, rng.uniform(2.2, 3), 7, 5, 0), texture(rng, 768), 99),
            Plane(
                np.array([[-3, 0.45, 3], [3, 0.45, 3], [1.5, 0.45, 0.5], [-1.5, 0.45, 0.5]]),
                texture(rng, 768),
                98,
            ),
            *_box(
                rng.uniform(-0.08, 0.08),
                0.45 - high / 2,
                1.25,
                wide,
                high,
                rng.uniform(-0.45, 0.45),
                picture,
                rng,
            ),
        ]
        for _ in range(rng.integers(2, 6)):
            x, z, tall = (
                rng.uniform(-0.75, 0.75),
                rng.choice([rng.uniform(0.8, 0.95), rng.uniform(1.6, 2.1)]),
                rng.uniform(0.15, 0.6),
            )
            tall *= 0.6 if z < 1 else 1
            planes += _box(
                x,
                0.45 - tall / 2,
                z,
                tall * rng.uniform(0.4, 1),
                tall,
                rng.uniform(-0.7, 0.7),
                texture(rng, 256),
                rng,
            )
        planes.sort(key=lambda plane: -plane.depth)
        longest = int(rng.integers(240, 801))
        size = (
            (longest, round(0.75 * longest))
            if rng.random() < 0.6
            else (round(0.75 * longest), longest)
        )
        step = np.exp(rng.uniform(np.log(0.02), np.log(0.25)))
        way = rng.normal(0, 1, 3) * (1, 0.5, 0.7)
        moved = step * way / np.linalg.norm(way)
        return cls(planes, (_aimed(np.zeros(3), rng), _aimed(moved, rng)), size)

    def seen(self, view: View) -> Picture:
        """The picture that the camera takes at `view`, (height, width, 3)."""
        width, height = 2 * self.size[0], 2 * self.size[1]
        frame = np.zeros((height, width, 3), np.uint8)
        for plane in self.planes:
            corners = view.project(plane.corners) * max(width, height) + (width / 2, height / 2)
            if (
                cv2.contourArea(corners.astype(np.float32), oriented=True) > 1
            ):  # not seen from behind
                frame = _pasted(frame, plane.surface, corners)
        return np.asarray(cv2.resize(frame, self.size, interpolation=cv2.INTER_AREA))

    def parallax(self) -> float:
        """How far the scene's corners lie from one affine map of the first view onto the second:
        median, pixels at 256.
        """
        points = np.concatenate(
            [plane.corners for plane in self.planes if plane.depth < 90]
            + [self.planes[0].corners / (4, 4, 1)]
        )
        first, second = (view.project(points) * 256 for view in self.views)
        basis = np.column_stack([first, np.ones(len(first))])
        rest = second - basis @ np.linalg.lstsq(basis, second, rcond=None)[0]
        return float(np.median(np.linalg.norm(rest, axis=1)))


def _aimed(place: Floats, rng: np.random.Generator) -> View:
    """A camera at `place` that looks at the thing in the middle, about."""
    ahead = np.array([0, 0.08, 1.25]) + rng.normal(0, 0.03, 3) - place
    ahead /= np.linalg.norm(ahead)
    roll = np.radians(rng.normal(0, 1.5))
    right = np.cross([np.sin(roll), np.cos(roll), 0], ahead)
    right /= np.linalg.norm(right)
    return View(place, np.stack([right, np.cross(ahead, right), ahead]))


def _upright(x: float, y: float, z: float, wide: float, high: float, turn: float) -> Floats:
    """Corners of an upright rectangle about (x, y, z), turned about its vertical axis."""
    along = np.array([np.cos(turn), 0, np.sin(turn)]) * wide / 2
    down = np.array([0, high / 2, 0])
    centre = np.array([x, y, z])
    return np.stack(
        [centre - along - down, centre + along - down, centre + along + down, centre - along + down]
    )


def _box(
    x: float,
    y: float,
    z: float,
    wide: float,
    high: float,
    turn: float,
    front: Picture,
    rng: np.random.Generator,
) -> list[Plane]:
    """Front, top and both sides of a box; the faces that look away from the camera are skipped
    when it is seen.
    """
    face = _upright(x, y, z, wide, high, turn)
    back = face + np.array([-np.sin(turn), 0, np.cos(turn)]) * rng.uniform(0.08, 0.3)
    side = texture(rng, 128)
    left = np.stack([back[0], face[0], face[3], back[3]])
    right = np.stack([face[1], back[1], back[2], face[2]])
    top = np.stack([back[0], back[1], face[1], face[0]])
    return [
        Plane(quad, surface, z)
        for quad, surface in ((left, side), (right, side), (top, side), (face, front))
    ]
