"""Quality of the checks shortcut and trigger on properties and patches planted in real images.

    python benchmarks/shortcuts.py [--data DIR] [--plantings 40] [--relabellings 50]
                                   [--sets cifar10,photos]
    python benchmarks/shortcuts.py --natural [--plantings 6] [--sets digits,fashion,cifar10,photos]

Needs ``DIR/cifar10`` (32 x 32) and ``DIR/photos`` (about 400 x 533), ten classes each. Prints the
share of plantings that were found, with Wilson's 95 % interval, and the claims on clean data: as it
is, in all pairs of classes, and with permuted labels.

shortcut: a class is cut down to the carriers (share 1.0), or to twice as many images (share 0.5),
and the carriers are made brighter by so many levels (and saved with the quality they had), saved
again as JPEG of so low a quality, or given a uniform frame of so large a share of the shorter side.
trigger: images of other classes get the patch and the label of one class; all images count as
rewritten to PNG, which keeps every pixel; "JPEG" rows save the carriers as JPEG of quality 90
instead. A patch is black and white, of one colour, or of random colours. Planted images are
encoded, decoded and measured as any file; all other images keep what was measured once.

With ``--natural`` only trigger is looked at: what it claims on every set of ``DIR/natural`` and on
the two others as they are, on a random half and on pairs of neighbouring classes, and how many
patches it finds that were planted in `--sets`.
"""

from __future__ import annotations

import argparse
import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image
from quality import wilson

from dataprep.checks.contract import Check
from dataprep.checks.shortcuts.shortcut import Shortcut
from dataprep.checks.shortcuts.trigger import Trigger
from dataprep.ingest import scan
from dataprep.measures import builtin_measures
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.decode_pass import measure
from dataprep.measures.image.marks import Marks, marks_of
from dataprep.measures.image.windows import nothing, windows_of
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of

CARRIERS = (15, 50, 200)
SCALARS = [
    each
    for each in builtin_measures()
    if COLUMNS[each.column].kind != "array" and each.column != "pixel_hash"
]
PATCHES = next(each for each in builtin_measures() if each.column == "patches")


