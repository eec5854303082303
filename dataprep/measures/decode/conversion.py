"""Any Pillow image as the 8-bit RGB that a viewer would show."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_ALPHA_MODES = frozenset(("LA", "PA", "RGBA", "RGBa", "La"))
#: Modes of grey in more than 8 bits.
DEEP_MODES = frozenset(("I", "F", "I;16", "I;16L", "I;16B", "I;16N"))
#: Values that are scaled at a time: in double precision, with what is computed on the way, some 100
#: MB.
_BLOCK = 4_000_000
# EXIF orientation to the step that makes the stored pixels upright.
_TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def to_rgb(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Displayed pixels (h, w, 3) uint8 and whether any was transparent; transparency is
    composited over white.
    """
    if image.mode in DEEP_MODES:
        return grey_to_rgb(scale_deep(np.asarray(image))), False
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _over_white(image.convert("RGBA"))
    if image.mode == "LAB":
        return np.asarray(_lab_to_rgb(image)), False
    return np.asarray(image.convert("RGB")), False


def scale_deep(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of 16 or 32 bits or floating point (h, w) on the scale 0 to 255.

    Whole numbers are scaled by the smallest customary range that holds them (8, 12 or 16 bits; the
    image's own range beyond that), floating point by 1 or 255 where it stays within, else by its
    own range. Values that are not finite become 0.
    """
    values = np.asarray(values)
    rows = max(1, _BLOCK // max(1, values[:1].size))
    blocks = [values[start : start + rows] for start in range(0, len(values), rows)]
    scale = deep_range(blocks)
    made = np.empty(values.shape, np.uint8)
    for number, block in enumerate(blocks):
        made[number * rows : number * rows + len(block)] = scale.scaled(block)
    return made


@dataclass(frozen=True)
class DeepRange:
    """From which value to which a deep image is shown: `low` is 0 and `low` + `span` is 255."""

    low: float
    span: float

    def scaled(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Values on the scale 0 to 255."""
        if values.dtype == np.uint16:
            return np.asarray(self._scaled(np.arange(2**16))[values])
        return self._scaled(values)

    def _scaled(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        finite = _finite(values)
        if self.low:
            finite -= self.low
        return np.asarray(np.rint(finite * (255.0 / self.span)).clip(0, 255), dtype=np.uint8)


def deep_range(blocks: Iterable[NDArray[Any]]) -> DeepRange:
    """The range of an image that comes in blocks of rows, by the rule of `scale_deep`."""
    low, high, whole = math.inf, -math.inf, True
    for block in blocks:
        if not block.size:
            continue
        values = block if block.dtype == np.uint16 else _finite(block)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        whole = whole and (values.dtype == np.uint16 or bool(np.all(values == np.floor(values))))
    if low > high:
        low = high = 0.0
    ranges = (255.0, 4095.0, 65535.0) if whole and high > 1 else (1.0, 255.0)
    top = next((top for top in ranges if low >= 0 and high <= top), 0.0)
    return DeepRange(0.0, top) if top else DeepRange(low, max(high - low, 1e-12))


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    """A copy in double precision, 0 where a value is not finite."""
    made = values.astype(np.float64)
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        made[~finite] = 0.0
    return made


def upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The pixels turned and mirrored as EXIF `orientation` (1 to 8) asks; contiguous."""
    if orientation in (2, 4, 5, 7):
        # 5 and 7 are the transpose and the transverse: a mirror after a quarter turn.
        turned = {5: cv2.ROTATE_90_CLOCKWISE, 7: cv2.ROTATE_90_COUNTERCLOCKWISE}.get(orientation)
        rgb = np.asarray(cv2.rotate(rgb, turned)) if turned is not None else rgb
        return np.asarray(cv2.flip(rgb, 0 if orientation == 4 else 1))
    turn = _TURNS.get(orientation)
    return np.ascontiguousarray(rgb) if turn is None else np.asarray(cv2.rotate(rgb, turn))


def grey_to_rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) as (h, w, 3)."""
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


def _over_white(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    rgba = np.asarray(image)
    alpha = rgba[:, :, 3]
    if not alpha.size or alpha.min() == 255:
        return np.ascontiguousarray(rgba[:, :, :3]), False
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, image).convert("RGB")), True


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    to_srgb = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, to_srgb)
    assert converted is not None  # only an in-place transform gives None
    return converted
