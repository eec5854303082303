"""The check ambiguous-classes: pairs of classes that annotators mix up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.checks.labels.wrong_label import without_embedding
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.probes.labels.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

_NAMED = 6
_Z = 1.96


@dataclass(frozen=True)
class AmbiguousClasses(Check):
    """Pairs of classes that annotators confuse.

    What it finds:
        Pairs of classes of whose samples an unusual share has the other one's label, as estimated:
        more than `rate`, and more than errors spread over all classes would give. One claim for
        each pair, with the rate in both directions. None where wrong-label gives no list: classes
        that are merely hard to tell apart are not confused by annotators.
    Why it matters:
        Errors between two classes are seldom slips: the classes overlap, or the instructions leave
        open where one ends. A model can do no better than the labels' own agreement, and correcting
        single labels does not last.
    What to do:
        Say in the labelling instructions what separates the two, with examples from the list; merge
        them where it does not matter; have samples of the pair labelled twice.
    How it works:
        The joint distribution of given and true labels of the noise model of wrong-label: the
        expected number of samples of one class that carry the other's label, both ways, as a share
        of all samples of the pair. The interval is Wilson's, 95 %. A pair is named when its lower
        end is above what the pair would have if each class's wrong labels were spread over the
        others, evenly or by size, and the rate at least `rate`.
    Known limits:
        An estimate, not a count: where the embedding does not tell two classes apart, who erred
        cannot be said either, and the rate is too low; where two classes differ only in what the
        embedding misses, a pair may be named that people never mix up. The interval holds the
        chance of the draw, not the error of the model.
    Measured quality:
        benchmarks/wronglabels.py, photos of clothes in which 10 pairs of classes were mixed up on
        purpose, 5, 10 and 20 % of all labels: 7, 7 and 8 of the pairs were named and no other one;
        the rates were within 2 points of the true ones. With errors spread evenly, 5, 10 and 20 %:
        1, 1 and 3 pairs of 45 were named, of true rates of 0.5 to 4 %. None on eight natural sets
        (benchmarks/natural.py), where wrong-label lists nothing.
    """

    code: ClassVar = "ambiguous-classes"
    family: ClassVar = "labels"
    severity: ClassVar = "info"
    scope: ClassVar = "class"
    needs: ClassVar = ("label", "embedding")
    classes: ClassVar = 2
    looks: ClassVar = True
    summary: ClassVar = "Classes that annotators confuse"
    advice: ClassVar = (
        "Clarify in the labelling instructions what separates the two classes, or merge them."
    )
    message: ClassVar = (
        "confused with {other!r}: an estimated {figure:.1%} of the samples of the two have the "
        "other's label (95 % "
        "interval {low:.1%} to {high:.1%}; {there:.0f} {target!r} labelled {other!r}, {back:.0f} "
        "the other way)"
    )

    rate: float = option(
        0.02,
        "share of a pair's samples with the other's label, from which on the pair is named",
        low=0,
        high=1,
    )
    most: int = option(20, "pairs that are named at most, the worst", low=1)

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and the data lacks: class probabilities of the user's own do in place of
        the embedding.
        """
        return without_embedding(super().lacks(dataset, look), dataset)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each pair."""
        evidence = look.labels()
        pairs = self._pairs(evidence)
        if pairs:
            names = dataset.samples.index.to_numpy(dtype=object)
            for pair in pairs:
                pair["neighbours"] = [
                    str(name) for name in names[_examples(evidence, *pair.pop("codes"))]
                ]
            yield self.claims(
                [pair.pop("target") for pair in pairs],
                figure=[pair.pop("figure") for pair in pairs],
                unit="of the samples",
                evidence=pairs,
            )

    def _pairs(self, evidence: LabelEvidence) -> list[dict[str, Any]]:
        """The pairs to name, worst first."""
        joint = evidence.joint
        if (
            len(joint) < 3 or evidence.rate is None
        ):  # of two classes every error is between these two
            return []
        size = joint.sum(axis=1)
        wrong = joint * (1 - np.eye(len(joint)))
        mixed, of = wrong + wrong.T, size[:, None] + size[None, :]
        low, high = wilson(mixed, np.maximum(of, 1e-9))
        by_size = size[None, :] / np.maximum(size.sum() - size, 1e-9)[:, None]
        spread = wrong.sum(axis=1)[:, None] * np.maximum(by_size, 1 / (len(joint) - 1))
        chance = (spread + spread.T) / np.maximum(of, 1e-9)
        rate = mixed / np.maximum(of, 1e-9)
        named = np.argwhere(np.triu((rate >= self.rate) & (low > chance) & (mixed >= 1), 1))
        named = named[np.argsort(-rate[named[:, 0], named[:, 1]], kind="stable")][: self.most]
        return [
            {
                "codes": (a, b),
                "target": evidence.classes[a],
                "other": evidence.classes[b],
                "figure": rate[a, b],
                "low": low[a, b],
                "high": high[a, b],
                "interval": [low[a, b], high[a, b]],
                "there": wrong[a, b],
                "back": wrong[b, a],
                "samples": of[a, b],
            }
            for a, b in named.tolist()
        ]


def wilson(count: Any, of: Any) -> tuple[Any, Any]:
    """Wilson's 95 % interval of shares `count` / `of` (Wilson 1927)."""
    share, square = np.clip(count / of, 0, 1), _Z * _Z / of
    centre = (share + square / 2) / (1 + square)
    half = np.sqrt(np.maximum(square * (share * (1 - share) + square / 4), 0)) / (1 + square)
    return np.maximum(0, centre - half), np.minimum(1, centre + half)


def _examples(evidence: LabelEvidence, a: int, b: int) -> Any:
    """Rows of the pair whose label is most probably the other's."""
    mixed = ((evidence.given == a) & (evidence.suggested == b)) | (
        (evidence.given == b) & (evidence.suggested == a)
    )
    rows = np.flatnonzero(mixed & evidence.judged)
    return rows[np.argsort(-evidence.suggested_probs[rows], kind="stable")][:_NAMED]
