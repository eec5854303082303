"""Rounds of probes that learn labels of which some are wrong.

In the first round ridge regression and nearest neighbours learn the labels as they were given. A
noise model then tells of each sample which class was probably meant; in the next rounds logistic
regression and nearest neighbours learn that instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.probes.classifiers.knn import knn_probs
from dataprep.probes.classifiers.logistic import logistic_scores
from dataprep.probes.classifiers.ridge import ridge_scores
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.labels.confident import confident_joint
from dataprep.probes.labels.label_list import MOST_BY_CHANCE, MOST_OF_MANY
from dataprep.probes.labels.noise import NoiseModel, fit_noise, joint_of, transition_of
from dataprep.probes.vectors import blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.features import Features


#: rows to the (rows, k) scores of each probe.
Scores = Callable[["NDArray[np.int64]"], "Sequence[NDArray[Any]]"]
#: Units (images that are neither copies nor of one group) that a class needs for its labels to be
#: judged.
FEWEST = 4
#: A class with fewer units, of which most would be labelled wrongly, is one that the embedding does
#: not see; of a larger class that can be believed.
_SMALL = 30
#: Rows times classes that the noise model is fitted on at most; at least `_FEWEST_FITTED` rows.
MOST_FITTED, _FEWEST_FITTED = 1_500_000, 5_000
#: Factors that may make ridge scores, which run from 0 to 1, logits: the more classes there are,
#: the smaller the scores.
_SCALES = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
#: Rows times classes that the factor is chosen on.
_SCALING = 500_000
#: Agreement of the first round with the labels, beyond chance (Cohen's kappa), below which nothing
#: is judged: features that see so little of the classes look like wrong labels. Among ten classes,
#: errors of 60 % leave 0.3 if the features see everything.
_LEAST_KAPPA = 0.3
#: Agreement of the two probes of the first round (Cohen's kappa) below which their contradictions
#: are no evidence: where features see little, each probe is wrong in its own way. Where many labels
#: are wrong but the classes are seen, the probes agree with each other (0.74 at 40 % wrong labels)
#: far more than with the labels; then a lower agreement does.
_AGREEMENT, _AGREEMENT_OF_MANY, _MORE_THAN_LABELS = 0.75, 0.72, 1.5
#: Classes that a row may partly belong to after the first round.
_KEPT = 3


def given_scores(probs: NDArray[Any]) -> Scores:
    """The scores of one probe: log-probabilities (n, k) that the user gave."""
    return lambda rows: [np.log(np.maximum(np.asarray(probs[rows], np.float32), 1e-6))]


def probe_scores(
    features: Features, near: Nearest, units: NDArray[np.int64], targets: Targets, *, logistic: bool
) -> Scores:
    """The scores of two probes that learn `targets`: ridge or logistic regression, and nearest
    neighbours.
    """
    if logistic:
        linear, scale = logistic_scores(features.values, targets, units), 1.0
    else:
        linear = ridge_scores(features.values, targets, units)
        scale = _scale_of(linear, targets)

    def scores(rows: NDArray[np.int64]) -> Sequence[NDArray[Any]]:
        return [
            np.float32(scale) * linear[rows].astype(np.float32),
            np.log(knn_probs(near, targets, units, rows)),
        ]

    return scores


def _scale_of(scores: NDArray[Any], targets: Targets) -> float:
    """The factor of `_SCALES` that makes the targets most probable, if one in ten labels may be
    anything.
    """
    rows = targets.rows()
    rows = rows[:: max(1, len(rows) * targets.classes // _SCALING)]
    part, codes = scores[rows].astype(np.float32), targets.codes[rows, 0]
    part = part - part.max(axis=1, keepdims=True)
    own = part[np.arange(len(rows)), codes]
    likely = []
    for scale in _SCALES:
        probs = np.exp(scale * own) / np.exp(scale * part).sum(axis=1)
        likely.append(float(np.log(0.9 * probs + 0.1 / targets.classes).mean()))
    return _SCALES[int(np.argmax(likely))]


def meant_targets(
    scores: Scores, labels: NDArray[np.int32], classes: tuple[str, ...], units: NDArray[np.int64]
) -> Targets:
    """Targets of the next round: the classes that were probably meant, with their probabilities."""
    counts = unit_counts(labels, units, len(classes))
    few = counts < FEWEST
    model = fitted_noise(scores, np.where(few[labels], -1, labels), len(classes))
    kept = min(_KEPT, len(classes))
    codes = np.full((len(labels), kept), -1, np.int32)
    weights = np.zeros((len(labels), kept), np.float32)
    sure = np.flatnonzero((labels >= 0) & few[labels])
    codes[sure, 0], weights[sure, 0] = labels[sure], 1
    for rows in blocks(np.flatnonzero((labels >= 0) & ~few[labels])):
        posterior = model.posterior(model.pooled(scores(rows)), labels[rows])
        best = np.argpartition(-posterior, kept - 1, axis=1)[:, :kept]
        shares = np.take_along_axis(posterior, best, axis=1)
        order = np.argsort(-shares, axis=1, kind="stable")
        codes[rows] = np.take_along_axis(best, order, axis=1)
        weights[rows] = np.take_along_axis(shares, order, axis=1)
    rows = np.flatnonzero(labels >= 0)
    right = (weights[rows] * (codes[rows] == labels[rows, None])).sum(axis=1)
    lost = rows[unseen_classes(right, labels[rows], counts)[labels[rows]]]
    codes[lost], weights[lost] = -1, 0
    codes[lost, 0], weights[lost, 0] = labels[lost], 1
    return Targets(codes, weights, len(classes))


def tells_apart(scores: Scores, labels: NDArray[np.int32], classes: int) -> bool:
    """Whether the probes agree with the labels more than chance would: Cohen's kappa, and how
    sure it is above 0.
    """
    rows = _spread(labels, classes)
    predicted = predicted_classes(scores, rows)
    chance = _chance(predicted, labels[rows], classes)
    spread = np.sqrt(chance / max(1e-9, 1 - chance) / len(rows))
    return cohens_kappa(predicted, labels[rows], classes) > max(_LEAST_KAPPA, 3 * float(spread))


def most_wrong_by_chance(scores: Scores, labels: NDArray[np.int32], classes: int) -> float:
    """How much the probes' contradictions count (`dataprep.probes.labels.label_list`), by how
    far the two agree with each other.
    """
    rows = _spread(labels, classes)
    both = [[score.argmax(axis=1) for score in scores(part)] for part in blocks(rows)]
    one, other = (np.concatenate(each) for each in zip(*both, strict=True))
    agreement = cohens_kappa(one, other, classes)
    if agreement >= _AGREEMENT_OF_MANY and agreement >= _MORE_THAN_LABELS * cohens_kappa(
        one, labels[rows], classes
    ):
        return MOST_OF_MANY
    return MOST_BY_CHANCE if agreement >= _AGREEMENT else 0.0


def _spread(labels: NDArray[np.int32], classes: int) -> NDArray[np.int64]:
    """Rows with a label, some of them where they are many."""
    rows = np.flatnonzero(labels >= 0)
    return rows[:: max(1, len(rows) * classes // MOST_FITTED)]


def predicted_classes(scores: Scores, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """(len(rows),) class that the probes together find most probable."""
    return np.concatenate([_equally_pooled(scores(part)).argmax(axis=1) for part in blocks(rows)])


def cohens_kappa(one: NDArray[Any], other: NDArray[Any], classes: int) -> float:
    """Agreement of two classifications beyond chance: 1 always, 0 as by chance.

    >>> cohens_kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]), 2)
    0.5
    """
    chance = _chance(one, other, classes)
    return float((one == other).mean() - chance) / max(1e-9, 1 - chance)


def _chance(one: NDArray[Any], other: NDArray[Any], classes: int) -> float:
    """Agreement of two classifications by chance."""
    shares = [np.bincount(each, minlength=classes) / len(each) for each in (one, other)]
    return float(shares[0] @ shares[1])


def _equally_pooled(scores: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.asarray(sum(scores[1:], scores[0]))


def unit_counts(
    labels: NDArray[np.int32], units: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """(k,) number of units of each class."""
    rows = np.flatnonzero(labels >= 0)
    pairs = np.unique(np.stack([labels[rows].astype(np.int64), units[rows]]), axis=1)
    return np.bincount(pairs[0], minlength=classes)


def unseen_classes(
    right: NDArray[Any], labels: NDArray[np.int32], counts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(k,) small classes whose labels (r,) would mostly be wrong, by the probability (r,) that
    each is right.
    """
    size = len(counts)
    share = np.bincount(labels, right, size) / np.maximum(np.bincount(labels, minlength=size), 1)
    return (counts < _SMALL) & (share < 0.5)


def fitted_noise(scores: Scores, labels: NDArray[np.int32], classes: int) -> NoiseModel:
    """The noise model of the rows with a label, fitted on some of them, its transition on all."""
    rows = np.flatnonzero(labels >= 0)
    most = max(MOST_FITTED // classes, _FEWEST_FITTED)
    some = rows
    if len(rows) > most:
        some = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    seen = scores(some)
    start = NoiseModel(np.full(len(seen), 1 / len(seen)), np.zeros(classes), np.eye(classes))
    model = fit_noise(seen, labels[some], confident_joint(start.pooled(seen), labels[some]))
    if len(some) == len(rows):
        return model
    joint = np.zeros((classes, classes))
    for part in blocks(rows):
        joint += joint_of(
            model.posterior(model.pooled(scores(part)), labels[part]), labels[part], classes
        )
    return replace(
        model,
        transition=transition_of(
            joint, np.bincount(labels[rows], minlength=classes).astype(np.float64)
        ),
    )
