"""Very large images that no JPEG decoder reduces: turned into RGB strip by strip, at a half,
quarter or eighth of their scale.

So a worker needs little more memory than the decoder itself, whatever `max_megapixels` allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dataprep.measures.decode.conversion import DEEP_MODES, deep_range, grey_to_rgb, to_rgb
from dataprep.measures.options import PassOptions

#: Megapixels up to which such an image is taken as it is: the decoder spares nothing by reducing
#: it. Larger ones come to at most `_AIM` megapixels (an eighth of the scale is the least).
_ABOVE, _AIM = 64.0, 16.0
#: Pixels of a strip.
_STRIP = 4_000_000


def reduction(width: int, height: int, options: PassOptions) -> int:
    """1, 2, 4 or 8: by which the sides of an image are divided; 1 up to
    `PassOptions.scale_above_megapixels` in any case.
    """
    megapixels = width * height / 1e6
    if megapixels <= max(_ABOVE, options.scale_above_megapixels):
        return 1
    steps = min(3, math.ceil(math.log2(megapixels / _AIM) / 2), int(math.log2(min(width, height))))
    return 1 << steps


def reduced_rgb(image: Image.Image, factor: int) -> tuple[NDArray[np.uint8], bool]:
    """As `dataprep.measures.decode.conversion.to_rgb`, with sides divided by `factor`: means of
    whole squares of pixels.
    """
    width, height = image.width // factor, image.height // factor
    made = np.empty((height, width, 3), np.uint8)
    deep = (
        deep_range(np.asarray(strip) for _, strip in _strips(image, factor))
        if image.mode in DEEP_MODES
        else None
    )
    alpha, row = False, 0
    for rows, strip in _strips(image, factor):
        rgb, clear = (
            (grey_to_rgb(deep.scaled(np.asarray(strip))), False)
            if deep is not None
            else to_rgb(strip)
        )
        made[row : row + rows] = cv2.resize(rgb, (width, rows), interpolation=cv2.INTER_AREA)
        alpha, row = alpha or clear, row + rows
    return made, alpha


def _strips(image: Image.Image, factor: int) -> Iterator[tuple[int, Image.Image]]:
    """(rows that a strip becomes, the strip), from the top; what is left over at the right and
    the bottom is cut off.
    """
    height, width = image.height // factor, image.width // factor * factor
    rows = max(1, _STRIP // (width * factor))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        yield count, image.crop((0, top * factor, width, (top + count) * factor))
