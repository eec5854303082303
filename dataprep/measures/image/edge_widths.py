"""Widths of edges in eight directions: what blur is judged by, wherever an image has edges at all.

The width of an edge is its height divided by its steepest slope, both read from pixels: 1 for a
step from one pixel to the next. Blur widens every edge, motion only those that it crosses. A
shallow depth of field, a soft shadow and a wisp of cloud widen some: so the sharpest edges are
asked, of the whole image and of its tiles, never the mean.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.decode.pixels import Bytes2D
from dataprep.measures.image.bands import SHORT_SIDE

#: Images with a shorter side than this are not judged.
LEAST_SIDE = 48
#: Half-turns are divided into so many directions.
_DIRECTIONS = 8
#: Side of the neighbourhood whose range of luma is the height of an edge; wider edges are cut off.
_REACH = 13
_WIDEST = 8.0
#: Levels that an edge is high and that luma changes from pixel to pixel, at least.
_LEAST_HEIGHT, _LEAST_SLOPE = 30, 1.0
#: Share of the shorter side that is left out along the frame.
_MARGIN = 0.03
_LEAST_EDGES, _LEAST_OF_DIRECTION, _LEAST_OF_TILE = 80, 12, 15
_LEAST_DIRECTIONS = 5
#: Tiles along each side.
_TILES = 5
#: Edges within 30 degrees of the motion are crossed by it, those beyond 60 run along it. At least
#: so many of each in a tile.
_NEAR, _FAR = math.pi / 6, math.pi / 3
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


class _Edges(NamedTuple):
    """One row per pixel on an edge: width, direction of the slope (0 to pi), number of the tile."""

    width: NDArray[np.float32]
    direction: NDArray[np.float64]
    tile: NDArray[np.int64]


def measure_edges(luma: Bytes2D) -> EdgeWidths:
    """The widths of the edges in `luma` (h, w)."""
    factor = math.ceil(min(luma.shape) / SHORT_SIDE)
    if factor > 1:
        size = luma.shape[1] // factor, luma.shape[0] // factor
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    if min(luma.shape) < LEAST_SIDE:
        return EdgeWidths()
    edges = _edges_of(luma)
    if len(edges.width) < _LEAST_EDGES:
        if min(luma.shape) < 2 * LEAST_SIDE:
            return EdgeWidths(edges=float(len(edges.width)))
        # Edges may be too soft to be steep anywhere. At half the size they are steeper, and their
        # widths, left as they are there, claim less than they could: a clean edge is still one of 1
        # pixel.
        half = cv2.resize(
            luma, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
        return measure_edges(np.asarray(half, np.uint8))
    tiles = sorted(_percentiles(edges.width, edges.tile, _TILES**2, 10, _LEAST_OF_TILE).values())
    found = EdgeWidths(
        edges=float(len(edges.width)),
        sharpest=_percentile(edges.width, 5),
        second_tile=tiles[1] if len(tiles) > 1 else math.nan,
    )
    return _with_motion(edges, found)


def _edges_of(luma: Bytes2D) -> _Edges:
    across, down = (
        cv2.Sobel(luma, cv2.CV_32F, *order) for order in ((1, 0), (0, 1))
    )  # 8 times the slope per pixel
    square = (
        across * across + down * down
    )  # of whole numbers, exact in 32 bits: alike on every processor
    reach = np.ones((_REACH, _REACH), np.uint8)
    height = cv2.subtract(cv2.dilate(luma, reach), cv2.erode(luma, reach))
    steepest = cv2.dilate(square, np.ones((3, 3), np.uint8))
    chosen = (square >= steepest) & (height >= _LEAST_HEIGHT) & (square >= (8 * _LEAST_SLOPE) ** 2)
    margin = max(4, round(_MARGIN * min(luma.shape)))
    chosen[:margin] = chosen[-margin:] = chosen[:, :margin] = chosen[:, -margin:] = False
    y, x = np.nonzero(chosen)
    width = np.minimum(4.0 * height[y, x] / np.sqrt(square[y, x].astype(np.float64)), _WIDEST)
    direction = np.arctan2(down[y, x].astype(np.float64), across[y, x].astype(np.float64)) % math.pi
    rows, columns = luma.shape
    tile = np.minimum(y * _TILES // rows, _TILES - 1) * _TILES + np.minimum(
        x * _TILES // columns, _TILES - 1
    )
    return _Edges(width.astype(np.float32), direction, tile)


def _percentiles(
    width: NDArray[np.float32], group: NDArray[np.int64], groups: int, percent: float, least: int
) -> dict[int, float]:
    """Group to the percentile of its widths, of groups with at least so many."""
    ordered = width[np.lexsort((width, group))].astype(np.float64)
    count = np.bincount(group, minlength=groups)
    chosen = np.flatnonzero(count >= least)
    place = (np.cumsum(count) - count)[chosen] + (count[chosen] - 1) * percent / 100
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    figures = ordered[below] + (place - below) * (ordered[above] - ordered[below])
    return dict(zip(chosen.tolist(), figures.tolist(), strict=True))


def _percentile(width: NDArray[np.float32], percent: float, least: int = _LEAST_OF_TILE) -> float:
    """The percentile of all widths; NaN of fewer than `least`."""
    return _percentiles(width, np.zeros(len(width), np.int64), 1, percent, least).get(0, math.nan)


def _with_motion(edges: _Edges, found: EdgeWidths) -> EdgeWidths:
    """`found` with the direction in which edges are widest: log width = level + c cos 2
    (direction - angle).
    """
    bins = np.floor(edges.direction / (math.pi / _DIRECTIONS) + 0.5).astype(np.int64) % _DIRECTIONS
    widths = _percentiles(edges.width, bins, _DIRECTIONS, 10, _LEAST_OF_DIRECTION)
    if len(widths) < _LEAST_DIRECTIONS:
        return found
    count = np.bincount(bins, minlength=_DIRECTIONS)
    angles = [number * math.pi / _DIRECTIONS for number in widths]
    weights = [float(min(count[number], 200)) for number in widths]
    cosine, sine, regularity = _fit_wave(
        [2 * a for a in angles], [math.log(w) for w in widths.values()], weights
    )
    theta = math.atan2(sine, cosine) / 2 % math.pi
    away = np.abs((edges.direction - theta + math.pi / 2) % math.pi - math.pi / 2)
    near, far = away < _NEAR, away > _FAR
    along = _percentiles(edges.width[near], edges.tile[near], _TILES**2, 20, _LEAST_NEAR)
    across = _percentiles(edges.width[far], edges.tile[far], _TILES**2, 20, _LEAST_NEAR)
    ratios = [along[tile] / across[tile] for tile in along.keys() & across.keys()]
    return found._replace(
        elongation=math.exp(2 * math.hypot(cosine, sine)),
        angle=-math.degrees(theta) % 180,
        regularity=regularity,
        along=_percentile(edges.width[near], 10),
        across=_percentile(edges.width[far], 10),
        share_along=float(near.mean()),
        sharpest_tile=min(along.values(), default=math.nan),
        agreement=sum(ratio > _AGREES for ratio in ratios) / len(ratios) if ratios else math.nan,
        tiles=float(len(ratios)),
    )


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
