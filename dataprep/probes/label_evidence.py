"""What the features say about the labels: class probabilities that no sample's own label, copy or group had a part in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.probes.knn import knn_probs
from dataprep.probes.ridge import Targets, ridge_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.features import Features
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True, eq=False)
class LabelEvidence:
    """Out-of-fold class probabilities, beside the labels that were given.

    Attributes:
        probs: (n, k) float32; rows sum to 1, NaN where nothing is known of the sample. Unlabelled samples are predicted too.
        classes: the k columns' names.
        given: (n,) int32 column of the given label, -1 where unlabelled.
        notes: what could not be judged, in sentences.
    """

    probs: NDArray[np.float32]
    classes: tuple[str, ...]
    given: NDArray[np.int32]
    notes: tuple[str, ...] = ()


def evidence_of_labels(dataset: Dataset, features: Features, near: Nearest, units: NDArray[np.int64]) -> LabelEvidence:
    """Ask the probes.

    Args:
        dataset: with ``label``; without, there are no classes.
        features: (n, m) where samples lie.
        near: their neighbours.
        units: (n,) number of what has to be left out together.
    """
    given, classes = _codes(dataset)
    if not classes:
        return LabelEvidence(np.zeros((len(dataset), 0), np.float32), (), given)
    targets = Targets.of_labels(np.where(features.known, given, -1).astype(np.int32), len(classes))
    scores = ridge_scores(features.values, targets, units)
    logits = 8 * scores + np.log(knn_probs(near, targets, units))
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    probs[~features.known] = np.nan
    return LabelEvidence(probs.astype(np.float32), classes, given)


def _codes(dataset: Dataset) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """(n,) column of each sample's label, -1 where unlabelled, and the classes, sorted."""
    if "label" not in dataset.samples or dataset.task in ("regression", "multi-label"):
        return np.full(len(dataset), -1, np.int32), ()
    codes, classes = pd.factorize(dataset.samples["label"].astype("object"), sort=True)
    return codes.astype(np.int32), tuple(str(name) for name in classes)
