"""Two images in one frame, compared cell by cell: how far each cell agrees, and by how much it lies
elsewhere.

A cell is a square of 16 pixels. In each, the second image is explained by the first as B = gain A +
offset + d grad A, by least squares (Lucas & Kanade 1981), which gives the correlation, the
displacement d that is left, and how sure that displacement is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]
Matrix = NDArray[np.float64]

#: Side of a cell in pixels.
CELL = 16
#: Added to variances (grey levels squared), so that next to flat cells have a gain and a
#: correlation.
_FLOOR, _GAIN_FLOOR = 0.5, 0.3
#: Cells that the common map is fitted to: displacement in pixels known this well, correlation,
#: displacement at most.
_KNOWN, _LEAST_CORRELATION, _FURTHEST = 0.25, 0.3, 3.0
#: Error in pixels that is added to each cell's own, and least spread of a robust fit.
_ERROR_FLOOR, _LEAST_SPREAD = 0.03, 0.05
_FEWEST, _ROUNDS = 5, 4
#: Coordinates are divided by this before a map is fitted to them, in pixels.
_UNIT = 200.0


def blurred(plane: Any, deviation: float) -> Plane:
    """`plane` under a Gaussian of this standard deviation, in pixels."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)


def cell_means(values: Any) -> Any:
    """(rows, columns, ...) mean of each cell of (h, w, ...) values, h and w multiples of 16."""
    rows, columns = values.shape[0] // CELL, values.shape[1] // CELL
    bands = values.reshape(rows, CELL, *values.shape[1:]).sum(axis=1, dtype=np.float32)
    return bands.reshape(rows, columns, CELL, *values.shape[2:]).sum(axis=2) * np.float32(CELL**-2)


def spread_cells(grid: Any) -> Plane:
    """(rows x 16, columns x 16): each cell's value at all its pixels."""
    return np.asarray(
        np.asarray(grid, np.float32).repeat(CELL, axis=0).repeat(CELL, axis=1), np.float32
    )


def covariances(first: Plane, second: Plane) -> tuple[Grid, Grid, Grid]:
    """(rows, columns) covariance of two planes in each cell, and the variance of each."""
    mean, other = cell_means(first), cell_means(second)
    common = cell_means(first * second) - mean * other
    return (
        common,
        np.maximum(cell_means(first * first) - mean**2, 0),
        np.maximum(cell_means(second * second) - other**2, 0),
    )


class Layer:
    """One image of a pair, blurred: (h, w) float32 luma 0 to 255, its gradients, and its cells'
    means and variances.
    """

    def __init__(self, plane: Plane, deviation: float) -> None:
        self.deviation = deviation
        self.plane = blurred(plane, deviation)
        self.mean = cell_means(self.plane)
        self.variance = np.maximum(cell_means(self.plane * self.plane) - self.mean**2, 0)

    @cached_property
    def across(self) -> Plane:
        return np.asarray(cv2.Sobel(self.plane, cv2.CV_32F, 1, 0, ksize=3, scale=0.125), np.float32)

    @cached_property
    def down(self) -> Plane:
        return np.asarray(cv2.Sobel(self.plane, cv2.CV_32F, 0, 1, ksize=3, scale=0.125), np.float32)

    @cached_property
    def slope(self) -> Grid:
        """(rows, columns) mean squared gradient."""
        return np.asarray(cell_means(self.across**2 + self.down**2), np.float32)


@dataclass(frozen=True)
class Displacements:
    """By how much the cells of the second layer lie elsewhere; each (rows, columns).

    Attributes:
        across, down: displacement of the second in pixels.
        error: standard deviation of the displacement in pixels.
        aligned: correlation of the cell's pixels once the displacement is taken back, -1 to 1.
    """

    across: Grid
    down: Grid
    error: Grid
    aligned: Grid


@dataclass(frozen=True, eq=False)
class Cells:
    """What two layers in one frame have in common; each (rows, columns).

    Attributes:
        correlation: of the cell's pixels, -1 to 1.
        gain: contrast of the second relative to the first.
        first, second: the layers.
    """

    correlation: Grid
    gain: Grid
    first: Layer
    second: Layer

    @property
    def power(self) -> Grid:
        """The larger variance of the two."""
        return np.asarray(np.maximum(self.first.variance, self.second.variance), np.float32)

    @cached_property
    def moved(self) -> Displacements:
        """Worked out when first asked for: pairs that do not agree never need it."""
        return _displacements(self)


