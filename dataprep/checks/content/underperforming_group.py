"""The check underperforming-group: kinds of images on which a probe fails more often than their
classes explain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.content.slices import LOOKS, Slice, histogram_of, slices_alike, slices_in_words
from dataprep.checks.contract import Check
from dataprep.checks.statistics.causes import Cause, causes_of, of_making
from dataprep.checks.statistics.labelled import labelled_rows
from dataprep.checks.statistics.properties import Property
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Classes with fewer samples are left out.
_LEAST_OF_CLASS = 20
#: Slices that share more than this part of their samples (intersection over union) with one that is
#: claimed are not claimed too.
_OVERLAP = 0.4
_SHOWN = 6
#: Share of one class among images that look alike, beyond which the group is a kind of that class.
_OF_ONE = 0.6
#: Permutations at once.
_BATCH = 50


@dataclass(frozen=True)
class UnderperformingGroup(Check):
    """Slices on which a model fails more often than their classes explain.

    What it finds:
        Kinds of pictures that people have words for (darker than 15 %, before an uneven background,
        with a shorter side below 200 px), cameras, times of the day, origins by file name or
        folder, values of the split and of the user's own columns (``camera = X``), on which a probe
        that had not seen them errs significantly and substantially more often than on the same
        classes elsewhere; as information, groups of several classes that look alike. With the error
        rate, its interval, the usual rate, the commonest confusion and examples.
    Why it matters:
        An accuracy is a mean. A model that is right in 90 % of cases and in 60 % of those at night
        fails the night shift, and the mean does not say so.
    What to do:
        Look at the examples. Where labels are wrong, mend them; else collect more of the group, or
        augment towards it. Report the accuracy on it apart.
    How it works:
        Errors are those of the out-of-fold predictions that wrong-label uses. A group's errors are
        compared with the rates that its classes have outside of it (Mantel and Haenszel 1959), so
        that a hard class is not mistaken for a hard group. Significant is what exceeds the worst of
        all groups when errors are dealt out at random within classes (Westfall and Young 1993:
        family-wise rate `alpha` over all groups); reported is what is also `excess` above the usual
        rate and `ratio` times it. Of groups that share most images only the clearest is told, with
        the names of the others. Of numbers the outer fifths and tenths are looked at, where a
        person notices how they differ from the rest. Looks are grouped by spherical k-means with
        about 100 images a group, and told where no class makes up more than 60 % of the group (else
        it is a kind of one class), it fails twice as often as usual and by 15 points more, and most
        of its errors are in no group that has a name. Intervals are Wilson's, 95 %. One image of
        each class counts of images that belong together.
    Known limits:
        The probe is a simple one on a general embedding: a model trained for the task may fail
        elsewhere. Wrong labels count as errors. Groups that look alike are made from what the probe
        sees too: errors gather there by nature, so a claim on them tells where, not that something
        is wrong. In drawings and cut-outs brightness, contrast, sharpness and background are those
        of what is drawn, and are not looked at. Combinations of two properties are not looked for.
        Groups of fewer than 30 images are not judged, nor data sets of fewer than 120.
    Measured quality:
        benchmarks/slices.py --draws 10: with the properties of 2,000 photos of clothes, and of
        6,234 CIFAR images, dealt out anew within classes, a claim on 0 of 10 data sets each. A
        planted camera on whose images the probe errs 30 points more often is found in 80 % of cases
        with 50 images and always with 100; 15 points more often, in 60 to 80 % with 200 and in 20
        to 60 % with 100 images. Natural data by eye: on eleven sets to choose by 6 claims, all of
        use (uneven backgrounds, glass on white, three fonts, framed and captioned pictures); on
        eleven kept apart 7, 5 of use and 2 arguable.
    """

    code = "underperforming-group"
    family = "content"
    severity = "warning"
    scope = "slice"
    needs = ("label", "embedding")
    classes = 2
    looks = True
    summary = "Underperforming slices"
    advice = (
        "Collect more images of the slice or check its labels, and report its accuracy separately."
    )
    message = (
        "{figure:.0%} of these {size:,} images are misclassified in cross-validation (95 % "
        "interval {low:.0%} to {high:.0%}); "
        "{expected:.0%} would be expected for their classes{confused}{also}"
    )

    excess: float = option(
        0.05, "error rate above what the classes explain that is reported", low=0, high=1
    )
    ratio: float = option(
        1.5, "error rate relative to what the classes explain that is reported", low=1
    )
    least: int = option(30, "samples that a group must have", low=10)
    alpha: float = option(
        0.01,
        "probability of any claim where errors have nothing to do with the groups",
        low=0.0001,
        high=0.5,
    )
    permutations: int = option(
        400, "permutations of the errors within classes that make up chance", low=100, high=100_000
    )
    most_rows: int = option(20_000, "samples that are looked at, drawn at random", low=100)
    most_claims: int = option(5, "groups that are reported, worst first", low=1)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each group on which the probe fails."""
        if dataset.task in ("regression", "multi-label"):
            return
        evidence = look.labels()
        if len(evidence.classes) < 2:
            return
        rows, labels, _, _ = labelled_rows(dataset, look, self.most_rows, _LEAST_OF_CLASS)
        predicted = ~np.isnan(np.asarray(evidence.probs[rows], np.float32)).any(axis=1)
        rows, labels = rows[predicted], labels[predicted]
        if len(rows) < 4 * self.least or len(np.unique(labels)) < 2:
            return
        predicted = np.asarray(evidence.probs[rows]).argmax(axis=1)
        wrong = predicted != evidence.given[rows]
        names = dataset.samples.index.to_numpy(dtype=object)[rows]
        reported = np.zeros(len(rows), bool)
        for group, also, found in self._worst(
            list(self._slices(dataset, look, rows, labels)), wrong, labels
        ):
            mistakes = group.members[wrong[group.members]]
            if group.family == LOOKS and (
                reported[mistakes].mean() > _OVERLAP or not self._is_of_use(group, found, labels)
            ):
                continue
            reported[group.members] = True
            confused = [
                (evidence.classes[evidence.given[rows[at]]], evidence.classes[predicted[at]])
                for at in mistakes
            ]
            found |= {
                "neighbours": [str(name) for name in names[mistakes][:_SHOWN]],
                "also": _also(also),
                "confused": _most_often(confused),
            }
            found |= (
                {}
                if group.measured is None
                else histogram_of(group.measured, {"judged right": ~wrong, "misjudged": wrong})
            )
            severity = "info" if group.family == LOOKS else self.severity
            yield self.claims(
                [group.name],
                figure=found["error_rate"],
                unit="of the samples",
                evidence=found,
                severity=severity,
            )

    def _slices(
        self, dataset: Dataset, look: Look, rows: NDArray[np.int64], labels: NDArray[np.int64]
    ) -> Iterator[Slice]:
        """What people call groups: kinds of pictures in words, the split and the user's columns;
        and pictures that look alike.
        """
        causes = of_making(causes_of(dataset, rows, labels), dataset.samples.iloc[rows])
        split = [Cause(each, None, "source") for each in _split(dataset, rows)]
        yield from slices_in_words([*causes, *split], least=self.least)
        names = dataset.samples.index.to_numpy(dtype=object)[rows]
        yield from slices_alike(look.features(), rows, names, least=self.least)

    def _is_of_use(self, group: Slice, found: dict[str, Any], labels: NDArray[np.int64]) -> bool:
        """Whether looks tell more than which class is hard: the group is of several classes, and
        fails far more often.
        """
        counts, usual = np.bincount(labels[group.members]), float(found["expected"])
        mixed = int(counts.max()) <= _OF_ONE * len(group.members)
        return mixed and bool(found["error_rate"] >= max(2 * usual, usual + 3 * self.excess))

    def _worst(
        self, slices: list[Slice], wrong: NDArray[np.bool_], labels: NDArray[np.int64]
    ) -> list[tuple[Slice, list[str], dict[str, Any]]]:
        """The slices to claim, those with a name and the worst first: with the names of much the
        same others, and figures.
        """
        if not slices or not wrong.any():
            return []
        strata = _Strata(wrong, labels)
        figures = [strata.figures(each.members) for each in slices]
        large = [i for i, each in enumerate(figures) if self._is_large(each)]
        if not large:
            return []
        beyond = strata.beyond_chance(slices, self.permutations, self.alpha)
        order = sorted(
            (i for i in large if beyond[i]),
            key=lambda i: (slices[i].family == LOOKS, -figures[i]["z"]),
        )
        claimed: list[tuple[Slice, list[str], dict[str, Any]]] = []
        for i in order:
            same = next((one for one in claimed if _is_much_the_same(one[0], slices[i])), None)
            if same is None:
                claimed.append((slices[i], [], figures[i]))
            elif slices[i].family != same[0].family and len(same[1]) < 3:
                same[1].append(slices[i].name)
        return claimed[: self.most_claims]

    def _is_large(self, found: dict[str, float]) -> bool:
        return found["error_rate"] >= max(
            found["expected"] + self.excess, found["expected"] * self.ratio
        )


