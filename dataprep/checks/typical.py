"""What most of a data set shares is no fault of its members: it is said once, about the data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Check
    from dataprep.schemas.dataset import Dataset

#: Data sets of fewer measured images have no typical image.
LEAST = 20
#: More than this share of the images makes a fault typical.
SHARE = 0.5


def claim_unless_typical(
    check: Check,
    dataset: Dataset,
    bad: NDArray[np.bool_],
    *,
    judged: NDArray[np.bool_],
    figure: NDArray[np.float64],
    what: str,
    unit: str = "",
    confidence: NDArray[np.float64] | float = 1.0,
    evidence: Mapping[str, Any] | None = None,
    share: float = SHARE,
) -> Iterator[pd.DataFrame]:
    """Yield one claim per bad sample, or, where more than `share` of those judged are bad, one about the data set.

    Args:
        check: whose claims they are; its message begins with ``{what}`` and tells the figure.
        dataset: the data set.
        bad: (n,) the samples at fault.
        judged: (n,) the samples that could be judged.
        figure: (n,) the figure that was judged; the data set's is the median of the bad ones.
        what: what the figure is, to begin a sentence with.
        unit: of the figure.
        confidence: (n,) or one for all.
        evidence: what the message needs besides ``what``.
        share: above which the fault is typical.
    """
    rows = np.flatnonzero(bad)
    if not rows.size:
        return
    found = rows.size / max(int(judged.sum()), 1)
    given = {"what": what, **(evidence or {})}
    if judged.sum() >= LEAST and found > share:
        given |= {"what": f"typical of this data set ({found:.0%} of the images): {what}", "typical": True, "share": found}
        yield check.claims(
            [""], scope="dataset", severity="info", suggestion="none", figure=float(np.median(figure[rows])), unit=unit,
            evidence=given,
        )  # fmt: skip
        return
    yield check.claims(
        dataset.samples.index.to_numpy(dtype=object)[rows], figure=figure[rows], unit=unit, evidence=given,
        confidence=np.broadcast_to(confidence, bad.shape)[rows],
    )  # fmt: skip
