"""Embedding beside decoding: every view gets its vector, batches or not, and a failing embedder
fails alone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataprep.measures.embedding import background
from dataprep.measures.embedding.background import BackgroundEmbedding, as_half
from dataprep.measures.embedding.store import VectorStore

SIZE, DIM = 4, 3


@dataclass
class MeanColour:
    """An embedder whose vector is the mean colour."""

    name: str = "mean-colour"
    size: int = SIZE
    dim: int = DIM
    key: str = "mean-colour-1"
    batch: int = 4
    fails_at: int = -1
    batches: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.threads.add(threading.current_thread().name)
        if len(self.batches) == self.fails_at:
            raise RuntimeError("out of ideas")
        self.batches.append(len(views))
        return views.mean(axis=(1, 2)).astype(np.float32)


def view(row: int) -> bytes:
    return bytes([row, row + 1, row + 2]) * (SIZE * SIZE)


def digest(row: int) -> bytes:
    return bytes([row]) * 16


def expected(rows: int) -> NDArray[np.float16]:
    return np.array([[row, row + 1, row + 2] for row in range(rows)], np.float16)


def test_every_view_is_embedded_in_its_row_by_another_thread() -> None:
    embedder = MeanColour()
    work = BackgroundEmbedding(embedder, 10, None)
    for row in (7, 1, 0, 9, 2, 3, 4, 8, 5, 6):
        work.put(row, digest(row), view(row))
    work.close()
    assert np.array_equal(work.vectors, expected(10))
    assert work.vectors.dtype == np.float16
    assert embedder.batches == [4, 4, 2]
    assert embedder.threads == {"dataprep-embedder"}
    assert not work.failure


def test_what_was_embedded_is_known_to_the_next_run(tmp_path: Path) -> None:
    work = BackgroundEmbedding(MeanColour(), 5, VectorStore(str(tmp_path), "mean-colour-1", DIM))
    for row in range(5):
        work.put(row, digest(row), view(row))
    work.close()
    again = BackgroundEmbedding(MeanColour(), 6, VectorStore(str(tmp_path), "mean-colour-1", DIM))
    contents = np.stack([np.frombuffer(digest(row), np.uint8) for row in (0, 4, 77)])
    assert again.recall(contents, np.array([3, 5, 0])).tolist() == [True, True, False]
    assert np.array_equal(again.vectors[[3, 5, 0]], [[0, 1, 2], [4, 5, 6], [0, 0, 0]])


def test_a_failing_embedder_says_why_and_stops_nobody() -> None:
    work = BackgroundEmbedding(MeanColour(fails_at=1), 40, None)
    for row in range(40):
        work.put(row, digest(row), view(row))
    work.close()
    assert work.failure == "RuntimeError: out of ideas"


def test_an_embedder_that_gives_the_wrong_shape_is_said() -> None:
    work = BackgroundEmbedding(MeanColour(dim=5), 4, None)
    for row in range(4):
        work.put(row, digest(row), view(row))
    work.close()
    assert work.failure == "ValueError: expected vectors of shape (4, 5), got (4, 3)"


def test_an_interrupted_pass_keeps_what_was_embedded(tmp_path: Path) -> None:
    embedder = MeanColour()
    work = BackgroundEmbedding(embedder, 10, VectorStore(str(tmp_path), embedder.key, DIM))
    for row in range(6):
        work.put(row, digest(row), view(row))
    while not embedder.batches:
        pass
    work.abandon()
    store = VectorStore(str(tmp_path), embedder.key, DIM)
    assert len(store) == 4
    assert work.failure == "interrupted"


def test_many_vectors_lie_in_a_file_that_vanishes(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(background, "_MOST_IN_MEMORY", 10)
    work = BackgroundEmbedding(MeanColour(), 6, None)
    assert isinstance(work.vectors, np.memmap)
    for row in range(6):
        work.put(row, digest(row), view(row))
    work.close()
    assert np.array_equal(work.vectors, expected(6))


def test_float16_holds_every_vector() -> None:
    values = np.array([[1e9, -1e9, 0.5], [np.nan, 1, 2]])
    assert as_half(values).tolist() == [[65504, -65504, 0.5], [0, 0, 0]]