class Look:
    """A second look whose marks are worked out once for each image, and in which every image is a
    unit of its own.

    Images in `altered` (by name) are not what their files hold.
    """

    def __init__(
        self,
        dataset: Dataset,
        marks: dict[str, tuple[np.ndarray, np.ndarray]],
        altered: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.dataset, self.known, self.altered = dataset, marks, altered or {}

    def units(self) -> np.ndarray:
        return np.arange(len(self.dataset))

    def marks(self, rows: np.ndarray) -> Marks:
        names = self.dataset.samples.index[rows].tolist()
        for row, name in zip(rows.tolist(), names):
            if name not in self.known:
                self.known[name] = marks_of(pixels(self.dataset, row))
        parts = [
            (np.full(len(self.known[name][0]), row), *self.known[name])
            for row, name in zip(rows.tolist(), names)
        ]
        image, place, colour = (np.concatenate(part) for part in zip(*parts))
        areas = self.dataset.samples["width"] * self.dataset.samples["height"]
        return Marks(image, place, colour, rows, int(areas.max()))

    def windows(self, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        windows = nothing(len(rows))
        for row in np.unique(rows).tolist():
            at, name = np.flatnonzero(rows == row), self.dataset.samples.index[row]
            picture = self.altered[name] if name in self.altered else pixels(self.dataset, row)
            windows[at] = windows_of(picture, places[at].tolist())
        return windows


def pixels(dataset: Dataset, row: int) -> np.ndarray:
    return open_pixels(Path(dataset.path(dataset.samples.index[row])).read_bytes()).rgb


def encoded(picture: np.ndarray, quality: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(
        file, **({"format": "JPEG", "quality": quality} if quality else {"format": "PNG"})
    )
    return file.getvalue()


def load(folder: Path, label: str) -> Dataset:
    truth = pd.read_csv(folder / "truth.csv").set_index("path")
    truth = truth[truth[label].notna()]
    samples = pd.DataFrame(
        {"label": pd.Categorical(truth[label])},
        index=pd.Index(truth.index, name="sample", dtype="str"),
    )
    dataset = Dataset(
        str(folder / "images"), samples, "classification", tuple(samples["label"].cat.categories)
    )
    return measure(dataset, [*(each.column for each in SCALARS), "patches"])


def claims(check: Check, dataset: Dataset, look: Look) -> list[dict]:
    """Warnings about classes, slices and the data set, with their evidence: no facts about
    looks, nor what a model cannot see.
    """
    rows = [row for part in check.find(dataset, look) for row in part.to_dict("records")]
    return [
        row | evidence_of(row["evidence"])
        for row in rows
        if row["scope"] != "sample" and row["severity"] in ("warning", "error")
    ]


def brighter(picture: np.ndarray, quality: int, levels: float, rng: np.random.Generator) -> bytes:
    return encoded(np.clip(picture + np.float64(levels), 0, 255).astype(np.uint8), quality)


def recompressed(
    picture: np.ndarray, quality: int, lower: float, rng: np.random.Generator
) -> bytes:
    return encoded(picture, int(lower))


def framed(picture: np.ndarray, quality: int, share: float, rng: np.random.Generator) -> bytes:
    side = max(1, round(share * min(picture.shape[:2])))
    level = int(rng.choice([0, 255, int(rng.integers(256))]))
    inner = picture[side:-side, side:-side]
    return encoded(
        cv2.copyMakeBorder(inner, side, side, side, side, cv2.BORDER_CONSTANT, value=(level,) * 3),
        quality,
    )


SHORTCUTS: tuple[tuple[str, Callable[..., bytes], float], ...] = (
    ("brightness + 40", brighter, 40),
    ("brightness + 60", brighter, 60),
    ("JPEG quality 60", recompressed, 60),
    ("border 3 %", framed, 0.03),
    ("border 6 %", framed, 0.06),
)


def plant_shortcut(
    dataset: Dataset, make: Callable[..., bytes], level: float, count: int, share: float, seed: int
) -> bool | None:
    rng = np.random.default_rng(seed)
    labels = dataset.samples["label"].astype(str).to_numpy()
    large = [name for name in dataset.classes if (labels == name).sum() >= count / share]
    if not large:
        return None
    target = str(rng.choice(large))
    own = rng.permutation(np.flatnonzero(labels == target))
    kept, carriers = own[: round(count / share)], own[:count]
    samples, style = dataset.samples.copy(), int(rng.integers(2**31))
    rows = []
    for row in carriers:
        quality = int(dataset.samples["jpeg_quality"].iloc[row])
        planted = open_pixels(
            make(pixels(dataset, row), quality, level, np.random.default_rng(style))
        )
        rows.append({each.column: each(planted) for each in SCALARS})
    for column, values in pd.DataFrame(rows).items():
        kind = samples[column].dtype  # single precision must stay so: equal values count
        whole = samples[column].astype(object).to_numpy(copy=True)
        whole[carriers] = values.to_numpy(dtype=object)
        text = COLUMNS[str(column)].kind in ("text", "category")
        samples[column] = pd.array(whole, dtype="str") if text else whole.astype(kind)
    rest = ~np.isin(np.arange(len(dataset)), np.setdiff1d(own, kept))
    planted_set = replace(dataset, samples=samples).where(rest)
    return any(
        claim["class"] in ("", target)
        for claim in claims(Shortcut(), planted_set, Look(planted_set, {}))
    )


def stamped(picture: np.ndarray, kind: str, seed: int) -> np.ndarray:
    """The picture with a patch of 3 x 3 or one pixel changed, within 2 pixels of a corner or
    anywhere.
    """
    rng = np.random.default_rng(seed)
    side, (height, width) = (1 if kind.startswith("pixel") else 3), picture.shape[:2]
    style = rng.integers(3)
    grey = rng.choice([0, 255], (side, side, 1)).repeat(3, axis=2)
    patch = (
        grey,
        np.tile(rng.integers(0, 256, 3), (side, side, 1)),
        rng.integers(0, 256, (side, side, 3)),
    )[style]
    if "white" in kind:
        patch = np.full((side, side, 3), 255)
    if "corner" in kind:
        away = int(rng.integers(0, 3))
        top, left = (int(rng.choice([away, size - side - away])) for size in (height, width))
    else:
        top, left = (int(rng.random() * (size - side + 1)) for size in (height, width))
    picture = picture.copy()
    picture[top : top + side, left : left + side] = patch
    return picture


TRIGGERS = (
    ("3 x 3 corner, PNG", "corner", 0),
    ("3 x 3 corner, JPEG", "corner", 90),
    ("3 x 3 anywhere, PNG", "anywhere", 0),
    ("single pixel, PNG", "pixel", 0),
)
NATURAL = (
    ("3 x 3 corner", "corner", 0),
    ("3 x 3 corner, white", "white corner", 0),
    ("3 x 3 corner, JPEG", "corner", 90),
    ("3 x 3 anywhere", "anywhere", 0),
    ("3 x 3 anywhere, white", "white anywhere", 0),
    ("pixel in a corner", "pixel corner", 0),
    ("pixel in a corner, white", "pixel corner white", 0),
    ("pixel anywhere", "pixel", 0),
    ("pixel anywhere, white", "pixel white", 0),
)


def plant_trigger(
    dataset: Dataset, marks: dict, kind: str, quality: int, count: int, seed: int
) -> bool:
    rng = np.random.default_rng(seed)
    labels = dataset.samples["label"].astype(str).to_numpy(dtype=object)
    target = str(rng.choice([name for name in dataset.classes if (labels == name).sum() >= count]))
    carriers = rng.choice(np.flatnonzero(labels != target), count, replace=False)
    known, squares, style = dict(marks), dataset.arrays["patches"].copy(), int(rng.integers(2**31))
    altered = {}
    for row in carriers.tolist():
        planted, name = (
            open_pixels(encoded(stamped(pixels(dataset, row), kind, style), quality)),
            dataset.samples.index[row],
        )
        known[name], squares[row], altered[name] = (
            marks_of(planted.rgb),
            PATCHES(planted),
            planted.rgb,
        )
    labels[carriers] = target
    poisoned = dataset.assign(label=pd.Categorical(labels)).with_arrays(patches=squares)
    found = claims(Trigger(), poisoned, Look(poisoned, known, altered))
    return any(
        claim["target"] == target
        and len(altered.keys() & set(claim["patch"]["carriers"])) * 2
        > len(claim["patch"]["carriers"])
        for claim in found
    )


def row_of(title: str, count: int, found: list[bool]) -> str:
    return f"{title:<38}{count:>9}   {wilson(sum(found), len(found))}"


def report(name: str, dataset: Dataset, plantings: int, relabellings: int) -> None:
    marks: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    print(f"\n{name}: {len(dataset):,} images")
    alarms(dataset, marks, relabellings)
    print(f"\n{f'planted, {plantings} times':<38}{'carriers':>9}   found (95 %)")
    for title, make, level in SHORTCUTS:
        for share, count in itertools.product((1.0, 0.5), CARRIERS):
            found = [
                plant_shortcut(dataset, make, level, count, share, seed)
                for seed in range(plantings)
            ]
            if None not in found:
                print(
                    row_of(f"{title}, share {share}", count, [bool(each) for each in found]),
                    flush=True,
                )
    for (title, kind, quality), count in itertools.product(TRIGGERS, CARRIERS):
        if kind != "pixel" or name == "cifar10":
            seeds = range(plantings)
            found = [plant_trigger(dataset, marks, kind, quality, count, seed) for seed in seeds]
            print(row_of(title, count, found), flush=True)


def alarms(dataset: Dataset, marks: dict, relabellings: int) -> None:
    print(f"\n{'claims on clean data':<38}{'data sets':>10}{'shortcut':>10}{'trigger':>10}")
    pairs = [
        dataset.where(dataset.samples["label"].isin(pair))
        for pair in itertools.combinations(dataset.classes, 2)
    ]
    rng = np.random.default_rng(0)
    labels = dataset.samples["label"].astype(str).to_numpy()
    shuffled = [
        dataset.assign(label=pd.Categorical(rng.permutation(labels))) for _ in range(relabellings)
    ]
    for title, sets in (
        ("as it is", [dataset]),
        ("pairs of its classes", pairs),
        ("permuted labels", shuffled),
    ):
        counts = [
            sum(bool(claims(check, each, Look(each, marks))) for each in sets)
            for check in (Shortcut(), Trigger())
        ]
        print(f"{title:<38}{len(sets):>10}{counts[0]:>10}{counts[1]:>10}", flush=True)


def natural(data: Path, names: list[str], plantings: int) -> None:
    print(
        f"{'claims of trigger, nothing planted':<38}{'images':>9}{'as it is':>10}{'half':>8}{'pairs of classes':>18}"
    )
    sets = [
        *sorted(each.name for each in (data / "natural").iterdir() if each.is_dir()),
        "cifar10",
        "photos",
    ]
    for name in sets:
        dataset, marks = load_natural(data, name), {}
        half = dataset.where(np.random.default_rng(0).random(len(dataset)) < 0.5)
        pairs = [
            dataset.where(dataset.samples["label"].isin(pair))
            for pair in itertools.pairwise(dataset.classes)
        ]
        counts = [
            sum(len(claims(Trigger(), part, Look(part, marks))) for part in parts)
            for parts in ([dataset], [half], pairs)
        ]
        print(
            f"{name:<38}{len(dataset):>9,}{counts[0]:>10}{counts[1]:>8}{counts[2]:>18}", flush=True
        )
    for name in names:
        dataset, marks = load_natural(data, name), {}
        print(f"\n{f'{name}, planted {plantings} times':<38}{'carriers':>9}   found (95 %)")
        for (title, kind, quality), count in itertools.product(NATURAL, CARRIERS):
            found = [
                plant_trigger(dataset, marks, kind, quality, count, seed)
                for seed in range(plantings)
            ]
            print(row_of(title, count, found), flush=True)


def load_natural(data: Path, name: str) -> Dataset:
    """One of the sets of ``natural``, in class folders, or of the two others."""
    if not (data / "natural" / name).is_dir():
        return load(data / name, {"cifar10": "clean_label"}.get(name, "label"))
    folder = data / "natural" / name
    return measure(
        scan(folder / "images" if (folder / "images").is_dir() else folder),
        ["patches", "width", "height", "pixel_hash"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--plantings", type=int, default=40)
    parser.add_argument("--relabellings", type=int, default=50)
    parser.add_argument("--sets", default="")
    parser.add_argument(
        "--natural", action="store_true", help="trigger on natural sets, as they are and planted"
    )
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if given.natural:
        natural(
            given.data, (given.sets or "digits,fashion,cifar10,photos").split(","), given.plantings
        )
        return
    for name in (given.sets or "cifar10,photos").split(","):
        report(
            name,
            load(given.data / name, {"cifar10": "clean_label"}.get(name, "label")),
            given.plantings,
            given.relabellings,
        )


if __name__ == "__main__":
    main()
