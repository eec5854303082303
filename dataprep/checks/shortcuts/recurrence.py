"""Marks that recur: the same colour standing out at the same place, in one class far more than
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dataprep.measures.image.marks import Marks, place_of, where

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Images that a mark must recur in, at least.
LEAST = 6
#: A class must hold the mark this many times as often as the other classes.
_RATIO = 8.0
#: Natural marks of a colour lie unevenly over the picture: their expected number at one place is
#: taken this many times as large.
_UNEVEN = 3.0
#: The same colour so far away, in pixels, tells how often it is a mark around there: beside a patch
#: of 3 x 3, or a larger one.
_AROUND = ((2, 3), (4, 6))
#: Marks mostly in the same images make one patch.
_SHARED = 0.5
#: Patches of a class that are told of, the surest first; of content there may be hundreds.
_MOST_PATCHES = 20
_COLOUR_BITS = 16
#: Buckets that keys are counted in before those that recur are sorted.
_BUCKET_BITS = 20
#: 2^64 divided by the golden ratio: products with it spread keys over the buckets (Knuth, volume 3,
#: 6.4).
_MIXER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Patch:
    """A patch that recurs within one class.

    Attributes:
        label: class code.
        places: (s,) codes of its pixels (`dataprep.measures.image.marks.where`), the surest first.
        colours: (s,) uint16.
        carriers: (c,) rows of the class's images that hold at least half of it.
        others: how many images of other classes do.
        precision: share of the carriers that do not hold it by coincidence, as images of other
            classes do.
        log_chance: upper bound of the probability that random labels do this, its natural
            logarithm.
        log_limit: what that may be at most for a finding.
    """

    label: int
    places: NDArray[np.int64]
    colours: NDArray[np.uint16]
    carriers: NDArray[np.int64]
    others: int
    precision: float
    log_chance: float
    log_limit: float


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
        if not any(
            patch.label == other.label and _overlap(patch.carriers, other.carriers) > _SHARED
            for other in kept
        ):
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


def buckets(keys: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """(m,) a number below 2 ** `bits` for each key; a few keys share it."""
    mixed = keys.astype(np.uint64) * _MIXER
    return np.asarray(mixed >> np.uint64(64 - bits), np.int64)


def _may_recur(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of all keys that are there `LEAST` times or more, and of a few others: to sort
    them all takes longer than to count them in buckets.
    """
    bucket = buckets(keys, _BUCKET_BITS)
    return np.flatnonzero(np.bincount(bucket, minlength=1)[bucket] >= LEAST)


def _patches(
    marks: Marks, colours: NDArray[np.uint16], labels: NDArray[np.int64], alpha: float, classes: int
) -> list[Patch]:
    counted = _Counted(marks, colours, labels, classes)
    limit = counted.limit(alpha)
    return [
        replace(patch, log_limit=limit)
        for found in counted.significant(alpha)
        for patch in counted.assemble(*found)
    ]


