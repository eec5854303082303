"""What a training tells of its steps, and the batches that batch norm cannot learn from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest
import torch

from dataprep.baselines.training.feeding import Batch
from dataprep.baselines.training.fitting import _refuse_lone
from dataprep.baselines.training.loop import fit
from dataprep.baselines.training.losses import Loss
from dataprep.baselines.training.settings import TrainSettings
from dataprep.errors import OptionError
from dataprep.schemas.goal import Goal
from tests.baselines.small import small_network

GOAL = Goal("multi-class", ("a", "b", "c"), "accuracy")


def batches(epoch: int) -> Iterator[Batch]:
    for size in (4, 4, 2):
        yield torch.full((size, 3, 8, 8), 10 * epoch, dtype=torch.uint8), torch.arange(size) % 3


@pytest.mark.parametrize(("accumulate", "taken"), [(1, 3), (2, 2), (3, 1), (4, 1)])
def test_every_batch_is_reported_and_the_last_ones_are_learned_from(
    accumulate: int, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD, "step", lambda self, *given: (steps.append(1), step(self, *given))[1]
    )
    told: list[tuple[int, int, int, float]] = []

    def report(epoch: int, step: int, of: int, figures: Mapping[str, float]) -> None:
        told.append((epoch, step, of, figures["images"]))

    settings = TrainSettings(epochs=2, optimiser="sgd", lr=0.01, accumulate=accumulate)
    fitted = fit(small_network(), batches, 3, Loss(GOAL), None, settings, report=report)
    assert told == [
        (epoch, step, 3, images) for epoch in (0, 1) for step, images in [(1, 4), (2, 8), (3, 10)]
    ]
    assert len(steps) == 2 * taken
    assert [row["epoch"] for row in fitted.history] == [0, 1]
    assert fitted.history[-1]["lr"] == pytest.approx(0, abs=1e-9), "the schedule ends"
    assert fitted.best_epoch == 1


def test_images_per_second_are_those_of_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0, 2)
    now = SimpleNamespace(perf_counter=lambda: float(next(clock)))
    monkeypatch.setattr("dataprep.baselines.training.loop.time", now)
    fitted = fit(small_network(), batches, 3, Loss(GOAL), None, TrainSettings(epochs=1))
    assert fitted.history[0]["images_per_s"] == 10 / 2


@pytest.mark.parametrize(
    ("batch", "rows", "processes", "size", "works"),
    [
        (1, 10, 1, 4, False),
        (1, 10, 1, 8, True),
        (2, 10, 1, 4, True),
        (32, 1, 1, 4, False),
        (32, 2, 1, 4, True),
        (32, 3, 2, 4, False),
        (32, 4, 2, 4, True),
    ],
)
def test_a_single_image_at_a_time_needs_maps_of_more_than_one_place(
    batch: int, rows: int, processes: int, size: int, works: bool
) -> None:
    feeder = SimpleNamespace(batch=batch, rows=list(range(rows)), shard=(0, processes))
    if works:
        _refuse_lone(small_network(), feeder, size, "cpu")  # type: ignore[arg-type]
    else:
        with pytest.raises(OptionError, match="one image at a time"):
            _refuse_lone(small_network(), feeder, size, "cpu")  # type: ignore[arg-type]
    fixed = small_network()
    fixed.freeze(0, norms=True)
    _refuse_lone(fixed, feeder, size, "cpu")  # type: ignore[arg-type]
