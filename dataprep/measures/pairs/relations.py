"""How one image came from another, in words: "B is A cropped to 80 %, re-encoded".

Everything is measured: the map between the two (`dataprep.measures.pairs.alignment`), what of the
one the other shows, the line that maps luma to luma, the loss of detail, and the columns of both.
Of two images the one that has lost something (area, colour, detail, size, quality) is taken for the
copy; where nothing tells, B is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures.pairs.alignment import Match
from dataprep.measures.pairs.cells import CELL, blurred, cell_means, covariances, spread_cells
from dataprep.measures.pairs.frames import Frame
from dataprep.measures.pairs.picture import Picture

#: Which orientation undoes which (see `dataprep.measures.fingerprints.hashes`).
_INVERSE = (0, 1, 2, 3, 4, 6, 5, 7)
_TURNED = (
    "",
    "mirrored",
    "mirrored top to bottom",
    "turned by 180°",
    "mirrored and turned by 90°",
    "turned by 90° clockwise",
    "turned by 90° counter-clockwise",
    "mirrored and turned by 90°",
)

_WHOLE = 0.985  # share of an image that counts as all of it
_LEAST_ANGLE = 0.8  # degrees
_SAME_SIZE, _SAME_SHAPE = 0.03, 0.04  # relative
_SAME_GAIN, _SAME_BRIGHTNESS = 1.12, 7.0  # ratio of contrasts; grey levels
_BLURRED = 0.4  # ratio of the energies of fine detail
_NOISIER = 0.02  # luma, of the column ``noise``
_GREY, _COLOURED = 0.04, 0.1  # of the column ``chroma_p99``
_COVERED, _MISMATCH = (0.02, 0.6), 25.0  # share of the blocks; grey levels
_SAME_QUALITY = 3.0
#: Correlation from which a cell agrees, and variance (grey levels squared) from which it has
#: texture.
_AGREES, _TEXTURE = 0.7, 16.0
_CLIPPED = (6.0, 249.0)


@dataclass(frozen=True)
class Facts:
    """What the columns say about one image, in their units."""

    format: str = ""
    quality: float = math.nan
    orientation: int = 1
    chroma: float = math.nan
    noise: float = math.nan
    border: float = 0.0


@dataclass(frozen=True)
class Change:
    """What became of A in B.

    Attributes:
        orientation: A was turned so.
        angle: degrees, unsigned, besides.
        scale_x, scale_y: size of what both show, in B relative to A, in the directions of B.
        kept: share of A that B shows. `own`: share of B that A does not show. `framed`: whether
            that is a uniform frame.
        gain: contrast of B relative to A. `shift`: mean grey levels that B is brighter. `level`:
            mean grey level of A.
        detail: energy of fine detail in B relative to A, contrast allowed for.
        covered: share of what both show where they differ. `cover`: above 0 when it is B that is
            flatter there, below when A.
        before, after: the columns of A and of B.
    """

    orientation: int
    angle: float
    scale_x: float
    scale_y: float
    kept: float
    own: float
    gain: float
    shift: float
    level: float
    detail: float
    covered: float
    cover: float
    before: Facts
    after: Facts

    @property
    def framed(self) -> bool:
        """Whether B shows more than A only because it has a uniform frame."""
        return self.own > 1 - _WHOLE and self.after.border > self.own / 2

    @property
    def scale(self) -> float:
        return math.sqrt(self.scale_x * self.scale_y)

    def reversed(self) -> Change:
        """What became of B in A."""
        turned = bool(self.orientation & 4)
        scale_x, scale_y = (self.scale_y, self.scale_x) if turned else (self.scale_x, self.scale_y)
        return replace(
            self,
            orientation=_INVERSE[self.orientation],
            scale_x=1 / scale_x,
            scale_y=1 / scale_y,
            kept=1 - self.own,
            own=1 - self.kept,
            gain=1 / self.gain,
            shift=-self.shift,
            level=self.level + self.shift,
            detail=1 / self.detail,
            cover=-self.cover,
            before=self.after,
            after=self.before,
        )

    @property
    def is_backwards(self) -> bool:
        """Whether A has lost something that B has: then A is the copy."""
        for lost in self._losses():
            if lost:
                return lost > 0
        return False

    def _losses(self) -> tuple[float, ...]:
        """What tells the copy, weightiest first: above 0 where A has lost something, below where
        B has, 0 where neither.
        """
        back = (self.before, self.after)
        grey = [facts.chroma < _GREY for facts in back]
        cropped = [
            not self.framed and self.own > 1 - _WHOLE,
            not self._frame_on_a and self.kept < _WHOLE,
        ]
        return (
            0 if all(cropped) else float(cropped[0]) - float(cropped[1]),
            float(self._frame_on_a) - float(self.framed),
            float(grey[0]) - float(grey[1]),
            -self.cover,
            float(self.detail > 1 / _BLURRED) - float(self.detail < _BLURRED),
            float(back[0].noise > back[1].noise + _NOISIER)
            - float(back[1].noise > back[0].noise + _NOISIER),
            float(self.scale > 1 + _SAME_SIZE) - float(self.scale < 1 - _SAME_SIZE),
            float(self.gain > _SAME_GAIN and abs(self.shift) < _SAME_BRIGHTNESS)
            - float(self.gain < 1 / _SAME_GAIN),
            self._quality_loss(),
        )

    def _quality_loss(self) -> float:
        """Lower quality tells the copy only where nothing else was done: an edited copy is often
        saved at a higher one.
        """
        plain = not any(
            (
                *_geometry_words(self),
                *_tone_words(self),
                self.covered >= _COVERED[0],
                self.after.orientation != 1,
            )
        )
        loss = self.after.quality - self.before.quality
        return float(np.sign(loss)) if plain and abs(loss) > _SAME_QUALITY else 0.0

    @property
    def _frame_on_a(self) -> bool:
        return 1 - self.kept > 1 - _WHOLE and self.before.border > (1 - self.kept) / 2


def name_relation(a: Picture, b: Picture, found: Match, before: Facts, after: Facts) -> str:
    """How `b` came from `a`, or `a` from `b`, in words that begin "B is A " or "A is B "."""
    change = measure_change(a, b.turned(found.orientation), found, before, after)
    if change.is_backwards:
        return "A is B " + ", ".join(_words(change.reversed()))
    return "B is A " + ", ".join(_words(change))


def measure_change(a: Picture, b: Picture, found: Match, before: Facts, after: Facts) -> Change:
    """The `Change` from `a` to `b`, which is turned as `found` says."""
    columns = found.map[:2, :2]
    scale_x, scale_y = (float(np.hypot(*columns[:, axis])) for axis in (0, 1))
    angle = abs(
        math.degrees(math.atan2(columns[1, 0] - columns[0, 1], columns[0, 0] + columns[1, 1]))
    )
    if found.orientation & 4:
        scale_x, scale_y = scale_y, scale_x
    kept, own = _shares(a, b, found.map)
    tones = _compare_tones(Frame(a, b, found.map), turned=angle > _LEAST_ANGLE)
    return Change(
        _INVERSE[found.orientation], angle, scale_x, scale_y, kept, own, *tones, before, after
    )


def _shares(a: Picture, b: Picture, full: NDArray[np.float64]) -> tuple[float, float]:
    """Share of A that B shows, and share of B that A does not show."""
    corners = np.array([[0, 0], [a.width, 0], [a.width, a.height], [0, a.height]], dtype=np.float64)
    mapped = (corners @ full[:2, :2].T + full[:2, 2]).astype(np.float32)
    frame = np.array([[0, 0], [b.width, 0], [b.width, b.height], [0, b.height]], dtype=np.float32)
    common, _ = cv2.intersectConvexConvex(mapped, frame)
    area = a.width * a.height * abs(float(np.linalg.det(full[:2, :2])))
    return min(common / max(area, 1e-6), 1.0), max(1 - common / (b.width * b.height), 0.0)


def _compare_tones(frame: Frame, turned: bool) -> tuple[float, float, float, float, float, float]:
    """(gain, shift, level, detail, covered, cover) as in `Change`."""
    if min(frame.a.shape[:2]) < CELL:
        return 1.0, 0.0, 128.0, 1.0, 0.0, 0.0
    luma = [
        cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32) for each in (frame.a, frame.b)
    ]
    planes = luma[0], np.asarray(frame.lay(luma[1]), np.float32)
    within = frame.covered()
    agreeing = _spread(_agreeing(planes) & within, planes[0].shape)
    first, second = (blurred(plane, 1.5) for plane in planes)
    inner = (
        (second > _CLIPPED[0])
        & (second < _CLIPPED[1])
        & (first > _CLIPPED[0])
        & (first < _CLIPPED[1])
        & agreeing
    )
    if inner.sum() < CELL**2:
        return 1.0, 0.0, float(np.mean(first)), 1.0, 0.0, 0.0
    x, y = first[inner], second[inner]
    level, shift = float(x.mean()), float(y.mean() - x.mean())
    deviation = x - np.float32(level)
    gain = float(np.clip(float(deviation @ y) / max(float(deviation @ deviation), 1e-6), 0.05, 20))
    expected = np.clip(gain * (first - level) + level + shift, 0, 255)
    mismatch = cell_means(np.abs(second - expected)) > _MISMATCH
    cover = _which_is_flatter(planes, mismatch & within)
    if turned:  # its corners are filled with something else
        edge = np.ones_like(within)
        edge[1:-1, 1:-1] = False
        within &= ~edge
    covered = float(mismatch[within].mean()) if within.any() else 0.0
    return gain, shift, level, _detail_ratio(planes, agreeing, gain), covered, cover


def _agreeing(planes: tuple[NDArray[np.float32], NDArray[np.float32]]) -> NDArray[np.bool_]:
    """(rows, columns) cells with texture in either plane that correlate."""
    common, first, second = covariances(*(blurred(plane, 1) for plane in planes))
    # The constant keeps noise in all but flat cells from counting as disagreement.
    return np.asarray(
        (common / np.sqrt((first + 1) * (second + 1)) > _AGREES)
        & (np.maximum(first, second) > _TEXTURE)
    )


def _spread(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    pixels = np.zeros(shape, bool)
    whole = spread_cells(cells) > 0
    pixels[: whole.shape[0], : whole.shape[1]] = whole
    return pixels


def _detail_ratio(
    planes: tuple[NDArray[np.float32], NDArray[np.float32]],
    agreeing: NDArray[np.bool_],
    gain: float,
) -> float:
    """Energy of B's fine detail relative to A's. Both are smoothed first: resampling costs
    detail too, but finer detail.
    """
    energies = [
        float(np.asarray(cv2.Laplacian(blurred(plane, 0.8), cv2.CV_32F))[agreeing].var())
        for plane in planes
    ]
    return float(np.clip(energies[1] / max(energies[0] * gain**2, 1e-6), 1e-3, 1e3))


def _which_is_flatter(
    planes: tuple[NDArray[np.float32], NDArray[np.float32]], cells: NDArray[np.bool_]
) -> float:
    """1 where B has next to no texture in `cells` and A has some, -1 the other way round, 0 when
    it is not clear.
    """
    if not cells.any():
        return 0.0
    _, first, second = covariances(*planes)
    flat = [float((variance[cells] < 9).mean()) for variance in (first, second)]
    return float(np.sign(flat[1] - flat[0])) if abs(flat[1] - flat[0]) > 0.3 else 0.0


def _words(change: Change) -> list[str]:
    words = [*_geometry_words(change), *_tone_words(change), *_loss_words(change)]
    return [word for word in words if word] or ["re-encoded"]


def _geometry_words(change: Change) -> list[str]:
    is_turned = change.angle > _LEAST_ANGLE
    crops = change.kept < _WHOLE and not (is_turned and change.kept > 0.8)
    widened = change.scale_x / change.scale_y
    stretched = abs(widened - 1) > _SAME_SHAPE
    resized = abs(change.scale - 1) > _SAME_SIZE and not stretched
    percent = f"{100 * change.scale:.0f} %"
    return [
        _TURNED[change.orientation],
        f"turned by {change.angle:.0f}°" if is_turned else "",
        f"cropped to {100 * change.kept:.0f} %" if crops else "",
        ("set in a frame" if change.framed else "extended")
        if change.own > 1 - _WHOLE and not is_turned
        else "",
        f"stretched ({'wider' if widened > 1 else 'narrower'} by {100 * abs(widened - 1):.0f} %)"
        if stretched
        else "",
        (f"reduced to {percent}" if change.scale < 1 else f"enlarged to {percent}")
        if resized
        else "",
    ]


def _tone_words(change: Change) -> list[str]:
    gains = change.gain > _SAME_GAIN or change.gain < 1 / _SAME_GAIN
    # A change of contrast turns about the mean and leaves it; one of brightness multiplies or adds,
    # and moves it.
    about_mean = abs(change.shift) < max(
        _SAME_BRIGHTNESS, 0.35 * abs(change.gain - 1) * change.level
    )
    grey = change.after.chroma < _GREY and change.before.chroma > _COLOURED
    return [
        "made grey" if grey else "",
        ("lowered in contrast" if change.gain < 1 else "raised in contrast")
        if gains and about_mean
        else "",
        ("brightened" if change.shift > 0 else "darkened")
        if not about_mean and abs(change.shift) > _SAME_BRIGHTNESS
        else "",
    ]


def _loss_words(change: Change) -> list[str]:
    low, high = _COVERED
    return [
        "partly covered or written over" if low <= change.covered <= high else "",
        "blurred"
        if change.detail < _BLURRED
        else "sharpened"
        if change.detail > 1 / _BLURRED and not _is_noisy(change)
        else "",
        "noisier" if _is_noisy(change) else "",
        *_file_words(change.before, change.after),
    ]


def _is_noisy(change: Change) -> bool:
    return change.after.noise > change.before.noise + _NOISIER


def _file_words(before: Facts, after: Facts) -> list[str]:
    words = (
        ["stored turned and righted by its EXIF orientation"]
        if after.orientation != before.orientation
        else []
    )
    if before.format != after.format:
        return [*words, f"saved as {after.format}"]
    known = (
        not math.isnan(after.quality) and not abs(after.quality - before.quality) <= _SAME_QUALITY
    )
    return [*words, f"re-encoded (JPEG quality {after.quality:.0f})" if known else "re-encoded"]
