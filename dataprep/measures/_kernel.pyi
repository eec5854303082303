"""The compiled measures (`kernel.c`): arrays in through the buffer protocol, whole numbers out.

A plane is (h, w) uint8 with neighbouring pixels in a row, unless said otherwise; `rgb` is
contiguous (h, w, 3) uint8; a thumb is (32, 32) uint8. Neither side may be 0. Everything else raises
ValueError, and too little memory MemoryError.
"""

from _typeshed import ReadableBuffer as Buffer

VERSION: int

def luma(rgb: Buffer, out: Buffer) -> None:
    """Fills `out`, h * w bytes, with BT.601 luma as OpenCV rounds it."""

def tones(plane: Buffer, step: int, shares: Buffer) -> tuple[int, int, int, float, tuple[int, ...]]:
    """Of every `step`-th row from `step` // 2 on: number of pixels, sum of their levels, sum of
    their squares, entropy in bits, and the first level at or below which each of `shares` (float64)
    lies.
    """

def chroma(rgb: Buffer, step: int, shares: Buffer) -> tuple[int, int, int, float, tuple[int, ...]]:
    """As `tones`, of max - min of R, G, B."""

def colours(rgb: Buffer, step: int) -> tuple[int, int, int, int]:
    """Sums of red, green and blue of every `step`-th row from `step` // 2 on; number of pixels."""

def edge(plane: Buffer, depth: int) -> tuple[int, int, int]:
    """Number, sum and sum of squares of the levels within `depth` of the four sides, those at
    corners twice.
    """

def uniform_lines(plane: Buffer, tolerance: int) -> tuple[int, int]:
    """Lines at the top of a plane with any strides that have one level, and that level."""

def steps(plane: Buffer, tops: Buffer) -> tuple[int, int, int, int, int, int]:
    """Sums of squared differences within the bands of 17 rows that begin at `tops` (int64): one
    to the right, one down, aslant to the right and to the left (rows 0, 6 and 12 only), eight to
    the right, eight down.
    """

def quiet_blocks(
    plane: Buffer, tops: Buffer, clipped: int, low: float, high: float
) -> tuple[int, int, int]:
    """Of the 8 x 8 blocks of the bands that are further than `clipped` from black and white: their
    number, and the mean mixed differences, in sixteenths of a level, below which the shares `low`
    and `high` of them lie.
    """

def block_steps(plane: Buffer, tops: Buffer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(8,) and (8,): total absolute step to the next row and to the next column by place within a
    block, without the two largest rows or columns.
    """

def reduce(plane: Buffer, across: tuple[Buffer, Buffer], down: tuple[Buffer, Buffer]) -> bytes:
    """The thumb of a plane: for each axis the first pixel that each of 32 outputs needs (int32),
    and (32, taps) weights in 2**-22 (int32).
    """

def hashes(thumb: Buffer) -> bytes:
    """(8,) uint64: the DCT hashes of a thumb."""

def sketch(thumb: Buffer) -> bytes:
    """(144,) uint8: the sketch of a thumb."""

def pack(thumb: Buffer) -> bytes:
    """(512,) uint8: a thumb in 4 bits."""

def powers(plane: Buffer, weights: Buffer) -> bytes:
    """(64,) float64: mean power in bins 0 to 63 of windows of 128 pixels, times `weights` (128
    float64), at eight places of a plane (any strides), 128 wide or more.
    """

def patches(rgb: Buffer) -> bytes:
    """(5, 36) uint16: the colours at five places of at least 6 x 6 pixels."""

def edges(
    plane: Buffer, margin: int, least_height: int, least_square: int, tangents: Buffer
) -> bytes:
    """The pixels that are as steep as their eight neighbours, none within `margin` (2 or more) of
    the sides: records of 12 bytes, the narrowest first, then in order of place. Width (float32),
    8 times the slope to the right and downwards (int16), tile and direction (uint8), 2 bytes of
    nothing.

    The width is the range of the levels in the 13 x 13 pixels around divided by the slope, at most
    8. `tangents` (4 float64) are those of the borders between the directions of a quarter turn. The
    square of 8 times the slope is at least `least_square`, the range at least `least_height`.
    """

def edge_groups(
    edges: Buffer, by: int, percent: int, side: int, cosine: float, sine: float, limit: float
) -> bytes:
    """(1, 25 or 8, 2) float64 of what `edges` gave: of all together, of each of the 5 x 5 tiles
    or of each direction (`by` 0, 1, 2) the percentile of the widths, and their number. With `side`
    1 or -1 only of edges whose slope along (cosine, sine), squared, is above or below `limit` times
    the square of all of it.
    """

def slopes_and_bends(
    plane: Buffer, step: int, lag: int, least: int, most_slope: int, most_bend: int
) -> bytes:
    """(2, w - 2 * lag) uint32, sums over every `step`-th row: differences of pixels 2 `lag` apart,
    at most `most_slope`, and second differences over `lag`, at most `most_bend`, both only where
    the first is `least` or more.
    """

def marks(red: Buffer, green: Buffer, blue: Buffer, contrast: int) -> tuple[bytes, bytes, bytes]:
    """Places (uint32, in the order of the plane) of pixels that differ by more than `contrast` in
    some channel: from those 3, or from those 8, pixels above, below, left and right; from their
    eight neighbours; from the eight at a distance of 2. What lies beyond the image counts for none.
    """
