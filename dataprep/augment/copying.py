"""The worker's task of writing changed copies: a file is decoded, changed and saved; decoders
may crash on hostile files.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import numpy as np
from PIL import Image

from dataprep.augment.policies import Policy
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost

#: Where a file is (or its bytes), its name, and the copies to make: number and where to write.
Item = tuple[str | bytes, str, tuple[tuple[int, str], ...]]


def copying(setup: tuple[str, int, PassOptions, str]) -> Callable[[Item], int | Lost]:
    """The task for `dataprep.backends.imap`: policy in YAML, seed, limits, format (PNG or JPEG)."""
    text, seed, options, kind = setup
    policy = Policy.from_yaml(text)

    def copy(item: Item) -> int | Lost:
        source, name, copies = item
        try:
            data = source if isinstance(source, bytes) else read_bytes(source, options)
            rgb = np.ascontiguousarray(open_pixels(data, options=options).rgb)
        except Undecodable as failure:
            return Lost(failure.reason, failure.detail)
        for number, place in copies:
            changed = policy.augment(rgb, sample=name, copy=number, seed=seed)
            _write(changed, place, kind)
        return len(copies)

    return copy


def _write(rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], place: str, kind: str) -> None:
    file = io.BytesIO()
    Image.fromarray(rgb).save(
        file, kind, **({"quality": 95} if kind == "JPEG" else {"compress_level": 4})
    )
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as target:
        target.write(file.getvalue())
