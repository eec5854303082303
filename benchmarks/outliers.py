"""Quality of the check outlier: planted images of another kind, and false alarms on untouched sets.

    python benchmarks/outliers.py [--data DIR] [--pairs 10] [--cleanlab-python PYTHON] [--scale
    ROWS]

Planted at 2 %: photos reduced to 32 pixels (squashed whole, and cropped square) among the CIFAR
images of two classes, with a label of one of them; CIFAR images enlarged, and drawings of several
kinds, among photos of clothes. Beside: the mean cosine distance to the 10 nearest neighbours,
cleanlab's Datalab (where --cleanlab-python names an interpreter that has it), and what a ridge
regression reaches that is told which images were planted (out of fold): a bound of what the
embedding shows. Untouched: the photos, with and without labels, and classes of CIFAR; every image
listed there counts as a false alarm, whatever it shows.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from dataprep.checks.content.outlier import Outlier, trusted_classes
from dataprep.checks.duplicates.pairs import Duplicates
from dataprep.checks.second_look import SecondLook
from dataprep.measures.embedding.contract import load_embedder, view_of
from dataprep.measures.options import PassOptions
from dataprep.neighbours.cosine import nearest
from dataprep.probes.features import features_of
from dataprep.probes.oddness import oddness_of
from dataprep.probes.off_topic import far_images
from dataprep.schemas.dataset import Dataset

SHARE = 0.02
PHOTO = (400, 533)
REPO = Path(__file__).parent.parent
DATALAB = """
import json, sys, numpy as np, pandas as pd
from cleanlab import Datalab
given = np.load(sys.argv[1], allow_pickle=False)
lab = Datalab(data={"label": given["labels"].tolist()}, label_name="label", verbosity=0)
lab.find_issues(features=given["features"].astype(np.float32), issue_types={"outlier": {}})
found = lab.get_issues("outlier")
json.dump({"score": found["outlier_score"].tolist(), "listed": found["is_outlier_issue"].tolist()}, sys.stdout)
"""


@dataclass(frozen=True)
class Known:
    """Images embedded once: (n, d) float16 vectors and (n,) labels."""

    vectors: np.ndarray
    labels: np.ndarray

    def of(self, *classes: str) -> Known:
        inside = np.isin(self.labels, classes)
        return Known(self.vectors[inside], self.labels[inside])


class Look(SecondLook):
    """A second look that takes no image for a copy: hashes and files are not part of this
    benchmark.
    """

    def duplicates(self) -> Duplicates:
        n = len(self.dataset)
        pairs = pd.DataFrame({"a": [], "b": [], "kind": [], "relation": [], "confidence": []})
        return Duplicates(pairs=pairs, groups=np.full(n, -1, np.int64), keep=np.ones(n, bool))


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def as_jpeg(rgb: np.ndarray, quality: int) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return pixels_of(file)  # type: ignore[arg-type]


def square(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(rgb[top : top + side, left : left + side])


def small(rgb: np.ndarray) -> np.ndarray:
    return as_jpeg(cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA), 75)


def cartoon(rng: np.random.Generator) -> np.ndarray:
    """Flat shapes and lines on a light ground."""
    image = np.full((PHOTO[1], PHOTO[0], 3), rng.integers(180, 256, 3), np.uint8)
    for _ in range(rng.integers(3, 12)):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        one, other = (tuple(int(value) for value in rng.integers(0, limit, 2)) for limit in PHOTO)
        thickness, kind = int(rng.choice([-1, 3, 6])), int(rng.integers(4))
        if kind == 0:
            cv2.circle(image, one, int(rng.integers(20, 120)), colour, thickness)
        elif kind == 1:
            cv2.rectangle(image, one, other, colour, thickness)
        elif kind == 2:
            cv2.line(image, one, other, colour, abs(thickness) + 1)
        else:
            cv2.fillPoly(image, [rng.integers(0, 500, (5, 2)).astype(np.int32)], colour)
    return image


def page_of_text(rng: np.random.Generator) -> np.ndarray:
    image = np.full((PHOTO[1], PHOTO[0], 3), 255, np.uint8)
    for row in range(30, PHOTO[1], int(rng.integers(18, 34))):
        text = "".join(rng.choice(list("abcdefgh ijk"), 30))
        cv2.putText(
            image,
            text,
            (10, row),
            int(rng.integers(0, 4)),
            float(rng.uniform(0.4, 0.8)),
            (0, 0, 0),
            1,
        )
    return image


def embedded(images: Iterator[np.ndarray] | list[np.ndarray]) -> np.ndarray:
    embedder = load_embedder("lite0")
    found, batch = [], []
    for image in itertools.chain(images, [None]):
        if image is not None:
            batch.append(view_of(image, embedder.size))
        if batch and (image is None or len(batch) == embedder.batch):
            found.append(embedder(np.stack(batch)).astype(np.float16))
            batch = []
    return np.concatenate(found)


def folder(data: Path, name: str, column: str) -> tuple[list[Path], np.ndarray]:
    truth = pd.read_csv(data / name / "truth.csv")
    return [data / name / "images" / path for path in truth["path"]], truth[column].to_numpy(
        dtype=object
    )


def gathered(data: Path) -> tuple[Known, Known, dict[str, np.ndarray]]:
    """CIFAR, the photos, and what is planted, by kind."""
    rng = np.random.default_rng(0)
    tiny, tiny_labels = folder(data, "cifar10", "clean_label")
    photos, photo_labels = folder(data, "photos", "label")
    some = [pixels_of(photos[row]) for row in rng.choice(len(photos), 300, replace=False)]
    large = [pixels_of(tiny[row]) for row in rng.choice(len(tiny), 300, replace=False)]
    drawn = [
        path
        for path in sorted((REPO / "sample_data" / "shapes").rglob("*.jpg"))
        if path.stat().st_size > 1000
    ]
    sys.path.insert(0, str(REPO / "tools"))
    from drawings import draw_scenes

    kinds: dict[str, Iterator[np.ndarray]] = {
        "photo, squashed to 32": (small(rgb) for rgb in some),
        "photo, cropped to 32": (small(square(rgb)) for rgb in some),
        "CIFAR enlarged, smooth": (
            as_jpeg(cv2.resize(rgb, PHOTO, interpolation=cv2.INTER_CUBIC), 90) for rgb in large
        ),
        "CIFAR enlarged, blocks": (
            as_jpeg(cv2.resize(rgb, PHOTO, interpolation=cv2.INTER_NEAREST), 90) for rgb in large
        ),
        "drawings: shapes": (rgb for rgb in map(readable, drawn) if rgb is not None),
        "drawings: scenes": iter(draw_scenes(150, 160, seed=7)),
        "drawings: cartoons": (as_jpeg(cartoon(rng), 90) for _ in range(150)),
        "pages of text": (as_jpeg(page_of_text(rng), 90) for _ in range(100)),
    }
    planted = {name: embedded(images) for name, images in kinds.items()}
    return (
        Known(embedded(pixels_of(path) for path in tiny), tiny_labels),
        Known(embedded(pixels_of(path) for path in photos), photo_labels),
        planted,
    )


def readable(path: Path) -> np.ndarray | None:
    try:
        return pixels_of(path)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return None


def dataset_of(vectors: np.ndarray, labels: np.ndarray | None) -> Dataset:
    index = pd.Index(
        [f"{number:07d}.jpg" for number in range(len(vectors))], name="sample", dtype="str"
    )
    samples = (
        pd.DataFrame(index=index)
        if labels is None
        else pd.DataFrame({"label": pd.Categorical(labels)}, index=index)
    )
    classes = () if labels is None else tuple(sorted(set(labels)))
    task = "none" if labels is None else "classification"
    return Dataset("made", samples, task, classes, arrays={"embedding": vectors})


def ours(vectors: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Score and what is listed."""
    dataset = dataset_of(vectors, labels)
    look = Look(dataset, PassOptions(), verify=None)
    evidence = look.labels() if labels is not None else None
    oddness = oddness_of(
        vectors, look.features().known, trusted_classes(evidence, len(dataset)), look.units()
    )
    given = np.full(len(dataset), -1, np.int32) if evidence is None else evidence.given
    far = far_images(oddness, look.neighbours(), given, look.units(), Outlier().rate)
    listed = np.zeros(len(dataset), bool)
    listed[far.rows[far.off_topic]] = True
    return oddness.score, listed


