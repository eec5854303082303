"""Evaluation: figures, intervals over units, slices, requirements."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from dataprep.baselines.evaluation.bootstrap import drawn_weights, numbered, resampled
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.evaluation.metrics import METRICS, LabelledRows
from dataprep.schemas.goal import Goal, Requirement

GOAL = Goal(
    "multi-class",
    ("a", "b", "c"),
    "macro-f1",
    requirements=(
        Requirement("recall", "b", True, 0.5),
        Requirement("latency_ms", "", False, 5.0),
        Requirement("recall", "c", True, 0.99),
    ),
    target=0.9,
)
BINARY = Goal("binary", ("well", "sick"), "accuracy", positive="sick")


def noisy(
    rng: np.random.Generator, labels: np.ndarray, classes: int, skill: float = 1.5
) -> np.ndarray:
    """Probabilities that lean to the label."""
    logits = rng.normal(size=(len(labels), classes)) + skill * np.eye(classes)[labels]
    logits = np.exp(logits)
    return np.asarray(logits / logits.sum(axis=1, keepdims=True))


def test_figures_are_those_of_the_metrics_and_ready_for_json() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    labels[:20] = -1
    probs = noisy(rng, labels, 3)
    found = evaluate(GOAL, labels, probs, measured={"latency_ms": 3.0}, draws=200)
    json.dumps(found, allow_nan=False)
    assert (found["samples"], found["unlabelled"], found["units"]) == (280, 20, 280)
    assert found["metric"] == {
        "name": "macro-f1",
        "direction": "higher",
        **found["metrics"]["macro-f1"],
    }
    for name, figure in found["metrics"].items():
        assert figure["value"] == METRICS[name].function(GOAL, labels, probs)
        assert figure["low"] <= figure["value"] <= figure["high"]
    rows = np.array(found["confusion"]["rows"])
    assert rows.sum() == 280
    assert rows.sum(axis=1).tolist() == [each["support"] for each in found["classes"]]
    for code, each in enumerate(found["classes"]):
        assert each["recall"]["value"] == pytest.approx(rows[code, code] / rows[code].sum())
        assert each["precision"]["value"] == pytest.approx(rows[code, code] / rows[:, code].sum())
    recall, latency, never = found["requirements"]
    assert recall["holds"]
    assert recall["surely"]
    assert recall["value"] == found["classes"][1]["recall"]["value"]
    assert (latency["value"], latency["holds"]) == (3.0, True)
    assert (never["holds"], never["known"]) == (False, True)
    assert found["target"] == {"value": 0.9, "reached": False, "surely": False}


def test_intervals_hold_the_true_accuracy_as_often_as_they_say() -> None:
    """95 % intervals over units, where rows of a unit are right or wrong together."""
    held = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        units = np.repeat(np.arange(60), 5)
        right = (rng.random(60) < 0.8)[units]
        labels = rng.integers(0, 2, 300)
        probs = np.eye(2)[np.where(right, labels, 1 - labels)]
        own = evaluate(BINARY, labels, probs, units=units, draws=200, seed=seed)["metric"]
        held += own["low"] <= 0.8 <= own["high"]
    assert 106 <= held <= 120


def test_rows_of_one_unit_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(rng.integers(0, 2, 50), 20)
    probs = np.repeat(noisy(rng, labels[::20], 2), 20, axis=0)
    alone, together = (
        evaluate(BINARY, labels, probs, units=units, draws=300)["metric"]
        for units in (None, np.repeat(np.arange(50), 20))
    )
    assert together["high"] - together["low"] > 3 * (alone["high"] - alone["low"])


def test_a_flawless_model_is_not_certain() -> None:
    labels = np.array([0, 1] * 10)
    found = evaluate(BINARY, labels, np.eye(2)[labels], draws=100)
    assert found["metric"]["value"] == found["metric"]["high"] == 1.0
    assert 0.8 < found["metric"]["low"] < 0.9, "twenty of twenty right: Wilson's interval"
    assert found["classes"][0]["recall"]["low"] < found["metric"]["low"], "ten of ten tell less"


def test_draws_are_paired_by_the_seed_and_weigh_whole_units() -> None:
    units = numbered(np.array(["p2", "p1", "p2", "p3"], dtype=object), np.arange(4))
    first, second = (np.concatenate(list(drawn_weights(units, 50, 7))) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(first[:, 0], first[:, 2])
    assert (first[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_a_draw_is_the_metric_of_the_rows_drawn() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 60)
    probs = noisy(rng, labels, 3)
    units = np.repeat(np.arange(20), 3)
    judged = LabelledRows.of(GOAL, labels, probs)
    drawn, _ = resampled(
        judged, list(map(METRICS.get, ("macro-f1", "pr-auc", "log-loss"))), units, draws=5, seed=0
    )
    for place, weights in enumerate(np.concatenate(list(drawn_weights(units, 5, 0)))):
        rows = np.repeat(np.arange(60), weights.astype(int))
        for name, values in drawn.items():
            assert values[place] == pytest.approx(
                METRICS[name].function(GOAL, labels[rows], probs[rows]), rel=1e-12
            )


def test_a_slice_on_which_the_model_fails_is_flagged_and_a_hard_class_is_not() -> None:
    rng = np.random.default_rng(0)
    n = 1500
    labels = rng.integers(0, 3, n)
    table = pd.DataFrame(
        {
            "luma_mean": rng.random(n),
            "camera": rng.choice(["x", "y", "z"], n),
            # the hard class was taken with one lens more often than others
            "lens": np.where(
                (labels == 2) & (rng.random(n) < 0.8), "wide", rng.choice(["wide", "tele"], n)
            ),
        }
    )
    wrong = rng.random(n) < np.where(labels == 2, 0.5, 0.1)
    wrong |= (table["luma_mean"] < 0.2).to_numpy() & (rng.random(n) < 0.4)
    probs = np.eye(3)[np.where(wrong, (labels + 1) % 3, labels)] * 0.8 + 0.1
    names = np.array([f"{i}.png" for i in range(n)], dtype=object)
    found = evaluate(GOAL, labels, probs, slices=table, names=names, draws=500)["slices"]
    flagged = {each["slice"] for each in found if each["worse"]}
    assert flagged
    assert all(name.startswith("luma_mean 0.0") for name in flagged)
    worst = found[0]
    assert worst["high"] < -0.1 < 0
    assert 0 < len(worst["examples"]) <= 6
    assert all(wrong[int(name[:-4])] for name in worst["examples"])
    wide = next(each for each in found if each["slice"] == "lens = wide")
    assert wide["value"] < wide["rest"] - 0.05, "as it looks"
    assert wide["low"] < 0 < wide["high"], "as it is, of the same class"


def test_slices_are_seldom_flagged_by_chance() -> None:
    flagged = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 2, 300)
        table = pd.DataFrame(rng.random((300, 4)), columns=list("abcd")).assign(
            e=rng.choice(["p", "q", None], 300)
        )
        found = evaluate(BINARY, labels, noisy(rng, labels, 2), slices=table, draws=200, seed=seed)[
            "slices"
        ]
        flagged += any(each["worse"] for each in found)
    assert flagged <= 4, "at most 2.5 % of runs, one-sided, and room for chance"


def test_a_slice_of_a_few_units_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    labels, units = rng.integers(0, 2, 400), np.arange(400)
    units[:40] = np.arange(40) % 3
    table = pd.DataFrame(
        {"site": np.where(np.arange(400) < 40, "a", np.where(np.arange(400) < 80, "b", "c"))}
    )
    found = evaluate(BINARY, labels, noisy(rng, labels, 2), units=units, slices=table, draws=50)[
        "slices"
    ]
    assert {each["slice"] for each in found} == {"site = b", "site = c"}


def test_several_labels_and_numbers_are_evaluated() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random((200, 2)) < 0.3
    probs = np.clip(labels * 0.5 + rng.random((200, 2)) * 0.5, 0, 1)
    table = pd.DataFrame({"dark": rng.random(200) < 0.5})
    found = evaluate(
        Goal("multi-label", ("x", "y"), "macro-f1"), labels, probs, slices=table, draws=100
    )
    assert set(found["confusion"]["labels"]) == {"tn", "fp", "fn", "tp"}
    assert [each["support"] for each in found["classes"]] == labels.sum(axis=0).tolist()
    assert {each["slice"] for each in found["slices"]} == {"dark = False", "dark = True"}
    values = rng.normal(size=200)
    found = evaluate(
        Goal("regression", (), "mae", target=2.0), values, values + 1, slices=table, draws=100
    )
    assert found["metric"]["value"] == pytest.approx(1)
    assert (found["classes"], found["confusion"], found["target"]["surely"]) == ([], {}, True)


@pytest.mark.parametrize("rows", [0, 1])
def test_hardly_anything_to_judge_is_told_without_a_warning(rows: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = pd.DataFrame({"luma_mean": np.zeros(rows)})
        found = evaluate(
            GOAL, np.zeros(rows, int), np.full((rows, 3), 1 / 3), slices=table, draws=20
        )
        nothing = evaluate(GOAL, np.zeros(rows, int), np.full((rows, 3), np.nan), draws=20)
    json.dumps([found, nothing], allow_nan=False)
    assert nothing["metric"]["value"] is None
    assert not nothing["requirements"][0]["known"]


def test_probabilities_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected shape \(4, 3\)"):
        evaluate(GOAL, np.zeros(4, int), np.zeros((4, 2)))
