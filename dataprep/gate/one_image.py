"""One image measured in this process, as the pass measures files in its workers."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import xxhash

from dataprep.errors import InputError
from dataprep.ingest.memory.encoding import NoImage, encode, is_image
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.embedding.contract import view_of
from dataprep.measures.work import measures_of, values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dataprep.measures.contract import Measure
    from dataprep.measures.options import PassOptions


@dataclass(frozen=True)
class Measured:
    """One image measured.

    Attributes:
        values: column to value, as measures give them; those of a file that gave no pixels are
            ``bytes``, ``file_hash``, ``lost``, ``lost_detail`` and what its head says.
        view: (size, size, 3) uint8 for the embedder; None where none was asked for, or there are no
            pixels.
    """

    values: dict[str, Any] = field(default_factory=dict)
    view: NDArray[np.uint8] | None = None


class OneImageMeasures:
    """The measures of some columns, ready for one image after another."""

    def __init__(self, columns: Collection[str], options: PassOptions, view: int = 0) -> None:
        """Measures that fill `columns`, limits of decoding, and the side of the embedder's view in
        pixels (0: none).
        """
        self._measures: tuple[Measure, ...] = measures_of(columns)
        self._options, self._view = options, view

    def __call__(self, image: Any, *, view: bool = True) -> Measured:
        """Measure one image; see `KnownImages.examine` for what it may be."""
        values: dict[str, Any] = {"lost": "", "lost_detail": ""}
        try:
            data = self._bytes(image)
            values |= {"bytes": len(data), "file_hash": xxhash.xxh3_128_hexdigest(data)}
            pixels = open_pixels(data, self._options)
        except Undecodable as failure:
            return Measured(
                values | failure.facts | {"lost": failure.reason, "lost_detail": failure.detail}
            )
        values |= values_of(pixels, self._measures)
        shown = view_of(pixels.rgb, self._view) if view and self._view else None
        return Measured(values, shown)

    def _bytes(self, image: Any) -> bytes:
        if isinstance(image, str | os.PathLike):
            return read_bytes(os.fspath(image), self._options)
        if not is_image(image):
            raise InputError(
                "expected the path of an image, its bytes, a PIL image or an array (height, "
                f"width, channels), got {type(image).__name__}"
            )
        try:
            return encode(image).data
        except NoImage as error:
            raise InputError(f"this is no image: {error}") from error
