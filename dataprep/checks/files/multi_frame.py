"""The check multi-frame: animations and documents of several pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, texts
from dataprep.checks.statistics.typical import claim_unless_typical

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class MultiFrame(Check):
    """Animated images and multi-page files.

    What it finds:
        Files that hold more than one picture: animated GIF, WebP, PNG and AVIF, TIFF of several
        pages.
    Why it matters:
        Loaders take the first frame, which may be blank or a title, and silently ignore the rest.
        Where frames were meant to be samples, most of the data are missing.
    What to do:
        Extract the frames that belong to the data set, with one group per file so that they stay
        in one split; or keep the first frame as a still image.
    How it works:
        The number of frames that the file announces. Only the first is measured.
    Known limits:
        Photos in the multi-picture format of phones (a preview or a depth map behind the photo) are
        not counted: their first picture is the photo. Where more than half of a data set is so, one
        claim says it.
    Measured quality:
        Exact: read from the file. No alarm on 2,225 JPEG photos.
    """

    code = "multi-frame"
    family = "files"
    severity = "warning"
    needs = ("frames", "format")
    summary = "Animated images and multi-page files"
    advice = (
        "Extract the frames that belong to the data set, one group per file, or keep the "
        "first as a still image."
    )
    message = "{what} is {figure:.0f}; only the first was analysed"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each file of several frames, or one for a data set of them."""
        frames = figures(dataset, "frames")
        several = (frames > 1) & (texts(dataset, "format") != "MPO")
        yield from claim_unless_typical(
            self,
            dataset,
            several,
            judged=~np.isnan(frames),
            figure=frames,
            what="the number of frames",
            unit="frames",
            severity="info",
        )
