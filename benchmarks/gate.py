"""One image held against known ones: time to load them, time per image, and what hashes find.

    python benchmarks/gate.py [--data ../shared/data] [--known 10000] [--images 200]

The known images are the photos of DATA/photos, measured, and made-up ones (random hashes and
vectors) up to `--known`. Images asked are the untouched photos of DATA/quality, some of which are known. "found" are the edits of
DATA/neardup whose original is known. Seconds are the processor's, in one process.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import dataprep

_LOADING = """
import sys, time
import dataprep.gate.known_images
since, before = time.perf_counter(), time.process_time()
known = dataprep.KnownImages.load(sys.argv[1])
known.examine(sys.argv[2], embed=False, judge=False)
print(time.perf_counter() - since, time.process_time() - before)
"""
WAYS: dict[str, dict[str, bool]] = {
    "with embedding and checks": {},
    "with embedding": {"judge": False},
    "with checks": {"embed": False},
    "hashes alone": {"embed": False, "judge": False},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", default=str(default))
    parser.add_argument("--known", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    data = Path(options.data)
    known = dataprep.KnownImages.of(dataprep.measure(dataprep.scan(data / "photos" / "images")))
    known = with_made_up(known, options.known)
    asked = untouched(data / "quality")[: options.images]
    with tempfile.TemporaryDirectory() as folder:
        known.save(folder)
        size = sum(entry.stat().st_size for entry in os.scandir(folder))
        command = [sys.executable, "-c", _LOADING, folder, str(asked[0])]
        wall, cpu = subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout.split()
        print(f"{len(known):,} known images, {size / 1e6:,.0f} MB")
        print(f"load and first image: {float(wall):.2f} s wall, {float(cpu):.2f} s processor")
        loaded = dataprep.KnownImages.load(folder)
        for way, flags in WAYS.items():
            times = [time_of(loaded, path, flags) for path in asked]
            print(
                f"{way:<28} median {np.median(times):6.1f} ms, 95 % {np.quantile(times, 0.95):6.1f}"
            )
        show_false(loaded, asked)
    show_edits(data / "neardup")


def time_of(known: dataprep.KnownImages, path: Path, flags: dict[str, bool]) -> float:
    """Milliseconds for one image."""
    before = time.process_time()
    known.examine(path, **flags)
    return 1000 * (time.process_time() - before)


def show_false(known: dataprep.KnownImages, asked: list[Path]) -> None:
    """How many of the photos that are not among the known ones are called near a known one; some
    files are in both sets.
    """
    found = [known.examine(path, **WAYS["hashes alone"]).copies for path in asked]
    new = [copies for copies in found if not copies or copies[0].kind == "near"]
    print(f"new photos with a near known one, by hashes: {sum(map(bool, new))} of {len(new)}")


def untouched(folder: Path) -> list[Path]:
    """The photos that no fault was planted in."""
    with open(folder / "truth.csv", newline="") as file:
        return [
            folder / "images" / row["path"]
            for row in csv.DictReader(file)
            if row["fault"] == "none"
        ]


def with_made_up(known: dataprep.KnownImages, count: int) -> dataprep.KnownImages:
    """`known` with random images, `count` in all."""
    random, more = np.random.default_rng(0), max(0, count - len(known))
    arrays: dict[str, Any] = {}
    for name, values in known.arrays.items():
        if values.dtype.kind == "f":
            made = random.normal(size=(more, *values.shape[1:])).astype(np.float32)
            if name == "features":
                made /= np.linalg.norm(made, axis=1, keepdims=True)
        else:
            limits = np.iinfo(values.dtype)
            made = random.integers(
                0, limits.max, (more, *values.shape[1:]), values.dtype, endpoint=True
            )
        arrays[name] = np.concatenate([values, made])
    arrays["phash_inner"][len(known) :] = arrays["phash"][len(known) :]
    arrays["leading"] = np.ascontiguousarray(
        arrays["features"][:, : known.arrays["leading"].shape[1]]
    )
    arrays["as_near"] = known.arrays["as_near"]
    names = pd.Index([f"made/{number:07d}.jpg" for number in range(more)], name="sample")
    samples = pd.concat([known.samples, pd.DataFrame(index=names)])
    return replace(known, samples=samples, arrays=arrays)


def show_edits(folder: Path) -> None:
    """The share of each kind of edit whose original is found."""
    with open(folder / "truth.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    originals = {row["path"] for row in rows if row["edit"] in ("original", "distractor")}
    dataset = dataprep.measure(dataprep.scan(folder / "images"))
    group = {row["path"]: row["group"] for row in rows}
    known = dataprep.KnownImages.of(dataset.where(dataset.samples.index.isin(originals)))
    found: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        if row["path"] not in originals:
            copies = known.examine(folder / "images" / row["path"], **WAYS["hashes alone"]).copies
            found[row["edit"]].append(any(group[each.sample] == row["group"] for each in copies))
    print(f"edits found, of {len(originals)} known images:")
    for edit, hits in sorted(found.items(), key=lambda item: -np.mean(item[1])):
        print(f"  {edit:<28}{np.mean(hits):6.0%} of {len(hits)}")


if __name__ == "__main__":
    main()
