"""What comes beside a training: the final model, whether cleaning helps, what class weights do,
what a network costs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import InputError
from dataprep.schemas.plan import Plan

torch = pytest.importorskip("torch")

from dataprep.baselines.class_weight_effect import compare_weights  # noqa: E402
from dataprep.baselines.cleaning_effect import compare_cleaned, sides  # noqa: E402
from dataprep.baselines.evaluation.test_access import weights_hash  # noqa: E402
from dataprep.baselines.inference.latency import measure_cost  # noqa: E402
from dataprep.baselines.training.final_model import finalise  # noqa: E402
from dataprep.baselines.training.fitting import TrainedNetwork  # noqa: E402
from dataprep.baselines.training.history import FitResult  # noqa: E402
from dataprep.baselines.training.materials import Materials  # noqa: E402
from dataprep.baselines.training.networks import Network  # noqa: E402
from dataprep.baselines.training.regimes import Regime  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

FROZEN = Regime(
    "frozen", "lite0", 32, TrainSettings(epochs=1, smoothing=0.0, class_weights="none"), "asked for"
)
SCRATCH = Regime(
    "scratch",
    "tiny",
    16,
    TrainSettings(epochs=10, batch=8, lr=0.05, body_lr=1.0, dropout=0.0, class_weights="none"),
    "asked for",
)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_network(outputs: int = 3) -> Network:
    nn = torch.nn
    body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
    return Network(
        body, 8, outputs, list(body), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), dropout=0.0
    )


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network is a small one."""
    monkeypatch.setattr(
        "dataprep.baselines.training.networks.make_network",
        lambda arch, outputs, **_: small_network(outputs),
    )


def plan_of(rows: list[tuple[str, str, str]]) -> Plan:
    return Plan(pd.DataFrame(rows, columns=["sample", "action", "new_label"]))


def in_words(materials: Materials) -> Materials:
    """Labels as the classes are called."""
    names = [materials.goal.classes[code] for code in materials.labels]
    return replace(materials, dataset=materials.dataset.assign(label=pd.Categorical(names)))


def test_the_final_model_learns_from_train_and_val_for_the_epochs_that_val_chose(
    small: None,
) -> None:
    materials = toy_materials(count=24, val=8, size=16)
    trained = TrainedNetwork(
        small_network(),
        FitResult([{"train_loss": 1.0}] * 5, best_epoch=2, best_score=0.9),
        None,
        None,
    )
    steps: list[tuple[int, int]] = []
    network, facts = finalise(
        materials, SCRATCH, trained, report=lambda epoch, step, *_: steps.append((epoch, step))
    )
    assert (facts["epochs"], facts["samples"]) == (3, 32)
    assert steps[-1] == (2, 4), "three epochs of 32 images in batches of 8"
    again, _ = finalise(materials, SCRATCH, trained)
    assert weights_hash(network) == weights_hash(again)
    assert weights_hash(network) != weights_hash(trained.network)
    assert len(materials.train) == 24, "what was given stays as it was"


