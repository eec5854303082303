"""The check blurry: images without fine detail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.close_ups import NEEDS, claim_seen
from dataprep.checks.contract import Check
from dataprep.checks.reading import ramp
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


#: Pixels from which the sharpest edges are hardly any: a drawn gradient more often than a photo.
_SHADES = 5.0


@dataclass(frozen=True)
class Blurry(Check):
    """Images without fine detail.

    What it finds:
        Images in which even the sharpest edges are soft: out of focus, shaken, or smoothed by processing.
    Why it matters:
        The detail that tells classes apart is gone, and a network learns blur where blur and class go together.
    What to do:
        Look at them. Drop those on which you cannot tell the class, keep those that the model will meet in use.
    How it works:
        Images whose sharpness, of the pass over the files, leaves it open are decoded again and looked at closely (at most
        20,000, the likeliest first), reduced to a shorter side of at most 512 pixels: what counts is blur relative to the
        size of the picture. The width of an edge is its height divided by its slope: 1 pixel for a clean step, 2.5 for a
        Gaussian blur of 2 pixels. The twentieth sharpest edge of all and the tenth of the second sharpest of 5 x 5 tiles
        must both be wide, so that a sharp subject before a soft background is sharp. Where there are too few edges, they
        are sought at half the size. Images whose sharpest edges are wider than 5 pixels are most often drawn gradients and
        said as information only.
    Known limits:
        Images without any edge (fog, sky) are not judged, nor are those under 48 pixels or with transparent parts (glows and
        shadows fade out on purpose), nor data whose files are out of reach. What is soft by nature (clouds, smoke, a drawn
        gradient) is reported. Noise and grain hide blur; text or a logo laid over a blurred photo makes it sharp. Enlarged
        images are blurry too. Where more than half of a data set is so, one claim says it.
    Measured quality:
        TODO
    """

    code = "blurry"
    family = "quality"
    severity = "warning"
    needs = NEEDS
    looks = True
    summary = "Images without fine detail"
    advice = "Drop those on which the class cannot be told; keep what the model will meet in use."
    message = "{what}{told}"

    width: float = option(2.2, "width of the sharpest edges from which an image is blurred, in pixels", low=0.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each blurred image, or one for a blurred data set."""
        seen = look.close_ups()
        width = np.minimum(seen.figure("edge_sharpest"), seen.figure("edge_second_tile"))

        def told(row: int) -> str:
            if width[row] >= _SHADES:
                return f"no edge is sharper than {width[row]:.1f} pixels: a drawn gradient, or blurred beyond recognition"
            return f"even the sharpest edges are {width[row]:.1f} pixels wide (a clean edge: 1; blurred from {self.width:.1f})"

        yield from claim_seen(
            self, dataset, seen, width >= self.width, figure=width, unit="pixels", told=told,
            typical="even the sharpest edges are soft; what is trained on them cannot use finer detail, in use neither",
            evidence={"width": width}, confidence=ramp(width, self.width, 2 * self.width),
            severity=np.where(width >= _SHADES, "info", self.severity).astype(object),
        )  # fmt: skip
