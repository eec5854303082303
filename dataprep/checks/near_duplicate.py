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
        differ in few bits and whose sketches of edge directions agree; then, among what is left, the two nearest by embedding
        where a luma image of 32 x 32 pixels of the one lies within that of the other, and those that are unusually alike (12
        standard deviations above random pairs); 400 and one for every 40 images at most. Each candidate is decoded again and
        aligned, by whole, by key points (ORB, RANSAC) or, of images up to 96 pixels, by its pixels (ECC); it counts when 60 %
        of the blocks with texture correlate, or the detail of small images. Members of a group were held against the kept one
        itself, so no chain of resemblances joins different pictures. Bits allowed: 12 up to 60,000 hashes, then 10, and 8 above
        400,000; an image has two hashes or three. Where files are out of reach only hashes are believed.

    Known limits:
        Without embeddings, crops that leave less than about 80 % of the area are rarely candidates; with them, those below half
        are not. Turns by more than about 5 degrees are found where the embedding is unusually alike. Two photos of one scene
        are no duplicates (see similar-images). Which of two is the copy is a guess where nothing was lost.

    Measured quality:
        On 23 edits of each of 25 photos among 200 unrelated ones: recall 1.00 for copies, re-encodings (JPEG quality 10
        included), resizing, stretching, brightness, contrast, grey, blur, noise, mirroring, quarter turns, frames, a covered
        strip, turns by 3 degrees and crops to 80 %, 0.92 or more for crops to 50 %; by hashes alone 0.44 for crops to 80 % and
        none to 50 %. No false pair, none among 2,000 further photos; the relation is named rightly for 98 % of the pairs. Of
        117 test images of CIFAR-10 that people found again in train, 0.91, at a precision of 0.95
        (`benchmarks/neardup.py`).
    """

    min_confidence: float = option(0.5, "confidence below which a pair is not reported", low=0.0, high=1.0)

    code: ClassVar = "near-duplicate"
    family: ClassVar = "duplicates"
    severity: ClassVar = "warning"
    scope: ClassVar = "pair"
    needs: ClassVar = (*DUPLICATE_COLUMNS, "width", "height")
    wants: ClassVar = ("embedding",)
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
