"""Plants edits in images, and says which words each should be called by.

    python benchmarks/edits.py FOLDER [--data DIR] [--set photos|trashnet|digits|fashion|signs|tiles
    ...] [--seed 0]

DIR (default: ../shared/data beside the repository) holds photos/images and natural/NAME. Of
`photos` 120 images and of `trashnet` 40 get one edit of every kind and two pairs of edits, one
after the other (kind "two"); FOLDER/SET holds them beside their originals. The other sets are
copied whole, and 100 images of each are resized, toned, re-encoded and cropped by 10 %: as `crop`,
`tone`, `jpeg`, `resize`, in the class folder of the original. FOLDER/SET/edits.csv: original, edit,
kind, edits (what was done, one after the other), geometry and other (the words, " or " between
those that will do), half (0 or 1, by the original's name: choose thresholds on one, report on the
other). `is_named_rightly` holds a relation to them.
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

Picture = NDArray[np.uint8]
Change = Callable[[Picture, np.random.Generator], Picture]

#: The words of `dataprep.measures.pairs.relations` that say where the pixels went; all others say
#: what became of them.
GEOMETRY = (
    "mirrored",
    "turned by",
    "cropped to",
    "set in a frame",
    "extended",
    "stretched",
    "reduced to",
    "enlarged to",
)
ENCODING = (
    "re-encoded",
    "saved as",
    "stored turned",
    "in another file",
    "pixel for pixel",
    "byte for byte",
)
TONED = (
    "brightened or darkened or raised in contrast or lowered in contrast or toned or "
    "recoloured or made grey"
)


@dataclass(frozen=True)
class Edit:
    """One kind of edit.

    Attributes:
        change: picture to picture, uint8 RGB.
        geometry, other: the words that a relation must hold; " or " between those of which one will
            do.
        allowed: further words that are no mistake.
        quality: of the JPEG that it is saved as. `ending`: another format.
    """

    change: Change
    geometry: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    allowed: str = ""
    quality: int = 90
    ending: str = ".jpg"


def clipped(values: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def scaled(picture: Picture, across: float, down: float) -> Picture:
    size = (max(round(picture.shape[1] * across), 1), max(round(picture.shape[0] * down), 1))
    how = cv2.INTER_AREA if min(across, down) < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def resized(picture: Picture, rng: np.random.Generator) -> Picture:
    factor = rng.uniform(0.35, 0.85) if rng.random() < 0.8 else rng.uniform(1.2, 1.6)
    return scaled(picture, factor, factor)


def stretched(picture: Picture, rng: np.random.Generator) -> Picture:
    factors = [1.0, rng.uniform(0.75, 0.93)]
    across, down = rng.permutation(factors)
    return scaled(picture, across, down)


def cropped(share: float) -> Change:
    """Cuts out this share of the area, of the same shape, from anywhere."""

    def change(picture: Picture, rng: np.random.Generator) -> Picture:
        sides = [round(side * math.sqrt(share)) for side in picture.shape[:2]]
        top, left = (
            int(rng.integers(0, whole - side + 1)) for whole, side in zip(picture.shape[:2], sides)
        )
        return picture[top : top + sides[0], left : left + sides[1]]

    return change


def brightened(picture: Picture, rng: np.random.Generator) -> Picture:
    return clipped(picture * rng.choice([rng.uniform(0.6, 0.85), rng.uniform(1.15, 1.45)]))


def contrasted(picture: Picture, rng: np.random.Generator) -> Picture:
    factor = rng.choice([rng.uniform(0.5, 0.8), rng.uniform(1.25, 1.6)])
    return clipped((picture - picture.mean()) * factor + picture.mean())


def gamma(picture: Picture, rng: np.random.Generator) -> Picture:
    return clipped(
        255 * (picture / 255) ** rng.choice([rng.uniform(0.55, 0.75), rng.uniform(1.35, 1.8)])
    )


def coloured(picture: Picture, rng: np.random.Generator) -> Picture:
    """Other white balance and saturation."""
    grey = picture.mean(axis=2, keepdims=True)
    balance = 1 + rng.permutation([rng.uniform(0.08, 0.18), 0, -rng.uniform(0.08, 0.18)])
    return clipped((grey + (picture - grey) * rng.uniform(0.6, 1.5)) * balance)


def greyed(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.asarray(
        cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8
    )


def blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.asarray(
        cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.5, 3) * max(picture.shape) / 500), np.uint8
    )


def sharpened(picture: Picture, rng: np.random.Generator) -> Picture:
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 1.6)), np.float64)
    return clipped(picture + rng.uniform(0.8, 1.8) * (picture - soft))


def noised(picture: Picture, rng: np.random.Generator) -> Picture:
    return clipped(picture + rng.normal(0, rng.uniform(8, 18), picture.shape))


def mirrored(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture[:, ::-1]


def quarter_turned(picture: Picture, rng: np.random.Generator) -> Picture:
    return np.rot90(picture, rng.choice([1, 3]))


def turned(picture: Picture, degrees: float, fill: int) -> Picture:
    height, width = picture.shape[:2]
    to = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    return np.asarray(
        cv2.warpAffine(
            picture, to, (width, height), flags=cv2.INTER_CUBIC, borderValue=(fill,) * 3
        ),
        np.uint8,
    )


def turned_and_cropped(picture: Picture, rng: np.random.Generator) -> Picture:
    """A small turn, cut down to the largest rectangle of the same shape without corners."""
    degrees = float(rng.choice([-1, 1]) * rng.uniform(1.2, 7))
    height, width = picture.shape[:2]
    sine, cosine = abs(math.sin(math.radians(degrees))), math.cos(math.radians(degrees))
    share = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    top, left = (math.ceil(side * (1 - share) / 2) + 1 for side in (height, width))
    return turned(picture, degrees, 0)[top : height - top, left : width - left]


def turned_and_filled(picture: Picture, rng: np.random.Generator) -> Picture:
    return turned(
        picture, float(rng.choice([-1, 1]) * rng.uniform(2, 12)), int(rng.choice([0, 255]))
    )


def bordered(picture: Picture, rng: np.random.Generator) -> Picture:
    wide = round(max(picture.shape) * rng.uniform(0.03, 0.09))
    return np.asarray(
        cv2.copyMakeBorder(
            picture, *(wide,) * 4, cv2.BORDER_CONSTANT, value=(int(rng.choice([0, 255, 128])),) * 3
        )
    )


def covered(share: float) -> Change:
    """One rectangle of this share of the area: plain, or strewn with colour."""

    def change(picture: Picture, rng: np.random.Generator) -> Picture:
        shape = math.exp(rng.normal(0, 0.3))
        height, width = (
            min(round(side * math.sqrt(share) * factor), side)
            for side, factor in zip(picture.shape, (shape, 1 / shape))
        )
        top, left = (
            int(rng.integers(0, whole - side + 1))
            for whole, side in zip(picture.shape, (height, width))
        )
        patch = np.broadcast_to(rng.integers(0, 256, 3), (height, width, 3)).astype(np.float32)
        if rng.random() < 0.5:
            cells = rng.integers(0, 256, (5, 5, 3)).astype(np.float32)
            patch = np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC))
        result = picture.copy()
        result[top : top + height, left : left + width] = clipped(patch)
        return result

    return change


def words(rng: np.random.Generator, letters: int) -> str:
    return "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWXYZ   "), letters))


def written(
    picture: Picture,
    text: str,
    middle: tuple[float, float],
    wide: float,
    alpha: float = 1.0,
    edge: bool = True,
) -> Picture:
    """White text about `middle`, `wide` of the picture's width."""
    image = Image.fromarray(picture)
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    length = pen.textlength(text, ImageFont.load_default(40))
    font = ImageFont.load_default(max(40 * wide * image.width / max(length, 1), 6))
    place = (middle[0] * image.width, middle[1] * image.height)
    outline = max(int(font.size / 14), 1) if edge else 0
    pen.text(place, text, (255, 255, 255), font, "mm", stroke_width=outline, stroke_fill=(0, 0, 0))
    return np.asarray(Image.blend(image, drawn, alpha))


