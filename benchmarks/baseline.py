"""`dataprep train-baseline` on real data: how good, how fast, in how much memory, and what cleaning
and class weights do.

    python benchmarks/baseline.py photos     [--data ../shared/data]
    python benchmarks/baseline.py noise      [--regime frozen|fine-tune] [--seeds 5] [--epochs 3]
                                             [--size 128]
    python benchmarks/baseline.py throughput [--rounds 5]
    python benchmarks/baseline.py imbalance  [--seeds 5]

photos: the default training on DATA/photos with its official parts, from nothing in the cache,
beside the best answer that does not look, the probe, and scikit-learn's logistic regression
(standardised features; C by macro-F1 on validation) on the very embeddings that the audit has.
Intervals are 95 %, of a bootstrap over senders; the last table has differences on the same rows.

noise: DATA/cifar10 with the labels of people (CIFAR-10N random1, about 18 % wrong) in train, before
and after `audit` and `clean --relabel --drop-at-confidence 0.8`; judged on test by its clean
labels. The two trainings of a seed share all that is random; of frozen features each seed takes
another nine tenths of the training images.

throughput: images/s of training (`fit` on the pixel store) over a bare loop of the same network,
optimiser and augmentation on uint8 tensors in memory, in turns after a warm-up; the median of the
rounds' ratios, of wall and of processor seconds. Then the peak of a training process's own memory
(RssAnon: without pages of the mapped file, which the system may take back) for 2,000, 8,000 and
32,000 images, decoding included.

imbalance: DATA/cifar10, clean labels, classes of 400 down to 4 training images (100:1), another
draw for each seed; macro-F1 on test of a linear classifier on frozen features, without class
weights and with.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import dataprep
from dataprep.augment.policies import POLICIES
from dataprep.baselines.cleaning_effect import compare_cleaned
from dataprep.baselines.evaluation.comparing import compare_models, paired_seeds
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.goal import read_goal
from dataprep.baselines.recipe import train_baseline
from dataprep.baselines.training.feeding import Feeder
from dataprep.baselines.training.fitting import TrainedNetwork, feeder_for, linear_on
from dataprep.baselines.training.loop import fit, make_optimiser
from dataprep.baselines.training.losses import Loss
from dataprep.baselines.training.materials import Materials
from dataprep.baselines.training.network_predictions import deep_features, predictions
from dataprep.baselines.training.networks import Network, make_network
from dataprep.baselines.training.pixel_store import PixelStore, store_pixels
from dataprep.baselines.training.preparing import prepare
from dataprep.baselines.training.settings import BaselineOptions, TrainSettings
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset

SIZES = (2_000, 8_000, 32_000)
#: Training images of the largest and the smallest class.
LARGEST, SMALLEST = 400, 4


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("photos", "noise", "throughput", "imbalance", "memory"))
    parser.add_argument(
        "--data",
        default=str(Path(__file__).parents[2] / "shared" / "data"),
        help="folder with photos, cifar10",
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--regime", choices=("frozen", "fine-tune"), default="frozen", help="of noise"
    )
    parser.add_argument("--epochs", type=int, default=3, help="of noise, fine-tuned")
    parser.add_argument(
        "--size", type=int, default=128, help="pixels a side of noise and imbalance"
    )
    parser.add_argument("--images", type=int, default=0, help="of memory")
    given = parser.parse_args()
    data = Path(given.data)
    if given.part != "throughput" and not (data / "cifar10" / "truth.csv").exists():
        sys.exit(f"no data under {data}; give the folder by --data")
    with tempfile.TemporaryDirectory() as folder:
        {
            "photos": photos,
            "noise": noise,
            "throughput": throughput,
            "imbalance": imbalance,
            "memory": memory,
        }[given.part](given, data, folder)


def photos(given: argparse.Namespace, data: Path, folder: str) -> None:
    """The default training beside what must be beaten."""
    truth = pd.read_csv(data / "photos" / "truth.csv", dtype=str).set_index("path")
    parts = truth["split"].replace({"validation": "val"})
    dataset = dataset_of(data / "photos" / "images", truth["label"], parts).assign(
        group=truth["sender_id"].to_numpy()
    )
    os.environ["DATAPREP_CACHE_DIR"] = f"{folder}/cache"
    since = time.perf_counter()
    made = train_baseline(dataset, f"{folder}/baseline", progress=shown())
    seconds = time.perf_counter() - since
    regime = made.metrics["regime"]
    print(f"\n{regime['arch']}, {regime['name']}, {regime['size']} pixels: {regime['reason']}")
    print(f"{seconds:.0f} s on {torch.get_num_threads()} threads: {made.metrics['seconds']}")
    test = made.predictions[made.predictions["split"] == "test"].set_index("sample")
    ours = test[[f"p:{name}" for name in made.goal.classes]].to_numpy(np.float64)
    labels, units = (
        codes(made.goal.classes, test["label"]),
        truth.loc[test.index, "sender_id"].to_numpy(),
    )
    peer, chosen = logistic_regression(dataset, made.goal.classes, list(test.index))
    print(f"\nscikit-learn: C = {chosen:g}\n\n| test | macro-F1 | accuracy |\n|---|---|---|")
    for each in made.metrics["dumb"]:
        print(
            (
                f"| {each['name']} (on val) | {each['metrics']['macro-f1']:.3f} | "
                f"{each['metrics']['accuracy']:.3f} |"
            )
            if "metrics" in each
            else f"| {each['name']} (on val, {made.goal.metric}) | {each['value']:.3f} | |"
        )
    row("probe on the audit's embeddings", made.metrics["probe"]["test"])
    row(
        "scikit-learn on the audit's embeddings",
        evaluate(made.goal, labels, peer, units=units)["metrics"],
    )
    row("train-baseline", made.metrics["test"]["metrics"])
    found = compare_models(made.goal, labels, peer, ours, units=units)["metrics"]
    print("\n| train-baseline less scikit-learn | difference | 95 % | |\n|---|---|---|---|")
    for name in ("macro-f1", "accuracy"):
        each = found[name]
        print(
            f"| {name} | {each['difference']:+.3f} | {each['low']:+.3f} to {each['high']:+.3f} | "
            f"{each['verdict']} |"
        )
    for step in made.metrics.get("next", ()):
        print(f"next: {step['sentence']}")


def logistic_regression(
    dataset: Dataset, classes: tuple[str, ...], wanted: list[str]
) -> tuple[np.ndarray, float]:
    """Probabilities of `wanted` samples, and the C that did best on val."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = dataprep.measure(dataset, ["embedding"]).arrays["embedding"].astype(np.float32)
    splits, labels = dataset.samples["split"].to_numpy(), codes(classes, dataset.samples["label"])
    train, val = np.flatnonzero(splits == "train"), np.flatnonzero(splits == "val")
    best: tuple[float, float, Any] = (-1.0, 0.0, None)
    for c in (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500)).fit(
            features[train], labels[train]
        )
        score = f1_score(labels[val], model.predict(features[val]), average="macro")
        best = max(best, (score, c, model), key=lambda each: each[0])
    return best[2].predict_proba(features[dataset.samples.index.get_indexer(wanted)]), best[1]


