"""Which candidates for groups are worth telling, and with which figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dataprep.probes.groups.candidates import Candidate, find_candidates, labels_of
from dataprep.probes.groups.evidence import Likeness, distinct_pairs, likeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

#: Candidates that are told at most.
MOST = 3
#: Share of the likeness within long runs of numbers that short ones must have to be told in their
#: place.
_NEARLY = 0.8
#: Shares of the parts by which it is said how many groups a division by single samples would tear.
_PARTS = (0.7, 0.15, 0.15)


@dataclass(frozen=True, eq=False)
class PossibleGroups:
    """A candidate that is told.

    Attributes:
        candidate: how to group.
        likeness: how much more alike pictures of one group are.
        groups: groups of several samples.
        samples: samples in them.
        torn: groups that a random division into 70, 15 and 15 % would tear, as an expectation;
            copies stay together.
        classes: whether there are classes, which folders then lie below.
    """

    candidate: Candidate
    likeness: Likeness
    groups: int
    samples: int
    torn: float
    classes: bool


class Relatives(NamedTuple):
    """(n,) row of each sample's nearest picture that is no copy, -1 where none is known; and
    what it was found by.
    """

    first: Rows
    by: str


def possible_groups(
    dataset: Dataset, unit: Rows, relatives: Relatives | None = None
) -> list[PossibleGroups]:
    """Possible groups, at most three ways to tell them, the firmest first.

    Args:
        dataset: whose names, columns and labels are looked at.
        unit: (n,) number of what stays together anyway: copies and known groups.
        relatives: the nearest picture of each sample; None: names and columns alone decide.
    """
    label = labels_of(dataset)
    found: list[PossibleGroups] = []
    for candidate in find_candidates(dataset):
        first, by = relatives or Relatives(np.full(len(dataset), -1), "")
        alike = likeness(candidate.code, label, first, by)
        groups, torn = _torn(candidate, unit)
        if groups >= 2 and torn >= 1 and _is_likely(candidate, alike):
            found.append(
                PossibleGroups(
                    candidate,
                    alike,
                    groups,
                    int(candidate.several.sum()),
                    torn,
                    bool(label.max() > 0),
                )
            )
    return _distinct(found)


def is_finer(one: Rows, other: Rows) -> bool:
    """Whether each group of `one` (n,) lies in one group of `other`, as far as both have groups."""
    both = (one >= 0) & (other >= 0)
    if both.sum() < 0.9 * (one >= 0).sum():
        return False
    keys, _ = distinct_pairs(one[both], other[both])
    return len(keys) == len(np.unique(keys))


def _is_likely(candidate: Candidate, alike: Likeness) -> bool:
    if candidate.kind == "numbers":
        return alike.is_run
    return alike.speaks_for or (candidate.firm and not alike.speaks_against)


def _torn(candidate: Candidate, unit: Rows) -> tuple[int, float]:
    """Groups of several samples, and how many of them a random division would tear."""
    rows = np.flatnonzero(candidate.several)
    if not len(rows):
        return 0, 0.0
    keys, _ = distinct_pairs(candidate.code[rows], unit[rows])
    units = np.unique(keys, return_counts=True)[1].astype(np.float64)
    whole = sum(share**units for share in _PARTS)
    return len(units), float((1 - np.asarray(whole)).sum())


def _distinct(found: Sequence[PossibleGroups]) -> list[PossibleGroups]:
    """One way by names, no way that another one implies, and runs of numbers only where nothing
    else speaks.
    """
    best = _best_name([each for each in found if each.candidate.kind == "name"])
    run = _best_run([each for each in found if each.candidate.kind == "numbers"])
    kept: list[PossibleGroups] = []
    for each in found:
        if each.candidate.kind == "name" and each is not best:
            continue
        if each.candidate.kind == "numbers" and (kept or each is not run):
            continue
        if not any(is_finer(each.candidate.code, other.candidate.code) for other in kept):
            kept.append(each)
    return kept[:MOST]


def _best_run(runs: Sequence[PossibleGroups]) -> PossibleGroups | None:
    """The shortest runs that hold nearly all that look alike: sessions that begin within a short
    run are torn by it.
    """
    most = max((each.likeness.share - each.likeness.chance for each in runs), default=0.0)
    return next(
        (each for each in runs if each.likeness.share - each.likeness.chance >= _NEARLY * most),
        None,
    )


def _best_name(names: Sequence[PossibleGroups]) -> PossibleGroups | None:
    """Of those whose pictures look alike, if there are any, the coarsest; of those that cross,
    the one most alike.
    """
    some = [each for each in names if each.likeness.speaks_for] or list(names)
    coarse = [
        each
        for place, each in enumerate(some)
        if not any(
            is_finer(each.candidate.code, other.candidate.code)
            and (place > at or not is_finer(other.candidate.code, each.candidate.code))
            for at, other in enumerate(some)
            if other is not each
        )
    ]
    return max(
        coarse,
        key=lambda each: (round(each.likeness.share - each.likeness.chance, 3), each.groups),
        default=None,
    )