def meme(picture: Picture, rng: np.random.Generator) -> Picture:
    upper = written(picture, words(rng, int(rng.integers(10, 18))), (0.5, 0.09), 0.9)
    return written(upper, words(rng, int(rng.integers(10, 18))), (0.5, 0.91), 0.9)


def watermarked(picture: Picture, rng: np.random.Generator) -> Picture:
    text = words(rng, 10)
    for row in (0.2, 0.5, 0.8):
        picture = written(
            picture, text, (rng.uniform(0.4, 0.6), row), 0.7, rng.uniform(0.35, 0.6), edge=False
        )
    return picture


def stamped(picture: Picture, rng: np.random.Generator) -> Picture:
    """A logo in a corner: a coloured disc with a letter."""
    image = Image.fromarray(picture)
    side = rng.uniform(0.14, 0.22) * min(image.size)
    left, top = (rng.choice([0.03 * whole, 0.97 * whole - side]) for whole in image.size)
    pen = ImageDraw.Draw(image)
    pen.ellipse(
        (left, top, left + side, top + side),
        tuple(int(value) for value in rng.integers(0, 256, 3)),
        (255, 255, 255),
        2,
    )
    pen.text(
        (left + side / 2, top + side / 2),
        words(rng, 1),
        (255, 255, 255),
        ImageFont.load_default(0.7 * side),
        "mm",
    )
    return np.asarray(image)


