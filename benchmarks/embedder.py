"""What embedding costs: the network alone, and in the pass over the files.

    python benchmarks/embedder.py [--data ../shared/data] [--photos 1000] [--rounds 3]

Milliseconds an image, processor (of all threads and processes) and wall, medians of rounds in turn,
on the photos under DATA/photos/images (repeated where there are fewer):

- alone: ready views through the embedder, for each back end that is installed (onnxruntime on the
  processor and, where it sees one, on a GPU; OpenVINO), by number of threads.
- in the pass: `dataprep.measure` without cache in a fresh process, with the default embedder less
  the same without: so it holds the view, its way to this process and the load of the library too.

The processor's share of a pass tells whether a core was idle: 100 % is none.
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
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from unittest.mock import patch

import numpy as np

from dataprep.backends.capacity import worker_count
from dataprep.measures.decode.decoding import open_pixels, read_bytes
from dataprep.measures.embedding import lite0 as module
from dataprep.measures.embedding import sessions
from dataprep.measures.embedding.contract import Embedder, view_of

#: Processor and wall seconds.
Seconds = tuple[float, float]

_VIEWS = 256
_PASS = """
import sys
from dataprep import PassOptions, measure, scan
measure(scan(sys.argv[1]), options=PassOptions(cache=False, embedder=sys.argv[2]))
"""


def main() -> None:
    """Print the table."""
    options = _parse()
    photos = sorted(Path(options.data, "photos", "images").rglob("*.jpg"))
    if not photos:
        raise SystemExit(f"no photos under {options.data}/photos/images")
    views = np.stack([view_of(open_pixels(read_bytes(str(p))).rgb, 160) for p in photos[:_VIEWS]])
    print(f"{'':38}processor      wall   ms an image")
    alone = {name: _runner(make(), views) for name, make in back_ends().items()}
    for name, seconds in in_turn(alone, options.rounds).items():
        _show(f"alone, {name}", seconds, len(views))
    with tempfile.TemporaryDirectory() as folder:
        for number, photo in enumerate(islice(cycle(photos), options.photos)):
            os.symlink(photo.resolve(), Path(folder, f"{number:06}.jpg"))
        passes = {name: _pass(folder, name) for name in ("", "lite0")}
        plain, embedding = in_turn(passes, options.rounds).values()
    _show("in the pass", (embedding[0] - plain[0], embedding[1] - plain[1]), options.photos)
    for name, seconds in (("without", plain), ("with", embedding)):
        _show(f"the pass {name} embedding", seconds, options.photos)
        busy = seconds[0] / seconds[1] / worker_count()
        print(f"{'':38}{busy:8.0%} of the cores at work")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        default=str(Path(__file__).parents[2] / "shared" / "data"),
        help="folder with photos/images",
    )
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def back_ends() -> dict[str, Callable[[], Embedder]]:
    """The default embedder on all that is installed."""
    everything = worker_count()
    found: dict[str, Callable[[], Embedder]] = {}
    for threads in sorted({1, everything}):
        found[f"onnxruntime, {threads} threads"] = _on("cpu", threads, open_vino=False)
        if sessions.has_openvino():
            found[f"OpenVINO, {threads} threads"] = _on("cpu", threads, open_vino=True)
    if sessions.gpu_for("auto"):
        found["onnxruntime, GPU"] = _on("cuda", everything, open_vino=False)
    return found


def _on(device: str, threads: int, *, open_vino: bool) -> Callable[[], Embedder]:
    def make() -> Embedder:
        with patch.object(module, "has_openvino", lambda: open_vino):
            return module.lite0(160, threads, device)

    return make


def in_turn(runs: dict[str, Callable[[], Seconds]], rounds: int) -> dict[str, Seconds]:
    """Medians of every run, after one that does not count."""
    for run in runs.values():
        run()
    taken = [{name: run() for name, run in runs.items()} for _ in range(rounds)]
    return {
        name: (
            statistics.median(each[name][0] for each in taken),
            statistics.median(each[name][1] for each in taken),
        )
        for name in runs
    }


def _runner(embedder: Embedder, views: np.ndarray) -> Callable[[], Seconds]:
    def run() -> Seconds:
        since, before = time.perf_counter(), time.process_time()
        for start in range(0, len(views), embedder.batch):
            embedder(views[start : start + embedder.batch])
        return time.process_time() - before, time.perf_counter() - since

    return run


def _pass(folder: str, embedder: str) -> Callable[[], Seconds]:
    def run() -> Seconds:
        since, before = time.perf_counter(), sum(_used())
        subprocess.run([sys.executable, "-c", _PASS, folder, embedder], check=True)
        return sum(_used()) - before, time.perf_counter() - since

    return run


def _used() -> Iterator[float]:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield from (used.ru_utime, used.ru_stime)


def _show(name: str, seconds: Seconds, images: int) -> None:
    processor, wall = (1000 * each / images for each in seconds)
    print(f"{name:38}{processor:9.2f}{wall:10.2f}", flush=True)


if __name__ == "__main__":
    main()
