"""split-leakage: duplicates across splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check, Look
from dataprep.checks.duplicates.claims import DUPLICATE_COLUMNS, group_names, member_confidence
from dataprep.checks.duplicates.similar_groups import similar_groups
from dataprep.checks.splits.leaked_score import score_effects
from dataprep.checks.splits.split_shares import share_claims, spread_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.issues import Severity

#: How sure it is that what looks alike is one scene.
_ALIKE_CONFIDENCE, _SHOT_CONFIDENCE = 0.7, 0.8
#: Change of accuracy from which other shots across splits are an error.
_SCORE_CHANGED = 0.01


@dataclass(frozen=True)
class SplitLeakage(Check):
    """
    What it finds:
        Images of one split that are exact or near duplicates of images of another; for each split,
        the share that is affected, and what it does to the score. Then the share that is another
        shot of a scene in another split: a warning, or an error where it changes the score by more
        than a point. As information only: the share that looks like an image of another split
        without being either.

    Why it matters:
        A model is evaluated on images that it was trained on. The score is inflated by an unknown
        amount, so the figure that decides whether the model is fit for use cannot be trusted.

    What to do:
        Keep one image of each group, or the whole group in one split, then train and score again.

    How it works:
        Groups come from the verified duplicates. Of a group in several splits, every member outside
        the kept member's split is a claim. A split's share counts its images that have a duplicate
        in another split. The effect on the score is that on the accuracy of the simplest model that
        remembers: the label of the nearest training image by embedding, on all images of the split,
        without the affected ones, and on the others of the affected ones' classes, weighted to
        their mix. Images that look alike are those of similar-images.

    Known limits:
        As near-duplicate: strong crops and large turns are missed, so the share is a lower bound.
        The effect needs labels, embeddings and a split named train; a model that remembers less
        gains less.

    Measured quality:
        As good as the duplicates are: no false pair among 2,200 unrelated photos
        (`benchmarks/neardup.py`).
    """

    code: ClassVar = "split-leakage"
    family: ClassVar = "splits"
    severity: ClassVar = "error"
    scope: ClassVar = "pair"
    needs: ClassVar = ("split", *DUPLICATE_COLUMNS)
    wants: ClassVar = ("embedding", "label")
    looks: ClassVar = True
    suggestion: ClassVar = "drop"
    summary: ClassVar = "Duplicates across splits"
    advice: ClassVar = (
        "Keep one image of each group, or the whole group in one split, then score again."
    )
    message: ClassVar = "{text}{related}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """A claim for every affected split, one for every member outside its kept member's
        split, and what looks alike.
        """
        duplicates = look.duplicates()
        splits = dataset.samples["split"].astype("object").to_numpy()
        known = pd.notna(splits)
        affected = spread_over(duplicates.groups, splits, known)
        if affected.any():
            yield from self._of_duplicates(dataset, look, splits, known, affected)
        shot = spread_over(duplicates.scenes(), splits, known) & ~affected
        if shot.any():
            yield from self._of_shots(dataset, look, splits, known, shot)
        if dataset.has("embedding"):
            alike = spread_over(similar_groups(look), splits, known) & ~affected & ~shot
            if alike.any():
                what = "are similar to an image of another split, but not a copy of it"
                yield share_claims(
                    self, splits, alike, known, what, severity="info", confidence=_ALIKE_CONFIDENCE
                )

    def _of_shots(
        self,
        dataset: Dataset,
        look: Look,
        splits: NDArray[Any],
        known: NDArray[np.bool_],
        shot: NDArray[np.bool_],
    ) -> Iterator[pd.DataFrame]:
        effects = score_effects(dataset, look, splits, known, shot)
        what = "show a scene that is also in another split"
        for split in sorted({str(name) for name in splits[shot]}):
            accuracy = effects.get(split, {}).get("accuracy", {})
            changed = abs(accuracy.get("all", 0.0) - accuracy.get("without", 0.0)) > _SCORE_CHANGED
            severity: Severity = "error" if changed else "warning"
            only = shot & (splits == split)
            shown = _with_example(
                effects.get(split, {}), dataset, look.duplicates().scenes(), splits, only, known
            )
            yield share_claims(
                self,
                splits,
                only,
                known,
                what,
                {split: shown},
                severity=severity,
                confidence=_SHOT_CONFIDENCE,
            )

    def _of_duplicates(
        self,
        dataset: Dataset,
        look: Look,
        splits: NDArray[Any],
        known: NDArray[np.bool_],
        affected: NDArray[np.bool_],
    ) -> Iterator[pd.DataFrame]:
        duplicates = look.duplicates()
        effects = score_effects(dataset, look, splits, known, affected)
        for split in {str(name) for name in splits[affected]}:
            own = affected & (splits == split)
            effects[split] = _with_example(
                effects.get(split, {}), dataset, duplicates.groups, splits, own, known
            )
        yield share_claims(
            self, splits, affected, known, "have a duplicate in another split", effects
        )
        keepers = duplicates.keeper_of()
        away = np.flatnonzero(affected & known[keepers] & (splits != splits[keepers]))
        sure = member_confidence(duplicates)
        names = dataset.samples.index.to_numpy(dtype=object)
        texts = [
            f"in {splits[row]}; its duplicate is in {splits[keepers[row]]}: "
            for row in away.tolist()
        ]
        if len(away):
            yield self.claims(
                names[away],
                related=names[keepers[away]],
                group=group_names(dataset, duplicates)[away],
                confidence=np.minimum(sure[away], sure[keepers[away]]),
                evidence=[{"text": text} for text in texts],
            )


def _with_example(
    effect: dict[str, Any],
    dataset: Dataset,
    groups: NDArray[np.int64],
    splits: NDArray[Any],
    affected: NDArray[np.bool_],
    known: NDArray[np.bool_],
) -> dict[str, Any]:
    """The effect with an affected sample and one of its group in another split, in words."""
    row = int(np.flatnonzero(affected)[0])
    other = int(np.flatnonzero((groups == groups[row]) & known & (splits != splits[row]))[0])
    names = dataset.samples.index
    return {
        **effect,
        "text": f"{effect.get('text', '')}; for example {names[row]} and {names[other]} in "
        f"{splits[other]}",
    }