class _Strata:
    """Errors within classes, so that a group of a hard class is not blamed for the class (Mantel
    & Haenszel 1959).
    """

    def __init__(self, wrong: NDArray[np.bool_], labels: NDArray[np.int64]) -> None:
        self._wrong, self._labels = wrong, labels
        self._size = np.bincount(labels).astype(np.float64)
        self._errors = np.bincount(labels, weights=wrong)

    def figures(self, members: NDArray[np.int64]) -> dict[str, float]:
        """Error rate of a slice with its Wilson interval, the rate that its classes have
        elsewhere, and its z.
        """
        size, errors = len(members), float(self._wrong[members].sum())
        inside = np.bincount(self._labels[members], minlength=len(self._size)).astype(np.float64)
        elsewhere = self._errors - np.bincount(
            self._labels[members], self._wrong[members], minlength=len(self._size)
        )
        usual = (elsewhere + 0.5 * self._wrong.mean()) / (self._size - inside + 0.5)
        rate, z = errors / size, 1.96
        middle = rate + z**2 / 2 / size
        half = z * np.sqrt(rate * (1 - rate) / size + (z / 2 / size) ** 2)
        expected, spread = self._chance(inside)
        return {
            "error_rate": rate,
            "expected": float((inside * usual).sum() / size),
            "size": size,
            "errors": errors,
            "low": float((middle - half) / (1 + z**2 / size)),
            "high": float((middle + half) / (1 + z**2 / size)),
            "z": float((errors - expected) / max(spread, 1e-9)),
        }

    def _chance(self, inside: NDArray[np.float64]) -> tuple[float, float]:
        """Mean and standard deviation of a slice's number of errors, were they drawn at random
        within classes.
        """
        share = self._errors / np.maximum(self._size, 1)
        spare = (self._size - inside) / np.maximum(self._size - 1, 1)
        return float((inside * share).sum()), float(
            np.sqrt((inside * share * (1 - share) * spare).sum())
        )

    def beyond_chance(
        self, slices: list[Slice], permutations: int, alpha: float
    ) -> NDArray[np.bool_]:
        """(len(slices),) whether each has more errors than the worst of all slices by chance
        (Westfall & Young 1993).
        """
        membership = np.zeros((len(slices), len(self._wrong)), np.float32)
        for row, each in zip(membership, slices, strict=True):
            row[each.members] = 1
        inside = [
            np.bincount(self._labels[each.members], minlength=len(self._size)).astype(np.float64)
            for each in slices
        ]
        mean, spread = np.array([self._chance(each) for each in inside]).T
        spread = np.maximum(spread, 0.5)
        rng, worst = np.random.default_rng(0), []
        order = np.argsort(self._labels, kind="stable")
        for start in range(0, permutations, _BATCH):
            drawn = np.empty((len(self._wrong), min(_BATCH, permutations - start)), np.float32)
            for column in drawn.T:
                shuffled = np.lexsort((rng.random(len(order)), self._labels))
                column[order] = self._wrong[shuffled]
            worst.append((((membership @ drawn).T - mean) / spread).max(axis=1))
        limit = np.quantile(np.concatenate(worst), 1 - alpha, method="higher")
        return np.asarray(
            (membership @ self._wrong.astype(np.float32) - mean) / spread > limit + 1e-6
        )


def _split(dataset: Dataset, rows: NDArray[np.int64]) -> Iterator[Property]:
    if "split" in dataset.samples:
        split = dataset.samples["split"].astype("category").cat
        codes = split.codes.to_numpy()[rows].astype(np.float64)
        yield Property(
            "split", "split", np.where(codes < 0, np.nan, codes), tuple(map(str, split.categories))
        )


def _is_much_the_same(one: Slice, other: Slice) -> bool:
    shared = len(np.intersect1d(one.members, other.members, assume_unique=True))
    if one.family == other.family:
        return shared > 0
    return shared > _OVERLAP * (len(one.members) + len(other.members) - shared)


def _also(names: list[str]) -> str:
    return f"; much the same: {', '.join(names)}" if names else ""


def _most_often(confused: list[tuple[str, str]]) -> str:
    """The commonest confusion, by name where two are equally common."""
    if not confused:
        return ""
    counts = Counter(confused)
    (given, predicted), count = min(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    if count == 1:
        return ""
    return f"; most often {given!r} for {predicted!r} ({count:,} of {len(confused):,})"
