"""Duplicates of a data set: files that are equal, pixels that are equal, edits of one picture, and
images of the same scene.

Equal files and pixels are found by their hashes. Of each set of equal images the best one speaks
for all in the search for near duplicates: sources of candidates (`SOURCES`) name pairs that may be
the same, nearest first, and a verifier holds them against each other. Groups are stars: every
member was held against the kept one, or is equal to one that was. What does not stand out from
pairs of this data set that cannot be copies (`dataprep.checks.duplicates.null_pairs`) is not
claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dataprep.checks.duplicates.equal_images import best_first, equal
from dataprep.checks.duplicates.search import (
    EmbeddingSource,
    Progress,
    Search,
    Verifier,
    believed_by_hash,
    verify_files,
)
from dataprep.measures.pairs.comparison import Compared, Confirmed, Link
from dataprep.neighbours.components import connect

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

Rows = NDArray[np.int64]
_UNVERIFIED_CONFIDENCE = 0.7
#: Strengths at which a verified pair is least sure, and as sure as any: log odds, Fisher's z, key
#: points.
_STRENGTHS = {"edit": (2.0, 6.0), "small": (1.0, 2.5), "shot": (12.0, 100.0)}


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Verified duplicates.

    Attributes:
        pairs: one row per pair: ``a``, ``b`` (row positions, a < b), ``kind`` ("bytes", "pixels" or
            "near"), ``relation`` ("B is A cropped to 80 %, re-encoded"), ``confidence`` (0 to 1).
            Every member of a group has a pair with the group's kept member, or with one that is
            equal to it in pixels and has such a pair.
        shots: one row per pair of kept images that are shots of one scene, no copies: ``a``, ``b``
            (rows, a < b), ``key_points`` (how many follow one map), ``confidence``.
        groups: (n,) int64 group id per row, -1 when alone.
        keep: (n,) bool, true for rows that are alone and for the best member of each group: most
            pixels (by steps of 5 %), then without a frame, least compressed, sharpest, first by
            name.
        notes: what was not looked at, in sentences; empty when everything was.
    """

    pairs: pd.DataFrame
    groups: Rows
    keep: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    shots: pd.DataFrame = field(default_factory=lambda: _shot_table([]))

    def keeper_of(self) -> Rows:
        """(n,) row of the kept member of each row's group; the row itself when alone."""
        keepers = np.arange(len(self.groups))
        best = np.full(int(self.groups.max(initial=-1)) + 1, -1)
        kept = np.flatnonzero(self.keep & (self.groups >= 0))
        best[self.groups[kept]] = kept
        inside = self.groups >= 0
        keepers[inside] = best[self.groups[inside]]
        return keepers

    def scenes(self) -> Rows:
        """(n,) id of what shows one scene or is a copy, -1 when alone."""
        keepers = self.keeper_of()
        together = connect(len(keepers), self.shots["a"].to_numpy(), self.shots["b"].to_numpy())[
            keepers
        ]
        sizes = np.bincount(together, minlength=len(keepers))[together]
        return _number_groups(together, sizes == 1)


