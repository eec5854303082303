"""The few EXIF tags that checks and reports use, read with Pillow; a damaged block never raises.

Source: CIPA DC-008 (Exif 3.0).
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, TiffImagePlugin

_DATE_TIME = re.compile(r"(\d+)[:/-](\d+)[:/-](\d+) (\d+):(\d+):(\d+)", re.ASCII)
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


_NO_EXIF = Exif()


def read_exif(block: bytes) -> Exif:
    """The tags of an EXIF `block` (TIFF structure, with or without its prefix); the defaults when
    it cannot be read.
    """
    if not block:
        return _NO_EXIF
    if block[:6] in (b"Exif\x00\x00", b"Exif\x00\xff"):
        block = block[6:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main = read_directory(block)
        inner = _inner(block, main, ExifTags.IFD.Exif)
        position = _inner(block, main, ExifTags.IFD.GPSInfo)
        orientation = _value(main, ExifTags.Base.Orientation)
        dates = (
            _value(inner, ExifTags.Base.DateTimeOriginal),
            _value(inner, ExifTags.Base.DateTimeDigitized),
            _value(main, ExifTags.Base.DateTime),
        )
        return Exif(
            orientation=orientation_or_upright(orientation),
            captured_at=next(filter(None, map(_iso_date, dates)), ""),
            camera=_camera(
                _text(_value(main, ExifTags.Base.Make)), _text(_value(main, ExifTags.Base.Model))
            ),
            gps=_is_angle(_value(position, ExifTags.GPS.GPSLatitude))
            and _is_angle(_value(position, ExifTags.GPS.GPSLongitude)),
        )


def read_directory(block: bytes, start: int | None = None) -> Mapping[int, Any]:
    """Tag to value of the image file directory at `start` of a TIFF structure, its first one by
    default; what a damaged one lacks is left out.

    The values are decoded when they are looked up: `PIL.Image.Exif` decodes all, maker notes
    included, at twice the time.
    """
    if block[:4] not in (b"II*\x00", b"MM\x00*") or len(block) < 8:
        return {}
    directory = TiffImagePlugin.ImageFileDirectory_v2(block[:8])
    file = io.BytesIO(block)
    try:
        file.seek(directory.next if start is None else start)
        directory.load(file)
    except Exception:  # a damaged block raises anything
        return {}
    return directory


def _inner(block: bytes, main: Mapping[int, Any], pointer: int) -> Mapping[int, Any]:
    start = _value(main, pointer)
    return read_directory(block, start) if isinstance(start, int) else {}


def orientation_or_upright(value: Any) -> int:
    """`value` where it is an orientation, 1 to 8; else 1."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _value(directory: Mapping[int, Any], tag: int) -> Any:
    try:
        return directory.get(tag)
    except Exception:  # a damaged block raises anything
        return None


def _is_angle(value: Any) -> bool:
    """Whether `value` holds degrees, minutes and seconds that are not all n/0."""
    numbers = value if isinstance(value, tuple) else (value,)
    return any(getattr(number, "denominator", 0) for number in numbers[:3])


def _camera(make: str, model: str) -> str:
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()


def _text(value: Any) -> str:
    """Pillow reads ASCII as Latin-1; most cameras that leave ASCII write UTF-8."""
    if not isinstance(value, str):
        return ""
    encoded = value.encode("latin-1", "replace")[:_MAX_TEXT]
    text = encoded.split(b"\x00")[0].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _iso_date(value: Any) -> str:
    """``2021:05:30 12:00:00`` as ``2021-05-30T12:00:00``; empty for placeholders such as
    ``0000:00:00 00:00:00``.
    """
    date, _, clock = _text(value).replace("T", " ").partition(" ")
    matched = _DATE_TIME.fullmatch(f"{date} {clock[:8]}")
    if matched is None:
        return ""
    year, month, day, hour, minute, second = map(int, matched.groups())
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
