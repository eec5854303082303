"""The check heavy-compression: images spoilt by JPEG compression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, has_picture, ramp
from dataprep.checks.statistics.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class HeavyCompression(Check):
    """Heavily compressed images.

    What it finds:
        JPEGs of very low quality, and images in which JPEG's 8 x 8 blocks are seen, whatever their
        format and quality now: they were compressed heavily once and saved again.
    Why it matters:
        Texture and small things are gone, and block borders are strong edges that the first layers
        of a network learn.
    What to do:
        Look for the original images. Drop those whose class you cannot recognise.
    How it works:
        Quality is read from the quantisation tables (scale of the Independent JPEG Group, 1 to
        100). Blocks are counted by their sides on the grid that starts at the corner: how many show
        as a step of 6 to 48 levels of luma between two blocks that are smooth inside, in rows and
        in columns (the smaller share), less what grids shifted by 2, 4 and 6 pixels have. So a
        weave with the grid's period, or a drawing whose lines lie on it, has no blocks.
    Known limits:
        Blocks are not seen in an image that was cropped off the grid or resized after the
        compression, nor below 64 pixels. A checkerboard of 8 pixels on the grid passes for blocks.
        Quality is the encoder's setting; tables of other encoders are compared with the nearest
        standard one. Where more than half of a data set is so, one fact says it.
    Measured quality:
        Planted in 100 photos and saved again at quality 90 (benchmarks/planted.py): quality 3, 5
        and 10 100 % (95 % interval 96 to 100), 15 86 %; quality 5 in 9 of 9 photos of clothes
        (benchmarks/quality.py). No alarm on 200 untouched photos, none on 2,000 others. By eye
        (files in benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others:
        nothing listed on the former (before: 2 weaves, 50 letters); on the latter 5 pictures of one
        manual, 1 right, 1 arguable, 3 wrong: checkerboards of 8 pixels that stand for transparency.
    """

    code = "heavy-compression"
    family = "quality"
    severity = "warning"
    needs = ("jpeg_quality", "block_steps", "width", "height", "luma_p01", "luma_p99")
    summary = "Heavily compressed images"
    advice = "Look for the original images; drop images whose class cannot be recognised."
    message = "{what} is {figure:.3g}{unit} ({relation} {threshold:g}{unit})"

    quality: float = option(
        15.0, "JPEG quality below which compression is heavy", low=0.0, high=100.0
    )
    steps: float = option(
        0.03,
        "share of the sides of blocks that are visible as steps from which blocks stand out",
        high=1.0,
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each image of low quality and each other one with blocks, or one for
        each kind if typical.
        """
        quality, steps = figures(dataset, "jpeg_quality"), figures(dataset, "block_steps")
        poor = quality < self.quality
        yield from claim_unless_typical(
            self,
            dataset,
            poor,
            judged=~np.isnan(quality),
            figure=quality,
            what="JPEG quality",
            evidence={"relation": "below", "threshold": self.quality},
        )
        large = np.minimum(figures(dataset, "width"), figures(dataset, "height")) >= _LEAST_SIDE
        blocky = (steps >= self.steps) & large & has_picture(dataset) & ~poor
        yield from claim_unless_typical(
            self,
            dataset,
            blocky,
            judged=~np.isnan(steps),
            figure=100 * steps,
            unit="%",
            what="share of 8 × 8 block edges visible as steps between smooth blocks",
            confidence=ramp(steps, self.steps, 5 * self.steps),
            evidence={"relation": "at least", "threshold": 100 * self.steps},
        )


#: In smaller images too few block borders are averaged.
_LEAST_SIDE = 64
