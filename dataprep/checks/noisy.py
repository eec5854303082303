"""The check noisy: images with strong noise."""

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
class Noisy(Check):
    """Images with strong noise.

    What it finds:
        Images with noise of more than about 9 of 255 levels of luma: taken in the dark with a small sensor, transmitted
        badly, or made noisy.
    Why it matters:
        A network learns the noise of a camera instead of the class, and fine detail is lost.
    What to do:
        Look at them. Denoise all images alike or none; drop what shows nothing.
    How it works:
        In blocks of 8 x 8 pixels the mean absolute mixed difference of luma, which is blind to slopes and to edges along
        the axes (after Immerkaer 1996). The flattest twentieth of the blocks gives the noise, less where the flattest
        third is markedly worse: noise is alike everywhere, texture is not.
    Known limits:
        Carpets, gravel and foliage that fill the whole image look like noise. Noise that was smoothed away, or that
        compression removed, is not found; nor is noise in colour alone. Where more than half of a data set is noisy, one
        claim says so.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. Noise of sigma 40 and of 15 found in 8 of 8 of the
        scored half; planted in 100 photos (benchmarks/planted.py): Gaussian noise of sigma 25 per channel 100 % (96 to
        100), 15 95 %, 10 1 %; noise that grows with brightness, of sigma 40, 93 %. No alarm on its 100 untouched
        photos; 2 on 2,000 others. These were carpets.
    """

    code = "noisy"
    family = "quality"
    severity = "warning"
    needs = ("noise",)
    summary = "Images with strong noise"
    advice = "Denoise all images alike or none; drop what shows nothing."
    message = "{what} is {figure:.3f} of 1, above {threshold:.3f}"

    threshold: float = option(0.036, "standard deviation of noise above which an image is noisy", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each noisy image, or one for a noisy data set."""
        noise = figures(dataset, "noise")
        yield from claim_unless_typical(
            self, dataset, noise > self.threshold, judged=~np.isnan(noise), figure=noise,
            what="the standard deviation of noise", unit="luma", confidence=ramp(noise, self.threshold, 2 * self.threshold),
            evidence={"threshold": self.threshold},
        )  # fmt: skip
