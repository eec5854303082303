"""A canvas in relative coordinates, small pictures to put on it, and content that differs
between two drawings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Box = tuple[float, float, float, float]  # left, top, right, bottom, from 0 to 1
Colour = tuple[int, int, int]
Option = TypeVar("Option")

SYLLABLES = tuple(
    re.findall(
        r"\w+",
        "ba ka lo mi ne po ra su ti vo xe zi dar fen gol hin jul mar nor pel qui ros sel tan ver "
        "wil",
    )
)
WHITE, BLACK, INK, PAPER = (255, 255, 255), (12, 12, 14), (24, 32, 96), (250, 248, 240)


class Content:
    """What differs between the two pictures of a pair: free draws, and picks that are never the
    same in both.
    """

    def __init__(self, seed: Sequence[int], variant: int):
        self.rng = np.random.default_rng([*seed, 100 + variant])
        self._shared = np.random.default_rng([*seed, 99])
        self._variant = variant

    def pick(self, options: Sequence[Option]) -> Option:
        """Another option in each picture."""
        return options[self._shared.permutation(len(options))[self._variant]]

    def name(self, parts: int = 3) -> str:
        return "".join(self.rng.choice(SYLLABLES, parts)).capitalize()

    def number(self, digits: int) -> str:
        return "".join(str(digit) for digit in self.rng.integers(0, 10, digits))

    def sentence(self, words: int) -> str:
        return " ".join(
            "".join(self.rng.choice(SYLLABLES, self.rng.integers(1, 4))) for _ in range(words)
        )


class Canvas:
    """A drawing in coordinates from 0 to 1, at twice the wanted size; `picture` reduces it."""

    def __init__(self, width: int, height: int, fill: Colour):
        self.image = Image.new("RGB", (2 * width, 2 * height), fill)
        self.draw = ImageDraw.Draw(self.image)

    def box(self, box: Box) -> tuple[float, float, float, float]:
        width, height = self.image.size
        return box[0] * width, box[1] * height, box[2] * width, box[3] * height

    def points(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        width, height = self.image.size
        return [(x * width, y * height) for x, y in points]

    def wide(self, share: float) -> int:
        """A line as wide as this share of the shorter side."""
        return max(1, round(share * min(self.image.size)))

    def rectangle(
        self, box: Box, fill: Colour | None = None, line: Colour | None = None, wide: float = 0.006
    ) -> None:
        self.draw.rectangle(self.box(box), fill, line, self.wide(wide))

    def rounded(
        self,
        box: Box,
        radius: float,
        fill: Colour | None,
        line: Colour | None = None,
        wide: float = 0.01,
    ) -> None:
        self.draw.rounded_rectangle(
            self.box(box), radius * min(self.image.size), fill, line, self.wide(wide)
        )

    def ellipse(
        self, box: Box, fill: Colour | None, line: Colour | None = None, wide: float = 0.01
    ) -> None:
        self.draw.ellipse(self.box(box), fill, line, self.wide(wide))

    def polygon(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        self.draw.polygon(self.points(points), fill)

    def line(
        self, points: Sequence[tuple[float, float]], fill: Colour, wide: float = 0.006
    ) -> None:
        self.draw.line(self.points(points), fill, self.wide(wide), joint="curve")

    def text(
        self, box: Box, words: str, fill: Colour, *, bold: bool = False, left: bool = False
    ) -> None:
        """Text as large as fits into the box, centred or from its left side."""
        x0, y0, x1, y1 = self.box(box)
        font = ImageFont.load_default(64)
        stroke = 2 if bold else 0
        ink = self.draw.textbbox((0, 0), words, font, stroke_width=stroke)
        scale = min((x1 - x0) / max(ink[2] - ink[0], 1), (y1 - y0) / max(ink[3] - ink[1], 1))
        font = ImageFont.load_default(max(64 * scale, 5))
        stroke = round(stroke * scale)
        ink = self.draw.textbbox((0, 0), words, font, stroke_width=stroke)
        x = x0 - ink[0] if left else (x0 + x1 - ink[0] - ink[2]) / 2
        self.draw.text((x, (y0 + y1 - ink[1] - ink[3]) / 2), words, fill, font, stroke_width=stroke)

    def picture(self) -> Picture:
        width, height = self.image.size
        return np.asarray(self.image.resize((width // 2, height // 2), Image.Resampling.BOX))


def colour(rng: np.random.Generator, low: int = 20, high: int = 235) -> Colour:
    red, green, blue = rng.integers(low, high, 3)
    return int(red), int(green), int(blue)


def inside(box: Box, part: Box) -> Box:
    """`part` of `box`, both from 0 to 1."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return (
        box[0] + part[0] * wide,
        box[1] + part[1] * high,
        box[0] + part[2] * wide,
        box[1] + part[3] * high,
    )


