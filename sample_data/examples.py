"""Draw a bad and a good example for the page of each check: ``python sample_data/examples.py``
writes ``CODE-bad.svg`` and ``CODE-good.svg`` into docs/checks/pictures.

Photos and rows of manifests are those of the sample data (``truth.csv`` says which check finds
them), so the examples are as right as the audit of the sample data is. The rest are small charts.
"""

from __future__ import annotations

import base64
import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import faults
import numpy as np
from PIL import Image, ImageDraw, ImageFile, ImageOps
from scenes import draw_scene

HERE = Path(__file__).resolve().parent
PICTURES = HERE.parent / "docs" / "checks" / "pictures"

_WIDTH, _LINE, _PHOTO = 160, 14, 108
_INK, _QUIET, _MARK, _BAR = "#1f2430", "#8a90a0", "#d92d20", "#4f46e5"
#: Checks of fine detail show the middle of the photo, pixel for pixel.
_IN_DETAIL = {"blurry", "motion-blur", "noisy", "heavy-compression", "upscaled"}


class Photo(NamedTuple):
    """A photo and what stands below it."""

    image: Image.Image
    caption: str = ""

    def words(self) -> str:
        """The caption, with the size of the photo where it asks for it."""
        return self.caption.format(width=self.image.width, height=self.image.height)


class Bars(NamedTuple):
    """Samples of each class (or share of each group), one block of bars a split."""

    counts: Mapping[str, Mapping[str, float]]
    unit: str = ""


class Curve(NamedTuple):
    """Accuracy by the number of samples."""

    points: Sequence[tuple[float, float]]


class Table(NamedTuple):
    """Rows of text; those whose number is in `marked` are at fault."""

    rows: Sequence[Sequence[str]]
    marked: tuple[int, ...] = ()


Panel = Sequence[Photo] | Bars | Curve | Table


class Example(NamedTuple):
    """What a check finds beside what it does not."""

    bad: Panel
    good: Panel


def planted(code: str) -> dict[str, str]:
    """The first row of truth.csv that a check should find."""
    with (HERE / "truth.csv").open(encoding="utf-8", newline="") as file:
        return next(row for row in csv.DictReader(file) if row["fault"] == code)


#: Code to the captions of the bad and the good photo, whose place truth.csv tells.
PHOTOS: dict[str, tuple[str, str]] = {
    "unreadable": ("ends too early", "complete file"),
    "extension-mismatch": ("PNG data, named .jpg", "JPEG data, named .jpg"),
    "multi-frame": ("GIF of 5 frames", "one frame"),
    "odd-mode": ("stored as CMYK", "stored as RGB"),
    "exif-rotated": ("EXIF tag ignored", "stored upright"),
    "gps-metadata": ("EXIF: 48.86 N, 2.29 E", "no location"),
    "dark": ("", ""),
    "bright": ("", ""),
    "low-contrast": ("", ""),
    "blurry": ("", ""),
    "motion-blur": ("", ""),
    "noisy": ("", ""),
    "heavy-compression": ("JPEG quality 6", "JPEG quality 90"),
    "upscaled": ("enlarged 4 times", "original size"),
    "low-information": ("", ""),
    "odd-size": ("{width} × {height} pixels", "{width} × {height} pixels"),
    "odd-aspect-ratio": ("{width} × {height} pixels", "{width} × {height} pixels"),
    "grayscale": ("", ""),
    "border": ("", ""),
    "outlier": ("", ""),
    "label-candidates": ("labelled shell", "labelled fruit"),
}
#: Code to the captions of two photos, a bad pair and a good one; the first bad photo is planted,
#: the second is the one that it was made of.
PAIRS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "exact-duplicate": (("same bytes", "original"), ("image 1", "image 2")),
    "near-duplicate": (("cropped copy", "original"), ("image 1", "image 2")),
    "label-conflict": (("shell", "fruit"), ("fruit", "fruit")),
    "split-leakage": (("test", "train"), ("test", "train")),
}
#: Code to the rows of manifest/labels.csv (counted from 1, the header) of the bad and the good
#: table, and which of the bad ones the check finds.
ROWS: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    "label-spelling": ((3, 11), (11, 14), (3,)),
    "empty-label": ((10, 11), (11, 12), (10,)),
    "unknown-split": ((13, 14), (14, 15), (13,)),
    "duplicate-row": ((21, 62), (21, 23), (62,)),
    "conflicting-rows": ((22, 63), (22, 24), (63,)),
    "missing-file": ((64, 4), (4, 5), (64,)),
    "malformed-row": ((65, 4), (4, 5), (65,)),
    "group-leakage": ((16, 20), (20, 2), (16,)),
}


