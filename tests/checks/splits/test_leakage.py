"""Leakage: which samples, which groups, and what share of each split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.duplicates.pairs import Duplicates
from dataprep.checks.splits.group_leakage import GroupLeakage
from dataprep.checks.splits.split_leakage import SplitLeakage
from dataprep.reports.messages import render
from dataprep.schemas.dataset import Dataset


class FixedLook:
    """Rows 0, 1 and 2 are duplicates, kept: 1; rows 3 and 4 are, kept: 3."""

    def duplicates(self) -> Duplicates:
        columns = {"a": [0, 1, 3], "b": [1, 2, 4], "confidence": [0.9, 0.95, 1.0]}
        pairs = pd.DataFrame(columns).assign(kind="near", relation="B is A mirrored")
        keep = np.array([False, True, False, True, False, True])
        return Duplicates(pairs, np.array([0, 0, 0, 1, 1, -1]), keep)


def dataset(**columns: list[str | None]) -> Dataset:
    table = pd.DataFrame(
        columns, index=pd.Index([f"{i}.jpg" for i in range(6)], name="sample")
    ).astype("category")
    return Dataset("nowhere", table)


def texts(check: SplitLeakage | GroupLeakage, claims: pd.DataFrame) -> list[str]:
    return render(claims, {check.code: check.message})


def test_duplicates_across_splits() -> None:
    data = dataset(split=["test", "train", "train", "val", "val", "test"])
    shares, pairs = SplitLeakage().find(data, FixedLook())
    assert dict(zip(shares["target"], shares["figure"], strict=True)) == {"test": 0.5, "train": 1.0}
    assert texts(SplitLeakage(), shares)[0].startswith(
        "1 of 2 samples in test (50.0%) have a duplicate in another split; for example "
    )
    assert pairs[["target", "related"]].to_numpy().tolist() == [["0.jpg", "1.jpg"]]
    assert pairs["confidence"].tolist() == [pytest.approx(0.9)]
    assert texts(SplitLeakage(), pairs) == ["in test; its duplicate is in train: 1.jpg"]


def test_no_duplicates_across_splits() -> None:
    assert list(SplitLeakage().find(dataset(split=["train"] * 3 + ["val"] * 3), FixedLook())) == []


def test_rows_without_a_split_do_not_count() -> None:
    assert (
        list(
            SplitLeakage().find(
                dataset(split=["train", None, "train", None, "val", "test"]), FixedLook()
            )
        )
        == []
    )


def test_groups_across_splits() -> None:
    data = dataset(
        split=["train", "train", "test", "train", "test", "test"],
        group=["x", "x", "x", "y", "z", None],
    )
    shares, groups = GroupLeakage().find(data, FixedLook())
    assert dict(zip(shares["target"], shares["figure"], strict=True)) == {
        "test": 0.5,
        "train": pytest.approx(2 / 3),
    }
    assert groups["target"].tolist() == ["x"]
    assert groups["scope"].tolist() == ["slice"]
    assert texts(GroupLeakage(), groups) == ["in several splits: test 1, train 2"]


def test_groups_within_splits() -> None:
    data = dataset(split=["train"] * 3 + ["test"] * 3, group=["x", "x", "y", "z", "z", None])
    assert list(GroupLeakage().find(data, FixedLook())) == []
