"""near-duplicate: one image is another one, edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from dataprep.checks.contract import Check, Look
from dataprep.checks.duplicates.claims import (
    DUPLICATE_COLUMNS,
    PAIR_MESSAGE,
    describe_pairs,
    note_claims,
    pair_claims,
)
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class NearDuplicate(Check):
    """
    What it finds:
        Images that show the same picture: re-encoded, resized, stretched, brightened, converted to
        grayscale, blurred, noisy, mirrored, rotated, cropped, framed or overlaid with text. The
        message names the edit. The same view of a static camera a moment later is found too:
        pixels cannot distinguish it from an edit.

    Why it matters:
        A model trained on one has in effect seen the other. Across splits this inflates scores;
        within a split it wastes labels and training time and hides label conflicts.

    What to do:
        Look at the pairs, then keep the best of each group (`dataprep clean --drop
        near-duplicate`), unless the copies are meant as augmentation: then keep the whole group in
        one split, as `dataprep split` does.

    How it works:
        Candidates are pairs whose perceptual hashes (DCT, 64 bits, all eight orientations, with and
        without a uniform frame) differ in few bits and whose sketches of edge directions agree;
        then, among what is left, the two nearest by embedding where a luma image of 32 x 32 pixels
        of the one lies within that of the other, and those that are unusually alike (12 standard
        deviations above random pairs); 400 and one for every 40 images at most. Each candidate is
        decoded again and aligned by one affine map, of the whole or by key points (ORB, RANSAC),
        refined by least squares in cells of 16 pixels (Lucas & Kanade 1981). An edit leaves every
        detail where it was: what tells it are the displacements left, beside their errors; how far
        the finer detail of the one lies within that of the other; the cells that differ, in luma
        and colour, and how they cluster. Boosted trees (Friedman 2001) on these statistics decide;
        other shots of the scene go to another-shot. Images up to 60 pixels are registered by their
        pixels (ECC) and must correlate in detail. Then a claim must stand out from what this data
        set does by itself: up to 120 pairs of other labels that are alike are compared too, and
        what they reach is no evidence. Three or more images that each differ in some part from one
        are a template, no edits. Members of a group were held against the kept one itself, so no
        chain of resemblances joins different pictures. Bits allowed: 12 up to 60,000 hashes, then
        10, and 8 above 400,000; an image has two hashes or three. Where the nearest 2,000
        candidates are nearly all no copies and nothing stands out, the others are not compared.
        Where files are out of reach only hashes are believed.

    Known limits:
        Images next to without texture are not compared. Small pictures that are all alike (written
        digits, clothes of 28 pixels) give no claims beyond exact copies, planted edits included. A
        part of 30 % laid over, and a watermark over all, are called another shot or nothing in a
        third of the cases; so are JPEG of quality 10 and two edits one after the other in one of
        seven. Two templates drawn by computer that differ in one small place can look like an edit
        with something laid over. Without embeddings, crops that leave less than about 80 % of the
        area are rarely candidates; with them, those below half are not. Turns by more than about 5
        degrees are found where the embedding is unusually alike. Which of two is the copy is a
        guess where nothing was lost.

    Measured quality:
        Planted (`benchmarks/pairs.py`, 40 photos that nothing was fitted on, 31 edits each): called
        an edit 0.98 of the plain ones (JPEG of quality 10: 0.8 to 0.9), 0.81 of those with
        something laid over, 0.86 of two edits; called an edit or another shot 1.00, 0.97 and 0.98.
        Of 272 drawn template pairs (other content on one layout, other seeds than it was fitted on)
        6 are called edits, of 272 re-shots of drawn scenes none; of 55 re-shots in a set of rubbish
        none, 1 where they took no part in the fit. Geometry is named rightly in all of 1,158 edits,
        and nothing false is said of 0.997. On 23 edits of each of 25 photos among 200 unrelated
        ones (`benchmarks/neardup.py`): mean recall 0.997 as copy or other shot, 0.96 for crops to
        50 %, no false pair. Of 117 test images of CIFAR-10 that people found again in train, 0.91,
        at a precision of 0.95. Natural, nothing planted: no claim in 2,500 written digits, 2,500
        small pictures of clothes, 2,062 hands, 2,000 photos and 2,527 pictures of rubbish; 593 of
        674 photographs of tiles, which show one tile at other exposures from a camera that stood
        still. Edits planted there (100 each: cropped by 10 %, toned, re-encoded, resized to 75 %):
        in the hands 89, 100, 96 and 13 found, in the tiles 96, 98, 85 and 98, in the digits and the
        clothes none, since they do not stand out there. Icons and emoji of one family are drawn
        from templates: about half of the pairs claimed there are the same drawing in other colours
        or mirrored. The second look takes 1.8 to 2.2 times as long as comparing cells by
        correlation alone did (`benchmarks/pairs.py --only speed`). By eye:
        `benchmarks/judged/pairs.csv`.
    """

    min_confidence: float = option(
        0.5, "confidence below which a pair is not reported", low=0.0, high=1.0
    )

    code: ClassVar = "near-duplicate"
    family: ClassVar = "duplicates"
    severity: ClassVar = "warning"
    scope: ClassVar = "pair"
    needs: ClassVar = (*DUPLICATE_COLUMNS, "width", "height")
    wants: ClassVar = ("embedding", "label")
    looks: ClassVar = True
    suggestion: ClassVar = "drop"
    summary: ClassVar = "Near-duplicate images"
    advice: ClassVar = (
        "Look at the pairs; keep the best image of each group, or keep the group in one split."
    )
    message: ClassVar = PAIR_MESSAGE

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """One claim for every edited copy, with the image it was held against; one more when not
        everything was looked at.
        """
        duplicates = look.duplicates()
        pairs = describe_pairs(dataset, duplicates, ("near",))
        pairs = pairs[pairs["confidence"] >= self.min_confidence]
        if len(pairs):
            yield pair_claims(self, dataset, duplicates, pairs)
        if duplicates.notes:
            yield note_claims(self, duplicates.notes)
