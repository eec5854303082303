"""Where one regime, size or number of epochs gives way to the next."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.baselines.training.materials import parts_of, units_of
from dataprep.baselines.training.preparing import with_val
from dataprep.baselines.training.regimes import choose_regime
from dataprep.baselines.training.settings import BaselineOptions, TrainSettings, parse_settings
from dataprep.errors import InputError, OptionError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.goal import Goal
from tests.baselines.toys import toy_materials


@pytest.mark.parametrize(
    ("count", "epochs"),
    [(1000, 12), (1001, 12), (1500, 8), (2000, 6), (2400, 5), (5000, 5), (10**6, 5)],
)
def test_about_twelve_thousand_images_are_shown_in_5_to_12_epochs(count: int, epochs: int) -> None:
    assert choose_regime(count, 400).settings.epochs == epochs


@pytest.mark.parametrize(
    ("count", "side", "given", "size"),
    [
        (2000, 64, {}, 128),
        (2000, 65, {}, 160),
        (2000, math.nan, {}, 160),
        (10, 64, {}, 160),
        (10, 65, {}, 160),
        (2000, 64, {"regime": "scratch"}, 32),
        (2000, 65, {"regime": "scratch"}, 128),
        (2000, math.nan, {"regime": "scratch"}, 128),
        (2000, 400, {"size": 16}, 16),
        (2000, 400, {"size": 1024}, 1024),
    ],
)
def test_small_images_are_kept_small(
    count: int, side: float, given: dict[str, Any], size: int
) -> None:
    assert choose_regime(count, side, **given).size == size


@pytest.mark.parametrize("size", [15, 1025])
def test_a_size_that_no_network_takes_is_refused(size: int) -> None:
    with pytest.raises(OptionError, match="16 to 1024 pixels"):
        choose_regime(2000, 400, size=size)


def test_each_regime_has_its_settings() -> None:
    frozen = choose_regime(10, 400).settings
    assert (frozen.epochs, frozen.smoothing, frozen.patience) == (1, 0.0, 0)
    scratch = choose_regime(100, 400, regime="scratch")
    chosen = scratch.settings
    assert (scratch.arch, chosen.epochs, chosen.lr, chosen.body_lr) == ("resnet18", 30, 0.05, 1.0)
    assert (chosen.optimiser, chosen.weight_decay, chosen.batch) == ("sgd", 5e-4, 64)
    assert (chosen.patience, chosen.norms, chosen.depthwise) == (10, "batch", "learned")
    tuned = choose_regime(2000, 400).settings
    assert (tuned.epochs, tuned.freeze) == (6, 3)
    assert (tuned.norms, tuned.depthwise) == ("fixed", "fixed")
    other = choose_regime(2000, 400, arch="timm:resnet18").settings
    assert (other.freeze, other.norms, other.depthwise) == (0, "batch", "learned")
    assert tuned.class_weights == "inverse"
    asked = choose_regime(2000, 400, settings={"class-weights": "none", "lr": 0.5}).settings
    assert (asked.class_weights, asked.lr) == ("none", 0.5)
    balanced = {"sampler": "balanced", "class-weights": "none"}
    assert choose_regime(2000, 400, settings=balanced).settings.sampler == "balanced"


def test_a_network_without_pretrained_weights_is_trained_from_scratch() -> None:
    assert choose_regime(2000, 400, arch="resnet18").name == "scratch"
    for regime in ("frozen", "fine-tune"):
        with pytest.raises(OptionError, match="needs pretrained weights"):
            choose_regime(2000, 400, regime=regime, arch="resnet18")
    assert choose_regime(2000, 400, regime="scratch", arch="lite0").arch == "lite0"


def test_a_clip_of_zero_cuts_no_gradient() -> None:
    assert TrainSettings(clip=0).greatest_norm == math.inf
    assert TrainSettings(clip=2.5).greatest_norm == 2.5


def test_settings_of_the_command_line_take_the_type_of_their_default() -> None:
    found = parse_settings(["train.lr=1", " train.body-lr = 0.5", "train.epochs=3"])
    assert found == {"lr": 1.0, "body_lr": 0.5, "epochs": 3}
    assert isinstance(found["lr"], float)
    for text in ("lr=1", "train.lr", "train.epochs=many", "train.epochz=3"):
        with pytest.raises(OptionError, match=r"--set"):
            parse_settings([text])


@pytest.mark.parametrize(
    ("options", "works"),
    [
        ({"out_of_fold": 0}, True),
        ({"out_of_fold": 1}, False),
        ({"out_of_fold": 2}, True),
        ({"seeds": 1}, False),
        ({"seeds": 2}, True),
        ({"tune": -1}, False),
        ({"workers": -1}, True),
        ({"workers": -2}, False),
        ({"size": 1025}, False),
    ],
)
def test_options_have_their_ranges(options: dict[str, Any], works: bool) -> None:
    if works:
        assert BaselineOptions(**options)
    else:
        with pytest.raises(OptionError):
            BaselineOptions(**options)


@pytest.mark.parametrize(
    ("settings", "works"),
    [
        ({"epochs": 0}, False),
        ({"batch": 0}, False),
        ({"accumulate": 0}, False),
        ({"body_lr": 1.0}, True),
        ({"body_lr": 1.01}, False),
        ({"dropout": 0.95}, True),
        ({"dropout": 0.96}, False),
        ({"smoothing": 0.91}, False),
        ({"focal": 10.0}, True),
        ({"focal": 10.1}, False),
        ({"clip": -1.0}, False),
        ({"patience": -1}, False),
        ({"seed": -1}, False),
        ({"freeze": -1}, False),
    ],
)
def test_settings_have_their_ranges(settings: dict[str, Any], works: bool) -> None:
    if works:
        assert TrainSettings(**settings)
    else:
        with pytest.raises(OptionError):
            TrainSettings(**settings)


def test_a_baseline_is_trained_by_documented_defaults() -> None:
    options = BaselineOptions()
    assert (options.metric, options.regime, options.arch, options.policy) == ("auto",) * 4
    assert (options.beta, options.size, options.tune, options.tune_strategy) == (1.0, 0, 0, "tpe")
    assert (options.sanity, options.evaluate_test, options.final) == (True, True, False)
    assert (options.workers, options.threads, options.seeds, options.out_of_fold) == (-1, 0, 5, 0)


def test_what_is_not_learned_from_is_val_and_with_test_all_other_parts() -> None:
    materials = toy_materials(count=6, val=3)
    parts = {**materials.parts, "test": np.array([0]), "extra": np.array([1])}
    more = replace(materials, parts=parts)
    assert list(more.unlearned()) == ["val", "test", "extra"]
    assert list(more.unlearned(test=False)) == ["val"]


def split_dataset(splits: list[str | None], **columns: Any) -> Dataset:
    names = pd.Index([f"{row}.png" for row in range(len(splits))], name="sample")
    samples = pd.DataFrame({"split": splits, **columns}, index=names)
    return Dataset("/nowhere", samples, "classification", ("a", "b"))


def test_parts_come_in_order_and_hold_what_can_be_used() -> None:
    dataset = split_dataset(["test", "train", "extra", "val", "train", None, "alpha"])
    parts = parts_of(dataset, np.array([1, 1, 1, 1, 0, 1, 1], bool))
    assert list(parts) == ["train", "val", "test", "alpha", "extra"]
    assert {name: rows.tolist() for name, rows in parts.items()} == {
        "train": [1], "val": [3], "test": [0], "alpha": [6], "extra": [2]
    }  # fmt: skip
    with pytest.raises(InputError, match="no sample to train on"):
        parts_of(dataset, np.array([1, 0, 1, 1, 0, 1, 1], bool))


def test_units_are_those_of_the_split_and_samples_without_one_stand_alone() -> None:
    splits: list[str | None] = ["train"] * 5
    grouped = split_dataset(splits, group=["p", None, "q", "p", None])
    assert units_of(grouped).tolist() == [0, 2, 1, 0, 3]
    both = split_dataset(splits, unit=[7, 7, 8, 8, 9], group=["p", None, "q", "p", None])
    assert units_of(both).tolist() == [0, 0, 1, 1, 2]
    assert units_of(split_dataset(splits)).tolist() == [0, 1, 2, 3, 4]
    assert units_of(split_dataset(["train"] * 2, unit=[None, None])).tolist() == [0, 1]


def test_one_unit_in_six_is_held_back_where_there_is_no_part_to_choose_by() -> None:
    goal = Goal("multi-class", ("a", "b"), "accuracy")
    labels = np.arange(72) % 2
    units = np.repeat(np.arange(36), 2)
    parts = {"train": np.arange(60), "test": np.arange(60, 72)}
    made = with_val(parts, units, labels, goal)
    assert list(made) == ["train", "val", "test"]
    assert sorted([*made["train"], *made["val"]]) == list(range(60))
    assert not set(units[made["train"]]) & set(units[made["val"]])
    assert len(made["val"]) == 10
    assert np.bincount(labels[made["val"]]).tolist() == [5, 5]
    assert with_val(made, units, labels, goal) is made
    rare = (np.arange(72) >= 48).astype(np.int64)  # six of the thirty units to learn from
    val = with_val(parts, units, rare, goal)["val"]
    assert np.bincount(rare[val]).tolist() == [8, 2]
    alone = {"train": np.array([0, 1])}
    assert len(with_val(alone, np.zeros(2, np.int64), labels, goal)["val"]) == 0
