"""Out of fold: whole units held out, every sample predicted unseen, figures with honest
intervals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines import out_of_fold as module  # noqa: E402
from dataprep.baselines.out_of_fold import (  # noqa: E402
    given_folds,
    is_folds,
    made_folds,
    out_of_fold,
    with_parts,
)
from dataprep.baselines.training import networks  # noqa: E402
from dataprep.baselines.training.fitting import TrainedNetwork  # noqa: E402
from dataprep.baselines.training.materials import Materials  # noqa: E402
from dataprep.baselines.training.regimes import Regime  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from dataprep.schemas.dataset import Dataset  # noqa: E402
from tests.baselines.deployed import SIZE, small_network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

REGIME = Regime("scratch", "resnet18", SIZE, TrainSettings(epochs=3, batch=8, lr=0.05), "asked for")


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Materials]:
    """Networks of one convolution whose classifier is fitted on the training rows; gives what
    each was trained on.
    """
    from dataprep.baselines.frozen.linear import fit_linear
    from dataprep.baselines.frozen.losses import LinearLoss
    from dataprep.baselines.training.network_predictions import deep_features

    trained: list[Materials] = []
    torch.set_num_threads(1)

    def train_network(materials: Materials, regime: Regime, **_: Any) -> TrainedNetwork:
        trained.append(materials)
        network, rows = small_network(materials.goal.outputs), materials.train
        features = deep_features(network, materials.store, rows)
        linear = fit_linear(
            features,
            materials.targets[rows],
            materials.units[rows],
            LinearLoss(materials.goal.kind),
            materials.goal.outputs,
            lambda *_: 0.0,
            penalties=(1.0,),
        )
        network.classifier.weight.data.copy_(torch.from_numpy(linear.weight))
        network.classifier.bias.data.copy_(torch.from_numpy(linear.bias))
        return TrainedNetwork(network, None, linear, None)

    monkeypatch.setattr(module, "train_network", train_network)
    return trained


def with_test(kind: Any = "multi-class", **options: Any) -> Materials:
    """Toy materials whose last eight rows are the part test, and in which two rows each are a
    unit.
    """
    materials = toy_materials(kind, size=SIZE, **options)
    parts = {"train": materials.train, "val": materials.val[:-8], "test": materials.val[-8:]}
    return replace(materials, parts=parts, units=np.arange(len(materials.labels)) // 2)


def test_no_model_sees_what_it_predicts_nor_test(seen: list[Materials]) -> None:
    materials = with_test()
    found = out_of_fold(materials, REGIME, folds=4)
    assert len(seen) == 4
    known = np.sort(np.concatenate([materials.train, materials.val]))
    for number, part in enumerate(seen):
        held = np.flatnonzero(found.fold == number)
        learned = np.concatenate([part.train, part.val])
        assert not set(materials.units[held]) & set(materials.units[learned])
        assert not set(materials.units[part.train]) & set(materials.units[part.val])
        assert not set(learned) & set(materials.parts["test"])
        assert sorted([*held, *learned]) == known.tolist()
    np.testing.assert_allclose(found.probs.sum(1), 1, atol=1e-5)
    assert (found.fold[materials.parts["test"]] == -1).all()
    right = found.probs.argmax(1) == materials.labels
    assert right.mean() > 0.9


def test_the_table_and_the_array_hold_the_same(seen: list[Materials]) -> None:
    materials = with_test()
    found = out_of_fold(materials, REGIME, folds=3)
    names = [f"p:{name}" for name in materials.goal.classes]
    table = found.table.set_index("sample").loc[list(materials.names)]
    np.testing.assert_allclose(table[names].to_numpy(), found.probs)
    assert table["fold"].tolist() == found.fold.tolist()
    given = found.given_to(materials.dataset, materials.goal.classes)
    assert given.arrays["probs"].shape == (64, 3)
    assert given.classes == materials.goal.classes


def test_a_wrong_label_does_not_teach_its_own_prediction(seen: list[Materials]) -> None:
    materials = with_test()
    labels = materials.labels.copy()
    labels[:6] = (labels[:6] + 1) % 3
    found = out_of_fold(replace(materials, labels=labels), REGIME, folds=4)
    assert (found.probs[:6].argmax(1) == materials.labels[:6]).sum() >= 5


@pytest.mark.parametrize(("kind", "metric"), [("multi-label", "macro-f1"), ("regression", "mae")])
def test_several_labels_and_values(kind: Any, metric: str, seen: list[Materials]) -> None:
    materials = with_test(kind)
    found = out_of_fold(materials, REGIME, folds=3)
    assert found.probs.shape == ((64,) if kind == "regression" else (64, 3))
    assert np.isfinite(found.probs).all()
    assert found.figures["metrics"][metric]["mean"] == pytest.approx(
        np.mean([each["metrics"][metric] for each in found.figures["folds"]])
    )
    if kind == "regression":
        for part in seen:
            assert part.centre == pytest.approx(part.labels[part.train].mean())


def test_intervals_widen_for_models_that_share_what_they_learned_from() -> None:
    values = np.array([0.8, 0.9, 0.85, 0.75, 0.95])
    found = module._interval(values, 0.25, True)
    naive = (
        2.776445 * values.std(ddof=1) / np.sqrt(5)
    )  # Student's 97.5 % point at four degrees of freedom
    assert found["mean"] == pytest.approx(0.85)
    assert found["mean"] - found["low"] == pytest.approx(
        naive * np.sqrt(5 * (1 / 5 + 0.25)), rel=1e-5
    )
    assert module._interval(values * 10, 0.5, False)["high"] > 10
    assert module._interval(values, 0.5, True)["high"] == 1
    assert module._interval(np.array([0.5]), 0.25, True)["low"] is None


def folded(names: list[Any]) -> Dataset:
    index = pd.Index([f"{row}.png" for row in range(len(names))], name="sample")
    return Dataset(
        "/nowhere",
        pd.DataFrame({"label": ["a", "b"] * (len(names) // 2), "split": names}, index=index),
        "classification",
    )


def test_a_split_of_folds_gets_parts_and_keeps_its_folds(seen: list[Materials]) -> None:
    dataset = folded(["fold10", "fold2", "fold1", "fold1", None, "test"])
    assert is_folds(dataset)
    assert not any(
        is_folds(folded(names))
        for names in (["train", "val"], ["fold1", "fold1"], ["fold1", "other"], [None, None])
    )
    parted = with_parts(dataset).samples
    assert parted["split"].tolist()[:4] == ["train", "train", "val", "val"]
    assert parted["split"].isna().tolist() == [False] * 4 + [True, False]
    assert parted["fold"].isna().tolist() == [False] * 4 + [True, True]
    plain = folded(["train", "val"])
    assert with_parts(plain) is plain


def test_folds_of_the_split_are_taken_as_they_are(seen: list[Materials]) -> None:
    materials = toy_materials(size=SIZE)
    names = [f"fold{row % 3 + 1}" for row in range(64)]
    dataset = with_parts(materials.dataset.assign(split=names))
    parts = {part: np.flatnonzero(dataset.samples["split"] == part) for part in ("train", "val")}
    parts["train"] = parts["train"][1:]  # one could not be decoded
    materials = replace(materials, dataset=dataset, parts=parts)
    fold = given_folds(materials)
    assert fold is not None
    lost = int(np.flatnonzero(fold < 0)[0])
    assert [fold[row] for row in range(64) if row != lost] == [
        row % 3 for row in range(64) if row != lost
    ]
    found = out_of_fold(materials, REGIME, given=fold)
    assert np.isnan(found.probs[lost]).all()
    assert len(found.table) == 63
    assert given_folds(toy_materials(size=SIZE)) is None


def test_folds_spread_classes_evenly() -> None:
    materials = with_test()
    fold = made_folds(materials, 4)
    known = fold >= 0
    counts = [np.bincount(materials.labels[fold == number], minlength=3) for number in range(4)]
    assert known.sum() == 56
    assert np.ptp(counts, axis=0).max() <= 4


def test_frozen_features_are_looked_at_once_for_all_folds(
    monkeypatch: pytest.MonkeyPatch, seen: list[Materials]
) -> None:
    looked: list[int] = []
    deep_features = module.deep_features

    def counted(network: Any, store: Any, rows: Any) -> Any:
        looked.append(len(rows))
        return deep_features(network, store, rows)

    monkeypatch.setattr(networks, "make_network", lambda arch, outputs, **_: small_network(outputs))
    monkeypatch.setattr(module, "deep_features", counted)
    materials = with_test()
    found = out_of_fold(materials, replace(REGIME, name="frozen"), folds=2)
    assert looked == [64]
    assert not seen
    assert (found.probs.argmax(1) == materials.labels).mean() > 0.9
