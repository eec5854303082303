"""Error analysis, on predictions made up so that the answer is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.baselines.diagnosis.data_faults import KINDS, QUESTIONS, _fisher, explained
from dataprep.baselines.diagnosis.errors import SHOWN, _sentence, find_errors
from dataprep.checks.duplicates.near_duplicate import NearDuplicate
from dataprep.checks.labels.wrong_label import WrongLabel
from dataprep.registry import names as registered
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.goal import Goal
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.results.errors import Explained

CLASSES = ("ant", "bee", "cow")
GOAL = Goal("multi-class", CLASSES, "accuracy")


def predicted(
    said: list[str], given: list[str], sure: list[float], part: str = "val", start: int = 0
) -> pd.DataFrame:
    """Predictions with probability `sure` for what is said, and the rest spread evenly."""
    probs = np.array(
        [
            [s if name == label else (1 - s) / 2 for name in CLASSES]
            for label, s in zip(said, sure, strict=True)
        ]
    )
    table = pd.DataFrame(
        {
            "sample": [f"{row + start}.jpg" for row in range(len(said))],
            "label": given,
            "predicted": said,
        }
    )
    table["confidence"], table["split"] = sure, part
    return pd.concat(
        [table, pd.DataFrame(probs, columns=[f"p:{name}" for name in CLASSES])], axis=1
    )


def dataset_of(*tables: pd.DataFrame) -> Dataset:
    table = pd.concat(tables)
    samples = table.set_index("sample")[["label", "split"]]
    return Dataset("/nowhere", samples, "classification", CLASSES)


def test_galleries_hold_the_most_certain_first_and_both_sides_of_a_mistake() -> None:
    table = predicted(
        ["bee", "bee", "ant", "cow"], ["ant", "ant", "ant", "cow"], [0.6, 0.9, 0.8, 0.9]
    )
    found = find_errors(GOAL, table, dataset_of(table))
    assert (found["mistakes"], found["samples"], found["worst"]) == (2, 4, ["1.jpg", "0.jpg"])
    galleries = {(each["of"], each["kind"]): each["samples"] for each in found["galleries"]}
    assert galleries == {
        ("ant", "false-negative"): ["1.jpg", "0.jpg"],
        ("bee", "false-positive"): ["1.jpg", "0.jpg"],
    }
    assert found["examples"]["1.jpg"]["p_label"] == pytest.approx(0.05)
    assert found["examples"]["1.jpg"]["loss"] == pytest.approx(-np.log(0.05))
    assert [
        (each["label"], each["predicted"], each["count"], each["back"]) for each in found["pairs"]
    ] == [("ant", "bee", 2, 0)]
    assert found["pairs"][0]["share"] == pytest.approx(2 / 3)


def test_a_gallery_is_no_longer_than_said_but_counts_all() -> None:
    n = SHOWN + 20
    table = predicted(["bee"] * n, ["ant"] * n, list(np.linspace(0.4, 0.99, n)))
    gallery = find_errors(GOAL, table, dataset_of(table))["galleries"][0]
    assert (gallery["count"], len(gallery["samples"]), gallery["samples"][0]) == (
        n,
        SHOWN,
        f"{n - 1}.jpg",
    )


def audit_of(dataset: Dataset, *batches: pd.DataFrame) -> Audit:
    return Audit(dataset, Issues.collect(batches), {}, (WrongLabel(), NearDuplicate()))


def test_mistakes_are_linked_to_claims_about_them_from_either_side_of_a_pair() -> None:
    table = predicted(["bee", "ant"], ["ant", "ant"], [0.9, 0.9])
    train = predicted(["ant"], ["ant"], [0.9], "train", start=7)
    dataset = dataset_of(table, train)
    copies = batch(
        "near-duplicate",
        "warning",
        "pair",
        ["7.jpg"],
        related=["0.jpg"],
        evidence={"relation": "a copy"},
    )
    issues = find_errors(GOAL, pd.concat([table, train]), dataset, audit_of(dataset, copies))[
        "examples"
    ]["0.jpg"]["issues"]
    assert [
        (each["check"], each["kind"], each["related"], each["in_train"]) for each in issues
    ] == [("near-duplicate", "copied", "7.jpg", True)]
    assert issues[0]["message"]


def test_only_validation_is_shown_and_other_parts_are_told_in_figures() -> None:
    table = pd.concat(
        [
            predicted(["bee"], ["ant"], [0.9]),
            predicted(["bee", "ant"], ["ant", "ant"], [0.9, 0.9], "test", 1),
        ]
    )
    found = find_errors(GOAL, table, dataset_of(table))
    assert set(found["examples"]) == {"0.jpg"}
    assert (found["others"]["test"]["errors"], found["others"]["test"]["right"]) == (1, 1)


def test_faults_that_cause_mistakes_explain_them_and_faults_at_random_do_not() -> None:
    rng = np.random.default_rng(3)
    n = 600
    faulty, classes, units = rng.random(n) < 0.1, np.arange(n) % 3, np.arange(n)
    wrong = (rng.random(n) < 0.1) | (faulty & (rng.random(n) < 0.8))
    cause = explained(wrong, faulty, classes, units)
    rate = wrong[~faulty].mean()
    assert cause["explained"] == pytest.approx(
        (wrong[faulty].sum() - faulty.sum() * rate) / wrong.sum(), abs=0.02
    )
    assert cause["beyond_chance"]
    assert 0.2 < cause["low"] < cause["explained"] < cause["high"] < 0.7
    chance = explained(rng.random(n) < 0.2, faulty, classes, units)
    assert not chance["beyond_chance"]
    assert chance["low"] < 0 < chance["high"]


def test_a_hard_class_is_not_mistaken_for_a_fault() -> None:
    """All faults lie in a class that is always wrong: they explain nothing."""
    classes = np.repeat([0, 1], 100)
    faulty = (classes == 1) & (np.arange(200) % 4 == 0)
    assert explained(classes == 1, faulty, classes, np.arange(200))["explained"] == pytest.approx(
        0, abs=1e-9
    )


def test_units_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    unit_faulty, unit_wrong = rng.random(40) < 0.3, rng.random(40) < 0.3
    units = np.repeat(np.arange(40), 10)
    arguments = (np.repeat(unit_wrong, 10), np.repeat(unit_faulty, 10), np.zeros(400, np.int64))
    together, apart = (explained(*arguments, each) for each in (units, np.arange(400)))
    assert together["high"] - together["low"] > 1.5 * (apart["high"] - apart["low"])


def test_a_handful_of_mistakes_does_not_make_sure() -> None:
    wrong, faulty = np.arange(30) < 2, np.isin(np.arange(30), [0, 1, 7, 8, 9])
    found = explained(wrong, faulty, np.zeros(30, np.int64), np.arange(30))
    assert found["explained"] == 1
    assert found["low"] < 0.4
    one = explained(np.arange(30) < 1, faulty, np.zeros(30, np.int64), np.arange(30))
    assert not one["beyond_chance"]


@pytest.mark.parametrize(
    "counts", [(2, 2, 3, 27), (0, 5, 3, 20), (7, 10, 30, 90), (40, 90, 100, 900)]
)
def test_fishers_test_is_that_of_scipy(counts: tuple[int, int, int, int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    a, of, b, rest = counts
    expected = stats.fisher_exact([[a, of - a], [b, rest - b]], alternative="greater").pvalue
    assert _fisher(*counts) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("wrong", "faulty"), [(False, True), (True, False), (False, False)])
def test_nothing_to_explain_is_said_to_be_unknown(wrong: bool, faulty: bool) -> None:
    found = explained(np.full(5, wrong), np.full(5, faulty), np.zeros(5, np.int64), np.arange(5))
    assert found["explained"] is None
    assert not found["beyond_chance"]


def test_several_labels_have_false_positives_and_negatives_of_each() -> None:
    goal = Goal("multi-label", CLASSES, "macro-f1")
    table = predicted(["ant", "ant"], ["ant|bee", "cow"], [0.9, 0.8])
    found = find_errors(goal, table, dataset_of(table))
    kinds = {(each["of"], each["kind"]): each["samples"] for each in found["galleries"]}
    assert kinds == {
        ("bee", "false-negative"): ["0.jpg"],
        ("cow", "false-negative"): ["1.jpg"],
        ("ant", "false-positive"): ["1.jpg"],
    }
    assert found["pairs"] == []


def test_a_regression_shows_what_was_predicted_too_high_and_too_low() -> None:
    said = np.array([0.0] * 18 + [9.0, -9.0])
    table = pd.DataFrame(
        {
            "sample": [f"{row}.jpg" for row in range(20)],
            "label": 0.0,
            "predicted": said,
            "split": "val",
        }
    )
    found = find_errors(Goal("regression", (), "mae"), table, dataset_of(table))
    assert {each["kind"]: each["samples"] for each in found["galleries"]} == {
        "too-high": ["18.jpg"],
        "too-low": ["19.jpg"],
    }


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_any_rows(rows: int) -> None:
    table: Any = predicted(["ant"], ["ant"], [0.9]).iloc[:rows]
    found = find_errors(GOAL, table, dataset_of(table))
    assert found["mistakes"] == 0
    json.dumps(found, allow_nan=False)


def test_every_kind_names_checks_that_there_are() -> None:
    assert {check for checks in KINDS.values() for check in checks} <= set(
        registered("dataprep.checks")
    )
    assert set(KINDS) == set(QUESTIONS)


def test_the_sentence_gives_the_interval_of_what_is_explained() -> None:
    whole = Explained(
        errors=4,
        faulty_errors=2,
        right=10,
        faulty_right=2,
        explained=0.4,
        low=0.05,
        high=0.9,
        beyond_chance=False,
        share_of_errors=0.5,
        share_of_right=0.2,
    )
    audit: Any = object()
    assert _sentence(GOAL, whole, audit).endswith("(explained: 5 to 90 %).")
