"""Divisions beside scikit-learn's, what leaks through them, the repair of a split that leaks, and a
million rows.

    python benchmarks/splits.py [--data DIR] [--audits DIR] [--seeds 200] [--only
    peers|small|leaks|repair|scale]

DIR (default: ../shared/data beside the repository) holds photos, neardup and cifar10, each with
images and truth.csv. Without --audits, which holds NAME/audit for each, they are audited first.
Deviation: the largest difference, over parts and classes, of a class's share in the part from its
share in all samples. Size: the largest miss of a part's target, in samples.

peers: folds beside the best of so many seeds of StratifiedGroupKFold(shuffle=True), and train,
validation and test of 70, 15 and 15 % beside 20 of its folds merged, by deviation; the folds come
from the package's own copy of it, which is first held against scikit-learn. Groups: who sent a
photo; pairs of CIFAR-10 that people judged; and made ones, some of them skewed (Zipf). small: 1,000
random small problems (2 to 18 groups of 1 to 40 samples, 1 to 5 classes, at least as many groups as
parts): parts that are empty, the deviation beside that of StratifiedGroupKFold (ten seeds: their
mean and their best; an empty part counts as a deviation of 1) and the largest miss of a size, as a
share of the target. leaks: groups and detected duplicates across parts, and what of the truth is
cut all the same, beside random splits. repair: the official split of the photos. scale: 1,000,000
rows in 100,000 groups, 100 classes, each run in its own process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

import dataprep
from dataprep.cleaning import read_audit
from dataprep.probes.classifiers.folds import join
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues
from dataprep.splits.proof.stratified_groups import stratified_group_folds
from dataprep.splits.solver.problem import Problem
from dataprep.splits.solver.repairing import (
    LABEL_TOLERANCE,
    SIZE_TOLERANCE,
    Point,
    fewest_moves,
    frontier,
)
from dataprep.splits.solver.solving import solve

THREE = (14, 3, 3)
DRAWS = 50


def problem_of(unit: np.ndarray, label: np.ndarray, targets: np.ndarray) -> Problem:
    classes = int(label.max()) + 1
    cells, counts = np.unique(unit * classes + label, return_counts=True)
    return Problem(
        np.bincount(unit),
        cells // classes,
        cells % classes,
        counts,
        tuple(map(str, range(classes))),
        np.ones(classes),
        tuple(map(str, range(len(targets)))),
        targets / targets.sum() * len(unit),
        np.full(int(unit.max()) + 1, -1),
    )


def figures(problem: Problem, part: np.ndarray) -> tuple[float, float]:
    apart = np.nan_to_num(np.abs(problem.deviations_of(part)), nan=1.0)
    return float(apart.max()), float(np.abs(problem.sizes_of(part) - problem.targets).max())


def their_best(
    problem: Problem, unit: np.ndarray, label: np.ndarray, merged: np.ndarray, seeds: int
) -> tuple[float, float]:
    """Deviation and size of the best seed; `merged`: part of each fold."""
    found = []
    for seed in range(seeds):
        part = np.empty(len(problem.sizes), np.int64)
        part[unit] = merged[stratified_group_folds(unit, label, len(merged), seed=seed)]
        found.append(figures(problem, part))
    return min(found)


def copy_is_true(unit: np.ndarray, label: np.ndarray, folds: int) -> bool:
    """Whether the package's copy of StratifiedGroupKFold does what scikit-learn's does."""
    theirs = np.empty(len(unit), np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for number, (_, tested) in enumerate(splitter.split(unit, label, unit)):
        theirs[tested] = number
    return np.array_equal(theirs, stratified_group_folds(unit, label, folds, seed=0))


def made(
    samples: int, units: int, classes: int, skew: float, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Units that lean towards a class, of like size (skew 0) or of sizes as in Zipf's law."""
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(1, units + 1) ** skew
    unit = np.unique(rng.choice(units, samples, p=weight / weight.sum()), return_inverse=True)[1]
    rare = 1 / np.arange(1, classes + 1)
    lean = rng.choice(classes, units, p=rare / rare.sum())
    label = np.where(
        rng.random(samples) < 0.7, lean[unit], rng.choice(classes, samples, p=rare / rare.sum())
    )
    return unit, np.unique(label, return_inverse=True)[1]


