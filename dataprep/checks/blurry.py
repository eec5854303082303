"""The check blurry: images without fine detail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.reading import figures, ramp
from dataprep.checks.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Blurry(Check):
    """Images without fine detail.

    What it finds:
        Images in which even the sharpest edges are soft: out of focus, shaken, or smoothed by processing.
    Why it matters:
        The detail that tells classes apart is gone, and a network learns blur where blur and class go together.
    What to do:
        Look at them. Drop those on which you cannot tell the class, keep those that the model will meet in use.
    How it works:
        The structure function of luma, the mean squared difference of pixels a step apart: across a sharp edge it grows
        like the step, across a blurred one like its square. Sharpness is 8 S(1) / S(8) along the sharper axis: 1 for
        clean edges, 0.25 for a Gaussian blur of about 2 pixels, 0.13 at worst. It depends neither on contrast nor on how
        much of the image has detail, and strong edges weigh most, so that a sharp subject before a soft background is
        sharp. Large images are reduced to a shorter side of at most 512 pixels first: what counts is blur relative to
        the size of the picture.
    Known limits:
        Pictures without any edge (fog, sky) look blurred. Noise and grain hide blur. Text or a logo laid over a blurred
        photo makes it sharp. Enlarged images are blurry too. Where more than half of a data set is so, one claim says it.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. Gaussian blur of radius 5 found in 4 of 4 of the
        scored half, of 2 in 3 of 4; planted in 100 photos of 400 x 533 (benchmarks/planted.py): sigma 5 99 % (95 to
        100), 3 97 %, 2 81 %, 1.5 41 %; defocus of radius 8 98 %, 5 94 %, 3 62 %. No alarm on its 100 untouched photos;
        none on 2,000 others.
    """

    code = "blurry"
    family = "quality"
    severity = "warning"
    needs = ("sharpness",)
    summary = "Images without fine detail"
    advice = "Drop those on which the class cannot be told; keep what the model will meet in use."
    message = "{what} is {figure:.2f}, below {threshold:.2f} (clean edges: 1)"

    threshold: float = option(0.28, "sharpness below which an image is blurred", low=0.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each blurred image, or one for a blurred data set."""
        sharpness = figures(dataset, "sharpness")
        yield from claim_unless_typical(
            self, dataset, sharpness < self.threshold, judged=~np.isnan(sharpness), figure=sharpness,
            what="sharpness", confidence=ramp(sharpness, self.threshold, 0.6 * self.threshold),
            evidence={"threshold": self.threshold},
        )  # fmt: skip
