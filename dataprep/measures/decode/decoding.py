"""Bytes to Pixels: formats detected from content, JPEG by libjpeg-turbo, everything else by Pillow,
every failure with its reason.
"""

from __future__ import annotations

import io
import math
import os
import re
import stat
import struct
import warnings
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from dataprep.measures.decode.conversion import grey_to_rgb, to_rgb, upright
from dataprep.measures.decode.exif import Exif, orientation_or_upright, read_exif
from dataprep.measures.decode.jpeg_header import JpegHeader, read_jpeg_header
from dataprep.measures.decode.pixels import Header, Pixels
from dataprep.measures.decode.reducing import reduced_rgb, reduction
from dataprep.measures.decode.signatures import describe_other, is_foreign, name_image
from dataprep.measures.decode.stacks import count_frames
from dataprep.measures.options import PassOptions

_EXTRANEOUS = re.compile(r"extraneous bytes before marker 0x([0-9a-f]{2})")
_ZERO_TAIL = 64
_CUT_WORDS = ("truncated", "premature", "not enough image data", "unexpected end")
_UNSUPPORTED_WORDS = ("unsupported", "not supported", "not implemented", "cannot load this image")
_DEFAULTS = PassOptions()
_MODE_BITS = {"1": 1, "I;16": 16, "I;16L": 16, "I;16B": 16, "I;16N": 16, "I": 32, "F": 32}


class Undecodable(Exception):
    """A file that gives no pixels.

    Attributes:
        reason: one of `dataprep.schemas.lost.REASONS`.
        detail: what was wrong, in one line.
        facts: columns that were known before the failure (``bytes``, ``format``, ``width``,
            ``height``, ...).
    """

    def __init__(self, reason: str, detail: str = "", facts: dict[str, Any] | None = None) -> None:
        super().__init__(reason, detail, facts)
        self.reason = reason
        self.detail = " ".join(detail.split())
        self.facts = facts or {}


def open_pixels(data: bytes, options: PassOptions = _DEFAULTS, longest: int = 0) -> Pixels:
    """Decode the first frame of an image file.

    Args:
        data: the whole file; the format is detected from the content.
        options: limits, and the size above which a JPEG is decoded at reduced scale.
        longest: pixels of the longer side that are enough: a JPEG is decoded at the least of eight
            scales that has them; 0 for the full size.

    Raises:
        Undecodable: with the reason; nothing else, whatever the bytes.
    """
    facts: dict[str, Any] = {"bytes": len(data)}
    try:
        return _open(data, options, facts, longest)
    except Undecodable as failure:
        failure.facts = facts | failure.facts
        raise
    except MemoryError as error:
        raise Undecodable(
            "out-of-memory", "the decoded image does not fit in memory", facts
        ) from error
    except Exception as error:  # decoders of hostile bytes raise anything
        raise _failure(error, data, facts) from error


def _failure(error: Exception, data: bytes, facts: dict[str, Any]) -> Undecodable:
    """What a decoder's exception says about the file; where its end is missing, that is the
    better explanation.
    """
    reason, detail = _reason_of(error), f"{type(error).__name__}: {error}"
    missing = _missing_end(facts.get("format", ""), data)
    if reason == "unreadable" and missing:
        reason, detail = "truncated", missing
    return Undecodable(reason, detail, facts)


def _open(data: bytes, options: PassOptions, facts: dict[str, Any], longest: int) -> Pixels:
    if not data:
        raise Undecodable("empty", "the file has no bytes")
    _refuse_heavy(len(data), options)
    kind = name_image(data)
    if kind:
        facts["format"] = kind
    if is_foreign(kind):
        why = "PostScript is a program, not an image" if kind == "EPS" else f"{kind} is not read"
        raise Undecodable("unsupported", f"{why}: convert it to PNG, TIFF or JPEG")
    if kind == "JPEG":
        return _open_jpeg(data, options, facts, longest)
    return _open_with_pillow(data, kind, options, facts)


def _refuse_heavy(size: int, options: PassOptions) -> None:
    if size > options.max_file_mb * 1e6:
        detail = f"{size / 1e6:,.1f} MB, the limit is {options.max_file_mb:,.1f} MB (max_file_mb)"
        raise Undecodable("too-large", detail, {"bytes": size})


def _refuse_bomb(width: int, height: int, options: PassOptions, facts: dict[str, Any]) -> None:
    facts["width"], facts["height"] = width, height
    megapixels, limit = width * height / 1e6, options.max_megapixels
    if megapixels > limit:
        raise Undecodable(
            "too-large",
            f"{width} x {height} is {megapixels:,.1f} megapixels, the limit is {limit:,.1f} "
            "(max_megapixels)",
        )