class _Counted:
    """How often each colour stands out at each place, by class."""

    def __init__(
        self, marks: Marks, colours: NDArray[np.uint16], labels: NDArray[np.int64], classes: int
    ) -> None:
        self._image = marks.image
        self._labels = labels
        self._classes = classes
        self._places = max(marks.places, 1)
        self._sizes = np.bincount(labels[marks.looked], minlength=classes)
        keys = (marks.place << _COLOUR_BITS) | colours.astype(np.int64)
        some = _may_recur(keys)
        order = some[np.argsort(keys[some], kind="stable")]
        ordered = keys[order]
        starts = (
            np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
            if len(ordered)
            else np.zeros(0, np.int64)
        )
        counts = np.diff(np.r_[starts, len(ordered)])
        often = counts >= LEAST
        self._keys_of_marks = keys
        self._deepest = [int(each.max(initial=0)) for each in where(marks.place)[1:]]
        self._order, self._starts, self._counts = order, starts[often], counts[often]
        self.keys = ordered[self._starts]
        self._counts_by_class = self._by_class()

    def _by_class(self) -> NDArray[np.int64]:
        """(m, k) number of images with each key."""
        key = np.repeat(np.arange(len(self.keys)), self._counts)
        within = np.arange(len(key)) - np.repeat(
            np.cumsum(self._counts) - self._counts, self._counts
        )
        images = self._image[self._order[np.repeat(self._starts, self._counts) + within]]
        flat = np.bincount(
            key * self._classes + self._labels[images], minlength=len(self.keys) * self._classes
        )
        return flat.reshape(-1, self._classes)

    def limit(self, alpha: float) -> float:
        """Logarithm of `alpha` shared out between all keys and classes."""
        return float(np.log(alpha / max(self._counts_by_class.size, 1)))

    def significant(
        self, alpha: float
    ) -> list[tuple[int, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
        """For each class, its keys (as positions) that stand out, the surest first.

        With the log probability of each under random labels, and among the places around it.
        """
        own, total = self._counts_by_class, self._counts[:, None]
        share = self._sizes / max(self._sizes.sum(), 1)
        limit = self.limit(alpha)
        by_label = -total * _divergence(own / total, share)
        rest = (total - own + 0.5) / np.maximum(self._sizes.sum() - self._sizes, 1)
        clear = (
            (own >= LEAST)
            & (own / np.maximum(self._sizes, 1) >= _RATIO * rest)
            & (by_label <= limit)
        )
        found = []
        for label in np.flatnonzero(clear.any(axis=0)).tolist():
            rows = np.flatnonzero(clear[:, label])
            by_place = -_poisson_exponent(own[rows, label], _UNEVEN * self._around(rows, label))
            kept = np.argsort(by_place, kind="stable")[: int((by_place <= limit).sum())]
            if len(kept):
                found.append((label, rows[kept], by_label[rows[kept], label], by_place[kept]))
        return found

    def _around(self, positions: NDArray[np.int64], label: int) -> NDArray[np.float64]:
        """Mean number of images of a class with the colour of each key at a place a little away
        from it, where it is least.

        One place of the average of the whole picture is counted with them, for a colour that is
        rare there.
        """
        own = np.sort(self._keys_of_marks[self._labels[self._image] == label])
        colours = self.keys[positions] & ((1 << _COLOUR_BITS) - 1)
        average = (
            np.bincount(own & ((1 << _COLOUR_BITS) - 1), minlength=1 << _COLOUR_BITS)[colours]
            / self._places
        )
        rings = [self._in_ring(self.keys[positions], own, average, *ring) for ring in _AROUND]
        return np.asarray(np.minimum.reduce(rings), np.float64)

    def _in_ring(
        self,
        keys: NDArray[np.int64],
        own: NDArray[np.int64],
        average: NDArray[np.float64],
        nearest: int,
        furthest: int,
    ) -> NDArray[np.float64]:
        _, down, across = where(keys >> _COLOUR_BITS)
        seen, places = average.copy(), np.ones(len(keys))
        for dv, du in _ring(nearest, furthest):
            v, u = down + dv, across + du
            inside = (v >= 0) & (u >= 0) & (v <= self._deepest[0]) & (u <= self._deepest[1])
            there = keys + ((place_of(0, 1, 0) * dv + du) << _COLOUR_BITS)
            seen += np.where(
                inside, np.searchsorted(own, there, side="right") - np.searchsorted(own, there), 0
            )
            places += inside
        return np.asarray(seen / places, np.float64)

    def _images(self, position: int) -> NDArray[np.int64]:
        start = self._starts[position]
        return np.asarray(
            self._image[self._order[start : start + self._counts[position]]], np.int64
        )

    def assemble(
        self,
        label: int,
        keys: NDArray[np.int64],
        by_label: NDArray[np.float64],
        by_place: NDArray[np.float64],
    ) -> list[Patch]:
        """Join keys that lie mostly in the same images, the surest first."""
        chance = dict(zip(keys.tolist(), np.maximum(by_label, by_place).tolist(), strict=True))
        left = keys.tolist()
        patches: list[Patch] = []
        while left and len(patches) < _MOST_PATCHES:
            core = self._images(left[0])
            members = [key for key in left if _overlap(self._images(key), core) > _SHARED]
            patches.append(self._patch(label, members, min(chance[key] for key in members)))
            taken = set(members)
            left = [key for key in left if key not in taken]
        return patches

    def _patch(self, label: int, members: list[int], chance: float) -> Patch:
        images, times = np.unique(
            np.concatenate([self._images(key) for key in members]), return_counts=True
        )
        holders = images[2 * times >= len(members)]
        carriers = holders[self._labels[holders] == label]
        others, size = len(holders) - len(carriers), int(self._sizes[label])
        coincident = others / max(int(self._sizes.sum()) - size, 1) * size
        keys = self.keys[members]
        colours = (keys & ((1 << _COLOUR_BITS) - 1)).astype(np.uint16)
        precision = 1 - min(coincident / max(len(carriers), 1), 1.0)
        return Patch(label, keys >> _COLOUR_BITS, colours, carriers, others, precision, chance, 0.0)


def _ring(nearest: int, furthest: int) -> list[tuple[int, int]]:
    """(down, across) of the places whose larger coordinate lies between the two, both included."""
    span = range(-furthest, furthest + 1)
    return [
        (down, across) for down in span for across in span if max(abs(down), abs(across)) >= nearest
    ]


def _divergence(
    observed: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Kullback-Leibler divergence of shares where more was observed than expected, else 0
    (Chernoff's bound of the binomial).
    """
    observed = np.clip(observed, 1e-12, 1 - 1e-12)
    expected = np.clip(expected, 1e-12, 1 - 1e-12)
    divergence = observed * np.log(observed / expected) + (1 - observed) * np.log(
        (1 - observed) / (1 - expected)
    )
    return np.where(observed > expected, divergence, 0.0)


def _poisson_exponent(count: NDArray[np.int64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chernoff's bound: a Poisson variable of this mean reaches the count with a probability of
    at most exp(-exponent).
    """
    mean = np.maximum(mean, 1e-9)
    exponent = count * np.log(np.maximum(count, 1) / mean) - count + mean
    return np.where(count > mean, exponent, 0.0)
