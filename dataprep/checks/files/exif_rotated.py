"""The check exif-rotated: images that only their EXIF tag turns upright."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures
from dataprep.checks.statistics.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class ExifRotated(Check):
    """Images that rely on EXIF rotation.

    What it finds:
        Files whose pixels are stored rotated or mirrored, with an EXIF tag that says how to
        display them.
    Why it matters:
        Viewers apply the tag, most training code does not: OpenCV does by default, Pillow and
        torchvision do not. Boxes and masks drawn in a viewer then lie in the wrong place, and a
        network sees the world on its side.
    What to do:
        Rotate the pixels and remove the tag (exiftran, jpegtran, or Pillow's
        ImageOps.exif_transpose), or apply it in the data loader.
    How it works:
        EXIF tag 274, other than 1. All measures are of the image as displayed.
    Known limits:
        Cannot tell a wrong tag from a right one. Where more than a tenth of a data set is so
        (phones), one claim says it.
    Measured quality:
        Exact: read from the file. No alarm on 2,225 photos without the tag.
    """

    code = "exif-rotated"
    family = "files"
    severity = "info"
    needs = ("orientation",)
    summary = "Images that rely on EXIF rotation"
    advice = "Rotate the pixels and remove the tag, or apply the tag in the data loader."
    message = "{what} is {figure:.0f} (1 is upright)"

    share: float = option(
        0.1, "share of the data set above which one claim speaks for all", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each turned image, or one for a data set of them."""
        orientation = figures(dataset, "orientation")
        yield from claim_unless_typical(
            self,
            dataset,
            orientation > 1,
            judged=~np.isnan(orientation),
            figure=orientation,
            what="EXIF orientation",
            share=self.share,
            severity=self.severity,
        )
