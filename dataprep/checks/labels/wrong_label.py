"""The check wrong-label: labels that are probably wrong, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.probes.labels.disagreements import Share
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.probes.labels.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

#: Nearest samples that are asked, and of those that disagree, how many are named.
_ASKED, _NAMED = 10, 6


@dataclass(frozen=True)
class WrongLabel(Check):
    """Likely label errors.

    What it finds:
        Samples whose label is more probably wrong than right, with the class that was probably
        meant and the neighbours that disagree; and one claim about the list: how many of its labels
        are expected to be wrong, with an interval. Where wrong labels do not stand out from hard
        images there is no list (see label-candidates).
    Why it matters:
        A wrong label in training teaches the wrong thing; one in the test set marks right answers
        as errors, and the better of two models may look like the worse one (Northcutt, Athalye and
        Mueller 2021 find 3 % wrong labels on average in the test sets of ten well-known
        benchmarks).
    What to do:
        Look at the samples from the top and relabel what is wrong; the list is sorted by
        probability, so stop where it no longer pays. Test splits first.
    How it works:
        Cheap classifiers on the embedding (ridge or logistic regression, nearest neighbours)
        predict every sample without its own label, its copies or its group. A noise model pools
        them and takes the given label for a noisy reading of the true one: how often each class is
        labelled as each other one (started from confident learning, Northcutt, Jiang and Chuang
        2021) and how far to trust the classifiers are fitted together, by expectation-maximisation
        on the likelihood of the labels (after Dawid and Skene 1979). The classifiers learn twice
        more, from what was probably meant. That model takes every confident contradiction for an
        error, so its doubts are weighed by a second one, of all contradicted labels together: right
        labels are contradicted too, the seldomer the surer the classifier is, while swapped labels
        have the scores of right labels swapped in thought. The mixture of the two (Poisson counts
        of the log odds, posterior on a grid) gives each label's probability of being wrong, and the
        evidence that there are swapped labels at all. A label is listed where the noise model
        doubts it (0.5) and the mixture does (0.25); the mean over the list is the stated share.
        There is a list where the log-likelihood gains 8 or more, at least 1,500 labels and 60 a
        class are judged, half of it or more is wrong, the two classifiers agree with each other
        (Cohen's kappa 0.75, or 0.72 and much more than with the labels), and labels drawn from
        their own probabilities would not be contradicted as surely a quarter as often: otherwise
        they see too little of the classes. Own class probabilities (array ``probs``) take the place
        of the classifiers; ``dataprep audit --deep`` makes them with a network trained on the
        images.
    Known limits:
        It sees what the embedding sees: fine distinctions that the embedding does not make are not
        judged well. Below some 0.3 % wrong labels nothing can be stated, because as many right
        labels are contradicted as surely as wrong ones. People err on hard images: there the stated
        share is mostly too low. Classes with fewer than 4 samples that are neither copies nor of
        one group are not judged, and named; nor are classes of fewer than 30 of which most would be
        wrong, which the embedding does not see; nor is anything where the classifiers agree with
        the labels too little to tell blindness from errors (Cohen's kappa below 0.3). Samples with
        several labels and targets to regress on are not judged.
    Measured quality:
        benchmarks/natural.py (constants chosen on the first three sets, the others looked at
        afterwards).

        ========================  ======  ============================  ===========================
        set                       images  listed, nothing planted       stated - true: mean / worst
        ========================  ======  ============================  ===========================
        CIFAR-10 test, 50 people  5,000   none (unweighed 15, 1 wrong)  0.03 / 0.08
        trashnet                  2,527   none (2, none wrong)          0.01 / 0.01
        photos of clothes         2,000   none (3)                      0.03 / 0.05
        CIFAR-10, clean labels    6,234   none (16)                     0.02 / 0.04
        hands                     2,062   none (3, 2 wrong)             0.03 / 0.07
        MNIST                     2,500   none (0)                      0.02 / 0.04
        Fashion-MNIST             2,500   none (0)                      0.02 / 0.05
        tiles                     674     none (3)                      too few to state
        ========================  ======  ============================  ===========================

        Planted are 5, 10 and 20 %, uniform and confusable: 42 lists, precision 0.63 to 0.97 at
        recall 0.51 to 0.97, the true share within the stated interval in all. Unweighed is what the
        noise model alone doubts, which was stated at 0.68 to 0.94 on the natural sets. People's
        errors (CIFAR-10N, 9 to 42 % wrong): true 0.82 to 0.93, stated 0.70 to 0.92, within the
        interval, at recall 0.42 to 0.63. At 1,500 images (36 lists) it misses by 0.14 at most,
        within the interval; at 1,000 it would by up to 0.2 and at 500 by up to 0.7, hence none
        there. Nothing is called wrong above 0.95: of 128 labels of people that the score puts above
        it, 125 were wrong. By eye: see label-candidates. Embeddings cut down to a few random
        dimensions (accuracy 0.36 to 0.75, seven sets, nothing planted) set the bar of agreement: no
        list on any; at 0.70 three had one.

        ``--deep`` on CIFAR-10H, EfficientNet-Lite0 fine-tuned at 64 pixels in 5 folds (accuracy
        0.73): of the first 25, 35 and 79, the share that fewer than half of the people confirm is
        0.12, 0.09 and 0.06; by the embedding 0.08, 0.09 and 0.05; by cleanlab's self-confidence on
        the same probabilities 0.12, 0.09 and 0.06, by its margin 0.08, 0.11 and 0.08; by chance
        0.01. No list is stated there either.
    """

    code: ClassVar = "wrong-label"
    family: ClassVar = "labels"
    severity: ClassVar = "warning"
    needs: ClassVar = ("label", "embedding")
    classes: ClassVar = 2
    looks: ClassVar = True
    suggestion: ClassVar = "relabel"
    summary: ClassVar = "Likely label errors"
    advice: ClassVar = "Review the list from the top and relabel what is wrong, test splits first."
    message: ClassVar = "{text}"

    min_confidence: float = option(
        0.0, "probability of being wrong below which a listed label is left out", low=0, high=1
    )

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and the data lacks: class probabilities of the user's own do in place of
        the embedding.
        """
        return without_embedding(super().lacks(dataset, look), dataset)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim about the list, then the list."""
        evidence = look.labels()
        listed = np.flatnonzero(evidence.listed & (evidence.wrong >= self.min_confidence))
        listed = listed[np.argsort(-evidence.list.scores[listed], kind="stable")]
        if len(listed):
            yield self._about(evidence, listed)
            names = dataset.samples.index.to_numpy(dtype=object)
            classes = np.array(evidence.classes, dtype=object)
            yield self.claims(
                names[listed],
                value=classes[evidence.suggested[listed]],
                figure=evidence.suggested_probs[listed],
                unit="probability",
                confidence=evidence.wrong[listed],
                evidence=list(reasons(evidence, look, listed, names)),
            )
        elif evidence.notes:
            yield self._unjudged(evidence)

    def _about(self, evidence: LabelEvidence, listed: NDArray[np.int64]) -> pd.DataFrame:
        """One claim about the whole list."""
        judged = int(evidence.judged.sum())
        figures: dict[str, Any] = {"listed": len(listed), "judged": judged}
        text = (
            f"{len(listed):,} of {judged:,} labels that could be assessed are listed as likely "
            f"errors"
        )
        share, rate = evidence.precision, evidence.rate
        if share is not None and rate is not None:
            part = share_of_list(evidence, listed, share)
            figures |= {
                "estimated_precision": part.mean,
                "low": part.low,
                "high": part.high,
                "interval": [part.low, part.high],
            }
            figures |= {"expected_wrong": rate.mean * judged}
            text += f"; we expect {in_words(part)} of these to be mislabelled"
        figures["text"] = " ".join([text + ".", *evidence.notes])
        return self.claims_of_dataset(
            severity=self.severity,
            suggestion="review",
            figure=figures.get("estimated_precision", np.nan),
            unit="of the list",
            evidence=figures,
        )

    def _unjudged(self, evidence: LabelEvidence) -> pd.DataFrame:
        """One claim about what could not be judged."""
        judged = int(evidence.judged.sum())
        sentences = [
            f"None of {judged:,} labels that could be assessed is listed as a likely error."
            if judged
            else "No label could be assessed."
        ]
        text = " ".join(
            [*sentences, *evidence.notes, *([OTHER_WAY] if evidence.withheld == "blind" else [])]
        )
        return self.claims_of_dataset(
            unit="of the list", evidence={"listed": 0, "judged": judged, "text": text}
        )


#: What labels can be judged by where the embedding does not do.
OTHER_WAY = "A network trained on the images themselves may find more: dataprep audit PATH --deep."


def share_of_list(evidence: LabelEvidence, listed: NDArray[np.int64], share: Share) -> Share:
    """The share of the list that is wrong; of a part of the list, moved by what its own
    probabilities say.
    """
    if len(listed) == int(evidence.listed.sum()):
        return share
    moved = float(
        evidence.wrong[listed].mean(dtype=np.float64)
        - evidence.wrong[evidence.listed].mean(dtype=np.float64)
    )
    return Share(*(min(1.0, max(0.0, end + moved)) for end in share))


def in_words(share: Share) -> str:
    """A share of a list: "about 81 % (70 to 90 %)"; never none or all of it, which no estimate
    shows.
    """
    mean, low, high = (min(99, max(1, round(100 * end))) for end in share)
    return f"about {mean} % ({low} to {high} %)"


def without_embedding(missing: list[str], dataset: Dataset) -> list[str]:
    """`missing` needs, less the embedding where class probabilities are given."""
    return [need for need in missing if need != "embedding" or not dataset.has("probs")]


def reasons(
    evidence: LabelEvidence, look: Look, rows: NDArray[np.int64], names: NDArray[Any]
) -> Iterator[dict[str, Any]]:
    """For each row, the evidence: in words, and the neighbours outside its unit that have the
    suggested label.
    """
    near, units = look.neighbours().indices, look.units()
    for row in rows.tolist():
        others = near[row][near[row] >= 0]
        others = others[(units[others] != units[row]) & (evidence.given[others] >= 0)][:_ASKED]
        given, suggested = int(evidence.given[row]), int(evidence.suggested[row])
        agreeing = others[evidence.given[others] == suggested]
        probability = float(evidence.suggested_probs[row])
        seen = (
            f"{len(agreeing)} of {len(others)} nearest are"
            if len(agreeing) * 2 > len(others)
            else "looks like"
        )
        yield {
            "given": evidence.classes[given],
            "suggested": evidence.classes[suggested],
            "probability": round(probability, 4),
            "wrong": round(float(evidence.wrong[row]), 4),
            "neighbours": [str(names[other]) for other in agreeing[:_NAMED].tolist()],
            "nearest": {
                "asked": len(others),
                "suggested": len(agreeing),
                "given": int((evidence.given[others] == given).sum()),
            },
            "text": (
                f"labelled {evidence.classes[given]!r}, but {seen} {evidence.classes[suggested]!r}"
            )
            + (f" (probability {probability:.2f})" if evidence.listed[row] else ""),
        }
