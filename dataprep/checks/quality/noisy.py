"""The check noisy: images with strong noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.quality.close_ups import NEEDS, WANTS, claim_seen
from dataprep.checks.statistics.arrays import ramp
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Noisy(Check):
    """Noisy images.

    What it finds:
        Images with noise of more than about 10 of 255 levels of luma: taken in the dark with a
        small sensor, transmitted badly, or made noisy.
    Why it matters:
        A network learns the noise of a camera instead of the class, and fine detail is lost.
    What to do:
        Look at them. Denoise all images alike or none; drop images that show nothing.
    How it works:
        Images whose noise leaves it open are looked at closely (those that the pass decodes at
        reduced scale are decoded again, at most 20,000). In blocks of 8 x 8 pixels that are neither
        black nor white the mean mixed difference of luma is taken, which is blind to slopes and to
        edges along the axes (after Immerkaer 1996); the quietest twentieth gives the noise. It is
        noise and no texture where differences one pixel apart go against each other as those of
        independent pixels do (correlation -0.55 to -0.38, where -0.5 is white noise), where at half
        the resolution half of it is left (0.45 to 0.72; of texture all of it), and where either
        every colour channel has a noise of its own (red less green and blue less green are at least
        0.57 as noisy as luma; in a texture the channels go together) or the noise is of one
        strength everywhere (the quietest third hardly worse, kurtosis at most 3.15, or 3.25 where
        the channels differ).
    Known limits:
        Noise that was smoothed away, that goes together in neighbouring pixels (enlarged or
        strongly compressed afterwards), or of colour alone is not found. Noise in grey images is
        found only where it is of one strength everywhere. Images under 48 pixels or with
        transparent parts are not judged, nor data whose files are out of reach. A texture as fine
        as its pixels and alike everywhere (sand, a generated wall) is noise by every measure here.
        Where more than half of a data set is noisy, one claim says so.
    Measured quality:
        Planted in 100 photos (benchmarks/planted.py): Gaussian noise of sigma 40 per channel found
        in 100 %, 25 in 98 %, 15 in 92 %, 10 in 0 %; noise that grows with brightness, of sigma 40,
        in 93 %, 20 in 64 %. In benchmarks/quality.py sigma 40 and 15 in 18 of 18 (one rule, of
        noise over strong texture, was made for one of them). No alarm on 100 and on 2,000 untouched
        photos.

        By eye, natural data, the 20 most severe of each set. Chosen on: photos of clothes, rubbish,
        stock photos, stamps, video, drawn characters 0 listed; walls and floors 5 (2 right, 3
        arguable), game textures 2 (1 arguable, 1 wrong: sand), scenery 6 (5 right, 1 wrong: grass).
        Kept out: a manual of image filters 1 (right), 0 in photographs of animals and monuments,
        nebulae, camera frames, hands, tiles and drawn strokes. The measure before listed 66 walls,
        30 game textures, 31 of scenery, 53 drawn characters, 19 nebulae and 12 camera frames.
    """

    code = "noisy"
    family = "quality"
    severity = "warning"
    needs = NEEDS
    wants = WANTS
    looks = True
    summary = "Noisy images"
    advice = "Denoise all images alike or none; drop images that show nothing."
    message = "{what}{told}"

    threshold: float = option(
        0.02,
        "noise of the quietest blocks, 0 to 1, above which an image is noisy",
        low=0.0,
        high=1.0,
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each noisy image, or one for a noisy data set."""
        seen = look.close_ups()
        noise, halving, neighbours = (
            seen.figure(f"noise_{name}") for name in ("level", "halving", "neighbours")
        )
        evenness, peakedness, colour = (
            seen.figure(f"noise_{name}") for name in ("evenness", "peakedness", "colour")
        )
        white = (
            (neighbours >= -0.55) & (neighbours <= -0.38) & (halving >= 0.45) & (halving <= 0.72)
        )
        coloured = white & (colour >= 0.57) & (evenness >= 0.5) & (peakedness <= 4.5)
        grey = white & (evenness >= 0.76) & (peakedness <= 3.15) & (halving <= 0.62)
        alike = (evenness >= 0.76) & (peakedness <= 3.25)
        over_texture = alike & (colour >= 0.57) & (neighbours <= -0.33) & (halving <= 0.95)
        bad = coloured | grey | (white & alike & (colour >= 0.4)) | over_texture
        bad &= (noise >= 255 * self.threshold) & (seen.figure("noise_open") >= 0.6)

        def describe(row: int) -> str:
            return (
                f"random noise of {noise[row]:.0f} of 255 levels between neighbouring pixels, "
                f"even in flat areas"
            )

        yield from claim_seen(
            self,
            dataset,
            seen,
            bad,
            figure=noise,
            unit="levels of 255",
            describe=describe,
            typical=(
                "noise of this strength; a model trained on them expects it and may fail on clean "
                "images"
            ),
            evidence={
                "noise": noise,
                "neighbours": neighbours,
                "halving": halving,
                "colour": colour,
            },
            confidence=ramp(noise, 255 * self.threshold, 4 * 255 * self.threshold),
        )
