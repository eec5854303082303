"""Marks that recur: the same colour standing out at the same place, in one class far more than elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.measures.marks import Marks, place_of, where

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Images that a mark must recur in, at least.
LEAST = 6
#: A class must hold the mark this many times as often as the other classes.
_RATIO = 4.0
#: Natural marks of a colour lie unevenly over the picture: their expected number at one place is taken this many times as large.
_UNEVEN = 3.0
#: Places this far from a pixel of a patch are around it.
_NEAR = range(-2, 3)
#: Marks this close, and mostly in the same images, make one patch; what extends further is content.
_PATCH_SIDE = 12
_PATCH_PIXELS = 40
_SHARED = 0.5
_MOST_PATCHES = 3
_COLOUR_BITS = 16


@dataclass(frozen=True, eq=False)
class Patch:
    """A patch that recurs within one class.

    Attributes:
        label: class code.
        places: (s,) codes of its pixels (`dataprep.measures.marks.where`), the surest first.
        colours: (s,) uint16.
        carriers: (c,) rows of the class's images that hold at least half of it.
        others: how many images of other classes do.
        precision: share of the carriers that do not hold it by coincidence, as images of other classes do.
        log_chance: upper bound of the probability that random labels do this, its natural logarithm.
    """

    label: int
    places: NDArray[np.int64]
    colours: NDArray[np.uint16]
    carriers: NDArray[np.int64]
    others: int
    precision: float
    log_chance: float


def find_patches(marks: Marks, labels: NDArray[np.int64], alpha: float) -> list[Patch]:
    """The patches that recur within one class.

    Args:
        marks: of the images that were looked at.
        labels: (n,) class code of every row that `marks` may name.
        alpha: probability of any finding where labels are random.
    """
    classes = int(labels[marks.looked].max(initial=-1)) + 1
    if classes < 2:
        return []
    fine = _patches(marks, marks.colour, labels, alpha / 2, classes)
    coarse = _patches(marks, _coarsened(marks.colour), labels, alpha / 2, classes)
    return distinct([*fine, *coarse])


def distinct(patches: Iterable[Patch]) -> list[Patch]:
    """Patches that lie mostly in the same images are told once: the surest finding of them."""
    kept: list[Patch] = []
    for patch in sorted(patches, key=lambda each: each.log_chance):
        if not any(patch.label == other.label and _overlap(patch.carriers, other.carriers) > _SHARED for other in kept):
            kept.append(patch)
    return kept


def _overlap(some: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """Share of the smaller set of images that is in the other one."""
    return len(np.intersect1d(some, others)) / max(min(len(some), len(others)), 1)


def _coarsened(colours: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """3 bits of red, 3 of green and 3 of blue, in the middle of their range."""
    kept = np.uint16((0b11100 << 11) | (0b111000 << 5) | 0b11100)
    middle = np.uint16((0b00010 << 11) | (0b000100 << 5) | 0b00010)
    return np.asarray(colours & kept | middle, np.uint16)


def _patches(
    marks: Marks, colours: NDArray[np.uint16], labels: NDArray[np.int64], alpha: float, classes: int
) -> list[Patch]:  # fmt: skip
    counted = _Counted(marks, colours, labels, classes)
    found = []
    for label, keys, chances in counted.significant(alpha):
        patches = counted.assemble(label, keys, chances)
        if len(patches) <= _MOST_PATCHES:  # what recurs at many places is what the class shows
            found += [patch for patch in patches if _is_small(patch.places)]
    return found


def _is_small(places: NDArray[np.int64]) -> bool:
    spans: dict[int, list[tuple[int, int]]] = {}
    for corner, down, across in map(where, places.tolist()):
        spans.setdefault(corner, []).append((down, across))
    side = max(int(np.ptp(np.array(pixels), axis=0).max()) + 1 for pixels in spans.values())
    return side <= _PATCH_SIDE and len(places) <= _PATCH_PIXELS


class _Counted:
    """How often each colour stands out at each place, by class."""

    def __init__(self, marks: Marks, colours: NDArray[np.uint16], labels: NDArray[np.int64], classes: int) -> None:
        self._image, self._labels, self._classes = marks.image, labels, classes
        self._sizes = np.bincount(labels[marks.looked], minlength=classes)
        keys = (marks.place << _COLOUR_BITS) | colours.astype(np.int64)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else np.zeros(0, np.int64)
        counts = np.diff(np.r_[starts, len(keys)])
        often = counts >= LEAST
        self._ordered, self._deepest = ordered, tuple(int(each.max(initial=0)) for each in where(marks.place)[1:])
        self._order, self._starts, self._counts = order, starts[often], counts[often]
        self.keys = ordered[self._starts]
        self._counts_by_class = self._by_class()
        self._expected = self._expectation(colours, marks.places)
        self._limit = 0.0

    def _by_class(self) -> NDArray[np.int64]:
        """(m, k) number of images with each key."""
        key = np.repeat(np.arange(len(self.keys)), self._counts)
        within = np.arange(len(key)) - np.repeat(np.cumsum(self._counts) - self._counts, self._counts)
        images = self._image[self._order[np.repeat(self._starts, self._counts) + within]]
        flat = np.bincount(key * self._classes + self._labels[images], minlength=len(self.keys) * self._classes)
        return flat.reshape(-1, self._classes)

    def _expectation(self, colours: NDArray[np.uint16], places: int) -> NDArray[np.float64]:
        """(m, k) marks of the key's colour at a place, averaged over all places, by class."""
        distinct, code = np.unique(self.keys & ((1 << _COLOUR_BITS) - 1), return_inverse=True)
        at = np.minimum(np.searchsorted(distinct, colours), max(len(distinct) - 1, 0))
        known = distinct[at] == colours if len(distinct) else np.zeros(len(colours), bool)
        flat = at[known] * self._classes + self._labels[self._image[known]]
        totals = np.bincount(flat, minlength=len(distinct) * self._classes).reshape(-1, self._classes)
        return np.asarray(totals[code] / max(places, 1), np.float64)

    def significant(self, alpha: float) -> list[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
        """For each class, its keys (as positions) that stand out, and the log probability of each under random labels."""
        if not len(self.keys):
            return []
        own, total = self._counts_by_class, self._counts[:, None]
        share = self._sizes / self._sizes.sum()
        limit = self._limit = float(np.log(alpha / own.size))
        by_label = -total * _divergence(own / total, share)
        by_place = -_poisson_exponent(own, _UNEVEN * self._expected)
        rest = (total - own + 0.5) / np.maximum(self._sizes.sum() - self._sizes, 1)
        clear = (own >= LEAST) & (own / np.maximum(self._sizes, 1) >= _RATIO * rest)
        found = clear & (by_label <= limit) & (by_place <= limit)
        return [
            (label, rows, by_label[rows, label]) for label in range(self._classes) if len(rows := np.flatnonzero(found[:, label]))
        ]

    def _around(self, members: list[int], label: int, carriers: NDArray[np.int64]) -> float:
        """Mean number of other images of a class with the colour of the surest pixel at the places around a patch.

        What a class shows (tyres, lamps) lies a little elsewhere in other images; a patch does not.
        """
        key = int(self.keys[members[0]])
        colour, corner = key & ((1 << _COLOUR_BITS) - 1), where(key >> _COLOUR_BITS)[0]
        spots = {(v, u) for c, v, u in map(where, (self.keys[members] >> _COLOUR_BITS).tolist()) if c == corner}
        near = {(v + dv, u + du) for v, u in spots for dv in _NEAR for du in _NEAR} - spots
        places = [(v, u) for v, u in near if 0 <= v <= self._deepest[0] and 0 <= u <= self._deepest[1]]
        keys = [(int(place_of(corner, *place)) << _COLOUR_BITS) | colour for place in places]
        starts, ends = (np.searchsorted(self._ordered, keys, side=side) for side in ("left", "right"))
        images = np.concatenate([np.zeros(0, np.int64), *(self._image[self._order[s:e]] for s, e in zip(starts, ends))])
        others = (self._labels[images] == label) & ~np.isin(images, carriers)
        return float(others.sum()) / max(len(places), 1)

    def _images(self, position: int) -> NDArray[np.int64]:
        start = self._starts[position]
        return np.asarray(self._image[self._order[start : start + self._counts[position]]], np.int64)

    def assemble(self, label: int, keys: NDArray[np.int64], chances: NDArray[np.float64]) -> list[Patch]:
        """Join keys that lie mostly in the same images, the most frequent first."""
        left = keys[np.argsort(-self._counts_by_class[keys, label], kind="stable")].tolist()
        chance = dict(zip(keys.tolist(), chances.tolist(), strict=True))
        patches: list[Patch] = []
        while left and len(patches) <= _MOST_PATCHES:
            core = self._images(left[0])
            members = [key for key in left if _overlap(self._images(key), core) > _SHARED]
            patch = self._patch(label, members, min(chance[key] for key in members))
            around = _UNEVEN * self._around(members, label, patch.carriers)
            if _poisson_exponent(np.array([len(patch.carriers)]), np.array([around]))[0] >= -self._limit:
                patches.append(patch)
            taken = set(members)
            left = [key for key in left if key not in taken]
        return patches

    def _patch(self, label: int, members: list[int], chance: float) -> Patch:
        images, times = np.unique(np.concatenate([self._images(key) for key in members]), return_counts=True)
        holders = images[2 * times >= len(members)]
        carriers = holders[self._labels[holders] == label]
        others, size = len(holders) - len(carriers), int(self._sizes[label])
        coincident = others / max(int(self._sizes.sum()) - size, 1) * size
        keys = self.keys[members]
        colours = (keys & ((1 << _COLOUR_BITS) - 1)).astype(np.uint16)
        precision = 1 - min(coincident / max(len(carriers), 1), 1.0)
        return Patch(label, keys >> _COLOUR_BITS, colours, carriers, others, precision, chance)


def _divergence(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence of shares where more was observed than expected, else 0 (Chernoff's bound of the binomial)."""
    observed = np.clip(observed, 1e-12, 1 - 1e-12)
    expected = np.clip(expected, 1e-12, 1 - 1e-12)
    divergence = observed * np.log(observed / expected) + (1 - observed) * np.log((1 - observed) / (1 - expected))
    return np.where(observed > expected, divergence, 0.0)


def _poisson_exponent(count: NDArray[np.int64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chernoff's bound: a Poisson variable of this mean reaches the count with a probability of at most exp(-exponent)."""
    mean = np.maximum(mean, 1e-9)
    exponent = count * np.log(np.maximum(count, 1) / mean) - count + mean
    return np.where(count > mean, exponent, 0.0)
