"""Thumbnails: small JPEGs of a few samples for reports, made in worker processes because
decoders may crash on hostile files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from dataprep.backends import imap
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Longer side in pixels. Sharp at 160 CSS pixels without doubling the size of the report.
SIDE = 192
QUALITY = 72
#: A sliver of an image (10000 x 1) is drawn at least this thick.
THINNEST = 6
#: Reductions above this are slight.
_HARDLY = 0.7

_DEFAULTS = PassOptions()


def thumbnails(
    dataset: Dataset,
    samples: Sequence[str],
    options: PassOptions = _DEFAULTS,
    *,
    side: int = SIDE,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, bytes]:
    """JPEG files of the displayed images: EXIF orientation applied, transparency over white.

    Args:
        dataset: where the samples are.
        samples: names of samples, each at most once.
        options: limits as in the pass over the files.
        side: longer side in pixels; smaller images are not enlarged.
        progress: called with (done, total, note).

    Returns:
        Sample to the bytes of a JPEG. A sample that cannot be decoded within the limits is not in
        it.

    Raises:
        WorkersLost: no worker process could be started.
    """
    if not samples:
        return {}
    results = imap(
        "dataprep.measures.decode.thumbnails:thumbnailing",
        [dataset.path(sample) for sample in samples],
        setup=(options, side),
        jobs=options.jobs if options.jobs else 0,
        time_limit_s=options.time_limit_s,
        memory_limit_mb=options.memory_limit_mb,
        load=read_remote if dataset.is_remote else None,
    )
    made: dict[str, bytes] = {}
    with closing(results):  # type: ignore[type-var]
        for done, (index, result) in enumerate(results, start=1):
            if isinstance(result, bytes):
                made[samples[index]] = result
            if progress is not None:
                progress(done, len(samples), "")
    return made


def thumbnailing(setup: tuple[PassOptions, int]) -> Callable[[str | bytes], bytes | Lost]:
    """The worker's task: a path, or a file's bytes, to the bytes of a JPEG."""
    options, side = setup

    def thumbnail(item: str | bytes) -> bytes | Lost:
        try:
            data = item if isinstance(item, bytes) else read_bytes(item, options)
            return encode(shrink(open_pixels(data, options, side).rgb, side))
        except Undecodable as failure:
            return Lost(failure.reason, failure.detail)

    return thumbnail


def shrink(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """(h, w, 3) reduced so that the longer side is at most `side`; never enlarged, but for
    slivers that would vanish.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (
        max(min(THINNEST, side), round(width * scale)),
        max(min(THINNEST, side), round(height * scale)),
    )
    if size == (width, height):
        return np.ascontiguousarray(rgb)
    # Hardly reduced, four neighbours do as well as all, in a fifth of the time.
    reduced = cv2.INTER_LINEAR if scale > _HARDLY else cv2.INTER_AREA
    small = cv2.resize(rgb, size, interpolation=reduced if scale < 1 else cv2.INTER_NEAREST)
    return np.asarray(small, dtype=np.uint8)


def encode(rgb: NDArray[np.uint8]) -> bytes:
    """(h, w, 3) as a JPEG file without metadata."""
    data: Any = simplejpeg.encode_jpeg(
        np.ascontiguousarray(rgb), quality=QUALITY, colorspace="RGB", colorsubsampling="420"
    )
    return bytes(data)


def read_remote(url: str) -> bytes | Lost:
    """The bytes of a remote file, or why there are none; for `imap`'s `load`, since workers have
    no file systems.
    """
    import fsspec

    try:
        with fsspec.open(url, "rb") as file:
            return bytes(file.read())
    except Exception as error:  # every file system raises its own
        return Lost("unreadable", f"{type(error).__name__}: {error}")
