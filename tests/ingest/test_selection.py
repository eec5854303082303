"""Globs, and the quick look."""

from __future__ import annotations

import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.ingest.selection import path_filter

PATHS = (
    "train/cat/1.jpg",
    "train/cat/2.png",
    "val/dog/1.jpg",
    "tmp/1.jpg",
    "train/tmp/x/3.jpg",
    "line\nbreak.jpg",
)


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        (["*.jpg"], [], (0, 2, 3, 4, 5)),
        (["train/*"], [], (0, 1, 4)),
        (["train"], [], (0, 1, 4)),
        (["train/"], ["*.png"], (0, 4)),
        (["./train/**/*.jpg"], [], (0, 4)),
        (["**/*.png"], [], (1,)),
        (["train/*", "val/*"], [], (0, 1, 2, 4)),
        ([], ["tmp"], (0, 1, 2, 5)),
        ([], ["tmp/*"], (0, 1, 2, 4, 5)),
        (["1.jpg"], [], (0, 2, 3)),
        (["*/[12].jpg"], ["val"], (0, 3)),
        (["TRAIN/*"], [], ()),
    ],
)
def test_globs(include, exclude, kept):
    keeps = path_filter(include, exclude)
    assert [path for path in PATHS if keeps(path)] == [PATHS[position] for position in kept]


def test_no_glob_no_filter():
    assert path_filter([], []) is None


@pytest.fixture
def root(tmp_path):
    for name, count in (("big", 80), ("middle", 16), ("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            (tmp_path / name / f"{i}.jpg").write_bytes(b"x")
    return tmp_path


def test_what_globs_leave_out_is_counted(root):
    dataset = dataprep.scan(root, include=["big", "one"], exclude=["1?.jpg"])
    assert (len(dataset), dataset.classes) == (71, ("big", "one"))
    assert dataset.ignored == {"files left out by include and exclude": 28}
    with pytest.raises(InputError, match="include and exclude leave none of the 99 files in"):
        dataprep.scan(root, include=["*.tif"])


def test_globs_on_manifest_rows(root):
    (root / "labels.csv").write_text(
        "path,label\nbig/1.jpg,a\nbig/gone.jpg,a\none/0.jpg,b\none/gone.jpg,b\n"
    )
    dataset = dataprep.scan(
        root, manifest=root / "labels.csv", exclude=["one", "7?.jpg"], include=["big", "one"]
    )
    faults = dataset.faults.groupby("check")["target"].agg(list).to_dict()
    assert faults["missing-file"] == ["big/gone.jpg"]
    assert set(faults["unlisted-file"]) == {f"big/{i}.jpg" for i in range(70)} - {"big/1.jpg"}
    assert dataset.ignored["rows left out by include and exclude"] == 2


def test_a_quick_look_keeps_the_classes_in_proportion(root):
    dataset = dataprep.scan(root, sample=20, seed=3)
    counts = dataset.samples["label"].value_counts()
    assert len(dataset) == 20
    assert counts["one"] == 1
    assert counts["two"] == 1
    assert 3 <= counts["middle"] <= 4
    assert dataset.ignored == {"files left out by the random sample of 20": 79}
    assert list(dataset.samples.index) == sorted(dataset.samples.index)
    assert dataset.classes == ("big", "middle", "one", "two")


def test_a_quick_look_depends_on_the_seed_alone(root):
    def chosen(seed):
        return list(dataprep.scan(root, sample=9, seed=seed).samples.index)

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
    assert len({name for seed in range(40) for name in chosen(seed)}) > 70
    assert len(dataprep.scan(root, sample=1000)) == 99


def test_a_quick_look_at_unlabelled_files(tmp_path):
    for i in range(10):
        (tmp_path / f"{i}.jpg").write_bytes(b"x")
    assert len(dataprep.scan(tmp_path, sample=4)) == 4
