"""The check dark: images that are nearly black."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, has_picture, ramp, transparent
from dataprep.checks.statistics.typical import SHARE_OF_TONES, claim_unless_typical, stands_out
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Dark(Check):
    """Very dark images.

    What it finds:
        Images of which at least 95 % is darker than a quarter of full luma and nothing is lit:
        badly underexposed, or with the flash forgotten.
    Why it matters:
        What little they show drowns in noise and compression. A network learns from them that dark
        means the class that was photographed at night.
    What to do:
        Look at them. Drop images whose class you cannot recognise; keep those that the model will
        see in production.
    How it works:
        The 95th percentile of BT.601 luma of the displayed image against a threshold: unlike the
        mean it does not call a black object on white dark. The 99th percentiles of luma and of
        chroma must stay below a second one: a lit subject in the night, or a white stroke on black,
        is no fault. And the image must be darker than this data set's own tail goes: on a scale of
        ratios, 6.5 times as far below the median as the darkest sixth begins. Images of one tone
        belong to low-information; those with transparent pixels are not judged.
    Known limits:
        Where images of all brightnesses occur (day and night), only extreme ones stand out. In data
        sets of fewer than 20 images nothing is known about the tail, and the thresholds alone
        decide. Where more than 15 % of a data set is dark (night scenes, X-rays) one fact says so,
        and none is claimed about single images.
    Measured quality:
        Planted in 100 photos (benchmarks/planted.py): exposure x 0.1 and x 0.2 100 % (95 % interval
        96 to 100), x 0.3 24 %, gamma 8 26 %; x 0.1 and x 0.25 in 18 of 18 photos of clothes
        (benchmarks/quality.py). No alarm on 200 untouched photos, none on 2,000 others. By eye
        (files in benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others:
        listed 1 on the former (a starry sky, right), 2 on the latter (an underexposed deer, an edge
        filter: right). Of digits and letters, where 5 to 17 were named before, none is. A set of
        nebulae, half of them dark, is said once.
    """

    code = "dark"
    family = "quality"
    severity = "warning"
    needs = ("luma_p95", "luma_p01", "luma_p99", "chroma_p99")
    wants = ("alpha",)
    summary = "Very dark images"
    advice = (
        "Drop images whose class cannot be recognised; keep what the model will see in production."
    )
    message = "{what} {figure:.0%} (threshold {threshold:.0%})"

    threshold: float = option(
        0.25, "95th percentile of luma below which an image is dark", low=0.0, high=1.0
    )
    lit: float = option(
        0.3,
        "99th percentile of luma or chroma from which something in the image is lit",
        low=0.0,
        high=1.0,
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each dark image, or one for a dark data set."""
        highlights = figures(dataset, "luma_p95")
        judged = has_picture(dataset) & ~transparent(dataset)
        dark = judged & (highlights < self.threshold)
        # A lamp of pure blue has hardly any luma.
        lit = np.maximum(figures(dataset, "luma_p99"), figures(dataset, "chroma_p99")) >= self.lit
        yield from claim_unless_typical(
            self,
            dataset,
            dark,
            judged=judged,
            unusual=~lit & stands_out(highlights, judged & ~dark),
            share=SHARE_OF_TONES,
            figure=highlights,
            what="95 % of the pixels are darker than",
            unit="luma",
            confidence=ramp(highlights, self.threshold, self.threshold / 2),
            evidence={"threshold": self.threshold},
        )
