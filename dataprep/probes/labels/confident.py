"""Confident learning: the joint distribution of given and true labels, counted where the classifier
is confident.

After Northcutt, Jiang and Chuang (2021), "Confident learning: estimating uncertainty in dataset
labels".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def confident_joint(probs: NDArray[Any], given: NDArray[np.int32]) -> NDArray[np.float64]:
    """(k, k) number of samples of each true class (rows) with each given label (columns); columns
    sum to the labels' counts.

    A sample counts for the class with the largest probability among those at or above their
    threshold: the mean probability of a class over the samples labelled so.

    Args:
        probs: (n, k) out-of-fold probabilities.
        given: (n,) labels, all known.
    """
    classes = probs.shape[1]
    counts = np.bincount(given, minlength=classes).astype(np.float64)
    own = np.bincount(given, probs[np.arange(len(given)), given], minlength=classes)
    thresholds = np.where(counts > 0, own / np.maximum(counts, 1), np.inf)
    masked = np.where(probs >= thresholds, probs, -1)
    true = masked.argmax(axis=1)
    sure = masked.max(axis=1, initial=-1) >= 0
    joint = np.zeros((classes, classes))
    np.add.at(joint, (true[sure], given[sure]), 1)
    diagonal = np.diag_indices(classes)
    joint[diagonal] = np.maximum(joint[diagonal], 1)
    return np.asarray(joint / joint.sum(axis=0) * counts)
