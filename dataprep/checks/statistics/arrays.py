"""Columns of a data set as plain arrays, whatever pandas type holds them: what is missing is
NaN, False or empty text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: Nearly all pixels within this range of luma: there is no picture to judge (the check
#: low-information says so).
PLAIN = 0.03


def figures(dataset: Dataset, name: str, *, lost: bool = False) -> NDArray[np.float64]:
    """(n,) numbers of a column, NaN where missing; also where the file was lost, unless `lost`
    asks for what its header told.
    """
    values = np.array(dataset.samples[name].to_numpy(dtype=np.float64, na_value=np.nan))
    if not lost:
        values[~dataset.readable] = np.nan
    return values


def flags(dataset: Dataset, name: str) -> NDArray[np.bool_]:
    """(n,) truth values of a column, False where missing or lost."""
    return (
        np.asarray(dataset.samples[name].to_numpy(dtype=np.float64, na_value=0.0) > 0)
        & dataset.readable
    )


def texts(dataset: Dataset, name: str, *, lost: bool = False) -> NDArray[Any]:
    """(n,) texts of a column as objects, empty where missing; also where the file was lost,
    unless `lost` asks for them.
    """
    column = dataset.samples[name].astype("object")
    values = np.array(column.where(column.notna(), "").to_numpy(dtype=object))
    if not lost:
        values[~dataset.readable] = ""
    return values


def transparent(dataset: Dataset) -> NDArray[np.bool_]:
    """(n,) whether some pixels are not opaque: they were measured over white, so that tones and
    margins are not its own.
    """
    return (
        flags(dataset, "alpha")
        if "alpha" in dataset.samples
        else np.zeros(len(dataset), dtype=bool)
    )


def luma_range(dataset: Dataset) -> NDArray[np.float64]:
    """(n,) difference of the 99th and the 1st percentile of luma, NaN where missing."""
    return figures(dataset, "luma_p99") - figures(dataset, "luma_p01")


def has_picture(dataset: Dataset) -> NDArray[np.bool_]:
    """(n,) whether there is more to see than one tone; False where not measured."""
    return luma_range(dataset) >= PLAIN


def ramp(figure: NDArray[np.float64], threshold: float, sure: float) -> NDArray[np.float64]:
    """(n,) confidence: 0.6 at the threshold, rising to 1 at the figure `sure`, which may lie on
    either side of it.
    """
    return np.clip(0.6 + 0.4 * (figure - threshold) / (sure - threshold), 0.6, 1.0)
