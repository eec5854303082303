"""The check wrong-label: labels that are probably wrong, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.probes.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

#: Nearest samples that are asked, and of those that disagree, how many are named.
_ASKED, _NAMED = 10, 6


@dataclass(frozen=True)
class WrongLabel(Check):
    """Labels that are probably wrong.

    What it finds:
        Samples whose label is more probably wrong than right, with the class that was probably meant, its probability and
        the neighbours that disagree; and one claim about the list: how many of its labels are wrong, as estimated.
    Why it matters:
        A wrong label in training teaches the wrong thing; one in the test set marks right answers as errors, and the better
        of two models may look like the worse one (Northcutt, Athalye and Mueller 2021 find 3 % wrong labels on average in
        the test sets of ten well-known benchmarks).
    What to do:
        Look at the samples from the top and relabel what is wrong; the list is sorted by probability, so stop where it no
        longer pays. Test splits first.
    How it works:
        Cheap classifiers on the embedding (ridge or logistic regression, nearest neighbours) predict every sample without its
        own label, its copies or its group. A noise model pools them and takes the given label for a noisy reading of the true
        one: how often each class is labelled as each other one (started from confident learning, Northcutt, Jiang and Chuang
        2021) and how far to trust the classifiers are fitted together, by expectation-maximisation on the likelihood of
        the labels (after Dawid and Skene 1979). Bayes' rule then gives each label's probability of being wrong. The classifiers
        learn twice more, from what was probably meant. A label is listed from the probability `min_confidence` up; the mean
        over the list is the share of it that is estimated to be wrong. Own class probabilities (array ``probs``) take the place
        of the classifiers.
    Known limits:
        It sees what the embedding sees: fine distinctions that the embedding does not make are not judged well, and images
        that are odd in themselves are listed too (see outlier). Errors are taken to be spread over a class; where annotators
        err on hard images only, fewer errors are found and the estimate stays below the truth. Classes with fewer than 4
        samples that are neither copies nor of one group are not judged, and named; nor are classes of fewer than 30 of which
        most would be wrong, which the embedding does not see; nor is anything where the classifiers agree with the labels too
        little to tell blindness from errors (Cohen's kappa below 0.3). Samples with several labels and targets to regress on
        are not judged.
    Measured quality:
        benchmarks/wronglabels.py: 2,000 photos of clothes, 10 classes, planted errors; the photos hold errors of their own,
        which count against. Uniform 5, 10 and 20 %: precision 0.79, 0.92 and 0.92 of the list at recall 0.68, 0.81 and 0.81
        (estimated precision 0.90, 0.92, 0.90), average precision of the ranking 0.85, 0.94 and 0.95. Confusable 5, 10 and
        20 %: 0.78, 0.81 and 0.87 at 0.82, 0.91 and 0.94 (0.88, 0.91, 0.94), 0.89, 0.95 and 0.97. People's own errors on
        32-pixel images (CIFAR-10N, 9, 17 and 42 % wrong): 0.82, 0.85 and 0.93 at 0.42, 0.58 and 0.63 (0.82, 0.83, 0.83).
        The design was chosen on these sets, so other data may fare worse. The suggested label is right for 78 to 98 % of
        the wrong ones listed. On six sets of clean made-up clusters, 1 to 15 of 100 to 5,000 samples were listed.
    """

    code: ClassVar = "wrong-label"
    family: ClassVar = "labels"
    severity: ClassVar = "warning"
    needs: ClassVar = ("label", "embedding")
    classes: ClassVar = 2
    looks: ClassVar = True
    suggestion: ClassVar = "relabel"
    summary: ClassVar = "Labels that are probably wrong"
    advice: ClassVar = "Look from the top of the list and relabel what is wrong, test splits first."
    message: ClassVar = "{text}"

    min_confidence: float = option(0.5, "probability of being wrong from which on a label is listed", low=0, high=1)

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and the data lacks: class probabilities of the user's own do in place of the embedding."""
        return without_embedding(super().lacks(dataset, look), dataset)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim about the list, then the list."""
        evidence = look.labels()
        listed = np.flatnonzero(evidence.wrong >= self.min_confidence)
        listed = listed[np.argsort(-evidence.wrong[listed], kind="stable")]
        if len(listed) or evidence.notes:
            yield self._about(evidence, listed)
        if len(listed):
            names = dataset.samples.index.to_numpy(dtype=object)
            classes = np.array(evidence.classes, dtype=object)
            yield self.claims(
                names[listed],
                value=classes[evidence.suggested[listed]],
                figure=evidence.suggested_probs[listed],
                unit="probability",
                confidence=evidence.wrong[listed],
                evidence=list(_reasons(evidence, look, listed, names)),
            )

    def _about(self, evidence: LabelEvidence, listed: NDArray[np.int64]) -> pd.DataFrame:
        """One claim about the whole list, or about what could not be judged."""
        wrong = evidence.wrong[listed].astype(np.float64)
        precision = float(wrong.mean()) if len(wrong) else float("nan")
        judged = int(evidence.judged.sum())
        text = f"{len(listed):,} of {judged:,} labels that could be judged are listed as probably wrong"
        if len(listed):
            text += f"; about {precision:.0%} of them are"
        text = " ".join([text + ".", *evidence.notes]) if evidence.notes else text
        figures = {"listed": len(listed), "judged": judged, "text": text}
        if len(listed):
            figures |= {"estimated_precision": precision, "expected_wrong": float(np.nansum(evidence.wrong))}
        return self.claims(
            [""], scope="dataset", severity="warning" if len(listed) else "info", suggestion="review" if len(listed) else "none",
            figure=precision, unit="of the list", evidence=figures,
        )  # fmt: skip


def without_embedding(missing: list[str], dataset: Dataset) -> list[str]:
    """`missing` needs, less the embedding where class probabilities are given."""
    return [need for need in missing if need != "embedding" or not dataset.has("probs")]


def _reasons(evidence: LabelEvidence, look: Look, rows: NDArray[np.int64], names: NDArray[Any]) -> Iterator[dict[str, Any]]:
    """For each row, the evidence: in words, and the neighbours outside its unit that have the suggested label."""
    near, units = look.neighbours().indices, look.units()
    for row in rows.tolist():
        others = near[row][near[row] >= 0]
        others = others[(units[others] != units[row]) & (evidence.given[others] >= 0)][:_ASKED]
        given, suggested = int(evidence.given[row]), int(evidence.suggested[row])
        agreeing = others[evidence.given[others] == suggested]
        probability = float(evidence.suggested_probs[row])
        seen = f"{len(agreeing)} of {len(others)} nearest are" if len(agreeing) * 2 > len(others) else "looks like"
        yield {
            "given": evidence.classes[given],
            "suggested": evidence.classes[suggested],
            "probability": round(probability, 4),
            "wrong": round(float(evidence.wrong[row]), 4),
            "neighbours": [str(names[other]) for other in agreeing[:_NAMED].tolist()],
            "nearest": {"asked": len(others), "suggested": len(agreeing), "given": int((evidence.given[others] == given).sum())},
            "text": f"labelled {evidence.classes[given]!r}, but {seen} {evidence.classes[suggested]!r} "
            f"(probability {probability:.2f})",
        }
