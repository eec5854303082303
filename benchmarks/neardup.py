"""Near duplicates on photos with known edits: recall for each edit, false pairs, relations named
rightly, milliseconds a pair.

Found means as a copy or as another shot of the scene. All of it by hashes alone and with the
embedding; then the test-train pairs of CIFAR-10 that people judged (ciFAIR), and how many photos
look alike without being copies (similar-images), beside who took them.

    python benchmarks/neardup.py [--data DIR] [--only edits|photos|cifar]

DIR (default: ../shared/data beside the repository) holds neardup/{truth.csv,images} and
photos/{truth.csv,images}. An edit is found when it lies in one group with its original. A relation
is right when it names what was done, and names nothing else that was not (how the file was encoded
aside). Intervals: Wilson, 95 %. False pairs: between photos of different groups, and all pairs of
the photos, whose true duplicates, if any, are unknown: they are listed to be looked at. Of CIFAR-10
one train image was judged for each of the test images that have a pair; so recall counts pairs, and
precision the test images that get one: right are those that have a judged pair with any train
image. "near" are one shot, processed otherwise; "similar" are very alike, but others.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from dataprep.checks.duplicates.pairs import Duplicates, find_duplicates
from dataprep.checks.duplicates.search import EmbeddingSource, hash_source
from dataprep.checks.duplicates.similar_groups import find_alike
from dataprep.checks.second_look import SecondLook
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.measures.pairs import comparison as second_look
from dataprep.measures.pairs.alignment import match
from dataprep.measures.pairs.relations import Facts
from dataprep.schemas.dataset import Dataset

#: Edit to a word of its relation; "" means that nothing but the encoding may be named.
WORDS = {
    "copy": "byte for byte",
    "jpeg": "",
    "png": "",
    "webp": "",
    "resize": "reduced",
    "aspect": "stretched",
    "crop": "cropped",
    "brightness": "brightened",
    "contrast": "contrast",
    "gray": "grey",
    "blur": "blurred",
    "noise": "noisier",
    "text": "covered",
    "frame": "frame",
    "hflip": "mirrored",
    "rotate": "turned by",
    "exif_orientation": "EXIF orientation",
}
#: What the words above turn into where the keeper is the edited one.
OPPOSITES = {"brightened": "darkened", "reduced": "enlarged"}
ENCODING = ("re-encoded", "saved as", "byte for byte", "pixel for pixel", "in another file")
DEMANDED = {"crop0.50": 0.85}


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    centre, spread = (
        hits / n + z * z / (2 * n),
        z * math.sqrt(hits / n * (1 - hits / n) / n + z * z / (4 * n * n)),
    )
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def is_right(words: str, *edits: str) -> bool:
    """Whether the relation between two edits of one photo names both, and nothing else but the
    encoding.
    """
    named = [
        part
        for part in words.removeprefix("B is A ").removeprefix("A is B ").split(", ")
        if not part.startswith(ENCODING)
    ]
    wanted = {WORDS.get(edit, "") for edit in edits} - {"", "byte for byte"}
    allowed = wanted | {OPPOSITES[word] for word in wanted if word in OPPOSITES}
    return len(named) == len(wanted) and all(
        any(word in part for word in allowed) for part in named
    )


def measured(folder: Path) -> Dataset:
    """The measured photos of a folder, with their embeddings."""
    return measure(scan(str(folder)), None, PassOptions(cache=False))


def without_embedding(dataset: Dataset) -> Dataset:
    return replace(
        dataset,
        arrays={name: array for name, array in dataset.arrays.items() if name != "embedding"},
    )


def timed(dataset: Dataset) -> tuple[Duplicates, float, int]:
    """(duplicates, seconds, pairs compared)."""
    compared = 0
    confirm = second_look.confirm

    def count(*args: object, **options: object) -> second_look.Confirmed:
        nonlocal compared
        done = confirm(*args, **options)  # type: ignore[arg-type]
        compared += done.compared
        return done

    import dataprep.checks.duplicates.search as home

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
    by_hash, _, compared_by_hash = timed(without_embedding(dataset))
    found, seconds, compared = timed(dataset)
    report_recall(rows, by_hash, found)
    false = [
        (a, b)
        for a, b in zip(found.pairs["a"], found.pairs["b"])
        if rows[a]["group"] != rows[b]["group"]
    ]
    print(
        f"false pairs among {len(rows)} images of {len({row['group'] for row in rows})} groups: "
        f"{len(false)}"
    )
    for a, b in false:
        print("   ", rows[a]["path"], rows[b]["path"])
    report_relations(rows, found)
    each = f"{1e3 * seconds / max(compared, 1):.1f} ms each"
    print(
        f"{compared} pairs compared ({compared_by_hash} by hash) in {seconds:.1f} s, start of "
        f"workers included: {each}"
    )


def report_recall(rows: list[dict[str, str]], by_hash: Duplicates, found: Duplicates) -> None:
    hashes, hits, edits = (
        hits_of(rows, by_hash.scenes()),
        hits_of(rows, found.scenes()),
        hits_of(rows, found.groups),
    )
    print(f"{'edit':<20} {'hashes':>6} {'recall':>6}  {'interval':<13} demanded  called an edit")
    for edit, flags in sorted(hits.items(), key=lambda item: -sum(item[1])):
        low, high = wilson(sum(flags), len(flags))
        demand = DEMANDED.get(edit, 0.95)
        verdict = "" if np.mean(flags) >= demand else "  MISSED"
        print(
            f"{edit:<20} {np.mean(hashes[edit]):>6.2f} {np.mean(flags):>6.2f}  {low:.2f} to "
            f"{high:.2f}  {demand:<8}  "
            f"{np.mean(edits[edit]):.2f}{verdict}"
        )
    print(f"mean recall {np.mean([np.mean(flags) for flags in hits.values()]):.3f}")


def hits_of(rows: list[dict[str, str]], groups: np.ndarray) -> dict[str, list[bool]]:
    """Edit to whether each of its images lies in one group (n,) with its original."""
    original = {row["group"]: i for i, row in enumerate(rows) if row["edit"] == "original"}
    hits: dict[str, list[bool]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row["edit"] not in ("original", "distractor"):
            same = groups[i] >= 0 and groups[i] == groups[original[row["group"]]]
            hits[row["edit"] + row["strength"]].append(bool(same))
    return hits


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
    print(
        f"relation named rightly: {sum(flags)} of {len(flags)} = {np.mean(flags):.3f} ({low:.3f} "
        f"to {high:.3f}); not:"
    )
    faults = [
        f"{edit} {len(group) - sum(group)}/{len(group)}"
        for edit, group in right.items()
        if not all(group)
    ]
    print("   ", ", ".join(faults) or "none")
    print("\n".join(wrong[:12]))


def score_photos(folder: Path) -> None:
    dataset = measured(folder / "images")
    _, plain_seconds, plain = timed(without_embedding(dataset))
    found, seconds, compared = timed(dataset)
    print(
        f"\n{len(dataset):,} photos: {len(found.pairs)} pairs; {compared} compared in "
        f"{seconds:.1f} s"
    )
    print(f"by hash alone: {plain} compared in {plain_seconds:.1f} s")
    for a, b, words in found.pairs[["a", "b", "relation"]].itertuples(index=False):
        print("   ", dataset.samples.index[a], dataset.samples.index[b], words)
    with open(folder / "truth.csv", newline="") as file:
        sender_of = {row["path"]: row["sender_id"] for row in csv.DictReader(file)}
    senders = np.array([sender_of[name] for name in dataset.samples.index])
    report_alike("all photos", dataset, senders)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(dataset))
        _, first = np.unique(senders[order], return_index=True)
        single = np.zeros(len(dataset), bool)
        single[order[first]] = True
        report_alike("one photo per sender", dataset.where(single), senders[single])


def report_alike(name: str, dataset: Dataset, senders: np.ndarray) -> None:
    alike = find_alike(SecondLook(dataset, PassOptions()))
    joined = np.isin(np.arange(len(dataset)), np.concatenate([alike.a, alike.b])).mean()
    same = (
        f", {np.mean(senders[alike.a] == senders[alike.b]):.2f} of them of one sender"
        if len(alike.a)
        else ""
    )
    print(
        f"alike, {name}: {len(dataset):,} images, {joined:.3f} joined from cosine "
        f"{alike.least:.2f}: {len(alike.a)} pairs{same}"
    )


def score_cifar(folder: Path) -> None:
    dataset = measured(folder / "images")
    with open(folder / "duplicate_pairs.csv", newline="") as file:
        judged = {
            (row["test_path"], row["train_path"]): row["kind"] for row in csv.DictReader(file)
        }
    names = dataset.samples.index.to_numpy(dtype=object)
    at = {name: row for row, name in enumerate(names)}
    is_test = np.array([name.startswith("test/") for name in names])
    for title, data in (("hashes", without_embedding(dataset)), ("with embedding", dataset)):
        found, seconds, compared = timed(data)
        same = {
            pair: found.groups[at[pair[0]]] == found.groups[at[pair[1]]] >= 0 for pair in judged
        }
        mixed = [
            group
            for group in set(found.groups[is_test & (found.groups >= 0)])
            if (~is_test[found.groups == group]).any()
        ]
        told = set(names[is_test & np.isin(found.groups, mixed)])
        print(
            f"\nCIFAR-10, groups, {title}: {compared} compared in {seconds:.1f} s; "
            f"{precision_recall(judged, same, told)}"
        )
    print("not judged:", *sorted(told - {test for test, _ in judged}))
    report_curve(dataset, names, is_test, judged)


def precision_recall(
    judged: dict[tuple[str, str], str], hit: dict[tuple[str, str], bool], told: set[str]
) -> str:
    kinds = {
        kind: [bool(hit[pair]) for pair in judged if judged[pair] == kind]
        for kind in ("near", "similar")
    }
    right = len(told & {test for test, _ in judged})
    recall = ", ".join(f"recall of {kind} {np.mean(flags):.3f}" for kind, flags in kinds.items())
    precise = f"precision {right / max(len(told), 1):.3f} of {len(told)} test images"
    return f"{recall}, of both {np.mean([hit[pair] for pair in judged]):.3f}; {precise}"


def report_curve(
    dataset: Dataset, names: np.ndarray, is_test: np.ndarray, judged: dict[tuple[str, str], str]
) -> None:
    """Recall and precision over what correlation of detail is asked of a candidate."""
    rows = np.arange(len(dataset))
    candidates = set()
    for found in (hash_source(dataset, rows, 0), EmbeddingSource()(dataset, rows, 0)):
        candidates |= {
            (a, b) if is_test[a] else (b, a)
            for a, b in zip(found.a.tolist(), found.b.tolist())
            if is_test[a] != is_test[b]
        }
    options, pictures, share = PassOptions(), {}, {}
    for pair in sorted(candidates):
        for row in pair:
            if row not in pictures:
                pictures[row] = second_look._open(
                    second_look.Subject(row, dataset.path(names[row]), Facts()), options
                )
        a, b = pictures[pair[0]], pictures[pair[1]]
        done = match(a, b)
        share[names[pair[0]], names[pair[1]]] = float(np.tanh(done.strength)) if done.small else 0.0
    print(f"test-train candidates: {len(candidates)}; asked correlation of detail:")
    for least in (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        hit = {pair: share.get(pair, 0) >= least for pair in judged}
        print(
            f"  {least:.2f}  "
            f"{precision_recall(judged, hit, {test for (test, _), value in share.items() if value >= least})}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data"
    )
    parser.add_argument("--only", choices=("edits", "photos", "cifar"))
    options = parser.parse_args()
    parts = {
        "edits": lambda: score_edits(options.data / "neardup"),
        "photos": lambda: score_photos(options.data / "photos"),
        "cifar": lambda: score_cifar(options.data / "cifar10"),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
