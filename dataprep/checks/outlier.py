"""The check outlier: images that are unlike nearly all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check
from dataprep.probes.oddness import LEAST, Oddness, oddness_of
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.probes.label_evidence import LabelEvidence
    from dataprep.schemas.dataset import Dataset

#: Nearest images that are shown, and asked for their class.
_SHOWN, _ASKED = 6, 10
#: A label that the classifiers doubt this much does not count, whether it is wrong or the image hard.
_DOUBT = 0.5


@dataclass(frozen=True)
class Outlier(Check):
    """Images unlike nearly all others: off topic, another source, or rare.

    What it finds:
        Images that lie farther from the bulk of the data set, and of their class, than ordinary images do: a drawing among
        photos, a thumbnail of something else, a screenshot, a broken crop. Each claim tells how odd the image is, how many
        would be as odd by chance, the nearest class, and shows its nearest neighbours.
    Why it matters:
        What is off topic teaches nothing, or something wrong, and in a test set counts as an error that is none. What is
        rare but right is the opposite: the image that the data set has too few of.
    What to do:
        Look at the list from the top. Drop what does not belong, keep and collect more of what is merely rare. Several alike
        mean a source that got in by mistake; look for all of it.
    How it works:
        Distance between embeddings (square roots of the activations, unit length), to the nearest twentieth of all images and of
        those of the class, the nearer half of that passed over, so that alike outliers of up to 2.5 % do not hide each other
        (distance to a measure; Chazal, Cohen-Steiner and Mérigot 2011). Each relative to the median image. An image whose label
        is in doubt is compared with all images only: that it is unlike its class is a matter of wrong-label. What the
        farthest 3 % have in common is learnt by ridge regressions that do not see the image, its copies or its group, and added
        (after Elkan and Noto 2008). Ordinary images are taken to be normally distributed above the median, with a spread read
        from quantiles up to 93 %; listed is what exceeds them at `rate`, by distance alone or with what it has in common.
        Confidence is 1 less the expected share of false alarms in the list up to there.
    Known limits:
        Fewer than 50 images have no bulk: the check is skipped. Where odd images are more than some 5 % they are a part of the
        data set, which similar-images or a look at the feature map shows. It sees what the embedding sees: clothes at 32
        pixels are hard to tell from cats at 32 pixels. The share of false alarms varies with the shape of the data, up to
        several times `rate`. Rare classes of fewer than 40 images are compared with all images only.
    Measured quality:
        benchmarks/outliers.py, planted at 2 %. Photos reduced to 32 pixels among CIFAR images of two classes (10 pairs, squashed
        and cropped): AUROC 0.973 to 0.999, in another draw 0.960 for one pair; precision of the list 0.80 to 1.00 at recall
        0.15 to 0.75. Enlarged CIFAR images,
        drawings, cartoons and pages of text among 2,000 photos: AUROC 1.00, precision 1.00 at recall 0.68 to 1.00. Untouched:
        none of the photos listed, 0.35 % (95 % interval 0.23 to 0.53) of 6,234 CIFAR images.
    """

    code: ClassVar = "outlier"
    family: ClassVar = "content"
    severity: ClassVar = "warning"
    needs: ClassVar = ("embedding",)
    wants: ClassVar = ("label",)
    looks: ClassVar = True
    suggestion: ClassVar = "review"
    summary: ClassVar = "Images unlike nearly all others"
    advice: ClassVar = "Look whether they belong here; drop what is off topic, collect more of what is only rare."
    message: ClassVar = (
        "{figure:.1f} standard deviations odder than the images here usually are: {ratio:.2f} times as far from {place}{alike}"
        "{nearest}; {expected:.1g} of {judged:,} images would be as odd by chance"
    )

    rate: float = option(0.001, "share of ordinary images that may be listed", low=1e-9, high=0.1)

    def lacks(self, dataset: Dataset, look: Look) -> list[str]:
        """What it needs and does not get: embeddings of enough images to lie outside of."""
        missing = super().lacks(dataset, look)
        return missing or ([f"embeddings of {LEAST} images"] if int(look.features().known.sum()) < LEAST else [])

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the images that are odd, oddest first."""
        known = look.features().known
        evidence = look.labels() if dataset.has("label") else None
        oddness = oddness_of(dataset.arrays["embedding"], known, trusted_classes(evidence, len(dataset)), look.units())
        chance, deviations = oddness.chance(), oddness.deviations()
        rows = np.flatnonzero(oddness.odd(self.rate))
        if not len(rows):
            return
        rows = rows[np.argsort(-deviations[rows], kind="stable")]
        expected = chance[rows] * int(known.sum())
        yield self.claims(
            dataset.samples.index.to_numpy(dtype=object)[rows],
            figure=deviations[rows],
            unit="standard deviations",
            confidence=np.clip(1 - np.maximum.accumulate(expected / np.arange(1, len(rows) + 1)), 0, 1),
            evidence=list(self._reasons(dataset, look, evidence, oddness, rows, expected)),
        )

    def _reasons(
        self,
        dataset: Dataset,
        look: Look,
        evidence: LabelEvidence | None,
        oddness: Oddness,
        rows: NDArray[np.int64],
        expected: NDArray[np.float64],
    ) -> Iterator[dict[str, Any]]:
        names = dataset.samples.index.to_numpy(dtype=object)
        odd = np.zeros(len(dataset), bool)
        odd[rows] = True
        judged = int(look.features().known.sum())
        for row, chance in zip(rows, expected, strict=True):
            near = look.neighbours().indices[row]
            near = near[near >= 0]
            alike = int(odd[near[:_ASKED]].sum())
            in_class = oddness.ratio_in_class[row] >= oddness.ratio[row]  # False for NaN
            yield {
                "ratio": float(oddness.ratio_in_class[row] if in_class else oddness.ratio[row]),
                "scope": "class" if in_class else "all",
                "place": "the bulk of its class" if in_class else "the bulk of all images",
                "alike": f", as are {alike} of its {len(near[:_ASKED])} nearest neighbours" if alike else "",
                "nearest": _nearest(evidence, near[~odd[near]][:_ASKED]),
                "neighbours": [str(name) for name in names[near[:_SHOWN]]],
                "expected": float(chance),
                "judged": judged,
                "threshold": self.rate,
            }


def trusted_classes(evidence: LabelEvidence | None, rows: int) -> NDArray[np.int64]:
    """(n,) codes of the given classes, -1 where the label is in doubt: to be unlike its class may be its label's fault."""
    if evidence is None or not evidence.classes:
        return np.full(rows, -1, np.int64)
    return np.where(np.nan_to_num(evidence.doubt) >= _DOUBT, -1, evidence.given).astype(np.int64)


def _nearest(evidence: LabelEvidence | None, near: NDArray[np.int32]) -> str:
    """The class of most of the nearest ordinary images, in words."""
    given = evidence.given[near] if evidence is not None else np.array([], np.int32)
    given = given[given >= 0]
    if evidence is None or not len(given):
        return ""
    counts = np.bincount(given)
    return f"; the nearest class is {evidence.classes[int(counts.argmax())]!r}"
