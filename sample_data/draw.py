"""Draw the sample data sets and plant their faults: ``python sample_data/draw.py [FOLDER]``.

Writes ``shapes/`` (split and class folders), ``manifest/`` (a folder of images with labels.csv) and
``truth.csv``, which says what was planted where. The same versions of numpy, OpenCV and Pillow give
the same bytes every time.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
from dataclasses import dataclass, field
from typing import NamedTuple

import faults
import numpy as np
from faults import Picture, Spoil
from PIL import Image
from scenes import draw_scene

_SIZES = ((192, 192), (208, 160), (160, 208), (200, 180))
_KINDS = ("fruit", "leaf", "shell", "stone")
#: Good pictures in shapes/: split to number per kind, in the order of `_KINDS`. The stones are few:
#: an imbalance.
_GOOD = {"train": (32, 36, 30, 3), "val": (8, 9, 8, 1), "test": (9, 9, 8, 1)}


class Bad(NamedTuple):
    """A fault in a picture of its own: where it goes, which check should find it, and how it is
    made.
    """

    place: str
    check: str
    spoil: Spoil
    note: str
    extension: str = "jpg"


_BAD = (
    Bad("train/fruit", "unreadable", faults.truncated, "cut off after two fifths of the file"),
    Bad("train/leaf", "unreadable", faults.empty, "empty file"),
    Bad("train/shell", "unreadable", faults.web_page, "a web page saved as an image"),
    Bad("val/leaf", "unreadable", faults.zeros, "nothing but zero bytes"),
    Bad("train/leaf", "extension-mismatch", faults.png, "a PNG called .jpg"),
    Bad(
        "train/stone",
        "decompression-bomb",
        faults.bomb,
        "50 kB that unfold to 400 megapixels",
        "png",
    ),
    Bad("train/shell", "multi-frame", faults.animation, "an animation of five frames", "gif"),
    Bad("train/fruit", "odd-mode", faults.cmyk, "CMYK among RGB"),
    Bad("train/leaf", "odd-mode", faults.sixteen_bit, "16 bits per channel among 8", "png"),
    Bad(
        "train/shell",
        "odd-mode",
        faults.see_through,
        "transparent background among opaque images",
        "png",
    ),
    Bad(
        "train/shell",
        "exif-rotated",
        faults.turned_by_tag,
        "stored on its side, turned by its EXIF tag",
    ),
    Bad("train/fruit", "gps-metadata", faults.with_position, "EXIF holds a position in Paris"),
    Bad("train/fruit", "dark", faults.dark, "exposure reduced to 8 %"),
    Bad("test/leaf", "dark", faults.dark, "exposure reduced to 8 %"),
    Bad("train/shell", "bright", faults.bright, "squeezed into the brightest tenth"),
    Bad("train/leaf", "low-contrast", faults.low_contrast, "contrast reduced to 8 %"),
    Bad("train/fruit", "blurry", faults.blurred, "Gaussian blur, sigma 4 pixels"),
    Bad("val/shell", "blurry", faults.blurred, "Gaussian blur, sigma 4 pixels"),
    Bad("train/leaf", "motion-blur", faults.moved, "moved 21 pixels during the exposure"),
    Bad("train/shell", "noisy", faults.noisy, "Gaussian noise, sigma 40 of 255"),
    Bad("train/fruit", "heavy-compression", faults.squeezed, "JPEG quality 6"),
    Bad("train/leaf", "upscaled", faults.upscaled, "enlarged four times"),
    Bad("train/shell", "low-information", faults.blank, "one colour"),
    Bad("train/fruit", "low-information", faults.lens_cap, "black: the lens cap was on"),
    Bad("train/leaf", "odd-size", faults.tiny, "20 x 20 pixels"),
    Bad("train/shell", "odd-aspect-ratio", faults.strip, "eight times as wide as high"),
    Bad("train/fruit", "grayscale", faults.grey_in_colour, "grey, stored in three equal channels"),
    Bad("test/shell", "grayscale", faults.grey, "grey, stored in one channel"),
    Bad("train/leaf", "border", faults.letterboxed, "black bars of a fifth at top and bottom"),
    Bad("val/fruit", "border", faults.framed, "white frame of 30 pixels"),
)


class Copy(NamedTuple):
    """A copy of a good picture: of the which-th of the place `of`, put in `place`; no `spoil`
    means the same bytes.
    """

    of: str
    which: int
    place: str
    checks: tuple[str, ...]
    spoil: Spoil | None
    note: str
    extension: str = "jpg"


_COPIES = (
    Copy("train/fruit", 1, "train/fruit", ("exact-duplicate",), None, "the same bytes"),
    Copy(
        "train/leaf",
        1,
        "train/leaf",
        ("exact-duplicate",),
        faults.same_pixels,
        "the same pixels, as PNG",
        "png",
    ),
    Copy("train/shell", 1, "train/shell", ("near-duplicate",), faults.cropped, "cropped to 95 %"),
    Copy("train/shell", 2, "train/shell", ("near-duplicate",), faults.mirrored, "mirrored"),
    Copy(
        "train/leaf",
        2,
        "train/leaf",
        ("near-duplicate",),
        faults.quarter_turned,
        "turned by 90 degrees",
    ),
    Copy(
        "train/fruit",
        2,
        "train/fruit",
        ("near-duplicate",),
        faults.shrunk_and_squeezed,
        "three quarters the size, quality 50",
    ),
    Copy("train/fruit", 3, "train/fruit", ("near-duplicate",), faults.brightened, "brightened"),
    Copy(
        "train/fruit",
        4,
        "train/shell",
        ("label-conflict",),
        None,
        "the same bytes under another label",
    ),
    Copy(
        "train/leaf",
        3,
        "train/fruit",
        ("label-conflict", "near-duplicate"),
        faults.resaved,
        "re-encoded, under another label",
    ),
    Copy("train/leaf", 4, "test/leaf", ("split-leakage",), None, "the same bytes in another split"),
    Copy(
        "train/shell",
        3,
        "val/shell",
        ("split-leakage", "near-duplicate"),
        faults.cropped,
        "cropped to 95 %, in another split",
    ),
)

#: What other checks see in the same picture, by what it shows.
_ALSO = {"label-conflict": ("label-candidates",), "low-information": ("outlier",)}

_CLASS_FAULTS = (
    ("", "class-imbalance", "stones are fewer than a tenth of the leaves"),
    ("", "small-class", "four classes of fewer than a hundred images"),
)


@dataclass
class Album:
    """A data set in the making: its folder, the files in it, the truth so far, and a seed of its
    own.
    """

    folder: str
    seed: int
    truth: list[tuple[str, str, str, str]] = field(default_factory=list)
    files: dict[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return os.path.basename(self.folder)

    def draw(self, kind: str, scale: float = 1.0) -> Picture:
        """The next picture; every picture has a seed of its own."""
        number = sum(map(len, self.files.values()))
        rng = np.random.default_rng([self.seed, number])
        width, height = _SIZES[rng.integers(len(_SIZES))]
        return draw_scene(kind, int(width * scale), int(height * scale), rng)

    def add(self, place: str, data: bytes, extension: str = "jpg") -> str:
        """Put a file in the folder `place` under the next free name."""
        known = self.files.setdefault(place, [])
        path = f"{place}/{place.split('/')[-1]}-{len(known) + 1:03d}.{extension}"
        _write(os.path.join(self.folder, path), data)
        known.append(path)
        return path

    def plant(self, path: str, check: str, note: str) -> None:
        self.truth.append((self.name, path, check, note))


def draw_shapes(folder: str) -> Album:
    """Fruit, leaves, shells and a few stones in split and class folders, with every fault of
    files, quality and duplicates.
    """
    album = Album(os.path.join(folder, "shapes"), seed=1)
    for split, numbers in _GOOD.items():
        for kind, number in zip(_KINDS, numbers, strict=True):
            for _ in range(number):
                album.add(f"{split}/{kind}", faults.jpeg(album.draw(kind)))
    for bad in _BAD:
        picture = album.draw(bad.place.split("/")[1])
        path = album.add(bad.place, bad.spoil(picture), bad.extension)
        for check in (bad.check, *_ALSO.get(bad.check, ())):
            album.plant(path, check, bad.note)
    for copy in _COPIES:
        _add_copy(album, copy)
    for target, check, note in _CLASS_FAULTS:
        album.plant(target, check, note)
    return album


def _add_copy(album: Album, copy: Copy) -> None:
    original = album.files[copy.of][copy.which]
    data = _read(os.path.join(album.folder, original))
    if copy.spoil is not None:
        data = copy.spoil(np.asarray(Image.open(io.BytesIO(data))))
    path = album.add(copy.place, data, copy.extension)
    for check in (*copy.checks, *(also for known in copy.checks for also in _ALSO.get(known, ()))):
        album.plant(path, check, f"{copy.note}; of {original}")


def draw_manifest(folder: str) -> Album:
    """Sixty images in one folder with a labels.csv that holds every fault a manifest can have."""
    album = Album(os.path.join(folder, "manifest"), seed=2)
    rows = [["path", "label", "split", "group"]]
    for number in range(60):
        kind, split = _KINDS[number % 3], _manifest_split(number)
        path = album.add("images", faults.jpeg(album.draw(kind, scale=0.75)))
        rows.append([path, kind, split, f"{split}-roll-{number // 6 % 3}"])
    _spoil_rows(album, rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    _write(os.path.join(album.folder, "labels.csv"), text.getvalue().encode())
    return album


def _manifest_split(number: int) -> str:
    """Test gets nearly all of its images from one kind: a shift of labels between splits."""
    if number % 3 == 0 and number % 2 == 0:
        return "test"
    return "val" if number % 10 == 7 else "train"


def _spoil_rows(album: Album, rows: list[list[str]]) -> None:
    """Row 0 of `rows` is the header; the rows of the file are counted from 1, header included."""

    def change(row: int, column: int, value: str, check: str, note: str) -> None:
        rows[row][column] = value
        album.plant(rows[row][0], check, f"labels.csv row {row + 1}: {note}")

    change(2, 1, "Leaf", "label-spelling", "'Leaf' for 'leaf'")
    change(5, 1, "leaf ", "label-spelling", "white space after 'leaf'")
    change(8, 1, "laef", "label-spelling", "typo of 'leaf'")
    change(9, 1, "", "empty-label", "no label")
    change(12, 2, "later", "unknown-split", "no split of this name is known")
    rows[12][3] = "later-roll-0"
    rows[15][3] = "test-roll-0"
    album.plant(
        "test-roll-0",
        "group-leakage",
        f"labels.csv row 16: {rows[15][0]} of train is in a group of test",
    )
    repeated, disputed = list(rows[20]), [rows[21][0], "leaf", *rows[21][2:]]
    rows += [
        repeated,
        disputed,
        ["images/images-999.jpg", "leaf", "train", "train-roll-0"],
        [rows[22][0], "fruit", "train", "train-roll-0", "what is this?", "and this?"],
    ]
    last = len(rows)
    album.plant(
        repeated[0], "duplicate-row", f"labels.csv rows 21 and {last - 3}: the same row twice"
    )
    album.plant(
        disputed[0], "conflicting-rows", f"labels.csv rows 22 and {last - 2}: {rows[21][1]} or leaf"
    )
    album.plant("images/images-999.jpg", "missing-file", f"labels.csv row {last - 1}: no such file")
    album.plant(
        "labels.csv", "malformed-row", f"labels.csv row {last}: six fields for four columns"
    )
    unlisted = album.add("images", faults.jpeg(album.draw("shell", scale=0.75)))
    album.plant(unlisted, "unlisted-file", "in the folder, but in no row")
    album.plant("test", "label-shift", "nothing but fruit")


def draw_all(folder: str) -> None:
    """Draw everything into `folder`; what was there under the same names is replaced."""
    for name in ("shapes", "manifest"):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    truth = [*draw_shapes(folder).truth, *draw_manifest(folder).truth]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("dataset", "path", "fault", "note"), *truth])
    _write(os.path.join(folder, "truth.csv"), text.getvalue().encode())


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    draw_all(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
