"""Pixels: one decoded sample, with intermediates that measures share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Bytes2D = NDArray[np.uint8]

#: Histograms count at least this many pixels of a larger image: the rank of a percentile is then
#: right to about 0.1 %.
_HISTOGRAM_PIXELS = 32_000
_CHROMA_PIXELS = 8_000


@dataclass(frozen=True)
class Header:
    """What the file says about itself.

    Attributes:
        format: in Pillow's names.
        mode: Pillow mode of the stored pixels.
        width, height: size as displayed, in pixels, whatever the scale of decoding.
        bit_depth: bits per channel as stored.
        alpha: whether at least one pixel is not opaque.
        frames: frames or pages; 1 for a still image.
        orientation: EXIF orientation, 1 to 8.
        captured_at: ISO 8601 without zone, or empty.
        camera: make and model, or empty.
        gps: whether the metadata contain a GPS position.
        icc: whether a colour profile is embedded.
        jpeg_quality: 1 to 100; NaN for other formats.
    """

    format: str
    mode: str
    width: int
    height: int
    bit_depth: int = 8
    alpha: bool = False
    frames: int = 1
    orientation: int = 1
    captured_at: str = ""
    camera: str = ""
    gps: bool = False
    icc: bool = False
    jpeg_quality: float = float("nan")


class Pixels:
    """One decoded sample: what measures read. Arrays are shared between measures and must not be
    written to.

    Attributes:
        data: the file's bytes.
        header: what the file says about itself.
        rgb: (h, w, 3) uint8, the displayed pixels: oriented, transparency over white, deep data
            scaled to 8 bits.
        approximate: whether `rgb` was decoded at reduced scale, so that h and w are smaller than
            the header's.
    """

    def __init__(
        self, data: bytes, header: Header, rgb: NDArray[np.uint8], *, approximate: bool = False
    ) -> None:
        self.data = data
        self.header = header
        self.rgb = rgb
        self.approximate = approximate
        self._shared: dict[Callable[[Pixels], Any], Any] = {}

    def shared(self, function: Callable[[Pixels], T]) -> T:
        """``function(self)``, computed once however many measures ask for it."""
        if function not in self._shared:
            self._shared[function] = function(self)
        value: T = self._shared[function]
        return value

    @cached_property
    def luma(self) -> Bytes2D:
        """(h, w) uint8, BT.601 luma."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)

    @cached_property
    def luma_histogram(self) -> NDArray[np.float64]:
        """(256,) share of pixels at each luma, of evenly spaced rows in large images; sums to 1."""
        return histogram(self.luma)

    @cached_property
    def chroma_histogram(self) -> NDArray[np.float64]:
        """(256,) share of pixels at each chroma (max - min of R, G, B), of evenly spaced rows;
        sums to 1.
        """
        step = _row_step(self.rgb, _CHROMA_PIXELS)
        red, green, blue = cv2.split(np.ascontiguousarray(self.rgb[step // 2 :: step]))
        high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
        return histogram(cv2.subtract(high, low))


def histogram(plane: Any) -> NDArray[np.float64]:
    """(256,) share of pixels at each value of a (h, w) uint8 plane, of evenly spaced rows when
    it is large.
    """
    step = _row_step(plane, _HISTOGRAM_PIXELS)
    rows = np.ascontiguousarray(plane[step // 2 :: step])
    counts = cv2.calcHist([rows], [0], None, [256], [0, 256])
    return np.asarray(counts.ravel() / np.float64(max(rows.size, 1)))


def _row_step(plane: Any, pixels: int) -> int:
    height, width = plane.shape[:2]
    return int(min(max(1, height * width // pixels), height))
