"""What the features say about the labels: class probabilities that no sample's own label, copy or
group had a part in.

Three rounds. In the first, ridge regression and nearest neighbours learn the labels as they were
given; pooled by the noise model (`dataprep.probes.labels.noise`) they say for each sample which
class was probably meant. Then logistic regression and nearest neighbours learn that instead, twice:
labels that are probably wrong no longer speak for their class.

The noise model takes every sure contradiction for an error, and has no other word for a right label
that the features misread as surely. What it doubts is therefore held against the disagreements of
the whole set (`dataprep.probes.labels.label_list`), which decide what is listed and what is said of
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import InputError
from dataprep.probes.classifiers.knn import knn_probs
from dataprep.probes.classifiers.logistic import logistic_scores
from dataprep.probes.classifiers.ridge import ridge_scores
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.labels.confident import confident_joint
from dataprep.probes.labels.label_list import (
    MOST_BY_CHANCE,
    MOST_OF_MANY,
    LabelList,
    list_labels,
    no_list,
)
from dataprep.probes.labels.noise import NoiseModel, fit_noise, joint_of, transition_of
from dataprep.probes.vectors import blocks
from dataprep.schemas.text.spelling import meant_labels
from dataprep.schemas.text.words import first_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.features import Features
    from dataprep.probes.labels.disagreements import Share
    from dataprep.probes.labels.label_list import Withheld
    from dataprep.schemas.dataset import Dataset

    #: rows to the (rows, k) scores of each probe.
    Scores = Callable[[NDArray[np.int64]], Sequence[NDArray[Any]]]

#: Units (images that are neither copies nor of one group) that a class needs for its labels to be
#: judged.
FEWEST = 4
#: A class with fewer units, of which most would be labelled wrongly, is one that the embedding does
#: not see; of a larger class that can be believed.
_SMALL = 30
#: Rows times classes that the noise model is fitted on at most; at least `_FEWEST_FITTED` rows.
_FITTED, _FEWEST_FITTED = 1_500_000, 5_000
#: Rows times classes up to which logistic regression is affordable in the second and in the third
#: round; beyond, ridge regression learns there too.
_LOGISTIC = (1_000_000, 12_000_000)
#: Probabilities beyond this number are held as float16.
_MOST_PROBS = 250_000_000
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
#: The same for given probabilities, with nothing beside them but the labels.
_LEAST_OF_GIVEN = 0.55
_BLIND = (
    "The embedding does not tell the classes apart (a probe agrees with the labels hardly more "
    "often than by chance), so labels were not assessed."
)
#: Classes that a row may partly belong to after the first round.
_KEPT = 3
_BLOCK = 8192
_NAMED = 5


@dataclass(frozen=True, eq=False)
class LabelEvidence:
    """Out-of-fold class probabilities, beside the labels that were given, and which of these are
    probably wrong.

    Attributes:
        probs: (n, k) float32 (float16 beyond 250 million) probabilities of the true class, whatever
            the sample's label; rows sum to 1, NaN where nothing is known of the sample. Unlabelled
            samples are predicted too.
        classes: the k columns' names.
        given: (n,) int32 column of the given label, -1 where unlabelled.
        doubt: (n,) float32 probability that the given label is wrong by the noise model, which
            overstates it where hard images are contradicted; NaN where it cannot be judged: without
            label or features, or of a class with fewer than `FEWEST` units.
        suggested: (n,) int32 the most probable column other than the given one, -1 where not
            judged.
        suggested_probs: (n,) float32 probability that it is the true class, at most `wrong`; NaN
            where not judged.
        joint: (k, k) expected number of judged samples of each true class (rows) with each given
            label (columns); on the diagonal alone where there is no list.
        confident: (k, k) the same by confident learning (`dataprep.probes.labels.confident`), which
            leans to more noise.
        list: which labels are listed as probably wrong, and what holds for them.
        notes: what could not be judged, in sentences.
    """

    probs: NDArray[Any]
    classes: tuple[str, ...]
    given: NDArray[np.int32]
    doubt: NDArray[np.float32]
    suggested: NDArray[np.int32]
    suggested_probs: NDArray[np.float32]
    joint: NDArray[np.float64]
    confident: NDArray[np.float64]
    list: LabelList
    notes: tuple[str, ...] = ()

    @property
    def wrong(self) -> NDArray[np.float32]:
        """(n,) probability that the given label is wrong, NaN where not judged."""
        return self.list.wrong

    @property
    def listed(self) -> NDArray[np.bool_]:
        """(n,) whether the label is listed as probably wrong."""
        return self.list.listed

    @property
    def precision(self) -> Share | None:
        """Share of the list that is wrong; None without a list."""
        return self.list.precision

    @property
    def rate(self) -> Share | None:
        """Share of all judged labels that is wrong; None without a list."""
        return self.list.rate

    @property
    def withheld(self) -> Withheld:
        """Why there is no list."""
        return self.list.withheld

    def candidates(self, most: int) -> NDArray[np.int64]:
        """Rows that the classifier contradicts, where there is no list: the most contradicted,
        or all in doubt if more.
        """
        contradicted = np.flatnonzero(np.nan_to_num(self.list.scores) > 0)
        if self.listed.any():
            return contradicted[:0]
        return contradicted[np.argsort(-self.list.scores[contradicted], kind="stable")][
            : max(most, self.list.in_doubt)
        ]

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(n,) whether the label could be judged."""
        return ~np.isnan(self.doubt)


