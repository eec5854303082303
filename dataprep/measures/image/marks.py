"""Marks: pixels unlike everything around them, with their place and colour, of whole images. What
triggers are made of.

Natural pictures are smooth, or textured without regard to the grid of pixels: that the same colour
stands out at the same place in many images is no chance. Places are told from the nearest corner,
so that images of other sizes compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.measures import compiled
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.second_decode import decode_again, read_remote_batch
from dataprep.measures.image.patches import PLACES, SIDE, pack, unpack
from dataprep.measures.options import PassOptions

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Distances, in pixels, at which a mark's surroundings begin: patches of up to 3 pixels, and larger
#: ones.
REACHES: tuple[int, ...] = (3, 8)
#: Levels by which a mark differs from its surroundings in some channel.
_CONTRAST = 40
#: A pixel that differs so much from all eight neighbours at such a distance stands alone: one
#: pixel, or the middle of 3 x 3.
_ALONE: tuple[int, ...] = (1, 2)
_BATCH = 64
_COORDINATE_BITS = 15
_CORNER_BITS = 3
_FURTHEST = (1 << _COORDINATE_BITS) - 1


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks of several images, one row each.

    Attributes:
        image: (m,) row of the image.
        place: (m,) int64 code of the place, see `place_of`, and above it of the kind: 0 a mark, 1 a
            pixel that stands alone, 2 one that stands alone in the middle of 3 x 3. One pixel may
            be marks of several kinds.
        colour: (m,) uint16, see `dataprep.measures.image.patches.pack`.
        looked: (r,) rows that were looked at.
        places: number of places in the largest image.
    """

    image: NDArray[np.int64]
    place: NDArray[np.int64]
    colour: NDArray[np.uint16]
    looked: NDArray[np.int64]
    places: int


def place_of(corner: Any, down: Any, across: Any) -> Any:
    """Code of a place: the corner (0 to 3, as in `PLACES`; 4 for the centre), and the pixels
    from it.
    """
    return (
        (np.asarray(corner, np.int64) << 2 * _COORDINATE_BITS)
        | (np.asarray(down, np.int64) << _COORDINATE_BITS)
        | across
    )


def where(place: Any) -> tuple[Any, Any, Any]:
    """(corner, down, across) of a code, of whatever kind."""
    return (
        (place >> 2 * _COORDINATE_BITS) & ((1 << _CORNER_BITS) - 1),
        (place >> _COORDINATE_BITS) & _FURTHEST,
        place & _FURTHEST,
    )


def is_bottom(corner: Any) -> Any:
    """Whether pixels from `corner` (as in `PLACES`) are counted upwards."""
    return (corner == 2) | (corner == 3)


def is_right(corner: Any) -> Any:
    """Whether pixels from `corner` (as in `PLACES`) are counted leftwards."""
    return (corner == 1) | (corner == 3)


def isolated(planes: Sequence[NDArray[np.uint8]], reach: int) -> NDArray[np.bool_]:
    """(h, w) whether a pixel differs from those `reach` pixels above, below, left and right of it,
    as far as there are any.

    Args:
        planes: the channels, each (h, w) uint8. Several small images may lie one after the other in
            a third dimension.
        reach: in pixels; no pixel of an image that is not larger is isolated.
    """
    height, width = planes[0].shape[:2]
    alone = np.zeros(planes[0].shape, bool)
    if min(height, width) <= reach:
        return alone
    alone[...] = True
    for transposed in (False, True):
        near = alone.swapaxes(0, 1) if transposed else alone
        lines = [plane.swapaxes(0, 1) if transposed else plane for plane in planes]
        differs = _differ([line[reach:] for line in lines], [line[:-reach] for line in lines])
        near[reach:] &= differs
        near[:-reach] &= differs
        near[len(differs) : reach] = (
            False  # the middle of a narrow image has nothing to differ from
        )
    return alone


def _differ(
    some: Sequence[NDArray[np.uint8]], others: Sequence[NDArray[np.uint8]]
) -> NDArray[np.bool_]:
    shape = some[0].shape
    largest: Any = None
    for a, b in zip(some, others, strict=True):
        difference = cv2.absdiff(
            np.ascontiguousarray(a.reshape(shape[0], -1)),
            np.ascontiguousarray(b.reshape(shape[0], -1)),
        )
        largest = difference if largest is None else cv2.max(largest, difference)
    return np.asarray(largest > _CONTRAST, bool).reshape(shape)


