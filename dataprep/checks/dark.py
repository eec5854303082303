"""The check dark: images that are nearly black."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.reading import figures, has_picture, ramp
from dataprep.checks.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Dark(Check):
    """Images that are nearly black.

    What it finds:
        Images of which at least 95 % is darker than a quarter of full luma: badly underexposed, or with the flash
        forgotten.
    Why it matters:
        What little they show drowns in noise and compression. A network learns from them that dark means the class that
        was photographed at night.
    What to do:
        Look at them. Drop those on which you cannot tell the class, keep those that the model will meet in use.
    How it works:
        The 95th percentile of BT.601 luma of the displayed image against a threshold: unlike the mean it does not call a
        black object on white dark, and unlike the maximum it is not fooled by one lamp. Images of one tone belong to
        low-information.
    Known limits:
        A bright subject that fills less than a twentieth of a black background counts as dark. Where more than half of a
        data set is dark (night scenes, X-rays) one claim says so, and none is made about single images.
    Measured quality:
        Tuned on photos of clothes with planted faults (benchmarks/quality.py; the figures are of one half of them, the
        other gives the same), so that other pictures can fare worse. Exposure x 0.1 found in 4 of 4 and x 0.25 in 4 of
        4 of the scored half; planted in 100 photos (benchmarks/planted.py): x 0.1 and x 0.2 100 % (95 % interval 96 to
        100), x 0.3 50 %. No alarm on its 100 untouched photos; none on 2,000 others.
    """

    code = "dark"
    family = "quality"
    severity = "warning"
    needs = ("luma_p95", "luma_p01", "luma_p99")
    summary = "Images that are nearly black"
    advice = "Drop those on which the class cannot be told; keep what the model will meet in use."
    message = "{what} is {figure:.2f} of 1, below {threshold:.2f}"

    threshold: float = option(0.25, "95th percentile of luma below which an image is dark", low=0.0, high=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each dark image, or one for a dark data set."""
        highlights = figures(dataset, "luma_p95")
        yield from claim_unless_typical(
            self, dataset, (highlights < self.threshold) & has_picture(dataset), judged=~np.isnan(highlights),
            figure=highlights, what="the luma that 95 % of the pixels stay below", unit="luma",
            confidence=ramp(highlights, self.threshold, self.threshold / 2), evidence={"threshold": self.threshold},
        )  # fmt: skip
