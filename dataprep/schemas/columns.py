"""The columns of `Dataset.samples` and `Dataset.arrays`: the names, units and meanings that
measures write and checks read.

A measure declares the column it writes (`dataprep.measures`); this table is the published contract
of the built-in ones, the source of the units in reports and the column order of
``samples.parquet``.

Kinds as stored: "float" float32 and "int" float64, both NaN where unknown; "bool" bool, False where
unknown; "category" (categorical) and "text" strings, "" where unknown, but for the given columns,
which are missing there; "array" in `Dataset.arrays`, zeros where unknown.

Luma is BT.601 luma of the displayed image (EXIF orientation applied, transparency composited over
white, 16-bit and float data scaled to 8 bits), on a scale from 0 (black) to 1 (white).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["float", "int", "bool", "category", "text", "array"]


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, unit (empty when it has none) and meaning."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    family: str = "property"


def _columns(family: str, *rows: tuple[str, Kind, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row, family=family) for row in rows)


GIVEN = _columns(
    "given",
    ("label", "category", "", "class label, missing (NaN) when unlabelled"),
    ("split", "category", "", "train, val, test or the name of a fold; missing when not split"),
    ("group", "category", "", "samples that belong together: patient, video, sender, burst"),
)

FILE = _columns(
    "file",
    ("bytes", "int", "bytes", "file size"),
    ("file_hash", "text", "", "hash of the file's bytes: 128 bits of XXH3, hexadecimal"),
    (
        "pixel_hash",
        "text",
        "",
        "hash of the displayed pixels and their shape: 128 bits of XXH3, hexadecimal",
    ),
    (
        "lost",
        "category",
        "",
        "why the file could not be measured, empty when it was: missing, empty, truncated, "
        "not-an-image, "
        "unsupported, too-large, out-of-memory, crashed, timed-out, unreadable",
    ),
    ("lost_detail", "text", "", "the decoder's own words"),
    ("format", "category", "", "format by content, in Pillow's names: JPEG, PNG, WEBP, ..."),
    ("extension", "category", "", "file name extension, lower case, without the dot"),
    ("mode", "category", "", "Pillow mode of the stored pixels: RGB, L, P, CMYK, I;16, ..."),
    ("bit_depth", "int", "bits", "bits per channel as stored"),
    ("alpha", "bool", "", "has a transparency channel with at least one pixel that is not opaque"),
    ("frames", "int", "frames", "frames of an animation or pages of a document"),
    ("orientation", "int", "", "EXIF orientation, 1 (upright) to 8; 1 when absent"),
    ("captured_at", "text", "", "EXIF capture time, ISO 8601 without zone, empty when absent"),
    ("camera", "category", "", "EXIF make and model, empty when absent"),
    ("gps", "bool", "", "EXIF holds a position"),
    ("icc", "bool", "", "has an embedded colour profile"),
    (
        "jpeg_quality",
        "float",
        "",
        "quality estimated from the quantisation tables, 1 to 100; missing for other formats",
    ),
    (
        "approximate",
        "bool",
        "",
        "decoded at reduced scale: sharpness, noise and blockiness are estimates",
    ),
)

PIXEL = _columns(
    "pixel",
    ("width", "int", "pixels", "width as displayed"),
    ("height", "int", "pixels", "height as displayed"),
    ("luma_mean", "float", "luma", "mean luma, 0 to 1"),
    ("luma_p01", "float", "luma", "1st percentile of luma"),
    ("luma_p05", "float", "luma", "5th percentile of luma"),
    ("luma_p25", "float", "luma", "25th percentile of luma"),
    ("luma_p50", "float", "luma", "median luma"),
    ("luma_p75", "float", "luma", "75th percentile of luma"),
    ("luma_p95", "float", "luma", "95th percentile of luma"),
    ("luma_p99", "float", "luma", "99th percentile of luma"),
    ("contrast", "float", "luma", "standard deviation of luma, 0 to 0.5"),
    ("entropy", "float", "bits", "Shannon entropy of the luma histogram, 0 to 8"),
    ("saturation", "float", "", "mean chroma (max - min of R, G, B), 0 to 1"),
    (
        "chroma_p99",
        "float",
        "",
        "99th percentile of chroma, 0 to 1: near 0 means grey, however stored",
    ),
    (
        "sharpness",
        "float",
        "",
        "slope of edges relative to their height: 1 for clean steps, more for fine texture, down "
        "to 0.13 for strong blur; of the image reduced to a shorter side of at most 512 pixels",
    ),
    (
        "directionality",
        "float",
        "",
        "how much sharper one direction is than another, 0 to 1; high in motion blur",
    ),
    (
        "noise",
        "float",
        "luma",
        "standard deviation of additive noise, estimated on the flattest parts, 0 to 1",
    ),
    (
        "blockiness",
        "float",
        "",
        "steps at 8 x 8 block borders relative to steps inside the blocks; 1 means none",
    ),
    (
        "detail_fraction",
        "float",
        "",
        "share of the frequencies that the pixel grid can carry below the end of detail; well "
        "below 1 means enlarged or blurred",
    ),
    (
        "block_steps",
        "float",
        "",
        "share of the sides of 8 x 8 blocks that show as a step between smooth blocks, 0 to 1",
    ),
    (
        "border",
        "float",
        "",
        "share of the area taken by a uniform frame with a straight inner edge, 0 to 1",
    ),
    (
        "border_straightness",
        "float",
        "",
        "share of the inner edge of that frame that is straight, 0 to 1; 0 without a frame",
    ),
    ("warmth", "float", "", "mean red less mean blue, -1 to 1: the cast of the light"),
    ("tint", "float", "", "mean green less the mean of red and blue, -1 to 1"),
    (
        "edge_luma",
        "float",
        "luma",
        "mean luma of the outer frame, 4 % of the shorter side wide: the background",
    ),
    (
        "edge_contrast",
        "float",
        "luma",
        "standard deviation of luma in the outer frame, 0 to 0.5; near 0 for a plain background",
    ),
)

ARRAYS = _columns(
    "array",
    (
        "phash",
        "array",
        "",
        "(n, 8) uint64: 64-bit DCT hash of the image under the eight flips and quarter turns",
    ),
    (
        "phash_inner",
        "array",
        "",
        "(n, 8) uint64: as phash, of the picture without its uniform frame",
    ),
    (
        "sketch",
        "array",
        "",
        "(n, 2, 144) uint8: where edges run in which direction, of the image and of it without its "
        "frame",
    ),
    (
        "thumb",
        "array",
        "",
        "(n, 512) uint8: luma reduced to 32 x 32 pixels and stretched over 16 levels, two pixels a "
        "byte",
    ),
    (
        "patches",
        "array",
        "",
        "(n, 5, 36) uint16: colours of the 6 x 6 pixels in the four corners and the centre",
    ),
    (
        "close_up",
        "array",
        "",
        "(n, 25) float32: widths of edges, noise and traces of enlargement of images that may be "
        "blurred, noisy or enlarged; NaN for what cannot be told, zeros of others",
    ),
    ("embedding", "array", "", "(n, d) float16: embedding of the displayed image"),
    ("probs", "array", "", "(n, k) float32: class probabilities, columns as `Dataset.classes`"),
)

#: Type and shape of one sample's value, of the arrays that the pass over the files fills.
ARRAY_FORMS: dict[str, tuple[str, tuple[int, ...]]] = {
    "phash": ("<u8", (8,)),
    "phash_inner": ("<u8", (8,)),
    "sketch": ("u1", (2, 144)),
    "thumb": ("u1", (512,)),
    "patches": ("<u2", (5, 36)),
    "close_up": ("<f4", (25,)),
}

COLUMNS: dict[str, Column] = {column.name: column for column in (*GIVEN, *FILE, *PIXEL, *ARRAYS)}

#: The numeric properties that reports chart and distribution checks compare.
PROPERTIES: tuple[str, ...] = tuple(
    column.name for column in (*PIXEL, COLUMNS["jpeg_quality"], COLUMNS["bytes"])
)