def judged(data: Path, names: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    pairs = pd.read_csv(data / "cifar10" / "duplicate_pairs.csv")
    return names.get_indexer(pairs["test_path"]), names.get_indexer(pairs["train_path"])


def sets(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    photos = pd.read_csv(data / "photos" / "truth.csv")
    yield (
        "photos, senders",
        pd.factorize(photos["sender_id"])[0],
        pd.factorize(photos["label"], sort=True)[0],
    )
    cifar = pd.read_csv(data / "cifar10" / "truth.csv")
    tested, trained = judged(data, pd.Index(cifar["path"]))
    bound = np.full(len(cifar), -1)
    bound[trained], bound[tested] = np.arange(len(trained)), np.arange(len(tested))
    units = join(len(cifar), (bound,))
    yield "cifar10, judged pairs", units, pd.factorize(cifar["clean_label"], sort=True)[0]
    for samples, groups, classes, skew in (
        (1000, 100, 10, 0),
        (1000, 100, 10, 0.8),
        (2000, 300, 20, 0.8),
        (5000, 1000, 50, 0.8),
    ):
        unit, label = made(samples, groups, classes, skew)
        yield f"made, {samples} in {groups}, {classes} cl., skew {skew}", unit, label


def peers(data: Path, seeds: int) -> None:
    print(
        f"{'':<44}{'parts':>9}{'deviation':>11}{'best of theirs':>15}{'size':>7}{'theirs':>8}{'seconds':>9}"
    )
    for name, unit, label in sets(data):
        largest, copy = (
            np.bincount(unit).max(),
            "true" if copy_is_true(unit, label, 5) else "NOT TRUE",
        )
        print(
            f"{name}: {len(unit):,} samples, {unit.max() + 1:,} units, the largest {largest}; copy "
            f"of the peer is {copy}"
        )
        for title, counts in (("5 folds", (1,) * 5), ("10 folds", (1,) * 10), ("70/15/15", THREE)):
            problem = problem_of(unit, label, np.array(counts, np.float64))
            start = time.perf_counter()
            ours = figures(problem, solve(problem))
            seconds = time.perf_counter() - start
            theirs = their_best(
                problem, unit, label, np.repeat(np.arange(len(counts)), counts), seeds
            )
            print(
                f"{'':<44}{title:>9}{ours[0]:>11.5f}{theirs[0]:>15.5f}{ours[1]:>7.0f}{theirs[1]:>8.0f}{seconds:>9.1f}"
                f"{'' if ours[0] <= theirs[0] + 1e-12 else '  WORSE'}",
                flush=True,
            )


@dataclass
class Small:
    """What came of small problems, ours and theirs."""

    empty: list[bool] = field(default_factory=list)
    deviation: list[float] = field(default_factory=list)
    miss: list[float] = field(default_factory=list)

    def add(self, problem: Problem, part: np.ndarray) -> None:
        deviation, miss = figures(problem, part)
        self.empty.append(bool((problem.sizes_of(part) == 0).any()))
        self.deviation.append(deviation)
        self.miss.append(miss / float(problem.targets.min()))


def random_problems(count: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Unit and label of each sample, and how many folds; there are never fewer units than folds."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        folds = int(rng.integers(2, 7))
        units = folds + int(rng.integers(0, 5 if rng.random() < 0.5 else 13))
        sizes = (
            rng.integers(1, rng.integers(1, 20) + 1, units)
            if rng.random() < 0.7
            else 1 + rng.zipf(1.7, units).clip(max=40)
        )
        unit = np.repeat(np.arange(units), sizes)
        classes, pure = int(rng.integers(1, 6)), rng.random()
        share = rng.dirichlet(np.full(classes, rng.choice([0.5, 1.0, 5.0])))
        lean = rng.choice(classes, units, p=share)
        label = np.where(
            rng.random(len(unit)) < pure, lean[unit], rng.choice(classes, len(unit), p=share)
        )
        yield unit, np.unique(label, return_inverse=True)[1], folds


def small(count: int = 1000) -> None:
    print(f"\n{count:,} small problems")
    for title, shares in (("folds", None), ("70/15/15", THREE)):
        ours, mean, best = Small(), Small(), Small()
        worse = 0
        start = time.perf_counter()
        for unit, label, folds in random_problems(count):
            counts = (1,) * folds if shares is None else shares
            if int(unit.max()) + 1 < len(counts):
                continue
            problem = problem_of(unit, label, np.array(counts, np.float64))
            ours.add(problem, solve(problem))
            theirs = Small()
            for seed in range(10):
                part = np.empty(len(problem.sizes), np.int64)
                merged = np.repeat(np.arange(len(counts)), counts)
                part[unit] = merged[stratified_group_folds(unit, label, len(merged), seed=seed)]
                theirs.add(problem, part)
            for kept, pick in ((mean, np.mean), (best, np.min)):
                for figure in ("empty", "deviation", "miss"):
                    getattr(kept, figure).append(float(pick(getattr(theirs, figure))))
            worse += ours.deviation[-1] > mean.deviation[-1] + 0.05
        print(
            f"{title}: {len(ours.empty):,} problems, {time.perf_counter() - start:.0f} s; ours "
            "further than 0.05 from the mix "
            f"than the mean of theirs: {worse}"
        )
        print(
            f"{'':<16}{'with an empty part':>20}{'deviation':>12}{'95 %':>8}{'size miss':>12}{'95 %':>8}"
        )
        for name, kept in (("ours", ours), ("theirs, mean", mean), ("theirs, best", best)):
            far, off = np.quantile(kept.deviation, 0.95), np.quantile(kept.miss, 0.95)
            print(
                f"{name:<16}{np.mean(kept.empty):>20.1%}{np.mean(kept.deviation):>12.4f}{far:>8.3f}"
                f"{np.mean(kept.miss):>12.3f}{off:>8.2f}",
                flush=True,
            )


def audited(data: Path, audits: Path | None, name: str) -> Audit:
    images = data / name / "images"
    if name == "neardup":  # the groups of its truth are not to be known
        dataset = dataprep.scan(images)
    else:
        label = {"cifar10": "clean_label"}.get(name, "label")
        group = "sender_id" if name == "photos" else None
        dataset = dataprep.scan(
            images, manifest=data / name / "truth.csv", label_column=label, group_column=group
        )
    return read_audit(audits / name / "audit") if audits else dataprep.audit(dataset)


def true_pairs(data: Path, name: str, names: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that belong together: an edit and its original, a sender's photo and the next, a
    judged pair.
    """
    if name == "cifar10":
        return judged(data, names)
    truth = pd.read_csv(data / name / "truth.csv").set_index("path").loc[names]
    group = pd.factorize(truth["group" if name == "neardup" else "sender_id"])[0]
    order = np.argsort(group, kind="stable")
    same = (group[order][1:] == group[order][:-1]) & (group[order][1:] >= 0)
    return order[:-1][same], order[1:][same]


def leaks(data: Path, audits: Path | None) -> None:
    print(
        f"\n{'':<10}{'parts':>10}{'samples':>9}{'units':>7}{'leaks':>7}{'deviation':>11}   true "
        "pairs cut"
        "; of; random splits"
    )
    for name in ("photos", "neardup", "cifar10"):
        audit = audited(data, audits, name)
        for title, asked in (("5 folds", {"folds": 5}), ("70/15/15", {})):
            made_split = dataprep.split(audit, tests=False, **asked)
            samples, proof = made_split.dataset.samples, made_split.proof
            part = pd.factorize(samples["split"])[0]
            a, b = true_pairs(data, name, samples.index)
            rng = np.random.default_rng(0)
            drawn = [rng.permutation(part) for _ in range(DRAWS)]
            known = (a >= 0) & (b >= 0)
            a, b = a[known], b[known]
            naive = np.mean([(each[a] != each[b]).sum() for each in drawn])
            deviation, cut = proof.labels.deviation, int((part[a] != part[b]).sum())
            shown = "none" if deviation is None else f"{deviation:.5f}"
            print(
                f"{name:<10}{title:>10}{len(samples):>9,}{proof.units:>7,}{proof.leaks.total:>7}"
                f"{shown:>11}   {cut}; {len(a)}; {naive:.0f}",
                flush=True,
            )


def repair(data: Path) -> None:
    truth = pd.read_csv(data / "photos" / "truth.csv")
    names = ["train", "validation", "test"]
    now = truth["split"].map({name: number for number, name in enumerate(names)}).to_numpy()
    unit, senders = pd.factorize(truth["sender_id"])
    held = np.zeros((len(senders), 3), np.int64)
    np.add.at(held, (unit, now), 1)
    exposed = {
        name: int(held[(held[:, 0] > 0), number].sum())
        for number, name in enumerate(names)
        if number
    }
    print(
        f"\nofficial split of photos: {dict(zip(names, np.bincount(now).tolist()))}; with a sender "
        f"in train: {exposed}"
    )
    problem = problem_of(
        unit, pd.factorize(truth["label"], sort=True)[0], np.bincount(now).astype(np.float64)
    )
    cost = problem.sizes[:, None] - held
    for title, frozen in (("test kept", (2,)), ("test moves, too", ())):
        start = time.perf_counter()
        points = frontier(problem, cost, frozen=frozen)
        best, met = fewest_moves(problem, cost, points, frozen=frozen)
        print(
            f"\n{title} ({time.perf_counter() - start:.1f} s)\n"
            f"{'moves':>7}{'size off':>10}{'label off':>11}   sizes"
        )
        for point in points:
            print(row(problem, point))
        print(
            f"{row(problem, best)}   taken: sizes within {SIZE_TOLERANCE:.0%}, labels within "
            f"{LABEL_TOLERANCE}: {met}"
        )


def row(problem: Problem, point: Point) -> str:
    sizes = problem.sizes_of(point.part).tolist()
    return f"{point.moves:>7}{point.size_deviation:>10.1%}{point.label_deviation:>11.4f}   {sizes}"


def large(groups: int, skew: float, asked: dict[str, int]) -> None:
    """Divide a million rows by the whole verb, from a table in memory to the proof."""
    unit, label = made(1_000_000, groups, 100, skew)
    names = np.char.add("img/", np.char.zfill(np.arange(len(unit)).astype(str), 7))
    samples = pd.DataFrame(
        {
            "label": pd.Categorical(np.char.add("c", label.astype(str))),
            "group": pd.Categorical(unit),
        },
        index=pd.Index(names, name="sample", dtype="str"),
    )
    audit = Audit(
        Dataset("/nowhere", samples, "classification", tuple(samples["label"].cat.categories)),
        Issues.collect([]),
    )
    start = time.perf_counter()
    made_split = dataprep.split(audit, tests=False, **asked)
    seconds, proof = time.perf_counter() - start, made_split.proof
    miss = max(abs(each.samples - each.target) for each in proof.sizes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{proof.units:>10,}{proof.largest_unit.samples:>9,}{skew:>6}{len(proof.parts):>7}{seconds:>9.1f}{peak:>7.2f}"
        f"{proof.labels.deviation:>11.6f}{miss:>8.0f}{proof.leaks.total:>7}"
    )


def scale() -> None:
    print("\n1,000,000 rows, 100 classes")
    print(
        f"{'units':>10}{'largest':>9}{'skew':>6}{'parts':>7}{'seconds':>9}{'GB':>7}{'deviation':>11}"
        f"{'size':>8}{'leaks':>7}",
        flush=True,
    )
    for groups, skew, folds in (
        (100_000, 0.0, 0),
        (100_000, 0.0, 5),
        (100_000, 0.0, 10),
        (100_000, 0.8, 5),
    ):
        subprocess.run(
            [sys.executable, __file__, "--one", str(groups), str(skew), str(folds)], check=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--audits", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--only", choices=["peers", "small", "leaks", "repair", "scale"])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        groups, skew, folds = options.one
        large(int(groups), float(skew), {"folds": int(folds)} if int(folds) else {})
        return
    parts = {
        "peers": lambda: peers(options.data, options.seeds),
        "small": small,
        "leaks": lambda: leaks(options.data, options.audits),
        "repair": lambda: repair(options.data),
        "scale": scale,
    }
    for name, measure in parts.items():
        if options.only in (None, name):
            measure()


if __name__ == "__main__":
    main()
