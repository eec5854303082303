"""Slices of a data set that a user can recognise: ranges of a property, values of metadata,
images that look alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.statistics.causes import Cause
from dataprep.checks.statistics.properties import Property
from dataprep.checks.statistics.scales import Scale, bound_in, is_noticed, parts_of_day
from dataprep.probes.clusters import alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.probes.features import Features

#: Family of groups that look alike.
LOOKS = "looks"
#: Shares of the samples at which ranges of a number begin and end: fifths, and the outer tenths.
_RANGES = ((0.0, 0.1), (0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0), (0.9, 1.0))
#: Shares of the samples at which the ends of what people see begin.
_OUTER = (0.1, 0.2)
#: Measured numbers of which the ends are looked at: low ones up to the first bound (of less,
#: pictures look faded or blurred), high ones from the second.
_ENDS: dict[str, tuple[float, float]] = {
    "luma_mean": (math.inf, -math.inf),
    "contrast": (0.15, math.inf),
    "sharpness": (0.5, math.inf),
    "noise": (-math.inf, 0.008),
    "jpeg_quality": (85.0, math.inf),
    "short_side": (math.inf, math.inf),
    "aspect": (math.inf, -math.inf),
    "edge_luma": (math.inf, -math.inf),
    "edge_contrast": (-math.inf, -math.inf),
}
#: Values of one category that are looked at, most frequent first.
_MOST_VALUES = 50
#: Samples in a group of images that look alike, on average, and groups.
_ALIKE, _MOST_GROUPS = 100, 40
_BINS = 20


@dataclass(frozen=True, eq=False)
class Slice:
    """Samples with something in common.

    Attributes:
        name: what they have in common: ``luma_mean 0.02 to 0.15``, ``camera = X``.
        family: facet of the data set; slices of one family overlap.
        members: positions of the samples.
        measured: the number that it is a range of, if any.
    """

    name: str
    family: str
    members: NDArray[np.int64]
    measured: Property | None = None


def slices_of(properties: list[Property], *, least: int) -> Iterator[Slice]:
    """The ranges and values of `properties` that at least `least` samples, and not all, have."""
    for each in properties:
        found = (
            _values(each)
            if each.categories or len(np.unique(each.values)) <= len(_RANGES)
            else _ranges(each)
        )
        total = len(each.values)
        yield from (one for one in found if least <= len(one.members) <= total - least)


def slices_in_words(causes: list[Cause], *, least: int) -> Iterator[Slice]:
    """The outer fifths and tenths of what people see, the parts of the day, and the values of
    categories and of own numbers.

    Of at least `least` samples and not all; those of numbers differ from the others by what
    somebody notices.
    """
    for cause in causes:
        each, total = cause.measured, len(cause.measured.values)
        if each.name == "capture_hour":
            found = [
                Slice(words, each.family, np.flatnonzero(inside))
                for words, inside in parts_of_day(each)
            ]
        elif cause.scale is not None:
            found = list(_ends(each, cause.scale)) if each.name in _ENDS else []
        elif each.categories:
            found = [
                one
                for one in _values(each, cause.title)
                if not one.name.endswith((" = none", " = no"))
            ]
        else:
            found = list(slices_of([each], least=least))
        yield from (one for one in found if least <= len(one.members) <= total - least)


def _ends(each: Property, scale: Scale) -> Iterator[Slice]:
    low, high = _ENDS[each.name]
    for share in _OUTER:
        least = bound_in(scale, float(np.nanquantile(each.values, share)), up=True)
        most = bound_in(scale, float(np.nanquantile(each.values, 1 - share)), up=False)
        for matters, words, inside in (
            (least <= low, f"{scale.less} {scale.written(least)}", each.values < least),
            (most >= high, f"{scale.more} {scale.written(most)}", each.values > most),
        ):
            if matters and inside.any() and is_noticed(each, inside, ~inside):
                yield Slice(f"images {words}", each.family, np.flatnonzero(inside), each)


def slices_alike(
    features: Features, rows: NDArray[np.int64], names: NDArray[np.object_], *, least: int
) -> Iterator[Slice]:
    """Groups of `rows` that lie together among the features, each named after its most central
    image.
    """
    number = min(_MOST_GROUPS, len(rows) // _ALIKE)
    if number < 2:
        return
    group, central = alike(features.values[rows], number)
    for code, middle in enumerate(central):
        members = np.flatnonzero(group == code)
        if least <= len(members) <= len(rows) - least:
            yield Slice(f"images like {names[middle]}", LOOKS, members)


def _values(each: Property, title: str = "") -> Iterator[Slice]:
    known = ~np.isnan(each.values)
    values, counts = np.unique(each.values[known], return_counts=True)
    for value in values[np.argsort(-counts, kind="stable")][:_MOST_VALUES]:
        name = each.categories[int(value)] if each.categories else f"{value:.6g}"
        yield Slice(
            f"{title or each.name} = {name}", each.family, np.flatnonzero(each.values == value)
        )


def _ranges(each: Property) -> Iterator[Slice]:
    known = each.values[~np.isnan(each.values)]
    edges = {
        share: float(np.quantile(known, share))
        for share in sorted({end for ends in _RANGES for end in ends})
    }
    for start, end in _RANGES:
        low, high = edges[start], edges[end]
        inside = (each.values >= low) & ((each.values < high) | (end == 1.0))
        yield Slice(f"{each.name} {low:.3g} to {high:.3g}", each.family, np.flatnonzero(inside))


def histogram_of(each: Property, series: Mapping[str, NDArray[np.bool_]]) -> dict[str, Any]:
    """The evidence "histogram" of a number, a line for each of `series` ((n,) members); nothing
    for categories and constants.
    """
    known = ~np.isnan(each.values)
    if each.categories or not known.any():
        return {}
    low, high = (float(np.quantile(each.values[known], share)) for share in (0.005, 0.995))
    if low >= high:
        return {}
    edges = np.linspace(low, high, _BINS + 1)
    counts = {
        name: np.histogram(each.values[known & members], edges)[0].tolist()
        for name, members in series.items()
    }
    return {"histogram": {"edges": edges.tolist(), "series": counts, "label": each.name}}
