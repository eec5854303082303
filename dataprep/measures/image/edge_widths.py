"""Widths of edges in eight directions: what blur is judged by, wherever an image has edges at all.

The width of an edge is its height divided by its steepest slope, both read from pixels: 1 for a
step from one pixel to the next. Blur widens every edge, motion only those that it crosses. A
shallow depth of field, a soft shadow and a wisp of cloud widen some: so the sharpest edges are
asked, of the whole image and of its tiles, never the mean.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.decode.pixels import Bytes2D
from dataprep.measures.image.bands import SHORT_SIDE

#: Images with a shorter side than this are not judged.
LEAST_SIDE = 48
#: Half-turns are divided into so many directions.
_DIRECTIONS = 8
#: Side of the neighbourhood whose range of luma is the height of an edge; wider edges are cut off.
_REACH = 13
_WIDEST = 8.0
#: Levels that an edge is high, and the square of 8 times what luma changes from pixel to pixel, at
#: least.
_LEAST_HEIGHT, _LEAST_SQUARE = 30, 64
#: Share of the shorter side that is left out along the frame.
_MARGIN = 0.03
_LEAST_EDGES, _LEAST_OF_DIRECTION, _LEAST_OF_TILE = 80, 12, 15
_LEAST_DIRECTIONS = 5
#: Tiles along each side.
_TILES = 5
#: Edges within 30 degrees of the motion are crossed by it, those beyond 60 run along it: squares of
#: the cosines. At least so many of each in a tile.
_NEAR, _FAR = 0.75, 0.25
_LEAST_NEAR = 6
#: Width along the motion relative to that across it, from which a tile agrees.
_AGREES = 1.2


class EdgeWidths(NamedTuple):
    """Widths in pixels of the image reduced to a shorter side of at most 512; NaN where there are
    too few edges.

    Where there are too few at that size, and not at half of it or a quarter, in pixels of the
    smaller image.

    Attributes:
        edges: pixels on edges.
        sharpest: 5th percentile of the widths.
        second_tile: the width (10th percentile) in the second sharpest of 5 x 5 tiles.
        elongation: width along the direction in which edges are widest, relative to that across it.
        angle: that direction in degrees, 0 level, 90 upright, growing anticlockwise, 0 to 180.
        regularity: share of the variance between directions that one direction of motion explains,
            up to 1.
        along, across: 10th percentiles of the widths along that direction and across it.
        share_along: share of the edges that are measured along it.
        sharpest_tile: the least width (20th percentile) along it in a tile.
        agreement: share of the tiles in which edges along it are wider by a fifth.
        tiles: how many tiles could be asked.
    """

    edges: float = math.nan
    sharpest: float = math.nan
    second_tile: float = math.nan
    elongation: float = math.nan
    angle: float = math.nan
    regularity: float = math.nan
    along: float = math.nan
    across: float = math.nan
    share_along: float = math.nan
    sharpest_tile: float = math.nan
    agreement: float = math.nan
    tiles: float = math.nan


#: What percentiles are taken of: all edges together, or each tile or direction.
_ALL, _TILE, _DIRECTION = 0, 1, 2
_GROUPS = (1, _TILES**2, _DIRECTIONS)
#: Borders between the directions of a quarter turn.
_TANGENTS = np.array(
    [math.tan((border + 0.5) * math.pi / _DIRECTIONS) for border in range(_DIRECTIONS // 2)]
)
_TANGENTS.setflags(write=False)


class _Part(NamedTuple):
    """Edges whose slope along (cosine, sine), squared, is above (side 1) or below (-1) `limit` of
    all of it; 0 is all of them.
    """

    side: int = 0
    cosine: float = 0.0
    sine: float = 0.0
    limit: float = 0.0


_EVERY = _Part()

#: (width, number of edges) of each group.
_Widths = list[tuple[float, float]]


class _Edges(NamedTuple):
    """One row per pixel on an edge, the narrowest first: width, slope to the right and downwards
    (times 8), number of the tile and of the direction.
    """

    width: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    tile: NDArray[np.uint8]
    direction: NDArray[np.uint8]


def measure_edges(luma: Bytes2D) -> EdgeWidths:
    """The widths of the edges in `luma` (h, w)."""
    factor = math.ceil(min(luma.shape) / SHORT_SIDE)
    if factor > 1:
        size = luma.shape[1] // factor, luma.shape[0] // factor
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    if min(luma.shape) < LEAST_SIDE:
        return EdgeWidths()
    edges = _edges_of(luma)
    ((sharpest, count),) = _widths(edges, _ALL, 5)
    if count < _LEAST_EDGES:
        if min(luma.shape) < 2 * LEAST_SIDE:
            return EdgeWidths(edges=count)
        # Edges may be too soft to be steep anywhere. At half the size they are steeper, and their
        # widths, left as they are there, claim less than they could: a clean edge is still one of 1
        # pixel.
        half = cv2.resize(
            luma, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
        return measure_edges(np.asarray(half, np.uint8))
    tiles = sorted(_known(_widths(edges, _TILE, 10), _LEAST_OF_TILE).values())
    found = EdgeWidths(
        edges=count, sharpest=sharpest, second_tile=tiles[1] if len(tiles) > 1 else math.nan
    )
    return _with_motion(edges, found)


def _edges_of(luma: Bytes2D) -> bytes | _Edges:
    """The pixels on edges; as `kernel.c` gives them where it is there."""
    margin = max(4, round(_MARGIN * min(luma.shape)))
    if compiled.KERNEL is not None:
        found: bytes = compiled.KERNEL.edges(luma, margin, _LEAST_HEIGHT, _LEAST_SQUARE, _TANGENTS)
        return found
    place, across, down, height = _steepest_pixels(luma, margin)
    across, down = across.astype(np.float64), down.astype(np.float64)
    width = np.minimum(4.0 * height / np.sqrt(across * across + down * down), _WIDEST)
    rows, columns = luma.shape
    y, x = np.divmod(place, np.uint32(columns))
    tile = _tiles(rows)[y] * np.uint8(_TILES) + _tiles(columns)[x]
    width = width.astype(np.float32).astype(np.float64)
    order = np.argsort(width, kind="stable")
    direction = _directions(across, down)
    return _Edges(width[order], across[order], down[order], tile[order], direction[order])


def _widths(edges: bytes | _Edges, by: int, percent: int, part: _Part = _EVERY) -> _Widths:
    """Of each group the percentile of the widths, between two of them, and the number of
    edges.
    """
    if isinstance(edges, bytes):
        assert compiled.KERNEL is not None
        found = compiled.KERNEL.edge_groups(edges, by, percent, *part)
        return [(width, count) for width, count in np.frombuffer(found).reshape(-1, 2).tolist()]
    asked = _lies_in(edges, part)
    group = (np.zeros(len(asked), np.uint8), edges.tile, edges.direction)[by][asked]
    ordered = edges.width[asked][np.argsort(group, kind="stable")]
    count = np.bincount(group, minlength=_GROUPS[by])
    place = np.cumsum(count) - count + (count - 1) * percent / 100
    below = place.astype(np.int64)
    padded = np.append(ordered, [0.0, 0.0])  # beyond the last group
    width = padded[below] + (place - below) * (padded[below + 1] - padded[below])
    return [*zip(width.tolist(), count.astype(float).tolist(), strict=True)]


def _lies_in(edges: _Edges, part: _Part) -> NDArray[np.bool_]:
    if not part.side:
        return np.ones(len(edges.width), bool)
    along = edges.across * part.cosine + edges.down * part.sine
    along *= along
    limit = part.limit * (edges.across * edges.across + edges.down * edges.down)
    return np.asarray(along > limit if part.side > 0 else along < limit)


def _known(widths: _Widths, least: int) -> dict[int, float]:
    """Group to its width, of those with at least so many edges."""
    return {group: width for group, (width, count) in enumerate(widths) if count >= least}


def _steepest_pixels(luma: Bytes2D, margin: int) -> tuple[NDArray[Any], ...]:
    """Place, 8 times the slope to the right and downwards, and height of each pixel on an edge:
    what `kernel.c` finds faster.
    """
    across, down = (cv2.Sobel(luma, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    square = across * across + down * down  # of whole numbers, exact in 32 bits
    reach = np.ones((_REACH, _REACH), np.uint8)
    height = np.asarray(cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, reach))
    steepest = np.asarray(cv2.dilate(square, np.ones((3, 3), np.uint8)))
    chosen = np.zeros(luma.shape, bool)
    inner = slice(margin, -margin), slice(margin, -margin)
    chosen[inner] = square[inner] >= steepest[inner]
    chosen &= (height >= _LEAST_HEIGHT) & (square >= _LEAST_SQUARE)
    place = np.flatnonzero(chosen)
    return (
        place.astype(np.uint32),
        across.ravel()[place],
        down.ravel()[place],
        height.ravel()[place],
    )


def _tiles(length: int) -> NDArray[np.uint8]:
    """(length,) number of the tile that each row or column is in."""
    return np.minimum(np.arange(length) * _TILES // length, _TILES - 1).astype(np.uint8)


def _with_motion(edges: bytes | _Edges, found: EdgeWidths) -> EdgeWidths:
    """`found` with the direction in which edges are widest: log width = level + c cos 2
    (direction - angle).
    """
    directions = _widths(edges, _DIRECTION, 10)
    widths = _known(directions, _LEAST_OF_DIRECTION)
    if len(widths) < _LEAST_DIRECTIONS:
        return found
    angles = [number * math.pi / _DIRECTIONS for number in widths]
    weights = [min(directions[number][1], 200.0) for number in widths]
    cosine, sine, regularity = _fit_wave(
        [2 * a for a in angles], [math.log(w) for w in widths.values()], weights
    )
    theta = math.atan2(sine, cosine) / 2 % math.pi
    # The slope's share along theta, squared, relative to the squared cosine of 30 and 60 degrees.
    near = _Part(1, math.cos(theta), math.sin(theta), _NEAR)
    far = _Part(-1, math.cos(theta), math.sin(theta), _FAR)
    along, across = (_known(_widths(edges, _TILE, 20, part), _LEAST_NEAR) for part in (near, far))
    ratios = [along[tile] / across[tile] for tile in along.keys() & across.keys()]
    (all_along,), (all_across,) = (_widths(edges, _ALL, 10, part) for part in (near, far))
    return found._replace(
        elongation=math.exp(2 * math.hypot(cosine, sine)),
        angle=-math.degrees(theta) % 180,
        regularity=regularity,
        along=_known([all_along], _LEAST_OF_TILE).get(0, math.nan),
        across=_known([all_across], _LEAST_OF_TILE).get(0, math.nan),
        share_along=all_along[1] / found.edges,
        sharpest_tile=min(along.values(), default=math.nan),
        agreement=sum(ratio > _AGREES for ratio in ratios) / len(ratios) if ratios else math.nan,
        tiles=float(len(ratios)),
    )


def _directions(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(n,) which of the eight directions each slope has, each 22.5 degrees wide: 0 level, 4
    upright.
    """
    steps = np.zeros(len(across), np.uint8)
    level, upright = np.abs(across), np.abs(down)
    for tangent in _TANGENTS:
        steps += upright > tangent * level
    turned = (across < 0) != (down < 0)
    return np.where(turned, (_DIRECTIONS - steps) % _DIRECTIONS, steps).astype(np.uint8)


def _fit_wave(
    angles: list[float], values: list[float], weights: list[float]
) -> tuple[float, float, float]:
    """(b, c, share of the variance explained) of a + b cos + c sin, by weighted least squares,
    alike on every processor.
    """
    total = math.fsum(weights)

    def centred(numbers: list[float]) -> list[float]:
        mean = math.fsum(w * number for w, number in zip(weights, numbers, strict=True)) / total
        return [number - mean for number in numbers]

    def product(some: list[float], others: list[float]) -> float:
        return math.fsum(
            w * one * other for w, one, other in zip(weights, some, others, strict=True)
        )

    cosines = centred([*map(math.cos, angles)])
    sines = centred([*map(math.sin, angles)])
    values = centred(values)
    cc, ss, cs = product(cosines, cosines), product(sines, sines), product(cosines, sines)
    cv, sv, vv = product(cosines, values), product(sines, values), product(values, values)
    determinant = cc * ss - cs * cs
    if determinant < 1e-9 * cc * ss or vv <= 0:
        return 0.0, 0.0, 0.0
    cosine, sine = (cv * ss - sv * cs) / determinant, (sv * cc - cv * cs) / determinant
    return cosine, sine, (cosine * cv + sine * sv) / vv
