"""Measures that repeat what the file says about itself, and the hash of its pixels."""

from __future__ import annotations

import struct

import xxhash

from dataprep.measures.contract import Measure, Value, measure_of
from dataprep.measures.decode.pixels import Pixels

_HEADER = (
    "format",
    "mode",
    "bit_depth",
    "alpha",
    "frames",
    "orientation",
    "captured_at",
    "camera",
    "gps",
    "icc",
    "jpeg_quality",
    "width",
    "height",
)


def _fact(column: str) -> Measure:
    def read(pixels: Pixels) -> Value:
        return getattr(pixels.header, column)

    return Measure(column, 1, read)


@measure_of("bytes")
def measure_bytes(pixels: Pixels) -> int:
    """File size in bytes."""
    return len(pixels.data)


@measure_of("approximate")
def measure_approximate(pixels: Pixels) -> bool:
    """Whether the pixels were decoded at reduced scale."""
    return pixels.approximate


@measure_of("pixel_hash")
def measure_pixel_hash(pixels: Pixels) -> str:
    """128 bits of XXH3 over the displayed pixels and their size, 32 hexadecimal digits."""
    sizes = pixels.header.width, pixels.header.height, *pixels.rgb.shape
    digest = xxhash.xxh3_128(struct.pack("<5q", *sizes))
    digest.update(pixels.rgb.data)
    return str(digest.hexdigest())


FACTS: tuple[Measure, ...] = (
    *map(_fact, _HEADER),
    measure_bytes,
    measure_approximate,
    measure_pixel_hash,
)
