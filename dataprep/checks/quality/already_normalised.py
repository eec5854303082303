"""The check already-normalised: images whose tones were brought into line one by one before they
came here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.statistics.tone_states import COLUMNS, tone_state

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class AlreadyNormalised(Check):
    """Images that were already normalised one by one.

    What it finds:
        Data sets whose images have all been standardised (each with the same mean and contrast, or
        the same mean in each channel) or had their histograms equalised before they were stored.
        One claim about the data set.
    Why it matters:
        To normalise a second time does nothing, or undoes it; weights that were trained on ordinary
        photos do not fit such pictures; and in use, images come without that step unless somebody
        repeats it exactly. What brightness and colour told about the classes is gone.
    What to do:
        Go back to the original images if there are any. Otherwise do the same to every image that
        the model will ever see, and normalise no further than dividing by 255.
    How it works:
        Tones are compared with content. The mean luma of the outer frame varies with what is in the
        pictures; where it does (the middle 80 % of the images span 0.1 or more), and the mean of
        the whole images hardly does, somebody held the mean fast. Claimed when the middle 80 % span
        at most 0.01 of the mean (of luma, or of red, green and blue alike) and 4 % of what the
        frame spans; or 0.045 and 15 %, where they span at most 0.075 of contrast and 25 %; or 0.012
        and 0.015 of each colour cast, in coloured images. Where the quartiles of luma agree too,
        the histogram was equalised. Fewer than 20 images are not judged.
    Known limits:
        Stretching each image from its darkest to its brightest pixel leaves tones that ordinary
        photos have too, and so does one shift and scale for all images: neither is seen. Stored
        floating-point values are scaled to 0 to 255 before they are measured, so that negative ones
        are not seen; odd-mode names such files. A camera that holds the mean and the contrast of
        every picture fast is not told from software that does.
    Measured quality:
        benchmarks/normalised.py, on 240 photos and 40 samples of 25 of them: standardised over all
        channels (to 2, 3 and, as JPEG, 4 standard deviations), standardised by channel, or
        equalised: always found. Not found, as said: stretched by minimum and maximum, autocontrast,
        ImageNet's figures for all images, brightness x 0.5 to x 1.2, gamma 1.5. No claim on three
        collections of photos of 800 to 6,234 images, nor on 3,000 random samples of 20 to 100 of
        their images.
    """

    code = "already-normalised"
    family = "quality"
    severity = "warning"
    scope = "dataset"
    needs = COLUMNS
    suggestion = "none"
    summary = "Already normalised images"
    advice = (
        "Use the original images, or normalise every image in production alike; do not normalise "
        "again."
    )
    message = (
        "every image looks {what}: mean luma of the middle 80 % of {images:,} images spans "
        "{figure:.3f}, "
        "that of their frames {frame:.3f}"
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield one claim, if any."""
        state = tone_state(dataset)
        if state.normalised:
            evidence = {
                "what": state.normalised,
                "images": state.images,
                "frame": state.frame_range,
            }
            yield self.claims(
                [""], figure=state.mean_range, unit="luma", evidence=evidence, confidence=0.9
            )
