"""How long `dataprep audit` takes on photos, against only decoding them, against its own second
run, cleanvision and fastdup.

    python benchmarks/speed.py --data ../shared/data --photos 10000 [--cleanvision-python PYTHON]
    [--fastdup-python PYTHON]

The photos are made once, under benchmarks/.work, from the photos under DATA/photos/images: each of
those is cut into six disjoint tiles, and every new photo is one tile, or a blend of two tiles of
different photos, enlarged to 400 x 533, given the grain that enlarging took away, and stored as
JPEG of quality 90. No two share a part, but for the 1 % that are planted as duplicates: half of
them copies, half re-encoded.

Wall seconds are what counts; processor seconds beside them tell whether something else kept the
machine busy. All rows run on the same cores with the files in the system's file cache:

- decode: only read every file and decode it once to full-size RGB with simplejpeg, in a plain
  process pool. The floor; the best of its runs before and after the others.
- pass: `dataprep.measure`, which embeds too, without cache, with an empty cache, and again with the
  cache that this filled.
- audit: the whole command with --no-cache, its stages, and what of it verified near duplicates. The
  checks of `BUDGETED` draw random splits, relabellings or subsets as long as their budget allows,
  and count apart; so does the feature map.
- audit without embedding: the same with --no-embedding.
- cleanvision, fastdup: their defaults, when the Python given can import them.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

#: Wall and processor seconds.
Seconds = tuple[float, float]

WORK = Path(__file__).parent / ".work"
COLUMNS, ROWS, WIDTH, HEIGHT, QUALITY, GRAIN = 2, 3, 400, 533, 90, 3.0

_PASS = """
import os, sys, time
from dataprep import PassOptions, measure, scan
dataset = scan(sys.argv[1])
for cache in sys.argv[3:]:
    since, before = time.perf_counter(), sum(os.times()[:4])
    measure(dataset, options=PassOptions(cache=cache == "cache", cache_dir=sys.argv[2]))
    print(time.perf_counter() - since, sum(os.times()[:4]) - before)