def test_nothing_of_val_chooses_the_final_model(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("val was looked at")

    monkeypatch.setattr("dataprep.baselines.training.fitting.scores", refuse)
    materials = toy_materials(count=16, val=8, size=16)
    finalise(
        materials, SCRATCH, TrainedNetwork(small_network(), FitResult(best_epoch=0), None, None)
    )


def test_only_train_is_cleaned_and_both_sides_are_judged_on_untouched_rows() -> None:
    materials = in_words(toy_materials(count=24, val=8, size=16))
    given = materials.labels.copy()
    other = materials.goal.classes[(given[1] + 1) % 3]
    plan = plan_of(
        [
            ("0.png", "drop", ""),
            ("1.png", "relabel", other),
            ("2.png", "review", ""),
            ("24.png", "drop", ""),
            ("25.png", "relabel", materials.goal.classes[(given[25] + 1) % 3]),
            ("26.png", "review", ""),
        ]
    )
    before, after, facts = sides(materials, plan)
    assert facts == {"dropped": 1, "relabelled": 1, "judged": 6}
    assert before.val.tolist() == after.val.tolist() == list(range(26, 32))
    assert np.array_equal(before.labels[before.val], after.labels[after.val])
    assert before.train.tolist() == list(range(24))
    assert after.train.tolist() == list(range(1, 24))
    assert (before.labels[1], after.labels[1]) == (given[1], (given[1] + 1) % 3)
    assert np.array_equal(materials.labels, given)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("24.png", "drop", "")], "nothing in train"),
        (
            [("0.png", "drop", ""), *((f"{row}.png", "drop", "") for row in range(24, 32))],
            "none to judge on",
        ),
    ],
)
def test_a_plan_that_leaves_nothing_to_compare_is_refused(
    rows: list[tuple[str, str, str]], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        sides(in_words(toy_materials(count=24, val=8, size=16)), plan_of(rows))


@pytest.mark.parametrize("regime", [FROZEN, SCRATCH], ids=["frozen", "scratch"])
def test_cleaning_helps_where_many_labels_were_wrong(small: None, regime: Regime) -> None:
    materials = in_words(toy_materials(count=60, val=45, size=regime.size))
    true = np.array(materials.goal.classes)[materials.labels]
    wrong = np.flatnonzero(materials.labels[:60] == 0)[:19]
    said = true.copy()
    said[wrong] = materials.goal.classes[1]
    labels = materials.labels.copy()
    labels[wrong] = 1
    noisy = replace(
        materials, labels=labels, dataset=materials.dataset.assign(label=pd.Categorical(said))
    )
    plan = plan_of([(f"{row}.png", "relabel", materials.goal.classes[0]) for row in wrong])
    torch.manual_seed(0)
    network = small_network()
    found = compare_cleaned(noisy, regime, TrainedNetwork(network, None, None, None), plan, seeds=3)
    assert (found["relabelled"], found["judged"], found["seeds"]) == (19, 45, 3)
    assert found["difference"] > 0.1
    assert found["helped"] == "better"
    assert found["sentence"].startswith(
        "cleaning helped: with 0 training samples dropped and 19 relabelled"
    )
    if regime is SCRATCH:
        harm = plan_of([(f"{row}.png", "relabel", materials.goal.classes[1]) for row in wrong])
        assert (
            compare_cleaned(
                materials, regime, TrainedNetwork(network, None, None, None), harm, seeds=3
            )["helped"]
            == "worse"
        )


def test_class_weights_are_told_with_and_without_where_classes_are_unequal() -> None:
    materials = toy_materials(count=120, val=60, size=16)
    rare = np.flatnonzero(materials.labels[:120] == 2)[4:]
    materials = replace(
        materials, parts={"train": np.setdiff1d(np.arange(120), rare), "val": materials.val}
    )
    rng = np.random.default_rng(0)
    embedding = (np.eye(3)[materials.labels] + rng.normal(0, 0.8, (180, 3))).astype(np.float16)
    found = compare_weights(materials, TrainSettings(class_weights="effective"), embedding)
    assert found["weighting"] == "effective"
    assert found["ratio"] > 9
    assert f"{found['ratio']:.1f} times" in found["sentence"]
    recall = {name: each["recall"]["class2"]["value"] for name, each in found["choices"].items()}
    assert set(recall) == {"none", "inverse", "effective"}
    assert recall["inverse"] > recall["none"]
    assert found["difference"]["metric"]["name"] == "macro-f1"
    one, other = (found["difference"]["metric"][side] for side in ("one", "other"))
    assert (one, other) == pytest.approx(
        tuple(found["choices"][name]["macro-f1"]["value"] for name in ("none", "effective"))
    )


def test_nothing_is_compared_where_classes_are_equal_or_there_are_none() -> None:
    balanced = compare_weights(toy_materials(count=48), TrainSettings(), np.zeros((64, 3)))
    assert "choices" not in balanced
    assert balanced["imbalanced"] is False
    assert compare_weights(toy_materials("regression"), TrainSettings(), None) == {}
    assert compare_weights(toy_materials("multi-label"), TrainSettings(), None) == {}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (TrainSettings(class_weights="none"), "nothing was done"),
        (
            TrainSettings(class_weights="none", sampler="balanced", focal=2.0),
            "drawn equally often and the focal loss (exponent 2)",
        ),
    ],
)
def test_what_was_done_about_unequal_classes_is_said(settings: TrainSettings, words: str) -> None:
    assert words in compare_weights(toy_materials(), settings, None)["sentence"]


def test_cost_counts_every_weight_and_leaves_the_threads_alone() -> None:
    network = small_network()
    before = torch.get_num_threads()
    cost = measure_cost(network, 16)
    assert torch.get_num_threads() == before
    assert network.training, "the network itself is not touched"
    assert cost["latency_ms"] > 0
    stored = (
        3 * 8 * 9 + 8 + 4 * 8 + 8 * 3 + 3 + 6
    )  # convolution, batch norm, classifier, mean and std
    assert cost["size_mb"] == pytest.approx((stored * 4 + 8) / 1e6)
