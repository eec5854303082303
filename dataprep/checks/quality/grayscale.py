"""The check grayscale: grey images among coloured ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, has_picture, luma_range
from dataprep.checks.statistics.typical import LEAST
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Grayscale(Check):
    """Grayscale images among colour images.

    What it finds:
        Images without colour where most images have it, also when they are stored in three equal
        channels.
    Why it matters:
        Where one class is grey more often, a network learns that. Files of one channel also break
        loaders that expect three.
    What to do:
        Make sure that no class is grayscale more often. Convert all images to the same number of
        channels; where
        colour does not matter, train with augmentation that drops it.
    How it works:
        The 99th percentile of chroma, the difference between the largest and the smallest of R, G
        and B: at most 0.015 (4 of 255 levels) is what compression leaves of grey. It must also be
        at most a twentieth of the range of luma: dark and pale pictures have little chroma, and are
        no grey ones. Images of one tone are left to low-information.
    Known limits:
        Grey pictures with a small coloured stamp (over 1 %), and tinted ones (sepia), count as
        coloured. Where more than a tenth of a data set is grey nothing is said about single images:
        one fact says that it is mixed, or grey (over 95 %).
    Measured quality:
        Grey stored in three channels found in 9 of 9 photos of clothes (benchmarks/quality.py), and
        planted in 100 photos (benchmarks/planted.py) in 100 % (96 to 100). No alarm on 200
        untouched photos; none on 2,000 others. By eye (files in benchmarks/judged/), rules chosen
        on 12 sets and then looked at once on 12 others: all right on five sets of the former (88
        looked at) and four of the latter (59).
    """

    code = "grayscale"
    family = "quality"
    severity = "info"
    needs = ("chroma_p99", "luma_p01", "luma_p99")
    summary = "Grayscale images among colour images"
    advice = (
        "Make sure that no class is grayscale more often; convert all images to the same number "
        "of channels."
    )
    message = "{what} {figure:.1%} (threshold {threshold:.1%})"

    threshold: float = option(
        0.015, "99th percentile of chroma up to which an image is grey", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each grey image of a coloured data set, or one for a data set that
        is half and half.
        """
        chroma = figures(dataset, "chroma_p99")
        judged = ~np.isnan(chroma) & has_picture(dataset)
        grey = judged & (chroma <= self.threshold) & (chroma <= _OF_RANGE * luma_range(dataset))
        share = grey.sum() / max(judged.sum(), 1)
        if 0 < share <= _MIXED or (0 < share < _NEARLY_ALL and judged.sum() < LEAST):
            targets = dataset.samples.index.to_numpy(dtype=object)[grey]
            evidence = {"what": "maximum chroma", "threshold": self.threshold}
            yield self.claims(targets, figure=chroma[grey], evidence=evidence)
        elif share > _MIXED and judged.sum() >= LEAST:
            kind, meaning = _GREY if share >= _NEARLY_ALL else _MIXED_MEANING
            what = (
                f"{kind} data set ({share:.0%} of the images are grayscale; {meaning}): maximum "
                f"chroma"
            )
            evidence = {
                "what": what,
                "threshold": self.threshold,
                "share": float(share),
                "meaning": meaning,
            }
            evidence["sentence"] = f"{share:.0%} of the images are grayscale: {meaning}"
            yield self.claims_of_dataset(figure=float(np.median(chroma[grey])), evidence=evidence)


_OF_RANGE = 0.05
#: Where more are grey the data set is mixed by nature; where nearly all are, it is a grey one.
_MIXED, _NEARLY_ALL = 0.1, 0.95
_GREY = (
    "grey",
    "one channel is enough; repeat it three times for pretrained weights, and leave colour "
    "augmentations out",
)
_MIXED_MEANING = (
    "mixed",
    "make sure that no class is grayscale more often; convert all images to the same number of "
    "channels, or drop colour at random",
)