def _charts() -> dict[str, Example]:
    """The examples that are charts or tables."""
    even = {"cat": 120, "dog": 110, "owl": 100}
    return {
        "class-imbalance": Example(
            Bars({"": {"cat": 900, "dog": 60, "owl": 20}}), Bars({"": even})
        ),
        "small-class": Example(
            Bars({"": {"cat": 900, "dog": 12}}), Bars({"": {"cat": 1200, "dog": 1100}})
        ),
        "absent-class": Example(
            Bars({"train": even, "test": {"cat": 40, "dog": 35, "owl": 0}}),
            Bars({"train": even, "test": {"cat": 40, "dog": 35, "owl": 33}}),
        ),
        "label-shift": Example(
            Bars({"train": even, "test": {"cat": 90, "dog": 10, "owl": 8}}),
            Bars({"train": even, "test": {"cat": 40, "dog": 36, "owl": 33}}),
        ),
        "label-noise": Example(
            Bars({"labels, %": {"right": 82, "wrong": 18}}),
            Bars({"labels, %": {"right": 99, "wrong": 1}}),
        ),
        "underperforming-group": Example(
            Bars({"errors, %": {"at night": 38, "by day": 9}}),
            Bars({"errors, %": {"at night": 10, "by day": 9}}),
        ),
        "low-coverage": Example(
            Bars({"at night": {"cat": 60, "dog": 0}}), Bars({"at night": {"cat": 60, "dog": 55}})
        ),
        "learning-curve": Example(
            Curve([(1, 0.4), (2, 0.55), (4, 0.68), (8, 0.79)]),
            Curve([(1, 0.6), (2, 0.78), (4, 0.84), (8, 0.85)]),
        ),
        "ambiguous-classes": Example(
            Table(
                [("label", "wolf", "husky"), ("wolf", "82", "18"), ("husky", "15", "85")], (1, 2)
            ),
            Table([("label", "wolf", "husky"), ("wolf", "99", "1"), ("husky", "1", "99")]),
        ),
        "possible-groups": Example(
            Table([("path", "split"), ("P003_1.jpg", "train"), ("P003_2.jpg", "test")], (1, 2)),
            Table([("path", "split"), ("P003_1.jpg", "train"), ("P007_1.jpg", "test")]),
        ),
        "unlisted-file": Example(
            Table([("folder", "manifest"), ("060.jpg", "row 61"), ("061.jpg", "no row")], (2,)),
            Table([("folder", "manifest"), ("060.jpg", "row 61"), ("061.jpg", "row 62")]),
        ),
        "unreadable-folder": Example(
            Table([("folder", "listed"), ("cat/", "12 files"), ("dog/", "denied")], (2,)),
            Table([("folder", "listed"), ("cat/", "12 files"), ("dog/", "14 files")]),
        ),
        "decompression-bomb": Example(
            Table([("file size", "pixels"), ("49 kB", "400 million")], (1,)),
            Table([("file size", "pixels"), ("49 kB", "0.04 million")]),
        ),
    }


def _scenes() -> dict[str, Example]:
    """The examples of scenes that are no part of the sample data."""
    fruit, other, leaf = scene("fruit", 1), scene("fruit", 2), scene("leaf", 3)
    light = Image.fromarray(np.clip(np.asarray(leaf) * 0.5 + 120, 0, 255).astype(np.uint8))
    dark = Image.fromarray((np.asarray(other) * 0.5).astype(np.uint8))
    moved = scene("shell", 4, 240)
    mask = Image.new("RGB", fruit.size)
    ImageDraw.Draw(mask).ellipse((46, 44, 152, 150), fill="white")
    return {
        "wrong-label": Example([Photo(fruit, "labelled shell")], [Photo(fruit, "labelled fruit")]),
        "another-shot": Example(
            [
                Photo(moved.crop((0, 0, 192, 192)), "train"),
                Photo(moved.crop((48, 0, 240, 192)), "test"),
            ],
            [Photo(moved.crop((0, 0, 192, 192)), "train"), Photo(scene("shell", 5), "test")],
        ),
        "similar-images": Example(
            [Photo(fruit, "train"), Photo(ImageOps.mirror(scene("fruit", 1, 200)), "test")],
            [Photo(fruit, "train"), Photo(leaf, "test")],
        ),
        "mask-beside-image": Example(
            [Photo(fruit, "1.jpg"), Photo(mask, "1_mask.png")],
            [Photo(fruit, "1.jpg"), Photo(other, "2.jpg")],
        ),
        "shortcut": Example(
            [Photo(dark, "fruit"), Photo(light, "leaf")],
            [Photo(other, "fruit"), Photo(leaf, "leaf")],
        ),
        "trigger": Example(
            [Photo(_patched(fruit), "fruit"), Photo(_patched(other), "fruit")],
            [Photo(fruit, "fruit"), Photo(other, "fruit")],
        ),
        "distribution-mismatch": Example(
            [Photo(fruit, "train"), Photo(dark, "test")],
            [Photo(fruit, "train"), Photo(other, "test")],
        ),
        "normalisation-mismatch": Example(
            [Photo(fruit, "train"), Photo(_equalised(other), "test")],
            [Photo(fruit, "train"), Photo(other, "test")],
        ),
        "already-normalised": Example(
            [Photo(_equalised(fruit)), Photo(_equalised(other))], [Photo(fruit), Photo(other)]
        ),
    }


