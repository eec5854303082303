"""Templates: labels, cartons, forms, cards, icons and the like, drawn twice with other content
in one layout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from canvas import (
    BLACK,
    INK,
    MOTIFS,
    PAPER,
    SYLLABLES,
    WHITE,
    Canvas,
    Colour,
    Content,
    Picture,
    colour,
    face,
    handwriting,
    ring,
)

GLYPHS = tuple("ABCDEFGHKMNPRSTXYZ2345789?&@#%+$")

# Styles: draw(look, content, width, height). `look` gives both pictures of a pair the same numbers.
Style = Callable[[np.random.Generator, Content, int, int], Picture]


def label(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Food label: one brand, other product, picture and tint."""
    ground, brand = colour(look, 190, 250), colour(look, 10, 120)
    canvas = Canvas(width, height, ground)
    canvas.rectangle((0.03, 0.02, 0.97, 0.98), None, brand, 0.012)
    canvas.ellipse((0.2, 0.05, 0.8, 0.22), brand)
    canvas.text(
        (0.26, 0.09, 0.74, 0.18), "".join(look.choice(SYLLABLES, 2)).upper(), WHITE, bold=True
    )
    canvas.rectangle((0.03, 0.26, 0.97, 0.38), colour(content.rng))
    canvas.text((0.08, 0.28, 0.92, 0.36), content.name(), WHITE, bold=True)
    content.pick(MOTIFS)(canvas, (0.22, 0.4, 0.78, 0.74), content.rng)
    canvas.text((0.1, 0.76, 0.9, 0.81), content.sentence(3), brand)
    for row in range(3):
        canvas.text(
            (0.1, 0.83 + 0.035 * row, 0.9, 0.855 + 0.035 * row),
            " ".join(look.choice(SYLLABLES, 8)),
            BLACK,
            left=True,
        )
    canvas.text(
        (0.62, 0.93, 0.9, 0.965),
        content.pick(["250 g", "500 g", "1 kg", "330 ml"]),
        brand,
        bold=True,
    )
    return canvas.picture()