def compare_layers(first: Layer, second: Layer) -> Cells:
    """The cells of two layers of one size and one blur."""
    common = cell_means(first.plane * second.plane) - first.mean * second.mean
    return Cells(
        correlation=common / np.sqrt((first.variance + _FLOOR) * (second.variance + _FLOOR)),
        gain=np.sqrt((second.variance + _GAIN_FLOOR) / (first.variance + _GAIN_FLOOR)),
        first=first,
        second=second,
    )


def _displacements(cells: Cells) -> Displacements:
    first, second, gain = cells.first, cells.second, cells.gain
    factor = spread_cells(gain)
    rest = second.plane - factor * first.plane - spread_cells(second.mean - gain * first.mean)
    across = 0.5 * (second.across + factor * first.across)
    down = 0.5 * (second.down + factor * first.down)
    xx, xy, yy, xe, ye, ee = map(
        cell_means,
        (across * across, across * down, down * down, across * rest, down * rest, rest * rest),
    )
    determinant, trace = xx * yy - xy * xy, xx + yy
    weakest = trace / 2 - np.sqrt(np.maximum(trace**2 / 4 - determinant, 0))
    safe = np.maximum(determinant, 1e-3 * np.maximum(trace, 1e-5) ** 2)
    dx, dy = -(yy * xe - xy * ye) / safe, -(xx * ye - xy * xe) / safe
    left = np.maximum(ee + np.minimum(dx * xe + dy * ye, 0), 0)
    independent = CELL**2 / (4 * math.pi * first.deviation**2)
    return Displacements(
        across=dx,
        down=dy,
        error=np.sqrt(left / independent / np.maximum(weakest, 1e-4)),
        aligned=1 - 0.5 * left / (second.variance + _FLOOR),
    )


def fit_displacement(cells: Cells, inside: Mask) -> tuple[Matrix, Grid] | None:
    """One affine map that explains the displacements of the cells `inside`, and what it leaves;
    None where too few are known.

    Returns:
        (3, 3) displacement in pixels of a place in pixels (its last row is 0), and (rows, columns)
        displacement left, in pixels.
    """
    found, shape = cells.moved, cells.correlation.shape
    places = _places(*shape)
    moved = np.stack([found.across.ravel(), found.down.ravel()], axis=1).astype(np.float64)
    known = inside & (found.error < _KNOWN) & (cells.correlation > _LEAST_CORRELATION)
    used = known.ravel() & (np.hypot(moved[:, 0], moved[:, 1]) < _FURTHEST)
    if np.count_nonzero(used) < _FEWEST:
        return None
    fitted = _robust_fit(
        places[used],
        moved[used],
        1 / (found.error.ravel()[used].astype(np.float64) ** 2 + _ERROR_FLOOR**2),
    )
    left = np.hypot(*(moved - places @ fitted.T).T).reshape(shape)
    in_pixels = fitted @ np.array([[1 / _UNIT, 0, -1], [0, 1 / _UNIT, -1], [0, 0, 1]])
    return np.vstack([in_pixels, np.zeros(3)]), np.asarray(left, np.float32)


@lru_cache(maxsize=64)
def _places(rows: int, columns: int) -> Matrix:
    """(rows x columns, 3) the middle of each cell, in units of the fit, and 1."""
    down, across = np.mgrid[:rows, :columns] * CELL + (CELL - 1) / 2
    places = [across.ravel() / _UNIT - 1, down.ravel() / _UNIT - 1, np.ones(rows * columns)]
    return np.stack(places, axis=1)


def _robust_fit(places: Matrix, moved: Matrix, weights: NDArray[np.float64]) -> Matrix:
    """(2, 3) weighted least squares, in which displacements far from the fit lose their weight
    (Geman & McClure).
    """
    current = weights
    fitted = np.zeros((2, 3))
    for _ in range(_ROUNDS):
        weighted = places * current[:, None]
        prior = np.diag([1.0, 1.0, 1e-4]) * current.sum() * 1e-4
        fitted = np.linalg.solve(weighted.T @ places + prior, weighted.T @ moved).T
        away = moved - places @ fitted.T
        left = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2)
        spread = max(_LEAST_SPREAD, 1.48 * _median(left))
        current = weights / (1 + (left / (2 * spread)) ** 2) ** 2
    return fitted


def _median(values: NDArray[np.float64]) -> float:
    """As `numpy.median`, which takes longer to start than to sort so few numbers."""
    half = len(values) // 2
    middle = np.partition(values, [half - 1 + len(values) % 2, half])
    return float(middle[half - 1 + len(values) % 2] + middle[half]) / 2
