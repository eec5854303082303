"""The check upscaled: images that were enlarged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.quality.close_ups import NEEDS, WANTS, claim_seen
from dataprep.checks.statistics.arrays import figures, ramp
from dataprep.measures.image.close_up import SOFT_EDGE
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


#: Steps at the borders of 8 x 8 blocks, relative to those inside, above which the blocks of JPEG
#: show.
_BLOCKS_SHOW = 1.7
#: What is left of the quietest differences between pixels at half the resolution, at least: of
#: noise it is half.
_LEAST_HALVING = 1.3


@dataclass(frozen=True)
class Upscaled(Check):
    """Upscaled images.

    What it finds:
        Images that were enlarged by a factor from 2.5 to 10 with a smooth interpolation: thumbnails
        stretched to full size.
    Why it matters:
        Their size promises detail that is not there, and passes every filter by size. Where only
        some classes were enlarged, a network learns that.
    What to do:
        Look for the originals. Otherwise treat them as the small images that they are.
    How it works:
        Interpolated pixels follow from their neighbours, and how closely they do repeats with the
        grid of the small image (after Gallagher 2005). Images whose sharpness leaves it open are
        looked at closely (those that the pass decodes at reduced scale are decoded again for it, at
        most 20,000). Curvature relative to slope is taken per column and per row; a peak of its
        spectrum at 6.5 times the median or more, along both axes, says enlarged (untouched photos
        have 2.6, those out of focus 3 to 3.6). Periods of 8, 4 and 8/3 pixels count only where the
        blocks of JPEG do not show. Besides, the sharpest edges must be at least 1.6 pixels wide.
    Known limits:
        Enlarging by repeated pixels, by a network that invents detail, or by less than 2.5 times is
        not found. Images of less than 80 pixels or with transparent parts are not judged, nor data
        whose files are out of reach. A texture of a fine even step along both axes can look
        enlarged. What was enlarged so much that no trace is left is reported as blurry. Where more
        than half of a data set is so, one claim says it.
    Measured quality:
        Planted in 100 photos (benchmarks/planted.py): 8 times bilinear found in 97 %, bicubic 76 %,
        Lanczos 53 %, all of the others reported as blurry; 6 times 100, 75 and 57 %, the others as
        blurry in 99 %; 4 times 100, 76 and 57 %; 3 times bilinear 93 %. In benchmarks/quality.py 8
        times in 9 of 9. No alarm on 100 and on 2,000 untouched photos, nor on blurred, moved and
        strongly compressed ones but for 1 to 2 %.

        By eye, natural data, the 20 most severe of each set. Chosen on: photos of clothes, rubbish,
        walls, stamps, video 0 listed; scenery 2 (2 right), game textures 2 (2 arguable), stock
        photos 1 (arguable: digital zoom). Kept out: a manual of image filters 1 (right), camera
        frames 1 (wrong: Gaussian blur), 0 in photographs of animals and monuments, nebulae, hands,
        tiles and drawn strokes. The measure before listed 18 game textures, 15 in the manual, 9
        stock photos, 8 of scenery.
    """

    code = "upscaled"
    family = "quality"
    severity = "warning"
    needs = (*NEEDS, "blockiness")
    wants = WANTS
    looks = True
    summary = "Upscaled images"
    advice = "Look for the original images; otherwise treat them as the small images they are."
    message = "{what}{told}"

    peak: float = option(
        6.5,
        "height of the peak at the period of interpolation, relative to the median, from which it "
        "counts",
        low=0.0,
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each enlarged image, or one for a data set of them."""
        seen = look.close_ups()
        blocks = figures(dataset, "blockiness") > _BLOCKS_SHOW
        grid = np.where(blocks, np.nan, seen.figure("resampling_grid"))
        peaks = np.stack([seen.figure("resampling_fine"), seen.figure("resampling_coarse"), grid])
        periods = np.stack(
            [seen.figure(f"resampling_{name}_factor") for name in ("fine", "coarse", "grid")]
        )
        highest = np.nan_to_num(peaks, nan=-np.inf).argmax(axis=0)
        peak, period = (
            np.take_along_axis(each, highest[None], axis=0)[0] for each in (peaks, periods)
        )
        soft = (seen.figure("edge_sharpest") >= SOFT_EDGE) & ~(
            seen.figure("noise_halving") < _LEAST_HALVING
        )

        def describe(row: int) -> str:
            return (
                f"interpolation pattern with a period of {period[row]:.1f} pixels, "
                f"{peak[row]:.0f} times as strong as by chance, and no sharp edge"
            )

        yield from claim_seen(
            self,
            dataset,
            seen,
            (peak >= self.peak) & soft,
            figure=peak,
            unit="times the median",
            describe=describe,
            typical=(
                "enlarged from smaller images; a model trained on them cannot use finer detail, "
                "in production either"
            ),
            evidence={"peak": peak, "period": period},
            confidence=ramp(peak, self.peak, 3 * self.peak),
        )
