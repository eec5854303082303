"""The check label-candidates: the labels most worth a look, where nothing says that any is
wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.checks.labels.wrong_label import OTHER_WAY, reasons, without_embedding
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.probes.labels.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

#: Why wrong-label lists nothing, in words.
_WHY = {
    "tail": "No list of label errors: the contradicted labels are no more than hard but correctly "
    "labelled images would give. None of these {count} is known to be wrong; review them first.",
    "few": "No list of label errors: with so few images, hard and mislabelled ones cannot be "
    "distinguished. These {count} may be either; review them.",
}


@dataclass(frozen=True)
class LabelCandidates(Check):
    """Labels to review first, where none is known to be wrong.

    What it finds:
        The samples whose label the classifiers contradict most, ranked, where wrong-label gives no
        list: candidates, not findings. One claim says why there is no list. Nothing acts on
        candidates: they are no reason to drop or to relabel.
    Why it matters:
        In most data sets the images that a classifier misreads most surely are rightly labelled and
        hard. Some are wrong all the same, and this is the order in which one finds them soonest.
    What to do:
        Look at the first few. If none is wrong, stop. For a better judge than the embedding, train
        one on the images: ``dataprep audit PATH --deep``.
    How it works:
        The classifiers and the score of wrong-label. There is no list where the log-likelihood
        gains too little by wrong labels, where fewer than 1,500 labels or 60 a class are judged, or
        where less than half of the list would be wrong. Candidates are what has the highest log
        odds against its label.
    Known limits:
        See wrong-label. The order is that of a general embedding: on CIFAR-10's test images none of
        the first 25 is among the labels that most of 50 people reject.
    Measured quality:
        benchmarks/natural.py, the first 24 by eye (benchmarks/judged/labels.csv), wrong / arguable
        / right: trashnet 0 / 2 / 22, photos of clothes 1 / 7 / 16, hands 2 / 1 / 21 (the first two
        of the list), MNIST 0 / 5 / 19, Fashion-MNIST 0 / 8 / 16, tiles 2 / 0 / 22 (one tile,
        photographed twice). By about 50 people, the first 25 of 5,000 CIFAR-10 test images: 2 / 5 /
        18, where 0.2 would be wrong by chance. Planted errors in fewer than 1,500 images are
        candidates: of 674 tiles with 5 to 20 % swapped, 0.81 to 0.90 of those in doubt were wrong.
    """

    code: ClassVar = "label-candidates"
    family: ClassVar = "labels"
    severity: ClassVar = "fact"
    needs: ClassVar = ("label", "embedding")
    classes: ClassVar = 2
    looks: ClassVar = True
    suggestion: ClassVar = "none"
    summary: ClassVar = "Labels to review first; none is known to be wrong"
    advice: ClassVar = (
        "Review the first few; a network trained on the images may separate them better: --deep."
    )
    message: ClassVar = "{text}"

    most: int = option(20, "candidates that are named at most", low=1)

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and the data lacks: class probabilities of the user's own do in place of
        the embedding.
        """
        return without_embedding(super().lacks(dataset, look), dataset)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield why there is no list, then the candidates."""
        evidence = look.labels()
        rows = evidence.candidates(self.most)
        if not len(rows) or evidence.withheld not in _WHY:
            return
        yield self._about(evidence, rows, dataset.has("probs"))
        names = dataset.samples.index.to_numpy(dtype=object)
        found = list(reasons(evidence, look, rows, names))
        for each in found:
            del each["probability"], each["wrong"]
        yield self.claims(
            names[rows],
            value=np.array(evidence.classes, dtype=object)[evidence.suggested[rows]],
            figure=np.arange(1, len(rows) + 1),
            unit="rank",
            confidence=0.0,
            evidence=found,
        )

    def _about(
        self, evidence: LabelEvidence, rows: np.ndarray, judged_by_given: bool
    ) -> pd.DataFrame:
        way = "" if judged_by_given else OTHER_WAY
        text = " ".join(
            filter(
                None, [_WHY[evidence.withheld].format(count=f"{len(rows):,}"), way, *evidence.notes]
            )
        )
        figures = {
            "candidates": len(rows),
            "judged": int(evidence.judged.sum()),
            "why": evidence.withheld,
            "text": text,
        }
        return self.claims(
            [""], scope="dataset", figure=float(len(rows)), unit="candidates", evidence=figures
        )
