"""Embedding in the pass: what is embedded, what is known from an earlier run, and what a failing
embedder costs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dataprep.backends import imap
from dataprep.measures import decode_pass
from dataprep.measures.decode_pass import measure
from dataprep.measures.embedding import contract
from dataprep.measures.embedding.contract import view_of
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost
from tests.conftest import save, textured
from tests.measures.embedding.test_background import MeanColour
from tests.measures.test_decode_pass import age, dataset_of


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> MeanColour:
    made = MeanColour(size=32)
    monkeypatch.setattr(contract, "load_embedder", lambda name, *, size, threads, device: made)
    return made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for index in range(7):
        save(textured(index), tmp_path / "photos" / f"{index}.png")
    (tmp_path / "photos" / "broken.png").write_bytes(b"nothing")
    age(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture
def options(tmp_path: Path) -> PassOptions:
    return PassOptions(jobs=2, cache=True, cache_dir=str(tmp_path / "cache"))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each run of the workers decoded."""
    counts: list[int] = []

    def counting(*args: Any, **given: Any) -> Iterator[Any]:
        counts.append(0)
        for index, result in imap(*args, **given):
            counts[-1] += int(not isinstance(result, Lost) and bool(result[3]))
            yield index, result

    monkeypatch.setattr(decode_pass, "imap", counting)
    return counts


def expected() -> NDArray[np.float16]:
    views = [view_of(textured(index), 32).mean(axis=(0, 1)) for index in range(7)]
    return np.array([*views, np.zeros(3)]).astype(np.float16)


def test_every_image_that_decodes_is_embedded(
    photos: Path, embedder: MeanColour, options: PassOptions
) -> None:
    measured = measure(dataset_of(photos), options=replace(options, cache=False))
    assert np.array_equal(measured.arrays["embedding"], expected())


def test_the_second_run_neither_decodes_nor_embeds(
    photos: Path, embedder: MeanColour, options: PassOptions, decoded: list[int]
) -> None:
    for _ in range(2):
        measured = measure(dataset_of(photos), options=options)
        assert np.array_equal(measured.arrays["embedding"], expected())
    assert decoded == [7]
    assert sum(embedder.batches) == 7


def test_what_was_measured_without_embedding_is_embedded_when_asked_for(
    photos: Path, embedder: MeanColour, options: PassOptions, decoded: list[int]
) -> None:
    without = measure(dataset_of(photos), options=replace(options, embedder=""))
    assert "embedding" not in without.arrays
    assert not embedder.batches
    measured = measure(dataset_of(photos), options=options)
    assert np.array_equal(measured.arrays["embedding"], expected())
    assert decoded == [0, 7]


def test_a_file_under_a_new_name_is_recognised(
    photos: Path, embedder: MeanColour, options: PassOptions, decoded: list[int]
) -> None:
    measure(dataset_of(photos), options=options)
    os.rename(photos / "0.png", photos / "zero.png")
    measured = measure(dataset_of(photos), options=options)
    assert measured.samples.index[-1] == "zero.png"
    assert np.array_equal(measured.arrays["embedding"], expected()[[1, 2, 3, 4, 5, 6, 7, 0]])
    assert sum(decoded) == 7


def test_another_model_embeds_again(
    photos: Path, embedder: MeanColour, options: PassOptions
) -> None:
    measure(dataset_of(photos), options=options)
    embedder.key = "another"
    measure(dataset_of(photos), options=options)
    assert sum(embedder.batches) == 14


def test_embeddings_of_the_users_own_stay(
    photos: Path, embedder: MeanColour, options: PassOptions
) -> None:
    own = np.ones((8, 5), np.float16)
    measured = measure(dataset_of(photos).with_arrays(embedding=own), options=options)
    assert measured.arrays["embedding"] is own
    assert not embedder.batches


def test_columns_without_the_embedding_load_no_embedder(
    photos: Path, embedder: MeanColour, options: PassOptions
) -> None:
    assert "embedding" not in measure(dataset_of(photos), ["luma_mean"], options).arrays
    assert "embedding" in measure(dataset_of(photos), ["embedding"], options).arrays


def test_a_failing_embedder_costs_the_embedding_alone(
    photos: Path, embedder: MeanColour, options: PassOptions
) -> None:
    embedder.fails_at = 0
    with pytest.warns(UserWarning, match="embedder lite0 failed.*RuntimeError: out of ideas"):
        measured = measure(dataset_of(photos), options=options)
    assert "embedding" not in measured.arrays
    assert measured.samples["luma_mean"].notna().sum() == 7
