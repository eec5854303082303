"""EXIF read from bytes: only the few tags that checks and reports use, and never an error on a
damaged block.

Source: CIPA DC-008 (Exif 3.0), TIFF 6.0. A full parse by Pillow costs ten times as much per file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_MAKE, _MODEL, _ORIENTATION, _DATE, _EXIF, _GPS = 0x010F, 0x0110, 0x0112, 0x0132, 0x8769, 0x8825
_DATE_ORIGINAL, _DATE_DIGITIZED = 0x9003, 0x9004
_GPS_LATITUDE, _GPS_LONGITUDE = 2, 4
_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_SIZES = {1: 1, _ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8, 7: 1, 9: 4, 10: 8}
_MAX_ENTRIES = 512
_MAX_TEXT = 64


@dataclass(frozen=True)
class Exif:
    """What the EXIF block says.

    Attributes:
        orientation: 1 (upright) to 8; 1 when absent or out of range.
        captured_at: ISO 8601 without zone, empty when absent or not a date.
        camera: make and model, empty when absent.
        gps: whether it holds a latitude and a longitude.
    """

    orientation: int = 1
    captured_at: str = ""
    camera: str = ""
    gps: bool = False


NOTHING = Exif()


def read_exif(block: bytes) -> Exif:
    """The facts of an EXIF `block` (TIFF structure, with or without its prefix); `NOTHING` when
    it cannot be read.
    """
    if block[:6] in (b"Exif\x00\x00", b"Exif\x00\xff"):
        block = block[6:]
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return NOTHING
    main = _directory(block, order, struct.unpack_from(order + "I", block, 4)[0])
    inner = _directory(block, order, _pointer(main, _EXIF))
    position = _directory(block, order, _pointer(main, _GPS))
    orientation = main.get(_ORIENTATION)
    dates = (inner.get(_DATE_ORIGINAL), inner.get(_DATE_DIGITIZED), main.get(_DATE))
    return Exif(
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        captured_at=next((date for date in map(_iso_date, dates) if date), ""),
        camera=_camera(main.get(_MAKE), main.get(_MODEL)),
        gps=bool(position.get(_GPS_LATITUDE)) and bool(position.get(_GPS_LONGITUDE)),
    )


def _pointer(directory: dict[int, Any], tag: int) -> int:
    value = directory.get(tag, 0)
    return value if isinstance(value, int) else 0


def _directory(block: bytes, order: str, start: int) -> dict[int, Any]:
    """Tag to value of the image file directory at `start`; empty where it does not fit the
    block.
    """
    if not 8 <= start <= len(block) - 2:
        return {}
    count = min(
        struct.unpack_from(order + "H", block, start)[0],
        _MAX_ENTRIES,
        (len(block) - start - 2) // 12,
    )
    found: dict[int, Any] = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", block, entry)
        value = _value(block, order, entry, kind, values)
        if value is not None:
            found.setdefault(tag, value)
    return found


def _value(block: bytes, order: str, entry: int, kind: int, count: int) -> Any:
    """Text, a whole number, or whether a tuple of rationals holds anything but zeros over zeros;
    None when unreadable.
    """
    size = _SIZES.get(kind, 0) * count
    if not size:
        return None
    start = entry + 8 if size <= 4 else struct.unpack_from(order + "I", block, entry + 8)[0]
    if start + size > len(block):
        return None
    if kind == _ASCII:
        return block[start : start + min(size, _MAX_TEXT)]
    if kind in (_SHORT, _LONG):
        return struct.unpack_from(order + ("H" if kind == _SHORT else "I"), block, start)[0]
    if kind == _RATIONAL:
        return any(
            struct.unpack_from(order + "II", block, start + 8 * i)[1] for i in range(min(count, 3))
        )
    return None


def _camera(make: Any, model: Any) -> str:
    first, second = _text(make), _text(model)
    return second if second.lower().startswith(first.lower()) else f"{first} {second}".strip()


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        return ""
    text = value.split(b"\x00")[0].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _iso_date(value: Any) -> str:
    """``2021:05:30 12:00:00`` as ``2021-05-30T12:00:00``; empty for placeholders such as
    ``0000:00:00 00:00:00``.
    """
    date, _, clock = _text(value).replace("T", " ").partition(" ")
    parts, times = date.replace("-", ":").replace("/", ":").split(":"), clock[:8].split(":")
    if (
        len(parts) != 3
        or len(times) != 3
        or not all(part.isdigit() and part.isascii() for part in (*parts, *times))
    ):
        return ""
    year, month, day, hour, minute, second = map(int, (*parts, *times))
    if not (
        1800 <= year <= 9999
        and 1 <= month <= 12
        and 1 <= day <= 31
        and hour < 24
        and minute < 60
        and second < 61
    ):
        return ""
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
