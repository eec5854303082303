"""Small pictures of fruit, leaves, shells and stones, drawn with noise, height maps and light so
that they pass for photos.

Coordinates run from -1 to 1 over the shorter side; colours are floats from 0 to 1 in the order R,
G, B; everything is drawn at twice the wanted size and scaled down, which gives edges the softness a
lens gives them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Rgb = NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """The grid that everything is drawn on: coordinates x, y (h, w), the source of chance and
    where the light comes from.
    """

    x: Plane
    y: Plane
    rng: np.random.Generator
    light: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int]:
        return self.x.shape


@dataclass(frozen=True)
class Thing:
    """Something that lies on the ground: how much it covers (0 to 1), its colour, and its height
    above the ground.
    """

    cover: Plane
    colour: Rgb
    height: Plane
    gloss: float = 0.0


def draw_scene(kind: str, width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """An RGB picture (height, width, 3) of one to three things of `kind`, a key of `THINGS`, on
    some ground.
    """
    canvas = _canvas(2 * width, 2 * height, rng)
    picture = GROUNDS[rng.integers(len(GROUNDS))](canvas)
    for x, y, size in _places(rng):
        picture = _lay(canvas, picture, THINGS[kind](canvas, x, y, size))
    picture *= _lighting(canvas)[..., None]
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    picture = _expose(picture, rng.uniform(0.34, 0.55)) + rng.normal(
        0, 0.006, picture.shape
    ).astype(np.float32)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def clouds(
    canvas: Canvas, coarse: float = 3.0, octaves: int = 7, gain: float = 0.6, stretch: float = 1.0
) -> Plane:
    """Noise with detail at every size, mean 0 and standard deviation 1; `stretch` > 1 draws it
    out along x.
    """
    height, width = canvas.shape
    total, weight = np.zeros(canvas.shape, np.float32), 1.0
    for octave in range(octaves):
        cells = coarse * 2**octave
        rows = int(cells * height / min(height, width)) + 2
        columns = int(cells * width / min(height, width) / stretch) + 2
        grid = canvas.rng.standard_normal((rows, columns)).astype(np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight *= gain
    return (total - total.mean()) / total.std()


def ramp(values: Plane, *colours: tuple[float, float, float]) -> Rgb:
    """Colours interpolated along `values`: 0 gives the first, 1 the last."""
    stops = np.linspace(0, 1, len(colours))
    table = np.array(colours)
    return np.stack([np.interp(values, stops, table[:, i]) for i in range(3)], axis=-1).astype(
        np.float32
    )


def _canvas(width: int, height: int, rng: np.random.Generator) -> Canvas:
    scale = min(width, height) / 2
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.4)
    direction = np.array([np.cos(angle), np.sin(angle), rise])
    light = direction / np.linalg.norm(direction)
    return Canvas(
        (x - width / 2) / scale, (y - height / 2) / scale, rng, (light[0], light[1], light[2])
    )


def _places(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    count = rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2])
    if count == 1:
        return [(*rng.uniform(-0.2, 0.2, 2), rng.uniform(0.5, 0.7))]
    start = rng.uniform(0, 2 * np.pi)
    angles = start + np.arange(count) * 2 * np.pi / count + rng.uniform(-0.3, 0.3, count)
    return [(0.5 * np.cos(a), 0.5 * np.sin(a), rng.uniform(0.3, 0.45)) for a in angles]


def _lay(canvas: Canvas, picture: Rgb, thing: Thing) -> Rgb:
    """`picture` with the thing's shadow and the lit thing on it."""
    scale = min(canvas.shape) / 2
    move = np.array(
        [[1, 0, -canvas.light[0] * 0.12 * scale], [0, 1, -canvas.light[1] * 0.12 * scale]],
        np.float32,
    )
    shadow = cv2.warpAffine(thing.cover, move, canvas.shape[::-1])
    shadow = cv2.GaussianBlur(shadow, (0, 0), 0.05 * scale)
    picture = picture * (1 - 0.6 * shadow[..., None])
    lit = _shade(canvas, thing, scale)
    return picture * (1 - thing.cover[..., None]) + lit * thing.cover[..., None]


