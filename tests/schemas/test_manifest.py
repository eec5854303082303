"""The manifest contract, on tables made by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.schemas.issues import FAULT_COLUMNS
from dataprep.schemas.manifest import Manifest, split_of, unknown_split_faults

FILES = [f"f{i}.jpg" for i in range(6)]


def manifest(
    rows: list[tuple], columns: tuple[str, ...] = ("path", "sample", "label", "split"), **more
) -> Manifest:
    table = pd.DataFrame(rows, columns=list(columns)).astype({"path": "str", "sample": "str"})
    for name in ("label", "split"):
        if name in table:
            table[name] = pd.Categorical(table[name])
    table.insert(0, "row", np.arange(2, len(rows) + 2))
    table.insert(0, "place", pd.array(["m.csv"] * len(rows), dtype="str"))
    return Manifest(table, **more)


@pytest.mark.parametrize(
    ("written", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        (" VAL ", "val"),
        ("valid", "val"),
        ("validation", "val"),
        ("dev", "val"),
        ("TEST", "test"),
        ("fold3", "fold3"),
        ("fold_3", "fold_3"),
        ("0", "0"),
        ("Split 2", "Split 2"),
        ("k-fold 1", "k-fold 1"),
        ("tset", ""),
        ("holdout", ""),
        ("", ""),
        ("train2", ""),
        ("2024", ""),
        ("unlabeled", ""),
    ],
)
def test_splits(written, split):
    assert split_of(written) == split


def test_unknown_splits_come_with_the_nearest():
    faults = unknown_split_faults({"train": 5, "tset": 2, "extra": 1}, {"tset": "m.csv:3"})
    assert faults[["target", "value", "figure", "location"]].values.tolist() == [
        ["extra", "", 1.0, ""],
        ["tset", "test", 2.0, "m.csv:3"],
    ]


def test_a_clean_manifest_has_no_violations():
    clean = manifest([(name, name, "ab"[i % 2], "train") for i, name in enumerate(FILES)])
    violations = clean.violations()
    assert not len(violations)
    assert tuple(violations.columns) == FAULT_COLUMNS
    assert list(clean.samples().columns) == ["label", "split"]
    assert list(clean.samples().index) == FILES


def test_a_conflict_says_what_differs():
    rows = [
        ("a", "a", "cat", "train"),
        ("./a", "a", "dog", "test"),
        ("a", "a", "cat", "train"),
        ("a", "a", None, "val"),
    ]
    faults = manifest(rows).violations()
    conflicts = faults[faults["check"] == "conflicting-rows"]
    assert [json.loads(text)["what"] for text in conflicts["evidence"]] == [
        "label 'cat' and 'dog', split 'train' and 'test'",
        "split 'train' and 'val'",
    ]
    assert conflicts["location"].tolist() == ["m.csv:3", "m.csv:5"]
    assert faults[faults["check"] == "duplicate-row"]["location"].tolist() == ["m.csv:4"]


def test_the_first_row_with_a_label_speaks_for_the_file():
    rows = [
        ("a", "a", None, "train"),
        ("a", "a", "cat", "train"),
        ("a", "a", "dog", "train"),
        ("b", "b", None, "train"),
    ]
    samples = manifest(rows).samples()
    assert samples["label"].astype("str").fillna("").to_dict() == {"a": "cat", "b": ""}


def test_a_split_without_any_label_is_meant_so():
    rows = [
        ("a", "a", "x", "train"),
        ("b", "b", None, "train"),
        ("c", "c", None, "test"),
        ("d", "d", None, "test"),
    ]
    faults = manifest(rows).violations()
    assert faults[["check", "target"]].values.tolist() == [["empty-label", "b"]]
    unlabelled = manifest([("a", "a", None), ("b", "b", None)], ("path", "sample", "label"))
    assert not len(unlabelled.violations())


def test_violations_do_not_change_the_table():
    rows = [("a", "a", "x", "tset"), ("a", "a", "y", "train"), ("gone", "", None, "train")]
    held = manifest(rows)
    before = held.table.copy(deep=True)
    held.violations()
    held.samples()
    pd.testing.assert_frame_equal(held.table, before)


ROW = st.tuples(
    st.sampled_from(["", *FILES]),
    st.sampled_from([None, "zebra", "horse", "apple"]),
    st.sampled_from([None, "train", "tset"]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ROW, max_size=12),
    st.lists(st.sampled_from(["u1.jpg", "u2.jpg"]), unique=True, max_size=2),
)
def test_every_violation_exactly_once(rows, unlisted):
    """Held against a plain loop over the rows."""
    held = manifest(
        [(sample or "gone", sample, label, split) for sample, label, split in rows],
        unlisted=unlisted,
    )
    expected = [("unlisted-file", name) for name in unlisted]
    first: dict[str, tuple] = {}
    labelled_splits = {split or "" for _, label, split in rows if label}
    for sample, label, split in rows:
        if not label and (split or "") in labelled_splits:
            expected.append(("empty-label", sample or "gone"))
        if not sample:
            expected.append(("missing-file", "gone"))
        elif sample in first:
            differs = any(
                a and b and a != b for a, b in zip(first[sample], (label, split), strict=True)
            )
            expected.append(("conflicting-rows" if differs else "duplicate-row", sample))
        else:
            first[sample] = (label, split)
    expected += [("unknown-split", "tset")] * any(split == "tset" for _, _, split in rows)
    found = held.violations()
    assert sorted(zip(found["check"], found["target"], strict=True)) == sorted(expected)
    assert sorted(held.samples().index) == sorted(first)
