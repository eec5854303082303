"""The pixel store decodes once, and again only where something changed."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.baselines.training import pixel_store
from dataprep.baselines.training.pixel_store import PixelStore, store_pixels
from dataprep.baselines.training.preparing import _refuse_unseen
from dataprep.errors import InputError, OutputError, WorkError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.goal import Goal
from dataprep.schemas.lost import Lost


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each decoding was asked for; image i is grey of i, the second is lost."""
    asked: list[int] = []

    def views_of(dataset: Dataset, samples: list[str], side: int, options: Any) -> Any:
        asked.append(len(samples))
        for index in range(len(samples)):
            lost = Lost("truncated", "after 3 bytes")
            yield index, lost if index == 1 else np.full((side, side, 3), index, np.uint8)

    monkeypatch.setattr(pixel_store, "views_of", views_of)
    return asked


def files(count: int = 4, **columns: Any) -> Dataset:
    names = pd.Index([f"{row}.png" for row in range(count)], name="sample")
    columns = {"file_hash": [f"{row:032x}" for row in range(count)], **columns}
    return Dataset("/nowhere", pd.DataFrame(columns, index=names))


def test_every_image_lies_in_its_row_and_lost_ones_are_black(
    tmp_path: Path, decoded: list[int]
) -> None:
    store = store_pixels(files(), 8, str(tmp_path))
    assert (store.images.shape, store.side) == ((4, 8, 8, 3), 8)
    assert [image.max() for image in store.images] == [0, 0, 2, 3]
    assert [image.min() for image in store.images] == [0, 0, 2, 3]
    assert store.known.tolist() == [True, False, True, True]
    assert store.lost == {"1.png": "truncated: after 3 bytes"}


def test_the_same_images_are_decoded_once(tmp_path: Path, decoded: list[int]) -> None:
    for _ in range(2):
        store = store_pixels(files(), 8, str(tmp_path))
        assert store.known.tolist() == [True, False, True, True]
    assert decoded == [4]
    store_pixels(files(), 9, str(tmp_path))
    store_pixels(files(file_hash=["x"] * 4), 8, str(tmp_path))
    assert decoded == [4, 4, 4], "another size, other contents"


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_of_another_length_is_decoded_again(
    tmp_path: Path, decoded: list[int], change: int
) -> None:
    store_pixels(files(), 8, str(tmp_path))
    os.truncate(tmp_path / "8.u8", 4 * 8 * 8 * 3 + change)
    store_pixels(files(), 8, str(tmp_path))
    assert decoded == [4, 4]


def test_a_disk_without_room_is_refused_before_decoding(
    tmp_path: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = 4 * 8 * 8 * 3 + 64 * 2**20
    for free, works in [(needed - 1, False), (needed, True)]:
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(pixel_store.shutil, "disk_usage", lambda folder, usage=usage: usage)
        if works:
            assert store_pixels(files(), 8, str(tmp_path)).side == 8
        else:
            with pytest.raises(OutputError, match="cannot store 4 images of 8 x 8 pixels"):
                store_pixels(files(), 8, str(tmp_path))
            assert decoded == []


def test_a_file_that_was_cut_short_is_not_read(tmp_path: Path, decoded: list[int]) -> None:
    store = store_pixels(files(), 8, str(tmp_path))
    store.demand_whole()
    os.truncate(tmp_path / "8.u8", 4 * 8 * 8 * 3 - 1)
    with pytest.raises(WorkError, match="cut short"):
        store.demand_whole()
    os.unlink(tmp_path / "8.u8")
    store.demand_whole()
    PixelStore(np.zeros((1, 2, 2, 3), np.uint8), np.ones(1, bool), {}).demand_whole()
    assert len(store_pixels(files(0), 8, str(tmp_path)).images) == 0


def test_the_first_five_classes_without_an_image_are_named() -> None:
    goal = Goal("multi-class", tuple("abcdefg"), "accuracy")
    with pytest.raises(InputError) as found:
        _refuse_unseen(goal, np.array([0]))
    assert "'b', 'c', 'd', 'e', 'f' can" in str(found.value)
    _refuse_unseen(goal, np.arange(7))
