"""Checks and report on a synthetic table of up to 1,000,000 measured rows, 1 % planted duplicates:
seconds and peak memory.

    python benchmarks/scale.py [--rows 10000 100000 1000000]

The figures of the measures are drawn from distributions like those of real photos; no image file
exists, so near duplicates are taken by hash distance alone (verification is timed by
benchmarks/speed.py). Each size runs in a process of its own.

    python benchmarks/scale.py --embeddings [--rows 100000 300000 1000000] [--folder DIR]

times what reads embeddings instead: features, neighbours, candidates for near duplicates, probes of
labels, and every check, on drawn ones of 1,280 numbers (relu of 64 hidden
dimensions; 100 classes of 20 clusters; 5 % wrong labels, 1 % outliers, 1 % planted pairs) in a
memory-mapped file in DIR (default: the folder for temporary files; 2.6 GB for 1,000,000). "own MB"
is the peak of anonymous memory, "all MB" with what is mapped of the file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from dataprep.schemas.columns import FILE, PIXEL
from dataprep.schemas.dataset import Dataset

CLASSES = 100


def synthetic(rows: int, seed: int = 0) -> Dataset:
    """A measured data set without files: unequal classes, three splits, groups of about ten, 1 %
    duplicates.
    """
    random = np.random.default_rng(seed)
    samples = pd.DataFrame(
        index=pd.Index([f"train/{i % 997:03d}/{i:07d}.jpg" for i in range(rows)], name="sample")
    )
    weights = 1 / np.arange(1, CLASSES + 1)
    labels = random.choice(CLASSES, rows, p=weights / weights.sum())
    samples["label"] = pd.Categorical.from_codes(labels, [f"class{i:03d}" for i in range(CLASSES)])
    samples["split"] = pd.Categorical.from_codes(
        random.choice(3, rows, p=[0.8, 0.1, 0.1]), ["train", "val", "test"]
    )
    samples["group"] = pd.Categorical.from_codes(
        random.integers(0, rows // 10, rows), [f"g{i}" for i in range(rows // 10)]
    )
    for column in (*FILE, *PIXEL):
        samples[column.name] = _values(column.name, column.kind, rows, random)
    phash = random.integers(0, 2**64, (rows, 8), dtype=np.uint64)
    _plant_duplicates(samples, phash, random)
    sketch = np.zeros(
        (rows, 2, 144), dtype=np.uint8
    )  # read only to decide what to decode, which no one does here
    thumb = np.zeros((rows, 512), dtype=np.uint8)
    arrays = {"phash": phash, "phash_inner": phash, "sketch": sketch, "thumb": thumb}
    return Dataset(
        "synthetic", samples, "classification", tuple(samples["label"].cat.categories), arrays
    )


def _values(name: str, kind: str, rows: int, random: np.random.Generator) -> object:
    fixed = {
        "lost": "",
        "lost_detail": "",
        "format": "JPEG",
        "extension": "jpg",
        "mode": "RGB",
        "captured_at": "",
        "camera": "",
    }
    if name in fixed:
        return (
            pd.Categorical.from_codes(np.zeros(rows, dtype=np.int8), [fixed[name]])
            if kind == "category"
            else fixed[name]
        )
    if name in ("file_hash", "pixel_hash"):
        return pd.array([f"{value:032x}" for value in random.integers(0, 2**63, rows)], dtype="str")
    if kind == "bool":
        return np.zeros(rows, dtype=bool)
    centres = {
        "width": 400,
        "height": 533,
        "bytes": 60_000,
        "bit_depth": 8,
        "frames": 1,
        "orientation": 1,
        "jpeg_quality": 90,
        "entropy": 7.3,
        "blockiness": 1.0,
        "contrast": 0.22,
        "saturation": 0.25,
        "chroma_p99": 0.6,
        "noise": 0.01,
        "border": 0.0,
        "detail_fraction": 0.9,
        "directionality": 0.1,
        "sharpness": 0.5,
        "luma_mean": 0.5,
        "luma_p01": 0.05,
        "luma_p05": 0.1,
        "luma_p25": 0.3,
        "luma_p50": 0.5,
        "luma_p75": 0.7,
        "luma_p95": 0.9,
        "luma_p99": 0.97,
    }
    centre = centres.get(name, 1.0)
    spread = 0 if name in ("bit_depth", "frames", "orientation", "border") else 0.05
    values = centre * (1 + spread * random.standard_normal(rows))
    return np.round(values) if kind == "int" else values.astype(np.float32)


def _plant_duplicates(
    samples: pd.DataFrame, phash: np.ndarray, random: np.random.Generator
) -> None:
    pairs = random.permutation(len(samples))[: len(samples) // 50].reshape(2, -1)
    near, exact = np.array_split(pairs, 2, axis=1)
    hashes = samples["file_hash"].to_numpy(dtype=object, copy=True)
    hashes[exact[1]] = hashes[exact[0]]
    samples["file_hash"] = pd.array(hashes, dtype="str")
    phash[exact[1]] = phash[exact[0]]
    flips = np.uint64(1) << random.integers(0, 64, near.shape[1], dtype=np.uint64)
    phash[near[1]] = phash[near[0]] ^ flips[:, None]


def run(rows: int) -> dict[str, float]:
    """Seconds of the checks and of the report, and peak megabytes of this process, which also
    built the table.
    """
    from dataprep.checks.second_look import SecondLook
    from dataprep.engine import make_checks, run_checks
    from dataprep.measures.options import PassOptions
    from dataprep.reports import report
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.run import run_record

    dataset = synthetic(rows)
    table_mb = (
        dataset.samples.memory_usage(deep=True).sum() / 1e6 + dataset.arrays["phash"].nbytes / 1e6
    )
    start = time.perf_counter()
    checks = make_checks()
    issues, skipped = run_checks(checks, dataset, SecondLook(dataset, PassOptions(), verify=None))
    checked = time.perf_counter()
    audit = Audit(dataset, issues, skipped, tuple(checks), run_record("audit", dataset, {}, {}))
    with tempfile.TemporaryDirectory() as folder:
        report(audit, folder, thumbnails=False)
    done = time.perf_counter()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    failed = [code for code, reason in skipped.items() if reason.startswith("failed")]
    return {
        "rows": rows,
        "issues": len(issues),
        "checks_s": checked - start,
        "report_s": done - checked,
        "table_mb": table_mb,
        "peak_mb": peak_mb,
        "failed_checks": len(failed),
    }


DIMENSIONS, HIDDEN, CLUSTERS = 1280, 64, 20
WRONG, OUTLIERS, PAIRS = 0.05, 0.01, 0.005


def embedded(rows: int, folder: str, seed: int = 0) -> tuple[Dataset, dict[str, np.ndarray]]:
    """(data set with embeddings and labels, what was planted: rows of ``wrong`` labels,
    ``outliers``, ``pairs`` (2, p)).
    """
    random = np.random.default_rng(seed)
    dataset = synthetic(rows, seed)
    labels = dataset.samples["label"].cat.codes.to_numpy().astype(np.int64)
    centres = 1.2 * random.standard_normal((CLASSES, HIDDEN)).astype(np.float32)[:, None]
    centres = (centres + 0.8 * random.standard_normal((CLASSES, CLUSTERS, HIDDEN))).astype(
        np.float32
    )
    spread = random.standard_normal((HIDDEN, DIMENSIONS)).astype(np.float32) / HIDDEN**0.5
    order = random.permutation(rows)
    outliers, pairs = (
        order[: int(OUTLIERS * rows)],
        order[int(OUTLIERS * rows) :][: 2 * int(PAIRS * rows)].reshape(2, -1),
    )
    hidden = centres[labels, random.integers(0, CLUSTERS, rows)] + 0.7 * random.standard_normal(
        (rows, HIDDEN), np.float32
    )
    hidden[outliers] = 2.0 * random.standard_normal((len(outliers), HIDDEN))
    hidden[pairs[1]] = hidden[pairs[0]] + 0.1 * random.standard_normal(
        (pairs.shape[1], HIDDEN), np.float32
    )
    embedding = np.memmap(
        Path(folder) / "embedding.f16", np.float16, "w+", shape=(rows, DIMENSIONS)
    )
    for start in range(0, rows, 8192):
        embedding[start : start + 8192] = np.maximum(hidden[start : start + 8192] @ spread - 0.5, 0)
    embedding.flush()
    wrong = random.permutation(rows)[: int(WRONG * rows)]
    given = labels.copy()
    given[wrong] = (labels[wrong] + random.integers(1, CLASSES, len(wrong))) % CLASSES
    dataset = dataset.assign(label=pd.Categorical.from_codes(given, dataset.classes))
    embedding = np.memmap(Path(folder) / "embedding.f16", np.float16, "r", shape=(rows, DIMENSIONS))
    return dataset.with_arrays(embedding=embedding), {
        "wrong": wrong,
        "outliers": outliers,
        "pairs": pairs,
    }


class Stage:
    """Seconds and peak megabytes of a stage: anonymous memory, and all that is resident; looked
    at 20 times a second.
    """

    def __init__(self) -> None:
        self.seconds, self.processor, self.own, self.all = 0.0, 0.0, 0.0, 0.0

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,))
        start, spent = time.perf_counter(), time.process_time()
        watcher.start()
        try:
            yield
        finally:
            self.seconds = time.perf_counter() - start
            self.processor = time.process_time() - spent
            over.set()
            watcher.join()

    def _watch(self, over: threading.Event) -> None:
        while True:
            lines = dict(
                line.split(":", 1)
                for line in Path("/proc/self/status").read_text().splitlines()
                if ":" in line
            )
            self.own = max(self.own, float(lines["RssAnon"].split()[0]) / 1024)
            self.all = max(self.all, float(lines["VmRSS"].split()[0]) / 1024)
            if over.wait(0.05):
                return


def run_embedded(rows: int, folder: str) -> None:
    """Print a line for every stage on drawn embeddings."""
    from dataprep import registry
    from dataprep.backends.blas import one_blas_thread
    from dataprep.checks.duplicates.search import EmbeddingSource
    from dataprep.checks.second_look import SecondLook
    from dataprep.measures.options import PassOptions

    dataset, planted = embedded(rows, folder)
    look = SecondLook(dataset, PassOptions(), verify=None)
    total, spent = 0.0, 0.0

    def stage(name: str, work: object) -> object:
        nonlocal total, spent
        watch, result, note = Stage(), None, ""
        with watch.timed(), one_blas_thread():
            try:
                result = work()  # type: ignore[operator]
            except Exception as error:  # one failing check must not hide the others' figures
                note = f"failed: {type(error).__name__}: {error}"
        total, spent = total + watch.seconds, spent + watch.processor
        print(
            f"{rows:>9,} {name:<24} {watch.seconds:>8.1f} {watch.processor:>9.1f} "
            f"{watch.own:>8.0f} {watch.all:>8.0f}  "
            f"{note}",
            flush=True,
        )
        return result

    stage("(the drawn data)", lambda: None)
    stage("features", look.features)
    stage("neighbours", look.neighbours)
    source = EmbeddingSource(look.features, look.neighbours)
    candidates = stage("candidates", lambda: source(dataset, np.arange(rows), 0))
    stage("duplicates by hash", look.duplicates)
    stage("units", look.units)
    stage("labels", look.labels)
    claimed: dict[str, set[str]] = {}
    for code in registry.names("dataprep.checks"):
        check = registry.load("dataprep.checks", code)()
        if not check.lacks(dataset, look):
            batches = stage(code, lambda check=check: list(check.find(dataset, look)))
            claimed[code] = (
                set()
                if batches is None
                else {target for batch in batches for target in batch["target"]}
            )
    print(f"{rows:>9,} {'total':<24} {total:>8.1f} {spent:>9.1f}", flush=True)
    _report_found(look, candidates, planted, claimed, dataset.samples.index.to_numpy(dtype=object))


def _report_found(
    look: object, candidates: object, planted: dict, claimed: dict[str, set[str]], names: np.ndarray
) -> None:
    """What of the planted was found."""
    values, found = look.features().values, look.neighbours()  # type: ignore[attr-defined]
    asked = np.random.default_rng(1).choice(len(values), 300, replace=False)
    likeness = values[asked] @ values.T
    likeness[np.arange(len(asked)), asked] = -1
    true = np.argpartition(-likeness, 10, axis=1)[:, :10]
    recall = np.mean(
        [np.isin(nearest, mine).mean() for nearest, mine in zip(true, found.indices[asked])]
    )
    first, second = planted["pairs"]
    paired = (found.indices[first] == second[:, None]).any(axis=1).mean()
    named = set(zip(candidates.a.tolist(), candidates.b.tolist()))  # type: ignore[attr-defined]
    told = np.mean(
        [(min(a, b), max(a, b)) in named for a, b in zip(first.tolist(), second.tolist())]
    )
    print(f"          neighbours: recall@10 {recall:.3f}, planted pairs {paired:.4f}")
    print(f"          candidates: {len(named):,}, with {told:.3f} of the planted pairs")
    for code, rows in (("wrong-label", planted["wrong"]), ("outlier", planted["outliers"])):
        if code in claimed:
            hits = sum(name in claimed[code] for name in names[rows])
            print(
                f"          {code}: {len(claimed[code]):,} claims, {hits:,} of {len(rows):,} "
                "planted"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--embeddings", action="store_true", help="time what reads embeddings")
    parser.add_argument(
        "--folder",
        help="where the drawn embeddings are written (default: the folder for temporary files)",
    )
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.embeddings:
        time_embeddings(options)
    elif options.one:
        print(json.dumps(run(options.one)))
    else:
        time_table(options.rows or [10_000, 100_000, 1_000_000])


def time_embeddings(options: argparse.Namespace) -> None:
    if options.one:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            run_embedded(options.one, folder)
        return
    print(
        f"{'rows':>9} {'stage':<24} {'seconds':>8} {'processor':>9} {'own MB':>8} {'all MB':>8}",
        flush=True,
    )
    place = ["--folder", options.folder] if options.folder else []
    for rows in options.rows or [100_000, 300_000, 1_000_000]:
        subprocess.run(
            [sys.executable, __file__, "--embeddings", "--one", str(rows), *place], check=True
        )


def time_table(sizes: list[int]) -> None:
    print(
        f"{'rows':>9} {'issues':>9} {'checks s':>9} {'report s':>9} {'table MB':>9} {'peak MB':>9} "
        f"{'failed':>7}"
    )
    for rows in sizes:
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(rows)], capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        figures = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{rows:>9,} {figures['issues']:>9,} {figures['checks_s']:>9.1f} "
            f"{figures['report_s']:>9.1f} "
            f"{figures['table_mb']:>9.0f} {figures['peak_mb']:>9.0f} {figures['failed_checks']:>7}"
        )


if __name__ == "__main__":
    main()
