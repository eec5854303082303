"""The check low-coverage: classes that lack a range of a property that the other classes have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.labelled import labelled_rows
from dataprep.checks.properties import Property, properties_of
from dataprep.checks.slices import histogram_of
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: What is looked at: how the picture was taken, which may differ at use; not what it shows, as colour does.
_COLUMNS = {
    "luma_mean": "brightness", "contrast": "contrast", "sharpness": "sharpness", "noise": "noise", "jpeg_quality": "compression",
    "megapixels": "size", "aspect": "shape", "edge_luma": "background", "camera": "camera", "capture_hour": "capture time",
}  # fmt: skip
_ADVICE = {
    "brightness": "collect some, or augment by brightness",
    "contrast": "collect some, or augment by contrast",
    "sharpness": "collect some, or augment by blur and scale",
    "noise": "collect some, or augment by noise",
    "compression": "save some anew with other qualities as augmentation",
    "size": "collect some, or augment by scale",
    "shape": "collect some, or augment by crops of other shapes",
}
_COLLECT = "collect some, or leave it out of what the model promises"
#: Shares of the other classes' samples at which a range ends: from the least up, or from the greatest down.
_ENDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
#: Values of a category that are looked at, most frequent first.
_MOST_VALUES = 20


@dataclass(frozen=True, eq=False)
class _Gap:
    """A class with fewer samples in a range than the other classes have there."""

    property: Property
    family: str
    label: int
    words: str
    inside: NDArray[np.bool_]
    observed: int
    expected: float
    log_probability: float


@dataclass(frozen=True)
class LowCoverage(Check):
    """Classes that lack a range of a property that the other classes have.

    What it finds:
        A class with no, or almost no, image in a range of brightness, contrast, sharpness, noise, compression, size, shape or
        background, from a camera, at an hour, or with a value of the user's own columns, where the other classes have so many
        that chance does not explain it. At most ten, those first of which most is missing.
    Why it matters:
        What a class never shows in training is a guess at use: a model that saw no dark image of a class tends to take dark
        images for something else, and the property becomes a hint at the class (see shortcut).
    What to do:
        Collect such images of the class, or make them by augmentation where the property can be augmented; else say that the
        model is not for them.
    How it works:
        Ranges end at fixed shares of all images (5 to 50 %, from either side). A class's number of images in one is compared
        with the number that the share of the other classes would give. Reported are numbers of at most a tenth of that, where at
        least 8 were expected, and whose probability under independence (Chvátal's 1979 bound of the hypergeometric
        distribution), times the number of ranges and classes tried, is below `alpha` (Bonferroni). Of the ranges of one property
        the one with most missing is told. Of images that belong together one of each class counts.
    Known limits:
        Colour and content are left out: that no lemon is blue is no fault. Brightness or shape may be the class's nature
        too; the histogram shows it. Small classes show no significant gap: with 50 images a range must hold a fifth of the other
        classes' before its absence means something. Gaps that all classes share cannot be seen from within the data;
        compare with a reference by distribution-mismatch.
    Measured quality:
        benchmarks/slices.py: with the labels of 2,000 photos of clothes and of 6,234 CIFAR images dealt out anew, a claim on
        0 of 40 data sets each. A class whose darkest images were taken out is found in 15 of 20 classes where those are the
        darkest 10 % of all images, in 20 of 20 at 20 %, and in 6 of 20 at 5 % (the small classes have too few images to tell).
    """

    code = "low-coverage"
    family = "content"
    severity = "info"
    scope = "slice"
    needs = ("label",)
    looks = True
    suggestion = "review"
    summary = "Classes that lack what other classes have"
    advice = "Collect or augment what the class lacks, or say that the model is not for it."
    message = (
        "class {class_name!r} has {count} with {words}; {expected:.0f} would be expected if it were like the other classes "
        "({others:.0%} of theirs): {remedy}"
    )

    fewest: float = option(8.0, "samples that chance would put into a range, from which on their lack is reported", low=1)
    share: float = option(0.1, "samples in the range relative to that, up to which they count as lacking", low=0, high=1)
    alpha: float = option(0.01, "probability of any claim where classes and properties are independent", low=0.0001, high=0.5)
    most_rows: int = option(50_000, "samples that are looked at, drawn at random", low=100)
    most_claims: int = option(10, "gaps that are reported, largest first", low=1)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each gap."""
        if dataset.task in ("regression", "multi-label"):
            return
        rows, labels, classes, _ = labelled_rows(dataset, look, self.most_rows, 1)
        if len(classes) < 2:
            return
        names = dataset.samples.index.to_numpy(dtype=object)[rows]
        for gap in self._largest(_looked_at(properties_of(dataset, rows)), labels, len(classes)):
            evidence = _evidence(gap, labels, classes, names)
            target = f"{classes[gap.label]}: {gap.words}"
            yield self.claims([target], figure=gap.observed, unit="samples", evidence=evidence)

    def _largest(self, looked_at: list[tuple[Property, str]], labels: NDArray[np.int64], classes: int) -> list[_Gap]:
        """The gaps beyond chance, one for each class and property, those first of which most is missing."""
        sizes = np.bincount(labels, minlength=classes)
        tests, best = 0, dict[tuple[int, str], _Gap]()
        for each, family in looked_at:
            for words, inside in _ranges(each):
                counts = np.bincount(labels[inside], minlength=classes)
                expected = sizes * (counts.sum() - counts) / np.maximum(sizes.sum() - sizes, 1)
                tried = np.flatnonzero(expected >= self.fewest)
                tests += len(tried)
                for label in tried[counts[tried] <= self.share * expected[tried]]:
                    found = int(counts[label]), int(sizes[label]), int(counts.sum()), int(sizes.sum())
                    gap = _Gap(each, family, int(label), words, inside, found[0], float(expected[label]), log_fewer(*found))
                    known = best.get((gap.label, each.name))
                    if known is None or _missing(gap) > _missing(known):
                        best[gap.label, each.name] = gap
        limit = np.log(self.alpha / max(tests, 1))
        beyond = [gap for gap in best.values() if gap.log_probability <= limit]
        return sorted(beyond, key=lambda gap: -_missing(gap))[: self.most_claims]


