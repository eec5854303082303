"""What samples that a model has seen do to a test score, by a classifier that remembers: the
nearest training sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

Rows = NDArray[np.int64]

#: Fewest samples of a split, and affected ones of it, whose accuracy is worth a word.
_FEWEST, _FEWEST_AFFECTED = 20, 5
#: Comparisons at once, and in all: above, samples without a training sample among their nearest are
#: left out.
_BLOCK, _MOST = 1 << 22, 1 << 33


def score_effects(
    dataset: Dataset,
    look: Look,
    splits: NDArray[Any],
    known: NDArray[np.bool_],
    affected: NDArray[np.bool_],
) -> dict[str, dict[str, Any]]:
    """Split to what its affected samples do to the accuracy of the label of the nearest training
    sample, by embedding.

    Each value has ``text`` and ``accuracy``: ``all`` samples, those ``without`` affected ones, the
    ``affected`` ones, and ``same_classes``: unaffected ones weighted to the affected ones' mix of
    classes. Empty without labels, embeddings or a split named train; splits with fewer than 20
    samples or 5 affected ones are left out.
    """
    if not dataset.has("embedding") or not dataset.has("label") or "train" not in splits[known]:
        return {}
    if dataset.task in ("multi-label", "regression"):
        return {}
    labels = np.asarray(pd.factorize(dataset.samples["label"])[0], np.int64)
    usable = known & (labels >= 0) & look.features().known
    training = np.flatnonzero(usable & (splits == "train"))
    effects = {}
    for split in sorted({str(name) for name in splits[usable & affected]} - {"train"}):
        rows = np.flatnonzero(usable & (splits == split))
        if len(rows) >= _FEWEST and affected[rows].sum() >= _FEWEST_AFFECTED and len(training):
            seen = _nearest_of(look, rows, training)
            rows, seen = rows[seen >= 0], seen[seen >= 0]
            effects[split] = _effect(
                split, labels[rows], labels[seen] == labels[rows], affected[rows]
            )
    return {split: effect for split, effect in effects.items() if effect}


def _nearest_of(look: Look, rows: Rows, training: Rows) -> Rows:
    """(r,) the nearest training row of each of `rows`, -1 where it would take too long to say."""
    found = look.neighbours()
    is_training = np.zeros(len(found.indices) + 1, bool)  # the last place is that of no neighbour
    is_training[training] = True
    among = is_training[found.indices[rows]]
    first = among.argmax(axis=1)
    nearest: Rows = np.where(among.any(axis=1), found.indices[rows, first], -1).astype(np.int64)
    missing = np.flatnonzero(nearest < 0)
    if len(missing) * len(training) <= _MOST:
        values = look.features().values
        known = values[training]
        step = max(1, _BLOCK // len(training))
        for start in range(0, len(missing), step):
            part = missing[start : start + step]
            nearest[part] = training[(values[rows[part]] @ known.T).argmax(axis=1)]
    return nearest


def _effect(
    split: str, labels: Rows, right: NDArray[np.bool_], affected: NDArray[np.bool_]
) -> dict[str, Any]:
    if not affected.any() or affected.all():
        return {}
    everyone = float(right.mean())
    without = float(right[~affected].mean())
    seen = float(right[affected].mean())
    same = _weighted(labels, right, affected)
    text = (
        f"; the class of the nearest training image is right for {seen:.0%} of them"
        + (f", and for {same:.0%} of the other samples of the same classes" if same == same else "")
        + f"; without them accuracy in {split} is {without:.3f} instead of {everyone:.3f}"
    )
    accuracy = {
        "all": everyone,
        "without": without,
        "affected": seen,
        "same_classes": None if same != same else same,
    }
    return {"text": text, "accuracy": accuracy}


def _weighted(labels: Rows, right: NDArray[np.bool_], affected: NDArray[np.bool_]) -> float:
    """Accuracy of unaffected samples, their classes weighted as among affected ones; NaN where
    they share no class.
    """
    count = int(labels.max()) + 1
    others = np.bincount(labels[~affected], minlength=count)
    accuracy = np.bincount(labels[~affected], right[~affected], minlength=count) / np.maximum(
        others, 1
    )
    weight = np.bincount(labels[affected], minlength=count) * (others > 0)
    return float((weight * accuracy).sum() / weight.sum()) if weight.any() else float("nan")
