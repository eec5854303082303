"""Power and false alarms of distribution-mismatch and label-shift on real photos.

    python benchmarks/mismatch.py [--data DIR] [--draws 300] [--power 100] [--work DIR]

False alarms: random divisions of the photos, stratified by class (and by sender, all images of one
in one split), of 64, 200 and 400 a side and of the official proportions; a claim of any kind is
one. Power: divisions of the same kind whose one side holds images that were changed: pixels plus a
constant, times a constant or to a power, such that mean luma moves by a share of its standard
deviation over the data set; more saturated, softer, more compressed ones; and images that were
chosen rather than changed: the brighter ones, ones of other content, and one class more often. Both
sides are encoded again alike. Changed images are measured and embedded as any. Last, what is said
of the split that the data comes with.
"""

from __future__ import annotations

import argparse
import io
import math
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from dataprep.checks.duplicates.pairs import Duplicates
from dataprep.checks.second_look import SecondLook
from dataprep.checks.splits.distribution_mismatch import DistributionMismatch
from dataprep.checks.splits.label_shift import LabelShift
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of

SIDES = (64, 200, 400)
CHECKS = (DistributionMismatch(), LabelShift())
Change = Callable[[np.ndarray], np.ndarray]


@dataclass
class Look(SecondLook):
    """A second look for drawn data sets: no copies are sought, for the draws are many."""

    def duplicates(self) -> Duplicates:
        pairs = pd.DataFrame({"a": [], "b": [], "kind": [], "relation": [], "confidence": []})
        return Duplicates(
            pairs=pairs,
            groups=np.full(len(self.dataset), -1, np.int64),
            keep=np.ones(len(self.dataset), bool),
        )


def changes(folder: Path, names: list[str]) -> dict[str, Change]:
    """What is done to images, with constants such that mean luma (saturation) moves by the
    stated share of its deviation.
    """
    some = [
        np.asarray(Image.open(folder / name).convert("RGB").resize((96, 96)), np.float32)
        for name in names[::5]
    ]
    weights = np.array([0.299, 0.587, 0.114], np.float32)

    def luma(image: np.ndarray) -> float:
        return float((image @ weights).mean())

    def chroma(image: np.ndarray) -> float:
        return float((image.max(-1) - image.min(-1)).mean())

    def solved(
        make: Callable[[float], Change],
        low: float,
        high: float,
        aim: float,
        figure: Callable[[np.ndarray], float],
    ) -> Change:
        figures = np.array([figure(image) for image in some])
        for _ in range(14):
            middle = (low + high) / 2
            moved = np.mean([figure(make(middle)(image)) for image in some]) - figures.mean()
            low, high = (middle, high) if moved < aim * figures.std() else (low, middle)
        return make((low + high) / 2)

    def offset(by: float) -> Change:
        return lambda image: np.clip(image + by, 0, 255)

    def gain(by: float) -> Change:
        return lambda image: np.clip(image * by, 0, 255)

    def gamma(by: float) -> Change:
        return lambda image: 255 * (image / 255) ** (1 / by)

    def saturated(by: float) -> Change:
        return lambda image: np.clip(
            (grey := (image @ weights)[..., None]) + (image - grey) * by, 0, 255
        )

    return {
        "none": lambda image: image,
        "offset +0.3 SD": solved(offset, 0, 120, 0.3, luma),
        "offset +0.5 SD": solved(offset, 0, 120, 0.5, luma),
        "offset -0.5 SD": solved(offset, -120, 0, -0.5, luma),
        "gain +0.5 SD": solved(gain, 1, 3, 0.5, luma),
        "gamma +0.5 SD": solved(gamma, 1, 5, 0.5, luma),
        "saturation +0.5 SD": solved(saturated, 1, 4, 0.5, chroma),
        "blur, sigma 0.7": lambda image: cv2.GaussianBlur(image, (0, 0), 0.7),
    }


def encoded(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.round(image), 0, 255).astype(np.uint8)).save(
        buffer, "JPEG", quality=92
    )
    return buffer.getvalue()


def measured_variants(truth: pd.DataFrame, folder: Path, work: Path) -> dict[str, Dataset]:
    """Every change to the Dataset of all photos changed so, measured (and embedded where an
    embedder is there).
    """
    variants = {}
    for place, (name, change) in enumerate(changes(folder, list(truth.index)).items()):
        target = work / f"variant{place}"
        for path in truth.index:
            file = target / path
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(
                    encoded(
                        change(np.asarray(Image.open(folder / path).convert("RGB"), np.float32))
                    )
                )
        dataset = measure(scan(str(target)), None, PassOptions(cache=False))
        dataset = dataset.where(np.ones(len(dataset), bool))
        rows = dataset.samples.index.get_indexer(truth.index)
        samples = dataset.samples.iloc[rows].drop(
            columns=["label", "split", "group"], errors="ignore"
        )
        arrays = {
            key: np.asarray(dataset.arrays[key])[rows]
            for key in ("embedding",)
            if key in dataset.arrays
        }
        variants[name] = Dataset(
            dataset.root, samples, "classification", tuple(sorted(truth["label"].unique())), arrays
        )
        print(f"measured: {name}{'' if arrays else ' (no embedding)'}", flush=True)
    return variants


