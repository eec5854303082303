"""Pixels: one decoded sample, with intermediates that measures share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled

T = TypeVar("T")
Bytes2D = NDArray[np.uint8]


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
        rgb: (h, w, 3) uint8, contiguous, the displayed pixels: oriented, transparency over white,
            deep data scaled to 8 bits.
        approximate: whether `rgb` was decoded at reduced scale, so that h and w are smaller than
            the header's.
    """

    def __init__(
        self, data: bytes, header: Header, rgb: NDArray[np.uint8], *, approximate: bool = False
    ) -> None:
        self.data = data
        self.header = header
        self.rgb = np.ascontiguousarray(rgb)
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
        if compiled.KERNEL is None:
            return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        luma = np.empty(self.rgb.shape[:2], np.uint8)
        compiled.KERNEL.luma(self.rgb, luma)
        return luma


def row_step(plane: NDArray[np.uint8], pixels: int) -> int:
    """The step between evenly spaced rows of `plane` (h, w, ...) that have at least `pixels`
    pixels, or all there are.
    """
    height, width = plane.shape[:2]
    return int(min(max(1, height * width // pixels), height))
