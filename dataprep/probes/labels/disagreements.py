"""Disagreements: how many of the labels that a classifier contradicts are wrong, read off how they
thin out as it grows surer.

A classifier contradicts right labels too, and may be as sure of itself as about wrong ones: hard
images are no errors. What tells the two apart is how their numbers fall. Let the *score* u of a
label g be the log odds against it under the out-of-fold probabilities p, with R(c, g) how often
class c is labelled g, relative to the mean of all pairs of classes::

    u = log sum_(c != g) p(c) R(c, g) - log p(g)

- **Right labels.** As many labels are confirmed at the score -u as A(u); of right labels, A(u)
  exp(a - lam u - bend u^2) are contradicted at u. Near u = 0 both are about as frequent; the surer
  the classifier, the seldomer it errs.
- **Wrong labels.** A label that was swapped does not know what the classifier sees: its score is
  that of a right label swapped in thought. Nothing is refitted for that, since predictions are out
  of fold. There are share x n x f(u) of them; people err on hard images, which tilts f by exp(-tilt
  u).

The counts at u > 0 are Poisson with the sum of the two as their mean. The posterior on a grid of
(a, lam, bend, tilt, share) gives the probability that a label with the score u is wrong. Real
counts follow the model only roughly, so beyond `_COUNTS` contradicted labels the likelihood is
tempered and the prior keeps its say. R is learnt from the labels found wrong, in rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dataprep.neighbours.kmeans import group_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bins of the score; the last one is open.
_STEP, _BINS = 0.25, 80
_MIDDLES, _EDGES = (np.arange(_BINS) + 0.5) * _STEP, np.append(np.arange(_BINS) * _STEP, np.inf)
#: The grid.
_AMPLITUDES, _DECAYS, _SHARES = (
    np.linspace(-0.5, 0.5, 5),
    np.arange(0.2, 1.4, 0.05),
    np.geomspace(1e-4, 0.6, 50),
)
_BENDS, _TILTS = np.array([0.0, 0.03]), np.array([0.0, 0.15])
#: Priors: a normal, lam log-normal, bend and tilt by value, share log-uniform. Means and standard
#: deviations.
_AMPLITUDE, _DECAY = (-0.1, 0.3), (np.log(0.45), 0.2)
_BEND_PRIOR, _TILT_PRIOR = np.array([0.7, 0.3]), np.array([0.75, 0.25])
#: The wider prior of lam under which evidence is weighed: no set may look swapped because it is
#: unusual.
_OPEN_DECAY = (np.log(0.55), 0.4)
#: Contradicted labels beyond which the likelihood is tempered.
_COUNTS = 300
#: Share of right labels that are contradicted as surely as swapped ones: blind spots of the
#: embedding, which labels alone do not tell from errors.
_BLIND = 0.0015
#: Rounds in which R is learnt; wrong labels of a class that its prior counts for; labels that are
#: swapped in thought.
_ROUNDS, _PRIOR_ERRORS, _SWAPS = 8, 5.0, 50_000
_LEAST_PROB = 1e-12
#: Points of the grid with less than this share of the likeliest one's weight are left out.
_LEAST_WEIGHT = 1e-12
#: What the model's own error adds to both ends of an interval.
_MISFIT = 0.05


class Share(NamedTuple):
    """An estimated share with its 90 % interval, all 0 to 1."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Disagreements:
    """Right and wrong labels behind the contradicted ones: the posterior of their mixture.

    Attributes:
        pattern: (k, k) R, how often each class (row) gets each other label (column); the mean of
            all pairs is 1.
        weights: (g,) posterior probability of the points of the grid that have any.
        shares: (g,) share of wrong labels at each of them.
        pure: (g, b) probability that a label is wrong, by point and bin of the score.
        evidence: gain in log-likelihood over no swapped label.
        drawn: (b,) share of labels in each bin if every label were drawn from its sample's
            probabilities.
        seen: share of swapped labels that have a score above 0.
    """

    pattern: NDArray[np.float64]
    weights: NDArray[np.float64]
    shares: NDArray[np.float64]
    pure: NDArray[np.float64]
    evidence: float
    drawn: NDArray[np.float64]
    seen: float

    @cached_property
    def _mean(self) -> NDArray[np.float64]:
        return np.asarray((self.weights[:, None] * self.pure).sum(axis=0))

    def scores(self, probs: NDArray[Any], given: NDArray[np.int32]) -> NDArray[np.float64]:
        """(r,) score of each label (r,) under its probabilities (r, k)."""
        return _scores(_logs(probs), given, self.pattern)

    def wrong(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(r,) probability that labels with these scores are wrong; 0 where the classifier
        confirms them.
        """
        return np.where(scores > 0, np.interp(scores, _MIDDLES, self._mean), 0.0)

    def by_chance(self, scores: NDArray[np.float64]) -> float:
        """How many labels would be more probably wrong than right if all were drawn from the
        probabilities, as a share of those that are, among all judged labels (n,).

        Near 1, the classifier contradicts no more than it expects of itself: it sees little of the
        classes.
        """
        sure = self._mean >= 0.5
        found = int(np.histogram(scores, _EDGES)[0][sure].sum())
        return float(self.drawn[sure].sum() * len(scores) / max(1, found))

    def share_among(self, scores: NDArray[np.float64], wrong: NDArray[np.float64]) -> Share:
        """How many of these labels (r,), one at least, are wrong.

        The interval holds what the posterior leaves open, the draw of so many labels, and the error
        of the model.

        Args:
            scores: of the labels, above 0.
            wrong: (r,) probability that each is wrong, whose mean is stated.
        """
        bins = np.bincount(
            np.minimum(scores / _STEP, _BINS - 1).astype(int), minlength=_BINS
        ) / len(scores)
        means = (self.pure * bins).sum(axis=1)
        mean = float(wrong.mean(dtype=np.float64))
        spread = np.sqrt(
            self.weights @ (means - self.weights @ means) ** 2 + mean * (1 - mean) / len(scores)
        )
        reach = 1.645 * float(spread) + _MISFIT
        return Share(mean, max(0.0, mean - reach), min(1.0, mean + reach))

    def share(self) -> Share:
        """How many of all labels are wrong, blind spots left out."""
        wrong = np.maximum(self.shares - _BLIND, 0)
        order = np.argsort(wrong, kind="stable")
        upto = np.cumsum(self.weights[order])
        ends = np.minimum(np.searchsorted(upto, [0.05, 0.95]), len(order) - 1)
        low, high = wrong[order][ends].tolist()
        return Share(float(self.weights @ wrong), low, high)


def fit_disagreements(probs: NDArray[Any], given: NDArray[np.int32]) -> Disagreements:
    """Fit the mixture to labels (r,), all known, and their out-of-fold probabilities (r, k), k
    at least 2.
    """
    logs, classes = _logs(probs), probs.shape[1]
    right = np.ones(len(given))
    pattern = _pattern(logs, given, 1 - np.eye(classes), 0 * right)
    for _ in range(_ROUNDS):
        found = _mixture(logs, given, pattern, right)
        wrong = found.wrong(_scores(logs, given, pattern))
        pattern, right = _pattern(logs, given, pattern, wrong), 1 - wrong
    return found


def _logs(probs: NDArray[Any]) -> NDArray[np.float64]:
    return np.log(np.maximum(np.asarray(probs, np.float64), _LEAST_PROB))


def _scores(
    logs: NDArray[np.float64], given: NDArray[np.int32], pattern: NDArray[np.float64]
) -> NDArray[np.float64]:
    others = (np.exp(logs) * pattern.T[given]).sum(axis=1)
    return np.asarray(np.log(np.maximum(others, 1e-30)) - logs[np.arange(len(given)), given])


def _pattern(
    logs: NDArray[np.float64],
    given: NDArray[np.int32],
    former: NDArray[np.float64],
    wrong: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(k, k) R from the probability (r,) that each label is wrong; a class with few wrong labels
    has those of any other class.
    """
    classes = len(former)
    shares = np.exp(logs) * former.T[given]
    shares *= (wrong / np.maximum(shares.sum(axis=1), 1e-30))[:, None]
    errors = group_sums(shares, given, classes).T
    apart = 1 - np.eye(classes)
    mix = (np.bincount(given, minlength=classes) + 0.5) * apart
    mix /= mix.sum(axis=1, keepdims=True)
    prior = min(classes, _PRIOR_ERRORS)
    pattern = (errors + prior * mix) / (errors.sum(axis=1, keepdims=True) + prior) * apart
    return np.asarray(pattern / pattern.sum() * classes * (classes - 1))


def _mixture(
    logs: NDArray[np.float64],
    given: NDArray[np.int32],
    pattern: NDArray[np.float64],
    right: NDArray[np.float64],
) -> Disagreements:
    """The posterior for one R, given the probability (r,) that each label is right."""
    scores = _scores(logs, given, pattern)
    counts, confirmed = np.histogram(scores, _EDGES)[0], np.histogram(-scores, _EDGES)[0]
    bins = _bins(_all_scores(logs, pattern))
    swapped, seen = _swapped(bins, given, pattern, right)
    drawn = _drawn(bins, logs)
    amplitude, decay, bend, tilt = (
        axis.ravel() for axis in np.meshgrid(_AMPLITUDES, _DECAYS, _BENDS, _TILTS, indexing="ij")
    )
    expected = _smooth(confirmed.astype(np.float64)) + _STEP
    kept = expected * np.exp(
        amplitude[:, None] - decay[:, None] * _MIDDLES - bend[:, None] * _MIDDLES**2
    )  # (m, b)
    tilted = swapped * np.exp(-tilt[:, None] * _MIDDLES)
    tilted *= swapped.sum() / tilted.sum(axis=1, keepdims=True)  # (m, b)
    wrong = _SHARES * len(given)
    likely = _log_likelihood(counts, kept, tilted, wrong)  # (m, s)
    known = _normal(amplitude, *_AMPLITUDE) + np.log(_BEND_PRIOR)[np.searchsorted(_BENDS, bend)]
    heat = min(1.0, _COUNTS / max(1, int(counts.sum())))
    prior = (
        known + _normal(np.log(decay), *_DECAY) + np.log(_TILT_PRIOR)[np.searchsorted(_TILTS, tilt)]
    )
    logged = heat * likely + prior[:, None]
    weights = np.exp(logged - logged.max())
    unprejudiced = np.where(tilt == 0, known + _normal(np.log(decay), *_OPEN_DECAY), -np.inf)
    none_wrong = _log_likelihood(counts, kept, tilted, np.zeros(1))[:, 0]
    gain = (likely + unprejudiced[:, None]).max() - (none_wrong + unprejudiced).max()
    likeliest = np.nonzero(weights >= _LEAST_WEIGHT)
    shares, weights = _SHARES[likeliest[1]], weights[likeliest]
    lost = wrong[likeliest[1]][:, None] * tilted[likeliest[0]]  # (g, b)
    pure = np.maximum.accumulate(lost / (kept[likeliest[0]] + lost), axis=1)
    pure *= np.maximum(0, 1 - _BLIND / shares)[:, None]
    return Disagreements(pattern, weights / weights.sum(), shares, pure, float(gain), drawn, seen)


def _drawn(bins: NDArray[np.intp], logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(b,) share of labels in each bin, of labels drawn from the probabilities; `bins` (r, k) are
    those of the score that each label would have on each row.
    """
    probs = np.exp(logs)
    return np.asarray(np.bincount(bins.ravel(), probs.ravel(), _BINS + 1)[:_BINS] / len(logs))


def _all_scores(logs: NDArray[np.float64], pattern: NDArray[np.float64]) -> NDArray[np.float64]:
    """(r, k) score that each label would have on each row."""
    return np.asarray(np.log(np.maximum(np.exp(logs) @ pattern, 1e-30)) - logs)


def _bins(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """The bin of each score; `_BINS` for those below 0."""
    return np.where(scores < 0, _BINS, np.clip(scores / _STEP, 0, _BINS - 1).astype(np.intp))


def _swapped(
    bins: NDArray[np.intp],
    given: NDArray[np.int32],
    pattern: NDArray[np.float64],
    right: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Shares of the bins (r, k) among labels swapped in thought by R, and of all bins together."""
    chance = np.cumsum(pattern[given], axis=1)
    chance /= chance[:, -1:]
    rng, rows, last = np.random.default_rng(0), len(given), pattern.shape[1] - 1
    counts, total = np.zeros(_BINS + 1), 0.0
    left = max(1, -(-_SWAPS // rows))
    while left > 0:
        times = min(left, max(1, _SWAPS // bins.size))
        other = (rng.random((times, rows, 1)) > chance).sum(axis=2)
        other = np.minimum(other, last)  # (times, r)
        weights = np.where(other != given, right, 0)
        found = bins[np.arange(rows), other]
        counts += np.bincount(found.ravel(), weights.ravel(), _BINS + 1)
        total += weights.sum()
        left -= times
    shares = _smooth(counts[:_BINS]) / max(total, 1e-9)
    return shares + 1e-4 * shares.max(), float(min(1.0, shares.sum()))


def _smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean of five bins."""
    return np.convolve(np.pad(counts, 2, mode="edge"), np.full(5, 0.2), "valid")


def _log_likelihood(
    counts: NDArray[np.int64],
    kept: NDArray[np.float64],
    tilted: NDArray[np.float64],
    wrong: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(m, s) of Poisson counts (b,), up to a constant, whose means are those of right labels
    (m, b) and so many (s,) times those of wrong ones (m, b).
    """
    some = np.flatnonzero(counts)
    likely = -(kept.sum(axis=1)[:, None] + tilted.sum(axis=1)[:, None] * wrong)
    means = kept[:, None, some] + wrong[:, None] * tilted[:, None, some]
    likely += np.log(means + 1e-30) @ counts[some].astype(float)
    return np.asarray(likely)


def _normal(value: NDArray[np.float64], mean: float, deviation: float) -> NDArray[np.float64]:
    return -0.5 * ((value - mean) / deviation) ** 2
