"""Lists of perceptual hashes that other tools wrote, compared with a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dataprep.errors import InputError, OptionError
from dataprep.measures.fingerprints.hashes import ORIENTATIONS, from_imagehash
from dataprep.neighbours.hamming import BITS

if TYPE_CHECKING:
    import pandas as pd
    from imagehash import ImageHash

    from dataprep.schemas.dataset import Dataset

_COMPARISONS_AT_ONCE = 1 << 22


def compare_hashes(
    dataset: Dataset, hashes: Mapping[str, ImageHash | str], *, distance: int = 10
) -> pd.DataFrame:
    """The samples that look like images whose hashes are in a list, such as a test set or a
    blocklist that must not be in the data.

    Every hash is compared with every sample in its eight orientations: about a second for 10,000
    hashes and 10,000 samples.

    Args:
        dataset: measured; the column ``phash`` is needed.
        hashes: name to the ``phash`` of ImageHash (64 bits: its default ``hash_size=8``), as
            `imagehash.ImageHash` or as its hexadecimal text; a pandas Series will do.
        distance: bits of 64 that may differ, 0 to 64. Re-encoded and resized images differ in 0
            to 4; of unrelated ones few differ in less than 12.

    Returns:
        One row per pair, the nearest first: ``sample``, ``name`` (of the list), ``distance`` in
        bits, and ``orientation`` of the sample: "as it is", "mirrored left-right", ...

    Raises:
        InputError: the data set has no hashes, or an entry of the list is no hash of 64 bits.
        OptionError: a distance out of range.

    >>> import pandas as pd
    >>> measured = dataprep.measure(dataprep.scan("photos"))                   # doctest: +SKIP
    >>> listed = pd.read_csv("hashes.csv", index_col="path")["hash"]           # doctest: +SKIP
    >>> compare_hashes(measured, listed, distance=6)                           # doctest: +SKIP
    """
    import pandas as pd

    if not 0 <= distance <= BITS:
        raise OptionError(f"distance: expected 0 to {BITS} bits, got {distance}")
    if "phash" not in dataset.arrays:
        raise InputError("the data set has no perceptual hashes: measure it first")
    names, listed = list(hashes.keys()), np.zeros(len(hashes), np.uint64)
    for place, (name, given) in enumerate(hashes.items()):
        try:
            listed[place] = from_imagehash(given)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    rows = np.flatnonzero(dataset.readable)
    found = _pairs(dataset.arrays["phash"][rows], listed, distance)
    table = pd.DataFrame(
        {
            "sample": dataset.samples.index[rows[found[:, 0]]],
            "name": np.array(names, dtype=object)[found[:, 1]],
            "distance": found[:, 2],
            "orientation": np.array(ORIENTATIONS, dtype=object)[found[:, 3]],
        }
    )
    return table.sort_values(["distance", "sample", "name"], ignore_index=True)


def _pairs(
    views: np.ndarray[tuple[int, int], np.dtype[np.uint64]],
    listed: np.ndarray[tuple[int], np.dtype[np.uint64]],
    distance: int,
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(pairs, 4): row of `views` (n, 8), row of `listed` (m,), their distance, and the orientation
    in which they are nearest.
    """
    found = [np.zeros((0, 4), np.int64)]
    step = max(1, _COMPARISONS_AT_ONCE // max(1, 8 * len(listed)))
    for start in range(0, len(views), step):
        part = np.asarray(views[start : start + step])
        bits = np.bitwise_count(part[:, None, :] ^ listed[None, :, None])
        row, entry = np.nonzero(bits.min(axis=2) <= distance)
        near = bits[row, entry]
        found.append(np.stack([row + start, entry, near.min(axis=1), near.argmin(axis=1)], axis=1))
    return np.concatenate(found)
