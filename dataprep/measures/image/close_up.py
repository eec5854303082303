"""Close-ups: edges, noise and traces of enlargement of the images that may be blurred, noisy or
enlarged.

Sharpness and noise are cheap and only say where to look; these measures say what is there. The pass
over the files takes them while an image is decoded; where it did not, it is decoded once more in
worker processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dataprep.measures.contract import measure_of
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.second_decode import decode_again, read_remote_batch
from dataprep.measures.image.edge_widths import LEAST_SIDE, EdgeWidths, measure_edges
from dataprep.measures.image.enlargement import Resampling, measure_resampling
from dataprep.measures.image.focus import focus
from dataprep.measures.image.grain import measure_noise
from dataprep.measures.image.white_noise import WhiteNoise, measure_white_noise
from dataprep.measures.options import PassOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.decode.pixels import Pixels
    from dataprep.schemas.dataset import Dataset

#: Noise as the pass measures it, 0 to 1, above which a closer look at it is worth while.
NOISE = 0.012
#: Sharpness, along the softest direction or overall, below which edges are looked at.
SOFTEST, SOFT = 0.45, 0.65
#: Width in pixels of the sharpest edges of an image that may have been enlarged.
SOFT_EDGE = 1.6
#: Peaks of an enlargement from which it has to be told from noise.
_LEAST_PEAK = 5.0
_BATCH = 32
_PARTS = (("edge", EdgeWidths), ("noise", WhiteNoise), ("resampling", Resampling))
#: Names of the figures of a close-up, such as "edge_sharpest": attributes of `EdgeWidths`,
#: `WhiteNoise` and `Resampling`.
FIGURES: tuple[str, ...] = tuple(
    f"{name}_{field}" for name, part in _PARTS for field in part._fields
)


@dataclass(frozen=True, eq=False)
class CloseUps:
    """What was seen in the images that were looked at closely.

    Attributes:
        rows: (r,) the images that were looked at.
        figures: (r, f) their `FIGURES`.
        judged: (n,) whether an image was looked at, or is plainly free of these faults; not those
            under 48 pixels or with transparent parts.
        left_out: candidates that were not looked at, the least likely ones.
    """

    rows: NDArray[np.int64]
    figures: NDArray[np.float32]
    judged: NDArray[np.bool_]
    left_out: int = 0

    def figure(self, name: str) -> NDArray[np.float64]:
        """(n,) one of the `FIGURES`; NaN for images that were not looked at."""
        spread = np.full(len(self.judged), np.nan)
        spread[self.rows] = self.figures[:, FIGURES.index(name)]
        return spread

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not looked at, in sentences."""
        if not self.left_out:
            return ()
        total = self.left_out + len(self.rows)
        return (
            f"{len(self.rows):,} of {total:,} soft or noisy images, the likeliest, were looked at "
            "closely.",
        )


@measure_of("close_up")
def measure_close_up(pixels: Pixels) -> NDArray[np.float32] | None:
    """(f,) the `FIGURES` of an image that may be blurred, noisy or enlarged; None of others, of
    those under 48 pixels, with transparent parts, or decoded at reduced scale.
    """
    header = pixels.header
    if header.alpha or min(header.width, header.height) < LEAST_SIDE or pixels.approximate:
        return None
    softest, sharpest = pixels.shared(focus)
    suspected = (
        softest < SOFTEST or sharpest < SOFT or pixels.shared(measure_noise.function) > NOISE
    )
    return close_up_of(pixels) if suspected else None


def close_up_of(pixels: Pixels) -> NDArray[np.float32]:
    """(f,) the `FIGURES` of one image; NaN for what cannot be told, or what nothing before it
    gave reason to ask.
    """
    edges, noise, resampling = measure_edges(pixels.luma), WhiteNoise(), Resampling()
    if edges.sharpest >= SOFT_EDGE:
        resampling = measure_resampling(pixels.luma)
    if (
        pixels.shared(measure_noise.function) > NOISE
        or max(resampling.fine, resampling.coarse, resampling.grid) >= _LEAST_PEAK
    ):
        noise = measure_white_noise(pixels.rgb)
    figures: NDArray[np.float32] = np.array([*edges, *noise, *resampling], np.float32)
    return figures


def find_close_ups(
    dataset: Dataset, rows: NDArray[np.int64], options: PassOptions
) -> NDArray[np.float32]:
    """(r, f) the `FIGURES` of the images `rows`, decoded at full size; NaN for those that cannot
    be decoded any more.
    """
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    paths = [
        tuple(dataset.path(sample) for sample in dataset.samples.index[batch]) for batch in batches
    ]
    found = decode_again(
        "dataprep.measures.image.close_up:looking", paths, dataset, options, read_remote_batch
    )
    parts = [found.get(index, _nothing(len(batch))) for index, batch in enumerate(batches)]
    return np.concatenate([_nothing(0), *parts])


def looking(options: PassOptions) -> Callable[[Iterable[str | bytes]], NDArray[np.float32]]:
    """The worker's task: files to the `FIGURES` of each."""
    cv2.setNumThreads(1)

    def look(items: Iterable[str | bytes]) -> NDArray[np.float32]:
        return np.stack([_look_at(item, options) for item in items])

    return look


def _look_at(item: Any, options: PassOptions) -> NDArray[np.float32]:
    try:
        pixels = open_pixels(
            item if isinstance(item, bytes) else read_bytes(item, options), options=options
        )
    except Undecodable:  # it was readable a moment ago: the file was changed or removed
        return np.asarray(_nothing(1)[0], np.float32)
    try:
        return close_up_of(pixels)
    except Exception:  # costs this image its close-up, and no other image
        return np.asarray(_nothing(1)[0], np.float32)


def _nothing(count: int) -> NDArray[np.float32]:
    return np.full((count, len(FIGURES)), np.nan, np.float32)


CLOSE_UP = (measure_close_up,)