def carton(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Juice carton on a white ground: one shape and brand, other fruit, name and colour."""
    canvas, tint, brand = (
        Canvas(width, height, (246, 246, 246)),
        colour(content.rng, 60),
        colour(look, 10, 140),
    )
    dark: Colour = (tint[0] * 2 // 3, tint[1] * 2 // 3, tint[2] * 2 // 3)
    canvas.polygon([(0.72, 0.2), (0.92, 0.15), (0.92, 0.9), (0.72, 0.97)], dark)
    canvas.polygon(
        [(0.1, 0.2), (0.3, 0.06), (0.85, 0.05), (0.92, 0.15), (0.72, 0.2)], (225, 225, 225)
    )
    canvas.rectangle((0.1, 0.2, 0.72, 0.97), tint)
    canvas.ellipse((0.45, 0.03, 0.62, 0.1), brand, BLACK)
    canvas.polygon([(0.1, 0.24), (0.72, 0.3), (0.72, 0.42), (0.1, 0.36)], brand)
    canvas.text(
        (0.14, 0.28, 0.68, 0.38), "".join(look.choice(SYLLABLES, 2)).upper(), WHITE, bold=True
    )
    canvas.text((0.13, 0.43, 0.69, 0.52), content.name(2), BLACK, bold=True)
    content.pick(MOTIFS)(canvas, (0.14, 0.53, 0.68, 0.86), content.rng)
    canvas.text((0.13, 0.89, 0.4, 0.94), "100 %", WHITE, bold=True)
    return canvas.picture()


def form(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Printed form, filled in by hand."""
    canvas = Canvas(width, height, PAPER)
    canvas.text(
        (0.08, 0.04, 0.6, 0.08),
        " ".join(look.choice(SYLLABLES, 3)).upper(),
        BLACK,
        bold=True,
        left=True,
    )
    canvas.rectangle((0.7, 0.03, 0.92, 0.1), None, BLACK, 0.003)
    handwriting(canvas, (0.72, 0.05, 0.9, 0.08), content.rng)
    rows = int(look.integers(7, 12))
    for y in np.linspace(0.14, 0.7, rows):
        canvas.text((0.08, y, 0.3, y + 0.02), " ".join(look.choice(SYLLABLES, 3)), BLACK, left=True)
        canvas.rectangle((0.34, y - 0.01, 0.92, y + 0.03), None, (90, 90, 90), 0.003)
        if content.rng.random() < 0.8:
            handwriting(canvas, (0.36, y, 0.9, y + 0.02), content.rng)
    for index in range(8):
        x, y = 0.1 + 0.22 * (index % 4), 0.78 + 0.06 * (index // 4)
        canvas.rectangle((x, y, x + 0.03, y + 0.022), None, BLACK, 0.003)
        canvas.text(
            (x + 0.045, y, x + 0.17, y + 0.02), "".join(look.choice(SYLLABLES, 3)), BLACK, left=True
        )
        if content.rng.random() < 0.5:
            canvas.line([(x, y), (x + 0.03, y + 0.022)], INK)
            canvas.line([(x + 0.03, y), (x, y + 0.022)], INK)
    canvas.line([(0.55, 0.95), (0.92, 0.95)], BLACK, 0.003)
    handwriting(canvas, (0.57, 0.91, 0.9, 0.95), content.rng)
    return canvas.picture()


def invoice(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Invoice: letterhead and table in common, other items and sums."""
    canvas, tint = Canvas(width, height, WHITE), colour(look, 20, 160)
    canvas.rectangle((0, 0, 1, 0.1), tint)
    canvas.text(
        (0.06, 0.025, 0.5, 0.075),
        " ".join(look.choice(SYLLABLES, 2)).upper(),
        WHITE,
        bold=True,
        left=True,
    )
    for row in range(3):
        canvas.text(
            (0.06, 0.14 + 0.03 * row, 0.4, 0.16 + 0.03 * row), content.sentence(2), BLACK, left=True
        )
        canvas.text(
            (0.64, 0.14 + 0.03 * row, 0.94, 0.16 + 0.03 * row),
            f"No. {content.number(6)}",
            BLACK,
            left=True,
        )
    canvas.rectangle((0.06, 0.28, 0.94, 0.315), tint)
    for x, words in ((0.08, "Item"), (0.56, "Quantity"), (0.78, "Price")):
        canvas.text((x, 0.286, x + 0.16, 0.308), words, WHITE, left=True)
    rows = int(look.integers(9, 14))
    for row in range(rows):
        y = 0.33 + 0.04 * row
        canvas.line([(0.06, y + 0.03), (0.94, y + 0.03)], (180, 180, 180), 0.002)
        canvas.text((0.08, y, 0.5, y + 0.02), content.sentence(3), BLACK, left=True)
        canvas.text((0.58, y, 0.66, y + 0.02), content.number(2), BLACK, left=True)
        canvas.text(
            (0.78, y, 0.92, y + 0.02), f"{content.number(3)}.{content.number(2)}", BLACK, left=True
        )
    canvas.text(
        (0.6, 0.9, 0.94, 0.935), f"Sum {content.number(4)}.{content.number(2)}", BLACK, bold=True
    )
    return canvas.picture()


def card(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Identity card: another face, name and number."""
    tint = colour(look, 170, 240)
    canvas = Canvas(width, height, tint)
    for shift in np.linspace(-0.3, 1, 14):  # guilloche
        wave = [(x, shift + 0.12 * math.sin(6 * x + 4 * shift)) for x in np.linspace(0, 1, 40)]
        canvas.line(wave, (tint[0] - 30, tint[1] - 25, tint[2] - 15), 0.004)
    canvas.rectangle((0, 0, 1, 0.16), colour(look, 10, 120))
    canvas.text(
        (0.05, 0.04, 0.7, 0.12),
        " ".join(look.choice(SYLLABLES, 3)).upper(),
        WHITE,
        bold=True,
        left=True,
    )
    canvas.rectangle((0.05, 0.24, 0.35, 0.86), (215, 220, 225), BLACK, 0.005)
    face(canvas, (0.06, 0.25, 0.34, 0.85), content.rng)
    for row, words in enumerate(
        (
            content.name(),
            content.name(2),
            content.number(8),
            f"{content.number(2)}.20{content.number(2)}",
        )
    ):
        canvas.text(
            (0.4, 0.25 + 0.15 * row, 0.6, 0.29 + 0.15 * row),
            "".join(look.choice(SYLLABLES, 3)),
            (90, 90, 90),
            left=True,
        )
        canvas.text(
            (0.4, 0.3 + 0.15 * row, 0.92, 0.37 + 0.15 * row), words, BLACK, bold=True, left=True
        )
    canvas.rectangle((0.8, 0.24, 0.94, 0.46), (215, 180, 70), (130, 100, 30))
    handwriting(canvas, (0.42, 0.88, 0.9, 0.97), content.rng)
    return canvas.picture()


def badge(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Icon of a family: one badge, another glyph or motif on it."""
    canvas = Canvas(width, height, WHITE)
    ground, edge = colour(look), colour(look, 20, 120)
    if look.random() < 0.5:
        canvas.rounded((0.06, 0.06, 0.94, 0.94), 0.18, ground, edge, 0.03)
    else:
        canvas.ellipse((0.04, 0.04, 0.96, 0.96), ground, edge, 0.03)
    if look.random() < 0.5:
        canvas.text((0.28, 0.25, 0.72, 0.75), content.pick(GLYPHS), WHITE, bold=True)
    else:
        content.pick(MOTIFS)(canvas, (0.22, 0.22, 0.78, 0.78), content.rng)
    return canvas.picture()


def folder(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Folder icon with another emblem."""
    canvas, tint = Canvas(width, height, WHITE), colour(look, 70, 230)
    dark: Colour = (tint[0] * 3 // 4, tint[1] * 3 // 4, tint[2] * 3 // 4)
    canvas.rounded((0.06, 0.12, 0.5, 0.4), 0.05, dark)
    canvas.rounded((0.06, 0.2, 0.94, 0.88), 0.05, dark)
    canvas.rounded((0.06, 0.3, 0.94, 0.88), 0.05, tint, dark, 0.012)
    x, y = look.choice([0.34, 0.55]), 0.4
    if look.random() < 0.6:
        content.pick(MOTIFS)(canvas, (x, y, x + 0.34, y + 0.4), content.rng)
    else:
        canvas.ellipse((x, y, x + 0.34, y + 0.4), WHITE, dark)
        canvas.text((x + 0.08, y + 0.1, x + 0.26, y + 0.3), content.pick(GLYPHS), dark, bold=True)
    return canvas.picture()


def slide(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Slide of one deck."""
    canvas, tint = Canvas(width, height, WHITE), colour(look, 10, 150)
    canvas.rectangle((0, 0, 1, 0.18), tint)
    canvas.rectangle((0, 0.94, 1, 1), tint)
    canvas.polygon([(0.82, 0), (1, 0), (1, 0.18), (0.9, 0.18)], colour(look))
    canvas.text(
        (0.05, 0.05, 0.78, 0.13), content.sentence(4).capitalize(), WHITE, bold=True, left=True
    )
    for row in range(int(content.rng.integers(4, 7))):
        y = 0.26 + 0.1 * row
        canvas.ellipse((0.05, y + 0.01, 0.065, y + 0.035), tint)
        canvas.text(
            (0.09, y, 0.55, y + 0.045),
            content.sentence(int(content.rng.integers(3, 6))),
            BLACK,
            left=True,
        )
    content.pick(MOTIFS)(canvas, (0.6, 0.26, 0.94, 0.86), content.rng)
    canvas.text((0.9, 0.95, 0.96, 0.99), content.number(2), WHITE)
    return canvas.picture()


def cover(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Book of one series."""
    canvas = Canvas(width, height, colour(look, 20, 240))
    canvas.rectangle((0, 0.08, 1, 0.3), PAPER)
    canvas.rectangle((0, 0.1, 1, 0.105), colour(look))
    canvas.rectangle((0, 0.275, 1, 0.28), colour(look))
    canvas.text((0.08, 0.12, 0.92, 0.2), content.name(), BLACK, bold=True)
    canvas.text((0.2, 0.21, 0.8, 0.26), content.sentence(2), (90, 90, 90))
    canvas.rectangle((0.1, 0.36, 0.9, 0.82), PAPER)
    content.pick(MOTIFS)(canvas, (0.16, 0.39, 0.84, 0.79), content.rng)
    canvas.ellipse((0.42, 0.86, 0.58, 0.96), PAPER, BLACK)
    canvas.text(
        (0.45, 0.885, 0.55, 0.935), "".join(look.choice(SYLLABLES, 1)).upper(), BLACK, bold=True
    )
    return canvas.picture()


def playing(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Playing card: another rank and suit."""
    canvas, edge = Canvas(width, height, (60, 110, 70)), colour(look, 20, 160)
    canvas.rounded((0.03, 0.02, 0.97, 0.98), 0.06, PAPER, edge, 0.008)
    rank, ink = (
        content.pick(range(2, 11)),
        content.pick([(190, 20, 30), (20, 20, 24), (20, 90, 160)]),
    )
    corners = content.pick([3, 4, 5, 24])
    for x, y in ((0.08, 0.05), (0.8, 0.86)):
        canvas.text((x, y, x + 0.12, y + 0.09), str(rank), ink, bold=True)
    for index in range(rank):
        x, y = (0.32, 0.68)[index % 2], 0.17 + 0.66 * (index // 2 + 0.5) / math.ceil(rank / 2)
        x = 0.5 if rank % 2 and index == rank - 1 else x
        canvas.polygon(ring((x - 0.08, y - 0.055, x + 0.08, y + 0.055), corners), ink)
    return canvas.picture()


def sign(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Road sign: another figure in one frame, before one sky."""
    canvas = Canvas(width, height, colour(look, 120, 220))
    canvas.rectangle((0.47, 0.5, 0.53, 1), (120, 120, 125))
    kind = look.integers(0, 3)
    if kind == 0:
        canvas.ellipse((0.1, 0.08, 0.9, 0.88), WHITE, (200, 20, 30), 0.09)
        canvas.text(
            (0.28, 0.33, 0.72, 0.63),
            content.pick(["20", "30", "40", "50", "60", "70", "80", "90", "100", "120"]),
            BLACK,
            bold=True,
        )
    elif kind == 1:
        canvas.polygon([(0.5, 0.04), (0.97, 0.86), (0.03, 0.86)], (200, 20, 30))
        canvas.polygon([(0.5, 0.18), (0.86, 0.8), (0.14, 0.8)], WHITE)
        canvas.text((0.38, 0.42, 0.62, 0.75), content.pick(GLYPHS), BLACK, bold=True)
    else:
        canvas.rounded((0.08, 0.1, 0.92, 0.86), 0.06, (25, 80, 170), WHITE, 0.02)
        content.pick(MOTIFS)(canvas, (0.25, 0.22, 0.75, 0.76), content.rng)
    return canvas.picture()


def screenshot(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Window of one program with other rows."""
    canvas, tint = Canvas(width, height, (248, 249, 251)), colour(look, 30, 140)
    canvas.rectangle((0, 0, 1, 0.08), tint)
    canvas.text(
        (0.03, 0.02, 0.3, 0.06), " ".join(look.choice(SYLLABLES, 2)), WHITE, bold=True, left=True
    )
    for x, dot in ((0.9, (90, 200, 90)), (0.93, (230, 190, 60)), (0.96, (220, 80, 80))):
        canvas.ellipse((x, 0.025, x + 0.02, 0.055), dot)
    canvas.rectangle((0, 0.08, 0.2, 1), (228, 231, 236))
    for row in range(8):
        canvas.text(
            (0.03, 0.13 + 0.09 * row, 0.17, 0.165 + 0.09 * row),
            "".join(look.choice(SYLLABLES, 3)),
            (60, 60, 70),
            left=True,
        )
    marked = int(content.rng.integers(0, 10))
    for row in range(11):
        y = 0.1 + 0.08 * row
        if row == marked:
            canvas.rectangle((0.21, y - 0.01, 0.99, y + 0.065), (200, 220, 250))
        canvas.ellipse((0.22, y, 0.255, y + 0.055), colour(content.rng))
        canvas.text(
            (0.28, y + 0.005, 0.68, y + 0.045),
            content.sentence(int(content.rng.integers(2, 6))),
            (40, 40, 40),
            left=True,
        )
        canvas.text(
            (0.84, y + 0.008, 0.97, y + 0.042),
            f"{content.number(2)}:{content.number(2)}",
            (110, 110, 110),
            left=True,
        )
    return canvas.picture()


def gauge(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Clock with its hands elsewhere."""
    canvas = Canvas(width, height, colour(look, 150, 240))
    canvas.ellipse((0.05, 0.05, 0.95, 0.95), PAPER, colour(look, 10, 120), 0.04)
    for index, (x, y) in enumerate(ring((0.14, 0.14, 0.86, 0.86), 12)):
        canvas.text((x - 0.05, y - 0.04, x + 0.05, y + 0.04), str(index or 12), BLACK)
    hours = content.pick(range(12)) + content.rng.uniform(0.1, 0.9)
    for turn, length, wide in ((hours / 12, 0.2, 0.035), (hours % 1, 0.32, 0.02)):
        angle = 2 * math.pi * turn
        canvas.line(
            [(0.5, 0.5), (0.5 + length * math.sin(angle), 0.5 - length * math.cos(angle))],
            BLACK,
            wide,
        )
    return canvas.picture()


def chart(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Chart with the same axes and other values."""
    canvas, bars = Canvas(width, height, WHITE), int(look.integers(5, 11))
    canvas.text((0.2, 0.03, 0.8, 0.09), " ".join(look.choice(SYLLABLES, 4)), BLACK, bold=True)
    for y in np.linspace(0.15, 0.85, 6):
        canvas.line([(0.1, y), (0.96, y)], (200, 200, 200), 0.003)
        canvas.text((0.03, y - 0.02, 0.085, y + 0.02), str(round(100 * (0.85 - y) / 0.7)), BLACK)
    fill, values = colour(look, 30, 180), content.rng.uniform(0.05, 0.68, bars)
    xs = np.linspace(0.14, 0.94, bars + 1)
    for x, value, after in zip(xs, values, xs[1:]):
        canvas.rectangle((x, 0.85 - value, after - 0.25 * (after - x), 0.85), fill)
        canvas.text((x, 0.88, after - 0.02, 0.93), str(look.choice(SYLLABLES)), BLACK)
    return canvas.picture()


def ticket(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Boarding pass: other passenger, seat and bar code."""
    canvas, tint = Canvas(width, height, PAPER), colour(look, 20, 160)
    canvas.rectangle((0, 0, 1, 0.2), tint)
    canvas.text(
        (0.04, 0.05, 0.5, 0.16),
        " ".join(look.choice(SYLLABLES, 3)).upper(),
        WHITE,
        bold=True,
        left=True,
    )
    canvas.line([(0.74, 0.2), (0.74, 1)], (150, 150, 150), 0.006)
    fields = (
        content.name(3),
        content.name(2),
        content.number(4),
        content.number(2) + content.pick("ABCDEF"),
    )
    for index, words in enumerate(fields):
        x, y = 0.04 + 0.34 * (index % 2), 0.28 + 0.3 * (index // 2)
        canvas.text(
            (x, y, x + 0.14, y + 0.06),
            "".join(look.choice(SYLLABLES, 3)),
            (110, 110, 110),
            left=True,
        )
        canvas.text((x, y + 0.08, x + 0.3, y + 0.2), words, BLACK, bold=True, left=True)
    x = 0.77
    while x < 0.95:
        wide = 0.004 * float(content.rng.integers(1, 4))
        canvas.rectangle((x, 0.28, x + wide, 0.9), BLACK, None, 0)
        x += wide + 0.004 * float(content.rng.integers(1, 4))
    return canvas.picture()


def portrait(look: np.random.Generator, content: Content, width: int, height: int) -> Picture:
    """Yearbook portrait: another face before one backdrop."""
    canvas = Canvas(width, height, colour(look, 90, 220))
    for _ in range(60):
        x, y, size = look.uniform(-0.1, 1), look.uniform(-0.1, 1), look.uniform(0.05, 0.25)
        canvas.ellipse((x, y, x + size, y + size), None, colour(look, 90, 220), 0.01)
    face(canvas, (0.1, 0.08, 0.9, 0.86), content.rng)
    canvas.rectangle((0, 0.86, 1, 1), BLACK)
    canvas.text((0.1, 0.89, 0.9, 0.97), f"{content.name(2)} {content.name(3)}", WHITE)
    return canvas.picture()


#: Style to (function, width over height, smallest and greatest long side in pixels).
STYLES: dict[str, tuple[Style, float, int, int]] = {
    "label": (label, 0.75, 160, 800),
    "carton": (carton, 0.6, 128, 800),
    "form": (form, 0.71, 400, 800),
    "invoice": (invoice, 0.71, 400, 800),
    "card": (card, 1.58, 200, 800),
    "badge": (badge, 1.0, 64, 256),
    "folder": (folder, 1.1, 64, 256),
    "slide": (slide, 1.6, 240, 800),
    "cover": (cover, 0.66, 128, 640),
    "playing": (playing, 0.7, 96, 480),
    "sign": (sign, 1.0, 64, 320),
    "screenshot": (screenshot, 1.6, 320, 800),
    "gauge": (gauge, 1.0, 64, 400),
    "chart": (chart, 1.4, 240, 800),
    "ticket": (ticket, 2.2, 240, 800),
    "portrait": (portrait, 0.8, 100, 500),
}


def draw(style: str, seed: Sequence[int], variant: int) -> Picture:
    """Picture 0 or 1 of the pair with this seed."""
    function, aspect, least, most = STYLES[style]
    look = np.random.default_rng([*seed, 98])
    longest = math.exp(look.uniform(math.log(least), math.log(most)))
    width, height = (longest, longest / aspect) if aspect > 1 else (longest * aspect, longest)
    return function(look, Content(seed, variant), round(width), round(height))