def _shade(canvas: Canvas, thing: Thing, scale: float) -> Rgb:
    """Lambert's law and a highlight, on the slopes of the height map."""
    rise_y, rise_x = np.gradient(thing.height * scale)
    length = np.sqrt(rise_x**2 + rise_y**2 + 1)
    x, y, z = canvas.light
    facing = np.clip((-rise_x * x - rise_y * y + z) / length, 0, 1)
    towards_eye = np.array([x, y, z + 1]) / np.linalg.norm([x, y, z + 1])
    mirror = np.clip(
        (-rise_x * towards_eye[0] - rise_y * towards_eye[1] + towards_eye[2]) / length, 0, 1
    )
    lit = thing.colour * (0.3 + 0.85 * facing[..., None]) + thing.gloss * mirror[..., None] ** 40
    return lit.astype(np.float32)


def _lighting(canvas: Canvas) -> Plane:
    x, y, _ = canvas.light
    slope = 1 + canvas.rng.uniform(0.05, 0.2) * (x * canvas.x + y * canvas.y)
    return (slope * (1 - 0.09 * (canvas.x**2 + canvas.y**2))).astype(np.float32)


def _expose(picture: Rgb, middle: float) -> Rgb:
    """As a camera's automatic exposure: the median at `middle`, few pixels clipped."""
    low, high = np.percentile(picture, [1, 99])
    stretched = np.clip((picture - low) / (high - low), 0, None) * 0.9 + 0.04
    return (stretched ** (np.log(middle) / np.log(np.median(stretched)))).astype(np.float32)


# What things lie on.


def _wood(canvas: Canvas) -> Rgb:
    grain = clouds(canvas, coarse=5, gain=0.95, stretch=6)
    rings = np.sin(9 * (canvas.y + 0.25 * clouds(canvas, coarse=1, octaves=3, stretch=3)))
    brown = canvas.rng.uniform(0.8, 1.15)
    shades = ramp(
        0.5 + 0.13 * rings + 0.12 * grain, (0.25, 0.15, 0.08), (0.55, 0.36, 0.2), (0.78, 0.58, 0.36)
    )
    return shades * brown


def _sand(canvas: Canvas) -> Rgb:
    grains = clouds(canvas, coarse=2, octaves=8, gain=0.85)
    ripples = np.sin(14 * (canvas.y + 0.3 * clouds(canvas, coarse=1.5, octaves=3)))
    return ramp(
        0.5 + 0.16 * grains + 0.05 * ripples,
        (0.42, 0.33, 0.22),
        (0.74, 0.63, 0.46),
        (0.95, 0.88, 0.74),
    )


def _cloth(canvas: Canvas) -> Rgb:
    threads = np.sin(70 * canvas.x + 0.6 * clouds(canvas, octaves=4)) + np.sin(
        70 * canvas.y + 0.6 * clouds(canvas, octaves=4)
    )
    folds = clouds(canvas, coarse=1, octaves=7, gain=0.6)
    hue = np.array(canvas.rng.dirichlet([2, 2, 2]) * 1.6, np.float32).clip(0.1, 0.9)
    return np.clip(0.55 + 0.1 * threads + 0.14 * folds, 0.05, None)[..., None] * (0.5 + 0.5 * hue)


def _moss(canvas: Canvas) -> Rgb:
    tufts = clouds(canvas, coarse=5, octaves=7, gain=0.85)
    patches = clouds(canvas, coarse=1.5, octaves=5)
    green = ramp(0.5 + 0.2 * tufts, (0.06, 0.1, 0.03), (0.26, 0.36, 0.1), (0.6, 0.68, 0.28))
    earth = ramp(0.5 + 0.2 * tufts, (0.1, 0.06, 0.04), (0.33, 0.24, 0.16), (0.6, 0.5, 0.4))
    share = np.clip(0.5 + 0.6 * patches, 0, 1)[..., None]
    return green * share + earth * (1 - share)


