"""Tables and lists of a split, as Hugging Face's image folder and YOLO read them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from dataprep.errors import InputError, OptionError
from dataprep.schemas.files.writing import mark_output
from dataprep.schemas.split import Split
from dataprep.splits.export.files import quoted, write_manifest
from dataprep.splits.export.materialising import materialise
from tests.splits.materials import make_split

NAMES = ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/3.jpg", "c/1.jpg", "c/4.jpg"]
PARTS = ["train", "train", "train", "val", "val", "test"]
LABELS = ["cat", "dog", "cat", "dog", "cat", "cat"]


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return make_split(tmp_path / "images", NAMES, PARTS, LABELS)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("m.csv", pd.read_csv),
        ("m.parquet", pd.read_parquet),
        ("m.jsonl", lambda path: pd.read_json(path, lines=True)),
    ],
)
def test_a_manifest_has_a_row_for_each_sample(
    split: Split, tmp_path: Path, name: str, read: Any
) -> None:
    split = replace(split, dataset=split.dataset.assign(site=list("xxyyzz"), luma_mean=0.5))
    rows = read(write_manifest(split, tmp_path / name))
    assert rows[["path", "label", "split", "unit", "site"]].astype(str).to_numpy().tolist() == [
        [sample, label, part, sample, site]
        for sample, label, part, site in zip(NAMES, LABELS, PARTS, "xxyyzz", strict=True)
    ]
    assert "luma_mean" not in rows


def test_a_manifest_lies_outside_the_images_and_has_a_known_kind(
    split: Split, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=r"\.csv, \.parquet, \.jsonl"):
        write_manifest(split, tmp_path / "m.txt")
    with pytest.raises(InputError, match="never written"):
        write_manifest(split, tmp_path / "images" / "m.csv")
    mark_output(tmp_path / "images" / "out")
    assert os.path.exists(write_manifest(split, tmp_path / "images" / "out" / "m.csv"))


def test_hugging_face_tables_stand_beside_their_images(split: Split, tmp_path: Path) -> None:
    materialise(split, tmp_path / "new", "huggingface")
    train = pd.read_csv(tmp_path / "new/train/metadata.csv")
    assert train.columns.tolist() == ["file_name", "label", "unit"]
    assert train.to_numpy().tolist() == [
        ["1.jpg", "cat", "a/1.jpg"],
        ["2.jpg", "dog", "a/2.jpg"],
        ["1-2.jpg", "cat", "b/1.jpg"],
    ]
    for row in train.itertuples():
        assert (
            tmp_path / "new/train" / row.file_name
        ).read_bytes() == f"content of {row.unit}".encode()


def test_the_card_names_every_part_so_that_none_is_taken_for_training_data(tmp_path: Path) -> None:
    parts = ["train", "train", "fold 1", "site: B", "site: B", "test"]
    split = make_split(tmp_path / "images", NAMES, parts, LABELS)
    materialise(split, tmp_path / "new", "huggingface")
    front = (tmp_path / "new/README.md").read_text().split("---\n")[1]
    (configuration,) = yaml.safe_load(front)["configs"]
    found = {each["split"]: each["path"] for each in configuration["data_files"]}
    assert found == {
        "fold_1": "fold 1/**",
        "site__B": "site_ B/**",
        "test": "test/**",
        "train": "train/**",
    }
    for pattern in found.values():
        assert (tmp_path / "new" / pattern[:-3] / "metadata.csv").exists()


def test_columns_that_would_mean_something_else_to_the_reader_are_renamed(
    split: Split, tmp_path: Path
) -> None:
    split = replace(
        split,
        dataset=split.dataset.assign(image=1, file_name="x", mask_file_name="y", profile_name="z"),
    )
    materialise(split, tmp_path / "new", "huggingface")
    columns = pd.read_csv(tmp_path / "new/val/metadata.csv").columns.tolist()
    assert columns == [
        "file_name",
        "label",
        "unit",
        "image_",
        "file_name_",
        "mask_file_name_",
        "profile_name",
    ]


@pytest.mark.parametrize(
    "ages",
    [
        [1, 2, 3, 4, 5, None],
        [1.0, 2.0, 3.0, None, None, 6.0],
        ["1", "2", "3", "x", "5", "6"],
        [1, "b", None, (2,), 5, 6],
    ],
)
def test_tables_that_would_be_read_with_other_types_elsewhere_hold_their_types(
    split: Split, tmp_path: Path, ages: Any
) -> None:
    split = replace(split, dataset=split.dataset.assign(age=ages))
    made = materialise(split, tmp_path / "new", "huggingface")
    assert "metadata.parquet" in made.notes[0]
    tables = [
        pd.read_parquet(tmp_path / f"new/{part}/metadata.parquet")
        for part in ("train", "val", "test")
    ]
    assert len({str(table.dtypes.to_dict()) for table in tables}) == 1
    found = [age for table in tables for age in table["age"].dropna()]
    assert list(map(type(found[0]), filter(lambda age: age is not None, ages))) == found
    assert not list((tmp_path / "new").rglob("metadata.csv"))


@pytest.mark.parametrize("labels", [["NA", "b"], ["007", "8"], ["1.50", "2"], ["True", "b"]])
def test_labels_that_csv_would_change_are_kept(tmp_path: Path, labels: Any) -> None:
    split = make_split(tmp_path / "images", NAMES, PARTS, labels * 3)
    materialise(split, tmp_path / "new", "huggingface")
    found = [
        each
        for part in ("train", "val", "test")
        for each in _table(tmp_path / "new" / part)["label"]
    ]
    assert found == labels * 3


def _table(folder: Path) -> pd.DataFrame:
    """As the reader has it: Parquet with its types, CSV with those that pandas infers."""
    path = folder / "metadata.parquet"
    return pd.read_parquet(path) if path.exists() else pd.read_csv(folder / "metadata.csv")


def test_several_labels_are_a_list(tmp_path: Path) -> None:
    split = make_split(
        tmp_path / "images", NAMES, PARTS, ["a|b", "a", "b", "a", "b", "a"], "multi-label"
    )
    materialise(split, tmp_path / "new", "huggingface")
    assert [
        list(each) for each in pd.read_parquet(tmp_path / "new/train/metadata.parquet")["label"]
    ] == [["a", "b"], ["a"], ["b"]]


def test_figures_stay_figures(tmp_path: Path) -> None:
    split = make_split(
        tmp_path / "images", NAMES, PARTS, [1.5, 2.0, 3.5, 4.5, 5.5, 6.5], "regression"
    )
    materialise(split, tmp_path / "new", "huggingface")
    assert pd.read_csv(tmp_path / "new/train/metadata.csv")["label"].tolist() == [1.5, 2.0, 3.5]


def test_yolo_reads_lists_of_absolute_paths_and_the_names_of_classes(
    split: Split, tmp_path: Path
) -> None:
    made = materialise(split, tmp_path / "new", "yolo")
    data = yaml.safe_load((tmp_path / "new/data.yaml").read_text())
    assert data == {
        "path": str(tmp_path / "new"),
        "train": "train.txt",
        "val": "val.txt",
        "test": "test.txt",
        "nc": 2,
        "names": {0: "cat", 1: "dog"},
    }
    listed = (tmp_path / "new/train.txt").read_text().splitlines()
    assert listed == [str(tmp_path / "images" / name) for name in NAMES[:3]]
    assert "--as folders" in made.notes[0]


def test_yolo_knows_other_words_for_val(tmp_path: Path) -> None:
    parts = ["train", "train", "train", "validation", "site B", "test"]
    materialise(
        make_split(tmp_path / "images", NAMES, parts, LABELS, "detection"), tmp_path / "new", "yolo"
    )
    data = yaml.safe_load((tmp_path / "new/data.yaml").read_text())
    assert (data["val"], data["site B"]) == ("validation.txt", "site B.txt")


@pytest.mark.skipif(os.name == "nt", reason="names that Windows does not have")
@pytest.mark.parametrize(
    "name", ["a\nb.jpg", "a\u2028b.jpg", "a\x0bb.jpg", "tail.jpg ", os.fsdecode(b"caf\xe9.jpg")]
)
def test_paths_that_cannot_stand_in_a_list_are_refused_by_name(tmp_path: Path, name: str) -> None:
    split = make_split(tmp_path / "images", [*NAMES, name], [*PARTS, "train"], [*LABELS, "cat"])
    with pytest.raises(OptionError, match="cannot stand in a list of paths") as refusal:
        materialise(split, tmp_path / "new", "yolo")
    assert "images/" in str(refusal.value)
    assert "a/1.jpg" not in str(refusal.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text",
    [
        "cat",
        "yes",
        "1",
        "a: b # c",
        'say "hi"',
        "new\nline",
        "\x85\u2028\x07",
        "\U0001f600 é",
        "- x",
        "",
    ],
)
def test_yaml_reads_back_what_was_written(text: str) -> None:
    assert yaml.safe_load(f"key: {quoted(text)}") == {"key": text}


def test_tables_tell_types_apart_in_every_block_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader takes the types of the first block of rows for those of all."""
    monkeypatch.setattr("dataprep.splits.export.files._CHUNK", 2)
    split = make_split(
        tmp_path / "images", NAMES, ["train"] * 6, LABELS, age=[1.0, 2.0, 3.0, 4.0, np.nan, np.nan]
    )
    assert materialise(split, tmp_path / "new", "huggingface").notes


def test_a_file_of_the_users_is_not_overwritten(split: Split, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match="give --force"):
        write_manifest(split, path)
    assert path.read_text() == "mine"
    write_manifest(split, path, force=True)
    write_manifest(split, path)
    assert len(path.read_text().splitlines()) == 1 + len(split.dataset)
