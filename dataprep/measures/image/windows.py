"""Windows: the pixels around given places of given images, decoded once more. What a patch is
judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.second_decode import decode_again, read_remote_batch
from dataprep.measures.image.marks import where
from dataprep.measures.image.patches import PLACES, SIDE, unpack
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: How far a window reaches from its place, in pixels: across the largest patch, and one further.
RADIUS = 13
_SPAN = 2 * RADIUS + 1
_BATCH = 64
#: A batch: the files, and the codes of the places asked of each.
_Batch = tuple[tuple[Any, ...], tuple[tuple[int, ...], ...]]


def find_windows(
    dataset: Dataset, rows: NDArray[np.int64], places: NDArray[np.int64], options: PassOptions
) -> NDArray[np.int16]:
    """(q, 27, 27, 3) the pixels around each place (`dataprep.measures.image.marks.place_of`) in the
    image of each of the rows.

    Minus one beyond the picture, and everywhere in images that cannot be decoded.
    """
    images, position = np.unique(rows, return_inverse=True)
    wanted = [places[position == image] for image in range(len(images))]
    starts = range(0, len(images), _BATCH)
    items = [
        _batch(dataset, images[start : start + _BATCH], wanted[start : start + _BATCH])
        for start in starts
    ]
    found = decode_again(
        "dataprep.measures.image.windows:cutting", items, dataset, options, _read_remote
    )
    cut = [found.get(index, nothing(sum(map(len, item[1])))) for index, item in enumerate(items)]
    windows = nothing(len(rows))
    windows[np.argsort(position, kind="stable")] = np.concatenate([nothing(0), *cut])
    return windows


def nothing(count: int) -> NDArray[np.int16]:
    """(count, 27, 27, 3) windows in which nothing is known."""
    return np.full((count, _SPAN, _SPAN, 3), -1, np.int16)


def windows_of_squares(patches: NDArray[np.uint16], place: int) -> NDArray[np.int16]:
    """(r, 27, 27, 3) as `find_windows`, of the squares that the pass kept, `patches` (r, 5, 36),
    and a place in one of them.
    """
    corner, down, across = where(place)
    squares = unpack(np.asarray(patches)[:, corner].reshape(-1, SIDE, SIDE))
    down = SIDE - 1 - down if corner in (2, 3) else down
    across = SIDE - 1 - across if corner in (1, 3) else across
    return np.concatenate([nothing(0), *(_cut(square, down, across)[None] for square in squares)])


def _batch(
    dataset: Dataset, images: NDArray[np.int64], wanted: Sequence[NDArray[np.int64]]
) -> _Batch:
    paths = tuple(dataset.path(sample) for sample in dataset.samples.index[images])
    return paths, tuple(tuple(each.tolist()) for each in wanted)


def cutting(options: PassOptions) -> Callable[[_Batch], NDArray[np.int16]]:
    """The worker's task: images and places to the windows around them, image by image."""
    cv2.setNumThreads(1)

    def cut(batch: _Batch) -> NDArray[np.int16]:
        parts = [_windows(item, places, options) for item, places in zip(*batch, strict=True)]
        return np.asarray(np.concatenate([nothing(0), *parts]), np.int16)

    return cut


def _windows(item: str | bytes, places: Sequence[int], options: PassOptions) -> NDArray[np.int16]:
    try:
        rgb = open_pixels(
            item if isinstance(item, bytes) else read_bytes(item, options), options=options
        ).rgb
    except Undecodable:  # it was readable a moment ago: the file was changed or removed
        return nothing(len(places))
    return windows_of(rgb, places)


def windows_of(rgb: NDArray[np.uint8], places: Iterable[int]) -> NDArray[np.int16]:
    """(p, 27, 27, 3) the pixels of one image (h, w, 3) around each place; minus one beyond the
    picture.
    """
    return np.concatenate(
        [nothing(0), *(_cut(rgb, *_position(place, *rgb.shape[:2]))[None] for place in places)]
    )


def _position(place: int, height: int, width: int) -> tuple[int, int]:
    """(row, column) of a place."""
    corner, down, across = where(place)
    if corner == len(PLACES) - 1:
        return (height - SIDE) // 2 + down, (width - SIDE) // 2 + across
    return height - 1 - down if corner in (2, 3) else down, width - 1 - across if corner in (
        1,
        3,
    ) else across


def _cut(rgb: NDArray[np.uint8], row: int, column: int) -> NDArray[np.int16]:
    window: NDArray[np.int16] = nothing(1)[0]
    height, width = rgb.shape[:2]
    top, left = max(row - RADIUS, 0), max(column - RADIUS, 0)
    part = rgb[top : max(row + RADIUS + 1, 0), left : max(column + RADIUS + 1, 0)]
    if 0 <= row < height and 0 <= column < width:
        v, u = top - row + RADIUS, left - column + RADIUS
        window[v : v + part.shape[0], u : u + part.shape[1]] = part
    return window


def _read_remote(batch: _Batch) -> _Batch | Lost:
    contents = read_remote_batch(batch[0])
    return contents if isinstance(contents, Lost) else (contents, batch[1])
