"""The check low-contrast: images whose tones lie close together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import PLAIN, figures, luma_range, ramp, transparent
from dataprep.checks.statistics.typical import SHARE_OF_TONES, claim_unless_typical, stands_out
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class LowContrast(Check):
    """Low-contrast images.

    What it finds:
        Images that use less than about a fifth of the range from black to white, though they are
        neither dark nor bright: fog, a dirty lens, a faded scan, data of 16 bits scaled wrongly.
    Why it matters:
        The signal is weak against noise and compression, and a network learns the haze along with
        the class.
    What to do:
        Look at them. Stretch the contrast of all images alike if recording is the cause; drop
        images that show nothing.
    How it works:
        The difference between the 99th and the 1st percentile of BT.601 luma against a threshold.
        It must also be smaller than this data set's own tail goes: on a scale of ratios, 6.5 times
        as far below the median as the smallest sixth begins; clear glass on grey is flat, and is
        the flattest of many. Images that are all dark (99th percentile below 0.3) or all bright
        (1st percentile above 0.6) have little contrast of necessity and are left to those checks,
        images of one tone to low-information; those with transparent pixels are not judged.
    Known limits:
        Mild haze is not found, nor is fog where many images have some. Contrast of colour alone is
        not seen. In data sets of fewer than 20 images the threshold alone decides. Where more than
        15 % of a data set is so, one fact says it, and none is claimed about single images.
    Measured quality:
        Planted in 100 photos (benchmarks/planted.py): contrast x 0.1 100 % (95 % interval 96 to
        100), x 0.2 52 %, x 0.3 none; x 0.1 in 9 of 9 photos of clothes (benchmarks/quality.py), x
        0.25 in 3. No alarm on 200 untouched photos, none on 2,000 others. By eye (files in
        benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others: nothing
        listed on any of the 24; the threshold alone named 18 photographs of clear glass and plastic
        on grey, and 4 of deer and birds.
    """

    code = "low-contrast"
    family = "quality"
    severity = "warning"
    needs = ("luma_p01", "luma_p99")
    wants = ("alpha",)
    summary = "Low-contrast images"
    advice = (
        "Stretch the contrast of all images alike if recording is the cause; drop images that "
        "show nothing."
    )
    message = "{what} {figure:.0%} (threshold {threshold:.0%})"

    threshold: float = option(0.22, "range of luma below which contrast is low", low=0.0, high=1.0)
    dark: float = option(
        0.3,
        "99th percentile of luma below which an image is dark rather than flat",
        low=0.0,
        high=1.0,
    )
    bright: float = option(
        0.6,
        "1st percentile of luma above which an image is bright rather than flat",
        low=0.0,
        high=1.0,
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each flat image, or one for a flat data set."""
        span = luma_range(dataset)
        exposed = (figures(dataset, "luma_p99") >= self.dark) & (
            figures(dataset, "luma_p01") <= self.bright
        )
        judged = exposed & (span >= PLAIN) & ~transparent(dataset)
        flat = judged & (span < self.threshold)
        yield from claim_unless_typical(
            self,
            dataset,
            flat,
            judged=judged,
            figure=span,
            share=SHARE_OF_TONES,
            unusual=stands_out(span, judged & ~flat),
            what="98 % of the pixels lie within a brightness range of",
            unit="luma",
            confidence=ramp(span, self.threshold, self.threshold / 2),
            evidence={"threshold": self.threshold},
        )
