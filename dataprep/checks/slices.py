"""Slices of a data set that a user can recognise: ranges of a property, values of metadata, images that look alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.properties import Property
from dataprep.probes.groups import alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.probes.features import Features

#: Shares of the samples at which ranges of a number begin and end: fifths, and the outer tenths.
_RANGES = ((0.0, 0.1), (0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0), (0.9, 1.0))
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
    """

    name: str
    family: str
    members: NDArray[np.int64]


def slices_of(properties: list[Property], *, least: int) -> Iterator[Slice]:
    """The ranges and values of `properties` that at least `least` samples, and not all, have."""
    for each in properties:
        found = _values(each) if each.categories or len(np.unique(each.values)) <= len(_RANGES) else _ranges(each)
        total = len(each.values)
        yield from (one for one in found if least <= len(one.members) <= total - least)


def slices_alike(features: Features, rows: NDArray[np.int64], names: NDArray[np.object_], *, least: int) -> Iterator[Slice]:
    """Groups of `rows` that lie together among the features, each named after its most central image."""
    number = min(_MOST_GROUPS, len(rows) // _ALIKE)
    if number < 2:
        return
    group, central = alike(features.values[rows], number)
    for code, middle in enumerate(central):
        members = np.flatnonzero(group == code)
        if least <= len(members) <= len(rows) - least:
            yield Slice(f"images like {names[middle]}", "looks", members)


def _values(each: Property) -> Iterator[Slice]:
    known = ~np.isnan(each.values)
    values, counts = np.unique(each.values[known], return_counts=True)
    for value in values[np.argsort(-counts, kind="stable")][:_MOST_VALUES]:
        name = each.categories[int(value)] if each.categories else f"{value:.6g}"
        yield Slice(f"{each.name} = {name}", each.family, np.flatnonzero(each.values == value))


def _ranges(each: Property) -> Iterator[Slice]:
    known = each.values[~np.isnan(each.values)]
    edges = {share: float(np.quantile(known, share)) for share in sorted({end for ends in _RANGES for end in ends})}
    for start, end in _RANGES:
        low, high = edges[start], edges[end]
        inside = (each.values >= low) & ((each.values < high) | (end == 1.0))
        yield Slice(f"{each.name} {low:.3g} to {high:.3g}", each.family, np.flatnonzero(inside))


def histogram_of(each: Property, series: Mapping[str, NDArray[np.bool_]]) -> dict[str, Any]:
    """The evidence "histogram" of a number, a line for each of `series` ((n,) members); nothing for categories and constants."""
    known = ~np.isnan(each.values)
    if each.categories or not known.any():
        return {}
    low, high = (float(np.quantile(each.values[known], share)) for share in (0.005, 0.995))
    if low >= high:
        return {}
    edges = np.linspace(low, high, _BINS + 1)
    counts = {name: np.histogram(each.values[known & members], edges)[0].tolist() for name, members in series.items()}
    return {"histogram": {"edges": edges.tolist(), "series": counts, "label": each.name}}
