"""Losses of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal


class Loss(nn.Module):
    """The loss of a goal: logits (B, k) and targets to a number.

    Targets: (B,) int64 class numbers, (B, k) float32 of 0 and 1 (multi-label), or (B, 1) float32
    (regression, standardised).

    Args:
        goal: what is predicted.
        weights: (k,) class weights; None for 1 each. In a multi-label loss they weigh the positive
            answers.
        focal: exponent of the focal loss (Lin et al. 2017), which turns from what is easy; 0 is
            cross-entropy.
        smoothing: label smoothing (Szegedy et al. 2016), of several classes.
    """

    weights: Tensor | None

    def __init__(
        self,
        goal: Goal,
        weights: NDArray[np.float32] | None = None,
        *,
        focal: float = 0.0,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.kind, self.focal, self.smoothing = goal.kind, focal, smoothing
        self.register_buffer(
            "weights", None if weights is None else torch.as_tensor(weights, dtype=torch.float32)
        )

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of a batch; weighted by class weights over the batch size, so that its
        scale does not depend on luck.
        """
        logits = logits.float()
        if self.kind == "regression":
            return functional.smooth_l1_loss(logits, targets)
        if self.kind == "multi-label":
            losses = functional.binary_cross_entropy_with_logits(
                logits, targets, reduction="none", pos_weight=self.weights
            )
            sure = torch.exp(
                -functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
            )
            return ((1 - sure) ** self.focal * losses).mean()
        losses = functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=self.smoothing
        )
        if self.focal:
            losses = (
                losses
                * (1 - torch.exp(-functional.cross_entropy(logits, targets, reduction="none")))
                ** self.focal
            )
        if self.weights is not None:
            losses = losses * self.weights[targets]
        return losses.mean()
