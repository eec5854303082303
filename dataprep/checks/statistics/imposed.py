"""Whether a difference of brightness, colour or background was put upon a class's pictures, rather
than shown by them.

What is shown makes parts of a picture bright; letters, shadows and edges remain dark. Where even
the darkest hundredth of the pixels is lifted, or even the brightest is dim, and the edges are too,
it is exposure or scanning. Where the edges of one class's pictures are of one colour and those of
the others are not, it is a frame or a studio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.statistics.properties import Property

#: Difference of typical levels, as a share of the scale, and probability that a picture of the
#: class has the higher one.
_STEP, _SURE, _EDGES = 0.1, 0.85, 0.6
#: The ends of the tones, with the sign of the shift that they speak for and their name.
_ENDS = (("luma_p01", 1, "darkest parts"), ("luma_p99", -1, "brightest parts"))
#: 99th percentile of the chroma of typical pictures: of a class without colours, and of the others.
_GREY, _COLOURED = 0.04, 0.1
#: Sharpness of typical pictures: of a class that is blurred (edges of about three pixels), and of
#: the others.
_BLURRED, _SHARP = 0.35, 0.7
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
#: Variation of luma at the edges, of typical pictures: of a class with plain edges, and of the
#: others.
_PLAIN, _VARIED = 0.03, 0.08


#: Family to the property, the figure that a class lies below and the others above, and what that
#: comes from.
_MADE: dict[str, tuple[str, float, float, str]] = {
    "background": (
        "edge_contrast", _PLAIN, _VARIED,
        "its images have edges of one colour, as from a frame or a studio background, and those "
        "of the others do not",
    ),
    "colour": ("chroma_p99", _GREY, _COLOURED, "its images are grayscale, and those of the others "
    "are in colour"),
    "sharpness": (
        "sharpness", _BLURRED, _SHARP,
        "its images have no sharp edges, as if out of focus or enlarged, and those of the others "
        "do",
    ),
}  # fmt: skip


def imposed(
    family: str, properties: Sequence[Property], labels: NDArray[np.int64], label: int
) -> str:
    """In words, why a difference of a class in `family` is not of what is shown; "" where that is
    not known.

    Args:
        family: of the property that tells the class.
        properties: all that are known of n samples.
        labels: (n,) class codes.
        label: the class.
    """
    by_name = {each.name: each.values for each in properties}
    if family == "brightness":
        return _all_over(by_name, labels == label)
    if family in _MADE:
        name, below, above, words = _MADE[family]
        return words if _apart(by_name.get(name), labels == label, below, above) else ""
    return ""


def _all_over(by_name: dict[str, NDArray[np.float64]], mine: NDArray[np.bool_]) -> str:
    edges = by_name.get("edge_luma")
    for name, sign, words in _ENDS:
        values = by_name.get(name)
        if values is None or edges is None:
            continue
        shift = sign * (np.nanmedian(values[mine]) - np.nanmedian(values[~mine]))
        if (
            shift >= _STEP
            and higher(sign * values, mine) >= _SURE
            and higher(sign * edges, mine) >= _EDGES
        ):
            return (
                f"even in the {words} and at the image edges, which points to exposure or "
                f"scanning rather than to the subject"
            )
    return ""


def _apart(
    values: NDArray[np.float64] | None, mine: NDArray[np.bool_], below: float, above: float
) -> bool:
    """Whether a typical picture of the class lies below one figure, and a typical one of the
    others above another.
    """
    return values is not None and bool(
        np.nanmedian(values[mine]) < below and np.nanmedian(values[~mine]) > above
    )


def higher(values: NDArray[np.float64], mine: NDArray[np.bool_]) -> float:
    """Probability that one of `mine` is higher than one of the others; ties count half."""
    own, rest = (values[part & ~np.isnan(values)] for part in (mine, ~mine))
    if not len(own) or not len(rest):
        return 0.5
    ordered = np.sort(rest)
    below, up_to = (np.searchsorted(ordered, own, side=side) for side in _SIDES)
    return float((below + up_to).mean() / 2 / len(rest))
