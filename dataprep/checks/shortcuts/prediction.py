"""How well one property alone predicts the label: cross-validated balanced accuracy, and what
random labels would reach.

A property is cut into bins of about equal counts, and the classifier is the table of how often each
class falls into each bin, relative to the class's size: so imbalance gains nothing, and always
answering one class scores what chance does. The null is of permuted labels, with the largest
standardised score over all properties and classes (Westfall & Young 1993), which keeps the
probability of any false alarm at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 4
_MOST_BINS = 32
_FEWEST_BINS = 4
#: Counts that each class is given beforehand, spread over the bins.
_PRIOR = 1.0
#: A standard deviation of scores under permutation below this is of a property that hardly varies:
#: few images differ in it, so that the tail of its scores is long, and every other property would
#: have to reach it.
_LEAST_SPREAD = 0.01
#: Bins times classes stay below this, for time's sake.
_MOST_CELLS = 16_000
#: Fewer samples than these give nothing away.
_LEAST_COUNT = 8


@dataclass(frozen=True, eq=False)
class Scores:
    """Balanced accuracies; p properties, k classes.

    Attributes:
        overall: (p,) mean recall of all classes, predicted from one property; 1 / k by chance.
        single: (p, k) of telling one class from the others; 0.5 by chance.
        overall_error: (p,) the standard error of `overall`.
        single_error: (p, k) the standard error of `single`.
    """

    overall: NDArray[np.float64]
    single: NDArray[np.float64]
    overall_error: NDArray[np.float64]
    single_error: NDArray[np.float64]


def bins_of(values: NDArray[np.float64], classes: int) -> NDArray[np.int64]:
    """(n,) bins of about equal counts, equal values never apart; unknown values are a bin of
    their own.
    """
    known = np.sort(values[~np.isnan(values)])
    codes = np.zeros(len(values), np.int64)
    if not len(known):
        return codes
    limit = max(_FEWEST_BINS, min(_MOST_BINS, _MOST_CELLS // max(classes, 1)))
    count = int(np.clip(2 * len(known) ** (1 / 3), _FEWEST_BINS, limit))
    places = np.linspace(0, len(known), count + 1)[1:-1].astype(np.int64)
    edges = np.unique(known[places])
    codes = np.searchsorted(edges, values, side="right") + 1
    return np.where(np.isnan(values), 0, codes)


def codes_of(values: NDArray[np.float64], classes: int) -> NDArray[np.int64]:
    """(n,) codes of categories, the rare ones beyond the limit put together; 0 stands for them
    and for unknown ones.
    """
    known = np.where(np.isnan(values), -1, values).astype(np.int64) + 1
    counts = np.bincount(known)
    counts[0] = 0
    kept = np.argsort(-counts, kind="stable")[: max(_MOST_BINS, _MOST_CELLS // max(classes, 1))]
    ranks = np.zeros(len(counts), np.int64)
    ranks[kept] = np.arange(1, len(kept) + 1)
    ranks[0] = 0
    return np.asarray(ranks[known], np.int64)


class Predictor:
    """Predicts labels from one property at a time.

    Args:
        codes: for each of p properties, (n,) the bin of every sample.
        labels: (n,) class codes 0 to k - 1, every class present.
        folds: (n,) fold of every sample.
    """

    def __init__(
        self,
        codes: Sequence[NDArray[np.int64]],
        labels: NDArray[np.int64],
        folds: NDArray[np.int64],
    ) -> None:
        self._counter, self._labels = _Counter(codes, folds, int(labels.max()) + 1), labels
        self.scores = Scores(*self._counter.score(labels))

    def chances(
        self, permutations: int, seed: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(p,) and (p, k): probability that random labels reach `overall`, and `single`, with
        any property and class.
        """
        rng = np.random.default_rng(seed)
        null = [self._counter.score(rng.permutation(self._labels)) for _ in range(permutations)]
        chances = _chances(
            _joined(self.scores.overall, self.scores.single),
            np.stack([_joined(*one[:2]) for one in null]),
        )
        return chances[:, 0], chances[:, 1:]