# What lies on it.


def _own_axes(canvas: Canvas, x: float, y: float, size: float) -> tuple[Plane, Plane]:
    """Coordinates of a thing at (x, y), turned by chance: 1 is its radius `size`."""
    angle = canvas.rng.uniform(0, 2 * np.pi)
    dx, dy = (canvas.x - x) / size, (canvas.y - y) / size
    return np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx


def _cover(inside: Plane, canvas: Canvas, size: float) -> Plane:
    """1 inside the outline (inside > 0), 0 outside, with an edge about two pixels wide."""
    return np.clip(0.5 + inside * size * min(canvas.shape) / 4, 0, 1).astype(np.float32)


def _fruit(canvas: Canvas, x: float, y: float, size: float) -> Thing:
    u, v = _own_axes(canvas, x, y, size)
    radius = np.hypot(u, v) / (1 + 0.03 * clouds(canvas, coarse=1, octaves=2))
    dome = np.sqrt(np.clip(1 - radius**2, 0, None))
    skin = 0.5 + 0.16 * clouds(canvas, coarse=6, octaves=6, gain=0.8) + 0.22 * np.clip(u, -1, 1)
    colours = FRUIT_SKINS[canvas.rng.integers(len(FRUIT_SKINS))]
    dent = np.exp(-((u - 0.35) ** 2 + (v - 0.1) ** 2) / 0.015)
    stalk = np.exp(-(((u - 0.42) / 0.16) ** 2 + ((v - 0.1 - 0.3 * (u - 0.42)) / 0.03) ** 2) * 1.5)[
        ..., None
    ].astype(np.float32)
    colour = ramp(skin, *colours) * (1 - 0.45 * dent[..., None]) * (1 - stalk) + stalk * np.array(
        (0.3, 0.2, 0.1), np.float32
    )
    pores = 0.004 * clouds(canvas, coarse=18, octaves=4, gain=0.8)
    return Thing(
        _cover(1 - radius, canvas, size),
        colour,
        size * (dome - 0.15 * dent) + pores * size,
        gloss=0.35,
    )


def _leaf(canvas: Canvas, x: float, y: float, size: float) -> Thing:
    u, v = _own_axes(canvas, x, y, size * 1.15)
    v = v + 0.15 * np.sin(2 * u)
    along = np.clip((u + 1) / 2, 0, 1)
    teeth = 1 + 0.06 * np.abs(np.sin(canvas.rng.uniform(18, 30) * u))
    half = canvas.rng.uniform(0.42, 0.6) * np.sin(np.pi * along) ** 0.8 * teeth
    veins = np.exp(-((np.sin(11 * (u - 0.7 * np.abs(v)))) ** 2) / 0.02) * 0.55 + np.exp(
        -((v / 0.022) ** 2)
    )
    inside = np.where(np.abs(u) < 1, half - np.abs(v), -0.1)
    age = 0.5 + 0.22 * clouds(canvas, coarse=3, octaves=7, gain=0.75) + 0.2 * (np.abs(v) - 0.2)
    green = ramp(age, *LEAF_COLOURS[canvas.rng.integers(len(LEAF_COLOURS))])
    pale = np.clip(veins, 0, 1)[..., None].astype(np.float32) * 0.4
    colour = green * (1 - pale) + pale * np.array((0.85, 0.85, 0.55), np.float32)
    height = size * (
        0.12 * np.clip(half - np.abs(v), 0, None)
        - 0.01 * veins
        + 0.006 * clouds(canvas, coarse=10, octaves=4)
    )
    return Thing(_cover(inside, canvas, size), colour, height.astype(np.float32), gloss=0.08)