"""
_CLEANVISION = """
import sys, time
from cleanvision import Imagelab
since = time.perf_counter()
lab = Imagelab(data_path=sys.argv[1])
lab.find_issues(n_jobs=int(sys.argv[2]))
print(time.perf_counter() - since, file=sys.stderr)
"""
_FASTDUP = """
import sys, time
import fastdup
since = time.perf_counter()
fastdup.create(work_dir=sys.argv[2], input_dir=sys.argv[1]).run(overwrite=True)
print(time.perf_counter() - since, file=sys.stderr)
"""
#: Stages on a budget of their own: permutation nulls, learning curve, feature map.
BUDGETED = (
    "check:shortcut",
    "check:trigger",
    "check:distribution-mismatch",
    "check:label-shift",
    "check:learning-curve",
    "map",
)


def main() -> None:
    """Print the table."""
    options = _parse()
    photos = make_photos(Path(options.data), options.photos)
    files = [str(path) for path in sorted(photos.rglob("*.jpg"))]
    print(
        f"{len(files):,} photos, {sum(map(os.path.getsize, files)) / 1e6:,.0f} MB, {options.jobs} "
        "processes"
    )
    floors = [decode_all(files, options.jobs) for _ in range(2)]
    rows = dict(time_pass(photos))
    rows |= time_audit(photos)
    rows["audit, --no-embedding"] = time_command(photos, "--no-embedding")
    if options.cleanvision_python:
        command = [options.cleanvision_python, "-c", _CLEANVISION, str(photos), str(options.jobs)]
        rows["cleanvision, default checks"] = time_peer("cleanvision", command)
    if options.fastdup_python:
        command = [options.fastdup_python, "-c", _FASTDUP, str(photos), str(WORK / "fastdup")]
        rows["fastdup, defaults"] = time_peer("fastdup", command)
    floors.append(decode_all(files, options.jobs))
    _show({"decode only": min(floors), **rows}, len(files))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        default=str(Path(__file__).parents[2] / "shared" / "data"),
        help="folder with photos/images",
    )
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument(
        "--jobs",
        type=int,
        default=len(os.sched_getaffinity(0)),
        help="processes of decode and cleanvision",
    )
    parser.add_argument(
        "--cleanvision-python",
        default="",
        help="a Python with cleanvision, in an environment of its own",
    )
    parser.add_argument(
        "--fastdup-python", default="", help="a Python with fastdup, in an environment of its own"
    )
    return parser.parse_args()


def make_photos(data: Path, count: int) -> Path:
    """The folder with `count` made photos in ten class folders; made only if it is not there."""
    target = WORK / f"photos-{count}"
    if target.exists():
        return target
    sources = sorted(map(str, (data / "photos" / "images").rglob("*.jpg")))
    if not sources:
        sys.exit(f"no photos under {data / 'photos' / 'images'}; give their folder by --data")
    planted = count // 100
    recipes = _recipes(sources, count - planted)
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for folder in range(10):
        (partial / f"class{folder}").mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        list(
            pool.map(
                _make_photo,
                recipes,
                (_place(partial, i) for i in range(len(recipes))),
                chunksize=64,
            )
        )
    _plant(partial, len(recipes), planted)
    partial.rename(target)
    return target


def _recipes(sources: list[str], count: int) -> list[list[tuple[str, int]]]:
    """For each new photo the tiles that it is made of; no tile is used twice."""
    random = np.random.default_rng(0)
    tiles = [(source, tile) for source in sources for tile in range(COLUMNS * ROWS)]
    order = [tiles[i] for i in random.permutation(len(tiles))]
    if count > len(order):
        sys.exit(
            f"{len(sources):,} photos give at most {len(order):,} new ones, {count:,} were asked "
            "for"
        )
    blends = min(len(order) - count, count // 4)
    return [[order[i], order[count + i]] if i < blends else [order[i]] for i in range(count)]


def _make_photo(recipe: list[tuple[str, int]], place: Path) -> None:
    import cv2

    parts = [
        cv2.resize(_tile(*part), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        for part in recipe
    ]
    shift = np.random.default_rng(int(place.stem)).integers(0, HEIGHT * WIDTH)
    grain = np.roll(_grain(), shift).reshape(HEIGHT, WIDTH, 1)
    pixels = np.clip(np.mean(parts, axis=0) + grain, 0, 255).astype(np.uint8)
    place.write_bytes(simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorsubsampling="420"))


@cache
def _grain() -> Any:
    return np.random.default_rng(0).normal(0, GRAIN, HEIGHT * WIDTH).astype(np.float32)


def _tile(source: str, tile: int) -> Any:
    pixels = simplejpeg.decode_jpeg(Path(source).read_bytes())
    height, width = pixels.shape[0] // ROWS, pixels.shape[1] // COLUMNS
    top, left = tile // COLUMNS * height, tile % COLUMNS * width
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _place(folder: Path, index: int) -> Path:
    return folder / f"class{index % 10}" / f"{index:05d}.jpg"


def _plant(folder: Path, made: int, planted: int) -> None:
    for number in range(planted):
        original = _place(folder, number * (made // max(planted, 1))).read_bytes()
        copy = (
            original
            if number % 2
            else simplejpeg.encode_jpeg(simplejpeg.decode_jpeg(original), quality=75)
        )
        _place(folder, made + number).write_bytes(copy)


@contextmanager
def stopwatch() -> Iterator[Callable[[], Seconds]]:
    """Gives a function that tells the seconds of the block, with those of the processes it
    ended.
    """
    since, before = time.perf_counter(), sum(os.times()[:4])
    yield lambda: (time.perf_counter() - since, sum(os.times()[:4]) - before)


def decode_all(files: list[str], jobs: int) -> Seconds:
    """Read and decode every file in a plain pool."""
    with stopwatch() as seconds:
        with ProcessPoolExecutor(jobs) as pool:
            sum(pool.map(_decode, files, chunksize=32))
        return seconds()


def _decode(path: str) -> int:
    with open(path, "rb") as file:
        return int(simplejpeg.decode_jpeg(file.read(), "RGB").shape[0])


def time_pass(photos: Path) -> Iterator[tuple[str, Seconds]]:
    """The pass alone: without cache, filling it, and with it."""
    folder = WORK / "cache"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-c", _PASS, str(photos), str(folder), "none", "cache", "cache"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    names = ("pass, no cache", "pass, filling the cache", "pass, second time")
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        wall, cpu = map(float, line.split())
        yield name, (wall, cpu)


def time_audit(photos: Path) -> dict[str, Seconds]:
    """The whole command, and its stages."""
    rows = {"audit, whole command, no cache": time_command(photos)}
    out = WORK / "out"
    stages = json.loads((out / "audit" / "run.json").read_text())["seconds"]
    with open(out / "audit" / "issues.csv", newline="", encoding="utf-8") as file:
        pairs = sum(
            issue["check"] in ("near-duplicate", "exact-duplicate")
            for issue in csv.DictReader(file)
        )
    looking = sum(
        stages.get(f"check:{check}", 0.0)
        for check in ("near-duplicate", "exact-duplicate", "label-conflict")
    )
    print(
        f"duplicates: {looking:.2f} s for {pairs:,} pairs, {1000 * looking / max(pairs, 1):.1f} ms "
        "per verified pair"
    )
    on_budget = sum(spent for stage, spent in stages.items() if stage in BUDGETED)
    rows["  without what has a budget of its own"] = (
        rows["audit, whole command, no cache"][0] - on_budget,
        math.nan,
    )
    return rows | {
        f"  of it {stage}": (spent, math.nan) for stage, spent in stages.items() if spent >= 0.1
    }


def time_command(photos: Path, *flags: str) -> Seconds:
    """``dataprep audit`` as a user runs it, without the cache."""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "dataprep",
        "audit",
        str(photos),
        "--no-cache",
        "--quiet",
        "--out",
        str(out),
        *flags,
    ]
    with stopwatch() as seconds:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return seconds()


def time_peer(name: str, command: list[str]) -> Seconds:
    """What a peer's own clock says, imports left out, and the processor's."""
    with stopwatch() as seconds:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        _, cpu = seconds()
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr}")
    return float(done.stderr.split()[-1]), cpu


def _show(rows: dict[str, Seconds], files: int) -> None:
    floor, floor_cpu = rows["decode only"]
    print(f"{'':<44}{'seconds':>9}{'ms/file':>9}{'x decode':>10}{'processor':>11}{'x decode':>10}")
    for name, (wall, cpu) in rows.items():
        print(f"{name:<44}{wall:>9.2f}{1000 * wall / files:>9.3f}{wall / floor:>10.2f}", end="")
        print("" if math.isnan(cpu) else f"{cpu:>11.2f}{cpu / floor_cpu:>10.2f}")
    print(
        f"second pass: {rows['pass, second time'][0] / rows['pass, filling the cache'][0]:.1%} of "
        "the first"
    )
    for peer in ("cleanvision, default checks", "fastdup, defaults"):
        if peer in rows:
            whole, bare = (
                rows[peer][0] / rows[ours][0]
                for ours in ("audit, whole command, no cache", "audit, --no-embedding")
            )
            print(
                f"{peer}: {bare:.1f} times as long as the audit without embedding, {whole:.1f} as "
                "the whole audit"
            )


if __name__ == "__main__":
    main()
