"""Statistics of the colour channels: whole numbers of each image, added up without rounding, in any
order.

Workers send 13 whole numbers per image (`SUMS`). Sums of whole numbers are exact, so that no order
of the files and no division over workers can change a figure; the only rounding is that of the last
division.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dataprep.backends import imap
from dataprep.errors import InputError
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.thumbnails import read_remote
from dataprep.measures.embedding.contract import view_of
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

Weighting = Literal["pixels", "images"]
WEIGHTINGS: tuple[Weighting, ...] = ("pixels", "images")
Triple = tuple[float, float, float]

#: What is known of one image: pixels, then for R, G and B the sums, the sums of squares, the least
#: and the largest values.
SUMS = struct.Struct("<13q")
_PIXELS, _SUM, _SQUARES, _LOW, _HIGH = 0, slice(1, 4), slice(4, 7), slice(7, 10), slice(10, 13)
#: Pixels that are split into planes at once, so that a huge image needs no second one of its size.
_AT_ONCE = 2**20
_DEFAULTS = PassOptions()


@dataclass(frozen=True)
class ChannelStatistics:
    """Figures of the channels R, G, B over many images, of pixel values divided by 255.

    Attributes:
        mean, std: population mean and standard deviation (ddof 0).
        minimum, maximum: extremes.
        images, pixels: how many images, and how many pixels of them, were counted.
        weighting: "pixels", where every pixel counts alike, or "images", where every image does.
    """

    mean: Triple
    std: Triple
    minimum: Triple
    maximum: Triple
    images: int
    pixels: int
    weighting: Weighting = "pixels"


class Adder:
    """Adds up images, one at a time; keeps the planes that it splits them into, whose memory
    costs more than the sums.
    """

    def __init__(self) -> None:
        self._planes = [np.empty(_AT_ONCE, np.uint8) for _ in range(3)]

    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[int, ...]:
        """The numbers of `SUMS` for one image (h, w, 3) uint8; exact."""
        pixels = np.ascontiguousarray(rgb).reshape(1, -1, 3)
        count = pixels.shape[1]
        blocks = [
            self._add_up(pixels[:, start : start + _AT_ONCE]) for start in range(0, count, _AT_ONCE)
        ]
        if len(blocks) == 1:
            return count, *map(int, blocks[0])
        totals = np.array(blocks, np.int64)
        low, high = totals[:, 6:9].min(axis=0), totals[:, 9:].max(axis=0)
        return count, *totals[:, :6].sum(axis=0).tolist(), *low.tolist(), *high.tolist()

    def _add_up(self, pixels: NDArray[np.uint8]) -> tuple[float, ...]:
        """Sums, sums of squares, least and largest values of R, G and B."""
        planes = cv2.split(
            pixels, [plane[: pixels.shape[1]].reshape(1, -1) for plane in self._planes]
        )
        extremes = [cv2.minMaxLoc(plane) for plane in planes]
        # OpenCV squares the root of a whole number below 2**37: rounding makes it whole again.
        squares = [round(cv2.norm(plane, cv2.NORM_L2SQR)) for plane in planes]
        sums = [cv2.sumElems(plane)[0] for plane in planes]
        return (*sums, *squares, *(each[0] for each in extremes), *(each[1] for each in extremes))


def statistics_of(sums: NDArray[np.int64], weighting: Weighting = "pixels") -> ChannelStatistics:
    """The statistics of n images.

    Args:
        sums: (n, 13) as `Adder` gives them, in any order.
        weighting: "pixels": mean and standard deviation over all pixels of all images. "images":
            over all pixels too, but those of one image together weigh as much as those of any
            other, as they do for a model that sees every image at one size.

    Raises:
        InputError: no image.
    """
    if not len(sums):
        raise InputError("no image could be read, so that there is nothing to fit on")
    mean, std = _by_pixels(sums) if weighting == "pixels" else _by_images(sums)
    return ChannelStatistics(
        mean,
        std,
        _triple(sums[:, _LOW].min(axis=0) / 255.0),
        _triple(sums[:, _HIGH].max(axis=0) / 255.0),
        len(sums),
        _total(sums[:, _PIXELS]),
        weighting,
    )


def _by_pixels(sums: NDArray[np.int64]) -> tuple[Triple, Triple]:
    count = _total(sums[:, _PIXELS])
    totals = [_total(column) for column in sums[:, _SUM].T]
    squares = [_total(column) for column in sums[:, _SQUARES].T]
    # In whole numbers there is no cancellation: n sum(x²) - sum(x)² is exact.
    variances = [
        (count * square - total * total) / (count * count)
        for total, square in zip(totals, squares, strict=True)
    ]
    return _triple([total / count / 255 for total in totals]), _triple(
        [math.sqrt(value) / 255 for value in variances]
    )


def _by_images(sums: NDArray[np.int64]) -> tuple[Triple, Triple]:
    """Mean of the images' means; their mean variance plus the variance of their means (the law
    of total variance).
    """
    count = sums[:, [_PIXELS]].astype(np.float64)
    means = sums[:, _SUM] / count
    within = np.maximum(sums[:, _SQUARES] / count - means**2, 0.0)
    # `fsum` rounds once, whatever the order.
    mean = np.array([math.fsum(column) for column in means.T.tolist()]) / len(sums)
    spread = within + (means - mean) ** 2
    variance = np.array([math.fsum(column) for column in spread.T.tolist()]) / len(sums)
    return _triple(mean / 255.0), _triple(np.sqrt(variance) / 255.0)


def _total(values: NDArray[np.int64]) -> int:
    """The sum as a Python number: sums of squares of many large images do not fit 64 bits."""
    return sum(values.tolist())


def _triple(values: Any) -> Triple:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def channel_sums(
    dataset: Dataset,
    options: PassOptions = _DEFAULTS,
    *,
    size: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[NDArray[np.int64], dict[str, Lost]]:
    """Decode every image once, in guarded worker processes, and add up its channels.

    Images are decoded as everywhere: upright, transparency over white, deeper data scaled to 8
    bits; large JPEGs at their full size, so that the figures are those of all pixels.

    Args:
        dataset: all its samples are read.
        options: limits and number of workers, as for the pass over the files.
        size: side in pixels of the square that each image is squeezed into before; 0 for the image
            as it is.
        progress: called with (done, total, note).

    Returns:
        (n, 13) int64 in the order of the rows, as `Adder` gives them, zeros where an image was
        lost; and sample to loss.

    Raises:
        WorkersLost: worker processes cannot be started.
    """
    names = dataset.samples.index.tolist()
    sums, lost = np.zeros((len(names), 13), np.int64), {}
    full = replace(
        options, scale_above_megapixels=max(options.max_megapixels, options.scale_above_megapixels)
    )
    results = imap(
        "dataprep.normalisation.statistics:summing",
        (dataset.path(name) for name in names),
        setup=(full, size),
        jobs=options.jobs,
        time_limit_s=options.time_limit_s,
        memory_limit_mb=options.memory_limit_mb,
        load=read_remote if dataset.is_remote else None,
    )
    with closing(results):  # type: ignore[type-var]
        for done, (row, result) in enumerate(results, start=1):
            if isinstance(result, Lost):
                lost[names[row]] = result
            else:
                sums[row] = SUMS.unpack(result)
            if progress is not None:
                progress(done, len(names), "")
    return sums, lost


def summing(setup: tuple[PassOptions, int]) -> Callable[[str | bytes], bytes | Lost]:
    """The worker's task: a path, or a file's bytes, to packed `SUMS`."""
    options, size = setup
    cv2.setNumThreads(1)
    sums_of = Adder()

    def add_up(item: str | bytes) -> bytes | Lost:
        try:
            data = item if isinstance(item, bytes) else read_bytes(item, options)
            rgb = open_pixels(data, options=options).rgb
        except Undecodable as failure:
            return Lost(failure.reason, failure.detail)
        return SUMS.pack(*sums_of(view_of(rgb, size) if size else rgb))

    return add_up
