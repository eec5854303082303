"""Batches: which rows, in which order, for which process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataprep.baselines.training.feeding import Feeder
from dataprep.baselines.training.pixel_store import PixelStore


def feeder(rows: int = 10, batch: int = 4, **options: Any) -> Feeder:
    """Rows whose pixels and targets say which row they are."""
    images = np.arange(rows, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    store = PixelStore(images, np.ones(rows, bool), {})
    return Feeder(store, np.arange(rows), np.arange(rows) * 10, batch, **options)


def seen(given: Feeder, epoch: int = 0) -> list[list[int]]:
    """The rows of each batch; images and targets must belong together."""
    batches = []
    for images, targets in given(epoch):
        assert tuple(images.shape[1:]) == (3, 2, 2)
        assert (images[:, 0, 0, 0] * 10 == targets).all()
        batches.append(images[:, 0, 0, 0].tolist())
    return batches


def test_batches_hold_every_row_once_in_order() -> None:
    given = feeder()
    assert seen(given) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(given) == 3
    assert seen(feeder(8)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_seed_and_epoch_each_give_another_order_of_the_same_rows() -> None:
    orders = {
        (seed, epoch): feeder(30, shuffle=True, seed=seed).order(epoch).tolist()
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len({tuple(order) for order in orders.values()}) == 4
    assert all(sorted(order) == list(range(30)) for order in orders.values())
    assert orders[(1, 1)] == feeder(30, shuffle=True, seed=1).order(1).tolist()


def test_a_single_image_at_the_end_joins_the_batch_before_when_shuffled() -> None:
    assert [len(batch) for batch in seen(feeder(9, shuffle=True))] == [4, 5]
    assert [len(batch) for batch in seen(feeder(10, shuffle=True))] == [4, 4, 2]
    assert [len(batch) for batch in seen(feeder(9))] == [4, 4, 1]
    assert [len(batch) for batch in seen(feeder(1, shuffle=True))] == [1]
    assert [len(batch) for batch in seen(feeder(3, batch=1, shuffle=True))] == [1, 2]


@pytest.mark.parametrize(("rows", "each"), [(10, 5), (9, 5), (3, 2)])
def test_two_processes_share_an_epoch_and_take_as_many_steps(rows: int, each: int) -> None:
    shares = [
        [row for batch in seen(feeder(rows, shuffle=True, share=(rank, 2))) for row in batch]
        for rank in (0, 1)
    ]
    assert [len(share) for share in shares] == [each, each]
    assert set(shares[0]) | set(shares[1]) == set(range(rows))
    first = feeder(rows, shuffle=True).order(0).tolist()
    assert shares[0] == first[0::2], "the first process takes every second row"


def test_a_sampler_says_which_rows_an_epoch_takes() -> None:
    given = feeder(10, draw=lambda epoch: np.full(4, epoch))
    assert seen(given, 3) == [[3, 3, 3, 3]]


def test_augmentation_is_told_the_epoch_and_the_row() -> None:
    told: list[tuple[int, int]] = []

    def augment(image: np.ndarray, epoch: int, row: int) -> np.ndarray:
        told.append((epoch, row))
        assert (image == row).all()
        return 255 - image

    images = [image for batch, _ in feeder(3, augment=augment)(7) for image in batch]
    assert told == [(7, 0), (7, 1), (7, 2)]
    assert [int(image[0, 0, 0]) for image in images] == [255, 254, 253]