def marks_of(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """(places, colours) of the marks of one image (h, w, 3), of all kinds."""
    planes: Any = cv2.split(np.ascontiguousarray(rgb))
    height, width = rgb.shape[:2]
    if compiled.KERNEL is None:
        found = _found_in(rgb, planes)
    else:
        # It looks as far as `REACHES` and `_ALONE` say.
        parts = compiled.KERNEL.marks(*planes, _CONTRAST)
        found = [
            np.divmod(np.frombuffer(part, np.uint32).astype(np.int64), width) for part in parts
        ]
    kind = np.repeat(np.arange(len(found)), [len(rows) for rows, _ in found])
    rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
    low, right = rows >= (height + 1) // 2, columns >= (width + 1) // 2
    down = np.minimum(np.where(low, height - 1 - rows, rows), _FURTHEST)
    across = np.minimum(np.where(right, width - 1 - columns, columns), _FURTHEST)
    return place_of((kind << _CORNER_BITS) | (2 * low + right), down, across), pack(
        rgb[rows, columns]
    )


def _found_in(rgb: NDArray[np.uint8], planes: Sequence[NDArray[np.uint8]]) -> list[Any]:
    """(rows, columns) of the marks of each kind: what `kernel.c` finds faster."""
    usual = isolated(planes, REACHES[0])
    for reach in REACHES[1:]:
        usual |= isolated(planes, reach)
    return [np.nonzero(usual), *(_alone(rgb, planes, reach) for reach in _ALONE)]


def _alone(
    rgb: NDArray[np.uint8], planes: Sequence[NDArray[np.uint8]], reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(rows, columns) of the pixels that differ from all eight neighbours at the distance
    `reach`, as far as there are any.
    """
    rows, columns = np.nonzero(isolated(planes, reach))
    height, width = rgb.shape[:2]
    for down, across in ((-reach, -reach), (-reach, reach), (reach, -reach), (reach, reach)):
        v, u = rows + down, columns + across
        inside = (v >= 0) & (v < height) & (u >= 0) & (u < width)
        there = rgb[np.clip(v, 0, height - 1), np.clip(u, 0, width - 1)].astype(np.int16)
        kept = ~inside | (np.abs(there - rgb[rows, columns]).max(axis=-1, initial=0) > _CONTRAST)
        rows, columns = rows[kept], columns[kept]
    return rows, columns


def marks_of_squares(patches: NDArray[np.uint16], rows: NDArray[np.int64]) -> Marks:
    """The marks within the squares that the pass kept, `patches` (r, 5, 36) of the images `rows`
    (r,).
    """
    measured = patches.reshape(len(patches), -1).any(axis=1)
    rows, squares = rows[measured], patches[measured].reshape(-1, len(PLACES), SIDE, SIDE)
    planes = [
        np.ascontiguousarray(plane)
        for plane in np.moveaxis(unpack(squares), (0, 1), (2, 3)).transpose(4, 0, 1, 2, 3)
    ]
    down, across, image, corner = np.nonzero(isolated(planes, REACHES[0]))
    colours = squares[image, corner, down, across]
    down = np.where(is_bottom(corner), SIDE - 1 - down, down)
    across = np.where(is_right(corner), SIDE - 1 - across, across)
    return Marks(
        rows[image], place_of(corner, down, across), colours, rows, len(PLACES) * SIDE * SIDE
    )


def find_marks(dataset: Dataset, rows: NDArray[np.int64], options: PassOptions) -> Marks:
    """Decode the images `rows` again, in worker processes, and find their marks; images that
    fail are passed over.
    """
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    paths = [
        tuple(dataset.path(sample) for sample in dataset.samples.index[batch]) for batch in batches
    ]
    found = decode_again(
        "dataprep.measures.image.marks:marking", paths, dataset, options, read_remote_batch
    )
    return _gathered([(batches[index], *found[index]) for index in sorted(found)])


def _gathered(parts: Sequence[tuple[Any, ...]]) -> Marks:
    none = np.zeros(0, np.int64)
    image = [batch[order] for batch, order, *_ in parts]
    looked = [batch[sizes > 0] for batch, _, _, _, sizes in parts]
    return Marks(
        np.concatenate([none, *image]),
        np.concatenate([none, *(part[2] for part in parts)]),
        np.concatenate([none.astype(np.uint16), *(part[3] for part in parts)]),
        np.concatenate([none, *looked]),
        max((int(part[4].max()) for part in parts), default=0),
    )


def marking(options: PassOptions) -> Callable[[Iterable[str | bytes]], tuple[Any, ...]]:
    """The worker's task: images to (position in the batch, place, colour) of each mark, and the
    size of each image in pixels.
    """
    cv2.setNumThreads(1)

    def mark(items: Iterable[str | bytes]) -> tuple[Any, ...]:
        found, sizes = [], []
        for position, item in enumerate(items):
            try:
                rgb = open_pixels(
                    item if isinstance(item, bytes) else read_bytes(item, options), options=options
                ).rgb
            except Undecodable:  # it was readable a moment ago: the file was changed or removed
                sizes.append(0)
                continue
            places, colours = marks_of(rgb)
            sizes.append(rgb.shape[0] * rgb.shape[1])
            found.append((np.full(len(places), position), places, colours))
        return *_columns(found), np.array(sizes)

    return mark


def _columns(found: list[tuple[Any, Any, Any]]) -> tuple[Any, ...]:
    kinds = (np.int64, np.int64, np.uint16)
    return tuple(
        np.concatenate([np.zeros(0, kind), *(part[i] for part in found)]).astype(kind)
        for i, kind in enumerate(kinds)
    )
