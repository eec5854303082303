"""The check bright: images that are nearly white."""

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
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Bright(Check):
    """Very bright images.

    What it finds:
        Images without any shadow: at least 99 % of the pixels are brighter than 0.6 of full luma.
        Badly overexposed, or washed out by a scanner or by processing.
    Why it matters:
        Where the sensor was saturated, colour and texture are gone and no augmentation brings them
        back.
    What to do:
        Look at them. Drop images whose class you cannot recognise; keep those that the model will
        see in production.
    How it works:
        The 1st percentile of BT.601 luma of the displayed image against a threshold. A subject on a
        white background keeps it low, so that product photos are not called bright; a pale subject
        on white does not, so images of which more than half is white, or all of the surroundings,
        are left out. The image must also be brighter than this data set's own tail goes: on a scale
        of ratios of darkness, 6.5 times as far from the median as the brightest sixth begins.
        Images of one tone belong to low-information; those with transparent pixels are not judged.
    Known limits:
        A pale scene (snow) is not told from overexposure, so that this is for your information. An
        overexposed image with a few black pixels (over 1 %), or with blank surroundings, is not
        found. In data sets of fewer than 20 images the thresholds alone decide. Where more than 15
        % of a data set is bright one fact says so, and none is claimed about single images.
    Measured quality:
        Planted in 100 photos (benchmarks/planted.py): haze that leaves 20 % of the contrast 99 %
        (95 to 100), 10 % 98 %, 40 % 23 %; exposure that clips the lights and leaves the shadows 0
        %. Strong overexposure found in 9 of 9 photos of clothes (benchmarks/quality.py), mild in
        none. No alarm on 200 untouched photos, none on 2,000 others. By eye (files in
        benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others: 5 of 5
        arguable on the former (snow, pale walls), 2 of 2 on the latter; icons and stamps, of which
        69 were named before, none.
    """

    code = "bright"
    family = "quality"
    severity = "info"
    needs = ("luma_p01", "luma_p50", "luma_p99", "edge_luma", "edge_contrast")
    wants = ("alpha",)
    summary = "Very bright images"
    advice = (
        "Drop images whose class cannot be recognised; keep what the model will see in production."
    )
    message = "{what} {figure:.0%} (threshold {threshold:.0%})"

    threshold: float = option(
        0.6, "1st percentile of luma above which an image is bright", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each bright image, or one for a bright data set."""
        shadows = figures(dataset, "luma_p01")
        judged = has_picture(dataset) & ~transparent(dataset)
        pale = judged & (shadows > self.threshold)
        yield from claim_unless_typical(
            self,
            dataset,
            pale,
            judged=judged,
            share=SHARE_OF_TONES,
            unusual=~_on_white(dataset) & stands_out(1 - shadows, judged & ~pale),
            figure=shadows,
            what="99 % of the pixels are brighter than",
            unit="luma",
            confidence=ramp(shadows, self.threshold, (1 + self.threshold) / 2),
            evidence={"threshold": self.threshold},
        )


def _on_white(dataset: Dataset) -> NDArray[np.bool_]:
    """(n,) whether a plain white background takes most of the image, or all of its surroundings."""
    white = figures(dataset, "edge_luma") >= _WHITE_EDGE
    plain = figures(dataset, "edge_contrast") < _PLAIN_EDGE
    return np.asarray((white & plain) | (figures(dataset, "luma_p50") >= _WHITE))


_WHITE, _WHITE_EDGE, _PLAIN_EDGE = 0.99, 0.985, 0.02
