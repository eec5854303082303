"""What a training loop returns: the figures of every epoch, and which epoch was the best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class FitResult:
    """The history of one training.

    Attributes:
        history: one row of figures per epoch.
        best_epoch: the epoch whose weights were kept, from 0; -1 before the first.
        best_score: its score; higher is better.
        resumed_at: epochs that a checkpoint had already.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_score: float = -math.inf
    resumed_at: int = 0
