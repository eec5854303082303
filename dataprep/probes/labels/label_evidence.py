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

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import InputError
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.labels.confident import confident_joint
from dataprep.probes.labels.label_list import MOST_BY_CHANCE, LabelList, list_labels, no_list
from dataprep.probes.labels.noise import NoiseModel, joint_of
from dataprep.probes.labels.rounds import (
    FEWEST,
    MOST_FITTED,
    Scores,
    cohens_kappa,
    fitted_noise,
    given_scores,
    meant_targets,
    most_wrong_by_chance,
    predicted_classes,
    probe_scores,
    tells_apart,
    unit_counts,
    unseen_classes,
)
from dataprep.probes.vectors import blocks
from dataprep.schemas.text.spelling import meant_labels
from dataprep.schemas.text.words import first_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.features import Features
    from dataprep.probes.labels.disagreements import Share
    from dataprep.probes.labels.label_list import Withheld
    from dataprep.schemas.dataset import Dataset


#: Rows times classes up to which logistic regression is affordable in the second and in the third
#: round; beyond, ridge regression learns there too.
_LOGISTIC = (1_000_000, 12_000_000)
#: Probabilities beyond this number are held as float16.
_MOST_PROBS = 250_000_000
#: The same for given probabilities, with nothing beside them but the labels.
_LEAST_OF_GIVEN = 0.55
_BLIND = (
    "The embedding does not tell the classes apart (a probe agrees with the labels hardly more "
    "often than by chance), so labels were not assessed."
)
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
        scores = given_scores(dataset.arrays["probs"])
        rows = np.flatnonzero(known & (given >= 0))
        sees = (
            len(rows) > 0
            and cohens_kappa(predicted_classes(scores, rows), given[rows], len(classes))
            >= _LEAST_OF_GIVEN
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
    scores = probe_scores(
        features, near, units, Targets.of_labels(labels, len(classes)), logistic=False
    )
    chance = most_wrong_by_chance(scores, labels, len(classes)) if len(classes) > 1 else 0.0
    if len(classes) > 1 and not tells_apart(scores, labels, len(classes)):
        return replace(
            _unjudged(scores, features.known, given, classes),
            list=no_list(len(given), "blind"),
            notes=(_BLIND,),
        )
    for most in _LOGISTIC if len(classes) > 1 else ():
        meant = meant_targets(scores, labels, classes, units)
        del scores  # of huge data, two at a time are too many
        scores = probe_scores(
            features, near, units, meant, logistic=len(labels) * len(classes) <= most
        )
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
    counts = unit_counts(labels, units, len(classes))
    few = counts < FEWEST
    labels = np.where(few[labels], -1, labels).astype(np.int32)
    rows = np.flatnonzero(known)
    size = len(classes)
    model = fitted_noise(scores, labels, size)
    evidence = _nothing(len(given), given, classes)
    for part in blocks(rows):
        evidence.probs[part] = model.pooled(scores(part))
        _note_best(evidence, model, part[labels[part] >= 0])
    unseen = _classes_not_seen(evidence, labels, counts) & ~few
    _take_back(evidence, np.flatnonzero((labels >= 0) & unseen[labels]))
    labels = np.where(unseen[labels], -1, labels).astype(np.int32)
    evidence.confident[:] = _confident(evidence.probs, labels, size)
    why_few = f"fewer than {FEWEST} independent samples"
    why_unseen = "few samples, and the embedding does not tell them from the other classes"
    notes = (*_notes(few, given, classes, why_few), *_notes(unseen, given, classes, why_unseen))
    evidence = replace(
        evidence,
        list=list_labels(
            evidence.probs, labels, evidence.doubt, judged, most_by_chance=most_by_chance
        ),
        notes=notes,
    )
    return _with_joint(evidence, model, labels)


def _classes_not_seen(
    evidence: LabelEvidence, labels: NDArray[np.int32], counts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    rows = np.flatnonzero(labels >= 0)
    return unseen_classes(1 - evidence.doubt[rows], labels[rows], counts)


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
    some = rows[:: max(1, len(rows) * classes // MOST_FITTED)]
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
