"""The check small-class: classes with few samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.labels.class_counts import class_counts
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.issues import Severity

_FEW_IMAGES, _SOME_IMAGES = 1000, 5000
#: A class needs a sample in each of train, validation and test.
_UNSPLITTABLE = 2
#: Classes that the message names, and that the evidence lists.
_NAMED, _KEPT = 5, 100
_REGIMES = {
    "features": "with under 1,000 images in all, take features from a pretrained network and fit a "
    "simple classifier",
    "transfer": "with 1,000 to 5,000 images in all, augment, or fine-tune a pretrained network",
    "train": "with over 5,000 images in all, train or fine-tune, and weight or oversample these "
    "classes",
    "unsplittable": "too few for train, validation and test: collect more, merge such a class with "
    "another, or leave it out",
}


@dataclass(frozen=True)
class SmallClass(Check):
    """Classes with few samples.

    What it finds:
        How many classes have fewer than 1,000 samples, the smallest and the largest of them: one
        fact about the data set, which says what to train with so few. Classes of one or two samples
        are an issue, in one claim that names them: they cannot be split.
    Why it matters:
        Training a network from nothing needs about a thousand images of each class; with fewer it
        learns the images by heart. And a figure from few test samples says little: a recall
        measured on 10 images is uncertain by 30 percentage points.
    What to do:
        It depends on how many images there are in all. Under 1,000: take features from a pretrained
        network and fit a simple classifier on them. 1,000 to 5,000: augment, or fine-tune a
        pretrained network. Above: train, and weight or oversample the class. One or two samples:
        collect more, merge the class with another, or leave it out.
    How it works:
        Counts of labels, over all splits. 1,000 per class is the rule of thumb of the field, from
        the size of the classes of ImageNet (Russakovsky et al. 2015: 732 to 1,300); the borders of
        the three regimes are rules of thumb as well.
    Known limits:
        A rule of thumb: with a good pretrained network 20 samples of an easy class are enough, and
        10,000 of a hard one are not. Unreadable files and duplicates count as samples; clean first,
        then count.
    Measured quality:
        Exact for the threshold: counting has no error. Most data sets have small classes, so that
        it is told as a fact of the data, once, and not as an issue.
    """

    code = "small-class"
    family = "labels"
    severity = "fact"
    scope = "dataset"
    needs = ("label",)
    suggestion = "none"
    summary = "Classes with few samples"
    advice = (
        "Use a pretrained network: features and a simple classifier under 1,000 images in "
        "all, fine-tuning up to 5,000."
    )
    message = "{what}: {todo}"

    threshold: int = option(1000, "samples below which a class is small", low=1)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield one claim about all small classes, and one about those that cannot be split."""
        counts = class_counts(dataset)
        tiny, small = counts[counts <= _UNSPLITTABLE][::-1], counts[counts < self.threshold][::-1]
        if len(tiny):
            what = f"{_so_many(len(tiny), len(counts))} one or two samples ({_named(tiny)})"
            yield self._about(tiny, what, "unsplittable", severity="info")
        if len(small):
            what = (
                f"{_so_many(len(small), len(counts))} fewer than {self.threshold:,} samples, "
                f"{_span(small)}"
            )
            yield self._about(small, what, _regime(int(dataset.samples["label"].notna().sum())))

    def _about(
        self, part: pd.Series[int], what: str, regime: str, severity: Severity = "fact"
    ) -> pd.DataFrame:
        evidence = {
            "what": what,
            "todo": _REGIMES[regime],
            "regime": regime,
            "threshold": self.threshold,
            "classes": {str(name): int(count) for name, count in part.head(_KEPT).items()},
        }
        return self.claims(
            [""], severity=severity, figure=len(part), unit="classes", evidence=evidence
        )


def _so_many(number: int, of: int) -> str:
    if number == of:
        return (
            "the one class has"
            if of == 1
            else "both classes have"
            if of == 2
            else f"all {of:,} classes have"
        )
    return f"{number:,} of {of:,} classes {'has' if number == 1 else 'have'}"


def _span(part: pd.Series[int]) -> str:
    least, most = part.iloc[0], part.iloc[-1]
    if least == most:
        return f"{least:,} each" if len(part) > 1 else _named(part)
    return f"from {least:,} ({part.index[0]!r}) to {most:,} ({part.index[-1]!r})"


def _named(part: pd.Series[int]) -> str:
    names = ", ".join(f"{name!r}: {count:,}" for name, count in part.head(_NAMED).items())
    return names + (f" and {len(part) - _NAMED:,} more" if len(part) > _NAMED else "")


def _regime(images: int) -> str:
    if images < _FEW_IMAGES:
        return "features"
    return "transfer" if images <= _SOME_IMAGES else "train"
