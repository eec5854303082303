"""Label shift: found where it is, with its size; not found in random splits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from dataprep.checks.splits.label_shift import LabelShift, cramers_v
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of


def dataset_of(task="classification", **splits: dict[str, int]) -> Dataset:
    rows = [
        (split, label)
        for split, counts in splits.items()
        for label, count in counts.items()
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["split", "label"]).astype("category")
    return Dataset("made-up", table, task, tuple(table["label"].cat.categories))


def claims(dataset: Dataset, **options) -> dict[str, dict]:
    found = [
        row
        for batch in LabelShift(**options).find(dataset, None)
        for row in batch.to_dict("records")
    ]
    return {row["target"]: row | evidence_of(row["evidence"]) for row in found}


def test_a_shifted_split_is_named_with_its_size():
    found = claims(
        dataset_of(train={"a": 400, "b": 400}, val={"a": 50, "b": 50}, test={"a": 80, "b": 20})
    )
    assert list(found) == ["test"]
    claim = found["test"]
    assert claim["reference"] == "train"
    assert claim["distance"] == pytest.approx(0.3)
    assert 0.2 < claim["figure"] < 0.3
    assert claim["low"] < claim["figure"] < claim["high"]
    text = LabelShift.message.format(**claim)
    assert "'a' 80% instead of 50%" in text
    assert "absent" not in text


def test_without_a_split_called_train_the_others_are_the_reference():
    found = claims(
        dataset_of(**{f"fold{i}": {"a": 50, "b": 50} for i in range(4)}, fold4={"a": 95, "b": 5})
    )
    assert found["fold4"]["reference"] == "the other splits"


def test_absent_classes_are_named():
    found = claims(
        dataset_of(train={"a": 300, "b": 300, "rare": 60}, test={"a": 300, "b": 300, "new": 40})
    )
    assert found["test"]["absent"] == ["rare"]
    assert found["train"]["absent"] == ["new"]
    assert LabelShift.message.format(**found["train"]).endswith("; absent: 'new'")


def test_a_class_that_chance_may_leave_out_is_not_named_absent():
    assert not claims(dataset_of(train={"a": 400, "b": 400, "rare": 3}, test={"a": 50, "b": 50}))


def test_small_differences_are_no_news():
    assert not claims(dataset_of(train={"a": 50_000, "b": 50_000}, test={"a": 5_300, "b": 4_700}))
    assert claims(
        dataset_of(train={"a": 50_000, "b": 50_000}, test={"a": 5_300, "b": 4_700}), threshold=0.02
    )


@pytest.mark.parametrize("task", ["regression", "multi-label"])
def test_other_targets_are_not_judged(task):
    assert not claims(dataset_of(task, train={"1": 90, "2": 10}, test={"1": 10, "2": 90}))


def test_one_split_or_one_class_has_nothing_to_compare():
    assert not claims(dataset_of(train={"a": 5, "b": 500}))
    assert not claims(dataset_of(train={"a": 5}, test={"a": 500}))


def test_random_splits_raise_no_alarm():
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        labels = rng.choice(12, 600, p=np.arange(1, 13) / 78)
        splits = rng.permutation(np.repeat(["train", "val", "test"], [420, 60, 120]))
        table = pd.DataFrame(
            {"label": pd.Categorical(labels.astype(str)), "split": pd.Categorical(splits)}
        )
        alarms += bool(claims(Dataset("made-up", table, "classification")))
    assert alarms <= 2


def test_cramers_v():
    table = np.array([[60, 20, 20], [20, 60, 20]])
    plain = association(table, method="cramer")
    assert 0 < cramers_v(table) < plain
    assert cramers_v(table * 10_000) == pytest.approx(plain, abs=1e-4)
    assert cramers_v(np.array([[50, 0], [0, 50]])) == pytest.approx(1.0)
    assert cramers_v(np.array([[50, 50], [50, 50]])) == 0.0
    assert cramers_v(np.array([[5, 0], [7, 0]])) == 0.0


def test_one_class_with_ten_points_more_is_found_at_400_a_side():
    rng = np.random.default_rng(8)
    mix, more = np.full(10, 0.1), np.array([0.2, *[0.8 / 9] * 9])
    found = 0
    for _ in range(20):
        counts = {
            name: rng.multinomial(400, shares) for name, shares in (("train", mix), ("test", more))
        }
        splits = {
            name: {f"c{i}": int(count) for i, count in enumerate(each)}
            for name, each in counts.items()
        }
        found += bool(claims(dataset_of(**splits)))
    assert found >= 15