def noise(given: argparse.Namespace, data: Path, folder: str) -> None:
    """Before and after cleaning."""
    truth = pd.read_csv(data / "cifar10" / "truth.csv", dtype=str).set_index("path")
    train = truth["split"] == "train"
    labels = truth["random1"].where(train, truth["clean_label"])
    dataset = dataset_of(
        data / "cifar10" / "images", labels, truth["split"].replace({"test": "val"})
    )
    since = time.perf_counter()
    audited = dataprep.audit(dataset.where(train.to_numpy()))
    plan = dataprep.clean(audited, relabel=True, drop_at_confidence=0.8)
    true = truth["clean_label"]
    print(f"audit and clean: {time.perf_counter() - since:.0f} s; {plan!r}")
    for action, right in (("drop", "random1"), ("relabel", "new_label")):
        rows = plan.table[plan.table["action"] == action].set_index("sample")
        said = truth.loc[rows.index, "random1"] if right == "random1" else rows["new_label"]
        print(
            f"{action}: {len(rows):,}, of whose {'given' if action == 'drop' else 'new'} labels "
            f"{np.mean(said == true[rows.index]) if len(rows) else float('nan'):.1%} are right"
        )
    options = BaselineOptions(metric="accuracy", regime=given.regime, size=given.size, arch="lite0")
    wanted = {"epochs": given.epochs} if given.regime == "fine-tune" else {}
    materials, regime = prepare(dataset, options, wanted, f"{folder}/pixels")
    trained = TrainedNetwork(
        make_network("lite0", materials.goal.outputs, size=regime.size), None, None, None
    )
    policy = POLICIES["light"] if given.regime == "fine-tune" else None
    found = compare_cleaned(materials, regime, trained, plan, seeds=given.seeds, policy=policy)
    print(
        f"\n| accuracy on {found['judged']:,} clean test labels, {given.regime} | before | after "
        "|\n|---|---|---|"
    )
    for number, difference in enumerate(found["differences"]):
        print(f"| difference of seed {number} | | {difference:+.4f} |")
    print(f"| mean of {found['seeds']} seeds | {found['before']:.4f} | {found['after']:.4f} |")
    print(
        f"\ndifference {found['difference']:+.4f} "
        f"(95 % over seeds {found['low']:+.4f} to {found['high']:+.4f}): {found['verdict']}"
    )
    rows = found["rows"]["metric"]
    print(
        f"of the seeds' mean answers {rows['difference']:+.4f} (95 % over images "
        f"{rows['low']:+.4f} to {rows['high']:+.4f})"
    )
    print(f"{time.perf_counter() - since:.0f} s in all")