def ring(
    box: Box, count: int, radius: float = 0.5, start: float = 0.0
) -> list[tuple[float, float]]:
    """`count` points on the ellipse in a box."""
    angles = start + 2 * math.pi * np.arange(count) / count
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    wide, high = radius * (box[2] - box[0]), radius * (box[3] - box[1])
    return [(x + wide * math.sin(angle), y - high * math.cos(angle)) for angle in angles]


def fruit(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    fill = colour(rng, 60)
    edge: Colour = (fill[0] // 2, fill[1] // 2, fill[2] // 2)
    for _ in range(rng.integers(2, 6)):
        x, y, size = rng.uniform(0.05, 0.5), rng.uniform(0.15, 0.5), rng.uniform(0.3, 0.5)
        canvas.ellipse(inside(box, (x, y, x + size, y + size)), fill, edge)
        canvas.ellipse(
            inside(box, (x + size * 0.2, y + size * 0.2, x + size * 0.35, y + size * 0.35)), WHITE
        )
        canvas.line(
            [
                inside(box, (x + size / 2, y, 1, 1))[:2],
                inside(box, (x + size * 0.7, y - 0.15, 1, 1))[:2],
            ],
            (60, 90, 30),
            0.012,
        )


def flower(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    petal = colour(rng, 80)
    for x, y in ring(box, int(rng.integers(5, 10)), 0.3, rng.uniform(0, 1)):
        wide, high = 0.18 * (box[2] - box[0]), 0.18 * (box[3] - box[1])
        canvas.ellipse((x - wide, y - high, x + wide, y + high), petal, BLACK, 0.004)
    canvas.ellipse(inside(box, (0.36, 0.36, 0.64, 0.64)), colour(rng))


def landscape(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    canvas.rectangle(box, colour(rng, 150))
    sun = rng.uniform(0.1, 0.7)
    canvas.ellipse(inside(box, (sun, 0.1, sun + 0.2, 0.3)), (250, 220, 90))
    for base in (0.55, 0.7, 0.85):
        tops = rng.uniform(-0.2, 0.1, 7)
        hill = [
            inside(box, (x, base + top, 1, 1))[:2] for x, top in zip(np.linspace(0, 1, 7), tops)
        ]
        canvas.polygon([*hill, (box[2], box[3]), (box[0], box[3])], colour(rng, 30, 160))


def fish(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    fill = colour(rng, 60)
    canvas.polygon(
        [inside(box, (x, y, 1, 1))[:2] for x, y in ((0.7, 0.5), (0.95, 0.25), (0.95, 0.75))], fill
    )
    canvas.ellipse(inside(box, (0.05, 0.28, 0.8, 0.72)), fill, BLACK)
    for x in rng.uniform(0.3, 0.65, 4):
        canvas.line(
            [inside(box, (x, 0.36, 1, 1))[:2], inside(box, (x + 0.05, 0.64, 1, 1))[:2]],
            WHITE,
            0.008,
        )
    canvas.ellipse(inside(box, (0.16, 0.4, 0.24, 0.48)), WHITE, BLACK)


def star(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    count = int(rng.integers(4, 9))
    outer, inner = ring(box, count), ring(box, count, rng.uniform(0.15, 0.35), math.pi / count)
    canvas.polygon([point for both in zip(outer, inner) for point in both], colour(rng))
    canvas.ellipse(inside(box, (0.42, 0.42, 0.58, 0.58)), colour(rng))


def cup(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    fill = colour(rng, 60)
    canvas.ellipse(inside(box, (0.55, 0.4, 0.95, 0.75)), None, fill, 0.02)
    canvas.polygon(
        [
            inside(box, (x, y, 1, 1))[:2]
            for x, y in ((0.1, 0.35), (0.75, 0.35), (0.65, 0.9), (0.2, 0.9))
        ],
        fill,
    )
    for x in rng.uniform(0.2, 0.6, 3):
        steam = [
            inside(box, (x + 0.04 * math.sin(9 * y), y, 1, 1))[:2]
            for y in np.linspace(0.05, 0.3, 8)
        ]
        canvas.line(steam, (150, 150, 150), 0.01)


def house(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    canvas.rectangle(inside(box, (0.15, 0.45, 0.85, 0.95)), colour(rng, 90), BLACK)
    canvas.polygon(
        [inside(box, (x, y, 1, 1))[:2] for x, y in ((0.05, 0.47), (0.5, 0.08), (0.95, 0.47))],
        colour(rng, 20, 150),
    )
    for x in rng.permutation([0.22, 0.45, 0.68])[: rng.integers(1, 4)]:
        canvas.rectangle(inside(box, (x, 0.55, x + 0.12, 0.72)), WHITE, BLACK)


def face(canvas: Canvas, box: Box, rng: np.random.Generator) -> None:
    light = rng.uniform(0.4, 1)
    skin: Colour = (int(245 * light), int(205 * light), int(175 * light))
    hair, wide, eyes = colour(rng, 10, 150), rng.uniform(0.2, 0.27), rng.uniform(0.43, 0.5)
    canvas.ellipse(inside(box, (0.1, 0.78, 0.9, 1.4)), colour(rng))
    canvas.rectangle(inside(box, (0.42, 0.65, 0.58, 0.85)), skin)
    canvas.ellipse(inside(box, (0.45 - wide, 0.1, 0.55 + wide, rng.uniform(0.5, 0.85))), hair)
    canvas.ellipse(inside(box, (0.5 - wide, 0.2, 0.5 + wide, 0.78)), skin, (90, 60, 50), 0.004)
    for x in (0.5 - wide * 0.45, 0.5 + wide * 0.45):
        canvas.ellipse(
            inside(box, (x - 0.045, eyes - 0.025, x + 0.045, eyes + 0.025)), WHITE, BLACK, 0.003
        )
        canvas.ellipse(
            inside(box, (x - 0.02, eyes - 0.02, x + 0.02, eyes + 0.02)), colour(rng, 20, 130)
        )
    canvas.line(
        [
            inside(box, (0.5, eyes, 1, 1))[:2],
            inside(box, (rng.uniform(0.46, 0.54), 0.58, 1, 1))[:2],
        ],
        (120, 80, 70),
        0.006,
    )
    smile = [
        inside(box, (0.5 + x, 0.66 + rng.uniform(-1, 1) * 0.01 - 6 * x * x * wide, 1, 1))[:2]
        for x in np.linspace(-0.1, 0.1, 7)
    ]
    canvas.line(smile, (170, 60, 60), 0.012)


MOTIFS = (fruit, flower, landscape, fish, star, cup, house)


def handwriting(canvas: Canvas, box: Box, rng: np.random.Generator, ink: Colour = INK) -> None:
    """Strokes that run along a line like joined letters, over a random share of its length."""
    end = box[0] + (box[2] - box[0]) * rng.uniform(0.35, 0.95)
    count = max(int(6 * (end - box[0]) / max(box[3] - box[1], 0.01)), 12)
    phase = np.cumsum(rng.uniform(0.5, 1.6, count))
    x = np.linspace(box[0], end, count) + 0.004 * np.cos(phase)
    middle, half = (box[1] + box[3]) / 2, (box[3] - box[1]) / 2
    y = middle + half * rng.uniform(0.25, 1, count) * np.sin(phase)
    words = np.flatnonzero(rng.random(count) < 0.08)
    for part in np.split(np.arange(count), words):
        if len(part) > 1:
            canvas.line(list(zip(x[part].tolist(), y[part].tolist())), ink, 0.005)