def drawn(
    parts: dict[str, tuple[Dataset, np.ndarray]],
    truth: pd.DataFrame,
    group: np.ndarray | None = None,
) -> Dataset:
    """A Dataset of the splits `parts`: name to (images, rows)."""
    samples = pd.concat([dataset.samples.iloc[rows] for dataset, rows in parts.values()])
    rows = np.concatenate([rows for _, rows in parts.values()])
    samples = samples.assign(label=pd.Categorical(truth["label"].to_numpy()[rows]))
    samples["split"] = pd.Categorical(
        np.repeat(list(parts), [len(rows) for _, rows in parts.values()])
    )
    if group is not None:
        samples["group"] = pd.Categorical(group[rows].astype(str))
    first = next(iter(parts.values()))[0]
    arrays = {
        key: np.concatenate([dataset.arrays[key][rows] for dataset, rows in parts.values()])
        for key in first.arrays
    }
    return Dataset("drawn", samples, "classification", first.classes, arrays)


def claims(dataset: Dataset) -> list[tuple[str, str]]:
    """(check, what) of every claim."""
    look = Look(dataset, PassOptions(), verify=None)
    found = []
    for check in CHECKS:
        for batch in check.find(dataset, look):
            found += [
                (check.code, evidence_of(text).get("what", "labels")) for text in batch["evidence"]
            ]
    return found


