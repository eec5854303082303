"""The check low-information: blank images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.reading import PLAIN, figures, luma_range, transparent
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
        compression noise is left of a picture. The standard deviation of luma must be below half of that, too, as marks
        on less than 1 % of a page (a thin letter) raise it. Transparent pixels are shown over white: what is blank only
        so is a warning. Where more than 95 % of the images are so, it is said once.
    Known limits:
        Colours of equal luma count as one tone. Strong noise on a blank image makes it noisy, not blank.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. White and nearly uniform images found in 8 of 8 of
        the scored half; planted in 100 photos (benchmarks/planted.py): one tone with noise of one level 100 % (96 to
        100). No alarm on its 100 untouched photos; none on 2,000 others.
    """

    code = "low-information"
    family = "quality"
    severity = "error"
    needs = ("luma_p01", "luma_p99", "contrast")
    wants = ("alpha",)
    suggestion = "drop"
    summary = "Blank images"
    advice = "Drop them, unless “nothing there” is one of the classes."
    message = "{what} is {figure:.3f} of 1, below {threshold:.2f}"

    threshold: float = option(PLAIN, "range of luma below which an image is blank", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each blank image, or one for a data set of them."""
        span, through = luma_range(dataset), transparent(dataset)
        # Marks that cover less than 1 % of a page, as a thin letter does, lie outside the range, but not outside the contrast.
        blank = (span < self.threshold) & (figures(dataset, "contrast") < self.threshold / 2)
        for part, where in ((~through, ""), (through, ", transparency shown as white,")):
            found = claim_unless_typical(
                self, dataset, blank & part, judged=part & ~np.isnan(span), figure=span, unit="luma", share=_MOST,
                what=f"the range of luma that holds 98 % of the pixels{where}", evidence={"threshold": self.threshold},
                severity="info",
            )  # fmt: skip
            # White on nothing is blank only as long as nothing lies beneath.
            yield from (batch.assign(**_OVER_WHITE) if where else batch for batch in found)


_OVER_WHITE = {"severity": "warning", "suggestion": "review"}
