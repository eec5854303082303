"""The check motion-blur: images that are blurred in one direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.quality.close_ups import NEEDS, WANTS, claim_seen
from dataprep.checks.statistics.arrays import figures
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.measures.image.close_up import CloseUps
    from dataprep.schemas.dataset import Dataset


#: Fewer pixels on edges are too few to compare directions, and wider edges than this are no edges
#: but shades.
_LEAST_EDGES, _WIDEST = 400, 6.5


@dataclass(frozen=True)
class MotionBlur(Check):
    """Motion-blurred images.

    What it finds:
        Images whose edges are wide along one direction everywhere and narrower across it: the
        camera or the subject moved during the exposure.
    Why it matters:
        As for other blur. And it goes with its cause: with the night, the hand-held camera, the
        moving class.
    What to do:
        Look at them. Drop images whose class you cannot recognise; keep them if the model will see
        moving subjects.
    How it works:
        Images whose sharpness leaves it open are looked at closely (those that the pass decodes at
        reduced scale are decoded again for it, at most 20,000). The width of an edge is its height
        divided by its slope: 1 pixel for a clean step. In eight directions the tenth percentile of
        the widths is taken, and a wave is fitted to their logarithms. The edges must be wide along
        the direction of motion (2.9 pixels, of the image reduced to a shorter side of at most 512)
        and wider by 1.4 than across it, and no tile of 5 x 5 may hold a sharp edge along it: with a
        shallow depth of field one always does. Besides, one of three has to hold: edges are soft
        across the motion as well, in most tiles alike; or the wave explains at least 80 % of what
        the directions differ by; or sharpness along its softest direction is as low as that of blur
        (0.33) and sharpness across it is twice as high. At least 400 pixels must lie on edges.
    Known limits:
        Motion along a curve, or of a small part of the image, is not found. Images under 48 pixels
        or with transparent parts are not judged, nor data whose files are out of reach. An image
        out of focus that was squeezed along one axis afterwards looks moved, and so can a surface
        of nothing but soft stripes. Strong motion of a soft image is reported as blurry as well.
        Where more than half of a data set is so, one claim says it.
    Measured quality:
        Planted in 100 photos of 400 x 533 (benchmarks/planted.py): 25 pixels at 0°, 30°, 45° and
        90° found in 96, 94, 98 and 96 %, as motion or blur in 97, 96, 98 and 97 %; 11 pixels in 83,
        81, 81 and 84 %. In benchmarks/quality.py 25 pixels in 9 of 9. No alarm on 100 and on 2,000
        untouched photos (3 before this measure).

        By eye, natural data, the 20 most severe of each set. Chosen on: photos of clothes 0 listed,
        rubbish 5 (3 right, 2 arguable), game textures and scenery 6 (none right, 1 arguable, 5
        wrong: soft stripes, and one texture of roof tiles in four files), stock photos, stamps,
        video, drawn characters, walls 0. Kept out, with rules as they were then: 10 wrong of 11
        (camera frames with a single edge, a hand, two nebulae). After two limits on edges were
        added for these: nebulae 2 (wrong), a manual of filters 1 (arguable), 0 in photographs of
        animals and monuments, hands, tiles, camera frames and drawn strokes. The measure before
        listed 21 pictures of rubbish, 40 of games and scenery, 24 in the manual, 44 camera frames,
        2 nebulae. Too few are listed to tell a share; real shaken pictures were right in 19 of 23
        in the study this rests on.
    """

    code = "motion-blur"
    family = "quality"
    severity = "warning"
    needs = NEEDS
    wants = WANTS
    looks = True
    summary = "Motion-blurred images"
    advice = (
        "Drop images whose class cannot be recognised; keep them if the model will see moving "
        "subjects."
    )
    message = "{what}{told}"

    width: float = option(
        2.9,
        "least width of edges along the motion, in pixels at a shorter side of at most 512",
        low=0.0,
    )
    elongation: float = option(
        1.4, "least width of edges along the motion relative to that across it", low=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each image with motion blur, or one for a data set of them."""
        seen = look.close_ups()
        along, across, angle = (
            seen.figure(f"edge_{name}") for name in ("along", "across", "angle")
        )

        def describe(row: int) -> str:
            return (
                f"edges are {along[row]:.1f} pixels wide along {angle[row]:.0f}° (0° is "
                f"horizontal) and {across[row]:.1f} across: motion during the exposure"
            )

        yield from claim_seen(
            self,
            dataset,
            seen,
            self._moved(dataset, seen),
            figure=along,
            unit="pixels",
            describe=describe,
            typical=(
                "motion blur; a model trained on them expects it and may fail on images without"
            ),
            evidence={"along": along, "across": across, "angle": angle},
            confidence=_confidence(seen),
        )

    def _moved(self, dataset: Dataset, seen: CloseUps) -> NDArray[np.bool_]:
        """(n,) whether edges are wide along one direction, by one of the three kinds of
        evidence.
        """
        elongation, regularity = seen.figure("edge_elongation"), seen.figure("edge_regularity")
        along = seen.figure("edge_along")
        across = seen.figure("edge_across")
        agreement = seen.figure("edge_agreement")
        share = seen.figure("edge_share_along")
        tiles = seen.figure("edge_tiles")
        sharpest = seen.figure("edge_sharpest_tile")
        edges = seen.figure("edge_edges")
        crossed = edges * share
        directionality = figures(dataset, "directionality")
        softest = figures(dataset, "sharpness") * (1 - directionality)
        known = (edges >= _LEAST_EDGES) & (along <= _WIDEST)
        wide = (
            known
            & (along >= self.width)
            & (elongation >= self.elongation)
            & (regularity >= 0.35)
            & (sharpest >= 0.8 * self.width)
        )
        soft = (
            (across >= 1.5)
            & (elongation <= 3.5)
            & (agreement >= 0.55)
            & (share >= 0.08)
            & (crossed >= 80)
            & (tiles >= 4)
        )
        regular = (
            (regularity >= 0.8)
            & (along >= 1.1 * self.width)
            & (sharpest >= self.width)
            & (elongation <= 5)
            & (agreement >= 0.7)
            & (crossed >= 60)
            & (tiles >= 3)
        )
        plain = (softest < 0.33) & (directionality > 0.45) & (elongation <= 6) & (crossed >= 20)
        return np.asarray(wide & (soft | regular | plain), bool)


def _confidence(seen: CloseUps) -> NDArray[np.float64]:
    """(n,) surest where one direction explains all, and where edges are wide in the sharpest
    tile and soft across the motion.
    """
    clear = (
        np.log(np.clip(seen.figure("edge_elongation"), 1, 2.5))
        / np.log(2.5)
        * np.clip(seen.figure("edge_regularity"), 0, 1)
    )
    soft = np.clip((seen.figure("edge_across") - 1) / 1.2, 0, 1)
    wide = np.clip((seen.figure("edge_sharpest_tile") - 2) / 2, 0, 1)
    return np.asarray(0.6 + 0.4 * (clear + soft + wide) / 3)
