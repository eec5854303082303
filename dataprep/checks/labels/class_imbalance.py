"""The check class-imbalance: classes of very different sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.labels.class_counts import class_counts
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

_NAMED = 5


@dataclass(frozen=True)
class ClassImbalance(Check):
    """Class imbalance.

    What it finds:
        Data sets whose largest class has at least 10 times the samples of the smallest, or at least
        80 % of all samples. One claim for the data set; it names the classes, the ratio, and what
        the imbalance does to metrics.
    Why it matters:
        Accuracy loses its meaning: always predicting the largest class reaches its share.
        A model trained with plain cross-entropy leans towards large classes by the logarithm of the
        ratio, and small ones are recognised least.
    What to do:
        Judge by macro-F1, balanced accuracy or recall per class instead of accuracy. Split with
        stratification. Collect more of the small classes; short of that, oversample them or weight
        the loss (for example by the effective number of samples, Cui et al. 2019), and correct the
        decision thresholds for the priors (Buda et al. 2018).
    How it works:
        Counts of labels. The ratio is largest to smallest class, the measure of Buda, Maki and
        Mazurowski (2018, "A systematic study of the class imbalance problem in convolutional neural
        networks"), who find that the harm grows with it and with the number of small classes. At
        the threshold of 10 the prior alone moves a decision by log 10 = 2.3 nats. The second
        threshold is for data sets of two or three classes, where a share of 80 % is a ratio of only
        4 and accuracy is already misleading. The metrics follow from the counts: always answering
        the largest class, whose share is p, among k classes gives accuracy p and macro-F1 2p / ((1
        + p) k). The effective number of classes is the exponential of the entropy of the shares.
        The weights in the evidence are those of Cui et al. (2019, "Class-balanced loss based on
        effective number of samples") with beta = (n - 1) / n for n samples, smallest class to
        largest.
    Known limits:
        Classes that are hard need more samples than easy ones, whatever the counts. Samples with
        several labels are not judged: a label that is rare is not an error there; see small-class.
        All samples are counted, over all splits.
    Measured quality:
        Exact for the thresholds: counting has no error, so there are no false alarms but in what
        one takes for imbalanced.
    """

    code = "class-imbalance"
    family = "labels"
    severity = "warning"
    scope = "dataset"
    needs = ("label",)
    suggestion = "none"
    summary = "Class imbalance"
    advice = (
        "Evaluate with macro-F1 or recall per class, stratify the split, and weight or oversample "
        "the small classes."
    )
    message = (
        "the largest class, {largest!r} ({most:,} samples), has {figure:,.0f} times the samples of "
        "the smallest, {smallest} "
        "({fewest:,}): always predicting {largest!r} scores accuracy {accuracy:.2f} but macro-F1 "
        "{macro_f1:.2f}"
    )

    ratio: float = option(
        10.0, "largest to smallest class, from which on a data set is imbalanced", low=1
    )
    share: float = option(
        0.8, "share of the largest class, from which on a data set is imbalanced", low=0, high=1
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield at most one claim, about the data set."""
        counts = class_counts(dataset)
        if len(counts) < 2 or dataset.task == "multi-label":
            return
        ratio, share = counts.iloc[0] / counts.iloc[-1], counts.iloc[0] / counts.sum()
        if ratio >= self.ratio or share >= self.share:
            evidence = {
                **_evidence(counts),
                "ratio_threshold": self.ratio,
                "share_threshold": self.share,
            }
            yield self.claims([""], figure=ratio, unit="times", evidence=evidence)


def _evidence(counts: pd.Series[int]) -> dict[str, Any]:
    shares = counts.to_numpy() / counts.sum()
    fewest = int(counts.iloc[-1])
    smallest = [str(name) for name in counts.index[counts == fewest]]
    more = f" and {len(smallest) - _NAMED:,} others" if len(smallest) > _NAMED else ""
    number = 1 - np.power(1 - 1 / max(2, counts.sum()), counts.iloc[[0, -1]].to_numpy(dtype=float))
    return {
        "largest": str(counts.index[0]),
        "smallest": ", ".join(map(repr, smallest[:_NAMED])) + more,
        "most": int(counts.iloc[0]),
        "fewest": fewest,
        "classes": len(counts),
        "effective_classes": float(np.exp(-(shares * np.log(shares)).sum())),
        "accuracy": float(shares[0]),
        "macro_f1": float(2 * shares[0] / (1 + shares[0]) / len(counts)),
        "weight": float(number[0] / number[1]),
        "largest_classes": {str(name): int(count) for name, count in counts.head(_NAMED).items()},
        "smallest_classes": {str(name): int(count) for name, count in counts.tail(_NAMED).items()},
    }
