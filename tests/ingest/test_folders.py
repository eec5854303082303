"""Folders of every usual layout, and everything else that lies in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.schemas.files.writing import mark_output


def fill(root: Path, *paths: str) -> Path:
    for path in paths:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"not opened by scan")
    return root


def rows(dataset: dataprep.Dataset, *columns: str) -> dict[str, tuple]:
    given = [
        dataset.samples[column].astype(object).where(dataset.samples[column].notna(), None)
        for column in columns
    ]
    return dict(zip(dataset.samples.index, zip(*given, strict=True), strict=True))


def faults(dataset: dataprep.Dataset) -> dict[str, list[str]]:
    return {code: part["target"].tolist() for code, part in dataset.faults.groupby("check")}


def test_class_folders(tmp_path):
    dataset = dataprep.scan(
        fill(tmp_path, "cat/1.jpg", "cat/deeper/2.jpg", "dog/1.png", "dog/no extension")
    )
    assert rows(dataset, "label") == {
        "cat/1.jpg": ("cat",),
        "cat/deeper/2.jpg": ("cat",),
        "dog/1.png": ("dog",),
        "dog/no extension": ("dog",),
    }
    assert (dataset.task, dataset.classes, dataset.root) == (
        "classification",
        ("cat", "dog"),
        str(tmp_path),
    )
    assert "split" not in dataset.samples
    assert not len(dataset.faults)


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_split_folders(tmp_path, name):
    dataset = dataprep.scan(
        fill(tmp_path, "train/cat/1.jpg", f"{name}/cat/2.jpg", "test/dog/3.jpg")
    )
    assert (
        rows(dataset, "split", "label")
        == {
            "test/dog/3.jpg": ("test", "dog"),
            "train/cat/1.jpg": ("train", "cat"),
            f"{name}/cat/2.jpg": ("val", "cat"),
        }
        if name != "Validation"
        else {
            "Validation/cat/2.jpg": ("val", "cat"),
            "test/dog/3.jpg": ("test", "dog"),
            "train/cat/1.jpg": ("train", "cat"),
        }
    )


def test_splits_inside_classes(tmp_path):
    dataset = dataprep.scan(
        fill(tmp_path, "cat/train/1.jpg", "cat/test/2.jpg", "dog/train/x/3.jpg")
    )
    assert rows(dataset, "split", "label") == {
        "cat/test/2.jpg": ("test", "cat"),
        "cat/train/1.jpg": ("train", "cat"),
        "dog/train/x/3.jpg": ("train", "dog"),
    }


def test_splits_without_classes(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "train/1.jpg", "test/2.jpg"))
    assert rows(dataset, "split") == {"test/2.jpg": ("test",), "train/1.jpg": ("train",)}
    assert dataset.task == "none"


def test_a_lone_folder_around_everything_is_looked_through(tmp_path):
    dataset = dataprep.scan(
        fill(tmp_path, "download/photos/train/cat/1.jpg", "download/photos/test/dog/2.jpg")
    )
    assert rows(dataset, "split", "label") == {
        "download/photos/test/dog/2.jpg": ("test", "dog"),
        "download/photos/train/cat/1.jpg": ("train", "cat"),
    }


def test_classes_that_are_called_like_a_split_stay_classes(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "train/1.jpg", "bus/2.jpg", "plane/3.jpg"))
    assert dataset.classes == ("bus", "plane", "train")


def test_an_odd_folder_beside_splits_is_an_unknown_split(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "train/cat/1.jpg", "test/cat/2.jpg", "tests/dog/3.jpg"))
    assert dataset.samples.loc["tests/dog/3.jpg", "split"] == "tests"
    fault = dataset.faults.iloc[0]
    assert (fault["check"], fault["target"], fault["value"], fault["figure"]) == (
        "unknown-split",
        "tests",
        "test",
        1,
    )


def test_one_flat_folder_is_unlabelled(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "1.jpg", "2.jpg"))
    assert (len(dataset), dataset.task, dataset.classes) == (2, "none", ())
    assert list(dataset.samples.columns) == []


def test_one_image(tmp_path):
    assert list(dataprep.scan(fill(tmp_path, "only.jpg")).samples.index) == ["only.jpg"]


@pytest.mark.parametrize("name", ["images", "IMG", "data"])
def test_a_folder_of_the_images_is_no_class(tmp_path, name):
    assert dataprep.scan(fill(tmp_path, f"{name}/1.jpg", f"{name}/2.jpg")).task == "none"


def test_a_folder_beside_many_loose_files_is_no_class(tmp_path):
    assert (
        dataprep.scan(fill(tmp_path, "1.jpg", "2.jpg", "3.jpg", "a/4.jpg", "b/5.jpg")).task
        == "none"
    )


def test_loose_files_beside_class_folders_are_unlabelled_and_said_so(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "cat/1.jpg", "dog/2.jpg", "dog/3.jpg", "loose.jpg"))
    assert rows(dataset, "label")["loose.jpg"] == (None,)
    assert faults(dataset) == {"empty-label": ["loose.jpg"]}
    assert dataset.classes == ("cat", "dog")


def test_class_folders_that_are_spelled_twice(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "cat/1.jpg", "cat/2.jpg", "Cat /3.jpg", "dog/4.jpg"))
    fault = dataset.faults.iloc[0]
    assert (fault["check"], fault["target"], fault["value"]) == ("label-spelling", "Cat ", "cat")


def test_junk_is_passed_over_and_counted(tmp_path):
    fill(
        tmp_path,
        "cat/1.jpg",
        "cat/Thumbs.db",
        "dog/2.jpg",
        ".DS_Store",
        "__MACOSX/cat/._1.jpg",
        "dog/._2.jpg",
        "desktop.ini",
        ".git/3.jpg",
        ".ipynb_checkpoints/4.jpg",
        "notes.TXT",
        "labels.csv",
        "more.tar.gz",
        "README",
        "dog/.hidden.jpg",
    )
    dataset = dataprep.scan(tmp_path)
    assert list(dataset.samples.index) == ["cat/1.jpg", "dog/2.jpg"]
    assert dataset.ignored == {
        "Thumbs.db": 1,
        ".DS_Store": 1,
        "__MACOSX": 1,
        "._* (macOS resource forks)": 1,
        "desktop.ini": 1,
        "hidden folders": 2,
        "other files (.txt)": 1,
        "tables, which --manifest reads (.csv)": 1,
        "archives, not opened (.tar.gz)": 1,
        "other files (README)": 1,
        "hidden files": 1,
    }


def test_folders_that_dataprep_wrote_are_passed_over_but_not_as_the_source(tmp_path):
    fill(tmp_path, "cat/1.jpg", "out/clean/cat/1.jpg")
    mark_output(tmp_path / "out")
    assert list(dataprep.scan(tmp_path).samples.index) == ["cat/1.jpg"]
    assert dataprep.scan(tmp_path).ignored == {"folders written by dataprep": 1}
    assert len(dataprep.scan(tmp_path / "out")) == 1


NAMES = [
    "with space.jpg",
    "new\nline.jpg",
    "naïve.jpg",
    "quote'\".jpg",
    r"back\x41slash.jpg",
    "-dash.jpg",
    "a;b,c.jpg",
]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [*map(os.fsencode, NAMES), b"latin-\xe9.jpg", b"\xff\xfe"])
def test_any_name_is_found_again(tmp_path, name):
    folder = os.fsencode(tmp_path) + b"/cl\xe9ss"
    os.mkdir(folder)
    for each in (name, b"other.jpg"):
        with open(folder + b"/" + each, "wb") as file:
            file.write(each)
    os.mkdir(os.fsencode(tmp_path) + b"/other")
    (tmp_path / "other" / "1.jpg").write_bytes(b"x")
    dataset = dataprep.scan(tmp_path)
    assert dataset.classes == (r"cl\xe9ss", "other")
    contents = set()
    for sample in dataset.samples.index:
        sample.encode("utf-8")
        with open(dataset.path(sample), "rb") as file:
            contents.add(file.read())
    assert contents == {name, b"other.jpg", b"x"}


def test_nothing_is_opened(tmp_path, monkeypatch):
    fill(tmp_path, "cat/1.jpg", "dog/2.jpg")

    def refuse(*args, **options):
        raise AssertionError(f"opened {args[0]}")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(os, "open", refuse)
    assert len(dataprep.scan(tmp_path)) == 2


def test_unreadable_folders_are_faults(tmp_path, monkeypatch):
    fill(tmp_path, "cat/1.jpg", "dog/2.jpg", "locked/3.jpg")
    real = os.scandir

    def scandir(path):
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    dataset = dataprep.scan(tmp_path)
    assert len(dataset) == 2
    assert faults(dataset) == {"unreadable-folder": ["locked"]}
    assert "Permission denied" in dataset.faults["evidence"].iloc[0]
    with pytest.raises(InputError, match="cannot read the folder .*locked: Permission denied"):
        dataprep.scan(tmp_path / "locked")


def test_a_missing_folder_names_the_nearest(tmp_path):
    fill(tmp_path, "images/1.jpg")
    with pytest.raises(InputError, match=r"there is no folder .*imagse\. Did you mean 'images'\?"):
        dataprep.scan(tmp_path / "imagse")
    with pytest.raises(
        InputError, match=r"there is no folder .*far \(nor .*\); the working folder is"
    ):
        dataprep.scan(tmp_path / "nowhere" / "far")


def test_a_file_is_not_a_folder(tmp_path):
    fill(tmp_path, "1.jpg")
    with pytest.raises(
        InputError, match=r"1\.jpg is not a folder: give a folder of images, a manifest"
    ):
        dataprep.scan(tmp_path / "1.jpg")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "no image files in .*, found nothing at all"),
        (
            ["a.txt", "b.txt", "c.txt", "d.csv"],
            r"found 3 other files \(.txt\), 1 tables, which --manifest reads \(.csv\)",
        ),
        (["photos.zip"], r"found 1 archives, not opened \(.zip\). Unpack the archives first"),
    ],
)
def test_an_empty_folder_says_what_it_holds(tmp_path, names, says):
    with pytest.raises(InputError, match=says):
        dataprep.scan(fill(tmp_path, *names))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a.zip", "unzip a.zip -d a"),
        ("b.tar.gz", "tar -xf b.tar.gz -C b"),
        ("c.7z", "7z x c.7z -oc"),
        ("d.RAR", "unrar x d.RAR d/"),
    ],
)
def test_archives_are_refused_with_the_command_that_unpacks_them(tmp_path, name, command):
    with pytest.raises(InputError, match="archives are not opened") as error:
        dataprep.scan(fill(tmp_path, name) / name)
    assert command in str(error.value)


def test_nothing_to_scan():
    with pytest.raises(InputError, match="nothing to scan"):
        dataprep.scan(None)


FRUIT = (
    "train/Fruit/Apple/Pink-Lady/1.jpg",
    "train/Fruit/Apple/Braeburn/2.jpg",
    "train/Vegetable/Carrot/Nantes/3.jpg",
    "test/Fruit/Pear/Conference/4.jpg",
    "test/Vegetable/Leek/Musselburgh/5.jpg",
)


@pytest.mark.parametrize("around", ["", "download/", "data/images/"])
@pytest.mark.parametrize(
    ("label_from", "classes"),
    [
        (None, ("Fruit", "Vegetable")),
        ("first", ("Fruit", "Vegetable")),
        ("1", ("Fruit", "Vegetable")),
        ("2", ("Apple", "Carrot", "Leek", "Pear")),
        ("leaf", ("Braeburn", "Conference", "Musselburgh", "Nantes", "Pink-Lady")),
        (
            "path",
            (
                "Fruit/Apple/Braeburn",
                "Fruit/Apple/Pink-Lady",
                "Fruit/Pear/Conference",
                "Vegetable/Carrot/Nantes",
                "Vegetable/Leek/Musselburgh",
            ),
        ),
    ],
)
def test_the_level_of_folders_that_names_the_class(tmp_path, around, label_from, classes):
    dataset = dataprep.scan(
        fill(tmp_path, *(around + path for path in FRUIT)), label_from=label_from
    )
    assert (dataset.task, dataset.classes) == ("classification", classes)
    assert set(dataset.samples["split"]) == {"train", "test"}
    if label_from is None:
        assert dataset.notes == (
            "Classes are the first level of folders (2 classes: Fruit, Vegetable); level 2 has 4 "
            "folders (Apple, Carrot, "
            "Leek and 1 more), level 3 has 5 folders (Braeburn, Conference, "
            "Musselburgh and 2 more): --label-from 2 or --label-from leaf "
            "takes those instead.",
        )
    else:
        assert dataset.notes == ()


@pytest.mark.parametrize(
    "paths",
    [
        ("cat/1.jpg", "dog/2.jpg"),
        ("cat/train/1.jpg", "cat/test/2.jpg", "dog/train/3.jpg", "dog/test/4.jpg"),
        ("cat/1.jpg", "cat/odd/2.jpg", "dog/3.jpg"),
        ("cat/images/1.jpg", "dog/images/2.jpg"),
        ("cat/images/1.jpg", "dog/img/2.jpg"),
        ("1.jpg", "2.jpg"),
    ],
)
def test_nothing_is_said_of_levels_where_there_is_one(tmp_path, paths):
    assert dataprep.scan(fill(tmp_path, *paths)).notes == ()


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set", "test_set"),
        ("train_images", "test_images"),
        ("images-train", "images-val"),
        ("seg_train", "seg_test"),
        ("training_set/training_set", "test_set/test_set"),
        ("Train Data", "Test Data"),
    ],
)
def test_splits_by_other_names(tmp_path, train, test):
    dataset = dataprep.scan(
        fill(tmp_path, f"{train}/cat/1.jpg", f"{train}/dog/2.jpg", f"{test}/cat/3.jpg")
    )
    assert dataset.classes == ("cat", "dog")
    assert dataset.samples["split"].value_counts().to_dict() == {
        "train": 2,
        "val" if "val" in test else "test": 1,
    }


@pytest.mark.parametrize(
    "classes",
    [
        ("express train", "toy train"),
        ("train", "bus"),
        ("model train", "model bus"),
        ("test tube", "dev board"),
        ("toy train",),
        ("training shoe", "running shoe"),
        ("set", "images set"),
    ],
)
def test_classes_with_words_of_splits_stay_classes(tmp_path, classes):
    dataset = dataprep.scan(
        fill(tmp_path, *(f"{name}/{i}.jpg" for name in classes for i in range(2)))
    )
    assert dataset.classes == tuple(sorted(classes))
    assert "split" not in dataset.samples


def test_levels_where_splits_lie_between(tmp_path):
    fill(
        tmp_path,
        "bottle/train/good/1.jpg",
        "bottle/test/broken/2.jpg",
        "cable/train/good/3.jpg",
        "cable/test/bent/4.jpg",
    )
    assert dataprep.scan(tmp_path).classes == ("bottle", "cable")
    dataset = dataprep.scan(tmp_path, label_from="leaf")
    assert dataset.classes == ("bent", "broken", "good")
    assert dataset.samples["split"].tolist() == ["test", "train", "test", "train"]


@pytest.mark.parametrize("name", ["images", "img", "data"])
def test_a_folder_of_the_images_inside_the_splits_is_looked_through(tmp_path, name):
    dataset = dataprep.scan(
        fill(
            tmp_path, f"train/{name}/cat/1.jpg", f"train/{name}/dog/2.jpg", f"test/{name}/cat/3.jpg"
        )
    )
    assert rows(dataset, "split", "label") == {
        f"test/{name}/cat/3.jpg": ("test", "cat"),
        f"train/{name}/cat/1.jpg": ("train", "cat"),
        f"train/{name}/dog/2.jpg": ("train", "dog"),
    }
    assert (
        dataprep.scan(fill(tmp_path / "flat", f"train/{name}/1.jpg", f"test/{name}/2.jpg")).task
        == "none"
    )


def test_files_above_the_level_have_no_label(tmp_path):
    dataset = dataprep.scan(fill(tmp_path, "a/b/1.jpg", "a/2.jpg", "c/d/3.jpg"), label_from="2")
    assert rows(dataset, "label") == {"a/2.jpg": (None,), "a/b/1.jpg": ("b",), "c/d/3.jpg": ("d",)}
    assert faults(dataset) == {"empty-label": ["a/2.jpg"]}


@pytest.mark.parametrize(
    ("level", "has"), [("3", "2 levels of folders"), ("99", "2 levels of folders")]
)
def test_a_level_that_is_not_there(tmp_path, level, has):
    fill(tmp_path, "a/b/1.jpg", "c/d/2.jpg")
    with pytest.raises(
        InputError,
        match=f"label_from: {level} names a level of folders that is not there; the pictures lie "
        f"in {has}",
    ):
        dataprep.scan(tmp_path, label_from=level)
    with pytest.raises(InputError, match="the pictures lie in no folders"):
        dataprep.scan(fill(tmp_path / "flat", "1.jpg"), label_from="leaf")


def test_the_level_in_lists_of_files(tmp_path):
    fill(tmp_path, "a/b/1.jpg", "a/c/2.jpg")
    assert dataprep.scan(tmp_path, files=["a/b/1.jpg", "a/c/2.jpg"], label_from="leaf").classes == (
        "b",
        "c",
    )