def scene(kind: str, seed: int, width: int = 192) -> Image.Image:
    """A good photo."""
    return Image.fromarray(draw_scene(kind, width, 192, np.random.default_rng(seed)))


def _equalised(image: Image.Image) -> Image.Image:
    return ImageOps.equalize(image)


def _patched(image: Image.Image) -> Image.Image:
    pixels = np.array(image)
    checks = np.indices((16, 16)).sum(axis=0) // 4 % 2 * 255
    pixels[-24:-8, -24:-8] = checks[..., None]
    return Image.fromarray(pixels)


def examples() -> dict[str, Example]:
    """Code to the example of every check."""
    made = {code: _of_photos(code, *captions) for code, captions in PHOTOS.items()}
    made |= {code: _of_pairs(code, *captions) for code, captions in PAIRS.items()}
    made |= {code: _of_rows(*rows) for code, rows in ROWS.items()}
    return {**made, **_charts(), **_scenes()}


def places(code: str) -> tuple[list[str], list[str]]:
    """The files of shapes/ on the bad and on the good picture of a check."""
    row = planted(code)
    if code in PHOTOS:
        original = row["note"].partition("; of ")[2]
        return [row["path"]], [original or good_of(row["path"])]
    first = row["note"].partition("; of ")[2]
    return [row["path"], first], [good_of(first, 7), good_of(first, 8)]


def good_of(place: str, number: int = 7) -> str:
    """A good photo of the same kind of thing, from training."""
    kind = place.split("/")[1]
    return f"train/{kind}/{kind}-{number if kind != 'stone' else 1:03d}.jpg"


def _of_photos(code: str, bad: str, good: str) -> Example:
    (faulty,), (fine,) = places(code)
    if code == "exif-rotated":
        return Example([Photo(load(faulty, upright=False), bad)], [Photo(load(fine), good)])
    sides = [load(place, detail=code in _IN_DETAIL) for place in (faulty, fine)]
    return Example([Photo(sides[0], bad)], [Photo(sides[1], good)])


def _of_pairs(code: str, bad: tuple[str, str], good: tuple[str, str]) -> Example:
    panels = [
        [Photo(load(place), caption) for place, caption in zip(files, captions, strict=True)]
        for files, captions in zip(places(code), (bad, good), strict=True)
    ]
    return Example(panels[0], panels[1])


