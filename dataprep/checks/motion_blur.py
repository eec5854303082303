"""The check motion-blur: images that are blurred in one direction."""

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
class MotionBlur(Check):
    """Images that are blurred in one direction.

    What it finds:
        Images that are as soft as a blurred one along one direction and markedly sharper across it: the camera or the
        subject moved during the exposure.
    Why it matters:
        As for other blur. And it goes with its cause: with the night, the hand-held camera, the moving class.
    What to do:
        Look at them. Drop those on which you cannot tell the class; if the model will meet moving subjects, keep them.
    How it works:
        Sharpness as in the check blurry, along 0, 45, 90 and 135 degrees. Its least value must be below one threshold
        (as soft as blur) and its greatest must exceed that by another.
    Known limits:
        Pictures of nothing but stripes can look like motion. Motion along a curve, or of a small part of the picture, is
        not found. Strong motion of a soft picture is reported as blurry as well.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. Motion of 25 pixels found in 4 of 4 of the scored
        half (as motion or blur), of 9 in 4 of 4; planted in 100 photos of 400 x 533 (benchmarks/planted.py), as motion:
        25 pixels at 0°, 30°, 45° and 90° 98, 88, 92 and 96 %, 11 pixels 98, 76, 78 and 92 %; most of the others are
        reported as blurry. No alarm on its 100 untouched photos; 3 on 2,000 others.
    """

    code = "motion-blur"
    family = "quality"
    severity = "warning"
    needs = ("sharpness", "directionality")
    summary = "Images that are blurred in one direction"
    advice = "Drop those on which the class cannot be told; keep them if the model will meet moving subjects."
    message = "{what} is {figure:.2f}, below {threshold:.2f}, and higher across it"

    threshold: float = option(0.3, "sharpness along the softest direction below which it is blurred", low=0.0)
    imbalance: float = option(0.25, "least directionality: by how much the sharpest direction exceeds it", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each image with motion blur, or one for a data set of them."""
        imbalance = figures(dataset, "directionality")
        softest = figures(dataset, "sharpness") * (1 - imbalance)
        yield from claim_unless_typical(
            self, dataset, (softest < self.threshold) & (imbalance > self.imbalance), judged=~np.isnan(softest),
            figure=softest, what="sharpness along the softest direction",
            confidence=ramp(softest, self.threshold, 0.6 * self.threshold), evidence={"threshold": self.threshold},
        )  # fmt: skip
