"""Measure of missing resolution (upscaling): where the spectrum ends.

Power of photographs falls like the inverse square of frequency (Field, 1987), and so is level once
multiplied by the square. An image that was enlarged by k has next to nothing above 1/k of the
finest frequency that its pixels could carry.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.contract import measure_of
from dataprep.measures.decode.pixels import Bytes2D, Pixels
from dataprep.measures.image.bands import SHORT_SIDE
from dataprep.measures.image.focus import focus

#: Length of a window in pixels. Its spectrum has half as many bins; the last is the finest detail
#: that pixels can carry.
_WINDOW = 128
_FIRST_BIN, _LAST_BIN = 2, 63
#: Windows along each axis: places, and lines at each.
_PLACES, _ROWS = 8, 8
#: Squared grey levels in the lowest bins, about one grey level of slow change: below that there is
#: nothing to judge.
_LEAST_POWER = 64.0 * _WINDOW
#: Edges as steep as that have detail up to the last bins: three in four photos need no spectrum.
_PLAINLY_SHARP = 0.85
#: Decades below the plateau at which detail ends. Photographs stay above it up to the last bin in
#: 99 of 100 cases.
_END = 1.2


@cache
def _hann() -> NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW))


@cache
def _levelling() -> NDArray[np.float64]:
    return 2 * np.log10(np.arange(_FIRST_BIN, _LAST_BIN + 1))


def _windows(plane: Bytes2D) -> Bytes2D:
    """(64, 128): pieces of rows of `plane`, eight neighbouring rows at each of eight places.

    Neighbours, because `plane` may be a transposed view: then they share cache lines.
    """
    height, width = plane.shape
    pieces = []
    for place in range(_PLACES):
        top = max(height - _ROWS, 0) * place // (_PLACES - 1)
        start = (width - _WINDOW) * (3 * place % _PLACES) // (_PLACES - 1)
        pieces.append(plane[top : top + _ROWS, start : start + _WINDOW])
    return np.concatenate(pieces)


def _powers(plane: Bytes2D) -> NDArray[np.float64]:
    """(64,) mean power in bins 0 to 63 of windows of the rows of `plane`."""
    if compiled.KERNEL is not None:
        return np.frombuffer(compiled.KERNEL.powers(plane, _hann()))
    # Packed as Re 0, Re 1, Im 1, Re 2, ...
    waves = cv2.dft(_windows(plane) * _hann(), flags=cv2.DFT_ROWS)
    energy = np.append(0.0, (waves * waves).mean(axis=0)[:-1])
    return np.asarray(energy[::2] + energy[1::2])


def _spectra(pixels: Pixels) -> NDArray[np.float64]:
    """(0 to 2, 62): for each axis with contrast the levelled log10 power in bins 2 to 63,
    relative to its lowest bins.
    """
    planes = [plane for plane in (pixels.luma, pixels.luma.T) if plane.shape[1] >= _WINDOW]
    if not planes:
        return np.empty((0, _LAST_BIN - _FIRST_BIN + 1))
    # Under a Hann window the mean stays in bins 0 and 1, which are left out.
    power = np.array([_powers(plane) for plane in planes])[:, _FIRST_BIN : _WINDOW // 2]
    power = power[power[:, :4].sum(axis=1) > _LEAST_POWER]
    level = np.log10(power + 1e-6) + _levelling()
    return np.asarray(level - level[:, :4].mean(axis=1, keepdims=True))


@measure_of("detail_fraction", 2)
def measure_detail_fraction(pixels: Pixels) -> float:
    """Share of the frequencies, 0 to 1, below the first at which power lies below the plateau by
    `_END` decades.

    Along the axis where that is more. NaN for images of less than 128 pixels on both sides and for
    plain ones.
    """
    if min(pixels.luma.shape) <= SHORT_SIDE and pixels.shared(focus)[1] >= _PLAINLY_SHARP:
        return 1.0 if max(pixels.luma.shape) >= _WINDOW else math.nan
    spectra = _spectra(pixels)
    if not len(spectra):
        return math.nan
    below = spectra[:, :-2] + 2 * spectra[:, 1:-1] + spectra[:, 2:] < -4 * _END
    ends = [int(row.argmax()) + 1 if row.any() else spectra.shape[1] for row in below]
    return (max(ends) + _FIRST_BIN) / (_LAST_BIN + 1)


SPECTRUM = (measure_detail_fraction,)
