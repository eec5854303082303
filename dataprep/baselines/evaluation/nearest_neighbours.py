"""Nearest neighbours on embeddings: what a model has to beat that learns nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import known_labels
from dataprep.probes.vectors import blocks, unit_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal

#: Neighbours that vote.
NEIGHBOURS = 10
_ROWS = 1024


def neighbour_baseline(
    values: NDArray[np.float32],
    codes: NDArray[Any],
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    goal: Goal,
) -> NDArray[np.float64]:
    """Probabilities (len(rows), k) of classes or labels, or values (len(rows),), as the mean of the
    10 training rows of the greatest cosine, the nearest weighing most.

    Args:
        values: (n, m) features of all rows (`FeatureSpace`).
        codes: labels of all rows (`dataprep.baselines.goal.codes_of`).
        train: places of the rows that vote; those without a label do not.
        rows: places of the rows to predict.
        goal: what is predicted.
    """
    train = train[known_labels(goal, codes[train])]
    wanted = np.asarray(codes[train], np.float64)
    if goal.kind in ("binary", "multi-class"):
        wanted = np.eye(goal.outputs)[np.asarray(codes[train], np.int64)]
    found = np.zeros((len(rows), *wanted.shape[1:]))
    if not len(train):
        return found
    learned, count = unit_length(values[train]), min(NEIGHBOURS, len(train))
    for block in blocks(np.arange(len(rows)), _ROWS):
        cosines = unit_length(values[rows[block]]) @ learned.T
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        weight = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 1e-3).astype(np.float64)
        weight /= weight.sum(axis=1, keepdims=True)
        found[block] = np.einsum("nr,nr...->n...", weight, wanted[nearest])
    return found
