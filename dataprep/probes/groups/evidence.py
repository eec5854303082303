"""Whether pictures of one group look more alike than others of the same classes: by their
nearest neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.neighbours.cosine import Nearest, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

#: Neighbours among which the first one is looked for that is no copy.
_NEIGHBOURS = 8
#: Samples that are compared by their thumbnails at most, in blocks of names that follow each other.
_MOST, _BLOCK = 20_000, 200
#: From so many samples on, pictures of one group that are no more alike than others speak against
#: it.
_ENOUGH = 500


@dataclass(frozen=True)
class Likeness:
    """How often the nearest picture, copies aside, is of the same group.

    Attributes:
        judged: samples in groups of several that have a nearest picture.
        share: share of them whose nearest picture is of the same group.
        chance: the same, were the groups drawn anew within the classes.
        by: "embedding", "thumbnail", or empty where nothing could be compared.
    """

    judged: int
    share: float
    chance: float
    by: str

    @property
    def speaks_for(self) -> bool:
        """More alike than chance makes them, by an amount that matters."""
        return (
            self.judged >= 20
            and self.share - self.chance >= max(0.1, self.chance)
            and self._deviations >= 5
        )

    @property
    def speaks_against(self) -> bool:
        """No more alike than chance makes them, with samples enough to see it; thumbnails see
        too little to say so.
        """
        return self.by == "embedding" and self.judged >= _ENOUGH and self.share - self.chance < 0.02

    @property
    def is_run(self) -> bool:
        """Alike as pictures of one session are: a nearest picture that is a neighbour by number
        is no accident.
        """
        least = 0.25 if self.by == "embedding" else 0.1
        return (
            self.judged >= 50
            and self.share >= max(least, 5 * self.chance)
            and self._deviations >= 8
        )

    @property
    def _deviations(self) -> float:
        spread = max(self.chance * (1 - self.chance) / max(self.judged, 1), 1e-12)
        return float((self.share - self.chance) / spread**0.5)


def first_relatives(dataset: Dataset, unit: Rows, neighbours: Nearest | None) -> tuple[Rows, str]:
    """(n,) row of each sample's nearest picture that is no copy of it, -1 where none is known, and
    what it was found by.

    Args:
        dataset: measured; its thumbnails stand in where there are no `neighbours`.
        unit: (n,) number of what stays together anyway: copies and known groups.
        neighbours: by embedding; None where there are no embeddings.
    """
    if neighbours is not None:
        return _first_of_others(np.asarray(neighbours.indices, np.int64), unit), "embedding"
    thumb = dataset.arrays.get("thumb")
    if thumb is None or len(dataset) < 2:
        return np.full(len(dataset), -1), ""
    rows = in_blocks(dataset, _MOST)
    values = np.concatenate([thumb[rows] >> 4, thumb[rows] & 15], axis=1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    values /= np.maximum(length, 1e-9)
    found = nearest(values, length[:, 0] > 0, min(_NEIGHBOURS, len(rows) - 1)).indices
    first = np.full(len(dataset), -1)
    first[rows] = _first_of_others(np.where(found >= 0, rows[found], -1), unit, rows)
    return first, "thumbnail"


def distinct_pairs(one: Rows, other: Rows) -> tuple[Rows, Rows]:
    """The pairs (p,) that two columns of numbers (n,) from 0 on make, each once and in ascending
    order.
    """
    width = int(other.max(initial=0)) + 1
    pairs = np.sort(pd.unique(one * width + other))
    return pairs // width, pairs % width


def likeness(code: Rows, label: Rows, first: Rows, by: str) -> Likeness:
    """How much more alike pictures of one group are than others of their classes.

    Args:
        code: (n,) number of each sample's group, -1 for none.
        label: (n,) number of its class.
        first: (n,) row of the nearest picture (`first_relatives`).
        by: what that was found by.
    """
    sizes = np.bincount(code[code >= 0], minlength=1)
    rows = np.flatnonzero((code >= 0) & (sizes[np.maximum(code, 0)] > 1) & (first >= 0))
    if not len(rows):
        return Likeness(0, 0.0, 0.0, by)
    near = first[rows]
    share = float((code[near] == code[rows]).mean())
    classes = int(label.max()) + 2
    members = pd.Series(1, index=code * classes + label + 1).groupby(level=0).size()
    same = members.reindex(code[rows] * classes + label[near] + 1).fillna(0).to_numpy(np.float64)
    of_class = np.bincount(label + 1)[label[near] + 1]
    own = (label[near] == label[rows]).astype(np.float64)
    chance = float(((same - own) / np.maximum(of_class - own, 1)).mean())
    return Likeness(len(rows), share, max(chance, 0.0), by)


def _first_of_others(near: Rows, unit: Rows, rows: Rows | None = None) -> Rows:
    """(r,) the first of each row's neighbours (r, k) that is of another unit, -1 where none is."""
    own = unit if rows is None else unit[rows]
    other = (near >= 0) & (unit[near] != own[:, None])
    column = other.argmax(axis=1)
    return np.where(other.any(axis=1), near[np.arange(len(near)), column], -1)


def in_blocks(dataset: Dataset, most: int) -> Rows:
    """Rows, ascending: all, or about `most` in evenly spread blocks of names that follow each
    other.
    """
    if len(dataset) <= most:
        return np.arange(len(dataset))
    order = np.asarray(dataset.samples.index.argsort(), np.int64)
    blocks = np.array_split(order, len(dataset) // _BLOCK)
    chosen = np.linspace(0, len(blocks) - 1, most // _BLOCK).round().astype(int)
    return np.sort(np.concatenate([blocks[number] for number in chosen]))
