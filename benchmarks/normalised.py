"""How often images that were normalised before they are audited, and splits normalised otherwise,
are found; and false alarms.

    python benchmarks/normalised.py --data ../shared/data [--audit FOLDER ...]

Photos under DATA/photos/images are changed in the ways that pipelines change them before they store
them. For already-normalised: the share of samples of 25 of the changed photos that it names. For
normalisation-mismatch: the share of random splits, of which 20, 30 or 60 photos were changed and
called val, that it names. False alarms: both checks on the tables of finished audits (--audit
OUT/audit, each a folder with samples.parquet): as they are, in random samples, and under random
splits by sample, by group and by class.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from dataprep.checks.splits.normalisation_mismatch import NormalisationMismatch
from dataprep.checks.statistics.tone_states import tone_state
from dataprep.measures.decode.pixels import Header, Pixels
from dataprep.measures.image.surround import SURROUND
from dataprep.measures.image.tones import TONES
from dataprep.schemas.dataset import Dataset

PHOTOS, DRAWS = 240, 20


def main() -> None:
    """Print what is found among changed photos, then false alarms."""
    options = _parse()
    paths = sorted((Path(options.data) / "photos" / "images").rglob("*.jpg"))
    chosen = np.random.default_rng(0).permutation(len(paths))[:PHOTOS]
    photos = [_reduced(paths[place]) for place in chosen]
    plain = table_of(photos)
    print(f"{'':<22}{'already-normalised':>20}{'mismatch of 20':>16}{'30':>6}{'60':>6}")
    for name, change in CHANGES.items():
        changed = table_of([change(photo) for photo in photos])
        named = [_is_normalised(changed.sample(25, random_state=seed)) for seed in range(2 * DRAWS)]
        found = [
            np.mean([_mismatches(_planted(plain, changed, size, seed)) for seed in range(DRAWS)])
            for size in (20, 30, 60)
        ]
        print(f"{name:<22}{np.mean(named):>20.0%}{found[0]:>16.0%}{found[1]:>6.0%}{found[2]:>6.0%}")
    for folder in options.audit:
        print_false_alarms(Path(folder))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        default=str(Path(__file__).parents[2] / "shared" / "data"),
        help="folder with photos/images",
    )
    parser.add_argument("--audit", nargs="*", default=[], help="folders of finished audits")
    return parser.parse_args()


def _reduced(path: Path) -> Any:
    return cv2.resize(
        np.asarray(Image.open(path).convert("RGB")),
        None,
        fx=0.4,
        fy=0.4,
        interpolation=cv2.INTER_AREA,
    )


def table_of(pictures: list[Any]) -> pd.DataFrame:
    """The measured tones of pictures (h, w, 3) uint8."""
    rows = []
    for picture in pictures:
        pixels = Pixels(
            b"",
            Header("PNG", "RGB", picture.shape[1], picture.shape[0]),
            np.ascontiguousarray(picture),
        )
        rows.append({measure.column: measure(pixels) for measure in (*TONES, *SURROUND)})
    return pd.DataFrame(rows, index=[str(row) for row in range(len(rows))])


def _bytes(values: Any) -> Any:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _standardised(deviations: float, axes: tuple[int, ...]) -> Callable[[Any], Any]:
    def change(picture: Any) -> Any:
        spread = np.maximum(picture.std(axes), 1e-6)
        return _bytes((picture - picture.mean(axes)) / spread * 127.5 / deviations + 127.5)

    return change


def _as_jpeg(picture: Any) -> Any:
    return cv2.imdecode(
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1], cv2.IMREAD_COLOR
    )


def _luma_equalised(picture: Any) -> Any:
    tones = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    tones[..., 0] = cv2.equalizeHist(tones[..., 0])
    return cv2.cvtColor(tones, cv2.COLOR_YCrCb2RGB)


def _stretched(picture: Any) -> Any:
    return _bytes((picture - float(picture.min())) / max(np.ptp(picture), 1) * 255)


def _with_imagenet(picture: Any) -> Any:
    return _bytes(
        ((picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225] + 2.2) / 4.9 * 255
    )


def _autocontrast(cut: float) -> Callable[[Any], Any]:
    return lambda picture: np.asarray(ImageOps.autocontrast(Image.fromarray(picture), cut))


ALL, CHANNELS = (0, 1, 2), (0, 1)
CHANGES: dict[str, Callable[[Any], Any]] = {
    "unchanged": lambda picture: picture,
    "standardised, 2 std": _standardised(2, ALL),
    "standardised, 3 std": _standardised(3, ALL),
    "  4 std, JPEG": lambda picture: _as_jpeg(_standardised(4, ALL)(picture)),
    "by channel, 2 std": _standardised(2, CHANNELS),
    "by channel, 3 std": _standardised(3, CHANNELS),
    "channels equalised": lambda picture: np.asarray(ImageOps.equalize(Image.fromarray(picture))),
    "luma equalised": _luma_equalised,
    "autocontrast, cut 1 %": _autocontrast(1),
    "autocontrast": _autocontrast(0),
    "min-max": _stretched,
    "ImageNet to 8 bits": _with_imagenet,
    "brightness x 0.5": lambda picture: _bytes(picture * 0.5),
    "brightness x 0.8": lambda picture: _bytes(picture * 0.8),
    "brightness x 1.2": lambda picture: _bytes(picture * 1.2),
    "contrast x 0.8": lambda picture: _bytes(128 + (picture - 128.0) * 0.8),
    "gamma 1.5": lambda picture: _bytes(255 * (picture / 255) ** 1.5),
}


def _is_normalised(table: pd.DataFrame) -> bool:
    return bool(tone_state(Dataset("photos", table)).normalised)


def _mismatches(table: pd.DataFrame) -> bool:
    return any(len(batch) for batch in NormalisationMismatch().find(Dataset("photos", table), None))  # type: ignore[arg-type]


def _planted(plain: pd.DataFrame, changed: pd.DataFrame, size: int, seed: int) -> pd.DataFrame:
    rows = np.random.default_rng(seed).permutation(len(plain))[:size]
    table = plain.copy()
    table.iloc[rows] = changed.iloc[rows]
    table["split"] = np.where(np.isin(np.arange(len(plain)), rows), "val", "train")
    return table


def print_false_alarms(folder: Path) -> None:
    """Claims on an audit's table: none of these is true."""
    table = pd.read_parquet(folder / "samples.parquet").set_index("sample")
    rng = np.random.default_rng(0)
    samples = [
        _is_normalised(table.iloc[rng.permutation(len(table))[:size]])
        for size in (20, 25, 50, 100)
        for _ in range(250)
    ]
    whole = _is_normalised(table)
    print(
        f"{folder}: {len(table):,} rows; already-normalised: {whole}, in {sum(samples)} of "
        f"{len(samples)} samples"
    )
    units = {"sample": np.arange(len(table)).astype(str)}
    if "group" in table:
        units["group"] = table["group"].astype(str).to_numpy()
    found = {"its own": int("split" in table and _mismatches(table))}
    for name, unit in units.items():
        found[f"by {name}, of 100"] = sum(
            _mismatches(table.assign(split=_random_split(unit, rng))) for _ in range(100)
        )
    if "label" in table:
        found["classes as splits"] = int(
            _mismatches(table.assign(split=table["label"].astype(str)))
        )
    print(
        "  normalisation-mismatch: " + ", ".join(f"{name} {count}" for name, count in found.items())
    )


def _random_split(unit: Any, rng: np.random.Generator) -> Any:
    names, place = np.unique(unit, return_inverse=True)
    return rng.choice(["train", "val", "test"], len(names), p=[0.8, 0.1, 0.1])[place]


if __name__ == "__main__":
    main()
