"""The check label-noise: how many labels are wrong, which for which, and what that does to
measured accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.checks.labels.wrong_label import without_embedding
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.probes.labels.disagreements import Share
    from dataprep.probes.labels.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

_CLASSES = 30
#: Share of a class's samples from which on a confusion is named: less would be written as nothing.
_NAMED = 0.01


@dataclass(frozen=True)
class LabelNoise(Check):
    """Estimated label noise, and its effect on measured accuracy.

    What it finds:
        The estimated share of wrong labels with an interval, the noise matrix (of each true class,
        the share of every label given), and the ceiling of measured accuracy; a warning from `rate`
        up. Where wrong labels do not stand out from hard images it says that their number cannot be
        told, and states none. One claim for the data set.
    Why it matters:
        A perfect model, right about every sample, scores no more than the share of labels that are
        right: the score of any model that makes no use of the errors ends there, and two models
        whose scores differ by less than the noise cannot be told apart. It stands in for the human
        error that one can aim at: chasing scores above it is fitting the errors.
    What to do:
        Relabel what wrong-label lists, test splits first, and measure again. Report scores beside
        the ceiling.
    How it works:
        The rate is the share of swapped labels in the mixture of wrong-label, which is stated where
        that check states a list; the ceiling is 1 less the rate. The noise matrix is that of the
        noise model, with so many errors. People err on hard images, of which the mixture sees too
        few; confident learning (Northcutt, Jiang and Chuang 2021) counts uncertain samples as wrong
        and leans to more: the interval spans both, with the 95 % interval of the draw.
    Known limits:
        See wrong-label. No statement is none: labels that are wrong on hard images only, as
        people's errors in a careful data set, do not stand out. The ceiling holds for a test set
        with the same noise as the whole data; a test set that was cleaned has a higher one.
    Measured quality:
        benchmarks/natural.py: nothing is stated on eight natural sets, of which one is known to
        hold 0.7 % wrong labels (CIFAR-10H). benchmarks/wronglabels.py: stated against true rates,
        in percent: photos with planted errors 10 (10), 18 (20), 11 (10), 21 (20), 5 (5), 6 (5);
        CIFAR-10N 6 (9), 15 (18), 38 (42). The interval holds the true rate in all nine.
    """

    code: ClassVar = "label-noise"
    family: ClassVar = "labels"
    severity: ClassVar = "fact"
    scope: ClassVar = "dataset"
    needs: ClassVar = ("label", "embedding")
    classes: ClassVar = 2
    looks: ClassVar = True
    suggestion: ClassVar = "none"
    summary: ClassVar = "Estimated label noise"
    advice: ClassVar = (
        "Report scores together with the accuracy ceiling that label noise sets, and relabel the "
        "test split first."
    )
    message: ClassVar = "{text}"

    rate: float = option(
        0.05, "share of wrong labels from which on the claim is a warning", low=0, high=1
    )

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and the data lacks: class probabilities of the user's own do in place of
        the embedding.
        """
        return without_embedding(super().lacks(dataset, look), dataset)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield one claim, where at least two classes could be judged."""
        evidence = look.labels()
        judged = int(evidence.judged.sum())
        if not judged or (evidence.joint.sum(axis=0) > 0).sum() < 2:
            return
        if evidence.rate is None:
            known = {"judged": judged, "text": _unknown(evidence, judged)}
            yield self.claims([""], unit="of the labels", evidence=known)
            return
        figures = noise_figures(evidence, evidence.rate)
        worst = _worst(evidence)
        figures |= {
            "matrix": _matrix(evidence),
            "worst": worst,
            "judged": judged,
            "text": _sentence(figures, worst),
        }
        severe = figures["rate"] >= self.rate
        yield self.claims(
            [""],
            figure=figures["rate"],
            unit="of the labels",
            severity="warning" if severe else "fact",
            evidence=figures,
        )


def noise_figures(evidence: LabelEvidence, rate: Share) -> dict[str, Any]:
    """``rate`` of wrong labels and ``ceiling`` of measured accuracy, each with ``low`` and
    ``high`` ends, 0 to 1.
    """
    judged = max(1, int(evidence.judged.sum()))
    counted = 1 - float(np.trace(evidence.confident)) / max(1.0, float(evidence.confident.sum()))
    low = min(rate.low, float(wilson(min(rate.mean, counted) * judged, judged)[0]))
    high = max(rate.high, float(wilson(max(rate.mean, counted) * judged, judged)[1]))
    return {
        "rate": rate.mean,
        "low": low,
        "high": high,
        "interval": [low, high],
        "confident_rate": counted,
        "ceiling": 1 - rate.mean,
        "ceiling_low": 1 - high,
        "ceiling_high": 1 - low,
    }


def _sentence(figures: Mapping[str, Any], worst: str) -> str:
    return (
        f"an estimated {figures['rate']:.1%} of the labels are wrong (95 % interval "
        f"{figures['low']:.1%} to {figures['high']:.1%}): evaluated on these labels, a perfect "
        f"model would reach an accuracy of about {figures['ceiling']:.2f} "
        f"({figures['ceiling_low']:.2f} to {figures['ceiling_high']:.2f}){worst}"
    )


def _unknown(evidence: LabelEvidence, judged: int) -> str:
    if evidence.withheld == "few":
        return (
            f"label noise cannot be estimated: {judged:,} labels are too few to tell wrong labels "
            f"from hard images, so no accuracy ceiling is given"
        )
    return (
        f"label noise cannot be estimated from the {judged:,} labels: nothing stands out from "
        f"hard but correctly labelled images, so no accuracy ceiling is given"
    )


def _matrix(evidence: LabelEvidence) -> dict[str, Any]:
    """The noise matrix of the classes with most wrong labels: rows are true classes, columns
    given labels, shares of rows.
    """
    joint = evidence.joint
    wrong = joint * (1 - np.eye(len(joint)))
    involved = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:_CLASSES]
    kept = np.sort(involved)
    shares = joint[kept] / np.maximum(joint[kept].sum(axis=1, keepdims=True), 1e-9)
    return {
        "classes": [evidence.classes[code] for code in kept],
        "rows": np.round(shares[:, kept], 4).tolist(),
    }


def _worst(evidence: LabelEvidence) -> str:
    """The most frequent confusion, in words."""
    wrong = evidence.joint * (1 - np.eye(len(evidence.joint)))
    true, given = np.unravel_index(int(wrong.argmax()), wrong.shape)
    if wrong[true, given] < 1:
        return ""
    share = wrong[true, given] / max(1e-9, float(evidence.joint[true].sum()))
    if share < _NAMED:
        return ""
    return (
        f"; most often {evidence.classes[true]!r} is labelled {evidence.classes[given]!r} "
        f"({share:.0%} of its samples)"
    )
