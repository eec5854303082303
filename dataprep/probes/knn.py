"""Nearest neighbours as a classifier: votes of the neighbours outside a sample's own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.ridge import Targets

#: Cosine by which a neighbour may be farther than the nearest before its vote falls to 1 / e.
_FALL = 0.2
#: Votes that the mix of all classes has beforehand.
_PRIOR = 1.0
_BLOCK = 8192


def knn_probs(near: Nearest, targets: Targets, units: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, classes) probabilities by the votes of neighbours of other units; the mix of all classes where there are none.

    Args:
        near: neighbours of every row.
        targets: rows without a target have no vote.
        units: (n,) number of what has to be left out together.
    """
    probs = np.empty((len(near.indices), targets.classes), np.float32)
    mix = np.zeros(targets.classes)
    for codes, weights in zip(targets.codes.T, targets.weights.T, strict=True):
        mix += np.bincount(codes[codes >= 0], weights[codes >= 0], minlength=targets.classes)
    mix = (mix + 0.5) / (mix.sum() + 0.5 * targets.classes)
    for start in range(0, len(probs), _BLOCK):
        part = slice(start, start + _BLOCK)
        indices, cosine = near.indices[part], near.similarity[part]
        voting = (indices >= 0) & (units[indices] != units[part, None])
        nearest = np.where(voting, cosine, -np.inf).max(axis=1, initial=-2.0)
        votes = np.where(voting, np.exp((cosine - nearest[:, None]) / _FALL), 0)
        counted = _count(indices, votes, targets)
        probs[part] = (counted + _PRIOR * mix) / (counted.sum(axis=1, keepdims=True) + _PRIOR)
    return probs


def _count(indices: NDArray[np.int32], votes: NDArray[np.float32], targets: Targets) -> NDArray[np.float64]:
    """(rows, classes) votes for each class."""
    rows, classes = len(indices), targets.classes
    counted = np.zeros(rows * classes)
    for codes, weights in zip(targets.codes.T, targets.weights.T, strict=True):
        voted = codes[indices]
        inside = (voted >= 0) & (votes > 0)
        cells = (np.arange(rows)[:, None] * classes + voted)[inside]
        counted += np.bincount(cells, (votes * weights[indices])[inside], minlength=rows * classes)
    return counted.reshape(rows, classes)
