"""How people speak of a measured property: its name, its unit, and the smallest difference that
somebody notices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.statistics.properties import Property

#: What makes a property differ: how pictures were taken, stored and framed, or what is in them.
Nature = Literal["handling", "content"]
#: Pictures with a shorter side below this have too few pixels for `NEEDS_PIXELS` to be about the
#: camera.
LEAST_SIDE = 64
NEEDS_PIXELS = frozenset(("noise", "blockiness"))
#: Parts of the day by the hour at which they end.
_DAY = (
    (5, "at night"),
    (11, "in the morning"),
    (17, "in the afternoon"),
    (22, "in the evening"),
    (24, "at night"),
)
#: A difference in the share of pictures that have a value at all that counts as noticed.
_OFTEN = 0.25


@dataclass(frozen=True)
class Scale:
    """How a property is spoken of.

    Attributes:
        title: its name in words.
        less: what pictures with less of it are, before a bound: "darker than".
        more: what pictures with more of it are.
        step: the smallest difference of typical pictures that somebody notices; a ratio where
            `ratio` is true.
        written: a bound in a unit that people know.
        nature: what makes it differ.
        grain: bounds are multiples of this, so that what is written is what was counted.
        ratio: whether differences are ratios.
    """

    title: str
    less: str
    more: str
    step: float
    written: Callable[[float], str]
    nature: Nature = "handling"
    grain: float = 0.01
    ratio: bool = False


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _levels(value: float) -> str:
    return f"{255 * value:.0f} of 255 levels"


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _bits(value: float) -> str:
    return f"{value:.1f} bits"


def _edges(sharpness: float) -> str:
    return f"{1 / max(sharpness, 1e-3):.1f} px"


def _pixels(value: float) -> str:
    return f"{value:,.0f} px"


def _brightness(which: str) -> Scale:
    return Scale(f"brightness{which}", "darker than", "brighter than", 0.08, _percent, "content")


def _colour(title: str, less: str, more: str, step: float) -> Scale:
    return Scale(title, less, more, step, _percent, "content")


#: Measured and derived numbers. Brightness and colours are shares of the full scale: 0 % is black,
#: 100 % is white.
SCALES: dict[str, Scale] = {
    "luma_mean": _brightness(""),
    **{f"luma_p{share}": _brightness(" of dark parts") for share in ("01", "05", "25")},
    "luma_p50": _brightness(" of middle tones"),
    **{f"luma_p{share}": _brightness(" of bright parts") for share in ("75", "95", "99")},
    "contrast": Scale(
        "contrast", "of less contrast than", "of more contrast than", 0.05, _percent, "content"
    ),
    "entropy": Scale(
        "number of tones",
        "with fewer tones than",
        "with more tones than",
        0.7,
        _bits,
        "content",
        0.1,
    ),
    "saturation": _colour("saturation", "paler than", "more colourful than", 0.08),
    "chroma_p99": _colour("strongest colour", "paler than", "more colourful than", 0.15),
    "warmth": _colour("warmth (red less blue)", "bluer than", "redder than", 0.05),
    "tint": _colour("tint (green against red and blue)", "less green than", "greener than", 0.05),
    "sharpness": Scale(
        "sharpness",
        "blurred, with edges wider than",
        "sharp, with edges narrower than",
        1.4,
        _edges,
        "content",
        0.05,
        ratio=True,
    ),
    "directionality": Scale(
        "one direction of edges",
        "less one-sided than",
        "more one-sided than",
        0.2,
        _percent,
        "content",
    ),
    "detail_fraction": Scale(
        "fineness of detail",
        "of coarser detail than",
        "of finer detail than",
        0.2,
        _percent,
        "content",
    ),
    "noise": Scale("noise", "less noisy than", "noisier than", 0.005, _levels, grain=1 / 255),
    "jpeg_quality": Scale(
        "JPEG quality",
        "of a JPEG quality below",
        "of a JPEG quality above",
        10.0,
        _plain,
        grain=1.0,
    ),
    "blockiness": Scale(
        "JPEG blocks",
        "with fewer JPEG blocks than",
        "with more JPEG blocks than",
        0.15,
        _plain,
        grain=0.05,
    ),
    "width": Scale("width", "narrower than", "broader than", 1.25, _pixels, grain=1.0, ratio=True),
    "height": Scale("height", "lower than", "higher than", 1.25, _pixels, grain=1.0, ratio=True),
    "short_side": Scale(
        "size",
        "with a shorter side below",
        "with a shorter side above",
        1.25,
        _pixels,
        grain=10.0,
        ratio=True,
    ),
    "aspect": Scale(
        "shape (width : height)",
        "narrower than width : height =",
        "broader than width : height =",
        1.15,
        _plain,
        grain=0.05,
        ratio=True,
    ),
    "border": Scale("border", "with less border than", "with more border than", 0.03, _percent),
    "edge_luma": Scale(
        "background",
        "with a background darker than",
        "with a background brighter than",
        0.12,
        _percent,
        "content",
    ),
    "edge_contrast": Scale(
        "unevenness of the background",
        "with a background plainer than",
        "with a background more uneven than",
        0.06,
        _percent,
        "content",
    ),
    "capture_hour": Scale(
        "hour of capture",
        "taken before",
        "taken after",
        3.0,
        lambda hour: f"{hour:02.0f}:00",
        grain=1.0,
    ),
}


def scale_of(each: Property) -> Scale | None:
    """How a number is spoken of; None for categories and for the user's own columns."""
    return None if each.categories or each.family.startswith("column ") else SCALES.get(each.name)


def is_noticed(each: Property, some: NDArray[np.bool_], others: NDArray[np.bool_]) -> bool:
    """Whether somebody who sees typical pictures of both groups notices the difference; true for
    what has no scale.

    Args:
        each: the property of n samples.
        some: (n,) members of one group.
        others: (n,) members of the other.
    """
    scale = scale_of(each)
    known = ~np.isnan(each.values)
    if scale is None or not (known & some).any() or not (known & others).any():
        return True
    if abs(known[some].mean() - known[others].mean()) >= _OFTEN:
        return True
    mine, theirs = (float(np.median(each.values[known & part])) for part in (some, others))
    return bool(distance(scale, mine, theirs) >= scale.step)


def distance(
    scale: Scale, one: NDArray[np.float64] | float, other: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """How far values are apart, in what `Scale.step` is given in."""
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if not scale.ratio:
        return np.abs(first - second)
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.asarray(high / np.maximum(low, 1e-9), np.float64)


def bound_in(scale: Scale, value: float, *, up: bool) -> float:
    """The next bound that can be written, from `value` upwards or downwards."""
    steps = value / scale.grain
    return float((np.ceil(steps - 1e-6) if up else np.floor(steps + 1e-6)) * scale.grain)


def parts_of_day(each: Property) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The parts of the day in words, and which of n samples with these hours are of them."""
    part = np.searchsorted([end for end, _ in _DAY], each.values, side="right")
    for name in dict.fromkeys(name for _, name in _DAY):
        codes = [code for code, (_, other) in enumerate(_DAY) if other == name]
        yield f"taken {name}", np.isin(part, codes) & ~np.isnan(each.values)
