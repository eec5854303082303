"""Quality checks on faults planted in photos by this script: kinds and strengths beside those of
quality.py.

    python benchmarks/planted.py [--data DIR] [--photos 100] [--faults blurry noisy ...]

Blockiness, sharpness and grayscale were adjusted after a first look at these figures; the others
were not.

Every fault is planted in the same photos of ``DIR/photos``, evenly chosen, and each copy is
re-encoded as JPEG of quality 90. Prints for each fault the share found by its own check and by any
other, with Wilson's 95 % interval.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from quality import quality_checks, wilson

from dataprep.checks.quality.close_ups import CloseUps, suspected_close_ups
from dataprep.checks.second_look import SecondLook
from dataprep.measures import builtin_measures
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.image.close_up import FIGURES, close_up_of
from dataprep.measures.options import PassOptions
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset

Picture = NDArray[np.uint8]


def clipped(values: NDArray[np.float64]) -> Picture:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def moved(picture: Picture, length: int, angle: float) -> Picture:
    """Motion of `length` pixels along `angle` degrees."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    centre = (length - 1) / 2
    kernel = np.asarray(
        cv2.warpAffine(
            kernel, cv2.getRotationMatrix2D((centre, centre), angle, 1), (length, length)
        ),
        np.float32,
    )
    return np.asarray(
        cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), np.uint8
    )


