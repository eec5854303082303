"""The pixels at fixed places at full resolution: what marks a poisoned image, and what any smaller
view has lost.

A backdoor is planted by a few altered pixels at one place, usually near a corner (Gu, Dolan-Gavitt
& Garg 2017, "BadNets").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.contract import Measure, measure_of
from dataprep.measures.decode.pixels import Pixels

#: Side of the squares that are kept, in pixels: a patch of 3 x 3, up to 3 pixels away from the
#: corner.
SIDE = 6
#: The places of the squares, in the order of the array.
PLACES: tuple[str, ...] = (
    "top left corner",
    "top right corner",
    "bottom left corner",
    "bottom right corner",
    "centre",
)


@measure_of("patches")
def measure_patches(pixels: Pixels) -> NDArray[np.uint16]:
    """(5, 36) uint16: the colours (`pack`) of the 6 x 6 pixels at each of `PLACES`, row by row.

    Zeros where an image is smaller than that, or was decoded at reduced scale.
    """
    rgb = pixels.rgb
    height, width = rgb.shape[:2]
    if min(height, width) < SIDE or pixels.approximate:
        return np.zeros((len(PLACES), SIDE * SIDE), np.uint16)
    if compiled.KERNEL is not None:
        colours = np.frombuffer(compiled.KERNEL.patches(rgb), np.uint16)
        return colours.reshape(len(PLACES), -1)
    row, column = (height - SIDE) // 2, (width - SIDE) // 2
    squares = np.empty((len(PLACES), SIDE, SIDE, 3), np.uint8)
    squares[0], squares[1] = rgb[:SIDE, :SIDE], rgb[:SIDE, -SIDE:]
    squares[2], squares[3] = rgb[-SIDE:, :SIDE], rgb[-SIDE:, -SIDE:]
    squares[4] = rgb[row : row + SIDE, column : column + SIDE]
    return pack(squares).reshape(len(PLACES), -1)


PATCHES: tuple[Measure, ...] = (measure_patches,)


def pack(rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(..., 3) colours as one number of 16 bits: 5 of red, 6 of green, 5 of blue."""
    wide = rgb.astype(np.uint16)
    return np.asarray(
        (wide[..., 0] >> 3) << 11 | (wide[..., 1] >> 2) << 5 | wide[..., 2] >> 3, np.uint16
    )


def unpack(colours: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """(..., 3) the colours that `pack` made, to within 4 levels."""
    red, green, blue = colours >> 11, (colours >> 5) & 63, colours & 31
    return np.stack([red * 255 // 31, green * 255 // 63, blue * 255 // 31], axis=-1).astype(
        np.uint8
    )
