"""Images in memory to the bytes of a file, without loss where that is possible."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

#: How floating point pixels are scaled: 0 to 1, or 0 to 255.
Scale = Literal["unit", "byte"]
_MAGIC = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
)
_PNG_MODES = frozenset(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"))
_TIFF_MODES = frozenset(("CMYK", "F", "I", "LAB", "YCbCr"))
_MOST_CHANNELS = 4


class NoImage(Exception):
    """What came is no image, or none that a file can hold; the message says why."""


@dataclass(frozen=True)
class Encoded:
    """An image as a file.

    Attributes:
        data: the bytes of the file.
        extension: of its format, without the dot; empty where it is not known.
        rounded: whether floating point pixels lost something to 8 bits.
        ours: whether the format was chosen here, rather than by who made the file.
    """

    data: bytes
    extension: str
    rounded: bool = False
    ours: bool = True


def is_image(value: Any) -> bool:
    """Whether `value` is an image of a kind that `encode` takes."""
    if isinstance(value, bytes | bytearray | memoryview) or _is_pil(value):
        return True
    if isinstance(value, dict):
        return "bytes" in value and set(value) <= {"bytes", "path"}
    return _is_array(value) and 2 <= len(value.shape) <= 3 and min(value.shape) > 0


def encode(image: Any, scale: Scale = "unit") -> Encoded:
    """The file of an image.

    Args:
        image: the bytes of a file; a PIL image (its own file where it was not changed since it was
            opened, else PNG, or TIFF for modes that PNG does not have); an array or tensor (height,
            width), (height, width, channels) or (channels, height, width) of 1 to 4 channels; or
            ``{"bytes": ..., "path": ...}`` as Hugging Face has it.
        scale: of floating point pixels, which are rounded to 8 bits.

    Raises:
        NoImage: `image` is none of these, or holds values that are no pixels.
    """
    if isinstance(image, dict):
        return encode(_of_record(image))
    if isinstance(image, bytes | bytearray | memoryview):
        data = bytes(image)
        return Encoded(data, _extension_of(data), ours=False)
    if _is_pil(image):
        own = _own_file(image)
        return Encoded(own, _extension_of(own), ours=False) if own else _saved(image)
    if _is_array(image):
        return _of_array(_numpy(image), scale)
    raise NoImage(f"expected a PIL image, bytes or an array, got {type(image).__name__}")


def scale_of(images: list[Any]) -> Scale:
    """How the floating point pixels of these images are scaled: "byte" where any is above 1."""
    arrays = [_numpy(image) for image in images if _is_array(image)]
    highest = [
        np.nanmax(array)
        for array in arrays
        if array.dtype.kind == "f" and array.size and not np.isnan(array).all()
    ]
    return "byte" if any(high > 1.0 + 1e-6 for high in highest) else "unit"


def _of_record(record: dict[str, Any]) -> bytes:
    if record.get("bytes") is not None:
        return bytes(record["bytes"])
    if record.get("path"):
        try:
            with open(record["path"], "rb") as file:
                return file.read()
        except OSError as error:
            raise NoImage(f"cannot read {record['path']}: {error.strerror or error}") from error
    raise NoImage("neither bytes nor a path")


def _is_pil(value: Any) -> bool:
    return hasattr(value, "tobytes") and hasattr(value, "getbands") and hasattr(value, "mode")


def _is_array(value: Any) -> bool:
    return (
        hasattr(value, "shape")
        and hasattr(value, "dtype")
        and (hasattr(value, "__array__") or hasattr(value, "detach"))
    )


def _numpy(value: Any) -> np.ndarray[Any, Any]:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value)


def _extension_of(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((extension for magic, extension in _MAGIC if data.startswith(magic)), "")


def _own_file(image: Any) -> bytes:
    """The bytes of the file that a PIL image was opened from, if its pixels are still those of
    the file; else nothing.
    """
    data = b""
    if getattr(image, "filename", "") and os.path.isfile(image.filename):
        try:
            with open(image.filename, "rb") as file:
                data = file.read()
        except OSError:
            return b""
    elif isinstance(getattr(image, "fp", None), io.BytesIO):
        data = image.fp.getvalue()
    return data if data and (getattr(image, "tile", None) or _same_pixels(image, data)) else b""


def _same_pixels(image: Any, data: bytes) -> bool:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as again:
            return bool(
                again.mode == image.mode
                and again.size == image.size
                and again.tobytes() == image.tobytes()
            )
    except Exception:  # whatever a decoder raises: it is not that file any more
        return False


def _saved(image: Any) -> Encoded:
    if image.mode in _TIFF_MODES:
        return Encoded(_written(image, "TIFF"), "tif")
    return Encoded(
        _written(image if image.mode in _PNG_MODES else image.convert("RGB"), "PNG"), "png"
    )


def _written(image: Any, format: str) -> bytes:
    out = io.BytesIO()
    kept = {"exif": image.info["exif"]} if isinstance(image.info.get("exif"), bytes) else {}
    try:
        image.save(out, format, **({"compress_level": 1, **kept} if format == "PNG" else kept))
    except (OSError, ValueError, TypeError, SystemError) as error:
        raise NoImage(f"it cannot be written as {format}: {error}") from error
    return out.getvalue()


def _of_array(array: np.ndarray[Any, Any], scale: Scale) -> Encoded:
    from PIL import Image

    pixels, rounded = _whole(_channels_last(array), scale)
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        import cv2

        order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
        done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., order]))
        if not done:
            raise NoImage("it cannot be written as PNG")
        return Encoded(data.tobytes(), "png", rounded)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return Encoded(_written(Image.fromarray(np.ascontiguousarray(pixels)), "PNG"), "png", rounded)


def _channels_last(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(height, width) or (height, width, channels)."""
    if array.ndim not in (2, 3) or not array.size:
        raise NoImage(
            f"an array of shape {array.shape}: expected (height, width) or (height, width, 1 to 4)"
        )
    if array.ndim == 2 or array.shape[2] <= _MOST_CHANNELS:
        return array
    if array.shape[0] <= _MOST_CHANNELS:
        return np.moveaxis(array, 0, 2)
    raise NoImage(
        f"an array of shape {array.shape}: expected 1 to {_MOST_CHANNELS} channels, first or last"
    )


def _whole(array: np.ndarray[Any, Any], scale: Scale) -> tuple[np.ndarray[Any, Any], bool]:
    """The pixels as uint8 or uint16, and whether they were rounded."""
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255), False
    if array.dtype in (np.uint8, np.uint16):
        return array, False
    if array.dtype.kind not in "iuf":
        raise NoImage(f"an array of {array.dtype}: expected numbers")
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "iu":
        if low < 0 or high > 65535:
            raise NoImage(
                f"whole numbers from {low:g} to {high:g}: expected 0 to 255 or 0 to 65535"
            )
        return array.astype(np.uint8 if high <= 255 else np.uint16), False
    top = 1.0 if scale == "unit" else 255.0
    if not (low >= -1e-6 * top and high <= top * (1 + 1e-6)):
        raise NoImage(
            f"values from {low:g} to {high:g}: expected 0 to 1 or 0 to 255 (give images before "
            "they are normalised)"
        )
    scaled = array.astype(np.float64) * (255.0 / top)
    whole = np.rint(scaled).clip(0, 255)
    return whole.astype(np.uint8), bool(np.abs(scaled - whole).max() > 0.01)
