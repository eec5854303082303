"""The check distribution-mismatch: splits, or a data set and a reference, whose images differ
beyond chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.splits.label_shift import compare_mixes, differing_classes, mixes_of
from dataprep.checks.splits.mismatch_statistics import compare
from dataprep.checks.splits.mismatch_words import described, magnitude
from dataprep.checks.splits.two_samples import (
    Pair,
    reference_pair,
    split_names,
    split_pairs,
    training_rows,
)
from dataprep.schemas.columns import PIXEL
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Least number of random divisions, and how many times more than the inverse of the error rate.
_DRAWS, _PER_ALPHA = 1000, 10


@dataclass(frozen=True)
class DistributionMismatch(Check):
    """Splits, or a data set and a reference, whose images differ beyond chance.

    What it finds:
        Splits whose images are darker, softer, smaller, more compressed, from another camera or of
        other content than those of the training split (of all other splits, where none is called
        train); and, with a reference data set, what the training split (or the whole data set) has
        otherwise than the reference, its mix of classes included. One claim for each split and
        family of properties that differ.
    Why it matters:
        A figure measured on the test split holds for images like those of the test split. When they
        are unlike what the model was trained on, the score says how well the model copes with the
        difference, not how well it has learnt; and when neither is like what comes in use, neither
        figure can be relied on.
    What to do:
        Look at the images that drive the difference. If the split was meant to be random, split
        again. If it is another source on purpose (a new site, a new season), keep it, report the
        score as what it is, and augment the training data in the direction of the difference.
    How it works:
        Labels differ by the check label-shift; here rows are compared within their classes, so that
        another mix of classes explains nothing. Every measured property gives a difference in
        location and one in spread (sums of normal scores of the ranks within classes, van der
        Waerden 1952), every level of a category a difference in share. A change of exposure moves
        all percentiles of luma at once: three matched filters, for an offset, a gain and a gamma of
        the pixels, weigh them by the inverse of their covariance (Fisher's discriminant for a known
        difference). Two classifier two-sample tests (Lopez-Paz & Oquab 2017), ridge regressions in
        ten-fold cross-validation, look at all properties together and at the embedding. All are
        held against the same 1,000 or more random divisions within classes, and corrected together
        by the least weighted p-value (Westfall & Young 1993): an exact test of all of them.
        Brightness may spend 35 % of the error rate, content 15 %, combinations of properties 10 %,
        the other families the rest in equal parts; several comparisons share it equally. Where the
        split keeps groups and copies together, the random divisions move them as one. The figure is
        Cohen's d within classes, the difference of shares, or the classifier's AUC, with a 95 %
        interval (DeLong et al. 1988; copies and groups taken together, Obuchowski 1997). Effects
        below the threshold are left unsaid, however sure: 0.2 standard deviations are "small"
        (Cohen 1988).
    Known limits:
        Of each side 10,000 samples are drawn where there are more. Classes on one side only are
        left out: see label-shift. A difference that shows in few images (one in a hundred) is for
        the check outlier. With groups, power is that of the number of groups: a split of five
        patients may differ much, and no test can tell that from chance. Targets to regress on are
        not conditioned on.
    Measured quality:
        benchmarks/mismatch.py, on 2,000 photos of clothes in 10 classes. Random divisions
        stratified by class, 300 each, label-shift included: a claim on 1.3 % of those with 64
        images a side (95 % interval 0.5 to 3.4 %) and on 2.7 % with 200 (1.4 to 5.2 %); nominal: 2
        %. Images whose pixels were changed so that mean luma moves by 0.5 standard deviations, 64 a
        side: found in 93 % of draws for a constant added, 88 % for one taken away, 92 % for a gain
        and 62 % for a gamma; with 200 a side always, for a constant. The split that the photos come
        with: its test images are brighter, less colourful, softer and of other content (AUC 0.84)
        than the training images; with senders kept together nothing is said of them, for they are
        of five senders. A million rows in three splits take under a minute.
    """

    code = "distribution-mismatch"
    family = "splits"
    severity = "warning"
    scope = "split"
    needs = ("split", "luma_mean")
    wants = (
        *(column.name for column in PIXEL if column.name != "luma_mean"),
        "jpeg_quality",
        "format",
        "mode",
        "camera",
        "bit_depth",
        "alpha",
        "frames",
        "captured_at",
        "orientation",
        "gps",
        "icc",
        "extension",
        "embedding",
    )
    looks = True
    summary = "Distribution shift between splits"
    advice = (
        "Look at the images that drive the difference; split again, or report the score as out of "
        "distribution."
    )
    message = "{text}"

    alpha: float = option(
        0.02,
        "probability of any claim on random splits, all comparisons together",
        low=0.001,
        high=0.5,
    )
    threshold: float = option(
        0.2, "least effect that is reported, in standard deviations (Cohen's d)", low=0, high=5
    )
    most_rows: int = option(
        10_000, "samples of each side that are compared at most, drawn at random", low=100
    )

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """Splits are not needed where there is a reference."""
        return [
            need
            for need in super().lacks(dataset, look)
            if need != "split" or look.reference() is None
        ]

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each split and family of properties that differ."""
        reference = look.reference()
        comparisons = len(split_names(dataset)) + (2 if reference is not None else 0)
        if not comparisons:
            return
        alpha = self.alpha / comparisons
        for pair in split_pairs(dataset, look, self.most_rows):
            yield from self._differences(pair, alpha)
        if reference is not None:
            yield from self._differences(reference_pair(dataset, reference, self.most_rows), alpha)
            yield from self._mixes(dataset, reference, alpha)

    def _differences(self, pair: Pair, alpha: float) -> Iterator[pd.DataFrame]:
        if not pair.is_comparable():
            return
        tested = compare(pair, max(_DRAWS, int(_PER_ALPHA / alpha)))
        found = {family: each for family, each in tested.items() if each.probability <= alpha}
        if len(set(found) - {"content"}) > 1:
            found.pop("combination", None)  # what it combines is said already
        for family, each in found.items():
            evidence = described(pair, each)
            if magnitude(evidence) >= self.threshold:
                yield self._claim(pair.target, family, evidence, each.probability)

    def _claim(
        self, target: str, family: str, evidence: dict[str, Any], probability: float
    ) -> pd.DataFrame:
        extra = {"what": family, "p_value": probability, "threshold": self.threshold}
        if max(evidence.get("of", [0])) > self.most_rows:
            extra["text"] = f"{evidence['text']}; of {self.most_rows:,} samples drawn of a side"
        return self.claims(
            [target],
            scope="split" if target else "dataset",
            figure=evidence["effect"],
            unit=evidence["unit"],
            confidence=1 - probability,
            evidence=evidence | extra,
        )

    def _mixes(self, dataset: Dataset, reference: Dataset, alpha: float) -> Iterator[pd.DataFrame]:
        """The mix of classes against that of the reference, which label-shift does not see."""
        training, target = training_rows(dataset)
        names, own, other = mixes_of(dataset.where(training), reference)
        if len(names) < 2 or not own.sum() or not other.sum():
            return
        found, beyond_chance = compare_mixes(own, other, alpha, np.random.default_rng(0))
        if not beyond_chance or found["shift"] < self.threshold / 4:
            return
        text = (
            f"different class balance from the reference: {found['shift']:.0%} of its samples "
            f"would have to change class "
            f"(95 % interval {found['low']:.0%} to "
            f"{found['high']:.0%}){differing_classes(names, own, other)}"
        )
        evidence = {
            "text": text,
            "effect": found["shift"],
            "unit": "of the samples",
            "interval": [found["low"], found["high"]],
            "reference": "the reference",
        }
        yield self._claim(target, "labels", evidence, alpha)
