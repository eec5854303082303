"""The check low-coverage: classes that lack a range of a property that the other classes have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.content.slices import histogram_of
from dataprep.checks.contract import Check
from dataprep.checks.statistics.causes import Cause, causes_of, of_making
from dataprep.checks.statistics.imposed import higher
from dataprep.checks.statistics.labelled import labelled_rows
from dataprep.checks.statistics.properties import Property
from dataprep.checks.statistics.scales import bound_in, distance, parts_of_day
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

_ANY = math.inf
#: Measured numbers that can be collected or augmented: a low range matters up to the first bound
#: (of less sharpness pictures look blurred), a high one from the second, and how they are made.
_COLUMNS: dict[str, tuple[float, float, str]] = {
    "luma_mean": (_ANY, -_ANY, "collect some, or augment by brightness"),
    "sharpness": (0.45, _ANY, "collect some, or augment by blur"),
    "noise": (-_ANY, 0.008, "collect some, or augment by noise"),
    "jpeg_quality": (80.0, _ANY, "augment by JPEG compression"),
    "short_side": (_ANY, -_ANY, "collect some, or augment by scale"),
    "aspect": (_ANY, -_ANY, "collect some, or augment by crops of other shapes"),
}
_COLLECT = "collect some, or document that the model does not cover it"
#: Shares of the samples at which a range ends: from the least up, or from the greatest down.
_ENDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
#: Classes with fewer samples lack much by being small.
_LEAST_OF_CLASS = 30
#: Values of a category that are looked at, most frequent first.
_MOST_VALUES = 20
#: Beyond the range, the class is like the others where a picture of it has the higher value with a
#: probability between these; else the whole class differs, as by its nature.
_ALIKE = (0.3, 0.7)
#: Intersection over union of two ranges of a class beyond which the one with less missing is the
#: same lack.
_SAME = 0.4
#: Variation of the class relative to that of the others (10th to 90th percentile); one that varies
#: less is of one make.
_VARIES = 0.5


@dataclass(frozen=True, eq=False)
class _Gap:
    """A class with fewer samples in a range than the other classes have there."""

    measured: Property
    remedy: str
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
        A class with no, or almost no, image in a range of brightness, sharpness, noise,
        compression, size or shape, from a camera, at a time of the day, or with a value of the
        user's own columns, where the other classes have so many that chance does not explain it. At
        most five, those first of which most is missing.
    Why it matters:
        What a class never shows in training is a guess at use: a model that saw no dark image of a
        class tends to take dark images for something else, and the property becomes a hint at the
        class (see shortcut).
    What to do:
        Collect such images of the class, or make them by augmentation where the property can be
        augmented; else say that the model is not for them.
    How it works:
        Ranges end at fixed shares of all images (low ones at 5 to 50 %, high ones at 10 to 50 %). A
        class's number of images in one is compared with the number that the share of the other
        classes would give. Reported are numbers of at most a tenth of that, where at least 8 were
        expected, and whose probability under independence (Chvátal's 1979 bound of the
        hypergeometric distribution), times the number of ranges and classes tried, is below `alpha`
        (Bonferroni). Images of the others in the range must differ from typical ones of the class
        by what a person notices (8 % of the scale for brightness, a factor of 1.25 for size). Of
        brightness and sharpness, which are of what is shown as well, a lack is told only where the
        class is like the others beyond the range: a class that differs as a whole does so by its
        nature. Of the ranges of one property, and of ranges that share most of their images, the
        one with most missing is told. Of images that belong together one of each class counts.
    Known limits:
        Colour and content are left out: that no lemon is blue is no fault. In drawings and cut-outs
        (plain edges, transparency) brightness, contrast, sharpness, noise, background, size and
        shape are those of what is drawn, and nothing is said of them; nor of sharpness and noise
        below 64 pixels. A class that hardly varies is of one make, which is a shortcut. Small
        classes show no significant gap: with 50 images a range must hold a fifth of the other
        classes' before its absence means something. Gaps that all classes share cannot be seen from
        within the data; compare with a reference by distribution-mismatch.
    Measured quality:
        benchmarks/slices.py --draws 10: with the labels of 2,000 photos of clothes and of 6,234
        CIFAR images dealt out anew, a claim on 0 of 10 sets each. A class whose darkest images were
        taken out is found in 14 of 20 classes where those are the darkest 10 % of all images, in 20
        of 20 at 20 %, and in 1 of 20 at 5 % (small classes have too few images to tell). Natural
        data by eye: contrast, backgrounds and classes below 30 images were left out for what was
        seen there. 4 claims were left on eleven sets to choose by, 1 of use and 3 arguable, and 3
        on eleven others, 1 arguable and 2 of no use (the brightness of small garments on black): so
        it is a fact about the data, no issue.
    """

    code = "low-coverage"
    family = "content"
    severity = "fact"
    scope = "slice"
    needs = ("label",)
    looks = True
    suggestion = "review"
    summary = "Gaps in class coverage"
    advice = (
        "Collect or augment what the class lacks, or document that the model does not cover it."
    )
    message = (
        "{words}: {count:,} of {size:,} images of {class_name!r}, {others_count:,} of "
        "{others_size:,} ({others:.0%}) in the other classes: {remedy}"
    )

    fewest: float = option(
        8.0,
        "samples that chance would put into a range, from which on their lack is reported",
        low=1,
    )
    share: float = option(
        0.1,
        "samples in the range relative to that, up to which they count as lacking",
        low=0,
        high=1,
    )
    alpha: float = option(
        0.01,
        "probability of any claim where classes and properties are independent",
        low=0.0001,
        high=0.5,
    )
    most_rows: int = option(50_000, "samples that are looked at, drawn at random", low=100)
    most_claims: int = option(5, "gaps that are reported, largest first", low=1)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each gap."""
        if dataset.task in ("regression", "multi-label"):
            return
        rows, labels, classes, _ = labelled_rows(dataset, look, self.most_rows, _LEAST_OF_CLASS)
        if len(classes) < 2:
            return
        names = dataset.samples.index.to_numpy(dtype=object)[rows]
        causes = of_making(causes_of(dataset, rows, labels), dataset.samples.iloc[rows])
        for gap in self._largest(causes, labels, len(classes)):
            evidence = _evidence(gap, labels, classes, names)
            evidence["sentence"] = self.message.format(**evidence)
            target = f"{classes[gap.label]}: {gap.words}"
            yield self.claims([target], figure=gap.observed, unit="samples", evidence=evidence)

    def _largest(self, causes: list[Cause], labels: NDArray[np.int64], classes: int) -> list[_Gap]:
        """The gaps beyond chance, one for each class and property, those first of which most is
        missing.
        """
        sizes = np.bincount(labels, minlength=classes)
        tests, best = 0, dict[tuple[int, str], _Gap]()
        for cause in causes:
            for words, remedy, inside in _ranges(cause):
                counts = np.bincount(labels[inside], minlength=classes)
                expected = sizes * (counts.sum() - counts) / np.maximum(sizes.sum() - sizes, 1)
                tried = np.flatnonzero(expected >= self.fewest)
                tests += len(tried)
                for label in tried[counts[tried] <= self.share * expected[tried]]:
                    found = (
                        int(counts[label]),
                        int(sizes[label]),
                        int(counts.sum()),
                        int(sizes.sum()),
                    )
                    chance = log_fewer(*found)
                    gap = _Gap(
                        cause.measured,
                        remedy,
                        int(label),
                        words,
                        inside,
                        found[0],
                        float(expected[label]),
                        chance,
                    )
                    known = best.get((gap.label, cause.measured.name))
                    if (known is None or _missing(gap) > _missing(known)) and _tells(
                        cause, inside, labels == label
                    ):
                        best[gap.label, cause.measured.name] = gap
        limit = np.log(self.alpha / max(tests, 1))
        beyond = [gap for gap in best.values() if gap.log_probability <= limit]
        kept: list[_Gap] = []
        for gap in sorted(beyond, key=lambda gap: -_missing(gap)):
            if not any(
                gap.label == one.label and _overlap(gap.inside, one.inside) > _SAME for one in kept
            ):
                kept.append(gap)
        return kept[: self.most_claims]


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def _missing(gap: _Gap) -> float:
    return gap.expected - gap.observed


def _tells(cause: Cause, inside: NDArray[np.bool_], mine: NDArray[np.bool_]) -> bool:
    """Whether a person notices what is missing, and it is not the nature of the whole class."""
    values, scale = cause.measured.values, cause.scale
    known = ~np.isnan(values)
    lacking, own = values[inside & ~mine], values[mine & known]
    if scale is None or cause.measured.name == "capture_hour":
        return True
    if not len(lacking) or not len(own):
        return False
    if distance(scale, float(np.median(lacking)), float(np.median(own))) < scale.step:
        return False
    ends = [np.subtract(*np.quantile(values[known & part], (0.9, 0.1))) for part in (mine, ~mine)]
    if ends[0] < _VARIES * ends[1]:
        return False
    beyond = known & ~inside
    return cause.kind != "content" or _ALIKE[0] <= higher(values[beyond], mine[beyond]) <= _ALIKE[1]


def _ranges(cause: Cause) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Ranges from the ends of a number, or values of a category: in words, what to do about a
    lack, (n,) what lies in them.
    """
    each, scale = cause.measured, cause.scale
    if each.name == "capture_hour":
        yield from ((words, _COLLECT, inside) for words, inside in parts_of_day(each))
    elif (
        scale and each.name in _COLUMNS and not (each.family == "shape" and cause.kind == "content")
    ):
        low, high, remedy = _COLUMNS[each.name]
        for share in _ENDS:
            least = bound_in(scale, float(np.nanquantile(each.values, share)), up=True)
            most = bound_in(scale, float(np.nanquantile(each.values, 1 - share)), up=False)
            if least <= low:
                yield f"{scale.less} {scale.written(least)}", remedy, each.values < least
            if most >= high and share > _ENDS[0]:
                yield f"{scale.more} {scale.written(most)}", remedy, each.values > most
    elif each.name == "camera" or each.family.startswith("column "):
        yield from _of_own(each)


