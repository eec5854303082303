"""What a file is by its first bytes, for the words of an error message and for choosing a
decoder; never by its name.
"""

from __future__ import annotations

#: Offset, bytes, name in Pillow's words. Formats that Pillow reads come first.
_IMAGES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"II+\x00", "TIFF"),
    (0, b"MM\x00+", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"8BPS", "PSD"),
    (0, b"DDS ", "DDS"),
    (0, b"qoif", "QOI"),
    (0, b"\x00\x00\x01\x00", "ICO"),
    (0, b"\x00\x00\x02\x00", "CUR"),
    (0, b"icns", "ICNS"),
    (0, b"\xff\x4f\xff\x51", "JPEG2000"),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG2000"),
)
_UNSUPPORTED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, b"v/1\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"#?RGBE", "Radiance HDR"),
    (0, b"farbfeld", "farbfeld"),
    (0, b"FUJIFILMCCD-RAW", "camera raw"),
    (0, b"II\xbc\x01", "JPEG XR"),
    (0, b"gimp xcf", "GIMP"),
    (0, b"\xd7\xcd\xc6\x9a", "Windows metafile"),
)
_FOREIGN = frozenset(("EPS", *(name for _, _, name in _UNSUPPORTED)))
_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!", "a rar archive"),
    (0, b"7z\xbc\xaf", "a 7-zip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a Windows program"),
    (0, b"OggS", "an Ogg stream"),
    (0, b"ID3", "an MP3 file"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (128, b"DICM", "a DICOM file (convert it to PNG or TIFF first)"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
    b"mif1",
    b"msf1",
)


def name_image(data: bytes) -> str:
    """The image format that `data` begins like, in Pillow's names where it has one; empty when
    it is like none known.
    """
    if data[:2] == b"\xff\xd8":
        return "JPEG"
    if data[4:8] == b"ftyp":
        return _name_boxed(data)
    if data[:4] == b"%!PS" or data[:4] == b"\xc5\xd0\xd3\xc6":
        return "EPS"
    for start, magic, name in (*_IMAGES, *_UNSUPPORTED):
        if data[start : start + len(magic)] == magic:
            return name
    return ""


def is_foreign(name: str) -> bool:
    """Whether `name` is an image format that no decoder here reads."""
    return name in _FOREIGN


def _name_boxed(data: bytes) -> str:
    """AVIF or HEIF by the brands of an ISO base media file; empty for a film."""
    size = min(max(int.from_bytes(data[:4], "big"), 16), 256)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, min(size, len(data)), 4))]
    for brand in brands:
        if brand in _AVIF_BRANDS:
            return "AVIF"
    return "HEIF" if any(brand in _HEIF_BRANDS for brand in brands) else ""


def describe_other(data: bytes) -> str:
    """What a file that is no image seems to be, in a few words."""
    for start, magic, name in _OTHERS:
        if data[start : start + len(magic)] == magic:
            return name
    if data[4:8] == b"ftyp":
        return "a video"
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head:
        return "an HTML page (a download that failed?)"
    if b"<svg" in head:
        return "an SVG drawing (vector graphics have no pixels: render it first)"
    if head.startswith(b"<?xml"):
        return "an XML document"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer (run: git lfs pull)"
    if not data.strip(b"\x00"):
        return "nothing but zero bytes (an interrupted copy or a damaged disk)"
    return "text" if _is_text(data[:512]) else "data of no known kind"


def _is_text(head: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\r\n\f" for byte in head)