def captioned(picture: Picture, rng: np.random.Generator) -> Picture:
    """A bar with a line of text below the picture."""
    high = round(picture.shape[0] * rng.uniform(0.08, 0.16))
    bar = np.zeros((high, picture.shape[1], 3), np.uint8)
    return np.concatenate(
        [picture, written(bar, words(rng, int(rng.integers(14, 30))), (0.5, 0.5), 0.85, edge=False)]
    )


def unchanged(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture


_BRIGHTER, _CONTRAST = (
    "brightened or darkened or toned",
    "raised in contrast or lowered in contrast or toned",
)
_COVERED, _EXTENDED = (
    ("partly covered",),
    ("set in a frame or extended or cropped to",),
)  # the original is the edit, cropped
#: Kind to edit. "two" is not among them: it takes any two.
EDITS: dict[str, Edit] = {
    "jpeg50": Edit(unchanged, quality=50),
    "jpeg20": Edit(unchanged, quality=20),
    "jpeg10": Edit(unchanged, quality=10, allowed="blurred"),
    "webp30": Edit(unchanged, quality=30, ending=".webp"),
    "resize": Edit(resized, ("reduced to or enlarged to",)),
    "stretch": Edit(stretched, ("stretched",), allowed="reduced to or enlarged to"),
    "crop90": Edit(cropped(0.9), ("cropped to",)),
    "crop70": Edit(cropped(0.7), ("cropped to",)),
    "crop50": Edit(cropped(0.5), ("cropped to",)),
    "bright": Edit(brightened, (), (_BRIGHTER,), allowed=TONED),
    "contrast": Edit(contrasted, (), (_CONTRAST,), allowed=TONED),
    "gamma": Edit(gamma, (), (f"{_BRIGHTER} or {_CONTRAST}",), allowed=TONED),
    "colour": Edit(coloured, (), (), allowed=TONED),
    "gray": Edit(greyed, (), ("made grey",)),
    "blur": Edit(blurred, (), ("blurred",)),
    "sharpen": Edit(sharpened, (), ("sharpened",), allowed="noisier"),
    "noise": Edit(noised, (), ("noisier",), allowed="sharpened"),
    "mirror": Edit(mirrored, ("mirrored",)),
    "rot90": Edit(quarter_turned, ("turned by 90",)),
    "rotcrop": Edit(turned_and_cropped, ("turned by",), allowed="cropped to"),
    "rotfill": Edit(turned_and_filled, ("turned by",), allowed="cropped to or partly covered"),
    "border": Edit(bordered, _EXTENDED),
    "over05": Edit(covered(0.05), (), _COVERED),
    "over15": Edit(covered(0.15), (), _COVERED),
    "over30": Edit(covered(0.3), (), _COVERED),
    "meme": Edit(meme, (), _COVERED),
    "watermark": Edit(watermarked, (), _COVERED, allowed=TONED),
    "logo": Edit(stamped, (), _COVERED),
    "caption": Edit(captioned, _EXTENDED, allowed="partly covered"),
    # Planted in small pictures:
    "crop": Edit(cropped(0.9), ("cropped to",), ending=".png"),
    "tone": Edit(gamma, (), (f"{_BRIGHTER} or {_CONTRAST}",), allowed=TONED, ending=".png"),
    "jpeg": Edit(unchanged, quality=60),
    "scale": Edit(lambda picture, rng: scaled(picture, 0.75, 0.75), ("reduced to",), ending=".png"),
}
SMALL = ("crop", "tone", "jpeg", "scale")
LARGE = tuple(kind for kind in EDITS if kind not in SMALL)
OVERLAYS = ("over05", "over15", "over30", "meme", "watermark", "logo", "caption")
#: Kinds of one row are not taken together; what stands below is done first.
FAMILIES = (
    ("jpeg50", "jpeg20", "webp30"),
    ("resize", "stretch"),
    ("bright", "contrast", "gamma", "colour", "gray"),
    ("blur", "sharpen", "noise"),
    ("mirror", "rot90"),
    ("crop90", "crop70", "rotcrop", "border", "caption"),
    ("over05", "meme", "watermark", "logo"),
)


def apply(kinds: Sequence[str], picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture (height, width, 3) after these edits, not yet saved."""
    for kind in kinds:
        picture = EDITS[kind].change(picture, rng)
    return np.ascontiguousarray(picture)


def two(rng: np.random.Generator) -> tuple[str, str]:
    """Two kinds that do different things; the encoding last."""
    first, second = sorted(rng.choice(len(FAMILIES), 2, replace=False), reverse=True)
    return str(rng.choice(FAMILIES[first])), str(rng.choice(FAMILIES[second]))


def save(picture: Picture, kinds: Sequence[str], path: Path) -> str:
    """Saves it as the last edit that asks for an ending or a quality does, and returns the
    file's name.
    """
    ending = next((EDITS[kind].ending for kind in kinds if EDITS[kind].ending != ".jpg"), ".jpg")
    quality = min(EDITS[kind].quality for kind in kinds)
    Image.fromarray(picture).save(path.with_suffix(ending), quality=quality)
    return path.with_suffix(ending).name


def wanted_words(kinds: Sequence[str]) -> tuple[list[str], list[str]]:
    """(geometry, other) that a relation between original and edit must hold."""
    geometry, other = [], []
    for kind in kinds:
        geometry += EDITS[kind].geometry
        other += EDITS[kind].other
    return geometry, other


def is_named_rightly(relation: str, kinds: Sequence[str]) -> tuple[bool, bool, bool]:
    """(geometry right, nothing false said, all said) of a relation such as "B is A mirrored,
    cropped to 80 %".
    """
    parts = [
        part.strip() for part in relation.removeprefix("B is A ").removeprefix("A is B ").split(",")
    ]
    said = [part for part in parts if part and not part.startswith(ENCODING)]
    geometry, other = wanted_words(kinds)
    allowed = [word for kind in kinds for word in EDITS[kind].allowed.split(" or ") if word]
    true = [word for wanted in (*geometry, *other) for word in wanted.split(" or ")] + allowed

    def holds(wanted: Iterable[str]) -> bool:
        return all(
            any(part.startswith(tuple(word.split(" or "))) for part in said) for word in wanted
        )

    false = [part for part in said if not part.startswith(tuple(true or ["\0"]))]
    geometry_right = holds(geometry) and not any(part.startswith(GEOMETRY) for part in false)
    return geometry_right, not false, holds((*geometry, *other))


def read(path: Path) -> Picture:
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def row(original: str, edit: str, kind: str, kinds: Sequence[str]) -> dict[str, object]:
    geometry, other = wanted_words(kinds)
    half = zlib.crc32(Path(original).name.encode()) % 2
    words = {"geometry": "; ".join(geometry), "other": "; ".join(other)}
    return {
        "original": original,
        "edit": edit,
        "kind": kind,
        "edits": "+".join(kinds),
        **words,
        "half": half,
    }


def plant_beside(sources: Sequence[Path], out: Path, seed: int) -> list[dict[str, object]]:
    """Copies the sources and gives each an edit of every kind and two of two."""
    rows = []
    for index, source in enumerate(sources):
        rng = np.random.default_rng([seed, index])
        picture, stem = read(source), f"{index:03}"
        original = shutil.copy(source, out / f"{stem}_original{source.suffix.lower()}").name
        tries = [(kind, (kind,)) for kind in LARGE] + [("two", two(rng)) for _ in range(2)]
        for kind, kinds in tries:
            name = f"{stem}_{'+'.join(kinds)}.jpg"
            rows.append(
                row(original, save(apply(kinds, picture, rng), kinds, out / name), kind, kinds)
            )
    return rows


def plant_within(
    folder: Path, sources: Sequence[Path], out: Path, seed: int
) -> list[dict[str, object]]:
    """Copies the whole set and puts the four small edits of the sources into their class
    folders.
    """
    rows = []
    for index, source in enumerate(sources):
        rng = np.random.default_rng([seed, index])
        original = source.relative_to(folder)
        for kind in SMALL:
            path = out / original.with_name(f"{original.stem}_{kind}.jpg")
            name = save(apply((kind,), read(source), rng), (kind,), path)
            rows.append(row(str(original), str(original.with_name(name)), kind, (kind,)))
    return rows


def chosen(paths: Iterable[Path], count: int, seed: int) -> list[Path]:
    ordered = sorted(paths)
    picked = np.random.default_rng([seed, len(ordered)]).choice(
        len(ordered), min(count, len(ordered)), replace=False
    )
    return [ordered[index] for index in sorted(picked)]


def plant(name: str, data: Path, out: Path, seed: int) -> list[dict[str, object]]:
    """Plants the edits of one set in `out` and returns the rows of edits.csv."""
    if name in ("photos", "trashnet"):
        folder, count = (
            (data / "photos", 120) if name == "photos" else (data / "natural" / "trashnet", 40)
        )
        out.mkdir(parents=True)
        return plant_beside(chosen((folder / "images").rglob("*.jpg"), count, seed), out, seed)
    folder = data / "natural" / name
    if name == "tiles":  # the masks beside the pictures are left out
        shutil.copytree(folder, out, ignore=shutil.ignore_patterns("*.png"))
    else:
        shutil.copytree(folder, out)
    return plant_within(
        folder,
        chosen((folder / path.relative_to(out) for path in out.rglob("*.*")), 100, seed),
        out,
        seed,
    )


def main() -> None:
    sets = ("photos", "trashnet", "digits", "fashion", "signs", "tiles")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--set", choices=sets, nargs="*", default=sets)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name in given.set:
        rows = plant(name, given.data, given.folder / name, given.seed)
        with open(given.folder / name / "edits.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        print(f"{len(rows)} edits in {given.folder / name}")


if __name__ == "__main__":
    main()
