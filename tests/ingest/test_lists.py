"""Lists of images beside them: told, and read together with their names as splits."""

from __future__ import annotations

from pathlib import Path

import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.ingest.lists import manifests_of

PARTS = {"train": (0, 1, 2), "val": (3,), "test": (4, 5)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for row in range(6):
        (tmp_path / "images" / f"{row}.jpg").write_bytes(b"not opened by scan")
    for part, rows in PARTS.items():
        (tmp_path / f"{part}.txt").write_text(
            "".join(f"images/{row}.jpg {row % 2}\n" for row in rows) * (2 if part == "val" else 1)
        )
    (tmp_path / "readme.txt").write_text("Pictures of cats.\nOne is cat.jpg.\n")
    return tmp_path


def test_a_folder_says_that_lists_are_there_and_the_option_reads_them(root):
    notes = dataprep.scan(root).notes
    assert [note for note in notes if "lists" in note] == [
        "3 lists of images not read (test.txt, train.txt, val.txt): --manifest "
        f"{str(root / '{test,train,val}.txt')!r} reads them as splits of that name"
    ]
    dataset = dataprep.scan(root, manifest=root / "{test,train,val}.txt")
    assert dataset.classes == ("0", "1")
    assert dataset.samples["split"].astype(str).to_dict() == {
        f"images/{row}.jpg": part for part, rows in PARTS.items() for row in rows
    }
    assert set(dataset.faults["check"]) == {"duplicate-row"}


def test_wildcards_and_a_split_of_its_own(root):
    assert manifests_of(str(root / "t*.txt")) == [str(root / "test.txt"), str(root / "train.txt")]
    for name in ("a", "b"):
        (root / f"{name}.csv").write_text(
            f"path,label,split\nimages/{'ab'.index(name)}.jpg,x,test\n"
        )
    dataset = dataprep.scan(manifest=root / "*.csv")
    assert dataset.samples["split"].tolist() == ["test", "test"]
    with pytest.raises(InputError, match="there is no manifest"):
        dataprep.scan(manifest=root / "nothing-*.csv")


def test_a_name_with_braces_is_a_name(root):
    (root / "{a,b}.csv").write_text("path,label\nimages/0.jpg,x\n")
    assert len(dataprep.scan(manifest=root / "{a,b}.csv")) == 1
