"""Views: every image squashed into a small square, decoded once in worker processes, for what
trains or embeds on pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dataprep.backends import imap
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.thumbnails import read_remote
from dataprep.measures.embedding.contract import view_of
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset


def views_of(
    dataset: Dataset,
    samples: Sequence[str],
    side: int,
    options: PassOptions,
    *,
    reduced: bool = True,
) -> Iterator[tuple[int, NDArray[np.uint8] | Lost]]:
    """(index in `samples`, (side, side, 3) uint8 RGB or why there is none), in the order in
    which they finish.

    Args:
        dataset: where the samples are.
        samples: names.
        side: pixels a side.
        options: limits of decoding, and workers.
        reduced: decode JPEGs at the scale that `side` needs; else as the audit decodes them, whose
            embeddings are of those views.
    """
    scaled = replace(options, scale_above_megapixels=max(0.1, (2 * side) ** 2 / 1e6))
    setup = (scaled if reduced else options, side)
    results = imap(
        "dataprep.measures.decode.views:viewing",
        [dataset.path(sample) for sample in samples],
        setup=setup,
        jobs=options.jobs,
        time_limit_s=options.time_limit_s,
        memory_limit_mb=options.memory_limit_mb,
        load=read_remote if dataset.is_remote else None,
    )
    for index, result in results:
        yield (
            index,
            result
            if isinstance(result, Lost)
            else np.frombuffer(result, np.uint8).reshape(side, side, 3),
        )


def viewing(setup: tuple[PassOptions, int]) -> Callable[[str | bytes], bytes | Lost]:
    """The worker's task: a path, or a file's bytes, to the bytes of a view."""
    options, side = setup

    def view(item: str | bytes) -> bytes | Lost:
        try:
            data = item if isinstance(item, bytes) else read_bytes(item, options)
            return view_of(open_pixels(data, options=options).rgb, side).tobytes()
        except Undecodable as failure:
            return Lost(failure.reason, failure.detail)

    return view