def plain(vectors: np.ndarray) -> np.ndarray:
    features = features_of(vectors)
    return 1 - nearest(features.values, features.known, 10).similarity.mean(axis=1)


def told(vectors: np.ndarray, planted: np.ndarray) -> np.ndarray:
    """Out-of-fold scores of a ridge regression that knows what was planted."""
    values = np.sqrt(np.maximum(vectors.astype(np.float32), 0))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    fold, score = np.random.default_rng(3).permutation(len(values)) % 5, np.zeros(len(values))
    for number in range(5):
        sides = [values[(fold != number) & (planted == side)] for side in (True, False)]
        means = [side.mean(axis=0) for side in sides]
        spread = sum(
            (side - mean).T @ (side - mean) / len(side) for side, mean in zip(sides, means)
        )
        spread[np.diag_indices(len(spread))] += 0.003 * np.trace(spread)
        score[fold == number] = values[fold == number] @ np.linalg.solve(
            spread, means[0] - means[1]
        )
    return score


def datalab(python: str, vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with tempfile.TemporaryDirectory() as work:
        np.savez(Path(work, "given.npz"), features=vectors, labels=labels.astype(str))
        done = subprocess.run(
            [python, "-c", DATALAB, f"{work}/given.npz"], capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout[done.stdout.index("{") :])
    return -np.array(found["score"]), np.array(found["listed"])


def auroc(score: np.ndarray, positive: np.ndarray) -> float:
    rank = pd.Series(score).rank().to_numpy()
    number = positive.sum()
    return float(
        (rank[positive].sum() - number * (number + 1) / 2) / (number * (len(score) - number))
    )


def wilson(hits: int, of: int) -> tuple[float, float]:
    rate, z = hits / of, 1.96
    middle, half = rate + z * z / 2 / of, z * np.sqrt(rate * (1 - rate) / of + z * z / 4 / of**2)
    return max(0.0, float((middle - half) / (1 + z * z / of))), float(
        (middle + half) / (1 + z * z / of)
    )


def plantings(
    tiny: Known, photos: Known, planted: dict[str, np.ndarray], pairs: int
) -> Iterator[tuple[str, str, Known, np.ndarray]]:
    rng = np.random.default_rng(1)
    every = list(itertools.combinations(sorted(set(tiny.labels)), 2))
    for pick in sorted(rng.permutation(len(every))[:pairs]):
        for kind in list(planted)[:2]:
            yield kind, "/".join(every[pick]), *mixed(tiny.of(*every[pick]), planted[kind], rng)
    for kind in list(planted)[2:]:
        yield kind, "photos", *mixed(photos, planted[kind], rng)


def mixed(base: Known, other: np.ndarray, rng: np.random.Generator) -> tuple[Known, np.ndarray]:
    number = max(1, round(SHARE * len(base.vectors)))
    chosen = other[rng.choice(len(other), number, replace=False)]
    labels = np.concatenate([base.labels, rng.choice(np.unique(base.labels.astype(str)), number)])
    order = rng.permutation(len(labels))
    is_planted = (np.arange(len(labels)) >= len(base.labels))[order]
    return Known(np.concatenate([base.vectors, chosen])[order], labels[order]), is_planted


def compare(runs: Iterator[tuple[str, str, Known, np.ndarray]], python: str | None) -> None:
    print("AUROC of the score; precision and recall of the list\n")
    print(
        f"{'planted':<24}{'among':<22}{'ours':>7}{'no labels':>11}{'10 nearest':>12}{'told':>7}{'precision':>11}{'recall':>8}"
        + ("   Datalab: AUROC, precision, recall" if python else "")
    )
    rows: dict[str, list[list[float]]] = {}
    for kind, among, mix, positive in runs:
        score, listed = ours(mix.vectors, mix.labels)
        row = [
            auroc(score, positive),
            auroc(ours(mix.vectors, None)[0], positive),
            auroc(plain(mix.vectors), positive),
        ]
        row += [
            auroc(told(mix.vectors, positive), positive),
            precision(listed, positive),
            float(listed[positive].mean()),
        ]
        if python:
            score, listed = datalab(python, mix.vectors, mix.labels)
            row += [
                auroc(score, positive),
                precision(listed, positive),
                float(listed[positive].mean()),
            ]
        print_row(kind, among, row)
        rows.setdefault(kind, []).append(row)
    print()
    for kind, found in rows.items():
        if len(found) > 1:
            print_row(kind, f"mean of {len(found)}", np.nanmean(found, axis=0).tolist())
            print_row(kind, "median", np.nanmedian(found, axis=0).tolist())


def print_row(kind: str, among: str, row: list[float]) -> None:
    widths = (7, 11, 12, 7, 11, 8, 12, 8, 8)
    print(
        f"{kind:<24}{among:<22}"
        + "".join(f"{value:>{width}.3f}" for value, width in zip(row, widths)),
        flush=True,
    )


def precision(listed: np.ndarray, positive: np.ndarray) -> float:
    return float(positive[listed].mean()) if listed.any() else float("nan")


def untouched(tiny: Known, photos: Known, python: str | None) -> None:
    sets: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
        "photos": (photos.vectors, photos.labels),
        "photos, no labels": (photos.vectors, None),
        "CIFAR": (tiny.vectors, tiny.labels),
        "CIFAR, no labels": (tiny.vectors, None),
    }
    sets |= {
        f"CIFAR {name}, no labels": (tiny.of(name).vectors, None)
        for name in sorted(set(tiny.labels))
    }
    for one, other in (
        ("airplane", "ship"),
        ("cat", "dog"),
        ("deer", "horse"),
        ("automobile", "truck"),
        ("bird", "frog"),
    ):
        sets[f"CIFAR {one}/{other}"] = tiny.of(one, other).vectors, tiny.of(one, other).labels
    print(
        f"\n{'untouched':<32}{'images':>8}{'listed':>8}{'share':>9}   95 % interval"
        + ("   Datalab" if python else "")
    )
    for name, (vectors, labels) in sets.items():
        hits = int(ours(vectors, labels)[1].sum())
        low, high = wilson(hits, len(vectors))
        peer = ""
        if python:
            other = datalab(
                python, vectors, np.full(len(vectors), "a") if labels is None else labels
            )[1].mean()
            peer = f"{other:>12.2%}"
        print(
            f"{name:<32}{len(vectors):>8,}{hits:>8}{hits / len(vectors):>9.2%}   {low:.2%} to "
            f"{high:.2%}{peer}",
            flush=True,
        )