def throughput(given: argparse.Namespace, data: Path, folder: str) -> None:
    """Training against a bare loop, and memory against the number of images."""
    print(
        "| network | size | policy | train-baseline images/s | bare loop images/s | ratio, wall | "
        "ratio, processor |"
    )
    print("|---|---|---|---|---|---|---|")
    for arch, size, count in (("resnet18", 32, 256), ("lite0", 128, 192)):
        for policy in ("none", "standard"):
            speeds(arch, size, 32, policy, folder)
            rounds = [speeds(arch, size, count, policy, folder) for _ in range(given.rounds)]
            ratios = [
                statistics.median(bare[kind] / ours[kind] for ours, bare in rounds)
                for kind in (0, 1)
            ]
            ours, bare = (
                count / statistics.median(each[side][0] for each in rounds) for side in (0, 1)
            )
            print(
                f"| {arch} | {size} | {policy} | {ours:.0f} | {bare:.0f} | {ratios[0]:.3f} | "
                f"{ratios[1]:.3f} |",
                flush=True,
            )
    if not (data / "cifar10").exists():
        sys.exit(f"memory: no cifar10 under {data}; give its folder by --data")
    print("\n| images | peak own memory, MB | pixel file, MB |\n|---|---|---|")
    for count in SIZES:
        command = [sys.executable, __file__, "memory", "--data", str(data), "--images", str(count)]
        print(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout,
            end="",
            flush=True,
        )


def speeds(arch: str, size: int, count: int, policy: str, folder: str) -> list[tuple[float, float]]:
    """Wall and processor seconds of an epoch of `fit` on a mapped file, and of the bare loop."""
    materials = random_materials(size, count, folder)
    settings = TrainSettings(epochs=1, batch=32, dropout=0.0, warmup_epochs=0.0)
    chosen = None if policy == "none" else POLICIES[policy]
    loss = Loss(materials.goal)
    images, targets = (
        torch.from_numpy(np.array(materials.store.images)),
        torch.from_numpy(materials.targets),
    )
    found = []
    for work in (ours_on, bare_on):
        network = make_network(arch, 10, size=size, dropout=0.0)
        network(torch.zeros(2, 3, size, size))
        wall, processor = time.perf_counter(), time.process_time()
        work(network, materials, chosen, settings, loss, images, targets)
        found.append((time.perf_counter() - wall, time.process_time() - processor))
    return found


