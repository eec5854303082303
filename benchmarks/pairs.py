"""Copies, edits, other shots and templates told apart, pair by pair and set by set.

    python benchmarks/pairs.py [--data DIR] [--only pairs|sets|speed] [--photos 40] [--seed 7]

DIR (default: ../shared/data beside the repository) holds photos and natural. "pairs" draws
templates and re-shots (`drawn.py`, another seed than the judge was fitted on), plants edits in
photos that it was not fitted on (`edits.py`), and holds the two of each pair against each other:
what is called an edit, another shot, or neither, and whether the words are right. "sets" searches
the natural sets as they are, and the small ones with planted edits: images in a claimed edit, other
shots, and how many of the planted edits are found. "speed" gives the milliseconds a pair of the
second look.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import drawn
import edits
import numpy as np
import templates

from dataprep.checks.second_look import SecondLook
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.measures.pairs.alignment import match
from dataprep.measures.pairs.comparison import open_picture
from dataprep.measures.pairs.picture import Picture
from dataprep.measures.pairs.relations import Facts, name_relation

KINDS = ("template", "reshot")
SMALL = ("digits", "fashion", "signs", "tiles")


def facts_after(kinds: Sequence[str]) -> Facts:
    """The columns of an edited photo, as far as pairs alone would not tell them."""
    return Facts(
        "JPEG",
        90.0,
        chroma=0.01 if "gray" in kinds else 0.5,
        noise=0.05 if "noise" in kinds else 0.01,
        border=0.2 if "border" in kinds else 0.0,
    )


def kinds_of(pairs: Sequence[tuple[Path, Path]]) -> Counter[str]:
    return Counter(match(open_picture(a), open_picture(b)).kind for a, b in pairs)


def score_pairs(data: Path, photos: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        score_edits(data, Path(folder) / "edits", photos, seed)
        home = Path(folder) / "drawn"
        rows = drawn.write(home, KINDS, list(templates.STYLES), 17, seed + 1)
        for kind in KINDS:
            print(
                f"drawn {kind}: "
                f"{dict(kinds_of([(home / row['a'], home / row['b']) for row in rows if row['kind'] == kind]))}"
            )
    trash = data / "natural" / "trashnet"
    with open(trash / "reshots.csv", newline="") as file:
        found = kinds_of(
            [
                (trash / "images" / row["a"], trash / "images" / row["b"])
                for row in csv.DictReader(file)
            ]
        )
    print(f"trashnet re-shots (fitted on): {dict(found)}")


def score_edits(data: Path, folder: Path, photos: int, seed: int) -> None:
    sources = sorted((data / "photos" / "images").rglob("*.jpg"))
    fitted = set(edits.chosen(sources, 120, 0))
    rest = [path for path in sources if path not in fitted]
    picked = [
        rest[place]
        for place in np.random.default_rng(seed).choice(len(rest), photos, replace=False)
    ]
    folder.mkdir(parents=True)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    words: Counter[str] = Counter()
    for row in edits.plant_beside(picked, folder, seed):
        kind, kinds = str(row["kind"]), str(row["edits"]).split("+")
        a, b = (
            open_picture(folder / str(row["original"])),
            open_picture(folder / str(row["edit"])),
        )
        pair = match(a, b)
        found["two edits" if kind == "two" else "overlay" if kind in edits.OVERLAYS else "plain"][
            pair.kind
        ] += 1
        found[kind][pair.kind] += 1
        if pair.kind in ("edit", "overlay"):
            relation = name_relation(
                a, b, pair, Facts("JPEG", 90.0, chroma=0.5, noise=0.01), facts_after(kinds)
            )
            geometry, nothing_false, complete = edits.is_named_rightly(relation, kinds)
            words.update(
                pairs=1,
                geometry=geometry,
                nothing_false=nothing_false,
                complete=geometry and nothing_false and complete,
            )
    for kind, counts in found.items():
        total = counts.total()
        called, seen = (counts["edit"] + counts["overlay"]) / total, 1 - counts["other"] / total
        print(f"{kind:<10} {total:>5} pairs: edit {called:.3f}, edit or another shot {seen:.3f}")
    print("words:", {name: f"{count} of {words['pairs']}" for name, count in words.items()})


def score_sets(data: Path, seed: int) -> None:
    for name in ("trashnet", "cifar10h", *SMALL):
        home = data / "natural" / name
        report_set(name, home / "images" if (home / "images").is_dir() else home)
    report_set("photos", data / "photos" / "images")
    with tempfile.TemporaryDirectory() as folder:
        for name in SMALL:
            rows = edits.plant(name, data, Path(folder) / name, seed)
            report_set(f"{name} with {len(rows)} edits", Path(folder) / name, rows)


def report_set(name: str, folder: Path, planted: Sequence[dict[str, object]] = ()) -> None:
    dataset = measure(scan(str(folder)), None, PassOptions(cache=False))
    start = time.perf_counter()
    duplicates = SecondLook(dataset, PassOptions()).duplicates()
    seconds = time.perf_counter() - start
    near = duplicates.pairs[duplicates.pairs["kind"] == "near"]
    inside, shots = len(np.unique(near[["a", "b"]])), len(np.unique(duplicates.shots[["a", "b"]]))
    share = inside / len(dataset)
    print(
        f"{name}: {len(dataset):,} images, {inside} in a claimed edit ({share:.2%}), {shots} in "
        f"another shot, {seconds:.0f} s"
    )
    place = {sample: row for row, sample in enumerate(dataset.samples.index)}
    found: dict[str, list[bool]] = defaultdict(list)
    for row in planted:
        a, b = (place.get(str(row[side]), -1) for side in ("original", "edit"))
        found[str(row["kind"])].append(
            a >= 0 <= b and duplicates.groups[a] == duplicates.groups[b] >= 0
        )
    if planted:
        print(
            "    found:", {kind: f"{sum(flags)} of {len(flags)}" for kind, flags in found.items()}
        )


def time_pairs(data: Path) -> None:
    cv2.setNumThreads(1)
    images = sorted((data / "photos" / "images").rglob("*.jpg"))[:60]
    arrays = [open_picture(path) for path in images]
    copies = [(one, one.rgb[:-4, :-4]) for one in arrays[:30]]
    report_time("decoding a picture", [lambda path=path: open_picture(path) for path in images])
    report_time(
        "other photos, a pair",
        [
            lambda a=a, b=b: match(fresh(a), fresh(b))
            for a, b in zip(arrays[::2], arrays[1::2], strict=True)
        ],
    )
    report_time(
        "plain copies, a pair",
        [
            lambda a=a, rgb=rgb: match(fresh(a), Picture.of(rgb, a.width, a.height))
            for a, rgb in copies
        ],
    )


def fresh(picture: Picture) -> Picture:
    """The picture with nothing worked out yet."""
    return Picture(picture.rgb, picture.width, picture.height)


def report_time(title: str, calls: Sequence[Callable[[], object]], repeats: int = 5) -> None:
    """Processor time, of each call the least of some: so other load counts little."""
    least = [math.inf] * len(calls)
    for _ in range(repeats):
        for place, call in enumerate(calls):
            start = time.process_time()
            call()
            least[place] = min(least[place], time.process_time() - start)
    print(f"{title}: {1e3 * sum(least) / len(least):.2f} ms of processor time")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument("--only", choices=("pairs", "sets", "speed"))
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if options.only in (None, "pairs"):
        score_pairs(options.data, options.photos, options.seed)
    if options.only in (None, "sets"):
        score_sets(options.data, options.seed)
    if options.only in (None, "speed"):
        time_pairs(options.data)


if __name__ == "__main__":
    main()
