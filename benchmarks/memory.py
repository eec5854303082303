"""Peak memory of the pass, beside the size of the table that it fills, for growing numbers of
images.

    python benchmarks/memory.py [--images 5000 20000 80000]

The images are hard links to a hundred small JPEGs, so that the files cost neither space nor time;
each is read, decoded and measured nonetheless. Each size runs in a process of its own; the peak is
that of the process which holds the table, and that of the largest worker stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import dataprep


def make_folder(folder: Path, images: int) -> None:
    """`images` files in `folder`, of a hundred different contents."""
    random = np.random.default_rng(0)
    for index in range(images):
        path = folder / f"{index:07d}.jpg"
        if index < 100:
            coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(path, quality=90)
        else:
            os.link(folder / f"{index % 100:07d}.jpg", path)


def run(images: int) -> dict[str, float]:
    """Megabytes: peak of this process above what it had before the pass, the table, the largest
    worker.
    """
    with tempfile.TemporaryDirectory() as folder:
        make_folder(Path(folder), images)
        dataset = dataprep.scan(folder)
        measure = dataprep.measure  # loads the libraries, whose memory is not the pass's
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        measured = measure(dataset, options=dataprep.PassOptions(cache=False))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = measured.samples.memory_usage(deep=True).sum() + sum(
        array.nbytes for array in measured.arrays.values()
    )
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "growth": (after - before) / 1024,
        "table": table / 2**20,
        "peak": after / 1024,
        "worker": worker / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[5_000, 20_000, 80_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run(options.one)))
        return
    print(f"{'images':>8} {'table MB':>9} {'pass adds MB':>13} {'peak MB':>8} {'worker MB':>10}")
    for images in options.images:
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(images)], capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        figures = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{images:>8,} {figures['table']:>9.1f} {figures['growth']:>13.1f} "
            f"{figures['peak']:>8.0f} {figures['worker']:>10.0f}"
        )


if __name__ == "__main__":
    main()
