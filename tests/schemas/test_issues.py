"""Batches of claims and their collection."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.schemas.issues import COLUMNS, Issues, batch, evidence_of, faults_table


def test_scalars_repeat_and_arrays_align() -> None:
    claims = batch(
        "dark",
        "warning",
        "sample",
        ["a", "b"],
        figure=[0.1, 0.2],
        unit="luma",
        evidence={"limit": np.float32(0.5)},
    )
    assert list(claims.columns) == list(COLUMNS)
    assert claims["figure"].tolist() == [0.1, 0.2]
    assert claims["unit"].astype(str).tolist() == ["luma", "luma"]
    assert evidence_of(claims["evidence"][0]) == {"limit": 0.5}
    assert claims["confidence"].tolist() == [1.0, 1.0]


def test_evidence_per_claim() -> None:
    claims = batch("dark", "warning", "sample", ["a", "b"], evidence=[{"n": 1}, {"n": 2}])
    assert [evidence_of(text)["n"] for text in claims["evidence"]] == [1, 2]


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(TypeError, match="serverity"):
        batch("dark", "warning", "sample", ["a"], serverity="error")


def test_collect_sorts_worst_and_surest_first() -> None:
    issues = Issues.collect(
        [
            batch("dark", "warning", "sample", ["a", "b"], confidence=[0.2, 0.9]),
            batch("zebra", "error", "sample", ["c"]),
            batch("gps", "info", "sample", []),
        ]
    )
    assert issues.table["target"].tolist() == ["c", "b", "a"]
    assert issues.summary()["check"].tolist() == ["zebra", "dark"]
    assert [issue["target"] for issue in issues] == ["c", "b", "a"]


def test_filters_give_new_issues() -> None:
    issues = Issues.collect(
        [batch("dark", "warning", "sample", ["a"]), batch("broken", "error", "sample", ["b"])]
    )
    assert issues.at_least("error").table["target"].tolist() == ["b"]
    assert issues.of("dark").table["target"].tolist() == ["a"]
    assert len(issues) == 2


def test_no_issues_have_the_same_columns() -> None:
    empty = Issues.collect([])
    assert len(empty) == 0
    assert list(empty.table.columns) == list(COLUMNS)
    assert empty.summary().empty
    assert len(empty.at_least("info")) == 0


def test_a_million_claims_stay_columnar() -> None:
    targets = np.char.add("s", np.arange(200_000).astype(str)).astype(object)
    issues = Issues.collect(
        [batch("dark", "warning", "sample", targets, figure=np.linspace(0, 1, 200_000))]
    )
    assert issues.table.memory_usage(deep=True).sum() < 200 * len(issues)


def test_faults_fill_what_is_not_given() -> None:
    table = faults_table([{"check": "missing-file", "target": "a.jpg", "location": "labels.csv:2"}])
    assert table["evidence"].tolist() == [""]
    assert pd.isna(table["figure"][0])
    assert len(faults_table([])) == 0
