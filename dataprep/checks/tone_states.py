"""Signs that images were normalised one by one: their tones vary far less than what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.reading import figures, has_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: Fewer images have tones in common by chance.
LEAST = 20
#: Columns that the signs are read from.
COLUMNS: tuple[str, ...] = (
    "luma_mean", "contrast", "luma_p01", "luma_p25", "luma_p50", "luma_p99", "warmth", "tint", "chroma_p99", "edge_luma",
)  # fmt: skip

# Ranges that hold the middle 80 % of the images. The tone of the outer frame is what an image's content makes of it, so it
# tells whether the images differ at all: a fixed camera before a fixed scene gives equal tones everywhere.
_FRAME = 0.1
_MEAN, _CAST, _COLOURFUL = 0.012, 0.015, 0.1
_LUMA_MEAN, _LUMA_MEAN_SHARE = 0.045, 0.15
_CONTRAST, _CONTRAST_SHARE = 0.075, 0.25
_MEDIAN, _QUARTER = 0.04, 0.07


@dataclass(frozen=True)
class ToneState:
    """How the tones of some images lie.

    Attributes:
        images: how many were judged.
        normalised: what was done to each image, in words; "" when nothing is seen.
        mean_range: range of mean luma that holds the middle 80 % of the images.
        frame_range: likewise, of the mean luma of the outer frame.
    """

    images: int
    normalised: str
    mean_range: float
    frame_range: float


def tone_state(dataset: Dataset, rows: NDArray[np.bool_] | None = None) -> ToneState:
    """The state of the images `rows` (n,), all of them by default; nothing is said of fewer than `LEAST`."""
    judged = has_picture(dataset) if rows is None else has_picture(dataset) & rows
    values = {name: figures(dataset, name)[judged] for name in COLUMNS}
    if int(judged.sum()) < LEAST:
        return ToneState(int(judged.sum()), "", np.nan, np.nan)
    ranges = {name: _middle(column) for name, column in values.items()}
    frame = ranges["edge_luma"]
    seen = _words(ranges, colourful=float(np.nanmedian(values["chroma_p99"])) >= _COLOURFUL) if frame >= _FRAME else ""
    return ToneState(int(judged.sum()), seen, ranges["luma_mean"], frame)


def _words(ranges: dict[str, float], *, colourful: bool) -> str:
    frame = ranges["edge_luma"]
    mean, contrast = ranges["luma_mean"], ranges["contrast"]
    by_channel = colourful and mean <= _MEAN and max(ranges["warmth"], ranges["tint"]) <= _CAST
    by_luma = mean <= min(_LUMA_MEAN, _LUMA_MEAN_SHARE * frame) and contrast <= min(_CONTRAST, _CONTRAST_SHARE * frame)
    if not (by_channel or by_luma):
        return ""
    if ranges["luma_p50"] <= _MEDIAN and ranges["luma_p25"] <= _QUARTER:
        return "its histogram equalised"
    return "each channel brought to the same mean" if by_channel else "brought to the same mean and contrast"


def _middle(values: NDArray[np.float64]) -> float:
    """Width of the middle 80 %."""
    low, high = np.nanpercentile(values, [10, 90]) if np.isfinite(values).any() else (np.nan, np.nan)
    return float(high - low)
