"""Batches: which rows, in which order, for which process; order and augmentation depend on seed,
epoch and sample, and on nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from dataprep.augment.policies import policy  # noqa: E402
from dataprep.baselines.training.feeding import Feeder  # noqa: E402
from dataprep.baselines.training.fitting import feeder_for  # noqa: E402
from dataprep.baselines.training.pixel_store import PixelStore  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

MATERIALS = toy_materials(count=16, val=4, size=24)
SETTINGS = TrainSettings(batch=5, seed=3)


def augmented(epoch: int, seed: int, row: int = 0) -> NDArray[np.uint8]:
    """One image as the feeder augments it."""
    feeder = feeder_for(MATERIALS, replace(SETTINGS, seed=seed), policy("standard"))
    assert feeder.augment is not None
    return feeder.augment(MATERIALS.store.images[0], epoch, row)


def test_augmentation_is_the_same_for_the_same_seed_epoch_and_sample() -> None:
    assert np.array_equal(augmented(2, 3), augmented(2, 3))


def test_augmentation_changes_with_the_epoch() -> None:
    assert not np.array_equal(augmented(2, 3), augmented(3, 3))


def test_augmentation_changes_with_the_seed() -> None:
    assert not np.array_equal(augmented(2, 3), augmented(2, 4))


def test_augmentation_changes_with_the_sample() -> None:
    assert not np.array_equal(augmented(2, 3), augmented(2, 3, row=1))


def order(epoch: int, seed: int) -> list[int]:
    return feeder_for(MATERIALS, replace(SETTINGS, seed=seed), None).order(epoch).tolist()


def test_every_epoch_has_an_order_of_its_own_over_the_same_rows() -> None:
    assert sorted(order(0, 3)) == MATERIALS.train.tolist()
    assert order(1, 3) == order(1, 3)
    assert order(0, 3) != order(1, 3)
    assert order(1, 3) != order(1, 4)


def test_a_balanced_sampler_draws_every_class_as_often_by_seed_and_epoch() -> None:
    labels = np.where(np.arange(len(MATERIALS.labels)) % 8 == 0, 1, 0)
    skewed = replace(MATERIALS, labels=labels, parts={"train": np.arange(16), "val": np.arange(4)})

    def drawn(epoch: int, seed: int) -> NDArray[np.int64]:
        return feeder_for(skewed, replace(SETTINGS, sampler="balanced", seed=seed), None).order(
            epoch
        )

    rows = np.concatenate([drawn(epoch, 0) for epoch in range(50)])
    assert np.mean(labels[rows] == 1) == pytest.approx(0.5, abs=0.07)
    assert np.array_equal(drawn(0, 0), drawn(0, 0))
    assert not np.array_equal(np.sort(drawn(0, 0)), np.sort(drawn(1, 0)))
    assert not np.array_equal(np.sort(drawn(0, 0)), np.sort(drawn(0, 1)))


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
    joined = feeder(9, shuffle=True)
    assert [len(batch) for batch in seen(joined)] == [4, 5]
    assert len(joined) == 2
    assert [len(batch) for batch in seen(feeder(10, shuffle=True))] == [4, 4, 2]
    assert [len(batch) for batch in seen(feeder(9))] == [4, 4, 1]
    assert len(feeder(9)) == 3
    assert [len(batch) for batch in seen(feeder(1, shuffle=True))] == [1]
    assert [len(batch) for batch in seen(feeder(3, batch=1, shuffle=True))] == [1, 2]


@pytest.mark.parametrize(("rows", "each"), [(10, 5), (9, 5), (3, 2)])
def test_two_processes_share_an_epoch_and_take_as_many_steps(rows: int, each: int) -> None:
    shares = [
        [row for batch in seen(feeder(rows, shuffle=True, shard=(rank, 2))) for row in batch]
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
