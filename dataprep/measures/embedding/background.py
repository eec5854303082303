"""Embedding during decoding: a background thread embeds views in batches as they are decoded."""

from __future__ import annotations

import contextlib
import os
import queue
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends.wire import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.embedding.contract import Embedder
    from dataprep.measures.embedding.store import VectorStore

#: Batches that wait for the embedder at most; then decoding waits.
_WAITING = 4
#: Vectors are kept in the store this many at a time, or after this many seconds.
_KEPT_AT_A_TIME, _KEPT_EVERY_S = 2048, 2.0
#: Larger arrays of vectors lie in a temporary file instead of memory.
_MOST_IN_MEMORY = 2**29

#: Row, hash of its content, view.
_Entry = tuple[int, bytes, bytes | memoryview]


class BackgroundEmbedding:
    """Embeds the views of one pass while it goes on decoding.

    Attributes:
        vectors: (n, dim) float16, zeros where not filled; complete after `close`.
        failure: why the embedder gave up, in words; empty while it has not.
    """

    def __init__(self, embedder: Embedder, rows: int, store: VectorStore | None) -> None:
        """Prepare for `rows` samples; known vectors come from `store`, new ones go there."""
        self.vectors = _vectors(rows, embedder.dim)
        self.failure = ""
        self._embedder, self._store = embedder, store
        self._shape = (embedder.size, embedder.size, 3)
        self._batch: list[_Entry] = []
        self._fresh: list[tuple[bytes, int]] = []
        self._queue: queue.Queue[list[_Entry] | None] = queue.Queue(_WAITING)
        self._since = time.monotonic()
        self._thread: threading.Thread | None = None

    def recall(self, digests: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Fill rows from the store; (m,) whether each was known."""
        if self._store is None:
            return np.zeros(len(rows), bool)
        return self._store.recall(digests, self.vectors, rows)

    def put(self, row: int, digest: bytes, view: bytes | memoryview) -> None:
        """Embed the view (size x size x 3 bytes) of a row whose file has the content hash
        `digest` (16 bytes).
        """
        self._batch.append((row, digest, view))
        if len(self._batch) >= self._embedder.batch:
            self._send()

    def close(self) -> None:
        """Embed what is left, and keep it in the store."""
        self._send()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def abandon(self) -> None:
        """Embed nothing more; what was embedded is kept in the store."""
        self._batch = []
        self.failure = self.failure or "interrupted"
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self.close()

    def _send(self) -> None:
        if not self._batch:
            return
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._serve, name="dataprep-embedder", daemon=True
            )
            self._thread.start()
        self._queue.put(self._batch)
        self._batch = []

    def _serve(self) -> None:
        while (batch := self._queue.get()) is not None:
            if not self.failure:
                try:
                    self._embed(batch)
                except (
                    Exception
                ) as error:  # an embedder that fails must not cost the user the rest of the audit
                    self.failure = words_of(error)
        self._keep()

    def _embed(self, batch: list[_Entry]) -> None:
        rows = np.array([row for row, _, _ in batch])
        views = np.frombuffer(b"".join(view for _, _, view in batch), np.uint8).reshape(
            -1, *self._shape
        )
        vectors = np.asarray(self._embedder(views), np.float32)
        if vectors.shape != (len(rows), self.vectors.shape[1]):
            raise ValueError(
                f"expected vectors of shape {(len(rows), self.vectors.shape[1])}, got "
                f"{vectors.shape}"
            )
        self.vectors[rows] = as_half(vectors)
        self._fresh += [(digest, row) for row, digest, _ in batch]
        if len(self._fresh) >= _KEPT_AT_A_TIME or time.monotonic() - self._since > _KEPT_EVERY_S:
            self._keep()

    def _keep(self) -> None:
        if self._store is not None and self._fresh:
            digests = np.frombuffer(
                b"".join(digest for digest, _ in self._fresh), np.uint8
            ).reshape(-1, 16)
            self._store.append(digests, self.vectors[[row for _, row in self._fresh]])
        self._fresh, self._since = [], time.monotonic()


def as_half(vectors: NDArray[Any]) -> NDArray[np.float16]:
    """Vectors (m, d) as float16; what is beyond its range is cut off there, and a vector with
    NaN is unknown: zeros.
    """
    limit = float(np.finfo(np.float16).max)
    values = np.clip(np.asarray(vectors, np.float32), -limit, limit)
    return np.where(np.isnan(values).any(axis=1, keepdims=True), 0, values).astype(np.float16)


def _vectors(rows: int, dim: int) -> NDArray[np.float16]:
    """(rows, dim) zeros, in a temporary file that vanishes with the array where memory would be
    tight.
    """
    size = 2 * rows * dim
    if size > _MOST_IN_MEMORY and hasattr(os, "posix_fallocate"):
        with (
            contextlib.suppress(OSError),
            tempfile.TemporaryFile() as file,
        ):  # no room: then memory has to do
            os.posix_fallocate(
                file.fileno(), 0, size
            )  # a sparse file that meets a full disk would kill the process
            return np.memmap(file, np.float16, "r+", shape=(rows, dim))
    return np.zeros((rows, dim), np.float16)
