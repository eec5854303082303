"""Tuning: the same trials for the same seed, pruned when they fall behind, logged at once, and
taken when better than noise.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")

from dataprep.baselines.training import networks  # noqa: E402
from dataprep.baselines.training.materials import Materials  # noqa: E402
from dataprep.baselines.training.regimes import Regime, choose_regime  # noqa: E402
from dataprep.baselines.tuning import trials, tuning  # noqa: E402
from dataprep.baselines.tuning.search_space import hyperparameters_for  # noqa: E402
from dataprep.baselines.tuning.selection import corrected_score, select_trial  # noqa: E402
from dataprep.baselines.tuning.tuning import tune  # noqa: E402
from dataprep.errors import OptionError, OutputError, WorkError  # noqa: E402
from tests.baselines.small import small_network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

EPOCHS = 9


class _Evaluator(trials.TrialEvaluator):
    """Trials without a network: the nearer the rate to 0.1, the more rows are right; the curve
    rises to that.
    """

    def evaluate(self, values: Any, watch: Any) -> Any:
        if values["lr"] > 0.4:
            raise WorkError("the training loss is no longer finite")
        right = (
            float(np.clip(1 - 0.4 * abs(np.log10(values["lr"] / 0.1)), 0, 1))
            - 0.2 * values["dropout"]
        )
        for epoch in range(EPOCHS):
            watch(epoch, right * (epoch + 1) / EPOCHS)
        labels = self.materials.labels[self.rows]
        lucky = np.arange(len(labels)) * 37 % len(labels) < right * len(labels)
        said = np.where(lucky, labels, (labels + 1) % 3)
        return np.eye(3)[said], EPOCHS


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> tuple[Materials, Regime]:
    monkeypatch.setattr(tuning, "TrialEvaluator", _Evaluator)
    materials = toy_materials(count=40, val=210, size=2)
    return materials, choose_regime(
        40, 2, regime="scratch", size=16, settings={"lr": 0.05, "epochs": EPOCHS, "batch": 16}
    )


def settled(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in table]


@pytest.mark.parametrize("strategy", ["random", "tpe", "stepwise"])
def test_the_same_seed_tries_the_same_and_finds_the_better_rate(made: Any, strategy: str) -> None:
    found = tune(*made, 15, strategy=strategy, seed=4)
    assert settled(found.table) == settled(tune(*made, 15, strategy=strategy, seed=4).table)
    assert settled(found.table) != settled(tune(*made, 15, strategy=strategy, seed=5).table)
    assert found.table[0]["lr"] == 0.05
    assert found.figures["best"]["score"] > found.figures["default"]
    assert (
        abs(np.log10(found.figures["settings"]["lr"] / 0.1)) < abs(np.log10(0.05 / 0.1))
        or not found.figures["taken"]
    )
    assert found.regime.settings.lr == found.figures["settings"]["lr"]


def test_trials_that_fall_behind_are_pruned_and_those_that_break_are_told(made: Any) -> None:
    found = tune(*made, 25, strategy="random", seed=1)
    states = [row["state"] for row in found.table]
    assert {"complete", "pruned", "failed"} == set(states)
    assert [found.figures[state] for state in ("complete", "pruned", "failed")] == [
        states.count(state) for state in ("complete", "pruned", "failed")
    ]
    pruned = [row for row in found.table if row["state"] == "pruned"]
    assert all(row["epochs"] < EPOCHS and row["score"] is None for row in pruned)
    assert all(row["lr"] > 0.4 for row in found.table if row["state"] == "failed")


def test_stepwise_moves_one_group_after_the_other_from_the_best_so_far(made: Any) -> None:
    table = tune(*made, 13, strategy="stepwise", seed=0).table
    assert [row["group"] for row in table] == ["all"] + ["learning rate"] * 4 + ["units"] * 4 + [
        "rest"
    ] * 4
    best = max(
        (row for row in table[:5] if row["state"] == "complete"), key=lambda row: row["score"]
    )
    assert {row["lr"] for row in table[5:]} == {best["lr"]}
    assert {row["dropout"] for row in table[:5]} == {0.2}


def test_every_trial_is_on_the_disk_when_it_ends(made: Any, tmp_path: Path) -> None:
    lines = []

    def look(done: int, total: int, note: str) -> None:
        lines.append(len((tmp_path / "trials.csv").read_text().splitlines()))

    found = tune(*made, 6, strategy="random", seed=1, folder=str(tmp_path), report=look)
    assert lines == [1, 2, 3, 4, 5, 6]
    with open(tmp_path / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == [row["state"] for row in found.table]
    assert [float(row["lr"]) for row in rows] == [row["lr"] for row in found.table]
    assert len(rows[0]["curve"].split()) == EPOCHS


def test_a_table_of_trials_that_cannot_be_written_ends_the_search(
    made: Any, tmp_path: Path
) -> None:
    (tmp_path / "trials.csv").mkdir()
    with pytest.raises(OutputError, match="a folder is in the place of the file"):
        tune(*made, 2, folder=str(tmp_path))


def test_what_the_user_set_and_what_does_nothing_stays(made: Any) -> None:
    materials, regime = made
    names = {parameter.name for parameter in hyperparameters_for(materials, regime)}
    assert {"lr", "dropout", "weight_decay", "class_weights"} <= names
    assert "policy" not in names
    assert not {"lr", "dropout"} & {
        parameter.name
        for parameter in hyperparameters_for(materials, regime, None, ("lr", "dropout"))
    }
    line = toy_materials("regression")
    assert "smoothing" not in {parameter.name for parameter in hyperparameters_for(line, regime)}
    with pytest.raises(OptionError, match="nothing to tune: the regime frozen"):
        tune(line, choose_regime(48, 32, regime="frozen"), 3)
    with pytest.raises(OptionError, match="tune_strategy: expected one of"):
        tune(materials, regime, 3, strategy="grid")


def test_a_default_that_cannot_be_trained_ends_it(made: Any) -> None:
    materials, regime = made
    absurd = dataclasses.replace(regime, settings=dataclasses.replace(regime.settings, lr=3.0))
    with pytest.raises(WorkError, match="no longer finite"):
        tune(materials, absurd, 3)


def test_small_parts_are_judged_by_folds_that_keep_units_whole() -> None:
    materials = toy_materials(count=45, val=15, size=16)
    grouped = dataclasses.replace(materials, units=np.arange(60) // 2)
    evaluator = trials.TrialEvaluator(grouped, choose_regime(45, 16, regime="scratch", size=16))
    assert len(evaluator.parts) == trials.FOLDS
    assert sorted(evaluator.rows) == list(range(60))
    for learned, held in evaluator.parts:
        assert not set(grouped.units[learned]) & set(grouped.units[held])
    assert "folds" in evaluator.scored_on


def test_networks_are_tuned_by_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "make_network", lambda arch, outputs, **_: small_network(outputs))
    regime = choose_regime(
        24, 16, regime="scratch", size=16, settings={"epochs": 1, "batch": 8, "patience": 0}
    )
    found = tune(
        toy_materials(count=18, val=6, size=16), regime, 2, strategy="random", asked=("batch",)
    )
    assert next(row["epochs"] for row in found.table if row["state"] == "complete") == trials.FOLDS
    assert found.figures["rows"] == 24
    assert "optimistic" in found.figures["sentence"]


def test_a_frozen_regime_is_tuned_on_features_that_are_computed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def deep_features(network: Any, store: Any, rows: Any) -> Any:
        calls.append(len(rows))
        rng = np.random.default_rng(0)
        return rng.normal(size=(len(rows), network.width)).astype(np.float32)

    monkeypatch.setattr(trials, "deep_features", deep_features)
    monkeypatch.setattr(networks, "make_network", lambda arch, outputs, **_: small_network(outputs))
    monkeypatch.setattr(trials, "linear_on", functools.partial(trials.linear_on, penalties=(0.3,)))
    found = tune(
        toy_materials(count=30, val=12), choose_regime(30, 32, regime="frozen", arch="lite0"), 3
    )
    assert calls == [42]
    assert {"class_weights", "focal"} <= set(found.table[0])
    assert all(row["state"] == "complete" for row in found.table)


def drawn(right: float, seed: int, labels: Any) -> Any:
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(len(labels)) < right, labels, (labels + 1) % 3)
    return np.eye(3)[said]


def test_the_best_of_many_equal_models_is_no_better_than_they_are() -> None:
    materials = toy_materials(count=10, val=120, size=2)
    labels, units = materials.labels[10:], materials.units[10:]
    probs = [drawn(0.7, seed, labels) for seed in range(30)]
    scores = [float((each.argmax(1) == labels).mean()) for each in probs]
    found = corrected_score(materials.goal, labels, probs, units)
    assert max(scores) > 0.76
    assert found["corrected"] == pytest.approx(0.7, abs=0.06)
    assert found["corrected"] < max(scores) - 0.01
    assert found["optimism"] > 0


def test_a_winner_is_taken_only_when_it_is_better_than_noise() -> None:
    materials = toy_materials(count=10, val=120, size=2)
    labels, units = materials.labels[10:], materials.units[10:]
    base, same, better = drawn(0.7, 0, labels), drawn(0.71, 1, labels), drawn(0.95, 2, labels)
    assert select_trial(materials.goal, labels, [base, better], 1, units)["taken"]
    unclear = select_trial(materials.goal, labels, [base, base], 1, units)
    assert not unclear["taken"]
    assert "within one standard error" in unclear["reason"]
    assert not select_trial(materials.goal, labels, [base, same], 0, units)["taken"]
