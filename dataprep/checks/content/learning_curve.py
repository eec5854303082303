"""The check learning-curve: what more data would bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.probes.classifiers.curve import Curve, measured_curve
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset

#: Samples of a typical class below which data is scarce whatever the curve says.
_SCARCE = 50
#: Gain of accuracy from twice the data from which on more data is said to pay.
_PAYS = 0.005


@dataclass(frozen=True)
class LearningCurve(Check):
    """Expected gain from more data.

    What it finds:
        The accuracy that a cheap classifier reaches with growing parts of the data, carried on to
        twice the data, with an interval: "twice the data: 0.91 → 0.93 ± 0.01". One claim for the
        data set.
    Why it matters:
        Labelling costs money. A curve that still climbs says that more of the same helps; one that
        is flat says that better labels, other images or a better model do, and that the data set
        may be pruned without loss.
    What to do:
        Climbing: collect more, of the classes that are recognised least. Flat: look at wrong-label
        and ambiguous-classes, and train a larger model. With few samples a class: start from a
        pretrained model, train little of it, augment, and judge by cross-validation instead of one
        small test split.
    How it works:
        Ridge regression on the embedding learns random nested parts of the data, whole groups and
        copies, from an eighth up, and predicts what is left out, `repeats` times. A power law of
        the error, a n^-b + c, is fitted through the mean curve (Cortes et al. 1994; Hestness et al.
        2017), and again through resampled repeats; the interval is the central 95 % of these,
        widened by what the curve misses its points by. At most 20,000 samples learn and 5,000 are
        predicted.
    Known limits:
        It is the probe's curve: a trained network starts lower and climbs longer, but where the
        probe gains, networks gain mostly too. Accuracy is measured against the given labels, so
        wrong ones hold it down (see label-noise). Twice the data means twice of the same kind. Data
        sets of fewer than 40 labelled samples have no curve.
    Measured quality:
        benchmarks/wronglabels.py --curve, 45 random halves of nine sets of labels: carried on to
        the whole, the accuracy was off by 0.017 on average, mostly too high (by 0.015), and within
        the interval, 0.085 wide on average, in 91 % of cases.
    """

    code: ClassVar = "learning-curve"
    family: ClassVar = "content"
    severity: ClassVar = "fact"
    scope: ClassVar = "dataset"
    needs: ClassVar = ("label", "embedding")
    classes: ClassVar = 2
    looks: ClassVar = True
    suggestion: ClassVar = "none"
    summary: ClassVar = "Expected gain from more data"
    advice: ClassVar = (
        "Collect more data if the curve still rises; if it is flat, fix labels or train a larger "
        "model."
    )
    message: ClassVar = (
        "twice the data: accuracy {now:.2f} → {figure:.2f} ± {margin:.2f} of a linear probe on "
        "the embedding ({samples:,} samples, {classes:,} classes){advice}"
    )

    repeats: int = option(6, "times that the curve is measured", low=2, high=100)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield at most one claim."""
        evidence, features = look.labels(), look.features()
        given = np.where(features.known, evidence.given, -1).astype(np.int32)
        curve = measured_curve(
            features.values, given, look.units(), len(evidence.classes), self.repeats
        )
        if curve is not None:
            figures = _figures(curve, given, wrong_labels=evidence.rate is not None)
            yield self.claims([""], figure=figures["twice"], unit="accuracy", evidence=figures)


def _figures(curve: Curve, given: Any, *, wrong_labels: bool) -> dict[str, Any]:
    counts = np.bincount(given[given >= 0])
    typical = int(np.median(counts[counts > 0]))
    return {
        "now": curve.now,
        "twice": curve.twice,
        "low": curve.low,
        "high": curve.high,
        "margin": (curve.high - curve.low) / 2,
        "interval": [curve.low, curve.high],
        "samples": int((given >= 0).sum()),
        "classes": int((counts > 0).sum()),
        "typical_class": typical,
        "advice": _advice(curve, typical, wrong_labels),
        "curve": {
            "x": curve.x.tolist(),
            "y": np.round(curve.y, 4).tolist(),
            "low": np.round(curve.lows, 4).tolist(),
            "high": np.round(curve.highs, 4).tolist(),
            "x_label": "samples to learn from",
            "y_label": "accuracy of the probe",
            "measured": len(curve.x) - 1,
        },
    }


def _advice(curve: Curve, typical: int, wrong_labels: bool) -> str:
    """What the curve says to do, in words that its figures, as they are written, bear out."""
    gain = round(curve.twice, 2) - round(curve.now, 2)
    climbs, may_climb = gain > 0 and curve.low > curve.now, curve.high > curve.now + _PAYS
    if typical < _SCARCE:
        few = (
            f"; a typical class has only {typical:,}: start from a pretrained model and evaluate "
            f"by cross-validation"
        )
        return few + (", and collect more" if climbs else "")
    if climbs:
        return "; more data is likely to help"
    if may_climb:
        return "; this curve does not show whether more data helps"
    return (
        f"; the curve is flat: {'better labels or ' if wrong_labels else ''}a larger model may "
        f"help more than more data"
    )
