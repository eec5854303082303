"""Any Pillow image as the 8-bit RGB that a viewer would show."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_ALPHA_MODES = frozenset(("LA", "PA", "RGBA", "RGBa", "La"))
_DEEP_MODES = frozenset(("I", "F", "I;16", "I;16L", "I;16B", "I;16N"))
# EXIF orientation to the step that makes the stored pixels upright.
_TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def to_rgb(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Displayed pixels (h, w, 3) uint8 and whether any was transparent; transparency is composited over white."""
    if image.mode in _DEEP_MODES:
        return grey_to_rgb(scale_deep(np.asarray(image))), False
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _over_white(image.convert("RGBA"))
    if image.mode == "LAB":
        return np.asarray(_lab_to_rgb(image)), False
    return np.asarray(image.convert("RGB")), False


def scale_deep(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of 16 or 32 bits or floating point (h, w) on the scale 0 to 255.

    Whole numbers are scaled by the smallest customary range that holds them (8, 12 or 16 bits; the image's own range beyond
    that), floating point by 1 or 255 where it stays within, else by its own range. Values that are not finite become 0.
    """
    values = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    whole = bool(np.all(values == np.floor(values)))
    ranges = (255.0, 4095.0, 65535.0) if whole and high > 1 else (1.0, 255.0)
    top = next((top for top in ranges if low >= 0 and high <= top), 0.0)
    if not top:
        values, top = values - low, max(high - low, 1e-12)
    return np.asarray(np.rint(values * (255.0 / top)), dtype=np.uint8)


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
    to_srgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, to_srgb)
    assert converted is not None  # only an in-place transform gives None
    return converted
