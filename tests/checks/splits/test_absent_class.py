"""Classes that a split lacks are named, however few samples there are."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dataprep.checks.splits.absent_class import AbsentClass
from dataprep.ingest.selection import sample_of
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of
from dataprep.schemas.manifest import faults_of
from tests.checks.splits.test_label_shift import dataset_of


def messages(dataset: Dataset) -> dict[str, str]:
    found = [row for batch in AbsentClass().find(dataset, None) for row in batch.to_dict("records")]
    return {
        row["target"]: AbsentClass.message.format(**row, **evidence_of(row["evidence"]))
        for row in found
    }


def test_a_class_without_a_test_image_is_named() -> None:
    said = messages(dataset_of(train={"0": 12, "90": 12}, val={"0": 4, "90": 4}, test={"90": 4}))
    assert list(said) == ["test"]
    assert "no sample of '0' (16 elsewhere)" in said["test"]
    assert "macro-F1" in said["test"]


def test_a_class_that_training_lacks_cannot_be_predicted() -> None:
    said = messages(dataset_of(train={"a": 5, "b": 5}, test={"a": 2, "b": 2, "new": 1}))
    assert list(said) == ["train"]
    assert said["train"].endswith("a model trained on it cannot predict it")


def test_many_classes_are_counted_and_the_largest_named() -> None:
    said = messages(
        dataset_of(train={f"c{number}": number + 1 for number in range(9)}, test={"c0": 3})
    )
    assert said["test"].startswith("no sample of 'c8' (9 elsewhere), 'c7' (8 elsewhere)")
    assert "and 3 more classes" in said["test"]


def test_each_of_several_labels_counts() -> None:
    table = pd.DataFrame(
        {"split": ["train", "train", "test"], "label": ["a|b", "c", "a|c"]}
    ).astype("category")
    assert messages(Dataset("made-up", table, "multi-label", ("a", "b", "c")))["test"].startswith(
        "no sample of 'b' (1 elsewhere)"
    )


def test_splits_without_labels_and_rows_without_a_split_do_not_count() -> None:
    table = pd.DataFrame(
        {
            "split": ["train", "train", "val", "val", "test", None],
            "label": ["a", "b", "a", "b", None, "c"],
        }
    )
    assert not messages(
        Dataset("made-up", table.astype("category"), "classification", ("a", "b", "c"))
    )


def test_another_spelling_is_not_told_again() -> None:
    table = pd.DataFrame(
        {
            "split": ["train", "train", "train", "test", "test"],
            "label": ["cat", "Cat", "dog", "cat", "dog"],
        }
    )
    faults = faults_of("label-spelling", ["Cat"], value=["cat"])
    assert not messages(
        Dataset(
            "made-up",
            table.astype("category"),
            "classification",
            ("Cat", "cat", "dog"),
            faults=faults,
        )
    )


@pytest.mark.parametrize(
    ("task", "splits"),
    [
        ("classification", {"train": {"a": 3, "b": 3}, "test": {"a": 1, "b": 1}}),
        ("classification", {"train": {"a": 3, "b": 3}}),
        ("regression", {"train": {"1": 3, "2": 3}, "test": {"1": 1}}),
    ],
)
def test_nothing_is_said_where_nothing_is_lacking(task: str, splits: dict[str, Any]) -> None:
    assert not messages(dataset_of(task, **splits))


def test_a_random_sample_is_not_judged() -> None:
    whole = dataset_of(train={"a": 30, "b": 30}, test={"a": 30, "b": 1})
    assert not AbsentClass().lacks(whole, None)  # type: ignore[arg-type]
    assert AbsentClass().lacks(sample_of(whole, 10, 0), None) == ["all files, not a random sample"]  # type: ignore[arg-type]