def lonely(photos: Known, planted: dict[str, np.ndarray], draws: int = 5) -> None:
    """One image of each kind among the photos, each alone of its kind."""
    rng = np.random.default_rng(4)
    kinds = list(planted)[2:]
    found, false = {"labels": 0, "no labels": 0}, {"labels": 0, "no labels": 0}
    for _ in range(draws):
        alone = np.concatenate([planted[kind][rng.choice(len(planted[kind]), 1)] for kind in kinds])
        vectors = np.concatenate([photos.vectors, alone])
        labels = np.concatenate(
            [photos.labels, rng.choice(np.unique(photos.labels.astype(str)), len(kinds))]
        )
        for name, given in (("labels", labels), ("no labels", None)):
            listed = ours(vectors, given)[1]
            found[name] += int(listed[len(photos.vectors) :].sum())
            false[name] += int(listed[: len(photos.vectors)].sum())
    for name in found:
        print(
            f"\nalone of their kind among the photos, {name}: {found[name]} of "
            f"{draws * len(kinds)}, {false[name]} others"
        )


def noisy_labels(photos: Known) -> None:
    """Whether images whose label alone is wrong are taken for outliers."""
    rng = np.random.default_rng(2)
    wrong = rng.random(len(photos.labels)) < 0.1
    names = np.unique(photos.labels.astype(str))
    labels = np.where(wrong, rng.choice(names, len(wrong)), photos.labels.astype(str))
    listed = ours(photos.vectors, labels)[1]
    print(
        f"\nphotos with 10 % wrong labels: {listed[wrong].sum()} of {wrong.sum()} and "
        f"{listed[~wrong].sum()} of the rest listed"
    )


