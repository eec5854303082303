"""Measures of uniform frames: letterbox bars, scanner margins, drawn borders."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dataprep.measures import compiled
from dataprep.measures.contract import measure_of
from dataprep.measures.decode.pixels import Bytes2D, Pixels

#: Grey levels by which a line of the frame may vary: compression, not texture.
_TOLERANCE = 8
#: Grey levels by which the picture's own pixels differ from the frame.
_DIFFERENCE = 16
#: Share of the first lines inside that must differ; a subject on a plain background begins with a
#: few pixels.
_STRAIGHT = 0.5
#: Lines inside the edge that are looked at, fewer in small images: compression off the block grid
#: makes it as soft as a block is wide.
_EDGE = 10
#: Lines after the uniform ones in which the picture may begin, and the width in lines of an edge
#: that is straight.
_REACH, _BAND = 12, 3
#: A side counts as a frame whose inner edge is so straight: dark, bright (a subject on white has
#: straight parts too), where the opposite side is dark and as deep (by so many lines), or, black or
#: white, alone.
_DARK_EDGE, _BRIGHT_EDGE, _TWIN_EDGE, _LONE_EDGE = 0.85, 0.9, 0.6, 0.95
_TWIN_LINES, _BRIGHT = 3, 200
#: In images below this side a horizon or a plain sky is as straight as a frame: only black and
#: white frames count there (to so many levels), on two opposite sides, and the picture begins
#: within fewer lines.
_SMALL, _PURE, _SMALL_REACH, _SMALL_BAND = 64, 12, 3, 2
#: Sides have at least so many uniform lines, and the picture inside so many rows and columns.
_LEAST_LINES, _LEAST_PICTURE = 2, 8
_FEW_LINES = 8
#: Two lines before the picture begins most of the frame is within so many levels of its own; the
#: picture's first lines vary by so many levels (standard deviation); and more of the area than this
#: is no frame, but a background.
_STILL, _FLAT, _MOST = 10, 3.0, 0.6

#: Number of lines of one level, and the level.
_Lines = tuple[int, int]


@measure_of("border", 2)
def measure_border(pixels: Pixels) -> float:
    """Share of the area, 0 to 1, that a frame with a straight inner edge takes; 0 for uniform
    images and plain backgrounds.
    """
    return pixels.shared(straight_frame)[0]


@measure_of("border_straightness")
def measure_straightness(pixels: Pixels) -> float:
    """Share of the frame's inner edge, 0 to 1, along which the picture begins within three
    lines; 0 without a frame.
    """
    return pixels.shared(straight_frame)[1]


def picture_box(pixels: Pixels) -> tuple[int, int, int, int]:
    """The picture without its uniform frame: (top, bottom, left, right) in pixels of `Pixels.luma`,
    ends excluded.

    More is taken for a frame than by `measure_border`: it does no harm to compare two pictures
    without their margins.
    """
    luma = pixels.luma
    rows, columns = luma.shape
    if pixels.shared(_is_frameless):
        return 0, rows, 0, columns
    first, last = pixels.shared(_top_and_bottom)
    top, bottom = _frame_depth(luma, first), _frame_depth(luma[::-1], last)
    if top + bottom >= rows:
        return 0, rows, 0, columns
    inner = luma[top : rows - bottom].T
    left = _frame_depth(inner, _uniform_lines(inner))
    right = _frame_depth(inner[::-1], _uniform_lines(inner[::-1]))
    if left + right >= columns:
        return 0, rows, 0, columns
    return top, rows - bottom, left, columns - right


def _frame_depth(plane: Bytes2D, uniform: _Lines) -> int:
    """Number of lines of the frame at the top of `plane` (h, w), which begins so; 0 where no
    picture begins after them.
    """
    depth, level = uniform
    return (
        depth if depth > 0 and (depth == len(plane) or _begins_picture(plane, depth, level)) else 0
    )


def _top_and_bottom(pixels: Pixels) -> tuple[_Lines, _Lines]:
    """The uniform lines at the top and at the bottom."""
    return _uniform_lines(pixels.luma), _uniform_lines(pixels.luma[::-1])


def _is_frameless(pixels: Pixels) -> bool:
    """Whether no side has a uniform line: so it is of most images."""
    across = pixels.luma.T
    return not (
        any(lines for lines, _ in pixels.shared(_top_and_bottom))
        or _uniform_lines(across)[0]
        or _uniform_lines(across[::-1])[0]
    )


def _uniform_lines(plane: Bytes2D) -> _Lines:
    """Number of lines at the top of `plane` (h, w) that all have one level, and that level."""
    if compiled.KERNEL is not None:
        count, of_all = compiled.KERNEL.uniform_lines(plane, _TOLERANCE)
        return count, of_all
    edge = plane[0]
    if abs(int(edge[0]) - int(edge[len(edge) // 2])) > _TOLERANCE:  # most images, at a glance
        return 0, 0
    low, high = int(edge.min()), int(edge.max())
    if high - low > _TOLERANCE:
        return 0, 0
    # Most images need only the first lines.
    for lines in (_FEW_LINES, 8 * _FEW_LINES, len(plane)):
        alike = cv2.inRange(
            np.ascontiguousarray(plane[:lines]), high - _TOLERANCE, low + _TOLERANCE
        )
        first_other = int(alike.argmin())
        if first_other:  # the first pixel is alike, so that 0 means all of them
            return first_other // len(edge), (low + high) // 2
    return len(plane), (low + high) // 2


def _begins_picture(plane: Bytes2D, depth: int, level: int) -> bool:
    lines = max(2, min(_EDGE, len(plane) // 16))
    inside = plane[depth : depth + lines].astype(np.int16)
    return bool((np.abs(inside - level) > _DIFFERENCE).mean(axis=1).max() >= _STRAIGHT)


@dataclass(frozen=True)
class _Side:
    """One side of a picture: lines of the frame, how straight its inner edge is (0 to 1), its
    level, and whether it is followed by another plain stripe, as in drawings, and by no picture.
    """

    depth: int = 0
    straight: float = 0.0
    level: int = 0
    flat: bool = False

    @property
    def is_straight(self) -> bool:
        return self.straight >= (_BRIGHT_EDGE if self.level >= _BRIGHT else _DARK_EDGE)

    def is_twin_of(self, other: _Side) -> bool:
        """Whether both are dark bars of one width, as a film has them; their edges may then be
        less straight.
        """
        return (
            min(self.straight, other.straight) >= _TWIN_EDGE
            and max(self.level, other.level) < _BRIGHT
            and abs(self.depth - other.depth) <= _TWIN_LINES
        )


def straight_frame(pixels: Pixels) -> tuple[float, float]:
    """Share of the area that a frame takes, and how straight its inner edge is; both 0 where
    there is none.
    """
    if pixels.shared(_is_frameless):
        return 0.0, 0.0
    luma = pixels.luma
    rows, columns = luma.shape
    lines = _lines_of_sides(luma, *pixels.shared(_top_and_bottom))
    depths = tuple(depth for depth, _ in lines)
    if max(depths) < _LEAST_LINES:
        return 0.0, 0.0
    sides = _sides(luma, lines, depths)
    deeper = tuple(side.depth for side in sides)
    if deeper != depths:  # a side is judged between the two beside it
        sides = _sides(luma, lines, deeper)
    fine = [
        side.is_straight or side.is_twin_of(sides[place ^ 1]) for place, side in enumerate(sides)
    ]
    pairs = any(
        fine[place] and fine[place + 1] and not (sides[place].flat and sides[place + 1].flat)
        for place in (0, 2)
    )
    if not (pairs or (min(rows, columns) >= _SMALL and any(map(_is_lone_bar, sides)))):
        return 0.0, 0.0
    top, bottom, left, right = (
        side.depth if good else 0 for side, good in zip(sides, fine, strict=True)
    )
    share = 1 - max(rows - top - bottom, 0) * max(columns - left - right, 0) / luma.size
    if share > _MOST:
        return 0.0, 0.0
    return share, float(
        np.mean([side.straight for side, good in zip(sides, fine, strict=True) if good])
    )


def _is_lone_bar(side: _Side) -> bool:
    """Whether it is a frame even if it is the only side that has one."""
    return side.straight >= _LONE_EDGE and _is_pure(side.level) and not side.flat


def _is_pure(level: int) -> bool:
    """Whether it is black or white."""
    return not _PURE < level < 255 - _PURE


def _lines_of_sides(
    luma: Bytes2D, top: _Lines, bottom: _Lines
) -> tuple[_Lines, _Lines, _Lines, _Lines]:
    """Uniform lines at the top, the bottom, the left and the right; none where hardly a picture
    is left between them.
    """
    rows, columns = luma.shape
    nothing = ((0, 0),) * 4
    if top[0] + bottom[0] > rows - _LEAST_PICTURE:
        return nothing
    inner = luma[top[0] : rows - bottom[0]].T
    left, right = _uniform_lines(inner), _uniform_lines(inner[::-1])
    if left[0] + right[0] > columns - _LEAST_PICTURE:
        return nothing
    if left[0] or right[0]:  # a side shows only once those beside it are cut off
        core = luma[:, left[0] : columns - right[0]]
        again = _uniform_lines(core), _uniform_lines(core[::-1])
        top, bottom = again if again[0][0] + again[1][0] <= rows - _LEAST_PICTURE else (top, bottom)
    return top, bottom, left, right


def _sides(luma: Bytes2D, lines: tuple[_Lines, ...], cut: tuple[int, ...]) -> list[_Side]:
    """The four sides, each looked at where `cut` leaves the picture between the two beside it."""
    rows, columns = luma.shape
    across, down = slice(cut[2], columns - cut[3]), slice(cut[0], rows - cut[1])
    planes = (luma[:, across], luma[::-1, across], luma[down].T, luma[down].T[::-1])
    small = min(luma.shape) < _SMALL
    return [
        _side(plane, *uniform, small=small) for plane, uniform in zip(planes, lines, strict=True)
    ]


def _side(plane: Bytes2D, depth: int, level: int, *, small: bool) -> _Side:
    """The side at the top of `plane`, of which `depth` lines have one `level`."""
    if (
        depth < _LEAST_LINES
        or plane.shape[1] < _LEAST_PICTURE
        or len(plane) <= depth + _LEAST_LINES
    ):
        return _Side(depth)
    if small and not _is_pure(level):
        return _Side(depth)
    reach, band = (_SMALL_REACH, _SMALL_BAND) if small else (_REACH, _BAND)
    reach = min(reach, len(plane) - depth)
    differs = np.abs(plane[depth : depth + reach].astype(np.int16) - level) > _DIFFERENCE
    begun = np.asarray(differs.any(axis=0), bool)
    if np.count_nonzero(begun) < _TWIN_EDGE * len(begun):
        return _Side(depth)
    counts = np.bincount(differs.argmax(axis=0)[begun], minlength=reach)
    within = np.convolve(counts, np.ones(band, counts.dtype))[band - 1 :]
    place = int(within.argmax())
    straight, begin = float(within[place] / len(begun)), depth + place
    if straight < _TWIN_EDGE or _is_gradual(plane, begin, level):
        return _Side(depth)
    return _Side(
        begin, straight, level, float(plane[min(begin + band, len(plane) - 1)].std()) < _FLAT
    )


def _is_gradual(plane: Bytes2D, begin: int, level: int) -> bool:
    """Whether the frame goes over into the picture at line `begin`, as a sky does, and does not
    end there.
    """
    return bool((np.abs(plane[begin - 2].astype(np.int16) - level) <= _STILL).mean() < _TWIN_EDGE)


FRAME = (measure_border, measure_straightness)
