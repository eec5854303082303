"""The check normalisation-mismatch: splits whose images were normalised otherwise than those of
training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, has_picture, texts
from dataprep.checks.statistics.tone_states import COLUMNS, LEAST, tone_state
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

#: Percentiles of luma are stored in steps of this size; beyond the extreme by two steps is not a
#: matter of rounding.
_STEP = 1 / 255
_MARGIN = 2 * _STEP


@dataclass(frozen=True)
class NormalisationMismatch(Check):
    """Splits whose images were normalised differently from those of training.

    What it finds:
        Splits whose images were standardised or equalised one by one where those of the training
        split (of all other splits, where none is called train) were not, or the other way round;
        splits that no image of leaves a part of the range from black to white, while many training
        images do, as after another shift and scale; and splits whose images are cut off at white or
        black far more, or less, often. One claim for each such split.
    Why it matters:
        The model sees inputs on a scale that it was not trained on, and the figure that is measured
        there is of that, not of the model. The usual cause is a pipeline that fits its figures on
        each part anew, or applies them twice to one.
    What to do:
        Normalise all parts with figures fitted on train alone (dataprep normalise), from the
        original images. Where a part was recorded by another device, see distribution-mismatch.
    How it works:
        Three signs. The signs of already-normalised, for each split and its reference. The 99th
        percentile of luma of the split's brightest image against the reference's (and the 1st of
        its darkest): the chance that a random split of the same size misses all reference images
        beyond it (hypergeometric) must be under `alpha`, and at least `share` of them must lie
        beyond by two grey levels or more. And the share of images whose 99th percentile is white,
        or 1st black: a difference of at least `cut` and more than six standard errors. Splits of
        fewer than 20 images are not judged.
    Known limits:
        Another shift and scale that leaves the range filled (a little brighter or darker, another
        gamma) is told from other light by nothing in the images; distribution-mismatch reports it
        as such. A single image beyond the range hides a range that all others keep to. A part
        recorded with another device or in another light may keep to a narrower range by nature: the
        claim is true, the cause is another.
    Measured quality:
        benchmarks/normalised.py: 240 photos with a random split, 20, 30 or 60 of them changed and
        called val, 20 draws each. Standardised over all channels or by channel, to 2 or 3 standard
        deviations, equalised, autocontrast that cuts 1 %, brightness x 0.5 and x 0.8: always found.
        Brightness x 1.2: 80, 85 and 100 %; contrast x 0.8: 25, 65 and 100 %. Hardly ever: stretched
        by minimum and maximum, gamma 1.5, ImageNet's figures mapped to 8 bits. No claim on the
        splits that two collections of photos came with, on 300 random splits of three collections,
        on 100 splits of one by who sent the photos, nor with the 20 classes of two taken for
        splits.
    """

    code = "normalisation-mismatch"
    family = "splits"
    severity = "warning"
    scope = "split"
    needs = ("split", *COLUMNS)
    summary = "Splits with different normalisation"
    advice = "Normalise all splits with the statistics of train, starting from the original images."
    message = "{what}"

    alpha: float = option(
        1e-6, "probability that a random split keeps to a narrower range", low=1e-300, high=0.05
    )
    share: float = option(
        0.05,
        "share of the reference's images beyond a split's range that counts",
        low=0.001,
        high=1.0,
    )
    cut: float = option(
        0.3,
        "difference in the share of images cut off at white or black that counts",
        low=0.01,
        high=1.0,
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each split that differs."""
        parts, judged = texts(dataset, "split"), has_picture(dataset)
        names = [str(name) for name in np.unique(parts[judged].astype(str)) if name]
        named_train = "train" in names
        for name in names:
            own = judged & (parts == name)
            other = judged & (parts == "train" if named_train else (parts != name) & (parts != ""))
            if (name == "train") or min(int(own.sum()), int(other.sum())) < LEAST:
                continue
            found = self._compare(
                dataset, own, other, "train" if named_train else "the other splits"
            )
            if found:
                yield self.claims([name], **found)

    def _compare(
        self, dataset: Dataset, own: NDArray[np.bool_], other: NDArray[np.bool_], reference: str
    ) -> dict[str, Any]:
        """The strongest sign of a split, as columns of a claim; empty when there is none."""
        ours, theirs = tone_state(dataset, own).normalised, tone_state(dataset, other).normalised
        if bool(ours) != bool(theirs):  # how it was done is too fine a distinction for a claim
            what = (
                f"every image looks {ours or 'unprocessed'}, those of {reference} "
                f"{theirs or 'unprocessed'}"
            )
            return {
                "figure": 1.0,
                "unit": "of the images",
                "evidence": {"what": what, "sign": "state"},
                "confidence": 0.9,
            }
        for column, end in (("luma_p99", 1.0), ("luma_p01", 0.0)):
            values = np.abs(figures(dataset, column) - end)  # 0 at the end of the range
            found = self._range(values[own], values[other], "white" if end else "black", reference)
            found = found or self._cut_off(
                values[own], values[other], "white" if end else "black", reference
            )
            if found:
                return found
        return {}

    def _range(
        self, own: NDArray[np.float64], other: NDArray[np.float64], end: str, reference: str
    ) -> dict[str, Any]:
        """Whether one of the two keeps away from an end of the range that the other comes near
        to.
        """
        for inner, outer, outside in ((own, other, True), (other, own, False)):
            nearest = float(inner.min())
            beyond = int((outer < nearest - _MARGIN).sum())
            share = beyond / len(outer)
            if share < self.share or _log_chance(
                beyond, len(inner), len(inner) + len(outer)
            ) > np.log(self.alpha):
                continue
            what = (
                (
                    f"no image comes closer to {end} than {nearest:.2f} of the range, {share:.0%} "
                    f"of those of {reference} do"
                )
                if outside
                else (
                    f"{share:.0%} of the images come closer to {end} than {nearest:.2f} of the "
                    f"range, none of {reference} does"
                )
            )
            return {
                "figure": share,
                "unit": "of the images",
                "evidence": {"what": what, "sign": "range"},
                "confidence": 0.8,
            }
        return {}

    def _cut_off(
        self, own: NDArray[np.float64], other: NDArray[np.float64], end: str, reference: str
    ) -> dict[str, Any]:
        """Whether one of the two is cut off at an end of the range far more often."""
        ours, theirs = float((own <= _STEP).mean()), float((other <= _STEP).mean())
        pooled = (ours * len(own) + theirs * len(other)) / (len(own) + len(other))
        error = np.sqrt(pooled * (1 - pooled) * (1 / len(own) + 1 / len(other)))
        if abs(ours - theirs) < max(self.cut, 6 * error):
            return {}
        what = (
            f"{ours:.0%} of the images are clipped at {end}, {theirs:.0%} of those of {reference}"
        )
        evidence = {"what": what, "sign": "cut"}
        return {
            "figure": abs(ours - theirs),
            "unit": "of the images",
            "evidence": evidence,
            "confidence": 0.7,
        }


def _log_chance(beyond: int, size: int, total: int) -> float:
    """Logarithm of the chance that `beyond` given images all miss a random split of `size` among
    `total`.
    """
    if beyond > total - size:
        return -np.inf
    steps = np.arange(beyond, dtype=np.float64)
    return float(np.log((total - size - steps) / (total - steps)).sum())
