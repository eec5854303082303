"""Feeding: order and augmentation depend on seed, epoch and sample, and on nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from dataprep.augment.policies import policy  # noqa: E402
from dataprep.baselines.training.feeding import Feeder  # noqa: E402
from dataprep.baselines.training.fitting import feeder_for  # noqa: E402
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


def test_batches_of_an_epoch_are_augmented_for_that_epoch() -> None:
    feeder = feeder_for(MATERIALS, SETTINGS, policy("standard"))
    assert feeder.augment is not None
    for epoch in (0, 1):
        images, _ = next(feeder(epoch))
        row = int(feeder.order(epoch)[0])
        expected = feeder.augment(MATERIALS.store.images[row], epoch, row)
        assert np.array_equal(images[0].permute(1, 2, 0).numpy(), expected)


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


def test_a_last_batch_of_one_joins_the_one_before() -> None:
    feeder = Feeder(MATERIALS.store, MATERIALS.train, MATERIALS.targets, 5, shuffle=True)
    assert [len(targets) for _, targets in feeder()] == [5, 5, 6]
    plain = replace(feeder, shuffle=False)
    assert [len(targets) for _, targets in plain()] == [5, 5, 5, 1]
    assert len(feeder) == 3
    assert len(plain) == 4
