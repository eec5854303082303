"""Hostile files: every odd, broken and fuzzed file of a folder in one run; each is measured or
reported with a reason.

    python benchmarks/hostile.py [--data DIR] [--verbose]

``DIR/hostile/manifest.csv`` says what Pillow alone makes of each file; that is a reference
decoder's behaviour, not the truth, and the disagreements are listed. Exits with 1 when a file is
neither measured nor reported.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

import dataprep
from dataprep.checks.statistics.arrays import figures, texts
from dataprep.measures.decode_pass import measure
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.lost import REASONS
from dataprep.schemas.text.names import escape_name


def measured(folder: Path) -> tuple[Dataset, float]:
    """Every file of `folder`, whatever its name, measured in one pass without the cache; and the
    seconds it took.
    """
    paths = sorted(str(path) for path in folder.iterdir())
    start = time.perf_counter()
    dataset = measure(dataprep.scan(files=paths), options=dataprep.PassOptions(cache=False))
    return dataset, time.perf_counter() - start


def fates(dataset: Dataset) -> dict[str, tuple[str, str]]:
    """File name to ("measured", "") or the reason and the detail of its loss; ("", "") when it
    has neither.
    """
    lost, details = texts(dataset, "lost", lost=True), texts(dataset, "lost_detail", lost=True)
    means = figures(dataset, "luma_mean")
    return {
        sample.rpartition("/")[2]: (reason or ("" if np.isnan(mean) else "measured"), detail)
        for sample, reason, detail, mean in zip(
            dataset.samples.index, lost, details, means, strict=True
        )
    }


def print_counts(found: dict[str, tuple[str, str]]) -> None:
    print(f"{'fate':16} {'files':>5}")
    for fate, count in Counter(fate for fate, _ in found.values()).most_common():
        print(f"{fate or 'UNACCOUNTED':16} {count:5}")


def print_disagreements(folder: Path, found: dict[str, tuple[str, str]]) -> None:
    """The files that Pillow reads and we do not, and the reverse."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            (row, *found.get(escape_name(row["file"]), ("", "no such row")))
            for row in csv.DictReader(file)
        ]
    disagreeing = [
        entry for entry in rows if (entry[0]["pillow_result"] == "ok") != (entry[1] == "measured")
    ]
    print(f"\n{len(disagreeing)} of {len(rows)} files are judged otherwise than by Pillow:")
    for row, fate, detail in disagreeing:
        theirs = f"Pillow: {row['pillow_result'][:36]:36}"
        print(
            f"  {row['file'][:60]:60} {row['kind'] or '-':10} {theirs} here: {fate} {detail[:90]}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="list every file that was not measured, with its reason",
    )
    given = parser.parse_args()
    folder = given.data / "hostile"
    dataset, seconds = measured(folder / "images")
    found = fates(dataset)
    files = sum(1 for _ in (folder / "images").iterdir())
    print(f"{files} files, {len(dataset)} rows, {seconds:.1f} s\n")
    print_counts(found)
    print_disagreements(folder, found)
    if given.verbose:
        for name, (fate, detail) in found.items():
            if fate != "measured":
                print(f"  {name[:60]:60} {fate:14} {detail[:120]}")
    unaccounted = [name for name, (fate, _) in found.items() if fate not in ("measured", *REASONS)]
    lost_rows = files - len(dataset)
    failed = bool(unaccounted or lost_rows)
    verdict = "FAILED" if failed else "All accounted for"
    print(f"\n{verdict}: {len(unaccounted)} files without a fate, {lost_rows} without a row")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
