"""Classifier of edits: boosted trees on the statistics of
`dataprep.measures.pairs.agreement`.

The trees (Friedman 2001; 160 of 8 leaves, monotone in the statistics that have one right direction)
were fitted as ``tools/fit_edit_judge.py`` does, on planted edits of photographs and drawings
against drawn templates, scenes drawn again from another place, frames of moving cameras, re-shots,
and icons, emoji and characters of one family. They say how surely the one picture is the other,
edited, not what was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dataprep.measures.pairs.agreement import Agreement

_FILE = "edit_model.npz"
#: Longest path from the root of a tree to a leaf.
_DEEPEST = 7


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees as arrays, each (trees, nodes).

    Attributes:
        names: the statistics that `feature` numbers.
        feature, threshold: what a node asks; `left`, `right`: the next node where the value is at
            most the threshold, and above.
        missing_left: whether an unknown value goes left. `leaf`, `value`: whether a node is the
            end, and what it adds.
        start: the score of no tree.
    """

    names: tuple[str, ...]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float32]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    leaf: NDArray[np.bool_]
    value: NDArray[np.float32]
    start: float

    def score(self, values: NDArray[np.float64]) -> float:
        """Log odds of an edit, from the statistics in the order of `names`; NaN stands for an
        unknown one.
        """
        trees = np.arange(len(self.feature))
        node = np.zeros(len(trees), np.int64)
        for _ in range(_DEEPEST):
            asked = values[self.feature[trees, node]]
            goes_left = np.where(
                np.isnan(asked),
                self.missing_left[trees, node],
                asked <= self.threshold[trees, node],
            )
            following = np.where(goes_left, self.left[trees, node], self.right[trees, node])
            node = np.where(self.leaf[trees, node], node, following)
        return self.start + float(self.value[trees, node].sum(dtype=np.float64))


def edit_score(found: Agreement) -> float:
    """Log odds that the pair with these statistics is an edit rather than another shot, a template
    or a look-alike.

    The odds are those of the pairs it was fitted on; `dataprep.measures.pairs.alignment.judge` says
    from which on it is called one.
    """
    trees = _trees()
    return trees.score(np.array([getattr(found, name) for name in trees.names], np.float64))


@cache
def _trees() -> Trees:
    with (
        (files(__package__) / _FILE).open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    whole = {name: arrays[name].astype(np.int64) for name in ("feature", "left", "right")}
    kept = {name: arrays[name] for name in ("threshold", "missing_left", "leaf", "value")}
    return Trees(tuple(map(str, arrays["features"])), **whole, **kept, start=float(arrays["start"]))
