"""Groups of images that look alike without being copies of each other, by their embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dataprep.neighbours.components import connect
from dataprep.neighbours.embedding_candidates import unusual_similarity

if TYPE_CHECKING:
    from dataprep.checks.contract import Look
    from dataprep.neighbours.cosine import Nearest

Rows = NDArray[np.int64]

#: Neighbours of each image among which the other must be, on both sides.
_MUTUAL = 5
#: A group larger than this, and than this share of the images, is divided by asking for more
#: similarity, step by step.
_LARGE, _LARGE_SHARE, _STEP, _MOST_ASKED = 50, 0.05, 0.05, 0.98


@dataclass(frozen=True, eq=False)
class Alike:
    """Images that look alike, verified copies counted as one.

    Attributes:
        a, b: (p,) int64 rows of each pair, neither a copy of another image that is kept.
        similarity: (p,) float32 cosine.
        least: cosine from which images count as alike.
        groups: (n,) int64 id of what looks alike or is a copy, -1 when alone.
    """

    a: Rows
    b: Rows
    similarity: NDArray[np.float32]
    least: float
    groups: Rows


def similar_groups(look: Look) -> Rows:
    """(n,) int64 id of what should stay in one split: images that look alike, and verified
    copies; -1 when alone.
    """
    return find_alike(look).groups


def find_alike(look: Look, least: float = 0.0) -> Alike:
    """Pairs and groups of images that look alike: mutual near neighbours that are unusually alike
    (`unusual_similarity`).

    Args:
        look: the second look.
        least: cosine that pairs must reach, whatever is unusual.
    """
    features, found, duplicates = look.features(), look.neighbours(), look.duplicates()
    keeper = duplicates.keeper_of()
    least = max(least, unusual_similarity(features.values, features.known))
    a, b, similarity = _mutual(found, least)
    a, b, similarity = _of_keepers(a, b, similarity, keeper)
    kept = _divided(len(keeper), a, b, similarity)
    a, b, similarity = a[kept], b[kept], similarity[kept]
    together = connect(len(keeper), a, b)[keeper]
    sizes = np.bincount(together, minlength=len(keeper))[together]
    groups = np.full(len(keeper), -1, np.int64)
    groups[sizes > 1] = np.unique(together[sizes > 1], return_inverse=True)[1]
    return Alike(a, b, similarity, least, groups)


def _mutual(found: Nearest, least: float) -> tuple[Rows, Rows, NDArray[np.float32]]:
    """Pairs of rows, a < b, each among the nearest of the other."""
    near, similarity = found.indices[:, :_MUTUAL], found.similarity[:, :_MUTUAL]
    a, column = np.nonzero((near >= 0) & (similarity >= least))
    b, likeness = near[a, column].astype(np.int64), similarity[a, column]
    back = (near[b] == a[:, None]).any(axis=1) & (a < b)
    return a[back], b[back], likeness[back]


def _of_keepers(
    a: Rows, b: Rows, similarity: NDArray[np.float32], keeper: Rows
) -> tuple[Rows, Rows, NDArray[np.float32]]:
    """The pairs as pairs of kept images, the most alike of each two."""
    low, high = np.minimum(keeper[a], keeper[b]), np.maximum(keeper[a], keeper[b])
    order = np.lexsort((-similarity, high, low))
    low, high, similarity = low[order], high[order], similarity[order]
    first = low != high
    first[1:] &= (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return low[first], high[first], similarity[first]


def _divided(count: int, a: Rows, b: Rows, similarity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(p,) which pairs are left when groups that swallow much of the data set have to be more
    alike.
    """
    kept = np.ones(len(a), bool)
    most = max(_LARGE, int(_LARGE_SHARE * count))
    asked = float(similarity.min(initial=1.0)) + _STEP
    while asked <= _MOST_ASKED:
        group = connect(count, a[kept], b[kept])
        large = np.bincount(group, minlength=count)[group] > most
        if not large.any():
            break
        kept &= ~large[a] | (similarity >= asked)
        asked += _STEP
    return kept