def evidence_of_labels(
    dataset: Dataset,
    features: Features,
    near: Nearest,
    units: NDArray[np.int64],
    *,
    judged: NDArray[np.int8] | None = None,
) -> LabelEvidence:
    """Ask the probes, or take the user's ``arrays["probs"]`` in their place.

    Args:
        dataset: with ``label``; without, there are no classes.
        features: (n, m) where samples lie.
        near: their neighbours.
        units: (n,) number of what has to be left out together.
        judged: (n,) what a person found: 1 right, -1 wrong, 0 not looked at. It sharpens what is
            said of the other labels.

    Raises:
        InputError: ``probs`` that do not fit `Dataset.classes`, or are no probabilities.
    """
    given, classes = _codes(dataset)
    if not classes:
        return _nothing(len(dataset), given)
    if "probs" in dataset.arrays:
        known = checked_probs(dataset)
        scores = _given_scores(dataset.arrays["probs"])
        rows = np.flatnonzero(known & (given >= 0))
        sees = (
            len(rows) > 0
            and _kappa(_predicted(scores, rows), given[rows], len(classes)) >= _LEAST_OF_GIVEN
        )
        return _judge(
            scores,
            known,
            given,
            classes,
            units,
            judged,
            most_by_chance=MOST_BY_CHANCE if sees else 0.0,
        )
    labels = np.where(features.known, given, -1).astype(np.int32)
    if (labels < 0).all():
        return _nothing(len(dataset), given, classes)
    scores = _probes(features, near, units, Targets.of_labels(labels, len(classes)), logistic=False)
    chance = _most_by_chance(scores, labels, len(classes)) if len(classes) > 1 else 0.0
    if len(classes) > 1 and not _tells_apart(scores, labels, len(classes)):
        return replace(
            _unjudged(scores, features.known, given, classes),
            list=no_list(len(given), "blind"),
            notes=(_BLIND,),
        )
    for most in _LOGISTIC if len(classes) > 1 else ():
        meant = _cleaned(scores, labels, classes, units)
        del scores  # of huge data, two at a time are too many
        scores = _probes(features, near, units, meant, logistic=len(labels) * len(classes) <= most)
    return _judge(scores, features.known, given, classes, units, judged, most_by_chance=chance)


def _codes(dataset: Dataset) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """(n,) column of each sample's label, -1 where unlabelled, and the classes: those of
    ``probs``, or the labels, sorted.
    """
    if "label" not in dataset.samples or dataset.task in ("regression", "multi-label"):
        return np.full(len(dataset), -1, np.int32), ()
    meant = meant_labels(dataset)
    labels = dataset.samples["label"].astype("object").map(lambda label: meant.get(label, label))
    if "probs" in dataset.arrays:
        codes = pd.Index(dataset.classes).get_indexer(pd.Index(labels))
        return codes.astype(np.int32), tuple(map(str, dataset.classes))
    codes, found = pd.factorize(labels, sort=True)
    return codes.astype(np.int32), tuple(str(name) for name in found)