def stratified(
    codes: np.ndarray, sizes: dict[str, int], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Split name to rows, of a random sample that is divided class by class in the proportions
    of `sizes`.
    """
    chosen = rng.choice(len(codes), min(sum(sizes.values()), len(codes)), replace=False)
    chosen = chosen[np.lexsort((rng.random(len(chosen)), codes[chosen]))]
    # rows of one class lie side by side: a low-discrepancy sequence gives every split its share of
    # each
    steps = np.concatenate([(np.arange(size) + rng.random()) / size for size in sizes.values()])
    names = np.repeat(list(sizes), list(sizes.values()))[np.argsort(steps, kind="stable")]
    return {name: chosen[names == name] for name in sizes}


def by_group(groups: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Half of the groups in each split."""
    names = rng.permutation(np.unique(groups))
    test = np.isin(groups, names[::2])
    return {"train": np.flatnonzero(~test), "test": np.flatnonzero(test)}


def interval(hits: int, of: int) -> str:
    """A share with its 95 % interval (Wilson 1927)."""
    share, z = hits / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{share:6.1%} ({max(0, middle - reach):.1%} to {middle + reach:.1%})"


def false_alarms(images: Dataset, truth: pd.DataFrame, draws: int) -> None:
    codes, groups = truth["label"].cat.codes.to_numpy(), truth["sender_id"].to_numpy()
    kinds: dict[str, Callable[[np.random.Generator], dict[str, np.ndarray]]] = {
        f"stratified, {size} a side": lambda rng, size=size: stratified(
            codes, {"train": size, "test": size}, rng
        )
        for size in SIDES
    }
    kinds["stratified, 1287/341/372"] = lambda rng: stratified(
        codes, {"train": 1287, "val": 341, "test": 372}, rng
    )
    kinds["by sender, all photos"] = lambda rng: by_group(groups, rng)
    print(f"\nfalse alarms: share of {draws} random divisions with a claim (nominal: 2 %)\n")
    total = 0
    for name, divide in kinds.items():
        rng, found = np.random.default_rng(3), []
        for _ in range(draws):
            parts = {split: (images, rows) for split, rows in divide(rng).items()}
            found.append(claims(drawn(parts, truth, groups if name.startswith("by") else None)))
        hits = sum(bool(each) for each in found)
        total += hits
        print(
            f"{name:<28}{interval(hits, draws)}  "
            f"{sorted({what for each in found for _, what in each})}",
            flush=True,
        )
    print(f"{'all':<28}{interval(total, draws * len(kinds))}")


def power(variants: dict[str, Dataset], truth: pd.DataFrame, draws: int) -> None:
    codes, plain = truth["label"].cat.codes.to_numpy(), variants["none"]
    print(f"\npower: share of {draws} draws with a claim of the right kind\n")
    print(f"{'changed':<34}" + "".join(f"{f'{size} a side':>14}" for size in SIDES))
    right = {"saturation +0.5 SD": "colour", "blur, sigma 0.7": "sharpness"}
    for name, images in variants.items():
        if name != "none":
            what = right.get(name, "brightness")
            rates = []
            for size in SIDES:
                rng, hits = np.random.default_rng(5), 0
                for _ in range(draws):
                    rows = stratified(codes, {"train": size, "test": size}, rng)
                    found = claims(
                        drawn(
                            {"train": (plain, rows["train"]), "test": (images, rows["test"])}, truth
                        )
                    )
                    hits += ("distribution-mismatch", what) in found
                rates.append(hits / draws)
            print(
                f"{f'{name}: {what}':<34}" + "".join(f"{rate:>14.0%}" for rate in rates), flush=True
            )
    chosen(plain, truth, draws)


def chosen(plain: Dataset, truth: pd.DataFrame, draws: int) -> None:
    """Images that were chosen, not changed: brighter ones, ones of other content, and one class
    more often by 10 points.
    """
    luma = plain.samples["luma_mean"].to_numpy(dtype=float)
    tilts = {
        "chosen: luma +0.5 SD": ("brightness", np.exp(0.5 * (luma - luma.mean()) / luma.std()))
    }
    if "embedding" in plain.arrays:
        features = Look(plain, PassOptions(), verify=None).features().values
        tilts["chosen: 1st component +0.5 SD"] = (
            "content",
            np.exp(0.5 * features[:, 0] / features[:, 0].std()),
        )
    codes = truth["label"].cat.codes.to_numpy()
    shares = np.bincount(codes) / len(codes)
    for label, rank in (("rarest", 0), ("median", len(shares) // 2), ("largest", -1)):
        place = int(np.argsort(shares)[rank])
        factor = (shares[place] + 0.1) / (0.9 - shares[place]) * (1 - shares[place]) / shares[place]
        tilts[f"class of {shares[place]:.0%} ({label}) +10 points"] = (
            "labels",
            np.where(codes == place, factor, 1.0),
        )
    for name, (what, weight) in tilts.items():
        rates = []
        for size in SIDES:
            rng, hits = np.random.default_rng(6), 0
            for _ in range(draws):
                test = rng.choice(
                    len(codes), size, replace=what == "labels", p=weight / weight.sum()
                )
                train = rng.choice(
                    np.setdiff1d(np.arange(len(codes)), test) if what != "labels" else len(codes),
                    size,
                    replace=False,
                )
                parts = {"train": (plain, train), "test": (plain, test)}
                dataset = drawn(parts, truth)
                hits += (
                    label_found(dataset)
                    if what == "labels"
                    else ("distribution-mismatch", what) in claims(dataset)
                )
            rates.append(hits / draws)
        print(f"{f'{name}: {what}':<34}" + "".join(f"{rate:>14.0%}" for rate in rates), flush=True)


def label_found(dataset: Dataset) -> bool:
    return any(len(batch) for batch in LabelShift().find(dataset, None))


def official(images: Dataset, truth: pd.DataFrame) -> None:
    print("\nthe split that the photos come with, without and with senders kept together\n")
    parts = {
        name: (images, np.flatnonzero(truth["split"].to_numpy() == name))
        for name in ("train", "validation", "test")
    }
    for group in (None, truth["sender_id"].to_numpy()):
        dataset = drawn(parts, truth, group)
        look = Look(dataset, PassOptions(), verify=None)
        for check in CHECKS:
            for batch in check.find(dataset, look):
                for claim in batch.to_dict("records"):
                    text = check.message.format(
                        **{**evidence_of(claim["evidence"]), "figure": claim["figure"]}
                    )
                    print(
                        f"  {'groups' if group is not None else 'images'}, {claim['target']}: "
                        f"{text}"
                    )


def scale(rows: int) -> None:
    """A million rows of made-up figures in three splits: seconds."""
    rng = np.random.default_rng(0)
    names = (
        "luma_mean",
        "luma_p01",
        "luma_p50",
        "luma_p99",
        "contrast",
        "saturation",
        "sharpness",
        "noise",
        "width",
        "height",
    )
    samples = pd.DataFrame(
        {name: rng.normal(0.5, 0.1, rows) for name in names}, index=pd.RangeIndex(rows).astype(str)
    )
    samples["label"] = pd.Categorical(rng.choice(list("abcdefghij"), rows))
    samples["split"] = pd.Categorical(rng.choice(["train", "val", "test"], rows, p=[0.8, 0.1, 0.1]))
    dataset = Dataset(
        "made-up",
        samples,
        "classification",
        tuple("abcdefghij"),
        {"embedding": rng.normal(size=(rows, 64)).astype(np.float16)},
    )
    look = Look(dataset, PassOptions(), verify=None)
    look.units(), look.features()
    started = time.perf_counter()
    found = [check.code for check in CHECKS for _ in check.find(dataset, look)]
    print(
        f"\n{rows:,} rows, three splits: {time.perf_counter() - started:.0f} s, claims: "
        f"{found or 'none'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "../shared/data")
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--power", type=int, default=100)
    parser.add_argument("--work", type=Path, help="folder for changed images, kept and used again")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    truth = pd.read_csv(options.data / "photos" / "truth.csv").set_index("path")
    truth["label"] = truth["label"].astype("category")
    with tempfile.TemporaryDirectory() as temporary:
        variants = measured_variants(
            truth, options.data / "photos" / "images", options.work or Path(temporary)
        )
        power(variants, truth, options.power)
        false_alarms(variants["none"], truth, options.draws)
        official(variants["none"], truth)
    scale(1_000_000)


if __name__ == "__main__":
    main()
