"""The check low-information: blank images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import PLAIN, figures, luma_range, transparent
from dataprep.checks.statistics.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Half a data set of blank images is no character of the data but a fault; nearly all of one is
#: (fog, smooth surfaces).
_MOST = 0.95


@dataclass(frozen=True)
class LowInformation(Check):
    """Blank images.

    What it finds:
        Images of one tone: blank pages, black frames of a video, placeholders of a web shop, a lens
        cap.
    Why it matters:
        They show nothing of the class that their label names. Often many are identical, and land in
        several classes.
    What to do:
        Drop them, unless "empty" is one of the classes.
    How it works:
        The difference between the 99th and the 1st percentile of BT.601 luma: below 0.03 (8 of 255
        levels) nothing but compression noise, or a faint texture, is left of a picture. The
        standard deviation of luma must be as small, as marks on less than 1 % of a page (a thin
        letter) raise it, and chroma must not vary. From 0.02 on it is a warning only. Transparent
        pixels are shown over white: what is blank only so is for your information. Where more than
        95 % of the images are so, it is said once.
    Known limits:
        Strong noise on a blank image makes it noisy, not blank. A white drawing on nothing is blank
        over white, and need not be over another colour.
    Measured quality:
        Planted in 100 photos (benchmarks/planted.py): one tone with noise of one level 100 % (96 to
        100); white and nearly uniform images in 18 of 18 photos of clothes (benchmarks/quality.py).
        No alarm on 200 untouched photos; none on 2,000 others. By eye (files in
        benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others: errors
        all right, 23 of 23 on the former and 2 of 2 on the latter (before: 4 thin letters among
        12); warnings arguable, a faint texture shows; of 38 on the former and 10 on the latter that
        are blank over white only, 1 wrong and the others arguable, which is why they are for your
        information.
    """

    code = "low-information"
    family = "quality"
    severity = "error"
    needs = ("luma_p01", "luma_p99", "contrast", "saturation", "chroma_p99")
    wants = ("alpha",)
    suggestion = "drop"
    summary = "Blank images"
    advice = "Drop them, unless “empty” is one of the classes."
    message = "{what} {figure:.1%} (threshold {threshold:.0%})"

    threshold: float = option(
        PLAIN, "range of luma below which an image is blank", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each blank image, or one for a data set of them."""
        span, through = luma_range(dataset), transparent(dataset)
        blank = (span < self.threshold) & ~_has_marks(dataset, span)
        for part, where in ((~through, ""), (through, " (transparency shown as white)")):
            found = claim_unless_typical(
                self,
                dataset,
                blank & part,
                judged=part & ~np.isnan(span),
                figure=span,
                unit="luma",
                share=_MOST,
                what=f"98 % of the pixels{where} lie within a brightness range of",
                evidence={"threshold": self.threshold},
                severity="info",
            )
            yield from (
                _softened(batch, self.threshold, see_through=bool(where)) for batch in found
            )


def _has_marks(dataset: Dataset, span: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether something shows although nearly all of the image is of one luma.

    Marks on less than 1 % of a page, as a thin letter makes them, raise the contrast; a pattern of
    colours has several chromas.
    """
    colours = figures(dataset, "chroma_p99") - figures(dataset, "saturation")
    return np.asarray((figures(dataset, "contrast") > span / 2 + _MARK) | (colours > _COLOURS))


def _softened(batch: pd.DataFrame, threshold: float, *, see_through: bool) -> pd.DataFrame:
    """The claims, weaker where a faint texture may show, and where the image is blank only as
    long as white lies beneath it.
    """
    if (batch["scope"] == "dataset").all():
        return batch
    faint = (batch["figure"] > _SURELY * threshold).to_numpy()
    severity = np.where(see_through, "info", np.where(faint, "warning", "error"))
    suggestion = np.where(see_through | faint, "review", "drop")
    return batch.assign(
        severity=pd.Categorical(severity, batch["severity"].cat.categories),
        suggestion=pd.Categorical(suggestion, batch["suggestion"].cat.categories),
    )


#: Contrast of marks on a blank page; difference of chroma that makes colours; part of the threshold
#: below which nothing shows.
_MARK, _COLOURS, _SURELY = 0.004, 0.02, 2 / 3
