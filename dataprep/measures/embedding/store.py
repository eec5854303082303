"""Cached embeddings, by the hash of the file's content: one append-only
float16 file for each embedder.

Beside the vectors lies a file of keys, 24 bytes for each vector in the same order: the content's
hash and a seal (a checksum of the vector). Vectors are written before their keys, so that a killed
run leaves whole records; what does not match its seal is ignored. Runs that append at the same time
take turns by a lock on the file of keys.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dataprep.measures.cache import CacheWarning
from dataprep.measures.cache_files import EMBEDDINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The store of one embedder forgets its oldest half when it grows beyond this many bytes (3 million
#: vectors of 1280).
CAPACITY_BYTES = 8 * 2**30

_KEY = np.dtype([("head", "<u8"), ("tail", "<u8"), ("seal", "<u8")])
_BLOCK = 8192


class VectorStore:
    """The vectors that one embedder made in earlier runs. Nothing it does fails: it recalls
    less, or nothing.
    """

    def __init__(self, folder: str, key: str, dim: int, capacity: int = CAPACITY_BYTES) -> None:
        """Open the store in `folder` (made, mode 0700, if need be) of vectors of size `dim` by
        the embedder with this `key`.
        """
        name = os.path.join(
            folder, EMBEDDINGS + xxhash.xxh3_128_hexdigest(f"1\0{key}\0{dim}".encode())
        )
        self._vectors_path, self._keys_path = f"{name}.f16", f"{name}.keys"
        self._dim, self._capacity, self._writable = dim, capacity, True
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._keys = _read_keys(self._keys_path, self._vectors_path, dim)
        except OSError:  # the cache of rows lies in the same folder, and says why it cannot be used
            self._keys, self._writable = np.zeros(0, _KEY), False
        self._order = np.argsort(self._keys["head"], kind="stable")

    def __len__(self) -> int:
        return len(self._keys)

    def recall(
        self, digests: NDArray[np.uint8], out: NDArray[np.float16], rows: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Fill ``out[rows]`` with the vectors of contents that are known.

        Args:
            digests: (m, 16) hashes of contents.
            out: (n, dim) to be filled.
            rows: (m,) rows of `out`.

        Returns:
            (m,) whether each was found whole.
        """
        places = self._find(digests)
        found = np.zeros(len(rows), bool)
        wanted = np.flatnonzero(places >= 0)
        wanted = wanted[np.argsort(places[wanted], kind="stable")]
        if len(wanted):
            try:
                vectors = np.memmap(
                    self._vectors_path, np.float16, "r", shape=(len(self._keys), self._dim)
                )
            except (OSError, ValueError):  # deleted or cut meanwhile
                return found
            for start in range(0, len(wanted), _BLOCK):
                chunk = wanted[start : start + _BLOCK]
                part = np.asarray(vectors[places[chunk]])
                whole = _seals(part) == self._keys["seal"][places[chunk]]
                out[rows[chunk[whole]]] = part[whole]
                found[chunk[whole]] = True
        return found

    def _find(self, digests: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(m,) place of each content's vector, -1 when it has none."""
        places = np.full(len(digests), -1, np.int64)
        if len(self._keys) and len(digests):
            wanted = np.ascontiguousarray(digests).view("<u8")
            heads = self._keys["head"][self._order]
            near = np.minimum(np.searchsorted(heads, wanted[:, 0]), len(heads) - 1)
            same = (heads[near] == wanted[:, 0]) & (
                self._keys["tail"][self._order[near]] == wanted[:, 1]
            )
            places[same] = self._order[near[same]]
        return places

    def append(self, digests: NDArray[np.uint8], vectors: NDArray[np.float16]) -> None:
        """Keep `vectors` (m, dim) under the hashes of their contents `digests` (m, 16)."""
        if not self._writable or not len(vectors):
            return
        halves = np.ascontiguousarray(digests).view("<u8")
        keys = np.zeros(len(vectors), _KEY)
        keys["head"], keys["tail"], keys["seal"] = halves[:, 0], halves[:, 1], _seals(vectors)
        try:
            with (
                _locked(self._keys_path) as key_file,
                open(self._vectors_path, "ab") as vector_file,
            ):
                whole = _whole(
                    key_file.seek(0, os.SEEK_END), vector_file.seek(0, os.SEEK_END), self._dim
                )
                key_file.truncate(whole * _KEY.itemsize)
                vector_file.truncate(whole * 2 * self._dim)
                if whole * 2 * self._dim > self._capacity:
                    _forget_half(key_file, self._vectors_path, self._dim, whole)
                    return
                vector_file.write(np.ascontiguousarray(vectors, "<f2").tobytes())
                vector_file.flush()
                key_file.seek(0, os.SEEK_END)
                key_file.write(keys.tobytes())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._writable = False
        why = error.strerror or str(error)
        message = (
            f"embeddings are not cached: {self._vectors_path}: {why}. Results are the same, "
            "the next run is not faster."
        )
        warnings.warn(message, CacheWarning, stacklevel=3)


def _whole(key_bytes: int, vector_bytes: int, dim: int) -> int:
    return min(key_bytes // _KEY.itemsize, vector_bytes // (2 * dim))


def _read_keys(keys_path: str, vectors_path: str, dim: int) -> NDArray[Any]:
    try:
        with open(keys_path, "rb") as file:
            data = file.read()
        whole = _whole(len(data), os.path.getsize(vectors_path), dim)
    except FileNotFoundError:
        return np.zeros(0, _KEY)
    return np.frombuffer(data, _KEY, count=whole)


def _seals(vectors: NDArray[Any]) -> NDArray[np.uint64]:
    data = np.ascontiguousarray(vectors, "<f2")
    return np.fromiter((xxhash.xxh3_64_intdigest(row) for row in data), np.uint64, len(data))


@contextlib.contextmanager
def _locked(path: str) -> Iterator[Any]:
    """The file open for reading and writing, nobody else's until the block ends."""
    import fcntl

    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _forget_half(key_file: Any, vectors_path: str, dim: int, whole: int) -> None:
    """Replace the store by its newer half; who reads the old vectors goes on reading them."""
    kept = whole // 2
    key_file.seek((whole - kept) * _KEY.itemsize)
    keys = key_file.read(kept * _KEY.itemsize)
    fresh = f"{vectors_path}.new"
    with open(vectors_path, "rb") as old, open(fresh, "wb") as new:
        old.seek((whole - kept) * 2 * dim)
        while block := old.read(2**24):
            new.write(block)
    key_file.truncate(
        0
    )  # between here and the last line a killed run leaves an empty store, not a wrong one
    os.replace(fresh, vectors_path)
    key_file.write(keys)