def find_duplicates(
    dataset: Dataset,
    options: PassOptions,
    *,
    verify: Verifier | None = verify_files,
    most_pairs: int = 200_000,
    progress: Progress | None = None,
    by_embedding: EmbeddingSource | None = None,
) -> Duplicates:
    """Every duplicate of a measured data set.

    Args:
        dataset: with ``file_hash``, ``pixel_hash`` and the arrays of hashes; what is missing finds
            nothing.
        options: limits of decoding, and workers.
        verify: holds candidates against each other; None believes hashes that differ in
            `UNVERIFIED_RADIUS` bits at most.
        most_pairs: candidates that are verified, the nearest ones; the rest is counted in
            `Duplicates.notes`.
        progress: called with (pairs done, pairs in all, note).
        by_embedding: gives further candidates among what hashes leave; they are believed only where
            they are verified; None looks at `arrays["embedding"]` itself.
    """
    order = best_first(dataset)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    leader, exact = equal(dataset, order)
    speakers = order[(leader[order] == order) & dataset.readable[order]]
    if verify is None:
        copies, notes = believed_by_hash(dataset, speakers, rank, options, most_pairs)
        found = Confirmed(copies)
    else:
        search = Search(
            dataset,
            leader,
            speakers,
            rank,
            options,
            verify,
            most_pairs,
            progress,
            by_embedding or EmbeddingSource(),
        )
        found, notes = search.run()
    near = _table(
        [(copy.keeper, copy.row, "near", copy.relation, _confidence(copy)) for copy in found.copies]
    )
    if found.copies:
        leader[near["a"]] = near["a"]  # no keeper is a copy
        leader[near["b"]] = near["a"]
    leader = leader[leader]
    _, groups = np.unique(leader, return_inverse=True)
    alone = np.bincount(groups)[groups] == 1 if len(groups) else np.zeros(0, bool)
    keep = leader == np.arange(len(leader))
    pairs = _in_row_order(pd.concat([exact, near], ignore_index=True) if len(near) else exact)
    shots = [pair for pair in found.others if pair.kind == "shot"]
    return Duplicates(pairs, _number_groups(leader, alone), keep, notes, _shot_table(shots, leader))


def _confidence(copy: Compared) -> float:
    """0.9 at the least strength that counts as a copy, 0.99 where hardly anything speaks against
    it.
    """
    if copy.strength < 0:
        return _UNVERIFIED_CONFIDENCE
    low, high = _STRENGTHS["small" if copy.small else "edit"]
    return round(float(np.interp(copy.strength, [low, high], [0.9, 0.99])), 3)


def _shot_table(shots: list[Compared], leader: Rows | None = None) -> pd.DataFrame:
    """The shots as pairs of kept images, each pair once, with most key points."""
    best: dict[Link, float] = {}
    for shot in shots:
        a, b = (int(leader[row]) if leader is not None else row for row in (shot.keeper, shot.row))
        if a != b:
            best[min(a, b), max(a, b)] = max(shot.strength, best.get((min(a, b), max(a, b)), 0.0))
    low, high = _STRENGTHS["shot"]
    rows = [
        (a, b, points, round(float(np.interp(points, [low, high], [0.7, 0.95])), 3))
        for (a, b), points in sorted(best.items())
    ]
    table = pd.DataFrame(rows, columns=["a", "b", "key_points", "confidence"])
    return table.astype(
        {"a": np.int64, "b": np.int64, "key_points": np.float64, "confidence": np.float64}
    )


def _number_groups(leader: Rows, alone: NDArray[np.bool_]) -> Rows:
    groups = np.full(len(leader), -1, dtype=np.int64)
    groups[~alone] = np.unique(leader[~alone], return_inverse=True)[1]
    return groups


def _table(rows: list[tuple[int, int, str, str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["a", "b", "kind", "relation", "confidence"])
    return table.astype(
        {"a": np.int64, "b": np.int64, "kind": "str", "relation": "str", "confidence": np.float64}
    )


def _in_row_order(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs with a < b, sorted; where the two change places, so do the letters of their
    relation.
    """
    swapped = (pairs["a"] > pairs["b"]).to_numpy()
    low, high = np.minimum(pairs["a"], pairs["b"]), np.maximum(pairs["a"], pairs["b"])
    relation = pairs["relation"].where(~swapped, swap_letters(pairs["relation"]))
    pairs = pairs.assign(a=low, b=high, relation=relation)
    return pairs.sort_values(["a", "b"], ignore_index=True)


def swap_letters(relations: pd.Series[str]) -> pd.Series[str]:
    """Relations as seen from the other side: "B is A mirrored" to "A is B mirrored"."""
    head = relations.str.slice(0, 6).map({"B is A": "A is B", "A is B": "B is A"})
    return head + relations.str.slice(6)
