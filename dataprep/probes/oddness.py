"""How far an embedding lies from where most others lie, with a threshold that goes with a stated
rate of false alarms.

An image that is off topic is seldom alone: one source puts many alike where they do not belong, and
to its few nearest neighbours each of them looks ordinary. So the distance here is to a twentieth of
all images, or of a class (the distance to a measure; Chazal, Cohen-Steiner and Mérigot 2011, which
fewer outliers than that cannot move far), and what the farthest images have in common is looked for
once more, out of fold, by a ridge regression between them and the rest (learning from positive and
unlabelled samples; Elkan & Noto 2008). Centring is left out on purpose: an image that shows nothing
a model knows lies near the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erfc
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends.blas import one_blas_thread
from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.ridge import solved
from dataprep.probes.vectors import blocks, is_non_negative, unit_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Fewer images have no bulk to lie outside of.
LEAST = 50
#: Share of the images that a distance is measured to: outliers of less than this share do not hide
#: each other.
MASS = 0.05
#: Images that distances are measured to: of all, and of each class.
_OF_ALL, _OF_CLASS = 4096, 1024
#: Classes with fewer images are only compared with all.
_LEAST_OF_CLASS = 40
#: Share that is held against the rest to find what the farthest have in common, folds, and rounds.
_SUSPECTS, _FOLDS, _ROUNDS = 0.03, 5, 2
#: Images of each side and fold that it is fitted on at most, and the ridge penalty relative to the
#: total variance.
_FITTED, _PENALTY = 4_000, 0.05
#: Where the spread of ordinary images is read: between the median and these quantiles, below any
#: outliers.
_ORDINARY = (0.75, 0.84, 0.9, 0.93)
#: Between which quantiles the tail of the distances is read where it is taken for exponential.
_TAIL = (0.75, 0.93)
#: An odd image is itself among this share of ordinary ones that are farthest, whatever it has in
#: common with others.
_FAR = 0.02
_BLOCK = 1024
#: Numbers in the vectors that are held, rather than made again whenever they are read.
_HELD = 1 << 25


@dataclass(frozen=True, eq=False)
class Oddness:
    """How odd each of n images is; NaN where it is not known.

    Attributes:
        score: (n,) float64: how far, and how much like the farthest, in robust standard deviations
            above the median image.
        far: (n,) float64: how far alone, in the same unit.
        ratio: (n,) float64: distance to the nearest `MASS` of all images, relative to the median
            image's.
        ratio_in_class: (n,) float64: the same within its class; NaN without one, or in a small one.
    """

    score: NDArray[np.float64]
    far: NDArray[np.float64]
    ratio: NDArray[np.float64]
    ratio_in_class: NDArray[np.float64]

    def odd(self, rate: float) -> NDArray[np.bool_]:
        """(n,) the images that are odder than all but the share `rate` of ordinary images are
        expected to be.
        """
        return self.chance() < rate

    def chance(self) -> NDArray[np.float64]:
        """(n,) share of ordinary images expected to be as odd, by the score or by distance
        alone; 1 where unknown.
        """
        return np.minimum(1, 2 * _normal_tail(np.nan_to_num(self.deviations(), nan=-np.inf)))

    def beyond(self) -> NDArray[np.float64]:
        """(n,) ordinary images expected to be as far, were the tail of the distances exponential;
        infinite where unknown.

        A normal tail is lighter than that and so are those of real sets: what this expects none of
        is beyond the tail.
        """
        known, expected = ~np.isnan(self.far), np.full(len(self.far), np.inf)
        if known.any():
            start, end = np.quantile(self.far[known], _TAIL)
            scale = max(1e-6, float(end - start) / np.log((1 - _TAIL[0]) / (1 - _TAIL[1])))
            expected[known] = (
                known.sum()
                * (1 - _TAIL[0])
                * np.exp(np.minimum((start - self.far[known]) / scale, 0))
            )
        return expected

    def deviations(self) -> NDArray[np.float64]:
        """(n,) how odd in standard deviations of ordinary images: by the score, or by distance
        alone where that is more.

        The score counts where the image itself is far off. Ordinary images are taken to be normally
        distributed above their median, with the greatest spread that their quantiles up to 93 %
        show, so that neither outliers of up to 7 % nor a longer tail lower the threshold.
        """
        known = ~np.isnan(self.score)
        found = np.full(len(self.score), np.nan)
        if known.any():
            far = self.far[known] / _spread(self.far[known])
            score = self.score[known] / _spread(self.score[known])
            found[known] = np.where(_normal_tail(far) < _FAR, np.maximum(far, score), far)
        return found


def oddness_of(
    embedding: NDArray[Any],
    known: NDArray[np.bool_],
    labels: NDArray[np.int64],
    units: NDArray[np.int64],
    *,
    seed: int = 0,
) -> Oddness:
    """How odd each image is; nothing is known where fewer than `LEAST` embeddings are.

    Args:
        embedding: (n, d) of any float type, read in blocks.
        known: (n,) bool.
        labels: (n,) codes of the classes, -1 without.
        units: (n,) number of what must not speak for one another: copies and groups.
        seed: of the samples that distances are measured to.
    """
    score, far, ratio, in_class = np.full((4, len(known)), np.nan)
    rows = np.flatnonzero(known)
    if len(rows) >= LEAST:
        rng = np.random.default_rng(seed)
        space, every = _Space.of(embedding, rows), np.arange(len(rows))
        from_all = _relative(space, every, _OF_ALL, rng)
        from_class = _in_class(space, labels[rows], rng)
        classed = ~np.isnan(from_class)
        both = _standard(from_all)
        both[classed] += np.maximum(
            _standard(from_class)[classed], 0
        )  # alike outliers may be near each other in a small class
        both[~classed] *= 2
        far[rows] = _standard(both)
        score[rows] = _standard(far[rows] + _shared(space.turned(), far[rows], units[rows], rng))
        ratio[rows], in_class[rows] = np.exp(from_all), np.exp(from_class)
    return Oddness(score, far, ratio, in_class)


@dataclass(frozen=True, eq=False)
class _Space:
    """The known embeddings (m, d) as unit vectors, after the square root where none is negative.

    Attributes:
        embedding: (n, d) of all images.
        rows: (m,) the images whose embedding is known.
        rooted: whether the square root is taken.
        held: (m, d) the vectors; None where they are too many to be held.
    """

    embedding: NDArray[Any]
    rows: NDArray[np.int64]
    rooted: bool
    held: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, embedding: NDArray[Any], rows: NDArray[np.int64]) -> _Space:
        space = cls(embedding, rows, is_non_negative(embedding, rows))
        if len(rows) * embedding.shape[1] > _HELD:
            return space
        parts = [space[chunk] for chunk in blocks(np.arange(len(rows)), _BLOCK)]
        return replace(space, held=np.concatenate(parts))

    def turned(self) -> _Space:
        """The same vectors in coordinates (m, m) of the space that they span, where that is much
        smaller: distances, and regressions with a penalty of the length, are the same in both.
        """
        if self.held is None or 2 * len(self.held) > self.held.shape[1]:
            return self
        with one_blas_thread():
            upper = np.linalg.qr(self.held.T)[1]
        return replace(self, held=np.ascontiguousarray(upper.T))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        if self.held is not None:
            return self.held if len(places) == len(self.held) else self.held[places]
        return unit_length(self.embedding[self.rows[places]], rooted=self.rooted)


def _chosen(places: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return places if len(places) <= most else np.sort(rng.choice(places, most, replace=False))


def _relative(
    space: _Space, places: NDArray[np.int64], most: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Logarithm of the distance of `places` (ascending) to the nearest `MASS` of at most `most` of
    them, less its median.

    The nearer half of that mass is passed over: alike outliers of up to half of it are not near,
    even to each other.
    """
    chosen = _chosen(places, most, rng)
    vectors, count = space[chosen], max(6, round(MASS * len(chosen)))
    distance = []
    for chunk in blocks(places, _BLOCK):
        likeness = space[chunk] @ vectors.T
        place = np.minimum(np.searchsorted(chosen, chunk), len(chosen) - 1)
        own = np.flatnonzero(chosen[place] == chunk)
        likeness[own, place[own]] = -1
        likeness.partition(len(chosen) - count, axis=1)
        nearest = likeness[:, len(chosen) - count :]
        nearest.partition(count - count // 2, axis=1)
        passed = nearest[:, : count - count // 2].mean(axis=1, dtype=np.float64)
        distance.append(np.sqrt(np.maximum(2 - 2 * passed, 1e-6)))
    logarithm = np.log(np.concatenate(distance))
    return np.asarray(logarithm - np.median(logarithm))


def _in_class(
    space: _Space, labels: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """As `_relative`, of each image within its class; NaN where it has none, or a small one."""
    far = np.full(len(space), np.nan)
    order = np.argsort(labels, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if labels[members[0]] >= 0 and len(members) >= _LEAST_OF_CLASS:
            far[members] = _relative(space, members, _OF_CLASS, rng)
    return far


def _shared(
    space: _Space, far: NDArray[np.float64], units: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """How much each image has in common with the farthest ones, by regressions that saw neither
    it nor its unit.
    """
    fold = folds_of(units, None, _FOLDS, seed=rng)
    folds = [np.flatnonzero(fold == number) for number in range(_FOLDS)]
    looked = [_chosen(inside, _FITTED, rng) for inside in folds]
    everything = [_Moments.of(space, some) for some in looked]
    for _ in range(_ROUNDS):
        suspect = far >= np.quantile(far, 1 - _SUSPECTS)
        chosen = [_chosen(inside[suspect[inside]], _FITTED, rng) for inside in folds]
        ones = [_Moments.of(space, some) for some in chosen]
        among = [some[suspect[some]] for some in looked]
        others = [
            whole - (one if np.array_equal(some, own) else _Moments.of(space, some))
            for whole, one, some, own in zip(everything, ones, among, chosen, strict=True)
        ]
        one_total, other_total = sum(ones, _Moments.none()), sum(others, _Moments.none())
        likeness = np.zeros(len(space))
        for inside, one, other in zip(folds, ones, others, strict=True):
            direction = _direction(one_total - one, other_total - other)
            if direction is not None and len(inside):
                parts = [space[chunk] @ direction for chunk in blocks(inside, _BLOCK)]
                likeness[inside] = _standard(np.concatenate(parts))
        far = likeness
    return far


@dataclass(frozen=True, eq=False)
class _Moments:
    """Number, sum (d,) and sum of products (d, d) of some vectors."""

    number: int
    total: Any
    products: Any

    @classmethod
    def none(cls) -> _Moments:
        return cls(0, np.float64(0), np.float32(0))

    @classmethod
    def of(cls, space: _Space, places: NDArray[np.int64]) -> _Moments:
        found = cls.none()
        for chunk in blocks(places, _BLOCK):
            part = space[chunk]
            found += cls(len(part), part.sum(axis=0, dtype=np.float64), part.T @ part)
        return found

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(
            self.number + other.number, self.total + other.total, self.products + other.products
        )

    def __sub__(self, other: _Moments) -> _Moments:
        return _Moments(
            self.number - other.number, self.total - other.total, self.products - other.products
        )


def _direction(one: _Moments, other: _Moments) -> NDArray[np.float32] | None:
    """(d,) direction of the ridge regression that tells two sets apart by their moments, both of
    the same weight.
    """
    if not (one.number and other.number):
        return None
    mean_one, mean_other = one.total / one.number, other.total / other.number
    mean = ((mean_one + mean_other) / 2).astype(np.float32)
    products = one.products * np.float32(0.5 / one.number)
    products += other.products * np.float32(0.5 / other.number)
    trace = float(np.trace(products, dtype=np.float64)) - float(mean @ mean)
    penalty = np.float32(_PENALTY * max(trace, 1e-6))

    def spread(values: NDArray[np.float32]) -> NDArray[np.float32]:
        centred = products @ values - mean * np.float32(mean @ values)
        return np.asarray(centred + penalty * values, np.float32)

    return solved(spread, (mean_one - mean_other).astype(np.float32))


def _standard(values: NDArray[Any]) -> NDArray[np.float64]:
    """In robust standard deviations above the median; NaN stays."""
    centred = values - np.nanmedian(values) if not np.isnan(values).all() else values
    spread = 1.4826 * float(np.nanmedian(np.abs(centred))) if not np.isnan(values).all() else 1.0
    return np.asarray(centred / max(spread, 1e-6), np.float64)


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation of ordinary values, of median 0, by the upper quantile that shows the
    greatest.
    """
    at = np.quantile(values, _ORDINARY)
    return max(
        1e-6,
        *(
            float(value) / NormalDist().inv_cdf(share)
            for value, share in zip(at, _ORDINARY, strict=True)
        ),
    )


def _normal_tail(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that a standard normal variable is at least as large."""
    return np.asarray([0.5 * erfc(value / 2**0.5) for value in values], np.float64)