def _shell(canvas: Canvas, x: float, y: float, size: float) -> Thing:
    u, v = _own_axes(canvas, x, y, size)
    angle, radius = np.arctan2(v, u + 0.9), np.hypot(u + 0.9, v) / 1.85
    ribs = np.cos(angle * canvas.rng.integers(16, 26))
    edge = np.where(np.abs(angle) < 1.05, 1 - 0.35 * (angle / 1.05) ** 4 + 0.025 * ribs, 0.12)
    bands = np.sin(radius * canvas.rng.uniform(14, 24) + 0.5 * clouds(canvas, coarse=2, octaves=4))
    tone = 0.5 + 0.2 * bands + 0.1 * ribs + 0.12 * clouds(canvas, coarse=6, octaves=6, gain=0.8)
    colour = ramp(tone, *SHELL_COLOURS[canvas.rng.integers(len(SHELL_COLOURS))])
    bulge = 0.5 * np.sqrt(np.clip(1 - (radius / edge) ** 2, 0, None)) * np.clip(radius * 3, 0, 1)
    height = size * (
        bulge + 0.02 * ribs * radius + 0.004 * clouds(canvas, coarse=12, octaves=4, gain=0.8)
    )
    return Thing(
        _cover((edge - radius) * 1.85, canvas, size), colour, height.astype(np.float32), gloss=0.15
    )


def _stone(canvas: Canvas, x: float, y: float, size: float) -> Thing:
    u, v = _own_axes(canvas, x, y, size)
    bumps = clouds(canvas, coarse=1, octaves=3, gain=0.4)
    radius = np.hypot(u, v * canvas.rng.uniform(1.1, 1.6)) * (1 + 0.08 * bumps)
    rough = clouds(canvas, coarse=8, octaves=6, gain=0.85)
    tint = np.array(canvas.rng.uniform(0.85, 1.1, 3), np.float32)
    vein = np.exp(-((v + 0.3 * u + 0.12 * bumps) ** 2) / 0.004)[..., None].astype(np.float32) * 0.5
    grey = (
        ramp(
            0.5 + 0.18 * rough + 0.1 * bumps,
            (0.2, 0.19, 0.2),
            (0.48, 0.46, 0.44),
            (0.75, 0.72, 0.68),
        )
        * tint
    )
    height = size * (0.7 * np.sqrt(np.clip(1 - radius**2, 0, None)) + 0.008 * rough)
    return Thing(
        _cover(1 - radius, canvas, size),
        grey * (1 - vein) + 0.85 * vein,
        height.astype(np.float32),
        gloss=0.05,
    )


FRUIT_SKINS = (
    ((0.55, 0.2, 0.02), (0.92, 0.48, 0.06), (1.0, 0.68, 0.2)),
    ((0.4, 0.03, 0.04), (0.75, 0.1, 0.08), (0.9, 0.5, 0.2)),
    ((0.3, 0.42, 0.05), (0.6, 0.7, 0.15), (0.85, 0.85, 0.4)),
    ((0.2, 0.05, 0.18), (0.42, 0.14, 0.36), (0.65, 0.35, 0.5)),
)
LEAF_COLOURS = (
    ((0.05, 0.18, 0.04), (0.2, 0.45, 0.1), (0.5, 0.68, 0.2)),
    ((0.3, 0.1, 0.02), (0.75, 0.35, 0.06), (0.95, 0.7, 0.2)),
    ((0.25, 0.03, 0.03), (0.62, 0.12, 0.08), (0.85, 0.4, 0.15)),
    ((0.3, 0.3, 0.05), (0.7, 0.65, 0.15), (0.9, 0.85, 0.4)),
)
SHELL_COLOURS = (
    ((0.55, 0.3, 0.22), (0.86, 0.65, 0.52), (0.98, 0.92, 0.84)),
    ((0.35, 0.22, 0.3), (0.72, 0.52, 0.58), (0.95, 0.86, 0.86)),
    ((0.4, 0.32, 0.18), (0.78, 0.66, 0.42), (0.97, 0.93, 0.76)),
)
GROUNDS = (_wood, _sand, _cloth, _moss)
THINGS = {"fruit": _fruit, "leaf": _leaf, "shell": _shell, "stone": _stone}
