"""The check low-information: blank images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.reading import PLAIN, luma_range
from dataprep.checks.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Half a data set of blank images is no character of the data but a fault; nearly all of one is (fog, smooth surfaces).
_MOST = 0.95


@dataclass(frozen=True)
class LowInformation(Check):
    """Blank images.

    What it finds:
        Images of one tone: blank pages, black frames of a video, placeholders of a web shop, a lens cap.
    Why it matters:
        They show nothing of the class that their label names. Often many are identical, and land in several classes.
    What to do:
        Drop them, unless "nothing there" is one of the classes.
    How it works:
        The difference between the 99th and the 1st percentile of BT.601 luma: below 0.03 (8 of 255 levels) nothing but
        compression noise is left of a picture. Where more than 95 % of the images are so, it is said once.
    Known limits:
        A mark that covers less than 1 % of a blank page goes unseen. Colours of equal luma count as one tone. Strong
        noise on a blank image makes it noisy, not blank.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. White and nearly uniform images found in 8 of 8 of
        the scored half; planted in 100 photos (benchmarks/planted.py): one tone with noise of one level 100 % (96 to
        100). No alarm on its 100 untouched photos; none on 2,000 others.
    """

    code = "low-information"
    family = "quality"
    severity = "error"
    needs = ("luma_p01", "luma_p99")
    suggestion = "drop"
    summary = "Blank images"
    advice = "Drop them, unless “nothing there” is one of the classes."
    message = "{what} is {figure:.3f} of 1, below {threshold:.2f}"

    threshold: float = option(PLAIN, "range of luma below which an image is blank", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each blank image, or one for a data set of them."""
        span = luma_range(dataset)
        yield from claim_unless_typical(
            self, dataset, span < self.threshold, judged=~np.isnan(span), figure=span,
            what="the range of luma that holds 98 % of the pixels", unit="luma", evidence={"threshold": self.threshold},
            share=_MOST,
        )  # fmt: skip
