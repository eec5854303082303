"""The check shortcut: properties that predict the label by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.shortcuts.prediction import (
    FOLDS,
    Giveaway,
    Predictor,
    aimed_share,
    bins_of,
    codes_of,
    giveaways_of,
)
from dataprep.checks.statistics.causes import Cause, are_drawn, causes_of, without_names
from dataprep.checks.statistics.imposed import imposed
from dataprep.checks.statistics.labelled import labelled_rows
from dataprep.checks.statistics.scales import distance, is_noticed
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.checks.statistics.properties import Property
    from dataprep.schemas.dataset import Dataset

#: Classes with fewer samples are not judged.
_LEAST_SAMPLES = 8
#: Classes that are named for one family of properties.
_NAMED = 5
#: Measured figures of which one exact value says nothing of how pictures were made.
_CONTINUOUS = frozenset(("blockiness", "noise"))
_HISTOGRAM_BINS = 24
_HISTOGRAM_CLASSES = 8
#: Classes that the fact about what is shown names.
_LISTED = 3
_UNSEEN = (
    "; a model does not see it in the pixels, but it shows that the classes come from different "
    "sources"
)
_SHOWN = (
    "; fine if the classes really look like that; if light, background or printing cause it, vary "
    "these in training (augment)"
)


@dataclass(frozen=True)
class Shortcut(Check):
    """Properties that predict the label by themselves.

    What it finds:
        Properties and metadata that tell the label without looking at what the image shows: JPEG
        quality, noise, size, shape, borders, format, camera, capture time, source folders, origins
        in file names and columns of your own. One claim for each family of properties: about the
        data set where it predicts the classes, about a class where it tells that one from the
        others, or about a value (``JPEG quality = 60``) that is nearly always of one class.
        Brightness, contrast, colour, sharpness and background belong to how a class looks as well:
        what they tell (0.9) is one fact about the data set, and a claim only where the class is
        brighter or darker even in its darkest or brightest parts and at the edges (exposure,
        scanning), grey among pictures in colour, blurred among sharp ones, or alone in having edges
        of one colour (frames, studio).
    Why it matters:
        A model takes the easiest way. When all tanks were photographed in the sun it learns the
        sun: it scores well on a test set with the same flaw and fails in production (Geirhos et
        al. 2020,
        "Shortcut learning in deep neural networks").
    What to do:
        Find out where the difference comes from; most often the classes come from different
        sources. Collect or resample so that the property is alike in all classes, normalise it
        (size, encoding, exposure, borders), or augment over its range; then test on data in which
        it is. Dismiss the claim where the property is what the class is about.
    How it works:
        Each property alone is cut into up to 32 bins of equal counts, and a table of how often each
        class falls into each bin, relative to its size, predicts the label in 4-fold
        cross-validation; copies and groups stay in one fold and count once in each class. The score
        is balanced accuracy: 1/k by chance for k classes and 0.5 for one class against the others,
        whatever the imbalance. It must be large (the options) and beyond what permuted labels reach
        with any property and class (the largest standardised score of 200 permutations: Westfall &
        Young 1993), 1 % for all together. A value gives a class away when the likelihood ratio of a
        share of 90 % against the class's share of all is beyond chance for all values, classes and
        properties together. Medians must differ by what a person notices (8 % of the scale for
        brightness, 10 for JPEG quality, 1.3 of 255 levels for noise, a factor of 1.25 for sizes).
        Exposure: the first percentile of luma is higher, or the 99th lower, by a tenth of the scale
        and in 85 % of pairs, and the edges go along. What cannot be a cause is left out: running
        numbers, bytes per pixel, folders and columns that name the classes or parts of them, noise
        and JPEG blocks below 64 pixels, frames where most classes have some or the edges are plain
        (drawings), sizes where hardly two are equal or drawings have many (pictures cut to what
        they show). Where a model that is given pixels cannot see the property (file name, folder,
        metadata, your columns), the claim is information.
    Known limits:
        What a class is about cannot be told from a shortcut by one property: ships are on blue
        water. A multiplied exposure leaves black black and is mostly a fact; so is a colour cast.
        Colour must tell more than other properties (0.9). A property that only a part of a class
        has is found when it is one exact value, not when it is a shift (half of a class made
        brighter is missed). Each property is judged alone. Of more than 20,000 samples a random
        part is looked at. Classes of fewer than 8 samples are not judged.
    Measured quality:
        benchmarks/shortcuts.py, on 6,234 images of 32 x 32 pixels and on 2,000 photos, ten classes
        each. No claim on the data as they are; on the 45 pairs of their classes 0 and 2, where one
        class came in other sizes (1 and 5 before what is shown was told from what was done).
        Planted in a whole class of 50 or 200 images (6 and 4 plantings each): a brightness of 60
        levels more, JPEG quality 60, and frames of 3 and 6 % of the side always found; of 40 levels
        more in 11 of 12 and 8 of 8. In a whole class of 15: JPEG quality and frames always,
        brightness in 10 of 12 and in 0 of 8. In half of a class: JPEG quality always, frames in the
        photos from 50 carriers up, brightness never. Beside it, in a class of 50: exposure times
        0.6 always, times 1.5 as a fact or not, a Gaussian blur of 2 and noise of 12 levels in 2 of
        2 photos each, a colour cast of 20 % never. Natural data by eye: on eleven sets to choose by
        (photos, rubbish, CIFAR, digits, characters, icons, stamps, video frames, three of game
        pictures) 10 claims, 6 of use, 4 arguable, none absurd; on eleven others 16, of which 13 of
        use, 1 arguable and 2 of no use (how files are numbered). Some rules were changed after the
        others had been seen.
    """

    code = "shortcut"
    family = "shortcuts"
    severity = "warning"
    scope = "dataset"
    needs = ("label",)
    classes = 2
    looks = True
    suggestion = "none"
    summary = "Possible shortcuts"
    advice = (
        "Balance the property across classes (collect, resample, normalise), or evaluate without "
        "it."
    )
    message = (
        "{what}: {figure_name} {figure:.2f} against {baseline:.2f} by chance (95 % interval "
        "{low:.2f} to {high:.2f}){more}"
    )

    threshold: float = option(
        0.8,
        "balanced accuracy of telling one class from the others that is reported",
        low=0.5,
        high=1,
    )
    excess: float = option(
        0.4,
        "balanced accuracy over all classes, 0 at chance and 1 at best, that is reported",
        low=0,
        high=1,
    )
    colour_threshold: float = option(
        0.9, "as threshold, for colour, which is often what the classes are about", low=0.5, high=1
    )
    purity: float = option(
        0.9,
        "share of one class among the samples with one value that gives it away",
        low=0.5,
        high=0.999,
    )
    least_share: float = option(
        0.1, "share of its class that must have such a value", low=0, high=1
    )
    alpha: float = option(0.01, "probability of any claim on random labels", low=0.0001, high=0.5)
    permutations: int = option(
        200, "permutations of the labels that make up chance", low=20, high=100_000
    )
    most_rows: int = option(20_000, "samples that are looked at, drawn at random", low=100)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each family of properties, and class or all classes, that it gives
        away.
        """
        if dataset.task in ("regression", "multi-label"):
            return
        rows, labels, names, units = labelled_rows(dataset, look, self.most_rows, _LEAST_SAMPLES)
        if len(names) < 2:
            return
        causes = without_names(causes_of(dataset, rows, labels), labels)
        if not causes:
            return
        for claim in _Case(
            self,
            causes,
            labels,
            names,
            folds_of(units, None, FOLDS),
            drawn=are_drawn(dataset.samples.iloc[rows]),
        ).claims():
            yield self.claims([claim.pop("target")], **claim)


