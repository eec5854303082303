"""Throughput of the augmentation policies as a ratio to bare albumentations, in the same run on the same images.

    python benchmarks/augment.py [--data DIR] [--images 200] [--rounds 7] [--side 224]

For each policy: `Policy.augmenter` (which starts its random numbers again for each image, so that seed, epoch and sample alone
decide) against an `albumentations.Compose` of the same steps that goes on drawing, and against one that is seeded anew for each
image by `Compose.set_random_seed`, which is what albumentations offers for the same end. Images are decoded beforehand; photos
scaled to `--side`, and CIFAR images of 32 x 32, at which the fixed cost per image shows most. The three take turns, a round at a
time; the best round of each counts (processor time, so that what else the machine does shows least).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from dataprep.augment.library import albumentations, from_dict
from dataprep.augment.policies import POLICIES, Policy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--side", type=int, default=224)
    given = parser.parse_args()
    for name, side in (("photos", given.side), ("cifar10", 32)):
        images = load(given.data / name, given.images, side)
        print(f"\n{name}, {len(images)} images of {side} x {side}\n")
        print("| policy | images/s | ratio to bare | reseeded by albumentations, ratio to bare |\n|---|---|---|---|")
        for policy in POLICIES.values():
            ours, bare, reseeded = speeds(policy, images, given.rounds)
            print(f"| {policy.name} | {ours:,.0f} | {ours / bare:.2f} | {reseeded / bare:.2f} |", flush=True)


def load(folder: Path, count: int, side: int) -> list[np.ndarray]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = paths[:: max(1, len(paths) // count)][:count]
    return [np.ascontiguousarray(cv2.resize(cv2.imread(str(path)), (side, side))[:, :, ::-1]) for path in chosen]


def speeds(policy: Policy, images: list[np.ndarray], rounds: int) -> tuple[float, float, float]:
    """Images a second: ours, bare, and bare with a new seed for each image; the best of the rounds."""
    library = albumentations()
    augmenter = policy.augmenter(0)
    bare, seeded = (library.Compose([from_dict(step) for step in policy.steps], seed=0) for _ in range(2))

    def reseeded(image: np.ndarray, number: int) -> None:
        seeded.set_random_seed(number)
        seeded(image=image)

    ways: list[Callable[[np.ndarray, int], object]] = [
        lambda image, number: augmenter(image, sample=f"class/{number}.jpg", epoch=3),
        lambda image, number: bare(image=image),
        reseeded,
    ]
    times: list[list[float]] = [[] for _ in ways]
    for turn in range(rounds + 1):
        for way, taken in zip(ways, times, strict=True):
            start = time.process_time()
            for number, image in enumerate(images):
                way(image, number + turn * len(images))
            taken.append(time.process_time() - start)
    ours, plain, anew = (len(images) / min(taken[1:]) for taken in times)
    return ours, plain, anew


if __name__ == "__main__":
    main()
