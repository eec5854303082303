"""Losses of a linear classifier with their gradients, in numpy: the same as those of networks
(`dataprep.baselines.training.losses.Loss`); and the weights that make rare classes count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.schemas.goal import Kind

Weighting = Literal["inverse", "effective", "none"]
#: Least probability that is divided by.
_LEAST = np.float32(1e-12)


def class_weights(
    counts: NDArray[np.int64], weighting: Weighting, *, beta: float = 0.999
) -> NDArray[np.float32]:
    """(k,) weight of each class in the loss; the mean weight of a training sample is 1, and a class
    without samples has 0.

    Args:
        counts: (k,) training samples of each class.
        weighting: "inverse": by the inverse of its count; "effective": by the inverse of its
            effective number of samples, (1 - beta^n) / (1 - beta) (Cui et al. 2019); "none": all 1.
        beta: of the effective number; 0.999 saturates at about 1,000 samples.
    """
    counts = np.asarray(counts, np.float64)
    seen = counts > 0
    if weighting == "none" or not seen.any():
        return seen.astype(np.float32)
    mass = counts if weighting == "inverse" else (1 - beta**counts) / (1 - beta)
    weights = np.where(seen, 1 / np.where(seen, mass, 1), 0)
    return np.asarray(weights * counts.sum() / (weights * counts).sum(), np.float32)


def weights_for(
    materials: Materials, rows: NDArray[np.int64], weighting: str
) -> NDArray[np.float32] | None:
    """(k,) class weights by the classes of `rows`; None where the goal has no use for them."""
    if materials.goal.kind not in ("binary", "multi-class") or weighting == "none":
        return None
    return class_weights(materials.counts(rows), cast(Weighting, weighting))


@dataclass(frozen=True, eq=False)
class LinearLoss:
    """The mean loss of logits (n, k), and its gradient.

    Attributes:
        kind: what is predicted.
        weights: (k,) class weights; None for 1 each. Of several labels they weigh the positives.
        focal: exponent of the focal loss (Lin et al. 2017); 0 is cross-entropy.
    """

    kind: Kind
    weights: NDArray[np.float32] | None = None
    focal: float = 0.0

    def __call__(
        self, logits: NDArray[np.float32], targets: NDArray[Any]
    ) -> tuple[float, NDArray[np.float32]]:
        """The loss, and its gradient (n, k) by the logits.

        Targets: (n,) class numbers, (n, k) of 0 and 1, or (n, 1) standardised values.
        """
        if self.kind == "regression":  # smooth L1 (Huber 1964)
            off = logits - targets
            inside = np.abs(off) < 1
            losses = np.where(inside, off * off / 2, np.abs(off) - 0.5)
            return float(losses.mean()), np.clip(off, -1, 1) / np.float32(off.size)
        if self.kind == "multi-label":
            sign = 2 * targets - 1
            sure = 1 / (1 + np.exp(np.clip(-sign * logits, -80, 80)))
            value, slope = self._by_confidence(sure)
            positive = 1 if self.weights is None else np.where(targets > 0, self.weights, 1)
            gradient = positive * slope * sure * (1 - sure) * sign
            return float((positive * value).mean()), gradient / np.float32(logits.size)
        probs = np.exp(logits - logits.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        rows = np.arange(len(logits))
        sure = probs[rows, targets]
        value, slope = self._by_confidence(sure)
        weight = np.float32(1) if self.weights is None else self.weights[targets]
        steps = (weight * slope * sure).astype(np.float32) / np.float32(max(1, len(logits)))
        gradient = -probs * steps[:, None]
        gradient[rows, targets] += steps
        return float((weight * value).mean()), gradient

    def _by_confidence(self, sure: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The loss by the probability of the right answer, and its derivative."""
        sure = np.maximum(sure, _LEAST)
        if not self.focal:
            return -np.log(sure), -1 / sure
        left = np.maximum(1 - sure, _LEAST)
        logs, power = np.log(sure), left**self.focal
        return -power * logs, self.focal * power / left * logs - power / sure