def smoothed(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def defocused(picture: Picture, radius: int) -> Picture:
    """The disc of a lens out of focus."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(
        np.float32
    )
    return np.asarray(
        cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT), np.uint8
    )


def enlarged(picture: Picture, factor: int, how: int) -> Picture:
    height, width = picture.shape[:2]
    small = cv2.resize(
        picture, (max(width // factor, 1), max(height // factor, 1)), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=how), np.uint8)


def recompressed(picture: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def noised(picture: Picture, sigma: float, *, shot: bool = False) -> Picture:
    """Gaussian noise of `sigma` grey levels, alike everywhere, or growing with brightness as on
    a sensor.
    """
    strength = sigma * np.sqrt(picture / 128.0) if shot else sigma
    return clipped(picture + np.random.default_rng(0).normal(0, 1, picture.shape) * strength)


def framed(picture: Picture, pixels: int, level: int, *, bars: bool) -> Picture:
    sides = (pixels, pixels, 0, 0) if bars else (pixels,) * 4
    return np.asarray(
        cv2.copyMakeBorder(picture, *sides, cv2.BORDER_CONSTANT, value=(level,) * 3), np.uint8
    )


def grey(picture: Picture) -> Picture:
    return np.asarray(
        cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8
    )


#: Check, what is planted, and how.
FAULTS: list[tuple[str, str, Callable[[Picture], Picture]]] = [
    *[("dark", f"x {share}", lambda p, s=share: clipped(p * s)) for share in (0.05, 0.1, 0.2, 0.3)],
    *[
        ("dark", f"gamma {gamma}", lambda p, g=gamma: clipped(255 * (p / 255.0) ** g))
        for gamma in (4, 8)
    ],
    *[("bright", f"exposure x {gain}", lambda p, g=gain: clipped(p * g + 60)) for gain in (2, 4)],
    *[
        ("bright", f"haze {share}", lambda p, s=share: clipped(255 - (255 - p.astype(float)) * s))
        for share in (0.4, 0.2, 0.1)
    ],
    *[
        ("low-contrast", f"x {share}", lambda p, s=share: clipped(128 + (p - 128.0) * s))
        for share in (0.1, 0.2, 0.3)
    ],
    *[
        ("blurry", f"Gaussian {sigma}", lambda p, s=sigma: smoothed(p, s))
        for sigma in (1.5, 2, 3, 5)
    ],
    *[("blurry", f"defocus {radius}", lambda p, r=radius: defocused(p, r)) for radius in (3, 5, 8)],
    *[
        ("motion-blur", f"{length} at {angle}°", lambda p, n=length, a=angle: moved(p, n, a))
        for length in (11, 25)
        for angle in (0, 30, 45, 90)
    ],
    *[
        ("noisy", f"Gaussian {sigma}", lambda p, s=sigma: noised(p, s))
        for sigma in (10, 15, 25, 40)
    ],
    *[("noisy", f"shot {sigma}", lambda p, s=sigma: noised(p, s, shot=True)) for sigma in (20, 40)],
    *[
        ("heavy-compression", f"JPEG {q}, saved again", lambda p, q=q: recompressed(p, q))
        for q in (3, 5, 10, 15)
    ],
    *[
        ("upscaled", f"{factor} x {name}", lambda p, f=factor, h=how: enlarged(p, f, h))
        for factor in (3, 4, 6, 8)
        for name, how in (
            ("bilinear", cv2.INTER_LINEAR),
            ("bicubic", cv2.INTER_CUBIC),
            ("Lanczos", cv2.INTER_LANCZOS4),
        )
    ],
    *[
        (
            "border",
            f"{kind} of {n} px, {level}",
            lambda p, n=n, v=level, b=kind == "bars": framed(p, n, v, bars=b),
        )
        for n in (10, 30)
        for kind in ("bars", "frame")
        for level in (0, 255)
    ],
    ("grayscale", "three channels", grey),
    ("low-information", "one tone, noise of 1", lambda p: noised(np.full_like(p, 90), 1)),
]


class Look(SecondLook):
    """A second look without files: at close-ups that were taken as the pictures were measured."""

    def close_ups(self) -> CloseUps:
        """Of each row the figures in its columns."""
        figures = self.dataset.samples[list(FIGURES)].to_numpy(np.float32)
        return suspected_close_ups(
            self.dataset, lambda rows: np.asarray(figures[rows]), len(self.dataset)
        )


def measured(pictures: list[Picture], quality: int = 90) -> Dataset:
    """The pictures as JPEGs, measured in this process, and close-ups of them as further columns."""
    measures = [
        measure for measure in builtin_measures() if COLUMNS[measure.column].kind != "array"
    ]
    rows = []
    for picture in pictures:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
        pixels = open_pixels(buffer.getvalue())
        closely = dict(zip(FIGURES, close_up_of(pixels), strict=True))
        rows.append(
            {
                "lost": "",
                "lost_detail": "",
                "extension": "jpg",
                **{m.column: m(pixels) for m in measures},
                **closely,
            }
        )
    return Dataset(
        "planted",
        pd.DataFrame(
            rows, index=pd.Index([str(i) for i in range(len(rows))], name="sample", dtype="str")
        ),
    )


def claims(dataset: Dataset, among: Dataset) -> Counter[str]:
    """Check to the number of samples of `dataset` that it names, each looked at among the samples
    of `among`.

    Faults are planted in all of `dataset`, so that it is cut into pieces small enough to stay a
    minority.
    """
    found: Counter[str] = Counter()
    step = max(len(among) // 10, 1)
    for start in range(0, len(dataset), step):
        piece = dataset.samples.iloc[start : start + step]
        mixed = Dataset(
            "mixed", pd.concat([among.samples.rename(index=lambda name: f"among{name}"), piece])
        )
        look = Look(mixed, PassOptions())
        for check in quality_checks():
            for batch in check.find(mixed, look):
                found[check.code] += int(batch["target"].isin(piece.index).sum())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument("--photos", type=int, default=100, help="photos that faults are planted in")
    parser.add_argument(
        "--faults",
        nargs="*",
        default=(),
        help="codes of the checks whose faults are planted; all by default",
    )
    given = parser.parse_args()
    paths = sorted((given.data / "photos").rglob("*.jpg"))
    photos = [
        open_pixels(path.read_bytes()).rgb
        for path in paths[:: max(len(paths) // given.photos, 1)][: given.photos]
    ]
    untouched = measured(photos)
    print(f"{'check':18} {'planted':26} {'found':24} also named by")
    print(f"{'':18} {'nothing':26} {'':24} {dict(+claims(untouched, untouched)) or 'none'}")
    for code, strength, plant in (
        fault for fault in FAULTS if not given.faults or fault[0] in given.faults
    ):
        found = claims(measured([plant(photo) for photo in photos]), untouched)
        others = ", ".join(
            f"{name} {count / len(photos):.2f}"
            for name, count in found.most_common()
            if name != code and count
        )
        print(f"{code:18} {strength:26} {wilson(found[code], len(photos)):24} {others}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