def checked_probs(dataset: Dataset) -> NDArray[np.bool_]:
    """(n,) whether ``arrays["probs"]`` knows each sample (a row of zeros or NaN does not).

    Raises:
        InputError: another shape than (samples, classes), or rows that are not probabilities.
    """
    probs, expected = dataset.arrays["probs"], (len(dataset), len(dataset.classes))
    if probs.shape != expected:
        came = " x ".join(map(str, probs.shape))
        raise InputError(
            f"probs: expected {expected[0]} samples x {expected[1]} classes, got {came}"
        )
    known = np.zeros(len(probs), bool)
    for start in range(0, len(probs), _BLOCK):
        part = np.asarray(probs[start : start + _BLOCK], np.float64)
        absent = np.isnan(part).all(axis=1) | (part == 0).all(axis=1)
        fits = (
            np.isfinite(part).all(axis=1)
            & (part >= 0).all(axis=1)
            & (np.abs(part.sum(axis=1) - 1) < 0.02)
        )
        if not (fits | absent).all():
            row = start + int(np.flatnonzero(~(fits | absent))[0])
            raise InputError(
                "probs: expected probabilities that sum to 1 for each sample, got "
                f"{part[row - start].sum():.3g} in row {row} "
                f"({dataset.samples.index[row]}); leave rows of unknown samples 0"
            )
        known[start : start + _BLOCK] = fits
    return known


def _given_scores(probs: NDArray[Any]) -> Scores:
    return lambda rows: [np.log(np.maximum(np.asarray(probs[rows], np.float32), 1e-6))]


def _probes(
    features: Features, near: Nearest, units: NDArray[np.int64], targets: Targets, *, logistic: bool
) -> Scores:
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


def _cleaned(
    scores: Scores, labels: NDArray[np.int32], classes: tuple[str, ...], units: NDArray[np.int64]
) -> Targets:
    """Targets of the next round: the classes that were probably meant, with their probabilities."""
    counts = _unit_counts(labels, units, len(classes))
    few = counts < FEWEST
    model = _fitted(scores, np.where(few[labels], -1, labels), len(classes))
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
    lost = rows[_unseen(right, labels[rows], counts)[labels[rows]]]
    codes[lost], weights[lost] = -1, 0
    codes[lost, 0], weights[lost, 0] = labels[lost], 1
    return Targets(codes, weights, len(classes))


def _tells_apart(scores: Scores, labels: NDArray[np.int32], classes: int) -> bool:
    """Whether the probes agree with the labels more than chance would: Cohen's kappa, and how
    sure it is above 0.
    """
    rows = _spread(labels, classes)
    predicted = _predicted(scores, rows)
    chance = _chance(predicted, labels[rows], classes)
    spread = np.sqrt(chance / max(1e-9, 1 - chance) / len(rows))
    return _kappa(predicted, labels[rows], classes) > max(_LEAST_KAPPA, 3 * float(spread))


def _most_by_chance(scores: Scores, labels: NDArray[np.int32], classes: int) -> float:
    """How much the probes' contradictions count (`dataprep.probes.labels.label_list`), by how
    far the two agree with each other.
    """
    rows = _spread(labels, classes)
    both = [[score.argmax(axis=1) for score in scores(part)] for part in blocks(rows)]
    one, other = (np.concatenate(each) for each in zip(*both, strict=True))
    agreement = _kappa(one, other, classes)
    if agreement >= _AGREEMENT_OF_MANY and agreement >= _MORE_THAN_LABELS * _kappa(
        one, labels[rows], classes
    ):
        return MOST_OF_MANY
    return MOST_BY_CHANCE if agreement >= _AGREEMENT else 0.0


