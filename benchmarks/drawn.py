"""Draws pairs of pictures that no edit links: one template with other content, and one scene
photographed from two places.

    python benchmarks/drawn.py FOLDER [--kind template|reshot] [--style NAME ...] [--count 17]
    [--seed 0]

Templates are labels, cartons, forms, cards, icons and the like (`templates.py`): both pictures of a
pair have the layout in common and differ in what a person reads from them. A third of the pairs are
clean, a third are disturbed as by a scanner (same place, other noise), a third are photographed
each on its own. Re-shots show one drawn thing among boxes, a wall and a floor to a camera that has
moved (`scenes.py`). Writes FOLDER/STYLE/*.{png,jpg} and FOLDER/pairs.csv: a, b, kind, style, how
(clean, scanned, photographed; for a re-shot the parallax in pixels at a long side of 256). The same
seed draws the same pairs.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scenes
from canvas import Picture
from templates import STYLES, draw


def template_pair(style: str, seed: Sequence[int]) -> tuple[Picture, Picture, str]:
    """(a, b, how) of one template with different content."""
    pictures = [draw(style, seed, variant) for variant in (0, 1)]
    how = ("clean", "scanned", "photographed")[seed[-1] % 3]
    if how != "clean":
        ground = np.random.default_rng([*seed, 97])
        desk = scenes.texture(ground, 256)
        place = scenes.loose_corners(ground)
        for variant in (0, 1):
            own = np.random.default_rng([*seed, 95 + variant])
            corners = place if how == "scanned" else scenes.loose_corners(own)
            pictures[variant] = scenes.exposed(
                scenes.laid_on(pictures[variant], desk, corners), own
            )
    return pictures[0], pictures[1], how


def reshot_pair(style: str, seed: Sequence[int]) -> tuple[Picture, Picture, str]:
    """(a, b, how) of one scene from two places."""
    scene = scenes.Scene.around(draw(style, seed, 0), np.random.default_rng([*seed, 94]))
    shots = [
        scenes.exposed(scene.seen(view), np.random.default_rng([*seed, 92 + index]))
        for index, view in enumerate(scene.views)
    ]
    return shots[0], shots[1], f"{scene.parallax():.2f}"


def write(
    folder: Path, kinds: Sequence[str], styles: Sequence[str], count: int, seed: int
) -> list[dict[str, Any]]:
    """Draws the pairs and returns the rows of pairs.csv."""
    rows = []
    for kind in kinds:
        for style in styles:
            (folder / style).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                key = [seed, ("template", "reshot").index(kind), list(STYLES).index(style), number]
                a, b, how = (template_pair if kind == "template" else reshot_pair)(style, key)
                ending = "png" if how == "clean" and number % 2 else "jpg"
                names = [f"{style}/{kind}{number:03}{letter}.{ending}" for letter in "ab"]
                for name, picture in zip(names, (a, b)):
                    quality = (
                        [] if ending == "png" else [cv2.IMWRITE_JPEG_QUALITY, 80 + 3 * (number % 6)]
                    )
                    cv2.imwrite(
                        str(folder / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality
                    )
                rows.append(
                    {"a": names[0], "b": names[1], "kind": kind, "style": style, "how": how}
                )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--kind", choices=("template", "reshot"), nargs="*", default=("template", "reshot")
    )
    parser.add_argument("--style", choices=tuple(STYLES), nargs="*", default=tuple(STYLES))
    parser.add_argument("--count", type=int, default=17, help="pairs of each kind and style")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = write(given.folder, given.kind, given.style, given.count, given.seed)
    with open(given.folder / "pairs.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} pairs in {given.folder}")


if __name__ == "__main__":
    main()