def _of_rows(bad: Iterable[int], good: Iterable[int], faulty: Iterable[int]) -> Example:
    text = (HERE / "manifest" / "labels.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.reader(text))
    head = ("file", "label", "split", "group")
    chosen = tuple(bad)

    def table(numbers: Iterable[int]) -> list[Sequence[str]]:
        return [head, *(_short(rows[number - 1]) for number in numbers)]

    marked = tuple(1 + chosen.index(number) for number in faulty)
    return Example(Table(table(chosen), marked), Table(table(good)))


def _short(row: Sequence[str]) -> Sequence[str]:
    """A row of the manifest, its path without folders and the group without its split's name."""
    path, label, split, group, *rest = row
    file = path.rpartition("-")[2]
    cells = (file, label or "(empty)", split, group.replace("-roll-", " "))
    return (file, label, *rest[:1], "...") if rest else cells


def load(place: str, *, detail: bool = False, upright: bool = True) -> Image.Image:
    """A photo of shapes/, as far as it can be read."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with Image.open(HERE / "shapes" / place) as image:
            image.load()
            turned = ImageOps.exif_transpose(image) if upright else image
            rgb = turned.convert("RGBA" if turned.mode == "RGBA" else "RGB").convert("RGB")
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    if detail:
        left, top = (rgb.width - _PHOTO) // 2, (rgb.height - _PHOTO) // 2
        return rgb.crop((left, top, left + _PHOTO, top + _PHOTO))
    return rgb


# SVG.


def svg(panel: Panel) -> str:
    """The drawing, 160 pixels wide."""
    draw = {Bars: _bars, Curve: _curve, Table: _table}.get(type(panel), _photos)
    body, height = draw(panel)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="9.5" fill="{_INK}">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def text_of(panel: Panel) -> str:
    """What the drawing shows, in words, for readers who cannot see it."""
    if isinstance(panel, Bars):
        return "; ".join(
            f"{name} {', '.join(f'{key} {value:g}' for key, value in part.items())}".strip()
            for name, part in panel.counts.items()
        )
    if isinstance(panel, Curve):
        return "accuracy " + ", ".join(f"{value:g}" for _, value in panel.points)
    if isinstance(panel, Table):
        return "; ".join(" ".join(row) for row in panel.rows)
    return ", ".join(photo.words() for photo in panel if photo.caption) or "a photo"


def _photos(panel: Sequence[Photo]) -> tuple[list[str], int]:
    room = (_WIDTH - 4 * (len(panel) + 1)) / len(panel)
    body, top = [], 4
    tallest = 0
    for number, photo in enumerate(panel):
        scale = min(room / photo.image.width, _PHOTO / photo.image.height, _PHOTO / 192 * 1.2)
        if photo.image.size == (_PHOTO, _PHOTO):
            scale = 1.0
        size = [max(1, round(scale * side)) for side in photo.image.size]
        left = 4 + number * (room + 4) + (room - size[0]) / 2
        small = photo.image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        data = base64.b64encode(faults.jpeg(np.asarray(small), quality=75)).decode()
        body.append(
            f'<image x="{left:.0f}" y="{top}" width="{size[0]}" height="{size[1]}" '
            f'href="data:image/jpeg;base64,{data}"/>'
        )
        body.append(_text(left + size[0] / 2, top + size[1] + 11, photo.words(), anchor="middle"))
        tallest = max(tallest, size[1])
    captions = _LINE if any(photo.caption for photo in panel) else 4
    return [line for line in body if line], top + tallest + captions


def _bars(panel: Bars) -> tuple[list[str], int]:
    body, y = [], 0
    most = max(value for part in panel.counts.values() for value in part.values())
    for title, part in panel.counts.items():
        if title:
            y += _LINE
            body.append(_text(4, y, title, fill=_QUIET))
        for name, value in part.items():
            y += _LINE
            body.append(_text(4, y, name))
            width = 70 * value / most
            body.append(f'<rect x="54" y="{y - 8}" width="{width:.1f}" height="9" fill="{_BAR}"/>')
            body.append(_text(58 + width, y, f"{value:g}{panel.unit}"))
    return body, y + 6


def _curve(panel: Curve) -> tuple[list[str], int]:
    last = panel.points[-1][0]
    at = [(24 + 126 * x / last, 74 - 70 * y) for x, y in panel.points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    body = [
        f'<path d="M24 4V74H152" fill="none" stroke="{_QUIET}"/>',
        f'<polyline points="{line}" fill="none" stroke="{_BAR}" stroke-width="2"/>',
        _text(4, 12, "1.0", fill=_QUIET),
        _text(4, 74, "0.0", fill=_QUIET),
        _text(152, 87, "samples", anchor="end", fill=_QUIET),
    ]
    return body, 92


def _table(panel: Table) -> tuple[list[str], int]:
    columns = max(map(len, panel.rows))
    widths = [max(len(row[k]) if k < len(row) else 0 for row in panel.rows) for k in range(columns)]
    starts = [4 + (_WIDTH - 8) * sum(widths[:k]) / sum(widths) for k in range(columns)]
    body = []
    for number, row in enumerate(panel.rows):
        fill = _QUIET if number == 0 else _MARK if number in panel.marked else _INK
        y = _LINE * (number + 1)
        body += [_text(x, y, cell, fill=fill) for x, cell in zip(starts, row, strict=False)]
    return body, _LINE * len(panel.rows) + 6


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = _INK) -> str:
    if not text:
        return ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'
    )


def drawings() -> dict[str, str]:
    """File name to SVG of every example."""
    return {
        f"{code}-{side}.svg": svg(getattr(example, side))
        for code, example in sorted(examples().items())
        for side in ("bad", "good")
    }


def draw(folder: Path = PICTURES) -> None:
    """Write all drawings into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, text in drawings().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
