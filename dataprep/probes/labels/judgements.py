"""Judgements: what a person found when looking at some of the labels, taken over by the estimate
for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Shifts of the log odds that are tried, and the standard deviation of their prior around 0.
_SHIFTS, _DEVIATION = np.linspace(-8, 8, 65), 2.0
_LEAST = 1e-4
#: A judged label's own probability of being wrong.
_SURE = 1 - _LEAST


def with_judgements(wrong: NDArray[np.float64], judged: NDArray[np.int8]) -> NDArray[np.float64]:
    """Probabilities of being wrong, once some labels were looked at.

    The log odds of all labels are shifted alike by what makes the judgements probable: where half
    of those called nearly certain turn out right, the others are believed less too. Which labels
    were judged does not matter, as long as they were not chosen by whether they are wrong. Labels
    at 0, which the classifier confirms, stay there unless they were judged themselves.

    Args:
        wrong: (n,) probabilities that the labels are wrong.
        judged: (n,) 1 for judged right, -1 for judged wrong, 0 for not judged.
    """
    doubted = wrong > 0
    odds = np.log(np.clip(wrong, _LEAST, 1 - _LEAST) / (1 - np.clip(wrong, _LEAST, 1 - _LEAST)))
    seen = doubted & (judged != 0)
    given = odds[seen, None] + _SHIFTS  # (j, s)
    likely = (
        -np.logaddexp(0, np.where(judged[seen, None] < 0, -given, given)).sum(axis=0)
        - 0.5 * (_SHIFTS / _DEVIATION) ** 2
    )
    weights = np.exp(likely - likely.max())
    weights /= weights.sum()
    shifted = np.zeros(len(wrong))
    for shift, weight in zip(_SHIFTS, weights, strict=True):
        shifted += weight / (1 + np.exp(-(odds + shift)))
    shifted = np.where(doubted, shifted, 0.0) if seen.any() else wrong.astype(np.float64)
    return np.where(judged < 0, _SURE, np.where(judged > 0, 0.0, shifted))