def ours_on(
    network: Network, materials: Materials, policy: Any, settings: TrainSettings, loss: Any, *_: Any
) -> None:
    """An epoch of `fit`; scoring left out."""
    feeder = feeder_for(materials, settings, policy)
    fit(network, feeder, len(feeder), loss, None, settings)


def bare_on(
    network: Network,
    materials: Materials,
    policy: Any,
    settings: TrainSettings,
    loss: Any,
    images: Any,
    targets: Any,
) -> None:
    """An epoch of the loop that one writes by hand."""
    names, optimiser = materials.names, make_optimiser(network, settings)
    network.train()
    order = torch.randperm(len(images))
    for start in range(0, len(order), settings.batch):
        rows = order[start : start + settings.batch]
        batch = images[rows]
        if policy is not None:
            changed = [
                policy.augment(images[row].numpy(), sample=str(names[row]), epoch=0, seed=0)
                for row in rows
            ]
            batch = torch.from_numpy(np.stack(changed))
        optimiser.zero_grad(set_to_none=True)
        loss(network(batch.permute(0, 3, 1, 2).float() / 255), targets[rows]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
        optimiser.step()


def random_materials(size: int, count: int, folder: str) -> Materials:
    """Noise images in a mapped file."""
    path = Path(folder) / f"{size}-{count}.u8"
    if not path.exists():
        np.random.default_rng(0).integers(0, 255, (count, size, size, 3), dtype=np.uint8).tofile(
            path
        )
    store = PixelStore(
        np.memmap(path, np.uint8, "r", shape=(count, size, size, 3)), np.ones(count, bool), {}
    )
    labels = np.arange(count) % 10
    samples = pd.DataFrame(
        {"label": labels.astype(str), "split": "train"},
        index=pd.Index([f"{n}.png" for n in range(count)]),
    )
    dataset = Dataset(folder, samples, "classification", tuple(map(str, range(10))))
    parts = {"train": np.arange(count), "val": np.arange(10)}
    return Materials(dataset, read_goal(dataset), labels, store, np.arange(count), parts)


def memory(given: argparse.Namespace, data: Path, folder: str) -> None:
    """One line of the table of memory: decode, then train a small network for an epoch, and
    answer for every image.
    """
    torch.set_num_threads(1)
    sources = sorted((data / "cifar10" / "images").rglob("*.jpg"))
    names = [f"{number:06d}.jpg" for number in range(given.images)]
    images = Path(folder) / "images"
    images.mkdir()
    for number, name in enumerate(names):
        (images / name).symlink_to(sources[number % len(sources)].resolve())
    dataset = dataset_of(
        images,
        pd.Series([str(n % 10) for n in range(given.images)], names),
        pd.Series("train", names),
    )
    peak = [0]
    with watched(peak):
        store = store_pixels(
            dataset, 64, f"{folder}/pixels", options=PassOptions(jobs=1, cache=False)
        )
        nn = torch.nn
        body = nn.Sequential(nn.Conv2d(3, 8, 7, 8), nn.ReLU())
        network = Network(body, 8, 10, [body], mean=(0.5,) * 3, std=(0.25,) * 3, dropout=0.0)
        targets = np.arange(given.images) % 10
        feeder = Feeder(store, np.arange(given.images), targets, 32, shuffle=True)
        fit(
            network,
            feeder,
            len(feeder),
            Loss(read_goal(dataset)),
            None,
            TrainSettings(epochs=1),
            checkpoint=f"{folder}/c.pt",
        )
        deep_features(network, store, np.arange(given.images))
    print(f"| {given.images:,} | {peak[0] / 1e6:.0f} | {given.images * 64 * 64 * 3 / 1e6:.0f} |")


class watched:  # noqa: N801 - reads like a function where it is used
    """The peak of this process's own memory in bytes, sampled while the block runs."""

    def __init__(self, peak: list[int]) -> None:
        self.peak, self._done = peak, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: Any) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.05):
            text = Path("/proc/self/status").read_text()
            self.peak[0] = max(self.peak[0], int(text.partition("RssAnon:")[2].split()[0]) * 1024)


