"""Cost of scanning: a folder of many empty files, with and without a manifest that lists them:
seconds, CPU seconds, peak MB.

    python benchmarks/scan.py [--files 10000 100000 1000000]

The floor is os.walk over the same folder. Files lie in 1,000 class folders; each figure comes from
a process of its own, with the folder's entries in the operating system's cache.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

CLASSES = 1000


def make(root: str, files: int) -> str:
    """Make the files and their manifest; give back its path."""
    manifest = os.path.join(root, "labels.csv")
    with open(manifest, "w", encoding="utf-8") as listing:
        listing.write("path,label,split,patient_id,weight\n")
        for label in range(CLASSES):
            os.makedirs(os.path.join(root, "images", f"class{label:04d}"))
            folder = os.open(os.path.join(root, "images", f"class{label:04d}"), os.O_RDONLY)
            for i in range(files // CLASSES):
                os.close(os.open(f"{i:06d}.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
                split = ("val", "train", "train", "train", "test")[i % 5]
                listing.write(
                    f"images/class{label:04d}/{i:06d}.jpg,class{label:04d},{split},p{i % 777},{i / 7:.3f}\n"
                )
            os.close(folder)
    return manifest


def walk(root: str) -> int:
    return sum(len(names) for _, _, names in os.walk(os.path.join(root, "images")))


def folder(root: str) -> int:
    from dataprep import scan

    return len(scan(os.path.join(root, "images")))


def manifest_alone(root: str) -> int:
    from dataprep import scan

    return len(scan(os.path.join(root, "labels.csv")))


def manifest_and_folder(root: str) -> int:
    from dataprep import scan

    dataset = scan(root, manifest=os.path.join(root, "labels.csv"))
    assert dataset.faults is not None
    assert not len(dataset.faults)
    return len(dataset)


WAYS = {way.__name__: way for way in (walk, folder, manifest_alone, manifest_and_folder)}


def one(way: str, root: str) -> None:
    import pandas  # noqa: F401 - its import is no part of the scan

    started, used = time.perf_counter(), time.process_time()
    files = WAYS[way](root)
    print(
        files,
        time.perf_counter() - started,
        time.process_time() - used,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(*options.one)
        return
    print(f"{'files':>10}  {'what':<22}{'seconds':>9}{'CPU':>9}{'peak MB':>9}")
    for files in options.files:
        with tempfile.TemporaryDirectory() as root:
            make(root, files)
            for way in WAYS:
                done = subprocess.run(
                    [sys.executable, __file__, "--one", way, root],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                found, seconds, used, megabytes = map(float, done.stdout.split())
                print(
                    f"{found:>10,.0f}  "
                    f"{way.replace('_', ' '):<22}{seconds:>9.2f}{used:>9.2f}{megabytes:>9.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
