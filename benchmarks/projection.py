"""The feature map beside umap-learn, openTSNE and pacmap: processor seconds, seconds, and how true
the map is.

    python benchmarks/projection.py --embeddings DIR [--data DIR] [--rows 2000 6000 10000] [--only
    METHOD ...]

DIR holds the embeddings of the data folders as ``photos.npy`` and ``cifar10.npy`` with the paths in
``photos.txt`` and ``cifar10.txt``. Peers that are not installed are left out. All get the same
features (`dataprep.probes.features`), and each searches neighbours by itself; ours through
`dataprep.neighbours.cosine`. Columns: seconds for neighbours and layout (the second run of each, so
that compiling is not counted; "first" is with it), processor seconds, recall of the 15 nearest
neighbours of the feature space among the 15 nearest on the map, accuracy of the 15 nearest
neighbours' majority label on the map (in the feature space: first line of each set), mean
silhouette of the labels on the map. "MB" is what the package and all that it needs beyond numpy
take on the disk.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dataprep.neighbours.cosine import nearest
from dataprep.probes.features import features_of
from dataprep.probes.tsne import NEIGHBOURS, lay_out

Layout = Callable[[np.ndarray], np.ndarray]


def ours(values: np.ndarray) -> np.ndarray:
    return lay_out(nearest(values, np.ones(len(values), bool), NEIGHBOURS).indices, values)


def umap(values: np.ndarray) -> np.ndarray:
    import umap

    return umap.UMAP(metric="cosine", n_jobs=2).fit_transform(values)


def opentsne(values: np.ndarray) -> np.ndarray:
    from openTSNE import TSNE

    return np.asarray(TSNE(metric="cosine", n_jobs=2, negative_gradient_method="fft").fit(values))


def pacmap(values: np.ndarray) -> np.ndarray:
    import pacmap

    return pacmap.PaCMAP(random_state=0).fit_transform(values)


METHODS: dict[str, tuple[str, Layout]] = {
    "dataprep": ("", ours),
    "umap-learn": ("umap-learn", umap),
    "openTSNE": ("openTSNE", opentsne),
    "pacmap": ("pacmap", pacmap),
}


def nearest_on_map(points: np.ndarray, rows: np.ndarray, k: int = 15) -> np.ndarray:
    """(r, k) nearest points of the given rows, themselves left out."""
    found = np.empty((len(rows), k), np.int64)
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        distance = ((points[part][:, None] - points[None]) ** 2).sum(-1)
        distance[np.arange(len(part)), part] = np.inf
        found[start : start + 500] = np.argpartition(distance, k, axis=1)[:, :k]
    return found


def majority(neighbours: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> float:
    """Share of the labelled rows whose neighbours' most frequent label is their own."""
    right = [
        np.bincount(labels[near][labels[near] >= 0], minlength=1).argmax() == labels[row]
        for near, row in zip(neighbours, rows)
        if labels[row] >= 0
    ]
    return float(np.mean(right)) if right else float("nan")


