"""What a pass costs besides reading, decoding, measuring and embedding: microseconds of processor
time a file, in this process and in its workers.

    python benchmarks/pass_costs.py FOLDER [--count 1000] [--rounds 3]

The floor reads and decodes the same files (simplejpeg, RGB) in a process of its own. The pass fills
one column of the header; with views, it makes the views of an embedder too, which does nothing here
(the cost of making a view is in the figure). The second pass finds every file in the cache. Medians
of rounds in turn; what a pass of four files costs is taken off, and given in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from dataprep import Dataset, PassOptions, measure, scan
from dataprep.measures.embedding import contract

FLOOR = """
import sys, simplejpeg
for path in sys.stdin.read().splitlines():
    with open(path, "rb") as file:
        simplejpeg.decode_jpeg(file.read(), "RGB")
"""
#: As in `dataprep.backends.child`.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**28)}


class Idle:
    """An embedder that does nothing."""

    name, size, dim, key, batch = "idle", 160, 8, "idle", 16

    def __call__(self, views: Any) -> Any:
        return np.zeros((len(views), self.dim), np.float32)


def processor_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def floor_s(paths: list[str]) -> float:
    before = processor_s(resource.RUSAGE_CHILDREN)
    text = "\n".join(paths)
    command = [sys.executable, "-c", FLOOR]
    subprocess.run(command, input=text, text=True, check=True, env=os.environ | KEPT_MEMORY)
    return processor_s(resource.RUSAGE_CHILDREN) - before


def pass_s(dataset: Dataset, columns: list[str], options: PassOptions) -> tuple[float, float]:
    """Processor seconds of this process and of its workers."""
    own, theirs = map(processor_s, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    measure(dataset, columns, options)
    return (processor_s(resource.RUSAGE_SELF) - own, processor_s(resource.RUSAGE_CHILDREN) - theirs)


def one_round(dataset: Dataset, paths: list[str], cache: str) -> dict[str, float]:
    count, few = len(dataset), dataset.where(np.arange(len(dataset)) < 4)
    found = {"floor": (floor_s(paths) - floor_s(paths[:4])) / count}
    for title, columns in (("pass", ["width"]), ("views", ["width", "embedding"])):
        options = PassOptions(cache=False)
        start, whole = pass_s(few, columns, options), pass_s(dataset, columns, options)
        found[f"{title}: here"] = (whole[0] - start[0]) / count
        found[f"{title}: workers"] = (whole[1] - start[1]) / count
        found[f"{title}: four files, ms"] = sum(start) / 1e3
    kept = PassOptions(cache_dir=cache, embedder="")
    measure(dataset, ["width"], kept)
    found["second pass"] = sum(pass_s(dataset, ["width"], kept)) / count
    before = time.process_time()
    found["scan"] = 1 / len(scan(dataset.root))
    found["scan"] *= time.process_time() - before
    return {name: 1e6 * seconds for name, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="of JPEG files, last changed more than 2 s ago")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    contract.load_embedder = lambda *_, **__: Idle()  # type: ignore[assignment]
    dataset = scan(given.folder)
    dataset = dataset.where(np.arange(len(dataset)) < given.count)
    paths = [dataset.path(sample) for sample in dataset.samples.index]
    with tempfile.TemporaryDirectory() as cache:
        rounds = [one_round(dataset, paths, cache) for _ in range(given.rounds)]
    for name in rounds[0]:
        print(f"{name:24}{statistics.median(each[name] for each in rounds):9.1f}")


if __name__ == "__main__":
    main()