def _spread(labels: NDArray[np.int32], classes: int) -> NDArray[np.int64]:
    """Rows with a label, some of them where they are many."""
    rows = np.flatnonzero(labels >= 0)
    return rows[:: max(1, len(rows) * classes // _FITTED)]


def _predicted(scores: Scores, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([_equally_pooled(scores(part)).argmax(axis=1) for part in blocks(rows)])


def _kappa(one: NDArray[Any], other: NDArray[Any], classes: int) -> float:
    chance = _chance(one, other, classes)
    return float((one == other).mean() - chance) / max(1e-9, 1 - chance)


def _chance(one: NDArray[Any], other: NDArray[Any], classes: int) -> float:
    """Agreement of two classifications by chance."""
    shares = [np.bincount(each, minlength=classes) / len(each) for each in (one, other)]
    return float(shares[0] @ shares[1])


def _equally_pooled(scores: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.asarray(sum(scores[1:], scores[0]))


def _unit_counts(
    labels: NDArray[np.int32], units: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """(k,) number of units of each class."""
    rows = np.flatnonzero(labels >= 0)
    pairs = np.unique(np.stack([labels[rows].astype(np.int64), units[rows]]), axis=1)
    return np.bincount(pairs[0], minlength=classes)


def _unseen(
    right: NDArray[Any], labels: NDArray[np.int32], counts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(k,) small classes whose labels (r,) would mostly be wrong, by the probability (r,) that
    each is right.
    """
    size = len(counts)
    share = np.bincount(labels, right, size) / np.maximum(np.bincount(labels, minlength=size), 1)
    return (counts < _SMALL) & (share < 0.5)


def _fitted(scores: Scores, labels: NDArray[np.int32], classes: int) -> NoiseModel:
    """The noise model of the rows with a label, fitted on some of them, its transition on all."""
    rows = np.flatnonzero(labels >= 0)
    most = max(_FITTED // classes, _FEWEST_FITTED)
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


def _judge(
    scores: Scores,
    known: NDArray[np.bool_],
    given: NDArray[np.int32],
    classes: tuple[str, ...],
    units: NDArray[np.int64],
    judged: NDArray[np.int8] | None = None,
    *,
    most_by_chance: float = MOST_BY_CHANCE,
) -> LabelEvidence:
    labels = np.where(known, given, -1).astype(np.int32)
    counts = _unit_counts(labels, units, len(classes))
    few = counts < FEWEST
    labels = np.where(few[labels], -1, labels).astype(np.int32)
    rows = np.flatnonzero(known)
    size = len(classes)
    model = _fitted(scores, labels, size)
    evidence = _nothing(len(given), given, classes)
    for part in blocks(rows):
        evidence.probs[part] = model.pooled(scores(part))
        _note_best(evidence, model, part[labels[part] >= 0])
    unseen = _unseen_classes(evidence, labels, counts) & ~few
    _take_back(evidence, np.flatnonzero((labels >= 0) & unseen[labels]))
    labels = np.where(unseen[labels], -1, labels).astype(np.int32)
    evidence.confident[:] = _confident(evidence.probs, labels, size)
    why_few, why_unseen = (
        f"fewer than {FEWEST} independent samples",
        "few samples, and the embedding does not tell them from the other classes",
    )
    notes = (*_notes(few, given, classes, why_few), *_notes(unseen, given, classes, why_unseen))
    evidence = replace(
        evidence,
        list=list_labels(
            evidence.probs, labels, evidence.doubt, judged, most_by_chance=most_by_chance
        ),
        notes=notes,
    )
    return _with_joint(evidence, model, labels)


def _unseen_classes(
    evidence: LabelEvidence, labels: NDArray[np.int32], counts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    rows = np.flatnonzero(labels >= 0)
    return _unseen(1 - evidence.doubt[rows], labels[rows], counts)


def _with_joint(
    evidence: LabelEvidence, model: NoiseModel, labels: NDArray[np.int32]
) -> LabelEvidence:
    """The evidence with its joint distribution and the probabilities of the suggested labels,
    after what the list says.
    """
    size = len(evidence.classes)
    for part in blocks(np.flatnonzero(labels >= 0)):
        wrong = np.nan_to_num(evidence.wrong[part])
        posterior = model.posterior(np.asarray(evidence.probs[part], np.float32), labels[part])
        places = np.arange(len(part))
        posterior[places, labels[part]] = 0
        posterior *= (wrong / np.maximum(posterior.sum(axis=1), 1e-30))[:, None]
        if size > 1:
            evidence.suggested_probs[part] = posterior[places, evidence.suggested[part]]
        posterior[places, labels[part]] = 1 - wrong
        evidence.joint[:] += joint_of(posterior, labels[part], size)
    evidence.joint[:] = _scaled(
        evidence.joint, 0.0 if evidence.rate is None else evidence.rate.mean
    )
    return evidence


def _scaled(joint: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """The joint distribution with a share `rate` off its diagonal; columns keep their sums as
    far as they can.
    """
    apart = joint * (1 - np.eye(len(joint)))
    columns = joint.sum(axis=0)
    apart *= rate * columns.sum() / max(1e-30, float(apart.sum()))
    apart *= np.minimum(1, columns / np.maximum(apart.sum(axis=0), 1e-30))
    return np.asarray(apart + np.diag(columns - apart.sum(axis=0)))


def _take_back(evidence: LabelEvidence, rows: NDArray[np.int64]) -> None:
    """Leave the labels of these rows unjudged."""
    evidence.doubt[rows] = evidence.suggested_probs[rows] = np.nan
    evidence.suggested[rows] = -1


def _confident(probs: NDArray[Any], labels: NDArray[np.int32], classes: int) -> NDArray[np.float64]:
    """Confident learning on some of the rows with a label, in numbers of all of them."""
    rows = np.flatnonzero(labels >= 0)
    some = rows[:: max(1, len(rows) * classes // _FITTED)]
    return confident_joint(np.asarray(probs[some], np.float32), labels[some]) * (
        len(rows) / max(1, len(some))
    )


def _unjudged(
    scores: Scores, known: NDArray[np.bool_], given: NDArray[np.int32], classes: tuple[str, ...]
) -> LabelEvidence:
    """Probabilities alone."""
    evidence = _nothing(len(given), given, classes)
    model = NoiseModel(np.full(2, 0.5), np.zeros(len(classes)), np.eye(len(classes)))
    for part in blocks(np.flatnonzero(known)):
        evidence.probs[part] = model.pooled(scores(part))
    return evidence


def _note_best(evidence: LabelEvidence, model: NoiseModel, rows: NDArray[np.int64]) -> None:
    """Write down the doubt about the labels of these rows, and their best other class."""
    places, given = np.arange(len(rows)), evidence.given[rows]
    posterior = model.posterior(np.asarray(evidence.probs[rows], np.float32), given)
    evidence.doubt[rows] = np.clip(1 - posterior[places, given], 0, 1)
    if posterior.shape[1] > 1:
        posterior[places, given] = -1
        evidence.suggested[rows] = posterior.argmax(axis=1)


def _nothing(rows: int, given: NDArray[np.int32], classes: tuple[str, ...] = ()) -> LabelEvidence:
    size = len(classes)
    kind = np.float16 if rows * size > _MOST_PROBS else np.float32
    unknown = np.full(rows, np.nan, np.float32)
    return LabelEvidence(
        np.full((rows, size), np.nan, kind),
        classes,
        given,
        unknown,
        np.full(rows, -1, np.int32),
        unknown.copy(),
        np.zeros((size, size)),
        np.zeros((size, size)),
        no_list(rows),
    )


def _notes(
    left_out: NDArray[np.bool_], given: NDArray[np.int32], classes: tuple[str, ...], why: str
) -> tuple[str, ...]:
    counts = np.bincount(given[given >= 0], minlength=len(classes))
    names = [repr(classes[code]) for code in np.flatnonzero(left_out & (counts > 0))]
    if not names:
        return ()
    listed = first_of(names, _NAMED)
    return (f"Labels of {listed} were not assessed: {why}.",)
