"""Throughput of the augmentation policies as a ratio to bare albumentations, in the same run on the
same images.

    python benchmarks/augment.py [--data DIR] [--images 200] [--rounds 7] [--side 224]

For each policy: `Policy.augmenter`, which starts its random numbers again for each image, so that
seed, epoch and sample alone decide, against an `albumentations.Compose` of the same steps that is
given the same random numbers, for which no time is counted. Beside it, the same Compose seeded anew
for each image by `Compose.set_random_seed`, which is what albumentations offers for the same end.
Images are decoded beforehand: photos scaled to `--side`, and CIFAR images of 32 x 32, at which the
fixed cost per image shows most. The ways take turns, an image at a time; processor time is counted.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dataprep.augment.policies import POLICIES, Policy, Randomness, digest
from dataprep.normalisation.library import albumentations, from_dict


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--side", type=int, default=224)
    given = parser.parse_args()
    for name, side in (("photos", given.side), ("cifar10", 32)):
        images = load(given.data / name, given.images, side)
        print(f"\n{name}, {len(images)} images of {side} x {side}\n")
        print(
            "| policy | images/s | ratio to bare | reseeded by albumentations, ratio to bare |\n"
            "|---|---|---|---|"
        )
        for policy in POLICIES.values():
            ours, bare, reseeded = speeds(policy, images, given.rounds)
            print(
                f"| {policy.name} | {ours:,.0f} | {ours / bare:.2f} | {reseeded / bare:.2f} |",
                flush=True,
            )


def load(folder: Path, count: int, side: int) -> list[np.ndarray]:
    paths = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    chosen = paths[:: max(1, len(paths) // count)][:count]
    return [
        np.ascontiguousarray(cv2.resize(cv2.imread(str(path)), (side, side))[:, :, ::-1])
        for path in chosen
    ]


def reseeded(compose: Any, image: np.ndarray, seed: int) -> None:
    compose.set_random_seed(seed)
    compose(image=image)


def speeds(policy: Policy, images: list[np.ndarray], rounds: int) -> tuple[float, float, float]:
    """Images a second: ours, bare, and bare with a new seed for each image."""
    library = albumentations()
    augmenter = policy.augmenter(0)
    bare, seeded = (
        library.Compose([from_dict(step) for step in policy.steps], seed=0) for _ in range(2)
    )
    randomness = Randomness(bare)
    times = [0.0] * 3
    for turn in range(-1, rounds):
        for number, image in enumerate(images):
            name = f"class/{number}.jpg"
            randomness.start(digest(augmenter.seed, turn, 0, name))
            ways = [
                partial(augmenter, image, sample=name, epoch=turn),
                partial(bare, image=image),
                partial(reseeded, seeded, image, number + (turn + 1) * len(images)),
            ]
            for place in (
                (0, 1, 2) if (number + turn) % 2 else (1, 0, 2)
            ):  # whichever comes first warms the caches for the other
                start = time.process_time()
                ways[place]()
                times[place] += (time.process_time() - start) * (
                    turn >= 0
                )  # the first round warms up
    ours, plain, anew = (rounds * len(images) / taken for taken in times)
    return ours, plain, anew


if __name__ == "__main__":
    main()
