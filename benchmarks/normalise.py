"""How fast `dataprep.fit_normaliser` streams, against only decoding; and how exact its figures are.

    python benchmarks/normalise.py --data ../shared/data [--photos 10000] [--rounds 3]

The photos under DATA/photos/images are linked under as many names as it takes to make --photos of
them, in benchmarks/.work. In every round, one after the other on the same cores with the files in
the system's file cache:

- floor, plain pool: read every file and decode it to RGB with simplejpeg in a
  `ProcessPoolExecutor`.
- floor, guarded pool: the same in dataprep's own workers, which may die without taking the run with
  them.
- normalise: `dataprep.fit_normaliser`, the whole call.

The ratio is images per second of normalise over those of a floor, the median over the rounds (each
round's three beside each other), with the rounds' own; of wall seconds, and of processor seconds,
which other work on the machine moves less.

Exactness: the largest difference of mean and standard deviation from a two-pass result in 64-bit
floating point over --exact photos, for both weightings.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

import dataprep
from dataprep.backends import imap
from dataprep.measures.options import PassOptions

WORK = Path(__file__).parent / ".work"


def main() -> None:
    """Print the rounds, the ratios and the exactness."""
    options = _parse()
    sources = sorted((Path(options.data) / "photos" / "images").rglob("*.jpg"))
    if not sources:
        sys.exit(
            f"no photos under {Path(options.data) / 'photos' / 'images'}; give their folder by "
            "--data"
        )
    folder = link_photos(sources, options.photos)
    dataset = dataprep.scan(folder)
    files = [dataset.path(name) for name in dataset.samples.index]
    print(f"{len(files):,} photos, {options.jobs} processes")
    decode_plain(files, options.jobs)  # the first run fills the file cache
    rounds = []
    for number in range(options.rounds):
        works: tuple[Callable[[], Any], ...] = (
            lambda: decode_plain(files, options.jobs),
            lambda: decode_guarded(files, options.jobs),
            lambda: dataprep.fit_normaliser(
                dataset, part=None, kind="z-score", options=PassOptions(jobs=options.jobs)
            ),
        )
        seconds = [timed(work) for work in works]
        rounds.append(seconds)
        plain, guarded, ours = (len(files) / wall for wall, _ in seconds)
        print(
            f"round {number + 1}: plain pool {plain:,.0f} images/s, guarded pool {guarded:,.0f}, "
            f"normalise {ours:,.0f}"
        )
    for place, name in enumerate(("plain", "guarded")):
        for kind, unit in enumerate(("wall", "processor")):
            ratios = [seconds[place][kind] / seconds[2][kind] for seconds in rounds]
            each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
            print(
                f"normalise / decode floor on the {name} pool, {unit}: "
                f"{statistics.median(ratios):.3f} (rounds: {each})"
            )
    print_exactness(sources[: options.exact])


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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--exact", type=int, default=60, help="photos of the two-pass comparison")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def link_photos(sources: list[Path], count: int) -> Path:
    """The folder with `count` links to the photos; made only if it is not there."""
    target = WORK / f"repeated-{count}"
    if not target.exists():
        partial = target.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            place = partial / f"{number:06d}.jpg"
            if not place.exists():
                place.symlink_to(sources[number % len(sources)].resolve())
        partial.rename(target)
    return target


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall seconds, and processor seconds of this process and those that it ended."""
    since, before = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - since, sum(os.times()[:4]) - before


def decode_plain(files: list[str], jobs: int) -> int:
    """Read and decode every file in a plain pool."""
    with ProcessPoolExecutor(jobs) as pool:
        return sum(pool.map(_decode, files, chunksize=32))


def decode_guarded(files: list[str], jobs: int) -> int:
    """Read and decode every file in guarded workers."""
    with closing(imap(f"{Path(__file__).stem}:decoding", files, jobs=jobs)) as results:  # type: ignore[type-var]
        return sum(result for _, result in results)


def decoding(setup: None) -> Callable[[str], int]:
    """The workers' task."""
    return _decode


def _decode(path: str) -> int:
    with open(path, "rb") as file:
        return int(simplejpeg.decode_jpeg(file.read(), "RGB").shape[0])


def print_exactness(sources: list[Path]) -> None:
    """The largest difference from two passes over all pixels in 64-bit floating point."""
    images = [
        simplejpeg.decode_jpeg(path.read_bytes(), "RGB").reshape(-1, 3) / np.float64(255)
        for path in sources
    ]
    pixels, sizes = np.concatenate(images), np.array([len(image) for image in images])
    for weighting, weights in (
        ("pixels", np.ones(len(pixels))),
        ("images", np.repeat(1 / sizes, sizes)),
    ):
        weight = weights[:, None] / weights.sum()
        mean = (pixels * weight).sum(axis=0)
        std = np.sqrt(((pixels - mean) ** 2 * weight).sum(axis=0))
        ours = dataprep.fit_normaliser(
            dataprep.scan(sources), part=None, kind="z-score", weighting=weighting
        ).statistics
        assert ours is not None
        worst = max(np.abs(ours.mean - mean).max(), np.abs(ours.std - std).max())
        print(
            f"exactness, weighting {weighting}: {worst:.1e} from a two-pass result over "
            f"{ours.pixels:,} pixels"
        )


if __name__ == "__main__":
    main()
