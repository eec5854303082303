"""One order of classes: numbers as numbers, all else as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dataprep
from dataprep.cleaning.applying import cleaned_dataset
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.files.stored import read_samples
from dataprep.schemas.text.class_order import class_order, is_text_order
from dataprep.splits.export.views import classes_of


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ("10 9 2 1 0 11", "0 1 2 9 10 11"),
        ("007 10 08", "007 08 10"),
        ("1 01 0", "0 01 1"),
        ("-1 1 0 -10", "-10 -1 0 1"),
        ("2.5 10 0.5", "0.5 2.5 10"),
        ("10 9 none", "10 9 none"),
        ("1e3 9 10", "10 1e3 9"),
        ("nan 9 10", "10 9 nan"),
        ("² 10 9", "10 9 ²"),
        ("123456789012345679 123456789012345678 9", "9 123456789012345678 123456789012345679"),
        ("zebra Apple apple", "Apple apple zebra"),
    ],
)
def test_the_order(names: str, ordered: str) -> None:
    assert class_order(names.split() + names.split()) == tuple(ordered.split())
    assert is_text_order(names.split()) == (sorted(names.split()) == ordered.split())


def test_a_name_of_very_many_digits_is_text() -> None:
    assert class_order(["9" * 30_000, "10", "9"]) == ("10", "9", "9" * 30_000)


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    for name in ("0", "2", "9", "10"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (8, 8), (20 * number, 25 * int(name), 99)).save(
                tmp_path / "images" / name / f"{number}.png"
            )
    return tmp_path / "images"


def test_folders_manifests_and_what_a_stage_left_number_alike(
    numbered: Path, tmp_path: Path
) -> None:
    expected = ("0", "2", "9", "10")
    scanned = dataprep.scan(numbered)
    assert scanned.classes == expected
    listed = tmp_path / "list.csv"
    listed.write_text(
        "path,label\n" + "".join(f"{name},{name.split('/')[0]}\n" for name in scanned.samples.index)
    )
    assert dataprep.scan(numbered, manifest=listed).classes == expected
    several = tmp_path / "several.jsonl"
    several.write_text(
        "".join(
            f'{{"path": "{name}", "label": ["10", "{name[0]}", "2"]}}\n'
            for name in scanned.samples.index
        )
    )
    assert dataprep.scan(numbered, manifest=several).classes == ("0", "1", "2", "9", "10")
    scanned.samples.reset_index().to_parquet(tmp_path / "samples.parquet")
    assert (
        read_samples(str(tmp_path / "samples.parquet"), {"task": "classification"}, "").classes
        == expected
    )
    assert classes_of(Dataset("", scanned.samples, "classification")) == list(expected)


def test_a_class_that_comes_by_a_relabelling_has_its_place(numbered: Path) -> None:
    scanned = dataprep.scan(numbered)
    table = pd.DataFrame(
        {"sample": [scanned.samples.index[0]], "action": ["relabel"], "new_label": ["1"]}
    )
    assert cleaned_dataset(_Plan(table), scanned).classes == ("0", "1", "2", "9", "10")  # type: ignore[arg-type]
    with_probs = scanned.with_arrays(probs=np.zeros((len(scanned), 4), np.float32))
    assert cleaned_dataset(_Plan(table), with_probs).classes == ("0", "2", "9", "10", "1"), (
        "columns of probs stay where they are"
    )  # type: ignore[arg-type]


class _Plan:
    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
