"""Checks and report on a synthetic table of up to 1,000,000 measured rows, 1 % planted duplicates: seconds and peak memory.

    python benchmarks/scale.py [--rows 10000 100000 1000000]

The figures of the measures are drawn from distributions like those of real photos; no image file exists, so near duplicates are
taken by hash distance alone (verification is timed by benchmarks/speed.py). Each size runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

from dataprep.schemas.columns import FILE, PIXEL
from dataprep.schemas.dataset import Dataset

CLASSES = 100


def synthetic(rows: int, seed: int = 0) -> Dataset:
    """A measured data set without files: unequal classes, three splits, groups of about ten, 1 % duplicates."""
    random = np.random.default_rng(seed)
    samples = pd.DataFrame(index=pd.Index([f"train/{i % 997:03d}/{i:07d}.jpg" for i in range(rows)], name="sample"))
    weights = 1 / np.arange(1, CLASSES + 1)
    labels = random.choice(CLASSES, rows, p=weights / weights.sum())
    samples["label"] = pd.Categorical.from_codes(labels, [f"class{i:03d}" for i in range(CLASSES)])
    samples["split"] = pd.Categorical.from_codes(random.choice(3, rows, p=[0.8, 0.1, 0.1]), ["train", "val", "test"])
    samples["group"] = pd.Categorical.from_codes(random.integers(0, rows // 10, rows), [f"g{i}" for i in range(rows // 10)])
    for column in (*FILE, *PIXEL):
        samples[column.name] = _values(column.name, column.kind, rows, random)
    phash = random.integers(0, 2**64, (rows, 8), dtype=np.uint64)
    _plant_duplicates(samples, phash, random)
    sketch = np.zeros((rows, 2, 144), dtype=np.uint8)  # read only to decide what to decode, which no one does here
    arrays = {"phash": phash, "phash_inner": phash, "sketch": sketch}
    return Dataset("synthetic", samples, "classification", tuple(samples["label"].cat.categories), arrays)


def _values(name: str, kind: str, rows: int, random: np.random.Generator) -> object:
    fixed = {"lost": "", "lost_detail": "", "format": "JPEG", "extension": "jpg", "mode": "RGB", "captured_at": "", "camera": ""}
    if name in fixed:
        return pd.Categorical.from_codes(np.zeros(rows, dtype=np.int8), [fixed[name]]) if kind == "category" else fixed[name]
    if name in ("file_hash", "pixel_hash"):
        return pd.array([f"{value:032x}" for value in random.integers(0, 2**63, rows)], dtype="str")
    if kind == "bool":
        return np.zeros(rows, dtype=bool)
    centres = {
        "width": 400, "height": 533, "bytes": 60_000, "bit_depth": 8, "frames": 1, "orientation": 1, "jpeg_quality": 90,
        "entropy": 7.3, "blockiness": 1.0, "contrast": 0.22, "saturation": 0.25, "chroma_p99": 0.6, "noise": 0.01,
        "border": 0.0, "detail_fraction": 0.9, "directionality": 0.1, "sharpness": 0.5, "luma_mean": 0.5,
        "luma_p01": 0.05, "luma_p05": 0.1, "luma_p25": 0.3, "luma_p50": 0.5, "luma_p75": 0.7, "luma_p95": 0.9, "luma_p99": 0.97,
    }  # fmt: skip
    centre = centres.get(name, 1.0)
    spread = 0 if name in ("bit_depth", "frames", "orientation", "border") else 0.05
    values = centre * (1 + spread * random.standard_normal(rows))
    return np.round(values) if kind == "int" else values.astype(np.float32)


def _plant_duplicates(samples: pd.DataFrame, phash: np.ndarray, random: np.random.Generator) -> None:
    pairs = random.permutation(len(samples))[: len(samples) // 50].reshape(2, -1)
    near, exact = np.array_split(pairs, 2, axis=1)
    hashes = samples["file_hash"].to_numpy(dtype=object, copy=True)
    hashes[exact[1]] = hashes[exact[0]]
    samples["file_hash"] = pd.array(hashes, dtype="str")
    phash[exact[1]] = phash[exact[0]]
    flips = np.uint64(1) << random.integers(0, 64, near.shape[1], dtype=np.uint64)
    phash[near[1]] = phash[near[0]] ^ flips[:, None]


def run(rows: int) -> dict[str, float]:
    """Seconds of the checks and of the report, and peak megabytes of this process, which also built the table."""
    from dataprep.checks.second_look import SecondLook
    from dataprep.engine import make_checks, run_checks
    from dataprep.measures.options import PassOptions
    from dataprep.reports import report
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.run import run_record

    dataset = synthetic(rows)
    table_mb = dataset.samples.memory_usage(deep=True).sum() / 1e6 + dataset.arrays["phash"].nbytes / 1e6
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
        "rows": rows, "issues": len(issues), "checks_s": checked - start, "report_s": done - checked, "table_mb": table_mb,
        "peak_mb": peak_mb, "failed_checks": len(failed),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run(options.one)))
        return
    print(f"{'rows':>9} {'issues':>9} {'checks s':>9} {'report s':>9} {'table MB':>9} {'peak MB':>9} {'failed':>7}")
    for rows in options.rows:
        done = subprocess.run([sys.executable, __file__, "--one", str(rows)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        figures = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{rows:>9,} {figures['issues']:>9,} {figures['checks_s']:>9.1f} {figures['report_s']:>9.1f} "
            f"{figures['table_mb']:>9.0f} {figures['peak_mb']:>9.0f} {figures['failed_checks']:>7}"
        )


if __name__ == "__main__":
    main()
