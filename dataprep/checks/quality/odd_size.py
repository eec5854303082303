"""The check odd-size: images much smaller or larger than the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.quality.unlike_others import claim_unlike_others
from dataprep.checks.statistics.arrays import figures
from dataprep.checks.statistics.typical import LEAST
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class OddSize(Check):
    """Unusual image sizes.

    What it finds:
        Images whose side (the square root of width times height) is at least four times smaller or
        larger than the median of the data set, and lies far outside its spread: thumbnails among
        photos, full scans among previews.
    Why it matters:
        All are resized to one size before training. A thumbnail then is a blurred image, and where
        one class has them more often, a network learns blur.
    What to do:
        Look for larger versions of small images; drop those that show too little. Large ones are
        harmless once resized.
    How it works:
        Distance of log2 of the side from the median, against the larger of log2 of the factor and
        four robust standard deviations (1.4826 times the median absolute deviation). So nothing is
        odd in a set of widely mixed sizes, and a set of 32-pixel images is no fault.
    Known limits:
        Relative to the data set only: a set of nothing but thumbnails raises no claim; below a
        median side of 48 pixels one fact says that the images are small. Where over a tenth is odd,
        sizes are mixed, and one fact says so.
    Measured quality:
        Images of 32 pixels among photos of 400 found in 9 of 9 photos of clothes
        (benchmarks/quality.py). No alarm on 200 untouched photos; none on 2,000 others. By eye
        (files in benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others:
        none on the former, 21 of 21 right on the latter (originals of 3,024 pixels among 100, large
        sprites). The quartile rule of cleanvision calls a quarter of these photos odd.
    """

    code = "odd-size"
    family = "quality"
    severity = "info"
    needs = ("width", "height")
    summary = "Unusual image sizes"
    advice = "Look for larger versions of small images; drop those that show too little."
    message = "{what} is {figure:,.0f} pixels; the median is {median:,.0f}"

    factor: float = option(4.0, "how many times smaller or larger than the median is odd", low=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each odd size, or one for a data set of mixed sizes."""
        side = np.sqrt(figures(dataset, "width") * figures(dataset, "height"))
        yield from claim_unlike_others(
            self, dataset, side, self.factor, what="side length √(width × height)", unit="pixels"
        )
        known = side[np.isfinite(side)]
        if len(known) >= LEAST and (median := float(np.median(known))) < _TINY:
            what = f"typical of this data set ({_TINY_MEANING}): side length √(width × height)"
            evidence = {
                "what": what,
                "median": median,
                "factor": self.factor,
                "typical": True,
                "meaning": _TINY_MEANING,
            }
            evidence["sentence"] = (
                f"the images are small, typically {median:.0f} pixels a side: {_TINY_MEANING}"
            )
            yield self.claims_of_dataset(figure=median, unit="pixels", evidence=evidence)


#: Sides of tiny images, in pixels.
_TINY = 48.0
_TINY_MEANING = (
    "use a network made for small images, or enlarge them for pretrained weights; sharpness, "
    "noise and borders can hardly be measured"
)
