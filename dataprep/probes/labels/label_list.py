"""The list of labels that are probably wrong, decided once for every check: which are on it, and
what may be said of them.

A list is stated where the disagreements (`dataprep.probes.labels.disagreements`) show swapped
labels beyond the tail that hard but rightly labelled images make, and where there are enough images
for its share of wrong labels to hold. Else there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dataprep.probes.labels.disagreements import Share, fit_disagreements
from dataprep.probes.labels.judgements import with_judgements
from dataprep.probes.vectors import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.probes.labels.disagreements import Disagreements

#: Why there is no list: "" there is one, or nothing to decide on; "tail" nothing stands out from
#: hard images; "few" something does, among too few images to say how much; "blind" the features do
#: not tell the classes apart.
Withheld = Literal["", "tail", "few", "blind"]

#: Gain in log-likelihood by swapped labels below which nothing stands out. Natural sets reach 3.8,
#: 5 % planted 44 and more.
_GATE = 8.0
#: Labels that would be contradicted as surely if all were drawn from the probabilities, as a share
#: of those that are, from which on the contradictions are the classifier's own: 0.17 and less where
#: up to 20 % are swapped, 0.36 and more where features see little. The second where very many
#: labels are wrong (0.39 at 42 %).
MOST_BY_CHANCE, MOST_OF_MANY = 0.25, 0.55
#: Labels, and labels a class, from which on a share is stated.
ENOUGH, ENOUGH_A_CLASS = 1500, 60
#: Probability by the noise model, and by the score, from which on a label is listed; share below
#: which a list is none.
_DOUBT, _WRONG, _LEAST_SHARE = 0.5, 0.25, 0.5
#: No label is called wrong with more certainty than this: of 128 labels of people (CIFAR-10N) that
#: the score puts above it, 125 were wrong, which bears out 0.93 to 0.99.
MOST_SURE = 0.95
#: Judged labels among those in doubt from which on a person's judgement stands for evidence.
_ENOUGH_JUDGED = 10
#: Rows times classes, and rows, that the mixture is fitted on at most.
_FITTED, _FEWEST_FITTED = 1_500_000, 5_000


@dataclass(frozen=True, eq=False)
class LabelList:
    """What is listed, and what holds for it.

    Attributes:
        wrong: (n,) float32 probability that the label is wrong, at most `MOST_SURE`; NaN where not
            judged.
        scores: (n,) float32 log odds against the label, by which labels are ranked; NaN where not
            judged.
        listed: (n,) whether the label is on the list.
        precision: share of the list that is wrong; None without one.
        rate: share of all judged labels that is wrong; None without a list.
        withheld: why there is no list.
        in_doubt: how many labels would be listed if that did not stand in the way.
    """

    wrong: NDArray[np.float32]
    scores: NDArray[np.float32]
    listed: NDArray[np.bool_]
    precision: Share | None = None
    rate: Share | None = None
    withheld: Withheld = ""
    in_doubt: int = 0


def no_list(rows: int, withheld: Withheld = "") -> LabelList:
    """Nothing judged, nothing listed."""
    unknown = np.full(rows, np.nan, np.float32)
    return LabelList(unknown, unknown.copy(), np.zeros(rows, bool), withheld=withheld)


def list_labels(
    probs: NDArray[Any],
    labels: NDArray[np.int32],
    doubt: NDArray[np.float32],
    judged: NDArray[np.int8] | None = None,
    *,
    most_by_chance: float = MOST_BY_CHANCE,
) -> LabelList:
    """Decide which labels are listed.

    Args:
        probs: (n, k) out-of-fold probabilities.
        labels: (n,) columns of the labels to judge, -1 for the others.
        doubt: (n,) probability of being wrong by the noise model.
        judged: (n,) what a person found: 1 right, -1 wrong, 0 not looked at.
        most_by_chance: share of the surely contradicted labels that the classifier may expect of
            itself, below which there is a list; 0 for none, where the classifiers see too little of
            the classes.
    """
    found, rows = no_list(len(labels)), np.flatnonzero(labels >= 0)
    classes = len(np.unique(labels[rows]))
    if classes < 2:
        return found
    fit = fit_disagreements(*_some(probs, labels, rows))
    scores = np.concatenate([fit.scores(probs[part], labels[part]) for part in blocks(rows)])
    wrong = fit.wrong(scores)
    known = np.zeros(len(rows), np.int8) if judged is None else judged[rows]
    wrong = with_judgements(wrong, known)
    found.scores[rows], found.wrong[rows] = scores, np.minimum(wrong, MOST_SURE)
    doubted = doubt[rows] >= _DOUBT
    chosen = (doubted & (wrong >= _WRONG) & (scores > 0) | (known < 0)) & (known <= 0)
    borne_out = int((known[doubted] != 0).sum()) >= _ENOUGH_JUDGED and bool((known < 0).any())
    stands_out = fit.evidence >= _GATE and fit.by_chance(scores) < most_by_chance
    if not chosen.any() or not (stands_out or borne_out):
        return replace(found, withheld="tail")
    enough = len(rows) >= ENOUGH and len(rows) >= ENOUGH_A_CLASS * classes
    precision = fit.share_among(np.maximum(scores[chosen], 0), wrong[chosen])
    if not (enough or borne_out) or precision.mean < _LEAST_SHARE:
        return replace(found, withheld="tail" if enough else "few", in_doubt=int(chosen.sum()))
    found.listed[rows[chosen]] = True
    return replace(
        found, precision=precision, rate=_rate(fit, wrong, known), in_doubt=int(chosen.sum())
    )


def _some(
    probs: NDArray[Any], labels: NDArray[np.int32], rows: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Probabilities and labels of the rows that the mixture is fitted on."""
    most = max(_FITTED // probs.shape[1], _FEWEST_FITTED)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    return probs[rows], labels[rows]


def _rate(fit: Disagreements, wrong: NDArray[np.float64], known: NDArray[np.int8]) -> Share:
    """Share of all labels that is wrong; with judgements, in proportion to what they made of the
    probabilities.
    """
    rate = fit.share()
    if not known.any():
        return rate
    scale = float(wrong.sum()) / max(1e-9, len(wrong) * rate.mean * fit.seen)
    return Share(*(min(1.0, scale * end) for end in rate))
