"""The check blurry: images without fine detail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.quality.close_ups import NEEDS, WANTS, claim_seen
from dataprep.checks.statistics.arrays import ramp
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


#: Pixels from which the sharpest edges are hardly any: a drawn gradient more often than a photo.
_SHADES = 5.0


@dataclass(frozen=True)
class Blurry(Check):
    """Blurry images.

    What it finds:
        Images in which even the sharpest edges are soft: out of focus, shaken, or smoothed by
        processing.
    Why it matters:
        The detail that tells classes apart is gone, and a network learns blur where blur and class
        go together.
    What to do:
        Look at them. Drop images whose class you cannot recognise; keep those that the model will
        see in production.
    How it works:
        Images whose sharpness leaves it open are looked at closely, reduced to a shorter side of at
        most 512 pixels: what counts is blur relative to the size of the picture. (Those that the
        pass decodes at reduced scale are decoded again for it, at most 20,000.) The width of an
        edge is its height divided by its slope: 1 pixel for a clean step, 2.5 for a Gaussian blur
        of 2 pixels. The twentieth sharpest edge of all and the tenth of the second sharpest of 5 x
        5 tiles must both be wide, so that a sharp subject before a soft background is sharp. Where
        there are too few edges, they are sought at half the size. Images whose sharpest edges are
        wider than 5 pixels are most often drawn gradients and said as information only.
    Known limits:
        Images without any edge (fog, sky) are not judged, nor are those under 48 pixels or with
        transparent parts (glows and shadows fade out on purpose), nor data whose files are out of
        reach. What is soft by nature (clouds, smoke, a drawn gradient) is reported. Noise and grain
        hide blur; text or a logo laid over a blurred photo makes it sharp. Enlarged images are
        blurry too. Where more than half of a data set is so, one claim says it.
    Measured quality:
        Planted in 100 photos of 400 x 533 (benchmarks/planted.py): Gaussian blur of sigma 5 found
        in 100 %, 3 in 98 %, 2 in 56 %, 1.5 in 0 %; defocus of radius 8 in 100 %, 5 in 95 %, 3 in 43
        %. In benchmarks/quality.py radius 5 in 9 of 9, 2 in 7 of 9. No alarm on 100 and on 2,000
        untouched photos.

        By eye, natural data, the 20 most severe of each set. Chosen on: photos of clothes 0 listed,
        rubbish 3 (3 right), scenery of a flight simulator 3 (3 right), game textures 8 (8 arguable:
        drawn glows and clouds, soft on purpose), stock pictures and walls 2 (2 arguable), stamps
        and video 0. Kept out: camera frames 4 (4 right), nebulae 3 (3 arguable), 0 in photographs
        of animals and monuments, hands and tiles; a manual of image filters 21 (of 20 looked at 4
        right, 16 arguable: drawn gradients and noise maps; those whose edges are wider than 5
        pixels were made information after this look). None was wrong about its edges.
    """

    code = "blurry"
    family = "quality"
    severity = "warning"
    needs = NEEDS
    wants = WANTS
    looks = True
    summary = "Blurry images"
    advice = (
        "Drop images whose class cannot be recognised; keep what the model will see in production."
    )
    message = "{what}{told}"

    width: float = option(
        2.2, "width of the sharpest edges from which an image is blurred, in pixels", low=0.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each blurred image, or one for a blurred data set."""
        seen = look.close_ups()
        width = np.minimum(seen.figure("edge_sharpest"), seen.figure("edge_second_tile"))

        def describe(row: int) -> str:
            if width[row] >= _SHADES:
                return (
                    f"no edge is sharper than {width[row]:.1f} pixels: a drawn gradient, or "
                    f"blurred beyond recognition"
                )
            return (
                f"the sharpest edges are {width[row]:.1f} pixels wide (sharp: 1, threshold "
                f"{self.width:.1f})"
            )

        yield from claim_seen(
            self,
            dataset,
            seen,
            width >= self.width,
            figure=width,
            unit="pixels",
            describe=describe,
            typical=(
                "even the sharpest edges are soft; a model trained on them cannot use finer "
                "detail, in production either"
            ),
            evidence={"width": width},
            confidence=ramp(width, self.width, 2 * self.width),
            severity=np.where(width >= _SHADES, "info", self.severity).astype(object),
        )
