"""What the data and the user's words decide before training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dataprep.baselines.evaluation.thresholds import decides_by_threshold
from dataprep.baselines.sources import split_into
from dataprep.baselines.training.fitting import key_of
from dataprep.baselines.training.preparing import _refuse_unseen
from dataprep.baselines.training.regimes import choose_regime, refuse_idle
from dataprep.baselines.training.settings import BaselineOptions, TrainSettings
from dataprep.errors import FingerprintError, InputError, OptionError
from dataprep.schemas.goal import Goal, Requirement
from tests.baselines.toys import toy_materials

BINARY = Goal("binary", ("no", "yes"), "accuracy", positive="yes")


@pytest.mark.parametrize(
    ("count", "name", "arch"),
    [(999, "frozen", "lite0-int8"), (1000, "fine-tune", "lite0"), (100_000, "fine-tune", "lite0")],
)
def test_the_amount_of_data_chooses(count: int, name: str, arch: str) -> None:
    regime = choose_regime(count, 400)
    assert (regime.name, regime.arch) == (name, arch)


def test_more_data_is_shown_fewer_times_and_small_images_are_kept_small_from_scratch() -> None:
    epochs = [choose_regime(count, 400).settings.epochs for count in (1000, 2000, 100_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert choose_regime(5000, 32, arch="resnet18").size == 32
    assert choose_regime(5000, 32).size == 128


def test_a_network_of_one_stage_is_not_frozen_by_fine_tuning() -> None:
    assert choose_regime(2000, 200).settings.freeze == 3
    assert choose_regime(2000, 200, arch="timm:resnet18").settings.freeze == 0


def test_a_balanced_sampler_takes_the_place_of_class_weights() -> None:
    assert (
        choose_regime(2000, 200, settings={"sampler": "balanced"}).settings.class_weights == "none"
    )
    with pytest.raises(OptionError, match="give one of them"):
        choose_regime(2000, 200, settings={"sampler": "balanced", "class-weights": "inverse"})


@pytest.mark.parametrize(
    ("kind", "count", "given", "named"),
    [
        ("regression", 2000, {"sampler": "balanced"}, "sampler"),
        ("multi-label", 2000, {"class_weights": "inverse"}, "class_weights"),
        ("multi-class", 100, {"epochs": 3, "lr": 0.1}, "epochs, lr"),
    ],
)
def test_settings_without_use_are_refused(
    kind: Any, count: int, given: dict[str, Any], named: str
) -> None:
    goal = replace(BINARY, kind=kind)
    with pytest.raises(OptionError, match=f"^{named}: without use"):
        refuse_idle(goal, choose_regime(count, 200, settings=given), given)


def test_settings_of_use_are_taken() -> None:
    refuse_idle(BINARY, choose_regime(100, 200), {"class-weights": "none", "focal": 1.0})
    refuse_idle(BINARY, choose_regime(2000, 200), {"sampler": "balanced", "epochs": 3})


@pytest.mark.parametrize(
    ("goal", "by_threshold"),
    [
        (BINARY, False),
        (replace(BINARY, metric="mcc"), False),
        (replace(BINARY, metric="f-beta"), True),
        (replace(BINARY, requirements=(Requirement("recall", "yes", True, 0.9),)), True),
        (replace(BINARY, requirements=(Requirement("latency_ms", "", False, 5),)), False),
        (Goal("multi-label", ("a", "b"), "macro-f1"), True),
        (Goal("multi-class", ("a", "b", "c"), "macro-f1"), False),
    ],
)
def test_thresholds_decide_only_where_f_or_a_requirement_is_what_counts(
    goal: Goal, by_threshold: bool
) -> None:
    assert decides_by_threshold(goal) is by_threshold


def test_a_checkpoint_knows_its_metric() -> None:
    materials, regime = toy_materials(), choose_regime(2000, 32)
    other = replace(materials, goal=replace(materials.goal, metric="mcc"))
    assert key_of(materials, regime, None) == key_of(materials, regime, None)
    assert key_of(materials, regime, None) != key_of(other, regime, None)


def test_no_clipping_and_a_single_fold() -> None:
    assert TrainSettings(clip=0.0).greatest_norm == float("inf")
    with pytest.raises(OptionError, match="at least 2 folds"):
        BaselineOptions(out_of_fold=1)


def test_a_split_of_another_audit_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.json").write_text("{}")
    found = SimpleNamespace(run={"audit": {"fingerprint": "theirs"}})
    monkeypatch.setattr("dataprep.baselines.sources.read_split", lambda folder: found)
    audit: Any = SimpleNamespace(
        run={"fingerprint": "ours"}, dataset=SimpleNamespace(fingerprint="ours")
    )
    with pytest.raises(FingerprintError, match="made from another audit"):
        split_into(str(tmp_path), audit, None, lambda *_: None)


def test_a_class_whose_images_cannot_be_read_is_named() -> None:
    goal = Goal("multi-class", ("cat", "dog", "owl"), "accuracy")
    _refuse_unseen(goal, np.array([0, 1, 2]))
    with pytest.raises(InputError, match="no training image of 'dog' can be read"):
        _refuse_unseen(goal, np.array([0, 2, 2]))
