"""How two aligned images agree: the statistics that separate an edit from another shot.

An edit keeps every detail where it was. So its displacements, after one affine map, are as small as
their errors; of two bands of fine detail the poorer lies wholly in the richer one (containment:
covariance by the smaller variance; blur, JPEG and noise leave it near 1); and where it differs it
does so in one region. Another shot of the scene, a template with other content and a picture that
is merely like fail one of these.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.pairs.cells import (
    Cells,
    Grid,
    Layer,
    Mask,
    Plane,
    blurred,
    cell_means,
    compare_layers,
    covariances,
    fit_displacement,
    spread_cells,
)
from dataprep.measures.pairs.frames import Frame

Matrix = NDArray[np.float64]

#: Shorter side in pixels below which cells are too few.
LEAST_SIDE = 48
#: Blur of the statistics, in pixels; displacement that is none.
_BLUR, _AT_REST = 1.5, 0.08
#: A step that changes the map's directions by more than this has lost its way.
_LARGEST_STEP = 0.1
_FEWEST_CELLS, _FEWEST_TEXTURED = 6, 4
#: Variance (grey levels squared) from which a cell has texture, and below which it is flat.
_TEXTURE, _FLAT = 6.0, 0.25
#: Correlation from which a cell agrees; share of agreeing cells below which nothing more is worth
#: measuring, and below which two pictures are neither edits nor shots of one scene.
_AGREES, _HOPELESS, LEAST_AGREEING = 0.5, 0.3, 0.5
#: Ratio of gradient energies within which neither image counts as blurred, and blurs tried on the
#: sharper one.
_SAME_SHARPNESS, _EQUALISING = (0.9, 1.11), (1.0, 1.6, 2.4)
#: Levels by which a tone curve must leave a line to be used, its bins, and fewest pixels.
_CURVED, _TONE_BINS, _TONE_PIXELS = 4.0, 20, 400
#: Blurs between which bands lie.
_BANDS = (0.0, 0.7, 1.5, 3.0)
_LEAST_BAND_POWER = 0.15
#: Of the colour map: difference (0 to 1) from which a cell leaves it.
_OTHER_COLOUR = 0.09


@dataclass(frozen=True)
class Agreement:
    """The statistics of a pair under its best affine map; NaN where too few cells tell, and where
    fewer than `LEAST_AGREEING` agree.

    Attributes:
        map: (3, 3) pixels of A's full image to pixels of B's, as turned.
        shear: cosine of the angle between the map's directions, 0 to 1.
        agreeing: share of the cells with texture whose correlation is above 0.5; `mean` their mean
            correlation, `typical` the median, 0 to 1.
        cells, textured: number of cells both cover, and of those with texture.
        sharpness: gradient energy of B relative to A before the sharper one was blurred.
        moved, moved_high: median and 75 % quantile of the displacement left, in pixels;
            `moved_sure`, `moved_high_sure` the same in units of its error; of `placed` cells.
        fine, coarse: containment in the bands 0.7 to 1.5 and 1.5 to 3 pixels, over all cells that
            agree; `quiet` that of the finer one in the half with least texture; `fine_correlation`
            its median correlation.
        bad: share of the cells that differ. `regions`, `region`: clusters of such cells, and the
            share of the cells they take; `bad_outside`: share of bad cells outside them.
        flat: share of the cells without any texture.
    """

    map: Matrix
    shear: float = 1.0
    agreeing: float = 0.0
    mean: float = 0.0
    typical: float = 0.0
    cells: int = 0
    textured: int = 0
    sharpness: float = math.nan
    moved: float = math.nan
    moved_high: float = math.nan
    moved_sure: float = math.nan
    moved_high_sure: float = math.nan
    placed: int = 0
    fine: float = math.nan
    coarse: float = math.nan
    quiet: float = math.nan
    fine_correlation: float = math.nan
    bad: float = 0.0
    regions: int = 0
    region: float = 0.0
    bad_outside: float = 0.0
    flat: float = 0.0


def measure_agreement(frame: Frame, blurs: tuple[float, ...] = (2.5, 1.5, 1.5)) -> Agreement:
    """The statistics of a pair, its map refined from that of `frame`, which is moved.

    Args:
        frame: the two pictures and the first guess of their map.
        blurs: of the steps of the refinement, in pixels; the last ones 1.5.
    """
    if min(frame.a.shape[:2]) < LEAST_SIDE:
        return Agreement(frame.map)
    levels = np.asarray(cv2.cvtColor(frame.a, cv2.COLOR_RGB2GRAY), np.uint8)
    first = levels.astype(np.float32)
    aligned = _align(frame, first, blurs)
    if aligned is None:
        return Agreement(frame.map)
    second, cells, inside = aligned
    textured = inside & (cells.power > _TEXTURE)
    agreeing = float((cells.correlation[textured] > _AGREES).mean()) if textured.any() else 0.0
    if textured.sum() < _FEWEST_TEXTURED or agreeing < _HOPELESS:
        return Agreement(
            frame.map,
            _shear(frame.map),
            agreeing,
            cells=int(inside.sum()),
            textured=int(textured.sum()),
        )
    first, second, cells, sharpness = _equalised(levels, first, second, cells, inside)
    return _statistics(frame, (first, second), cells, inside, sharpness)


def _align(
    frame: Frame, first: Plane, blurs: tuple[float, ...]
) -> tuple[Plane, Cells, Mask] | None:
    """Move the frame's map until displacements rest; the second plane as laid then, the cells,
    and which both cover.
    """
    luma = cv2.cvtColor(frame.b, cv2.COLOR_RGB2GRAY).astype(np.float32)
    layers: dict[float, Layer] = {}
    corners = np.array(
        [
            [0, first.shape[1], 0, first.shape[1]],
            [0, 0, first.shape[0], first.shape[0]],
            [1, 1, 1, 1],
        ]
    )
    for deviation in (*blurs, _BLUR):
        inside = frame.covered()
        if inside.sum() < _FEWEST_CELLS:
            return None
        if deviation not in layers:
            layers[deviation] = Layer(first, deviation)
        second = np.asarray(frame.lay(luma), np.float32)
        cells = compare_layers(layers[deviation], Layer(second, deviation))
        if _is_hopeless(cells, inside):  # asked first: the displacements cost more than all before
            break
        fitted = fit_displacement(cells, inside)
        if fitted is None:
            break
        move = fitted[0]
        if np.abs(move[:, :2]).max() > _LARGEST_STEP:
            return None
        if deviation == _BLUR and np.abs(move[:2] @ corners).max() < _AT_REST:
            break
        frame.between = frame.between @ (np.eye(3) + move)
    return second, cells, inside


def _is_hopeless(cells: Cells, inside: Mask) -> bool:
    textured = inside & (cells.power > _TEXTURE)
    return (
        bool(textured.any())
        and float((cells.correlation[textured] > _AGREES).mean()) < _HOPELESS / 2
    )


def _shear(full: Matrix) -> float:
    one, other = full[:2, 0], full[:2, 1]
    return abs(float(one @ other)) / float(np.linalg.norm(one) * np.linalg.norm(other))


def _equalised(
    levels: NDArray[np.uint8], first: Plane, second: Plane, cells: Cells, inside: Mask
) -> tuple[Plane, Plane, Cells, float]:
    """A (as `levels`, and as numbers) under B's tone curve, and the cells of both at one
    sharpness; gradient energy of B relative to A before that.
    """
    curve = _tone_curve(cells.first.plane, cells.second.plane, inside)
    if curve is not None:
        first = np.asarray(cv2.LUT(levels, curve), np.float32)
        cells = compare_layers(Layer(first, _BLUR), cells.second)
    good = inside & (cells.correlation > _AGREES) & (cells.power > _TEXTURE)
    if good.sum() < _FEWEST_TEXTURED:
        return first, second, cells, math.nan
    before = cells.first.slope[good] * cells.gain[good] ** 2
    sharpness = float(np.median(cells.second.slope[good] / np.maximum(before, 1e-3)))
    if _SAME_SHARPNESS[0] <= sharpness <= _SAME_SHARPNESS[1]:
        return first, second, cells, sharpness
    best = float(np.median(cells.correlation[good]))
    for deviation in _EQUALISING:
        blurrier = math.hypot(_BLUR, deviation)
        tried = (
            compare_layers(Layer(first, blurrier), cells.second)
            if sharpness < 1
            else compare_layers(cells.first, Layer(second, blurrier))
        )
        level = float(np.median(tried.correlation[good]))
        if level <= best + 0.002:
            break
        best, cells = level, tried
    return first, second, cells, sharpness


def _tone_curve(first: Plane, second: Plane, inside: Mask) -> NDArray[np.float32] | None:
    """(256,) B's level for each level of A, by medians of the two blurred planes; None where a
    line does as well.
    """
    known = spread_cells(inside)[1::4, 1::4] > 0
    x, y = first[1::4, 1::4][known], second[1::4, 1::4][known]
    if len(x) < _TONE_PIXELS:
        return None
    order = np.argsort(x, kind="stable")
    count = len(order) // _TONE_BINS
    order = order[(len(order) - count * _TONE_BINS) // 2 :][: count * _TONE_BINS].reshape(
        _TONE_BINS, count
    )
    levels, others = np.median(x[order], axis=1), np.median(y[order], axis=1)
    distinct = np.concatenate([[True], np.diff(levels) > 1.5])
    levels = levels[distinct].astype(np.float64)
    rising = np.maximum.accumulate(others[distinct].astype(np.float64))
    if (
        len(levels) < 5
        or np.abs(rising - np.polyval(np.polyfit(levels, rising, 1), levels)).max() < _CURVED
    ):
        return None
    low = max((rising[1] - rising[0]) / (levels[1] - levels[0]), 0)
    high = max((rising[-1] - rising[-2]) / (levels[-1] - levels[-2]), 0)
    xs = np.array([0.0, *levels, 255.0])
    ys = np.array([rising[0] - low * levels[0], *rising, rising[-1] + high * (255 - levels[-1])])
    return np.asarray(np.interp(np.arange(256), xs, ys), np.float32)


def _statistics(
    frame: Frame, planes: tuple[Plane, Plane], cells: Cells, inside: Mask, sharpness: float
) -> Agreement:
    full = frame.map
    textured = inside & (cells.power > _TEXTURE)
    correlation = cells.correlation
    if textured.sum() < _FEWEST_TEXTURED:
        return Agreement(full, _shear(full), cells=int(inside.sum()), textured=int(textured.sum()))
    agreeing = float((correlation[textured] > _AGREES).mean())
    mean = float(np.clip(correlation[textured], 0, 1).mean())
    typical = float(np.median(correlation[textured]))
    if agreeing < LEAST_AGREEING:
        return Agreement(
            full,
            _shear(full),
            agreeing,
            mean,
            typical,
            int(inside.sum()),
            int(textured.sum()),
            sharpness,
        )
    bad = _bad_cells(frame, cells, inside, textured, typical)
    region, regions = _clusters(bad, int(inside.sum()))
    outside = textured & ~region
    rest = inside & ~region
    return Agreement(
        full,
        _shear(full),
        agreeing=agreeing,
        mean=mean,
        typical=typical,
        cells=int(inside.sum()),
        textured=int(textured.sum()),
        sharpness=sharpness,
        bad=float(bad.sum() / inside.sum()),
        regions=regions,
        region=float((region & inside).sum() / inside.sum()),
        bad_outside=float((bad & rest).sum() / max(1, rest.sum())),
        flat=_flat_share(planes, inside),
        **_displacements(cells, inside, outside),
        **_containments(planes, cells, inside, region, outside),
    )


def _flat_share(planes: tuple[Plane, Plane], inside: Mask) -> float:
    _, first, second = covariances(*planes)
    return float((np.maximum(first, second)[inside] < _FLAT).mean())


def _bad_cells(frame: Frame, cells: Cells, inside: Mask, textured: Mask, typical: float) -> Mask:
    """Cells that differ: low correlation for this pair with a high residual, or off the colour
    map.
    """
    least = float(np.clip(1 - 10 * (1 - typical), 0.5, 0.85))
    shared = np.clip(cells.correlation, 0, 1) ** 2
    residual = np.sqrt(np.maximum(cells.second.variance * (1 - shared), 0))
    differs = (
        textured
        & (cells.correlation < least)
        & (residual > 3 * np.median(residual[textured]) + 1.5)
    )
    return np.asarray(differs | (_off_colour(frame, inside) & inside))


def _off_colour(frame: Frame, inside: Mask) -> Mask:
    """Cells whose mean colour is not what one smooth map makes of the other's."""
    first, second = (
        cell_means(each).reshape(-1, 3).astype(np.float64) / 255
        for each in (frame.a, frame.lay(frame.b, cv2.INTER_LINEAR))
    )
    level = first.mean(axis=1, keepdims=True)
    known = np.hstack([first, level**2, level**3, np.ones((len(first), 1))])
    weights = inside.ravel().astype(np.float64)
    left = np.zeros(len(first))
    for _ in range(4):
        weighted = known * weights[:, None]
        fitted = np.linalg.solve(
            weighted.T @ known + 1e-6 * len(first) * np.eye(6), weighted.T @ second
        )
        left = np.abs(second - known @ fitted).max(axis=1)
        spread = max(0.012, 1.48 * float(np.median(left[inside.ravel()])))
        weights = inside.ravel() / (1 + (left / (2 * spread)) ** 2) ** 2
    return np.asarray((left > _OTHER_COLOUR).reshape(inside.shape))


