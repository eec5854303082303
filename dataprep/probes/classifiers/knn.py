"""Nearest neighbours as a classifier: votes of the neighbours outside a sample's own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dataprep.probes.vectors import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.classifiers.targets import Targets

#: Cosine by which a neighbour may be farther than the nearest before its vote falls to 1 / e.
_FALL = 0.2
#: Votes that the mix of all classes has beforehand.
_PRIOR = 1.0


def knn_probs(
    near: Nearest, targets: Targets, units: NDArray[np.int64], rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """(len(rows), classes) probabilities by the votes of neighbours of other units; the mix of
    classes where there are none.

    Args:
        near: neighbours of every row.
        targets: rows without a target have no vote.
        units: (n,) number of what has to be left out together.
        rows: that are asked for; None takes all.
    """
    rows = np.arange(len(near.indices)) if rows is None else rows
    probs = [np.zeros((0, targets.classes), np.float32)]
    mix = targets.mix()
    for block in blocks(rows):
        indices, cosine = near.indices[block], near.similarity[block]
        voting = (indices >= 0) & (units[indices] != units[block, None])
        nearest = np.where(voting, cosine, -np.inf).max(axis=1, initial=-2.0)
        votes = np.where(voting, np.exp(np.minimum(cosine - nearest[:, None], 0) / _FALL), 0)
        counted = _count(indices, votes, targets)
        shares = (counted + _PRIOR * mix) / (counted.sum(axis=1, keepdims=True) + _PRIOR)
        probs.append(shares.astype(np.float32))
    return np.concatenate(probs)


def _count(
    indices: NDArray[np.int32], votes: NDArray[np.float32], targets: Targets
) -> NDArray[np.float64]:
    """(rows, classes) votes for each class."""
    rows, classes = len(indices), targets.classes
    counted = np.zeros(rows * classes)
    for codes, weights in zip(targets.codes.T, targets.weights.T, strict=True):
        voted = codes[indices]
        inside = (voted >= 0) & (votes > 0)
        cells = (np.arange(rows)[:, None] * classes + voted)[inside]
        counted += np.bincount(cells, (votes * weights[indices])[inside], minlength=rows * classes)
    return counted.reshape(rows, classes)