def _missing(gap: _Gap) -> float:
    return gap.expected - gap.observed


def _looked_at(properties: list[Property]) -> list[tuple[Property, str]]:
    """Those of the properties that tell how a picture was taken, and the user's own columns, with their families."""
    own = [(each, each.family) for each in properties if each.family.startswith("column ")]
    return [(each, _COLUMNS[each.name]) for each in properties if each.name in _COLUMNS] + own


def _ranges(each: Property) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Ranges from either end of a number, or the values of a category, in words, and (n,) what lies in them."""
    known = ~np.isnan(each.values)
    values, counts = np.unique(each.values[known], return_counts=True)
    if each.categories or len(values) <= 2 * len(_ENDS):
        for value in values[np.argsort(-counts, kind="stable")][:_MOST_VALUES]:
            name = each.categories[int(value)] if each.categories else f"{value:.6g}"
            yield f"{each.name} = {name}", each.values == value
        return
    for share in _ENDS:
        low, high = np.quantile(each.values[known], (share, 1 - share))
        yield f"{each.name} below {low:.3g}", known & (each.values < low)
        yield f"{each.name} above {high:.3g}", known & (each.values > high)


def log_fewer(observed: int, size: int, inside: int, total: int) -> float:
    """Logarithm of the probability of at most `observed` of a class's `size` samples among `inside` of `total` at random.

    The lower tail of the hypergeometric distribution, by the bound of Chvátal (1979): never too small, so never too sure.
    """
    expected_share, share = inside / total, observed / size
    if share >= expected_share:
        return 0.0
    lacking = np.log((1 - share) / (1 - expected_share)) * (1 - share)
    having = np.log(share / expected_share) * share if share > 0 else 0.0
    return float(-size * (lacking + having))


def _evidence(gap: _Gap, labels: NDArray[np.int64], classes: list[str], names: NDArray[np.object_]) -> dict[str, Any]:
    others = labels != gap.label
    found: dict[str, Any] = {
        "class_name": classes[gap.label],
        "words": gap.words,
        "count": "no image" if not gap.observed else "1 image" if gap.observed == 1 else f"{gap.observed:,} images",
        "expected": gap.expected,
        "others": float(gap.inside[others].mean()),
        "remedy": _ADVICE.get(gap.family, _COLLECT),
        "neighbours": [str(name) for name in names[gap.inside & others][:6]],
    }
    return found | histogram_of(gap.property, {classes[gap.label]: ~others, "other classes": others})
