"""The store of embeddings: what it keeps, what it refuses to believe, and how it shares a file
with other runs.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dataprep.measures.cache import CacheWarning, cache_info, clear_cache
from dataprep.measures.embedding.store import VectorStore

DIM = 12


def digests(*numbers: int) -> NDArray[np.uint8]:
    return np.stack(
        [np.frombuffer(np.random.default_rng(number).bytes(16), np.uint8) for number in numbers]
    )


def vectors(*numbers: int) -> NDArray[np.float16]:
    return np.stack(
        [np.random.default_rng(number).normal(size=DIM).astype(np.float16) for number in numbers]
    )


def kept(folder: Path, *numbers: int) -> list[bool]:
    """Whether a new store knows each of the vectors, exactly."""
    out = np.zeros((len(numbers) + 3, DIM), np.float16)
    rows = np.arange(len(numbers)) + 2
    found = VectorStore(str(folder), "model", DIM).recall(digests(*numbers), out, rows)
    assert np.array_equal(out[rows[found]], vectors(*numbers)[found])
    assert not out[rows[~found]].any()
    assert not out[:2].any()
    return found.tolist()


def filled(folder: Path, *numbers: int, capacity: int = 2**30) -> VectorStore:
    store = VectorStore(str(folder), "model", DIM, capacity)
    store.append(digests(*numbers), vectors(*numbers))
    return store


def files(folder: Path) -> dict[str, Path]:
    return {path.suffix: path for path in folder.iterdir()}


def test_what_was_kept_is_recalled_by_the_next_run_alone(tmp_path: Path) -> None:
    assert len(filled(tmp_path, 1, 2, 3)) == 0
    assert kept(tmp_path, 3, 9, 1) == [True, False, True]


def test_another_model_or_size_knows_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    for key, dim in (("other", DIM), ("model", DIM - 1)):
        out = np.zeros((1, dim), np.float16)
        assert (
            not VectorStore(str(tmp_path), key, dim)
            .recall(digests(1), out, np.zeros(1, np.int64))
            .any()
        )


@pytest.mark.parametrize("suffix", [".f16", ".keys"])
def test_a_run_that_was_killed_while_writing_costs_only_what_it_was_writing(
    tmp_path: Path, suffix: str
) -> None:
    filled(tmp_path, 1, 2)
    path = files(tmp_path)[suffix]
    os.truncate(path, path.stat().st_size - 5)
    assert kept(tmp_path, 1, 2) == [True, False]
    filled(tmp_path, 3)
    assert kept(tmp_path, 1, 2, 3) == [True, False, True]


def test_a_vector_that_does_not_match_its_seal_is_not_believed(tmp_path: Path) -> None:
    filled(tmp_path, 1, 2)
    path = files(tmp_path)[".f16"]
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)
    assert kept(tmp_path, 1, 2) == [False, True]


def test_runs_at_once_keep_all_their_vectors(tmp_path: Path) -> None:
    stores = [VectorStore(str(tmp_path), "model", DIM) for _ in range(4)]

    def work(turn: int) -> None:
        for number in range(turn * 50, turn * 50 + 50):
            stores[turn].append(digests(number), vectors(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert all(kept(tmp_path, *range(200)))


def test_the_older_half_goes_when_the_store_is_full(tmp_path: Path) -> None:
    store = filled(tmp_path, *range(10), capacity=9 * 2 * DIM)
    store.append(digests(10), vectors(10))  # finds the store too large
    store.append(digests(11), vectors(11))
    assert kept(tmp_path, 0, 4, 5, 9, 10, 11) == [False, False, True, True, False, True]


def test_a_folder_that_cannot_be_made_means_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = VectorStore(str(tmp_path / "file" / "below"), "model", DIM)
    store.append(digests(1), vectors(1))
    assert not store.recall(digests(1), np.zeros((1, DIM), np.float16), np.zeros(1, np.int64)).any()


def test_a_full_disk_means_no_store(tmp_path: Path) -> None:
    store = VectorStore(str(tmp_path), "model", DIM)
    filled(tmp_path, 1)
    path = files(tmp_path)[".f16"]
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.warns(CacheWarning, match="No space left|Invalid argument"):
        store.append(digests(2), vectors(2))


def test_info_counts_and_clear_empties(tmp_path: Path) -> None:
    filled(tmp_path, 1, 2)
    assert cache_info(str(tmp_path))["bytes"] == 2 * (24 + 2 * DIM)
    assert clear_cache(str(tmp_path)) == 2 * (24 + 2 * DIM)
    assert list(tmp_path.iterdir()) == []
