"""The check odd-aspect-ratio: images much longer than the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.quality.unlike_others import claim_unlike_others
from dataprep.checks.statistics.arrays import figures
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class OddAspectRatio(Check):
    """Unusual aspect ratios.

    What it finds:
        Images whose ratio of long to short side is at least twice (or half) the median of the data
        set and lies far outside its spread: banners, panoramas, strips, cuttings.
    Why it matters:
        Resized to a square they are distorted beyond recognition; cropped to one they lose most of
        what they show.
    What to do:
        Look at them. Crop to the subject, pad instead of stretching, or drop them.
    How it works:
        Distance of log2 of the ratio from the median, against the larger of log2 of the factor and
        four robust standard deviations (1.4826 times the median absolute deviation). Upright and
        lying images of one ratio are alike.
    Known limits:
        Relative to the data set only: in a set of text lines nothing is odd. Where over a tenth is
        odd, ratios are mixed, and one fact says so.
    Measured quality:
        Ratios of 6:1 among photos of 3:4 found in 9 of 9 photos of clothes (benchmarks/quality.py).
        No alarm on 200 untouched photos; none on 2,000 others. By eye (files in
        benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others: 10 of 10
        right on the former, 25 of 25 on the latter.
    """

    code = "odd-aspect-ratio"
    family = "quality"
    severity = "info"
    needs = ("width", "height")
    summary = "Unusual aspect ratios"
    advice = "Crop to the subject, pad instead of stretching, or drop them."
    message = "{what} is {figure:.1f}; the median is {median:.1f}"

    factor: float = option(
        2.0, "how many times the median ratio, or how small a part of it, is odd", low=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each odd ratio, or one for a data set of mixed ratios."""
        width, height = figures(dataset, "width"), figures(dataset, "height")
        ratio = np.maximum(width, height) / np.maximum(np.minimum(width, height), 1)
        yield from claim_unlike_others(
            self, dataset, ratio, self.factor, what="aspect ratio (long to short side)"
        )
