"""The check border: images with a uniform frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.reading import figures
from dataprep.checks.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Border(Check):
    """Images with a uniform frame.

    What it finds:
        Images with bars or a frame of one colour that take at least 3 % of the area: letterboxed film, screenshots, scans
        with a margin, padding.
    Why it matters:
        Part of the input carries nothing, the subject is smaller than in other images, and where one source adds frames
        to one class, a network learns the frame.
    What to do:
        Crop them to the picture, all alike.
    How it works:
        Lines of pixels from each side inwards, as long as their luma stays within 8 of 255 levels of the first. The frame
        counts if the picture begins along a straight edge: of the first ten lines inside, one must differ from it in at
        least half of its pixels. So a subject on a plain background has no frame.
    Known limits:
        Frames with texture, a gradient or rounded corners, and bars filled with a blurred copy of the picture, are not
        found. Nor is a frame of which the picture is not told apart by luma.
    Measured quality:
        Planted in 100 photos of 400 x 533 (benchmarks/planted.py): bars of 30 pixels 99 to 100 %, of 10 91 to 94 %,
        frames of 10 or 30 pixels 99 to 100 %, black or white. No alarm on 200 untouched photos, 1 on 2,000 others; of
        2,078 images of 32 pixels 8 are named, most with a frame.
    """

    code = "border"
    family = "quality"
    severity = "info"
    needs = ("border",)
    summary = "Images with a uniform frame"
    advice = "Crop them to the picture, all alike."
    message = "{what} is {figure:.0%}, at least {threshold:.0%}"

    threshold: float = option(0.03, "share of the area from which a frame counts", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each framed image, or one for a data set of them."""
        border = figures(dataset, "border")
        yield from claim_unless_typical(
            self, dataset, border >= self.threshold, judged=~np.isnan(border), figure=border,
            what="the share of the area that a uniform frame takes", evidence={"threshold": self.threshold},
        )  # fmt: skip
