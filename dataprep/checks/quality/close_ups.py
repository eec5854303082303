"""Close-ups of the images that may be blurred, noisy or enlarged: who is looked at, and what was
seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.statistics.arrays import figures, flags
from dataprep.checks.statistics.typical import claim_typical
from dataprep.measures.image.close_up import FIGURES, NOISE, SOFT, SOFTEST, CloseUps
from dataprep.measures.image.edge_widths import LEAST_SIDE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Check
    from dataprep.schemas.dataset import Dataset

#: Columns that the choice of candidates reads.
NEEDS: tuple[str, ...] = ("sharpness", "directionality", "noise", "width", "height", "alpha")
#: What the pass saw closely already.
WANTS: tuple[str, ...] = ("close_up",)
#: What the images of a data set were measured for: rows to an array (r, f) of
#: `dataprep.measures.image.close_up.FIGURES`.
Looking = Callable[["NDArray[np.int64]"], "NDArray[np.float32]"]


def suspected_close_ups(
    dataset: Dataset, look: Looking, most: int, *, reachable: bool = True
) -> CloseUps:
    """Close-ups of the images that the columns do not clear: those of the pass, and of at most
    `most` others, the likeliest first; of no others that are out of reach.
    """
    likelihood, fit = _likelihood(dataset)
    candidates = np.flatnonzero(likelihood > 0)
    figures_of = np.zeros((len(candidates), len(FIGURES)), np.float32)
    if "close_up" in dataset.arrays:
        figures_of = dataset.arrays["close_up"][candidates]
    chosen = (figures_of != 0).any(axis=1)  # zeros: the pass did not look
    unknown = np.flatnonzero(~chosen)
    likeliest = unknown[np.argsort(-likelihood[candidates[unknown]], kind="stable")]
    others = np.sort(likeliest[: most if reachable else 0])
    if len(others):
        figures_of[others] = look(candidates[others])
    chosen[others] = True
    rows, seen = candidates[chosen], figures_of[chosen]
    judged = fit.copy()
    judged[np.setdiff1d(candidates, rows)] = False
    return CloseUps(rows, seen, judged, len(candidates) - len(rows) if reachable else 0)


def _likelihood(dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(how far an image lies within the sieve, 0 outside it; whether it was measured, is large
    enough and opaque), each (n,).
    """
    sharpness, noise = figures(dataset, "sharpness"), figures(dataset, "noise")
    softest = sharpness * (1 - figures(dataset, "directionality"))
    parts = [1 - softest / SOFTEST, 1 - sharpness / SOFT, 1 - NOISE / np.maximum(noise, 1e-6)]
    likelihood = np.nan_to_num(np.fmax.reduce(parts), nan=0.0)
    side = np.fmin(figures(dataset, "width"), figures(dataset, "height"))
    # Glows, smoke and shadows that are meant to lie over something else fade out by their
    # transparency.
    fit = (side >= LEAST_SIDE) & ~flags(dataset, "alpha")
    return np.where(fit, np.maximum(likelihood, 0.0), 0.0), fit


def claim_seen(
    check: Check,
    dataset: Dataset,
    seen: CloseUps,
    bad: NDArray[np.bool_],
    *,
    figure: NDArray[np.float64],
    unit: str,
    typical: str,
    describe: Callable[[int], str],
    evidence: Mapping[str, NDArray[np.float64]],
    confidence: NDArray[np.float64],
    severity: NDArray[np.object_] | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield one claim per bad sample, or one about a data set of them, and one where not every
    candidate was looked at.

    Args:
        check: whose claims they are; its message is ``{what}{told}``.
        dataset: the data set.
        seen: what was seen in it.
        bad: (n,) the samples at fault.
        figure: (n,) the figure that was judged.
        unit: of the figure.
        typical: what a data set of such images is, and what that means for training.
        told: what is told of a row.
        evidence: (n,) figures behind each claim, by name.
        confidence: (n,) how sure each claim is.
        severity: (n,) how bad each is; the check's by default.
    """
    typically = claim_typical(
        check, bad, seen.judged, figure, {"what": typical, "told": ""}, unit=unit
    )
    rows = np.flatnonzero(bad)
    if typically is not None:
        yield typically
    elif rows.size:
        figures_of = [
            {name: round(float(values[row]), 3) for name, values in evidence.items()}
            for row in rows.tolist()
        ]
        yield check.claims(
            dataset.samples.index.to_numpy(dtype=object)[rows],
            figure=figure[rows],
            unit=unit,
            confidence=confidence[rows],
            severity=check.severity if severity is None else severity[rows],
            evidence=[
                {"what": "", "told": describe(row)} | each
                for row, each in zip(rows.tolist(), figures_of, strict=True)
            ],
        )
    for note in seen.notes:
        yield check.claims_of_dataset(evidence={"what": note, "told": ""})
