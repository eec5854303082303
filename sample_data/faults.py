"""Faults that can be planted: functions from a good picture, RGB (height, width, 3), to the
bytes of a bad file.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
Spoil = Callable[[Picture], bytes]

_ORIENTATION, _GPS, _DATE = 0x0112, 0x8825, 0x0132


def jpeg(picture: Picture, quality: int = 90, **options: Any) -> bytes:
    """The bytes of a JPEG file."""
    return save(Image.fromarray(picture), "JPEG", quality=quality, **options)


def png(picture: Picture) -> bytes:
    """The bytes of a PNG file."""
    return save(Image.fromarray(picture), "PNG", optimize=True)


def save(image: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of a file in one of Pillow's formats."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


# Files.


def truncated(picture: Picture) -> bytes:
    data = jpeg(picture)
    return data[: len(data) * 2 // 5]


def empty(picture: Picture) -> bytes:
    return b""


def web_page(picture: Picture) -> bytes:
    return (
        b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not "
        b"Found</h1></body></html>\n"
    )


def zeros(picture: Picture) -> bytes:
    return bytes(4096)


def cmyk(picture: Picture) -> bytes:
    return save(Image.fromarray(picture).convert("CMYK"), "JPEG", quality=90)


def sixteen_bit(picture: Picture) -> bytes:
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    return bytes(cv2.imencode(".png", grey)[1])


def see_through(picture: Picture) -> bytes:
    """Transparent outside an ellipse."""
    small = cv2.resize(picture, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(
        mask,
        (width // 2, height // 2),
        (int(width * 0.46), int(height * 0.46)),
        0,
        0,
        360,
        255,
        -1,
        cv2.LINE_AA,
    )
    return save(Image.fromarray(np.dstack([small, mask])), "PNG", optimize=True)


def animation(picture: Picture) -> bytes:
    """A GIF of five frames: the camera moves over the picture."""
    side = min(picture.shape[:2]) - 32
    frames = [
        Image.fromarray(picture[8 * i : 8 * i + side, 8 * i : 8 * i + side]).quantize(64)
        for i in range(5)
    ]
    return save(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=120, loop=0)


def turned_by_tag(picture: Picture) -> bytes:
    """Stored lying on its side; the EXIF tag says how to turn it."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    return jpeg(np.ascontiguousarray(np.rot90(picture)), exif=exif)


def with_position(picture: Picture) -> bytes:
    exif = Image.Exif()
    exif[_DATE] = "2024:05:01 12:00:00"
    exif[_GPS] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    return jpeg(picture, exif=exif)


def bomb(picture: Picture) -> bytes:
    """A PNG of 50 kB that unfolds to 20,000 x 20,000 pixels."""
    side = 20_000
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join([*(packer.compress(row * 100) for _ in range(side // 100)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*c) for c in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Quality.


def dark(picture: Picture) -> bytes:
    return jpeg((picture * 0.08).astype(np.uint8))


def bright(picture: Picture) -> bytes:
    return jpeg((255 - (255 - picture.astype(np.float32)) * 0.1).astype(np.uint8))


def low_contrast(picture: Picture) -> bytes:
    return jpeg((120 + (picture.astype(np.float32) - 120) * 0.08 + 0.5).astype(np.uint8))


def blurred(picture: Picture) -> bytes:
    return jpeg(cv2.GaussianBlur(picture, (0, 0), 4))


def moved(picture: Picture) -> bytes:
    """The camera moved 21 pixels sideways during the exposure."""
    return jpeg(cv2.blur(picture, (21, 1)))


def noisy(picture: Picture) -> bytes:
    noise = np.random.default_rng(5).normal(0, 40, picture.shape)
    return jpeg(np.clip(picture + noise, 0, 255).astype(np.uint8))


def squeezed(picture: Picture) -> bytes:
    return jpeg(picture, quality=6)


def upscaled(picture: Picture) -> bytes:
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return jpeg(cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def blank(picture: Picture) -> bytes:
    return jpeg(np.full_like(picture, (236, 232, 225)))


def lens_cap(picture: Picture) -> bytes:
    return jpeg(np.zeros_like(picture))


def tiny(picture: Picture) -> bytes:
    return jpeg(cv2.resize(picture, (20, 20), interpolation=cv2.INTER_AREA))


def strip(picture: Picture) -> bytes:
    """A strip eight times as wide as high."""
    height = picture.shape[1] // 8
    top = (picture.shape[0] - height) // 2
    return jpeg(np.ascontiguousarray(picture[top : top + height]))


def grey_in_colour(picture: Picture) -> bytes:
    """No colour, stored in three equal channels."""
    return jpeg(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def grey(picture: Picture) -> bytes:
    return jpeg(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def letterboxed(picture: Picture) -> bytes:
    framed = picture.copy()
    quarter = len(picture) // 5
    framed[:quarter], framed[-quarter:] = 0, 0
    return jpeg(framed)


def framed(picture: Picture) -> bytes:
    return jpeg(
        cv2.copyMakeBorder(picture, 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    )


# Copies: what they are made of is the picture as its own file shows it.


def same_pixels(picture: Picture) -> bytes:
    return png(picture)


def cropped(picture: Picture) -> bytes:
    height, width = picture.shape[:2]
    top, left = height // 40, width // 30
    return jpeg(
        np.ascontiguousarray(picture[top : top + height * 19 // 20, left : left + width * 19 // 20])
    )


def mirrored(picture: Picture) -> bytes:
    return jpeg(np.ascontiguousarray(picture[:, ::-1]))


def quarter_turned(picture: Picture) -> bytes:
    return jpeg(np.ascontiguousarray(np.rot90(picture)))


def shrunk_and_squeezed(picture: Picture) -> bytes:
    return jpeg(
        cv2.resize(picture, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), quality=50
    )


def brightened(picture: Picture) -> bytes:
    return jpeg(np.clip(picture * 1.2 + 8, 0, 255).astype(np.uint8))


def resaved(picture: Picture) -> bytes:
    return jpeg(picture, quality=60)
