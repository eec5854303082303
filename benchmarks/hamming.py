"""All pairs of 64-bit hashes within a radius: seconds, peak memory and recall of planted pairs, for
uniform and crowded hashes.

    python benchmarks/hamming.py [--sizes 10000 100000 1000000] [--radius 8]

Cases: `uniform` random hashes; `clusters` of 100 hashes about 6 bits from each other; `one crowd`:
a tenth of all hashes are near-identical. In each, 5 % of the hashes have a planted neighbour at
exactly the radius; of these, `recall` were found. `cut` counts the hashes in crowds, of which not
every pair was looked at: the planted pairs lie outside of crowds but for `clusters`. Each case runs
in a process of its own; memory includes the hashes and the pairs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

from dataprep.neighbours.hamming import collapse, pairs_within

CASES = ("uniform", "clusters", "one crowd")


def flip(
    hashes: NDArray[np.uint64], share: float, random: np.random.Generator
) -> NDArray[np.uint64]:
    """Every bit of every hash changed with probability `share`."""
    flipped = hashes.copy()
    for bit in range(64):
        flipped ^= (random.random(len(hashes)) < share).astype(np.uint64) << np.uint64(bit)
    return flipped


def make(
    case: str, size: int, radius: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
    """(hashes, first of each planted pair, second of each planted pair)."""
    random = np.random.default_rng(0)
    planted = size // 20
    hashes = random.integers(0, 2**64, size - planted, dtype=np.uint64)
    if case == "clusters":
        hashes = flip(np.repeat(hashes[: -(-len(hashes) // 100)], 100)[: len(hashes)], 0.05, random)
    first = hashes[:planted].copy()
    if case == "one crowd":
        hashes[-(size // 10) :] = flip(np.repeat(hashes[-1:], size // 10), 0.06, random)
    bits = np.argsort(random.random((planted, 64)), axis=1)[:, :radius].astype(np.uint64)
    second = first ^ np.bitwise_or.reduce(np.uint64(1) << bits, axis=1)
    return np.concatenate([hashes, second]), first, second


def run(case: str, size: int, radius: int) -> dict[str, float]:
    """Figures of one case."""
    hashes, first, second = make(case, size, radius)
    start = time.perf_counter()
    distinct, _ = collapse(hashes)
    found = pairs_within(distinct, radius)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    keys = found.a.astype(np.int64) << 32 | found.b
    a, b = np.searchsorted(distinct, first), np.searchsorted(distinct, second)
    wanted = np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b)
    return {
        "s": seconds,
        "mb": peak,
        "pairs": len(found),
        "cut": found.cut,
        "recall": float(np.isin(wanted, keys).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--radius", type=int, default=8)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run(options.one[0], int(options.one[1]), options.radius)))
        return
    print(f"radius {options.radius}")
    print(
        f"{'case':>10} {'hashes':>10} {'seconds':>8} {'peak MB':>8} {'pairs':>12} {'cut':>9} "
        f"{'recall':>7}"
    )
    for case in CASES:
        for size in options.sizes:
            command = [
                sys.executable,
                __file__,
                "--radius",
                str(options.radius),
                "--one",
                case,
                str(size),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            row = json.loads(done.stdout.splitlines()[-1])
            figures = (
                f"{row['s']:>8.1f} {row['mb']:>8.0f} {row['pairs']:>12,} {row['cut']:>9,} "
                f"{row['recall']:>7.4f}"
            )
            print(f"{case:>10} {size:>10,} {figures}", flush=True)


if __name__ == "__main__":
    main()