def _open_jpeg(data: bytes, options: PassOptions, facts: dict[str, Any], longest: int) -> Pixels:
    header = read_jpeg_header(data)
    exif = read_exif(header.exif)
    facts["format"] = "MPO" if header.pictures > 1 else "JPEG"
    width, height = (
        (header.height, header.width) if exif.orientation > 4 else (header.width, header.height)
    )
    _refuse_bomb(width, height, options, facts)
    if header.precision != 8:
        raise Undecodable(
            "unsupported",
            f"JPEG with {header.precision} bits per channel: convert it to PNG or TIFF",
        )
    rgb = _decode_jpeg(data, header, _eighths(header, options, longest))
    if rgb is None:
        return _open_with_pillow(data, "JPEG", options, facts)
    stored = Header(
        format=facts["format"],
        mode="L" if header.components == 1 else "RGB",
        width=width,
        height=height,
        frames=header.pictures,
        icc=header.icc,
        jpeg_quality=header.quality,
        **_as_facts(exif, header.xmp_position),
    )
    return Pixels(
        data,
        stored,
        upright(rgb, exif.orientation),
        approximate=rgb.shape[:2] != (header.height, header.width),
    )


def _eighths(header: JpegHeader, options: PassOptions, longest: int) -> int:
    """The scale to decode at, 1 to 8 for an eighth to the full size."""
    excess = header.width * header.height / (options.scale_above_megapixels * 1e6)
    scale = 1 if excess <= 1 else min(8, 2 ** math.ceil(math.log2(excess) / 2))
    enough = -(-8 * longest // max(header.width, header.height, 1)) if longest else 8
    return min(8 // scale, max(enough, 1))


def _decode_jpeg(data: bytes, header: JpegHeader, eighths: int) -> NDArray[np.uint8] | None:
    """(h, w, 3) as stored, or None where Pillow must try: CMYK, rare samplings, damaged headers."""
    if header.components not in (1, 3) or not header.width or not header.height:
        return None
    space = "GRAY" if header.components == 1 else "RGB"
    try:
        decoded = simplejpeg.decode_jpeg(
            data,
            space,
            min_height=header.height * eighths // 8,
            min_width=header.width * eighths // 8,
        )
    except ValueError as error:
        _refuse_damage(str(error), data)
        return None
    return (
        grey_to_rgb(np.ascontiguousarray(decoded[:, :, 0]))
        if space == "GRAY"
        else np.asarray(decoded)
    )


def _refuse_damage(warning: str, data: bytes) -> None:
    """Tell the decoder's warnings of lost or garbled pixels from harmless ones and from refusals,
    on which Pillow must try.

    Raises:
        Undecodable: pixels are lost or garbled.
    """
    if "Premature end of JPEG file" in warning:
        raise Undecodable("truncated", _where_jpeg_ends(data))
    before = _EXTRANEOUS.search(warning)
    if before:
        # Stray bytes between the header's segments, and zeros that pad the end, harm nothing.
        marker = int(before[1], 16)
        if 0xE0 <= marker <= 0xFE or (
            marker == 0xD9 and data[: data.rfind(b"\xff\xd9")].endswith(b"\x00\x00")
        ):
            return
    if "Corrupt JPEG data" in warning or "Unsupported marker" in warning:
        raise Undecodable("unreadable", f"damaged: {warning}")


def _where_jpeg_ends(data: bytes) -> str:
    zeros = len(data) - len(data.rstrip(b"\x00"))
    if zeros >= _ZERO_TAIL:
        return _describe_zeros(zeros, data)
    return f"the image data end too early, after {len(data):,} bytes"


def _open_with_pillow(
    data: bytes, kind: str, options: PassOptions, facts: dict[str, Any]
) -> Pixels:
    if kind == "HEIF":
        _register_heif()
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The header's size is compared with our own limit first, so that it is known even of a
        # bomb.
        Image.MAX_IMAGE_PIXELS = None
        try:
            with _identify(data, kind) as image:
                return _from_pillow(image, data, options, facts)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _identify(data: bytes, kind: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        if not kind:
            raise Undecodable("not-an-image", f"it is {describe_other(data)}") from None
        if kind in ("AVIF", "HEIF") and not _can_read(kind):
            raise Undecodable(
                "unsupported", f"{kind} needs pillow-heif: pip install pillow-heif"
            ) from None
        missing = _missing_end(kind, data)
        if missing or len(data) < _ZERO_TAIL:
            raise Undecodable(
                "truncated", missing or f"begins like {kind}, and ends after {len(data)} bytes"
            ) from None
        raise Undecodable(
            "unreadable", f"begins like {kind}, but its header cannot be read"
        ) from None


def _can_read(kind: str) -> bool:
    Image.init()
    return kind in Image.OPEN


def _register_heif() -> None:
    """Let Pillow read HEIC through pillow-heif; imported only when such a file comes."""
    try:
        import pillow_heif
    except ImportError:
        raise Undecodable(
            "unsupported", "HEIC needs pillow-heif: pip install pillow-heif"
        ) from None
    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener()


def _from_pillow(
    image: Image.Image, data: bytes, options: PassOptions, facts: dict[str, Any]
) -> Pixels:
    facts |= {"format": image.format or "", "mode": image.mode}
    if image.format == "EPS":
        raise Undecodable(
            "unsupported", "PostScript is a program, not an image: convert it to PNG, TIFF or JPEG"
        )
    _refuse_bomb(*image.size, options, facts)
    mode, depth, frames = image.mode, _bit_depth(image, data), count_frames(image, data)
    orientation = _orientation(image)
    missing = _missing_end(image.format or "", data)
    if missing:
        raise Undecodable("truncated", missing)
    # Pillow's own limit guards what the header does not tell: embedded images, frames larger than
    # the canvas.
    Image.MAX_IMAGE_PIXELS = int(options.max_megapixels * 1e6)
    image.load()
    if not image.width * image.height:
        raise Undecodable("unreadable", "the image has no pixels")
    factor = reduction(*image.size, options)
    rgb, alpha = to_rgb(image) if factor == 1 else reduced_rgb(image, factor)
    # Pillow turns TIFFs upright as it loads them, and drops their tag.
    turn = _orientation(image)
    width, height = image.size if turn < 5 else image.size[::-1]
    rgb = upright(rgb, turn)
    exif = read_exif(_exif_block(image, data))
    rest = _as_facts(exif, "GPSLatitude" in str(image.info.get("xmp", ""))) | {
        "orientation": orientation
    }
    quality = read_jpeg_header(data).quality if data[:2] == b"\xff\xd8" else math.nan
    header = Header(
        format=image.format or "",
        mode=mode,
        width=width,
        height=height,
        bit_depth=depth,
        alpha=alpha,
        frames=frames,
        icc=bool(image.info.get("icc_profile")),
        jpeg_quality=quality,
        **rest,
    )
    return Pixels(data, header, rgb, approximate=factor > 1)


def _as_facts(exif: Exif, xmp_position: bool) -> dict[str, Any]:
    return {
        "orientation": exif.orientation,
        "captured_at": exif.captured_at,
        "camera": exif.camera,
        "gps": exif.gps or xmp_position,
    }


def _orientation(image: Image.Image) -> int:
    try:
        return orientation_or_upright(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # a damaged EXIF block raises anything, and hides no pixel
        return 1


def _exif_block(image: Image.Image, data: bytes) -> bytes:
    """The EXIF block as TIFF bytes; a TIFF file is its own."""
    if image.format == "TIFF":
        return data
    block = image.info.get("exif", b"")
    if not block and "Raw profile type exif" in image.info:
        block = image.getexif().tobytes()
    return block if isinstance(block, bytes) else b""


def _bit_depth(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG" and data[12:16] == b"IHDR" and len(data) > 24:
        return data[24]
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, 1)
        return int(max(bits)) if isinstance(bits, tuple) and bits else int(bits)
    if image.mode == "I" and image.format in ("PPM", "JPEG2000"):
        return 16
    return _MODE_BITS.get(image.mode, 8)


def _missing_end(format: str, data: bytes) -> str:
    """What shows that the end is missing or overwritten by zeros, where the format tells its
    end; empty when nothing does.
    """
    whole = data.rstrip(b"\x00")
    zeros = len(data) - len(whole)
    if format == "WEBP" and len(data) >= 8 and _announced(data) > len(data) + 1:
        return f"the header announces {_announced(data):,} bytes, there are {len(data):,}"
    unfinished = format in ("WEBP", "AVIF", "HEIF") or (
        format == "GIF" and not whole.endswith(b";")
    )
    if unfinished and zeros >= _ZERO_TAIL:
        return _describe_zeros(zeros, data)
    if format == "PNG" and b"IEND" not in data[-(zeros + 4096) :]:
        return (
            _describe_zeros(zeros, data)
            if zeros >= _ZERO_TAIL
            else "the end of the PNG (its IEND chunk) is missing"
        )
    return ""


def _announced(data: bytes) -> int:
    """The file size that a RIFF header tells."""
    return int(struct.unpack_from("<I", data, 4)[0]) + 8


def _describe_zeros(zeros: int, data: bytes) -> str:
    return (
        f"the last {zeros:,} of {len(data):,} bytes are zeros (an interrupted copy or a "
        "damaged "
        "disk)"
    )


def _reason_of(error: Exception) -> str:
    """The reason that a decoder's exception stands for."""
    text = str(error).lower()
    if isinstance(error, Image.DecompressionBombError) or "decompressed data too large" in text:
        return "too-large"
    if isinstance(error, EOFError) or any(word in text for word in _CUT_WORDS):
        return "truncated"
    if isinstance(error, NotImplementedError) or any(word in text for word in _UNSUPPORTED_WORDS):
        return "unsupported"
    return "unreadable"


def read_bytes(path: str, options: PassOptions = _DEFAULTS) -> bytes:
    """The bytes of a local file.

    Raises:
        Undecodable: missing, unreadable, not a regular file, or larger than the limit (which is
            then not read).
    """
    try:
        facts = os.stat(path)
        _refuse_heavy(facts.st_size, options)
        if not stat.S_ISREG(facts.st_mode):
            raise Undecodable("unreadable", "not a regular file")
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        raise Undecodable("missing", "no such file") from None
    except (OSError, ValueError) as error:
        raise Undecodable("unreadable", getattr(error, "strerror", None) or str(error)) from error