def _joined(overall: NDArray[np.float64], single: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([overall[:, None], single], axis=1)


def _chances(scores: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Family-wise p-values of scores (p, s) from those of permuted labels (b, p, s)."""
    mean, spread = null.mean(axis=0), np.maximum(null.std(axis=0), _LEAST_SPREAD)
    highest = np.sort(((null - mean) / spread).reshape(len(null), -1).max(axis=1))
    above = len(null) - np.searchsorted(highest, (scores - mean) / spread, side="left")
    return np.asarray((above + 1) / (len(null) + 1), np.float64)


class _Counter:
    """Counts of samples by fold, bin and class, for any labels."""

    def __init__(
        self, codes: Sequence[NDArray[np.int64]], folds: NDArray[np.int64], classes: int
    ) -> None:
        self._classes = classes
        self._bins = [int(each.max(initial=0)) + 1 for each in codes]
        self._places = [((folds * bins + each) * classes) for each, bins in zip(codes, self._bins)]

    def score(self, labels: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
        """(overall, single, overall_error, single_error) of every property."""
        parts = zip(
            *(self._score(place + labels, bins) for place, bins in zip(self._places, self._bins))
        )
        return tuple(np.array(part) for part in parts)

    def _score(
        self, places: NDArray[np.int64], bins: int
    ) -> tuple[float, NDArray[np.float64], float, NDArray[np.float64]]:
        k = self._classes
        test = (
            np.bincount(places, minlength=FOLDS * bins * k)
            .reshape(FOLDS, bins, k)
            .astype(np.float64)
        )
        sums = test.sum(axis=(0, 1))
        train = test.sum(axis=0) - test
        size = train.sum(axis=1, keepdims=True)
        own = (train + _PRIOR / bins) / (size + _PRIOR)
        rest = train.sum(axis=2, keepdims=True) - train
        others = (rest + _PRIOR / bins) / (size.sum(axis=2, keepdims=True) - size + _PRIOR)
        best = own.argmax(axis=2)[..., None]
        right = np.bincount(best.ravel(), np.take_along_axis(test, best, axis=2).ravel(), k) / sums
        says = own > others
        hits = (test * says).sum(axis=(0, 1)) / sums
        away = sums.sum() - sums
        misses = ((test.sum(axis=2, keepdims=True) - test) * says).sum(axis=(0, 1)) / np.maximum(
            away, 1
        )
        single_error = (
            np.sqrt(hits * (1 - hits) / sums + misses * (1 - misses) / np.maximum(away, 1)) / 2
        )
        overall_error = float(np.sqrt((right * (1 - right) / sums).sum())) / k
        return float(right.mean()), (hits + 1 - misses) / 2, overall_error, single_error


@dataclass(frozen=True)
class Giveaway:
    """A value nearly all of whose samples are of one class: `own` of `samples`, with `evidence`
    as a log likelihood ratio.
    """

    label: int
    value: float
    samples: int
    own: int
    evidence: float


def giveaways_of(
    values: NDArray[np.float64], labels: NDArray[np.int64], *, purity: float
) -> list[Giveaway]:
    """For each class the exact value that gives it away most surely.

    The evidence is the log likelihood ratio of a share of `purity` among the value's samples
    against the class's share of all. Random labels reach e at one value with a probability of at
    most exp(-e) (Markov's inequality).

    Args:
        values: (n,) numbers or codes; unknown ones are passed over.
        labels: (n,) class codes.
    """
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    distinct, sizes = distinct[counts >= _LEAST_COUNT], np.bincount(labels)
    if not len(distinct) or len(sizes) < 2:
        return []
    place = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
    known = distinct[place] == values
    own = np.zeros((len(sizes), len(distinct)))
    np.add.at(own, (labels[known], place[known]), 1)
    share = (sizes / len(labels))[:, None]
    aimed = np.array([[aimed_share(purity, float(each[0]))] for each in share])
    total = own.sum(axis=0)
    gain = own * np.log(aimed / share) + (total - own) * np.log((1 - aimed) / (1 - share))
    best = gain.argmax(axis=1)
    return [
        Giveaway(
            label, float(distinct[at]), int(total[at]), int(own[label, at]), float(gain[label, at])
        )
        for label, at in enumerate(best.tolist())
    ]


def aimed_share(purity: float, share: float) -> float:
    """The share that gives a class away: `purity`, or better by the same odds for a class of
    more than half of all.
    """
    return max(purity, 1 / (1 + (1 - purity) / purity * (1 - share) / share))
