"""The check upscaled: images with far fewer details than pixels."""

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
class Upscaled(Check):
    """Images with far fewer details than pixels.

    What it finds:
        Images whose detail ends at a third of what their pixel grid could carry: enlarged four times or more (thumbnails
        stretched to full size), or blurred so much that it comes to the same.
    Why it matters:
        Their size promises detail that is not there, and passes every filter by size. Where only some classes were
        enlarged, a network learns that.
    What to do:
        Look for the originals. Otherwise treat them as the small images that they are.
    How it works:
        Spectra of 64 pieces of 128 pixels along each axis, levelled by the square of the frequency (power of photographs
        falls like its inverse square: Field 1987). The figure is the frequency where power first falls to 1/16 of its
        level at low frequencies, relative to the highest that pixels can carry, along the axis where it is higher. Images of
        up to 512 pixels on their shorter side with steep edges (sharpness of 0.85 or more) are taken to have all their detail.
    Known limits:
        Enlarging by less than four (bilinear: six) is seldom found, by repeated pixels or by a network that invents detail
        never. Text or a logo added afterwards hides it. Strong blur is found too, and reported as blurry as well. Images of
        less than 128 pixels are not judged. Where more than half of a data set is so, one claim says it.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. Enlarging 8 times found in 4 of 4 of the scored
        half; planted in 100 photos (benchmarks/planted.py): 6 and 8 times 97 to 100 % by any interpolation, 4 times
        bicubic or Lanczos 95 %, bilinear 23 %, 3 times 7 to 24 %. No alarm on its 100 untouched photos; none on 2,000
        others.
    """

    code = "upscaled"
    family = "quality"
    severity = "warning"
    needs = ("detail_fraction",)
    summary = "Images with far fewer details than pixels"
    advice = "Look for the originals; otherwise treat them as the small images that they are."
    message = "{what} {figure:.0%} of the finest that the pixels could carry, below {threshold:.0%}"

    threshold: float = option(0.38, "share of the frequencies with detail below which an image was enlarged", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each enlarged image, or one for a data set of them."""
        fraction = figures(dataset, "detail_fraction")
        yield from claim_unless_typical(
            self, dataset, fraction < self.threshold, judged=~np.isnan(fraction), figure=fraction,
            what="detail ends at", confidence=ramp(fraction, self.threshold, 0.6 * self.threshold),
            evidence={"threshold": self.threshold},
        )  # fmt: skip