def scaled(rows: int) -> None:
    """Clustered synthetic vectors, with 0.1 % elsewhere, in a memory map."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as work:
        vectors = np.lib.format.open_memmap(f"{work}/vectors.npy", "w+", np.float16, (rows, 1280))
        centres = rng.normal(0.5, 0.5, (1000, 1280)).astype(np.float32)
        labels = rng.integers(0, 1000, rows)
        odd = rng.random(rows) < 0.001
        away = rng.normal(0.5, 0.5, 1280).astype(np.float32)
        for start in range(0, rows, 10_000):
            part = slice(start, min(rows, start + 10_000))
            middle = np.where(odd[part, None], away, 0.6 * centres[labels[part]] + 0.2)
            noise = rng.standard_normal((len(middle), 1280), dtype=np.float32)
            vectors[part] = np.maximum(middle + 0.4 * noise, 0)
        known, units = np.ones(rows, bool), np.arange(rows)
        began = time.perf_counter()
        found = oddness_of(vectors, known, labels, units)
        took = time.perf_counter() - began
        listed = found.odd(Outlier().rate)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{rows:,} rows: {took:.0f} s, peak of the process {peak:,.0f} MB (pages of the memory "
            "map included)"
        )
        print(
            f"AUROC {auroc(found.score, odd):.3f}; listed {listed[odd].mean():.0%} of the odd, "
            f"{listed[~odd].mean():.3%} else"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--pairs", type=int, default=10, help="pairs of CIFAR's classes, of 45")
    parser.add_argument("--cleanlab-python", help="an interpreter that has cleanlab with Datalab")
    parser.add_argument(
        "--scale", type=int, default=0, help="instead: time and memory on so many synthetic rows"
    )
    arguments = parser.parse_args()
    if arguments.scale:
        scaled(arguments.scale)
        return
    tiny, photos, planted = gathered(arguments.data)
    compare(plantings(tiny, photos, planted, arguments.pairs), arguments.cleanlab_python)
    untouched(tiny, photos, arguments.cleanlab_python)
    noisy_labels(photos)
    lonely(photos, planted)


if __name__ == "__main__":
    main()