def _of_own(each: Property) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """The values of a category or of a number with few values; of others, ranges."""
    values, counts = np.unique(each.values[~np.isnan(each.values)], return_counts=True)
    if each.categories or len(values) <= 2 * len(_ENDS):
        for value in values[np.argsort(-counts, kind="stable")][:_MOST_VALUES]:
            name = each.categories[int(value)] if each.categories else f"{value:.6g}"
            if name != "none":
                yield f"{each.name} = {name}", _COLLECT, each.values == value
        return
    for share in _ENDS:
        low, high = np.nanquantile(each.values, (share, 1 - share))
        yield f"{each.name} below {low:.3g}", _COLLECT, each.values < low
        yield f"{each.name} above {high:.3g}", _COLLECT, each.values > high


def log_fewer(observed: int, size: int, inside: int, total: int) -> float:
    """Logarithm of the probability of at most `observed` of a class's `size` samples among `inside`
    of `total` at random.

    The lower tail of the hypergeometric distribution, by the bound of Chvátal (1979): never too
    small, so never too sure.
    """
    expected_share, share = inside / total, observed / size
    if share >= expected_share:
        return 0.0
    lacking = np.log((1 - share) / (1 - expected_share)) * (1 - share)
    having = np.log(share / expected_share) * share if share > 0 else 0.0
    return float(-size * (lacking + having))


def _evidence(
    gap: _Gap, labels: NDArray[np.int64], classes: list[str], names: NDArray[np.object_]
) -> dict[str, Any]:
    others = labels != gap.label
    found: dict[str, Any] = {
        "class_name": classes[gap.label],
        "words": gap.words,
        "property": gap.measured.name,
        "count": gap.observed,
        "size": int((~others).sum()),
        "expected": gap.expected,
        "others_count": int(gap.inside[others].sum()),
        "others_size": int(others.sum()),
        "others": float(gap.inside[others].mean()),
        "remedy": gap.remedy,
        "neighbours": [str(name) for name in names[gap.inside & others][:6]],
    }
    return found | histogram_of(
        gap.measured, {classes[gap.label]: ~others, "other classes": others}
    )
