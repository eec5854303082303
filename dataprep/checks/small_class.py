"""The check small-class: classes with few samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.class_counts import class_counts
from dataprep.checks.contract import Check
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

_FEW_IMAGES, _SOME_IMAGES = 1000, 5000
#: A class needs a sample in each of train, validation and test.
_UNSPLITTABLE = 2
_REGIMES = {
    "features": "with under 1,000 images in all, take features from a pretrained network and fit a simple classifier",
    "transfer": "with 1,000 to 5,000 images in all, augment, or fine-tune a pretrained network",
    "train": "with over 5,000 images in all, train or fine-tune, and weight or oversample this class",
    "unsplittable": "it cannot have a sample in each of train, validation and test: collect more, merge it, or leave it out",
}


@dataclass(frozen=True)
class SmallClass(Check):
    """Classes with few samples.

    What it finds:
        Classes with fewer than 1,000 samples, the smallest first: one claim each, for at most 100 classes, and one for
        the rest. Classes of one or two samples are named apart: they cannot be split.
    Why it matters:
        Training a network from nothing needs about a thousand images of each class; with fewer it learns the images by
        heart. And a figure from few test samples says little: a recall measured on 10 images is uncertain by 30
        percentage points.
    What to do:
        It depends on how many images there are in all. Under 1,000: take features from a pretrained network and fit a
        simple classifier on them. 1,000 to 5,000: augment, or fine-tune a pretrained network. Above: train, and weight or
        oversample the class. One or two samples: collect more, merge the class with another, or leave it out.
    How it works:
        Counts of labels, over all splits. 1,000 per class is the rule of thumb of the field, from the size of the classes
        of ImageNet (Russakovsky et al. 2015: 732 to 1,300); the borders of the three regimes are rules of thumb as well.
    Known limits:
        A rule of thumb: with a good pretrained network 20 samples of an easy class are enough, and 10,000 of a hard one
        are not. Unreadable files and duplicates count as samples; clean first, then count.
    Measured quality:
        Exact for the threshold: counting has no error. Every small data set is told so, once for each class, as
        information.
    """

    code = "small-class"
    family = "labels"
    severity = "info"
    scope = "class"
    needs = ("label",)
    suggestion = "none"
    summary = "Classes with few samples"
    advice = "Use a pretrained network: features and a simple classifier under 1,000 images in all, fine-tuning up to 5,000."
    message = "{what}, below {threshold:,}: {todo}"

    threshold: int = option(1000, "samples below which a class is small", low=1)
    most: int = option(100, "classes that get a claim of their own; the others share one", low=1)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each of the smallest classes, and one for all others that are small."""
        counts = class_counts(dataset)
        small = counts[counts < self.threshold][::-1]
        if not len(small):
            return
        regime = _regime(int(dataset.samples["label"].notna().sum()))
        yield from self._each(small.iloc[: self.most], regime)
        rest = small.iloc[self.most :]
        if len(rest):
            what = f"{len(rest):,} more classes have {rest.min():,} to {rest.max():,} samples each"
            if rest.min() <= _UNSPLITTABLE:
                what += f" ({(rest <= _UNSPLITTABLE).sum():,} of them one or two, too few to be split)"
            evidence = {"what": what, "todo": _REGIMES[regime], "regime": regime, "threshold": self.threshold}
            yield self.claims([""], scope="dataset", figure=len(rest), unit="classes", evidence=evidence)

    def _each(self, small: pd.Series[int], regime: str) -> Iterator[pd.DataFrame]:
        regimes = np.where(small.to_numpy() <= _UNSPLITTABLE, "unsplittable", regime)
        evidence = [
            {
                "what": f"{count:,} sample{'s' if count > 1 else ''}",
                "todo": _REGIMES[name],
                "regime": name,
                "threshold": self.threshold,
            }
            for count, name in zip(small, regimes, strict=True)
        ]
        yield self.claims(small.index.to_numpy(dtype=object), figure=small.to_numpy(), unit="samples", evidence=evidence)


def _regime(images: int) -> str:
    if images < _FEW_IMAGES:
        return "features"
    return "transfer" if images <= _SOME_IMAGES else "train"
