"""Images that are equal in bytes or pixels, and which of several images is best to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

Rows = NDArray[np.int64]

_LOSSY = ("WEBP", "AVIF", "HEIF", "JPEG2000", "MPO", "JPEG")
_LOSSLESS, _UNKNOWN_QUALITY = 101.0, 75.0
#: Why a file that holds no image could not be measured: two of them are alike in nothing that
#: matters.
_NO_IMAGE = ("empty", "not-an-image")
#: Differences in the number of pixels below this ratio's logarithm do not decide which image is
#: best.
_PIXEL_STEP = 0.05

#: What `best_first` goes by.
KEEPER_COLUMNS = ("width", "height", "border", "sharpness", "jpeg_quality", "format")


def best_first(dataset: Dataset) -> Rows:
    """Rows from the one that is best to keep to the worst, as `Duplicates.keep` says."""
    samples = dataset.samples

    def column(name: str, missing: float) -> NDArray[np.float64]:
        if name not in samples:
            return np.zeros(len(samples))
        return np.asarray(pd.to_numeric(samples[name]).astype("float64").fillna(missing))

    pixels = column("width", 0) * column("height", 0) * (1 - column("border", 0))
    steps = np.round(np.log(np.maximum(pixels, 1)) / _PIXEL_STEP)
    framed = column("border", 0) > 0
    names = np.argsort(
        np.argsort(samples.index.to_numpy(dtype=object), kind="stable"), kind="stable"
    )
    sharpness = np.round(column("sharpness", -1), 6)
    return np.lexsort((names, -sharpness, -_quality(samples), framed, -steps)).astype(np.int64)


def _quality(samples: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) the JPEG quality; formats that lose nothing come above it, others that lose an
    unknown amount in the middle.
    """
    known = (
        samples["jpeg_quality"].to_numpy(dtype=np.float64)
        if "jpeg_quality" in samples
        else np.full(len(samples), np.nan)
    )
    formats = (
        samples["format"].astype("str").to_numpy(dtype=object)
        if "format" in samples
        else np.full(len(samples), "")
    )
    return np.where(
        np.isnan(known), np.where(np.isin(formats, _LOSSY), _UNKNOWN_QUALITY, _LOSSLESS), known
    )


def equal(dataset: Dataset, order: Rows) -> tuple[Rows, pd.DataFrame]:
    """(n,) the best row of those with equal pixels (or bytes), and their pairs with it."""
    leader = np.arange(len(dataset))
    for name in ("pixel_hash", "file_hash"):
        if name in dataset.samples:
            codes = _codes(dataset, name)[order]
            known = codes >= 0
            first = np.full(
                int(codes.max(initial=-1)) + 2, -1
            )  # the last place is that of rows without a hash
            np.maximum.at(first, codes[known][::-1], 0)
            first[codes[known][::-1]] = order[known][::-1]  # the last to be written is the best
            new = np.where(known, first[codes], order)
            leader[order] = np.where(leader[order] == order, new, leader[order])
    leader = leader[leader]
    members = np.flatnonzero(leader != np.arange(len(leader)))
    files = (
        _codes(dataset, "file_hash")
        if "file_hash" in dataset.samples
        else np.full(len(dataset), -1)
    )
    same_file = (files[members] >= 0) & (files[members] == files[leader[members]])
    table = pd.DataFrame(
        {
            "a": leader[members],
            "b": members,
            "kind": np.where(same_file, "bytes", "pixels"),
            "relation": np.where(
                same_file, "B is A, byte for byte", "B is A in another file, pixel for pixel"
            ),
            "confidence": 1.0,
        }
    )
    return leader, table.astype({"kind": "str", "relation": "str"})


def _codes(dataset: Dataset, name: str) -> Rows:
    """(n,) number of each hash, -1 where it is unknown or of a file that holds no image."""
    values = dataset.samples[name]
    if "lost" in dataset.samples:
        values = values.mask(dataset.samples["lost"].isin(_NO_IMAGE))
    codes, _ = pd.factorize(values.where(values != ""))
    return np.asarray(codes, dtype=np.int64)
