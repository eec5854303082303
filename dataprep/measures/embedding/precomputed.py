"""Precomputed embeddings: ``.npy`` in row order, ``.npz`` or Parquet by name. Never unpickled."""

from __future__ import annotations

import os
import posixpath
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dataprep.errors import InputError
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import reading
from dataprep.schemas.text.names import escape_name

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Bytes that a file of embeddings may have.
_MOST_BYTES = 1 << 40
#: Columns of a Parquet file, or arrays of an ``.npz``, that may hold the names; and those that may
#: hold the vectors.
NAMES = ("sample", "path", "names", "name", "file_name", "filename", "file", "image")
VECTORS = ("embedding", "embeddings", "vector", "features")

#: Vectors are all scaled to unit length if their greatest figure is beyond these: float16 ends at
#: 65,504 and knows little below 6e-5; only directions matter.
_LARGEST, _SMALLEST = 6e4, 1e-2
_BLOCK = 16_384


class EmbeddingWarning(UserWarning):
    """Some of the given embeddings cannot be used."""


def read_embeddings(path: str, dataset: Dataset) -> NDArray[np.float16]:
    """(n, d) float16, aligned with the rows of `dataset`; zeros, and a warning that counts them,
    where none is given or usable.

    Args:
        path: an ``.npy`` of shape (n, d) in row order; or an ``.npz`` with ``names`` and
            ``embedding``; or a Parquet file with a column of names (`NAMES`) and one of lists
            (`VECTORS`). Names are the samples' paths, relative to the data set's root or absolute.
        dataset: whose samples they are.

    Raises:
        InputError: the file cannot be read, has another shape, or names none of the samples.
    """
    reader = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet}.get(
        os.path.splitext(path)[1].lower()
    )
    if reader is None:
        raise InputError(f"embeddings {path}: expected a file that ends in .npy, .npz or .parquet")
    if not os.path.exists(path):
        raise InputError(f"there is no file of embeddings {path}")
    check_input(path, "the embeddings", limit=_MOST_BYTES)
    with reading(f"the embeddings {path}", "Expected numbers of shape (n, d)"):
        names, vectors = reader(path)
    if vectors.ndim != 2 or vectors.shape[1] < 1 or vectors.dtype.kind not in "fiu":
        raise InputError(
            f"embeddings {path}: expected numbers of shape (n, d), got {vectors.dtype} of shape "
            f"{vectors.shape}"
        )
    rows = (
        _in_row_order(path, len(vectors), dataset)
        if names is None
        else rows_by_name(f"embeddings {path}", names, dataset)
    )
    return _aligned(path, vectors, rows)


def _read_npy(path: str) -> tuple[None, NDArray[Any]]:
    return None, np.load(path, mmap_mode="r", allow_pickle=False)