def imbalance(given: argparse.Namespace, data: Path, folder: str) -> None:
    """Macro-F1 with and without class weights."""
    truth = pd.read_csv(data / "cifar10" / "truth.csv", dtype=str).set_index("path")
    dataset = dataset_of(
        data / "cifar10" / "images", truth["clean_label"], truth["split"].replace({"test": "val"})
    )
    materials, regime = prepare(
        dataset,
        BaselineOptions(metric="macro-f1", regime="frozen", size=given.size),
        {},
        f"{folder}/pixels",
    )
    network = make_network("lite0", 10, size=given.size)
    features = deep_features(network, materials.store, np.arange(len(dataset)))
    found: dict[str, list[float]] = {"none": [], "inverse": [], "effective": []}
    rare: dict[str, list[float]] = {name: [] for name in found}
    for seed in range(given.seeds):
        rows, order = tail_of(materials, seed)
        for name in found:
            linear = linear_on(
                materials,
                features[rows],
                rows,
                replace(regime.settings, class_weights=name, seed=seed),
            )
            judged = evaluate(
                materials.goal,
                materials.labels[materials.val],
                predictions(materials, linear(features[materials.val])),
                draws=1,
            )
            found[name].append(judged["metrics"]["macro-f1"]["value"])
            recall = {each["class"]: each["recall"]["value"] for each in judged["classes"]}
            rare[name].append(
                float(np.mean([recall[materials.goal.classes[code]] for code in order[-3:]]))
            )
    print(
        f"| class weights | macro-F1, {given.seeds} seeds | recall of the 3 rarest | less none (95 "
        "%) | |\n|---|---|---|---|---|"
    )
    for name, values in found.items():
        paired = paired_seeds(found["none"], values, "macro-f1")
        told = (
            ""
            if name == "none"
            else f"{paired['difference']:+.3f} ({paired['low']:+.3f} to {paired['high']:+.3f})"
        )
        verdict = "" if name == "none" else paired["verdict"]
        print(
            f"| {name} | {np.mean(values):.3f} | {np.mean(rare[name]):.3f} | {told} | {verdict} |"
        )


def tail_of(materials: Materials, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training rows whose class sizes fall from `LARGEST` to `SMALLEST`, and the classes,
    largest first.
    """
    rng = np.random.default_rng(seed)
    labels, count = materials.labels[materials.train], len(materials.goal.classes)
    order = rng.permutation(count)
    sizes = np.round(LARGEST * (SMALLEST / LARGEST) ** (np.arange(count) / (count - 1))).astype(int)
    drawn = [
        rng.permutation(materials.train[labels == code])[:size]
        for code, size in zip(order, sizes, strict=True)
    ]
    return np.sort(np.concatenate(drawn)), order


def dataset_of(root: Path, labels: pd.Series[Any], parts: pd.Series[Any]) -> Dataset:
    """Samples with a label and a part."""
    samples = pd.DataFrame({"label": labels.astype("category"), "split": parts.astype("category")})
    samples.index.name = "sample"
    return Dataset(
        str(root.resolve()), samples, "classification", tuple(sorted(labels.dropna().unique()))
    )


def codes(classes: tuple[str, ...], labels: Any) -> np.ndarray:
    """Class numbers."""
    return pd.Index(classes).get_indexer(pd.Index(labels.astype(str)))


def row(name: str, metrics: dict[str, Any]) -> None:
    """A line of macro-F1 and accuracy, with their intervals."""
    cells = (
        f"{each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f})"
        for each in (metrics["macro-f1"], metrics["accuracy"])
    )
    print(f"| {name} | {' | '.join(cells)} |")


def shown() -> Callable[[str, int, int, str], None]:
    """Progress that names each stage once, with its time."""
    since, stages = time.perf_counter(), set()

    def progress(stage: str, done: int, total: int, note: str) -> None:
        if stage not in stages:
            stages.add(stage)
            print(f"  {time.perf_counter() - since:6.1f} s  {stage}", flush=True)

    return progress


if __name__ == "__main__":
    main()
