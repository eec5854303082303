"""Samples whose figure is unlike the others' by a factor and beyond their spread: for odd-size
and odd-aspect-ratio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.statistics.typical import claim_unless_typical

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Check
    from dataprep.schemas.dataset import Dataset

#: With fewer images there is no spread to speak of.
_LEAST = 8
_DEVIATIONS = 4 * 1.4826
#: When more than this share is unlike the rest, the rest is no norm.
_SHARE = 0.1


def claim_unlike_others(
    check: Check,
    dataset: Dataset,
    figure: NDArray[np.float64],
    factor: float,
    *,
    what: str,
    unit: str = "",
) -> Iterator[pd.DataFrame]:
    """Yield a claim for each figure (n,) that is `factor` times the median or more, or 1 / `factor`
    of it or less.

    It must also lie more than four robust standard deviations (of the logarithm) from the median.
    Where more than a tenth of the data set does, one claim says that the figures are mixed.
    """
    known = np.isfinite(figure) & (figure > 0)
    if known.sum() < _LEAST:
        return
    logs = np.full(len(figure), np.nan)
    logs[known] = np.log2(figure[known])
    median = float(np.median(logs[known]))
    distance = np.abs(logs - median)
    limit = max(float(np.log2(factor)), _DEVIATIONS * float(np.median(distance[known])))
    yield from claim_unless_typical(
        check,
        dataset,
        distance > limit - 1e-9,
        judged=known,
        figure=figure,
        what=what,
        unit=unit,
        share=_SHARE,
        evidence={"median": 2.0**median, "factor": 2.0**limit},
    )