def _read_npz(path: str) -> tuple[list[str], NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        names, vectors = _chosen(path, list(arrays), "an array")
        return [str(name) for name in arrays[names].ravel()], arrays[vectors]


def _read_parquet(path: str) -> tuple[list[str], NDArray[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names, vectors = _chosen(path, file.schema_arrow.names, "a column")
        table = file.read(columns=[names, vectors])
    lists = table[vectors].combine_chunks()
    if not (
        pa.types.is_list(lists.type)
        or pa.types.is_large_list(lists.type)
        or pa.types.is_fixed_size_list(lists.type)
    ):
        raise InputError(
            f"embeddings {path}: expected lists of numbers in the column {vectors!r}, got "
            f"{lists.type}"
        )
    return ["" if name is None else str(name) for name in table[names].to_pylist()], _stacked(
        path, lists
    )


def _stacked(path: str, lists: Any) -> NDArray[np.float32]:
    """(n, d): lists of one length; NaN where a list is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = set(pc.unique(pc.list_value_length(lists)).to_pylist()) - {None}
    if len(lengths) != 1:
        raise InputError(
            f"embeddings {path}: expected lists of one length, got lengths {sorted(lengths)[:5]}"
        )
    given = np.asarray(pc.is_valid(lists))
    stacked = np.full((len(lists), lengths.pop()), np.nan, np.float32)
    flat = pc.list_flatten(pc.drop_null(lists)).cast(pa.float32())
    stacked[given] = flat.to_numpy(zero_copy_only=False).reshape(int(given.sum()), -1)
    return stacked


def _chosen(path: str, found: Sequence[str], what: str) -> tuple[str, str]:
    names = next((name for name in NAMES if name in found), None)
    vectors = next((name for name in VECTORS if name in found), None)
    if names is None or vectors is None:
        wanted = f"{what} of names ({', '.join(NAMES)}) and one of vectors ({', '.join(VECTORS)})"
        raise InputError(
            f"embeddings {path}: expected {wanted}; found {', '.join(found) or 'nothing'}"
        )
    return names, vectors


def _in_row_order(path: str, count: int, dataset: Dataset) -> NDArray[np.int64]:
    if count != len(dataset):
        raise InputError(
            f"embeddings {path} have {count:,} rows, the data set has {len(dataset):,} samples. An "
            ".npy file has to hold one row "
            "for each sample, in the order of the samples; an .npz or Parquet file with their "
            "names may hold any."
        )
    return np.arange(count)


def rows_by_name(what: str, names: Sequence[str], dataset: Dataset) -> NDArray[np.int64]:
    """(n,) row of a file for each sample, by the names in it; -1 for none.

    Args:
        what: what the file is, for the error: ``embeddings FILE``.
        names: of the file's rows: paths relative to the root of `dataset`, or absolute.
        dataset: whose samples they are.

    Raises:
        InputError: no sample is named.
    """
    root = dataset.root.replace(os.sep, "/").rstrip("/") + "/"
    plain = [_plain(name, root) for name in names]
    places = {escape_name(name): row for row, name in enumerate(plain)}
    places.update(
        (name, row) for row, name in enumerate(plain)
    )  # names as reports write them are escaped already
    rows = np.array([places.get(str(sample), -1) for sample in dataset.samples.index], np.int64)
    if len(rows) and (rows < 0).all():
        example = f"{names[0]!r}" if names else "nothing"
        raise InputError(
            f"{what} name none of the samples: expected names such as "
            f"{dataset.samples.index[0]!r}, relative to {dataset.root}; got {example}"
        )
    return rows


def _plain(name: str, root: str) -> str:
    """`name` relative to `root`, with slashes."""
    slashed = name.replace("\\", "/") if os.sep == "\\" else name
    return posixpath.normpath(slashed.removeprefix(root)) if slashed else ""


def _aligned(path: str, vectors: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.float16]:
    aligned = np.zeros((len(rows), vectors.shape[1]), np.float16)
    finite = np.concatenate(
        [np.isfinite(block).all(axis=1) for _, block in _blocks(vectors, rows)]
        or [np.zeros(0, bool)]
    )
    largest = max(
        (float(np.abs(block[finite[at]]).max(initial=0.0)) for at, block in _blocks(vectors, rows)),
        default=0.0,
    )
    for at, block in _blocks(vectors, rows):
        block[~finite[at]] = 0
        aligned[at] = block if _SMALLEST <= largest <= _LARGEST else _unit(block)
    _say(path, int((rows < 0).sum()), int((~finite).sum()), len(rows))
    return aligned


def _blocks(
    vectors: NDArray[Any], rows: NDArray[np.int64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Stretches of the samples and their vectors, zeros where none is given."""
    for start in range(0, len(rows), _BLOCK):
        chosen = rows[start : start + _BLOCK]
        given = vectors[np.maximum(chosen, 0)].astype(np.float64)
        yield slice(start, start + len(chosen)), np.where(chosen[:, None] >= 0, given, 0.0)


def _unit(block: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = block / np.maximum(
        np.abs(block).max(axis=1, keepdims=True), 1e-300
    )  # first, lest a square overflow
    unit: NDArray[np.float64] = scaled / np.maximum(
        np.linalg.norm(scaled, axis=1, keepdims=True), 1e-300
    )
    return unit


def _say(path: str, missing: int, unusable: int, total: int) -> None:
    parts = []
    if missing:
        parts.append(f"none for {missing:,} of {total:,} samples")
    if unusable:
        parts.append(f"NaN or infinite figures for {unusable:,} of {total:,}")
    if parts:
        message = (
            f"embeddings {path}: {' and '.join(parts)}; checks that use embeddings pass "
            "these samples over"
        )
        warnings.warn(message, EmbeddingWarning, stacklevel=3)
