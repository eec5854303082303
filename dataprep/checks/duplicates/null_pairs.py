"""Whether pairs stand out from what this data set does by itself: pairs of images that cannot be
copies are the null.

Dark surroundings, one background, one template or one stroke make pictures of different things
agree, however rare that is among photographs. So pairs of other labels that are alike are compared
too, and a claim must be stronger than they come: the least strength is that above which at most one
claim in twenty is expected to be of this kind. The tail of the null is taken for exponential beyond
what was drawn, wider and more frequent than it was seen, since claims are picked from many more
pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dataprep.measures.pairs.alignment import SHOT_INLIERS
from dataprep.measures.pairs.comparison import Compared, Link

if TYPE_CHECKING:
    from dataprep.probes.features import Features
    from dataprep.schemas.dataset import Dataset

Rows = NDArray[np.int64]
Strengths = NDArray[np.float64]

#: Share of the claims that may be of the null's kind.
_FALSE_SHARE = 0.05
#: Of the null: share of its pairs that may be copies under two labels after all, and how much more
#: often and further its tail is taken to reach than it was seen to.
_COPIES, _MORE_OFTEN, _FURTHER = 0.03, 5.0, 1.3
#: Pairs drawn at least and at most, images among which the partner of each is sought, and its
#: places by likeness.
_FEWEST, _MOST, _SOUGHT, _PLACES = 40, 120, 400, (2, 6)
#: Strength from which the tail of the null is fitted: Fisher's z of small pictures, key points, log
#: odds of an edit.
_TAIL = {"small": 0.5, "shot": 8.0, "edit": 2.0}
#: Strength that is asked anyway.
_BASE = {"small": 0.0, "shot": float(SHOT_INLIERS), "edit": 0.0}


@dataclass(frozen=True)
class Limits:
    """Strength from which pairs stand out, by their kind; infinite where none do."""

    small: float = 0.0
    shot: float = float(SHOT_INLIERS)
    edit: float = 0.0

    def holds(self, pair: Compared) -> bool:
        """Whether a pair that was found is to be claimed."""
        return pair.strength >= float(getattr(self, kind_of(pair)))


def kind_of(pair: Compared) -> str:
    """Which of the strengths a pair has: "small", "shot" or "edit"."""
    return "small" if pair.small else "edit" if pair.is_copy else "shot"


def limits_of(found: Sequence[Compared], compare_null: Callable[[int], list[Compared]]) -> Limits:
    """The limits for pairs that were compared, copies and others.

    Args:
        found: every pair that was compared.
        compare_null: compares so many pairs that cannot be copies.
    """
    claims = sum(pair.is_copy or pair.kind == "shot" for pair in found)
    if not claims:
        return Limits()
    null = compare_null(int(np.clip(claims, _FEWEST, _MOST)))
    return Limits(**{kind: _limit(kind, found, null) for kind in _TAIL})


def _limit(kind: str, found: Sequence[Compared], null: Sequence[Compared]) -> float:
    claimed = np.array(
        [pair.strength for pair in found if _is_claim(pair) and kind_of(pair) == kind]
    )
    if kind == "edit":  # other shots are no weaker edits
        against = np.array(
            [pair.strength if pair.is_copy else 0.0 for pair in null if not pair.small]
        )
    else:
        against = np.array(
            [
                pair.strength
                for pair in null
                if pair.small == (kind == "small") and not _is_large_edit(pair)
            ]
        )
    compared = sum(pair.small == (kind == "small") for pair in found)
    return least_strength(claimed, against, compared, tail=_TAIL[kind], base=_BASE[kind])


def _is_claim(pair: Compared) -> bool:
    return pair.is_copy or pair.kind == "shot"


def _is_large_edit(pair: Compared) -> bool:
    return pair.is_copy and not pair.small


def least_strength(
    claimed: Strengths, null: Strengths, compared: int, *, tail: float, base: float
) -> float:
    """The least strength at which what is claimed stands out from the null; infinite where nothing
    does.

    Args:
        claimed: (m,) strengths of the pairs to be claimed.
        null: (k,) strengths of pairs that cannot be copies.
        compared: pairs from which the claims were picked.
        tail: strength from which the null is taken for exponential.
        base: what is asked anyway.
    """
    above = np.sort(null[null > tail])
    allowed = int(np.floor(_COPIES * len(null)))
    above = above[: max(0, len(above) - allowed)]
    if not len(above) or not len(claimed):
        return base
    share = min(1.0, _MORE_OFTEN * len(above) / len(null))
    spread = _FURTHER * float((above - tail).mean())
    strengths = np.sort(claimed[claimed >= base])
    expected = compared * share * np.exp(-(strengths - tail) / max(spread, 1e-9))
    kept = len(strengths) - np.arange(len(strengths))
    fine = np.flatnonzero(expected <= _FALSE_SHARE * kept)
    return float(strengths[fine[0]]) if len(fine) else float("inf")


def null_links(
    dataset: Dataset, rows: Rows, copies: Rows, features: Features | None, count: int
) -> list[Link]:
    """Pairs of rows that are alike and cannot be copies: of other labels where there are any, and
    not the most alike.

    Args:
        dataset: with hashes, and labels if there are any.
        rows: that may take part.
        copies: (n,) the row that speaks for each and its verified edits; without labels these are
            no pairs.
        features: embeddings in the space in which they are compared; None goes by hashes.
        count: pairs at most.
    """
    if len(rows) < _PLACES[1] + 2:
        return []
    random = np.random.default_rng(0)
    labels = (
        dataset.samples["label"].astype("str").fillna("").to_numpy(dtype=object)
        if "label" in dataset.samples
        else None
    )
    groups = copies if labels is None or len(set(labels[rows].tolist())) < 2 else labels
    links: dict[Link, None] = {}
    for row in random.permutation(rows)[:count].tolist():
        others = random.permutation(rows)[:_SOUGHT]
        others = others[groups[others] != groups[row]]
        if len(others) > _PLACES[1]:
            order = np.argsort(-_likeness(dataset, features, row, others), kind="stable")
            other = int(others[order[int(random.integers(*_PLACES))]])
            links[min(row, other), max(row, other)] = None
    return list(links)


def _likeness(dataset: Dataset, features: Features | None, row: int, others: Rows) -> Strengths:
    if features is not None and features.known[row]:
        return np.asarray(features.values[others] @ features.values[row], np.float64)
    hashes = (
        dataset.arrays["phash"]
        if "phash" in dataset.arrays
        else np.zeros((len(dataset), 1), np.uint64)
    )
    return np.asarray(-np.bitwise_count(hashes[others, 0] ^ hashes[row, 0]).astype(np.float64))
