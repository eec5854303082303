"""A regularised linear classifier on features that stay as they are; its penalty by grouped
cross-validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from dataprep.probes.classifiers.folds import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Penalties of the mean squared coefficient that are tried, strongest first, on standardised
#: features.
PENALTIES = (0.3, 0.1, 0.03, 0.01, 0.003)
_FOLDS = 5
_STEPS = 60


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear classifier on raw features.

    Attributes:
        weight: (k, d) float32. bias: (k,) float32.
        penalty: the penalty that was chosen.
        scores: mean score of each penalty over the folds.
    """

    weight: Tensor
    bias: Tensor
    penalty: float
    scores: dict[float, float]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, k) logits of (n, d) features."""
        return (torch.from_numpy(features) @ self.weight.T + self.bias).numpy()


def fit_linear(
    features: NDArray[np.float32],
    targets: NDArray[Any],
    units: NDArray[np.int64],
    loss: nn.Module,
    outputs: int,
    score: Callable[[NDArray[np.int64], NDArray[np.float32]], float],
    *,
    seed: int = 0,
    penalties: tuple[float, ...] = PENALTIES,
) -> Linear:
    """Fit on all rows, with the penalty that scores best over grouped folds; the strongest of equal
    ones.

    Args:
        features: (n, d).
        targets: (n, ...) as the loss takes them.
        units: (n,) what has to be left out together.
        loss: logits and targets to a number.
        outputs: k.
        score: (places, logits of those places) to the figure to raise.
        seed: of the folds.
        penalties: to choose from, strongest first; a single one is taken as it is.
    """
    values, centre, spread = _standardised(features)
    wanted = torch.from_numpy(np.ascontiguousarray(targets))
    codes = targets if targets.ndim == 1 else np.zeros(len(targets))
    fold = folds_of(units, codes.astype(np.int32), _FOLDS, seed=seed)
    scores = dict.fromkeys(penalties, 0.0)
    if fold.max(initial=0) > 0 and len(penalties) > 1:
        for held in range(int(fold.max()) + 1):
            inside, outside = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
            start = None
            for penalty in penalties:  # from strong to weak, each from the one before
                start = _fit(values[inside], wanted[inside], loss, outputs, penalty, start)
                logits = (values[outside] @ start[:, :-1].T + start[:, -1]).numpy()
                scores[penalty] += score(outside, logits) * len(outside) / len(fold)
    best = max(penalties, key=lambda penalty: (round(scores[penalty], 6), penalty))
    fitted = _fit(values, wanted, loss, outputs, best, None)
    weight = fitted[:, :-1] / spread
    return Linear(weight, fitted[:, -1] - weight @ centre, best, scores)


def _standardised(features: NDArray[np.float32]) -> tuple[Tensor, Tensor, Tensor]:
    values = torch.from_numpy(features)
    centre, spread = values.mean(0), values.std(0, correction=0)
    spread = torch.where(spread > 1e-6, spread, torch.ones_like(spread))
    return (values - centre) / spread, centre, spread


def _fit(
    values: Tensor,
    targets: Tensor,
    loss: nn.Module,
    outputs: int,
    penalty: float,
    start: Tensor | None,
) -> Tensor:
    """(k, d + 1) coefficients, the last column the intercepts."""
    coefficients = torch.zeros(outputs, values.shape[1] + 1) if start is None else start.clone()
    coefficients.requires_grad_(True)
    optimiser = torch.optim.LBFGS(
        [coefficients], max_iter=_STEPS, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(values @ coefficients[:, :-1].T + coefficients[:, -1], targets)
        value = value + penalty * coefficients[:, :-1].square().sum() / 2
        value.backward()
        return value  # type: ignore[no-any-return]

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return coefficients.detach()
