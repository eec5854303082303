"""The header of a JPEG, read marker by marker without decoding: size, colours, EXIF, colour
profile, quantisation tables.

Source: ITU-T T.81 (JPEG), CIPA DC-007 (multi-picture format); the standard tables and their scaling
are those of the Independent JPEG Group's library.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from dataprep.measures.decode.exif import read_directory

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
#: Markers of segments that are read: frames, quantisation tables, EXIF or XMP, profiles or indexes.
_READ = _START_OF_FRAME | {0xDB, 0xE1, 0xE2}
# The luminance table of T.81, Annex K, in zigzag order.
_STANDARD = np.array(
    """
    16 11 12 14 12 10 16 14 13 14 18 17 16 19 24 40 26 24 22 22 24 49 35 37 29 40 58 51 61 60 57
    51 56 55 64 72 92 78 64 68 87 69 55 56 80 109 81 87 95 98 103 104 103 62 77 113 121 112 100
    120 92 101 103 99
    """.split(),
    dtype=np.int64,
)
_QUALITIES = np.arange(1, 101)
_SCALES = np.where(_QUALITIES < 50, 5000 // _QUALITIES, 200 - 2 * _QUALITIES)
_TABLES = np.clip((_STANDARD * _SCALES[:, None] + 50) // 100, 1, 255).astype(np.float64)


@dataclass
class JpegHeader:
    """What the markers before the first scan say.

    Attributes:
        width, height: stored size in pixels; 0 when no frame header was found.
        precision: bits per component.
        components: 1 (grey), 3 or 4.
        exif: the EXIF block, empty without one.
        icc: whether there is a colour profile.
        pictures: number of pictures in the file; more than 1 in the multi-picture format.
        xmp_position: whether the XMP packet holds a GPS position.
        scan: offset of the first scan; 0 when none was found.
        luma_table: bytes of the first quantisation table (64 values in zigzag order, of 8 or 16
            bits).
    """

    width: int = 0
    height: int = 0
    precision: int = 8
    components: int = 0
    exif: bytes = b""
    icc: bool = False
    pictures: int = 1
    xmp_position: bool = False
    scan: int = 0
    luma_table: bytes = field(default=b"", repr=False)

    @property
    def quality(self) -> float:
        """Quality 1 to 100 of the Independent JPEG Group's scale that comes nearest to the luma
        table; NaN without one.
        """
        return estimate_quality(self.luma_table)


def read_jpeg_header(data: bytes) -> JpegHeader:
    """The header of a JPEG; what a damaged one lacks keeps its default."""
    header = JpegHeader()
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0x00, 0xFF) or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        length = struct.unpack_from(">H", data, at + 2)[0]
        if marker == 0xDA:
            header.scan = at
            break
        end = at + 2 + max(length, 2)
        if marker in _READ:
            _read_segment(header, marker, data[at + 4 : end])
        at = end
    return header


def _read_segment(header: JpegHeader, marker: int, segment: bytes) -> None:
    if marker in _START_OF_FRAME and len(segment) >= 6:
        header.precision, header.height, header.width, header.components = struct.unpack_from(
            ">BHHB", segment
        )
    elif marker == 0xDB and not header.luma_table:
        _read_table(header, segment)
    elif marker == 0xE1:
        if segment[:4] == b"Exif" and not header.exif:
            header.exif = segment
        elif segment[:4] == b"http":
            header.xmp_position |= b"GPSLatitude" in segment
    elif marker == 0xE2:
        header.icc |= segment[:11] == b"ICC_PROFILE"
        if segment[:4] == b"MPF\x00":
            header.pictures = _count_pictures(segment[4:])


def _read_table(header: JpegHeader, segment: bytes) -> None:
    """Keep table 0, which all encoders in use give to luma; tables may share a segment."""
    at = 0
    while at < len(segment):
        size = 128 if segment[at] >> 4 else 64
        if segment[at] & 15 == 0 and at + 1 + size <= len(segment):
            header.luma_table = segment[at + 1 : at + 1 + size]
            return
        at += 1 + size


def _count_pictures(block: bytes) -> int:
    """Number of images (tag 0xB001) in the index of a multi-picture file."""
    count = read_directory(block).get(0xB001)
    return min(max(count, 1), 1000) if isinstance(count, int) else 1


@lru_cache(maxsize=256)
def estimate_quality(table: bytes) -> float:
    """Quality, 1 to 100, whose standard luma table is nearest (city-block distance) to `table`; NaN
    when it is not a table.

    Exact for files of libjpeg and its descendants; for encoders with tables of their own the
    nearest in coarseness.
    """
    if len(table) not in (64, 128):
        return float("nan")
    values = np.frombuffer(table, np.uint8 if len(table) == 64 else ">u2").astype(np.float64)
    distance = np.abs(_TABLES - np.minimum(values, 255)).sum(axis=1)
    return float(_QUALITIES[len(distance) - 1 - int(np.argmin(distance[::-1]))])
