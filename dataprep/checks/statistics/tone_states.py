"""Signs that images were normalised one by one: their tones vary far less than what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.statistics.arrays import figures, has_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: Fewer images have tones in common by chance.
LEAST = 20
#: Columns that the signs are read from.
COLUMNS: tuple[str, ...] = (
    "luma_mean",
    "contrast",
    "luma_p01",
    "luma_p25",
    "luma_p50",
    "luma_p99",
    "warmth",
    "tint",
    "chroma_p99",
    "edge_luma",
)

# Ranges that hold the middle 80 % of the images. The tone of the outer frame is what an image's
# content makes of it, so it tells whether the images differ at all: a fixed camera before a fixed
# scene gives equal tones everywhere.
_FRAME = 0.1
# luma = mean + 0.0925 warmth + 0.2537 tint, from the weights 0.299, 0.587 and 0.114.
_WARMTH_IN_LUMA, _TINT_IN_LUMA = (0.299 - 0.114) / 2, (2 * 0.587 - 0.299 - 0.114) / 3
_MEAN, _CAST, _COLOURFUL = 0.012, 0.015, 0.1
_LUMA_MEAN, _LUMA_MEAN_SHARE = 0.045, 0.15
_HELD_FAST, _HELD_FAST_SHARE = 0.01, 0.04
_CONTRAST, _CONTRAST_SHARE = 0.075, 0.25
_MEDIAN, _QUARTER = 0.04, 0.07


@dataclass(frozen=True)
class ToneState:
    """How the tones of some images lie.

    Attributes:
        images: how many were judged.
        normalised: what was done to each image, in words; "" when nothing is seen.
        mean_range: range of the mean (of luma, or of R, G and B, whichever varies less) that holds
            the middle 80 % of the images.
        frame_range: likewise, of the mean luma of the outer frame.
    """

    images: int
    normalised: str
    mean_range: float
    frame_range: float


def tone_state(dataset: Dataset, rows: NDArray[np.bool_] | None = None) -> ToneState:
    """The state of the images `rows` (n,), all of them by default; nothing is said of fewer than
    `LEAST`.
    """
    judged = has_picture(dataset) if rows is None else has_picture(dataset) & rows
    values = {name: figures(dataset, name)[judged] for name in COLUMNS}
    if int(judged.sum()) < LEAST:
        return ToneState(int(judged.sum()), "", np.nan, np.nan)
    ranges = {name: _middle(column) for name, column in values.items()}
    # The mean of R, G and B, which whoever standardises all channels at once holds fast; BT.601
    # luma weighs them otherwise.
    mean = values["luma_mean"] - _WARMTH_IN_LUMA * values["warmth"] - _TINT_IN_LUMA * values["tint"]
    ranges["mean"] = min(ranges["luma_mean"], _middle(mean))
    frame = ranges["edge_luma"]
    seen = (
        _words(ranges, colourful=float(np.nanmedian(values["chroma_p99"])) >= _COLOURFUL)
        if frame >= _FRAME
        else ""
    )
    return ToneState(int(judged.sum()), seen, ranges["mean"], frame)


def _words(ranges: dict[str, float], *, colourful: bool) -> str:
    frame = ranges["edge_luma"]
    mean, contrast = ranges["mean"], ranges["contrast"]
    by_channel = colourful and mean <= _MEAN and max(ranges["warmth"], ranges["tint"]) <= _CAST
    by_luma = mean <= min(_LUMA_MEAN, _LUMA_MEAN_SHARE * frame) and contrast <= min(
        _CONTRAST, _CONTRAST_SHARE * frame
    )
    held_fast = mean <= min(_HELD_FAST, _HELD_FAST_SHARE * frame)  # no camera is as exact
    if not (by_channel or by_luma or held_fast):
        return ""
    if ranges["luma_p50"] <= _MEDIAN and ranges["luma_p25"] <= _QUARTER:
        return "histogram-equalised"
    if by_channel:
        return "normalised to the same mean per channel"
    return "normalised to the same mean and contrast" if by_luma else "normalised to the same mean"


def _middle(values: NDArray[np.float64]) -> float:
    """Width of the middle 80 %."""
    low, high = (
        np.nanpercentile(values, [10, 90]) if np.isfinite(values).any() else (np.nan, np.nan)
    )
    return float(high - low)
