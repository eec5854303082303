"""near-duplicate: one image is another one, edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dataprep.checks.contract import Check, Look
from dataprep.checks.duplicate_claims import DUPLICATE_COLUMNS, PAIR_MESSAGE, describe_pairs, note_claims, pair_claims
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class NearDuplicate(Check):
    """
    What it finds:
        Images that show the same picture: re-encoded, resized, stretched, brightened, made grey, blurred, noisy, mirrored,
        turned, cropped, framed or written upon. The message names what was done.

    Why it matters:
        A model that saw the one knows the other. Across splits that makes scores untrue; within one it wastes labels and training
        and hides conflicts between labels.

    What to do:
        Keep the best of each group, unless the copies are meant as augmentation: then keep the whole group in one split.

    How it works:
        Candidates are pairs whose perceptual hashes (DCT, 64 bits, all eight orientations, with and without a uniform frame)
        differ in few bits and whose sketches of edge directions agree. Each candidate is decoded again and aligned, by whole or
        by key points (ORB, RANSAC); it counts when half of the blocks with texture correlate. Members of a group were held
        against the kept one itself, so no chain of resemblances joins different pictures. Bits allowed: 12 up to 60,000 hashes,
        then 10, and 8 above 400,000; an image has two hashes or three.

    Known limits:
        Crops that leave less than about 80 % of the area, and turns by more than about 5 degrees, are rarely candidates. Two
        photos of one scene are no duplicates. Which of two is the copy is a guess where nothing was lost.

    Measured quality:
        On 23 edits of each of 25 photos among 200 unrelated ones: recall 1.00 for copies, re-encodings, resizing, stretching,
        brightness, contrast, grey, blur, noise, mirroring, quarter turns, frames, turns by 3 degrees and crops to 95 %, 0.96
        for a covered strip, 0.36 for crops to 80 %; no false pair, none among 2,000 further photos; the relation is named
        rightly for 99 % of the pairs (`benchmarks/neardup.py`).
    """

    min_confidence: float = option(0.5, "confidence below which a pair is not reported", low=0.0, high=1.0)

    code: ClassVar = "near-duplicate"
    family: ClassVar = "duplicates"
    severity: ClassVar = "warning"
    scope: ClassVar = "pair"
    needs: ClassVar = (*DUPLICATE_COLUMNS, "width", "height")
    looks: ClassVar = True
    suggestion: ClassVar = "drop"
    summary: ClassVar = "One image is another one, edited"
    advice: ClassVar = "Keep the best image of each group and drop the others, or keep the group in one split."
    message: ClassVar = PAIR_MESSAGE

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """One claim for every edited copy, with the image it was held against; one more when not everything was looked at."""
        duplicates = look.duplicates()
        pairs = describe_pairs(dataset, duplicates, ("near",))
        pairs = pairs[pairs["confidence"] >= self.min_confidence]
        if len(pairs):
            yield pair_claims(self, dataset, duplicates, pairs)
        if duplicates.notes:
            yield note_claims(self, duplicates.notes)
