"""How many frames or pages a file has, counted without opening each of them: a stack of a million
costs its first frame.
"""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image

#: Frames that are counted; a file with more is said to have so many.
MOST_FRAMES = 100_000
#: Blocks of a GIF that are stepped over.
_MOST_BLOCKS = 1_000_000

_TIFF_ENTRY, _BIG_TIFF_ENTRY = 12, 20


def count_frames(image: Image.Image, data: bytes) -> int:
    """Frames of an animation or pages of a document, at least 1 and at most `MOST_FRAMES`.

    Where a later frame is damaged, those before it are counted.

    Args:
        image: the opened file.
        data: the whole file.
    """
    if image.format == "TIFF":
        return max(1, _tiff_pages(data))
    if image.format == "GIF":
        return max(1, _gif_frames(data))
    try:
        return min(max(int(getattr(image, "n_frames", 1)), 1), MOST_FRAMES)
    except Exception:  # a damaged later frame is no reason to lose the first
        return 1


def _tiff_pages(data: bytes) -> int:
    """Length of the chain of directories."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    big = data[2:4] in (b"\x2b\x00", b"\x00\x2b")
    form, entry = (f"{order}Q", _BIG_TIFF_ENTRY) if big else (f"{order}I", _TIFF_ENTRY)
    count_form = f"{order}Q" if big else f"{order}H"
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(form, data, 8 if big else 4)
        while place and place not in seen and len(seen) < MOST_FRAMES:
            (entries,) = struct.unpack_from(count_form, data, place)
            seen.add(place)
            (place,) = struct.unpack_from(
                form, data, place + struct.calcsize(count_form) + entries * entry
            )
    except struct.error:  # the chain leads out of the file
        pass
    return len(seen)


def _gif_frames(data: bytes) -> int:
    """Image descriptors, as the blocks follow one another."""
    frames, blocks, place = 0, 0, 13 + _table_bytes(data, 10)
    try:
        while blocks < _MOST_BLOCKS and frames < MOST_FRAMES:
            kind = data[place]
            if kind == 0x2C:  # an image: descriptor, colours, code size, data
                frames += 1
                place += 10 + _table_bytes(data, place + 9) + 1
            elif kind == 0x21:  # an extension: label, data
                place += 2
            else:  # the trailer, or damage
                break
            while size := data[place]:
                place += size + 1
                blocks += 1
            place += 1
    except IndexError:  # the file ends too early
        pass
    return frames


def _table_bytes(data: bytes, place: int) -> int:
    """Bytes of the colour table that the flags at `place` announce."""
    flags: Any = data[place] if place < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
