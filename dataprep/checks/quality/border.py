"""The check border: images with a uniform frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, transparent
from dataprep.checks.statistics.typical import LEAST, MEANINGS, SHARE_OF_TONES, usual
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Border(Check):
    """Images with uniform borders.

    What it finds:
        Images with bars or a frame of one colour that take at least 3 % of the area: letterboxed
        film, screenshots, scans with a margin, padding. Where plain margins belong to the data set
        (drawings, characters, products on white), one fact says so instead.
    Why it matters:
        Part of the input carries nothing, the subject is smaller than in other images, and where
        one source adds frames to one class, a network learns the frame.
    What to do:
        Crop all images in the same way, without the border.
    How it works:
        Lines of pixels from each side inwards, as long as their luma stays within 8 of 255 levels
        of the first. The frame counts if a picture begins along one straight line: in each column
        the first of the next twelve lines that differs by 16 levels is noted, and the share of the
        columns in which it lies within one band of three lines is how straight the edge is, and the
        confidence. The frame must end there, not fade as a sky does, and what begins must not be
        plain, as the stripes of a drawing are. Two opposite sides must be straight by 0.85 (bright
        ones by 0.9, dark ones of equal depth by 0.6), or a black or white one by 0.95. So a subject
        on a plain background has no frame; nor has one that takes over 60 % of the area. In images
        below 64 pixels only black and white sides count, on opposite sides and within three lines.
        What a data set has by itself is no frame either: plain surroundings of the colour that more
        than 5 % of the images without a frame have, and transparent margins. Where more than 15 %
        of the images have plain margins, that is the fact.
    Known limits:
        Frames with texture, a gradient or rounded corners, bars of one colour on one side, and bars
        filled with a blurred copy of the picture, are not found. Nor is a frame of which the
        picture is not told apart by luma, and in tiny images hardly any. Pictures laid out on white
        (atlases, collages) pass for framed ones.
    Measured quality:
        Planted in 100 photos of 400 x 533 (benchmarks/planted.py): bars of 30 pixels 99 to 100 %,
        of 10 94 (black) and 87 % (white), frames of 10 or 30 pixels 99 to 100 %. No alarm on 200
        untouched photos, none on 2,000 others. By eye (files in benchmarks/judged/), rules chosen
        on 12 sets and then looked at once on 12 others: of 16 listed on the former 8 right, 4
        arguable, 4 wrong, all but one in three sets of game textures; of 5 on the latter 1 right, 1
        arguable, 3 wrong, all in the screenshots of a manual. Colour of the background was compared
        more loosely after that look, which took away 10 false ones there. Of letters and digits a
        sixth and a third were named before; one fact says it now.
    """

    code = "border"
    family = "quality"
    severity = "info"
    needs = ("border", "border_straightness", "edge_luma", "edge_contrast")
    wants = ("alpha",)
    summary = "Images with uniform borders"
    advice = "Crop all images in the same way, without the border."
    message = "{what} {figure:.0%} (threshold {threshold:.0%})"

    threshold: float = option(
        0.03, "share of the area from which a frame counts", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each image whose frame is not the background of the data set, and
        one for a data set of margins.
        """
        border, level = figures(dataset, "border"), figures(dataset, "edge_luma")
        judged = ~np.isnan(border)
        framed = border >= self.threshold
        plain = judged & (figures(dataset, "edge_contrast") < _PLAIN_EDGE)
        if _is_typical(framed | plain, judged):
            yield self._typical(framed | plain, judged, level)
        named = framed & ~transparent(dataset) & ~_on_background(plain, framed, judged, level)
        if named.any() and not _is_typical(named, judged):
            yield self.claims(
                dataset.samples.index.to_numpy(dtype=object)[named],
                figure=border[named],
                confidence=np.clip(figures(dataset, "border_straightness")[named], 0, 1),
                evidence={
                    "what": "share of the area taken by a uniform border:",
                    "threshold": self.threshold,
                },
            )

    def _typical(self, margins: Flags, judged: Flags, level: Numbers) -> pd.DataFrame:
        """The claim that most images have margins of one colour."""
        share, colour = float(margins.sum() / judged.sum()), float(np.median(level[margins]))
        meaning = MEANINGS[self.code]
        shade = "black" if colour < _SAME_LEVEL else "white" if colour > 1 - _SAME_LEVEL else "grey"
        if (np.abs(level[margins] - colour) <= _SAME_LEVEL).mean() < _MOSTLY:
            shade = "of several tones"
        what = (
            f"{usual(share)} this data set ({meaning}): share of the images with plain margins, "
            f"{shade}:"
        )
        sentence = f"{share:.0%} of the images have plain margins ({shade}): {meaning}"
        evidence = {
            "what": what,
            "threshold": SHARE_OF_TONES,
            "typical": True,
            "share": share,
            "meaning": meaning,
            "sentence": sentence,
        }
        return self.claims_of_dataset(figure=share, evidence=evidence)


def _is_typical(found: Flags, judged: Flags) -> bool:
    return bool(judged.sum() >= LEAST and found.sum() > SHARE_OF_TONES * judged.sum())


def _on_background(plain: Flags, framed: Flags, judged: Flags, level: Numbers) -> Flags:
    """(n,) whether an image is surrounded mostly by the colour that many images without a frame
    have around their subject.
    """
    others = plain & ~framed
    if judged.sum() < LEAST or others.sum() <= _BACKGROUND_SHARE * judged.sum():
        return np.zeros(len(level), dtype=bool)
    return np.asarray(np.abs(level - np.median(level[others])) <= _SAME_LEVEL)


#: Contrast of plain surroundings; share of a data set that makes them its background; difference of
#: luma within one colour.
_PLAIN_EDGE, _BACKGROUND_SHARE, _SAME_LEVEL = 0.03, 0.05, 0.1
#: Share of the margins that are of one tone where it is told.
_MOSTLY = 0.7
