"""Pixel store: every image decoded once, squashed into a square, in one file on disk that
training maps into memory.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dataprep.errors import OutputError, WorkError
from dataprep.measures.decode.views import views_of
from dataprep.measures.options import PassOptions
from dataprep.schemas.files.writing import mark_output, write_atomically
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

Progress = Callable[[int, int, str], None]
_DEFAULTS = PassOptions()
#: Bytes that stay free on the disk.
_SPARE = 64 * 2**20


@dataclass(frozen=True, eq=False)
class PixelStore:
    """Images of one size, row by row as in the data set they come from.

    Attributes:
        images: (n, side, side, 3) uint8 RGB, mapped from disk: memory does not grow with their
            number.
        known: (n,) whether a row could be decoded; others are black.
        lost: sample to why it could not be decoded.
    """

    images: NDArray[np.uint8]
    known: NDArray[np.bool_]
    lost: dict[str, str]

    def __reduce__(self) -> tuple[Any, ...]:
        """Worker processes map the file themselves, instead of being sent what is in it."""
        path = getattr(self.images, "filename", None)
        if path is None:
            return PixelStore, (self.images, self.known, self.lost)
        return _mapped, (str(path), self.images.shape, self.known, self.lost)

    def demand_whole(self) -> None:
        """Refuse a file that was cut short: reading beyond its end would kill the process.

        Raises:
            WorkError: with what to do.
        """
        path = getattr(self.images, "filename", None)
        try:
            whole = path is None or os.path.getsize(path) >= self.images.nbytes
        except OSError:
            whole = True  # gone from its folder, but this process still holds it
        if not whole:
            raise WorkError(
                f"{path} was cut short while it was in use: train again with --resume, which "
                "decodes the images anew"
            )

    def decode_ahead(self, rows: NDArray[np.int64]) -> None:
        """Decode some rows at once, where images are decoded only when they are asked for."""
        decode = getattr(self.images, "decode", None)
        if decode is not None:
            decode(rows)

    @property
    def side(self) -> int:
        """Pixels a side."""
        return int(self.images.shape[1])


def store_pixels(
    dataset: Dataset,
    side: int,
    folder: str,
    *,
    options: PassOptions = _DEFAULTS,
    progress: Progress | None = None,
) -> PixelStore:
    """Decode every image of `dataset` into ``folder/SIDE.u8``, unless the same images are there
    already.

    Args:
        dataset: measured or not; files are told apart by their hash where it is known, else by size
            and time.
        side: pixels a side; images are squashed into a square, so that no content is cut.
        folder: where the file and its record go.
        options: limits of decoding, and workers.
        progress: called with (done, total, note).

    Raises:
        OutputError: not enough room on the disk, or the folder cannot be written.
        WorkersLost: no worker process could be started.
    """
    pixels, record = os.path.join(folder, f"{side}.u8"), os.path.join(folder, f"{side}.json")
    digest = _digest(dataset, side)
    shape = (len(dataset), side, side, 3)
    earlier = _earlier(record, digest, pixels, shape)
    if earlier is None:
        mark_output(folder)
        _refuse_without_room(folder, int(np.prod(shape)), len(dataset), side)
        earlier = _decode(dataset, side, pixels, options, progress)
        with write_atomically(record) as file:
            file.write(json.dumps({"digest": digest, "lost": earlier}).encode())
    known = ~np.isin(dataset.samples.index.to_numpy(dtype=object), list(earlier))
    return (
        _mapped(pixels, shape, known, earlier)
        if len(dataset)
        else PixelStore(np.zeros(shape, np.uint8), known, earlier)
    )


def _mapped(
    path: str, shape: tuple[int, ...], known: NDArray[np.bool_], lost: dict[str, str]
) -> PixelStore:
    images: Any = np.memmap(path, np.uint8, "r", shape=shape)
    return PixelStore(images, known, lost)


def _decode(
    dataset: Dataset, side: int, path: str, options: PassOptions, progress: Progress | None
) -> dict[str, str]:
    """Write the file; sample to the reason of every one that could not be decoded."""
    lost: dict[str, str] = {}
    samples = dataset.samples.index.tolist()
    size = side * side * 3
    results = views_of(dataset, samples, side, options)
    with write_atomically(path) as file, closing(results):  # type: ignore[type-var]
        file.truncate(size * len(samples))
        for done, (index, result) in enumerate(results, start=1):
            if isinstance(result, Lost):
                lost[samples[index]] = (
                    f"{result.reason}: {result.detail}" if result.detail else result.reason
                )
            else:
                file.seek(size * index)
                file.write(result.tobytes())
            if progress is not None:
                progress(done, len(samples), "")
    return lost


def _digest(dataset: Dataset, side: int) -> str:
    """What the file depends on."""
    digest = xxhash.xxh3_128(f"1 {side} {dataset.root}".encode())
    if "file_hash" in dataset.samples:
        marks = dataset.samples["file_hash"].astype("str").tolist()
    else:
        marks = [_mark(dataset.path(sample)) for sample in dataset.samples.index]
    for sample, mark in zip(dataset.samples.index, marks, strict=True):
        digest.update(f"{sample}\0{mark}\0".encode("utf-8", "surrogateescape"))
    return str(digest.hexdigest())


def _mark(path: str) -> str:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _earlier(
    record: str, digest: str, pixels: str, shape: tuple[int, ...]
) -> dict[str, str] | None:
    """What an earlier run could not decode, where it stored the very same images."""
    try:
        with open(record, encoding="utf-8") as file:
            found = json.load(file)
        same = found["digest"] == digest and os.path.getsize(pixels) == int(np.prod(shape))
        return {str(sample): str(why) for sample, why in found["lost"].items()} if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _refuse_without_room(folder: str, needed: int, count: int, side: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise OutputError(
            f"cannot store {count:,} images of {side} x {side} pixels in {folder}: "
            f"{needed / 1e9:.1f} GB needed, "
            f"{free / 1e9:.1f} GB free. Take a smaller --size, or another --out on a larger disk"
        )
