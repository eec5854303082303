"""The statistics by which two samples are compared, and their p-values, corrected for all of
them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.statistics.properties import Property, measured_properties
from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.ridge import ridge_out_of_fold
from dataprep.probes.two_sample import (
    family_wise,
    log_tail,
    normal_scores,
    permuted_sides,
    standardised,
    sums,
    within,
)
from dataprep.probes.vectors import principal_directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.splits.two_samples import Pair

#: Shares of the error rate of families of statistics; the other families share `_REST` equally.
_SHARES = {"brightness": 0.35, "content": 0.15, "combination": 0.1}
_REST = 0.4
#: Within a family: shares of its kinds of statistics; those of one kind share equally.
_KIND_SHARES = {
    "exposure": 3.0,
    "mean": 1.0,
    "location": 1.0,
    "level": 1.0,
    "spread": 0.25,
    "classifier": 1.0,
}
#: Levels of a category that are looked at, most frequent first, and rows that one needs on it and
#: off it.
_LEVELS, _LEAST_LEVEL = 8, 5
#: Penalties of the classifiers, in units of the features' mean variance.
_PROPERTY_RIDGE, _CONTENT_RIDGE = 0.1, 1.0
#: Folds of the classifiers.
_FOLDS = 10
#: Columns that a change of exposure moves by a known amount: luma by its own law, these with the
#: gain.
_WITH_GAIN = ("contrast", "saturation", "chroma_p99")
_EXPOSURE_RIDGE = 0.1


@dataclass(frozen=True, eq=False)
class Statistic:
    """One way in which two samples may differ.

    Attributes:
        family: what differs, in a word.
        kind: location, mean, spread, level, exposure (all of luma in the pattern of an offset, a
            gain or a gamma), classifier.
        property: whose figures; None for classifiers.
        scores: (n,) what each row adds to the own side's sum.
        level: code of the category; -1 for other kinds.
    """

    family: str
    kind: str
    property: Property | None
    scores: NDArray[np.float64]
    level: int = -1


#: Logarithms of probabilities this close are the same.
_SAME_STRENGTH = 0.1


@dataclass(frozen=True, eq=False)
class Tested:
    """A family of statistics that was tested.

    Attributes:
        best: the statistic that differs most, for its share.
        probability: p-value corrected for everything that was tested in this pair.
        deviation: standardised difference of `best`: positive where the own side has more.
        statistics: all of the family, with their deviations.
    """

    best: Statistic
    probability: float
    deviation: float
    statistics: tuple[tuple[Statistic, float], ...]


def compare(pair: Pair, draws: int) -> dict[str, Tested]:
    """Family to what was found, for a comparable pair.

    Args:
        pair: the two samples.
        draws: random divisions that the real one is held against.
    """
    rng = np.random.default_rng(0)
    sides = permuted_sides(pair.own, pair.strata, pair.lumps, draws, rng)
    statistics = [each for each in _statistics(pair) if each.scores.std() > 1e-9]
    if not statistics:
        return {}
    deviations = standardised(
        sums(sides, np.stack([each.scores for each in statistics], axis=1).astype(np.float32))
    )
    for family, features, ridge in _classifiers(pair, statistics):
        scores, values = _classified(pair, features, ridge, sides)
        statistics.append(Statistic(family, "classifier", None, scores))
        deviations = np.column_stack([deviations, np.maximum(values, 0)])
    weights, logs = _weights(statistics), log_tail(deviations)
    corrected = family_wise(logs, weights)
    result = {}
    for family in dict.fromkeys(each.family for each in statistics):
        places = [i for i, each in enumerate(statistics) if each.family == family]
        strengths = logs[0, places] - np.log(weights[places])
        # The first of those that say the same, whatever the processor's last bit makes of ties.
        best = places[int(np.argmax(strengths <= strengths.min() + _SAME_STRENGTH))]
        members = tuple((statistics[i], float(deviations[0, i])) for i in places)
        result[family] = Tested(
            statistics[best], float(corrected[best]), float(deviations[0, best]), members
        )
    return result


def _statistics(pair: Pair) -> Iterator[Statistic]:
    properties = list(measured_properties(pair.samples))
    for each in properties:
        yield from _of_category(each, pair) if each.categories else _of_number(each, pair)
    yield from _of_exposure({each.name: each for each in properties}, pair)


def _of_number(each: Property, pair: Pair) -> Iterator[Statistic]:
    known = np.isfinite(each.values)
    if not known.any():
        return
    filled = np.where(known, each.values, np.median(each.values[known]))
    location = normal_scores(within(filled[:, None], pair.strata))
    kind = "mean" if each.name == "luma_mean" else "location"
    yield Statistic(each.family, kind, each, _centred(location, pair, known))
    yield Statistic(
        each.family, "spread", each, _centred(normal_scores(np.abs(location)), pair, known)
    )
    if not known.all() and _LEAST_LEVEL <= (~known).sum() <= len(known) - _LEAST_LEVEL:
        yield Statistic(
            each.family, "level", each, within((~known).astype(np.float64), pair.strata)
        )


def _centred(
    scores: NDArray[np.float64], pair: Pair, known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    return np.where(known, within(scores, pair.strata)[:, 0], 0.0)


def _of_category(each: Property, pair: Pair) -> Iterator[Statistic]:
    codes = each.values.astype(np.int64)
    counts = np.bincount(codes)
    for level in np.argsort(-counts, kind="stable")[:_LEVELS]:
        if _LEAST_LEVEL <= counts[level] <= len(codes) - _LEAST_LEVEL:
            yield Statistic(
                each.family,
                "level",
                each,
                within((codes == level).astype(np.float64), pair.strata),
                int(level),
            )


def _of_exposure(properties: dict[str, Property], pair: Pair) -> Iterator[Statistic]:
    """Matched filters for an offset, a gain and a gamma of the pixels: they move all percentiles of
    luma at once.

    A filter weighs the columns by the inverse of their covariance within classes, which takes out
    what varies anyway (the linear discriminant for a known difference, Fisher 1936).
    """
    luma = [each for name, each in properties.items() if name.startswith("luma_")]
    others = [properties[name] for name in _WITH_GAIN if name in properties]
    used = [each for each in (*luma, *others) if np.isfinite(each.values).all()]
    if "luma_mean" not in properties or properties["luma_mean"] not in used or len(used) < 3:
        return
    values = np.stack([each.values for each in used], axis=1)
    is_luma = np.array([each.name.startswith("luma_") for each in used])
    inside = within(values, pair.strata)
    spread = np.maximum(inside.std(axis=0), 1e-9)
    scaled = np.clip(inside / spread, -4, 4)
    inverse = np.linalg.inv(scaled.T @ scaled / len(scaled) + _EXPOSURE_RIDGE * np.eye(len(used)))
    for pattern in _patterns(values, is_luma):
        filtered = scaled @ (inverse @ (pattern / spread))
        scores = normal_scores(within(filtered[:, None], pair.strata))
        yield Statistic(
            "brightness", "exposure", properties["luma_mean"], within(scores, pair.strata)[:, 0]
        )


def _patterns(
    values: NDArray[np.float64], is_luma: NDArray[np.bool_]
) -> Iterator[NDArray[np.float64]]:
    """What an offset, a gain and a gamma of the pixels do to the columns; white stays white."""
    below_white = (values < 0.99).mean(axis=0)
    level = np.clip(values, 1e-3, 1)
    yield np.where(is_luma, below_white, 0.0)
    yield np.where(is_luma, below_white, 1.0) * values.mean(axis=0)
    yield np.where(is_luma, (-level * np.log(level)).mean(axis=0), 0.0)


def _classifiers(
    pair: Pair, statistics: list[Statistic]
) -> Iterator[tuple[str, NDArray[np.float32], float]]:
    """Family, features (n, m) centred within strata, and penalty of each classifier two-sample
    test.
    """
    plain = [
        each.scores / each.scores.std()
        for each in statistics
        if each.kind in ("location", "mean", "level")
    ]
    if len(plain) > 1:
        yield "combination", _condensed(np.stack(plain, axis=1)), _PROPERTY_RIDGE
    if pair.vectors is not None:
        known = (pair.vectors != 0).any(axis=1)
        yield (
            "content",
            _condensed(within(pair.vectors, pair.strata) * known[:, None]),
            _CONTENT_RIDGE,
        )


def _condensed(features: NDArray[np.float64]) -> NDArray[np.float32]:
    """Features in at most half as many principal components as there are rows."""
    most = max(2, len(features) // 2)
    if features.shape[1] > most:
        features = features @ principal_directions(features.T @ features, most)[1]
    return np.asarray(features, np.float32)


def _classified(
    pair: Pair, features: NDArray[np.float32], ridge: float, sides: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Out-of-fold scores (n,) of the real division, and the standardised agreement of scores and
    sides for every division.
    """
    folds = folds_of(pair.units, None, _FOLDS)
    share = pair.own - within(pair.own[:, None].astype(np.float64), pair.strata)[:, 0]
    targets = np.ascontiguousarray(sides.T, dtype=np.float32) - share[:, None].astype(np.float32)
    variance = max(float((features**2).sum()) / features.shape[1], 1e-12)
    predicted = ridge_out_of_fold(features, targets, folds, ridge * variance)
    return predicted[:, 0].astype(np.float64), standardised(
        (predicted * targets).sum(axis=0)[:, None]
    )[:, 0]


def _weights(statistics: list[Statistic]) -> NDArray[np.float64]:
    """(k,) share of the error rate of each statistic; they sum to 1."""
    families = list(dict.fromkeys(each.family for each in statistics))
    others = [family for family in families if family not in _SHARES]
    shares = {family: _SHARES.get(family, _REST / max(1, len(others))) for family in families}
    weights = np.zeros(len(statistics))
    for family in families:
        kinds = [each.kind if each.family == family else "" for each in statistics]
        total = sum(_KIND_SHARES[kind] for kind in set(kinds) - {""})
        for i, kind in enumerate(kinds):
            if kind:
                weights[i] = shares[family] * _KIND_SHARES[kind] / total / kinds.count(kind)
    return np.asarray(weights / weights.sum())