class _Case:
    """What speaks for shortcuts in one data set."""

    def __init__(
        self,
        check: Shortcut,
        causes: list[Cause],
        labels: NDArray[np.int64],
        names: list[str],
        folds: NDArray[np.int64],
        *,
        drawn: bool,
    ) -> None:
        self._drawn = drawn
        self._check = check
        self._causes = causes
        self._labels = labels
        self._names = names
        self._properties = [each.measured for each in causes]
        codes = [
            (codes_of if each.categories else bins_of)(each.values, len(names))
            for each in self._properties
        ]
        self._predictor = Predictor(codes, labels, folds)

    @cached_property
    def _chances(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Worked out only where a score is large enough to be reported."""
        return self._predictor.chances(self._check.permutations)

    def claims(self) -> Iterator[dict[str, Any]]:
        """One claim per family where it predicts the classes, else one per class that it tells, or
        that a value gives away.

        Of what is shown one fact in all, but for classes that are brighter or darker all over.
        """
        shown: list[dict[str, Any]] = []
        for family in dict.fromkeys((each.measured.family, each.kind) for each in self._causes):
            members = [
                i
                for i, each in enumerate(self._causes)
                if (each.measured.family, each.kind) == family
            ]
            claims, overall = self._class_claims(members), self._overall(members)
            if family[1] == "content":
                warned = [claim for claim in claims if claim["severity"] != "fact"]
                yield from warned[:_NAMED]
                claims = [
                    claim
                    for claim in claims
                    if claim["severity"] == "fact" and self._is_worth_a_fact(claim, family[0])
                ]
                overall = (
                    None
                    if warned or not overall or not self._is_worth_a_fact(overall, family[0])
                    else overall
                )
            if overall and not 0 < len(claims) <= len(self._names) // 3:
                claims = [overall]
            if family[1] == "content":
                shown += claims
            else:
                yield from self._with_values(claims, members)
        if shown:
            yield _fact(shown)

    def _is_worth_a_fact(self, claim: dict[str, Any], family: str) -> bool:
        """Whether looks tell nearly as much as a model would; tones of drawings are what is
        drawn, and told of by nobody.
        """
        if self._drawn and family != "colour":
            return False
        least = max(self._check.threshold, self._check.colour_threshold)
        baseline = float(claim["evidence"]["baseline"])
        return (float(claim["figure"]) - baseline) / (1 - baseline) >= (
            2 * least - 1 if claim["target"] else self._check.excess + 0.2
        )

    def _with_values(
        self, claims: list[dict[str, Any]], members: list[int]
    ) -> Iterator[dict[str, Any]]:
        """What is told, and the values that give away classes which are not told by the property
        as a whole.
        """
        yield from claims[:_NAMED]
        named = {claim["evidence"]["class"] for claim in claims}
        if "" in named or (claims and len(self._names) == 2):
            return
        given = [
            claim for claim in self._given_away(members) if claim["evidence"]["class"] not in named
        ]
        yield from given[: max(0, _NAMED - len(claims))]

    def _overall(self, members: list[int]) -> dict[str, Any] | None:
        scores, k = self._predictor.scores, len(self._names)
        if k == 2:  # telling one from the other is all there is
            return None
        excess = (scores.overall - 1 / k) / (1 - 1 / k)
        large = [i for i in members if excess[i] >= self._excess(i) and self._is_noticed_of_any(i)]
        passed = [i for i in large if self._chances[0][i] <= self._check.alpha]
        if not passed:
            return None
        best = max(passed, key=lambda i: float(scores.overall[i]))
        what = f"{self._causes[best].title} alone predicts the label"
        figures = float(scores.overall[best]), float(scores.overall_error[best]), 1 / k
        return self._claim(best, what, figures, passed)

    def _class_claims(self, members: list[int]) -> list[dict[str, Any]]:
        scores, found, two = self._predictor.scores, [], len(self._names) == 2
        for label, name in enumerate(self._names[:1] if two else self._names):
            single = scores.single[:, label]
            large = [
                i for i in members if single[i] >= self._threshold(i) and self._is_noticed(i, label)
            ]
            passed = [i for i in large if self._chances[1][i, label] <= self._check.alpha]
            if passed:
                best = max(passed, key=lambda i: float(single[i]))
                rest = f"from {self._names[1]!r}" if two else "from the other classes"
                what = (
                    f"{self._causes[best].title} alone tells {name!r} "
                    f"{rest}{self._typical(best, label)}"
                )
                figures = float(single[best]), float(scores.single_error[best, label]), 0.5
                found.append(self._claim(best, what, figures, passed, label))
        return sorted(found, key=lambda claim: -float(claim["figure"]))

    def _given_away(self, members: list[int]) -> list[dict[str, Any]]:
        best: dict[int, tuple[Giveaway, int]] = {}
        for i in members:
            each = self._properties[i]
            if each.name in _CONTINUOUS:  # equal figures are equal pictures
                continue
            for one in giveaways_of(each.values, self._labels, purity=self._check.purity):
                better = one.label not in best or one.evidence > best[one.label][0].evidence
                if better and self._is_giveaway(one) and self._is_apart(i, one):
                    best[one.label] = one, i
        found = [self._slice(one, i) for one, i in best.values()]
        return sorted(found, key=lambda claim: -float(claim["evidence"]["share"]))

    def _is_giveaway(self, one: Giveaway) -> bool:
        size = int((self._labels == one.label).sum())
        chances = len(self._labels) * len(self._names) * len(self._properties)
        share, pure = size / len(self._labels), one.own / max(one.samples, 1)
        return (
            one.evidence >= np.log(chances / self._check.alpha)
            and one.own >= self._check.least_share * size
            and pure >= 1 - 2 * (1 - aimed_share(self._check.purity, share))
        )

    def _is_apart(self, place: int, one: Giveaway) -> bool:
        """Whether somebody notices that a picture has this value, beside typical pictures of the
        other classes.
        """
        cause, values = self._causes[place], self._properties[place].values
        others = values[(self._labels != one.label) & ~np.isnan(values)]
        if cause.scale is None or not len(others):
            return True
        return bool(distance(cause.scale, one.value, float(np.median(others))) >= cause.scale.step)

    def _slice(self, one: Giveaway, place: int) -> dict[str, Any]:
        name, cause = self._names[one.label], self._causes[place]
        size, pure = int((self._labels == one.label).sum()), one.own / one.samples
        span = f"{cause.title} = {_value(cause, one.value)}"
        what = f"{span} identifies {name!r} in {one.own:,} of its {size:,} images"
        figures = pure, float(np.sqrt(pure * (1 - pure) / one.samples)), size / len(self._labels)
        return self._claim(
            place, what, figures, [place], one.label, span=span, share=one.own / size
        )

    def _threshold(self, place: int) -> float:
        colour = self._properties[place].family == "colour"
        return (
            max(self._check.threshold, self._check.colour_threshold)
            if colour
            else self._check.threshold
        )

    def _excess(self, place: int) -> float:
        """For colour as much more as `_threshold` asks, on its scale of 0 at chance to 1."""
        return self._check.excess + 2 * (self._threshold(place) - self._check.threshold)

    def _is_noticed(self, place: int, label: int) -> bool:
        return is_noticed(self._properties[place], self._labels == label, self._labels != label)

    def _is_noticed_of_any(self, place: int) -> bool:
        return any(self._is_noticed(place, label) for label in range(len(self._names)))

    def _typical(self, place: int, label: int) -> str:
        """Medians of a number within and without a class, in words."""
        cause, values = self._causes[place], self._properties[place].values
        parts = [
            values[known]
            for known in (
                (self._labels == label) & ~np.isnan(values),
                (self._labels != label) & ~np.isnan(values),
            )
        ]
        if cause.scale is None or not all(map(len, parts)):
            return ""
        mine, theirs = (cause.scale.written(float(np.median(part))) for part in parts)
        return f" (typically {mine} against {theirs})" if mine != theirs else ""

    def _claim(
        self,
        place: int,
        what: str,
        figures: tuple[float, float, float],
        members: list[int],
        label: int | None = None,
        *,
        span: str = "",
        share: float = 1.0,
    ) -> dict[str, Any]:
        cause, (figure, error, baseline) = self._causes[place], figures
        name = "" if label is None else self._names[label]
        low, high = max(0.0, figure - 1.96 * error), min(1.0, figure + 1.96 * error)
        also = [
            title
            for title in dict.fromkeys(self._causes[i].title for i in members)
            if title != cause.title
        ]
        figure_name = f"share of {name!r} among its images" if span else "balanced accuracy"
        why = (
            imposed(cause.measured.family, self._properties, self._labels, label)
            if label is not None and not self._drawn
            else ""
        )
        end = {"source": _UNSEEN, "content": f"; {why}" if why else _SHOWN, "handling": ""}[
            cause.kind
        ]
        evidence = {
            "what": what,
            "figure_name": figure_name,
            "baseline": baseline,
            "low": low,
            "high": high,
            "interval": [low, high],
            "property": cause.measured.name,
            "also": also,
            "class": name,
            "share": share,
            "samples": len(self._labels),
            "more": (f"; so do {', '.join(also)}" if also else "") + end,
            "histogram": _histogram(cause.measured, self._labels, self._names, label),
        }
        severity = {"source": "info", "content": self._check.severity if why else "fact"}.get(
            cause.kind, self._check.severity
        )
        scope = "slice" if span else "dataset" if label is None else "class"
        return {
            "target": span or name,
            "scope": scope,
            "figure": figure,
            "unit": figure_name,
            "evidence": evidence,
            "severity": severity,
            "value": name if span else "",
        }


def _fact(shown: list[dict[str, Any]]) -> dict[str, Any]:
    """The clearest of what is told by what is shown, naming the next few."""
    first, *rest = sorted(shown, key=lambda claim: (-float(claim["figure"]), str(claim["target"])))
    others = [claim["evidence"]["what"] for claim in rest[:_LISTED]]
    if len(rest) > _LISTED:
        others.append(f"{len(rest) - _LISTED} more")
    properties = {
        claim["evidence"]["property"]: claim["figure"] for claim in (*reversed(rest), first)
    }
    more = "".join(f"; {text}" for text in others) + _SHOWN
    return {**first, "evidence": {**first["evidence"], "more": more, "properties": properties}}


def _value(cause: Cause, value: float) -> str:
    categories = cause.measured.categories
    if categories:
        return repr(categories[int(value)])
    return cause.scale.written(value) if cause.scale else f"{value:.4g}"


def _histogram(
    each: Property, labels: NDArray[np.int64], names: list[str], label: int | None
) -> dict[str, Any]:
    """Counts of the property by class, of at most 8 classes; of one class and all the others,
    where it is about one.
    """
    edges, extra = _edges(each)
    groups = np.where(labels == label, 0, 1) if label is not None else labels
    titles = (
        [names[label], names[1 - label] if len(names) == 2 else "the others"]
        if label is not None
        else names
    )
    counts = {
        titles[group]: np.histogram(each.values[(groups == group) & ~np.isnan(each.values)], edges)[
            0
        ].tolist()
        for group in range(min(len(titles), _HISTOGRAM_CLASSES))
    }
    return {
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "series": counts,
        "label": each.name,
        **extra,
    }


def _edges(each: Property) -> tuple[NDArray[Any], dict[str, Any]]:
    if each.categories:
        count = min(len(each.categories), _HISTOGRAM_BINS)
        return np.arange(count + 1) - 0.5, {"categories": list(each.categories[:count])}
    known = each.values[~np.isnan(each.values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1, _HISTOGRAM_BINS + 1), {}
