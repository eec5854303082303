"""Near duplicates on photos with known edits: recall for each edit, false pairs, relations named rightly, milliseconds a pair.

    python benchmarks/neardup.py [--data DIR]

DIR (default: ../shared/data beside the repository) holds neardup/{truth.csv,images} and photos/{truth.csv,images}. An edit is
found when it lies in one group with its original. A relation is right when it names what was done, and names nothing else that
was not (how the file was encoded aside). Intervals: Wilson, 95 %. False pairs: between photos of different groups, and all pairs
of the photos, whose true duplicates, if any, are unknown: they are listed to be looked at.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from dataprep.checks.duplicate_pairs import Duplicates, find_duplicates
from dataprep.ingest import scan
from dataprep.measures import pairs as second_look
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset

#: Edit to a word of its relation; "" means that nothing but the encoding may be named.
WORDS = {
    "copy": "byte for byte", "jpeg": "", "png": "", "webp": "", "resize": "reduced", "aspect": "stretched", "crop": "cropped",
    "brightness": "brightened", "contrast": "contrast", "gray": "grey", "blur": "blurred", "noise": "noisier", "text": "covered",
    "frame": "frame", "hflip": "mirrored", "rotate": "turned by", "exif_orientation": "EXIF orientation",
}  # fmt: skip
#: What the words above turn into where the keeper is the edited one.
OPPOSITES = {"brightened": "darkened", "reduced": "enlarged"}
ENCODING = ("re-encoded", "saved as", "byte for byte", "pixel for pixel", "in another file")
DEMANDED = {"crop0.05": 0.6, "rotate3": 0.6, "text": 0.6, "frame": 0.6, "jpeg10": 0.6, "crop0.20": 0.0, "crop0.50": 0.0}


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    centre, spread = hits / n + z * z / (2 * n), z * math.sqrt(hits / n * (1 - hits / n) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def is_right(words: str, *edits: str) -> bool:
    """Whether the relation between two edits of one photo names both, and nothing else but the encoding."""
    named = [part for part in words.removeprefix("B is A ").removeprefix("A is B ").split(", ") if not part.startswith(ENCODING)]
    wanted = {WORDS.get(edit, "") for edit in edits} - {"", "byte for byte"}
    allowed = wanted | {OPPOSITES[word] for word in wanted if word in OPPOSITES}
    return len(named) == len(wanted) and all(any(word in part for word in allowed) for part in named)


def measured(folder: Path) -> Dataset:
    """The measured photos of a folder."""
    return measure(scan(str(folder)), None, PassOptions(cache=False))


def timed(dataset: Dataset) -> tuple[Duplicates, float, int]:
    """(duplicates, seconds, pairs compared)."""
    compared = 0
    confirm = second_look.confirm

    def count(*args: object, **options: object) -> second_look.Confirmed:
        nonlocal compared
        done = confirm(*args, **options)  # type: ignore[arg-type]
        compared = done.compared
        return done

    import dataprep.checks.duplicate_pairs as home

    home.confirm = count  # type: ignore[assignment]
    start = time.perf_counter()
    try:
        return find_duplicates(dataset, PassOptions()), time.perf_counter() - start, compared
    finally:
        home.confirm = confirm


def score_edits(folder: Path) -> None:
    with open(folder / "truth.csv", newline="") as file:
        truth = {row["path"]: row for row in csv.DictReader(file)}
    dataset = measured(folder / "images")
    rows = [truth[name] for name in dataset.samples.index]
    found, seconds, compared = timed(dataset)
    report_recall(rows, found)
    false = [(a, b) for a, b in zip(found.pairs["a"], found.pairs["b"]) if rows[a]["group"] != rows[b]["group"]]
    print(f"false pairs among {len(rows)} images of {len({row['group'] for row in rows})} groups: {len(false)}")
    for a, b in false:
        print("   ", rows[a]["path"], rows[b]["path"])
    report_relations(rows, found)
    each = f"{1e3 * seconds / max(compared, 1):.1f} ms each"
    print(f"{compared} pairs compared in {seconds:.1f} s, search and start of workers included: {each}")


def report_recall(rows: list[dict[str, str]], found: Duplicates) -> None:
    original = {row["group"]: i for i, row in enumerate(rows) if row["edit"] == "original"}
    hits: dict[str, list[bool]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row["edit"] not in ("original", "distractor"):
            same = found.groups[i] >= 0 and found.groups[i] == found.groups[original[row["group"]]]
            hits[row["edit"] + row["strength"]].append(bool(same))
    print(f"{'edit':<20} {'recall':>6}  {'interval':<13} demanded")
    for edit, flags in sorted(hits.items(), key=lambda item: -sum(item[1])):
        low, high = wilson(sum(flags), len(flags))
        demand = DEMANDED.get(edit, 0.95)
        verdict = "" if np.mean(flags) >= demand else "  MISSED"
        print(f"{edit:<20} {np.mean(flags):>6.2f}  {low:.2f} to {high:.2f}  {demand or '-'}{verdict}")


def report_relations(rows: list[dict[str, str]], found: Duplicates) -> None:
    right: dict[str, list[bool]] = defaultdict(list)
    wrong: list[str] = []
    for a, b, kind, words in found.pairs[["a", "b", "kind", "relation"]].itertuples(index=False):
        edits = [rows[i]["edit"] for i in (a, b)]
        ok = kind != "near" or is_right(words, *edits)
        right[" + ".join(sorted(set(edits) - {"original", "png", "copy"})) or "none"].append(ok)
        if not ok:
            wrong.append(f"    {rows[a]['path']} / {rows[b]['path']}: {words}")
    flags = [flag for group in right.values() for flag in group]
    low, high = wilson(sum(flags), len(flags))
    print(f"relation named rightly: {sum(flags)} of {len(flags)} = {np.mean(flags):.3f} ({low:.3f} to {high:.3f}); not:")
    faults = [f"{edit} {len(group) - sum(group)}/{len(group)}" for edit, group in right.items() if not all(group)]
    print("   ", ", ".join(faults) or "none")
    print("\n".join(wrong[:12]))


def score_photos(folder: Path) -> None:
    dataset = measured(folder / "images")
    found, seconds, compared = timed(dataset)
    print(f"\n{len(dataset):,} photos: {len(found.pairs)} pairs; {compared} compared in {seconds:.1f} s")
    for a, b, words in found.pairs[["a", "b", "relation"]].itertuples(index=False):
        print("   ", dataset.samples.index[a], dataset.samples.index[b], words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    options = parser.parse_args()
    score_edits(options.data / "neardup")
    score_photos(options.data / "photos")


if __name__ == "__main__":
    main()
