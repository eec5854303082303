"""Groups read from paths: folders below the class, names without their number, regular
expressions.
"""

import pandas as pd
import pytest

from dataprep.errors import OptionError
from dataprep.ingest import scan
from dataprep.ingest.grouping import Grouping, folders_below, grouped, name_key
from dataprep.schemas.dataset import Dataset


def dataset_of(paths, **columns):
    return Dataset(
        "/nowhere", pd.DataFrame(columns, index=pd.Index(paths, name="sample", dtype="str"))
    )


def groups_of(paths, group_by, **columns):
    values = grouped(dataset_of(paths, **columns), group_by).samples["group"]
    return [
        None if missing else value for value, missing in zip(values, values.isna(), strict=True)
    ]


def files(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"x")
    return folder


def test_folders_below_the_class_are_groups_without_class_and_split(tmp_path):
    files(
        tmp_path,
        "train/cat/P1/0.jpg",
        "train/cat/P1/1.jpg",
        "train/dog/P2/0.jpg",
        "test/cat/P1/2.jpg",
        "test/dog/3.jpg",
    )
    dataset = scan(tmp_path, group_by="folder")
    groups = dataset.samples["group"]
    assert groups["train/cat/P1/0.jpg"] == groups["test/cat/P1/2.jpg"] == "P1"
    assert groups["train/dog/P2/0.jpg"] == "P2"
    assert pd.isna(groups["test/dog/3.jpg"])
    assert dataset.notes[-1] == (
        "Groups by folder below the class: 2 groups, 1 of several samples; 1 of 5 samples are in "
        "none, such as test/dog/3.jpg."
    )


@pytest.mark.parametrize(
    ("paths", "labels", "expected"),
    [
        (["a/p1/x/0.jpg", "a/p2/x/1.jpg", "b/p3/0.jpg"], ["a", "a", "b"], ["p1/x", "p2/x", "p3"]),
        (["animal/dog/v1/0.jpg", "plant/oak/v2/0.jpg"], ["dog", "oak"], ["v1", "v2"]),
        (["animal/dog/v1/0.jpg", "plant/oak/v2/0.jpg"], ["animal/dog", "plant/oak"], ["v1", "v2"]),
        (["all/part_1/0.jpg", "all/part_2/1.jpg"], ["nv", "mel"], ["part_1", "part_2"]),
        (["a/Imgs/0.jpg", "b/Imgs/1.jpg"], ["a", "b"], ["", ""]),
        (["0.jpg", "a/1.jpg"], [None, "a"], ["", ""]),
    ],
)
def test_what_lies_below_the_class(paths, labels, expected):
    assert folders_below(dataset_of(paths, label=pd.Categorical(labels))) == expected


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("x/P003b_1.jpg", "P003b"),
        ("00012_00007.ppm", "00012"),
        ("George_Bush_0109.jpg", "George_Bush"),
        ("scan 3 (12).png", "scan 3"),
        ("plastic386.jpg", "plastic"),
        ("0001.jpg", ""),
        ("left.jpg", ""),
        (".hidden", ""),
    ],
)
def test_a_name_without_its_number(name, key):
    assert name_key(name) == key


def test_a_pattern_names_the_group_by_its_first_group_or_the_whole_match():
    paths = ["a/P01_left.jpg", "a/P01_right.jpg", "b/P02_left.jpg", "b/other.jpg"]
    assert groups_of(paths, r"/(P\d+)_") == ["P01", "P01", "P02", None]
    assert groups_of(paths, r"P\d") == ["P0", "P0", "P0", None]
    assert groups_of(["caf\\xe9_1.jpg", "caf\\xe9_2.jpg"], r"(caf.)_") == ["caf\\xe9"] * 2


@pytest.mark.parametrize(
    ("group_by", "words"),
    [
        ("(P", "expected folder, name or a regular expression"),
        ("P[0-9]+", "matches none of the 2 paths, which are such as 'a/x.jpg'"),
        ("folder", "needs folders below the classes, and there are none"),
        ("name", "needs names that end in a number"),
    ],
)
def test_what_groups_nothing_is_an_error_that_shows_the_names(group_by, words):
    with pytest.raises(OptionError, match=words.replace("[", r"\[").replace("+", r"\+")):
        grouped(dataset_of(["a/x.jpg", "b/y.jpg"], label=["a", "b"]), group_by)


def test_the_manifests_own_groups_are_kept_beside(tmp_path):
    files(tmp_path, "a/P1/0.jpg", "a/P2/1.jpg")
    (tmp_path / "m.csv").write_text("path,label,patient\na/P1/0.jpg,x,7\na/P2/1.jpg,y,7\n")
    samples = scan(tmp_path / "m.csv", group_by="folder").samples
    assert list(samples["group"]) == ["P1", "P2"]
    assert list(samples["manifest_group"]) == ["7", "7"]
    with pytest.raises(OptionError, match="exclude each other"):
        scan(tmp_path / "m.csv", group_by="folder", group_column="patient")


def test_the_option_is_quoted_for_a_shell():
    assert Grouping("folder").option == "--group-by folder"
    assert Grouping("regex", "(P\\d+)_").option == "--group-by '(P\\d+)_'"
    assert Grouping("column", "lesion_id").option == "--group-column lesion_id"