def _clusters(bad: Mask, cells: int) -> tuple[Mask, int]:
    """(rows, columns) clusters of at least three bad cells, and their number."""
    near = cv2.dilate(bad.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(near, connectivity=8)
    sizes = np.bincount(labels[bad], minlength=count)
    sizes[0] = 0
    large = np.flatnonzero(sizes >= max(3, 0.008 * cells))
    return np.isin(labels, large), len(large)


def _displacements(cells: Cells, inside: Mask, outside: Mask) -> dict[str, Any]:
    fitted = fit_displacement(cells, inside)
    if fitted is None:
        return {}
    sure = outside & (cells.moved.error < 0.2) & (cells.moved.aligned > _AGREES)
    count = int(sure.sum())
    if count < _FEWEST_CELLS:
        return {"placed": count}
    left = fitted[1][sure]
    ratio = left / np.sqrt(cells.moved.error[sure] ** 2 + 0.02**2)
    return {
        "placed": count,
        "moved": float(np.median(left)),
        "moved_high": float(np.quantile(left, 0.75)),
        "moved_sure": float(np.median(ratio)),
        "moved_high_sure": float(np.quantile(ratio, 0.75)),
    }


def _containments(
    planes: tuple[Plane, Plane], cells: Cells, inside: Mask, region: Mask, outside: Mask
) -> dict[str, Any]:
    gain = np.clip(cells.gain, 0.3, 3.0)
    weakest = np.minimum(cells.first.variance, cells.second.variance)
    quiet = inside & ~region & (weakest <= np.quantile(weakest[inside], 0.5))
    agreeing = outside & (cells.correlation > _AGREES)
    steps = [
        [each if not deviation else blurred(each, deviation) for deviation in _BANDS[1:]]
        for each in planes
    ]
    found: dict[str, Any] = {}
    for name, band in (("fine", 0), ("coarse", 1)):
        common, first, second = covariances(*(step[band] - step[band + 1] for step in steps))
        common, first = common * gain, first * gain**2
        usable = agreeing & (np.minimum(first, second) > _LEAST_BAND_POWER)
        if usable.sum() >= _FEWEST_CELLS:
            found[name] = _contained(common[usable], first[usable], second[usable])
            if name == "fine":
                found["fine_correlation"] = float(
                    np.median(common[usable] / np.sqrt(first[usable] * second[usable]))
                )
        still = quiet & (np.minimum(first, second) > _LEAST_BAND_POWER)
        if name == "fine" and still.sum() >= _FEWEST_CELLS:
            found["quiet"] = _contained(common[still], first[still], second[still])
    return found


def _contained(common: Grid, first: Grid, second: Grid) -> float:
    return float(common.sum() / min(float(first.sum()), float(second.sum())))
