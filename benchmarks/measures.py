"""Processor time of the measures, in Python and compiled, beside reading and decoding the file.

    python -m benchmarks.measures FOLDER [--limit 600]

Prints medians in microseconds per image and their ratio to the floor (the file read and, for JPEG,
decoded by simplejpeg): the worker's whole task without and with the embedder's view, all measures
and each one. Each image is taken by every way in turn, so that what else runs costs all alike.
Columns that are computed together are charged to the first of them.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

import simplejpeg

from dataprep.measures import builtin_measures, compiled
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.options import PassOptions
from dataprep.measures.work import Setup, measures_of, measuring

_WAYS = {"python": None, "compiled": compiled.KERNEL}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=600)
    arguments = parser.parse_args()
    paths = [str(path) for path in sorted(arguments.folder.rglob("*")) if path.is_file()]
    spent = measure_times(paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit])
    print(f"measures: {compiled.describe_measures()}; {len(spent['floor', ''])} images")
    floor = median(spent["floor", ""])
    print(f"{'':28}{'python':>10}{'compiled':>10}{'x floor':>10}{'x floor':>10}")
    for name in dict.fromkeys(name for name, _ in spent):
        times = [median(spent.get((name, way), [0.0])) * 1e6 for way in _WAYS]
        if name == "floor":
            print(f"{name:28}{floor * 1e6:10.1f}")
        elif max(times) >= 1:
            ratios = [each / floor / 1e6 for each in times]
            print(f"{name:28}{times[0]:10.1f}{times[1]:10.1f}{ratios[0]:10.3f}{ratios[1]:10.3f}")


def measure_times(paths: list[str]) -> dict[tuple[str, str], list[float]]:
    """Seconds of processor time by (what, way), one for each image."""
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    columns = tuple(measure.column for measure in measures_of())
    task, with_view = (measuring(Setup(columns, PassOptions(), view=view)) for view in (0, 160))
    for path in paths:
        try:
            data = read_bytes(path)
            open_pixels(data)
        except Undecodable:
            continue
        spent["floor", ""].append(_timed(lambda path=path: _floor(path)))
        for way, kernel in _WAYS.items():
            compiled.KERNEL = kernel
            spent["whole task", way].append(_timed(lambda path=path: task(path)))
            spent["whole task with view", way].append(_timed(lambda path=path: with_view(path)))
            pixels = open_pixels(data)
            each = {
                measure.column: _timed(lambda measure=measure, pixels=pixels: measure(pixels))
                for measure in builtin_measures()
            }
            spent["all measures", way].append(sum(each.values()))
            for column, seconds in each.items():
                spent[column, way].append(seconds)
    return spent


def _floor(path: str) -> None:
    data = Path(path).read_bytes()
    if data[:2] == b"\xff\xd8":
        simplejpeg.decode_jpeg(data, "RGB")
    else:
        open_pixels(data)


def _timed(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began


if __name__ == "__main__":
    main()