def silhouette(points: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> float:
    """Mean silhouette of the labelled rows among themselves."""
    rows = rows[labels[rows] >= 0]
    given, codes = np.unique(labels[rows], return_inverse=True)
    if len(given) < 2:
        return float("nan")
    distance = np.sqrt(((points[rows][:, None] - points[rows][None]) ** 2).sum(-1))
    member = np.eye(len(given))[codes]
    total, size = distance @ member, member.sum(axis=0)
    own = total[np.arange(len(rows)), codes] / np.maximum(size[codes] - 1, 1)
    other = np.where(member > 0, np.inf, total / size).min(axis=1)
    return float(((other - own) / np.maximum(own, other)).mean())


def installed_mb(package: str, counted: set[str]) -> float:
    """Megabytes of a package and what it requires, numpy left out."""
    name = re.sub(r"[-_.]+", "-", package).lower()
    if name in counted or name in ("numpy", "setuptools"):
        return 0.0
    counted.add(name)
    try:
        found = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return 0.0
    own = sum(
        Path(str(file.locate())).stat().st_size
        for file in found.files or []
        if Path(str(file.locate())).is_file()
    )
    needs = [
        re.split(r"[\s;<>=!~\[(]", text)[0]
        for text in found.requires or []
        if "extra ==" not in text
    ]
    return own / 1e6 + sum(installed_mb(need, counted) for need in needs)


def load(folder: Path, data: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and label codes (-1: none) of a data folder."""
    with (data / name / "truth.csv").open(encoding="utf-8") as file:
        truth = {
            row["path"]: row.get("label") or row.get("clean_label") or ""
            for row in csv.DictReader(file)
        }
    embedding = np.load(folder / f"{name}.npy")
    paths = (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n")[: len(embedding)]
    labels = [truth.get(path.split("images/", 1)[-1], "") for path in paths]
    classes = {label: code for code, label in enumerate(sorted(set(labels) - {""}))}
    return embedding, np.array([classes.get(label, -1) for label in labels])


def sized(embedding: np.ndarray, labels: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """So many rows: a random part, or all and more rows between a random one and its neighbour
    of the same class.
    """
    random = np.random.default_rng(0)
    if rows <= len(embedding):
        chosen = np.sort(random.permutation(len(embedding))[:rows])
        return embedding[chosen], labels[chosen]
    features = features_of(embedding)
    first = random.integers(0, len(embedding), rows - len(embedding))
    second = nearest(features.values, features.known, 5).indices[
        first, random.integers(0, 5, len(first))
    ]
    share = random.uniform(0.2, 0.5, (len(first), 1)).astype(np.float16)
    between = embedding[first] * (1 - share) + embedding[second] * share
    return np.concatenate([embedding, between]), np.concatenate([labels, labels[first]])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--embeddings", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, nargs="+", default=[2000, 6000, 10000])
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    given = parser.parse_args()
    columns = ("s", "first", "cpu s", "recall", "label", "silh.", "MB")
    print(f"{'set':<8} {'rows':>6} {'method':<14}", *(f"{column:>7}" for column in columns))
    for rows in given.rows:
        name = "photos" if rows <= 2000 else "cifar10"
        embedding, labels = sized(*load(given.embeddings, given.data, name), rows)
        compare(f"{name:<8} {rows:>6}", embedding, labels, given.only)


def compare(head: str, embedding: np.ndarray, labels: np.ndarray, methods: list[str]) -> None:
    """Print the lines of one set."""
    values = features_of(embedding).values
    rows = np.sort(np.random.default_rng(0).permutation(len(values))[:1500])
    truth = nearest(values, np.ones(len(values), bool), 15).indices[rows]
    print(
        f"{head} {'(features)':<14} {'':>7} {'':>7} {'':>7} {1:>7.3f} "
        f"{majority(truth, labels, rows):>7.3f}",
        flush=True,
    )
    for method in methods:
        package, layout = METHODS[method]
        try:
            importlib.metadata.version(package or "numpy")
        except importlib.metadata.PackageNotFoundError:
            continue
        started = time.perf_counter()
        layout(values)
        first = time.perf_counter() - started
        started, spent = time.perf_counter(), time.process_time()
        points = np.asarray(layout(values), np.float64)
        seconds, spent = time.perf_counter() - started, time.process_time() - spent
        on_map = nearest_on_map(points, rows)
        recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(on_map, truth)])
        size = installed_mb(package, set()) if package else 0.0
        quality = (recall, majority(on_map, labels, rows), silhouette(points, labels, rows))
        figures = [f"{value:>7.2f}" for value in (seconds, first, spent)] + [
            f"{value:>7.3f}" for value in quality
        ]
        print(f"{head} {method:<14}", *figures, f"{size:>7.0f}", flush=True)


if __name__ == "__main__":
    main()
