"""Scenes drawn from a seed whose statistics are near those of photos, to calibrate the integer
model: no photo, no licence.

A scene is a "dead leaves" picture (Lee, Mumford and Huang 2001: opaque shapes of power-law sizes
that hide one another give the edge and scale statistics of photos) whose leaves carry their own
colour, shading and 1/f texture (Field 1987), seen with a light that falls off, some blur, some
grain. Some are flat, dark, washed out, on white, stripes or noise: users have those too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]  # (side, side)
Scene = NDArray[np.float64]  # (side, side, 3), 0 to 1 before clipping


def draw_scenes(count: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    """(count, side, side, 3) uint8 RGB; the same for the same arguments."""
    random = np.random.default_rng(seed)
    kinds = [
        dead_leaves,
        dead_leaves,
        dead_leaves,
        object_on_ground,
        object_on_ground,
        landscape,
        pattern,
        noise_field,
    ]
    scenes = [
        photographed(kinds[index % len(kinds)](side, random), random) for index in range(count)
    ]
    return np.stack(scenes)


def fractal(side: int, random: np.random.Generator, power: float) -> Field:
    """A field whose amplitude falls with frequency to the power `power`, of mean 0 and standard
    deviation 1.
    """
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1.0
    field = np.fft.irfft2(
        np.fft.rfft2(random.standard_normal((side, side))) / frequency**power, s=(side, side)
    )
    field -= field.mean()
    return field / (field.std() + 1e-9)


def colour(random: np.random.Generator) -> NDArray[np.float64]:
    """A colour, mostly muted, sometimes pure."""
    grey = random.beta(1.2, 1.2)
    return np.clip(grey + random.normal(0, random.choice([0.03, 0.12, 0.4]), 3), 0, 1)


def shape(
    side: int, random: np.random.Generator, radius: float, centre: tuple[float, float] | None = None
) -> Field:
    """A mask from 0 to 1: an ellipse, a box or a star-like blob, turned, with an edge one pixel
    wide.
    """
    y, x = np.mgrid[0:side, 0:side].astype(float)
    row, column = centre if centre is not None else tuple(random.uniform(-0.1, 1.1, 2) * side)
    angle, stretch = random.uniform(0, np.pi), np.exp(random.normal(0, 0.5))
    across = ((x - column) * np.cos(angle) + (y - row) * np.sin(angle)) / stretch
    along = (-(x - column) * np.sin(angle) + (y - row) * np.cos(angle)) * stretch
    kind = random.integers(3)
    if kind == 0:
        distance = np.hypot(across, along)
    elif kind == 1:
        distance = np.maximum(np.abs(across), np.abs(along))
    else:
        waves, turn = random.integers(2, 7), random.uniform(0, 2 * np.pi)
        distance = np.hypot(across, along) / (
            1 + 0.35 * np.cos(waves * np.arctan2(along, across) + turn)
        )
    return np.clip(radius - distance + 0.5, 0, 1)


def surface(side: int, random: np.random.Generator) -> Scene:
    """A colour with shading, and with 1/f texture or stripes of its own."""
    y, x = np.mgrid[0:side, 0:side] / side
    angle = random.uniform(0, 2 * np.pi)
    shading = 1 + random.uniform(0, 0.6) * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle))
    texture = fractal(side, random, random.uniform(0.3, 1.8)) * random.choice(
        [0.0, 0.03, 0.08, 0.2]
    )
    if random.random() < 0.25:
        period = np.exp(random.uniform(np.log(0.02), np.log(0.3)))
        stripes = np.sin(2 * np.pi * (x * np.cos(angle) - y * np.sin(angle)) / period)
        texture = texture + random.uniform(0.05, 0.35) * (
            np.sign(stripes) if random.random() < 0.5 else stripes
        )
    tint = 1 + random.normal(0, 0.15, 3)
    return colour(random) * shading[..., None] + texture[..., None] * tint


def dead_leaves(side: int, random: np.random.Generator) -> Scene:
    """Opaque shapes of power-law sizes over one another."""
    scene = surface(side, random)
    for _ in range(int(random.integers(15, 90))):
        radius = side * 0.015 / (1 - random.random() * 0.97) ** 0.9
        mask = shape(side, random, radius)[..., None]
        scene = scene * (1 - mask) + mask * (
            surface(side, random) if radius > side / 16 else colour(random)
        )
    return scene


def object_on_ground(side: int, random: np.random.Generator) -> Scene:
    """A few parts around the middle of a plain, white or textured ground, as in photos of a
    thing.
    """
    ground = np.ones((side, side, 3)) if random.random() < 0.3 else surface(side, random)
    scene = ground
    for _ in range(int(random.integers(1, 7))):
        centre = tuple(side * (0.5 + random.normal(0, 0.12, 2)))
        mask = shape(side, random, side * random.uniform(0.06, 0.32), centre)[..., None]
        scene = scene * (1 - mask) + mask * surface(side, random)
    return scene


def landscape(side: int, random: np.random.Generator) -> Scene:
    """Bands with ragged upper edges, as hills before a sky."""
    scene = surface(side, random)
    rows = np.arange(side)[:, None]
    for level in np.sort(random.uniform(0.2, 1.0, int(random.integers(1, 5)))):
        edge = side * level + fractal(side, random, 1.5)[0] * side * random.uniform(0.01, 0.12)
        mask = np.clip(rows - edge[None, :], 0, 1)[..., None]
        scene = scene * (1 - mask) + mask * surface(side, random)
    return scene


def pattern(side: int, random: np.random.Generator) -> Scene:
    """A tile that repeats, lines of marks like writing, or a plain surface."""
    kind = random.integers(3)
    if kind == 0:
        tile = int(random.integers(6, 40))
        small = dead_leaves(tile, random)
        return np.tile(small, (side // tile + 1, side // tile + 1, 1))[:side, :side]
    if kind == 1:
        marks = (
            (random.random((side // 4 + 1, side // 2 + 1)) < 0.5)
            .repeat(4, 0)
            .repeat(2, 1)[:side, :side]
        )
        lines = (np.arange(side) // 4 % 3 == 0)[:, None] & marks
        return np.where(lines[..., None], colour(random), surface(side, random))
    return surface(side, random)


def noise_field(side: int, random: np.random.Generator) -> Scene:
    """Coloured noise between white and cloud-like, of strong contrast."""
    power, strength = random.uniform(0.0, 2.0), random.uniform(0.1, 0.4)
    shared = fractal(side, random, power)
    own = np.stack([fractal(side, random, power) for _ in range(3)], axis=-1)
    return 0.5 + strength * (0.8 * shared[..., None] + random.uniform(0, 0.8) * own)


def photographed(scene: Scene, random: np.random.Generator) -> NDArray[np.uint8]:
    """`scene` under a light that falls off, with exposure, blur and grain, as uint8."""
    side = scene.shape[0]
    y, x = np.mgrid[0:side, 0:side] / side
    spot = random.uniform(0, 1, 2)
    light = 1 - random.uniform(0, 0.6) * np.hypot(x - spot[0], y - spot[1])
    exposed = np.clip(scene * light[..., None] * np.exp(random.normal(0.05, 0.25)), 0, 1) ** np.exp(
        random.normal(0, 0.25)
    )
    width = random.choice([0.0, 0.4, 0.8, 2.0], p=[0.3, 0.3, 0.3, 0.1])
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    blur = np.exp(-2 * (np.pi * width * frequency) ** 2)[..., None]
    seen = np.fft.irfft2(np.fft.rfft2(exposed, axes=(0, 1)) * blur, s=(side, side), axes=(0, 1))
    grain = random.normal(0, random.choice([0.0, 0.01, 0.03]), scene.shape)
    return np.clip(np.rint((seen + grain) * 255), 0, 255).astype(np.uint8)
