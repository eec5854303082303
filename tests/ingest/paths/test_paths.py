"""Paths as people write them, found where one file alone can be meant, and named where not."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.reports.messages import render


def make(root: Path, *names: str) -> Path:
    for name in names:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"not opened by scan")
    return root


def table(root: Path, paths: list[str], name: str = "labels.csv") -> Path:
    place = root / name
    lines = [
        "path,label",
        *('"' + path.replace('"', '""') + f'",{"ab"[i % 2]}' for i, path in enumerate(paths)),
    ]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def names(dataset: dataprep.Dataset) -> list[str]:
    return sorted(dataset.samples.index)


def missing(dataset: dataprep.Dataset) -> list[str]:
    """What is said of each row without a file."""
    from dataprep.checks.records.missing_file import MissingFile

    faults = dataset.faults[dataset.faults["check"] == "missing-file"]
    claims = list(MissingFile().find(dataset.assign(), None)) if len(faults) else []
    return [
        text for batch in claims for text in render(batch, {"missing-file": MissingFile.message})
    ]


IMAGES = ["images/dog/P0.JPG", "images/dog/P2.JPG", "images/cat/P1.JPG", "images/cat/P3.JPG"]


@pytest.mark.parametrize(
    ("disk", "written"),
    [
        ("Käse_Größe.jpg", "Käse_Größe.jpg"),
        ("Việt Nam/ảnh.png", "Việt Nam/ảnh.png"),
        ("가나/다.jpg", "가나/다.jpg"),
        ("Ångström/é.jpg", "Ångström/é.jpg"),
        ("ﬁsh/é.jpg", "ﬁsh/é.jpg"),
    ],
)
@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
def test_another_unicode_form_is_the_same_name(tmp_path, disk, written, on_disk):
    other = "NFD" if on_disk == "NFC" else "NFC"
    make(tmp_path / "d", unicodedata.normalize(on_disk, disk))
    place = table(tmp_path, [unicodedata.normalize(other, written)])
    dataset = dataprep.scan(tmp_path / "d", manifest=place)
    assert names(dataset) == [unicodedata.normalize(on_disk, disk)]
    assert not len(dataset.faults)
    assert any("Unicode form" in note for note in dataset.notes)


def test_two_files_that_look_alike_are_told_apart(tmp_path):
    both = [unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD")]
    make(tmp_path, *both)
    dataset = dataprep.scan(table(tmp_path, both))
    assert names(dataset) == sorted(both)
    assert not dataset.notes


@pytest.mark.parametrize(
    "written",
    [
        "images/dog/p0.jpg",
        "IMAGES/Dog/P0.jpg",
        "images\\DOG\\p0.JPG",
        "./Images//dog/p0.JPG",
        "images/dog/p0",
        "p0.jpg",
    ],
)
def test_letter_case_where_one_file_is_meant(tmp_path, written):
    make(tmp_path, *IMAGES)
    dataset = dataprep.scan(table(tmp_path, [written, "images/cat/P1.JPG"]))
    assert names(dataset) == ["images/cat/P1.JPG", "images/dog/P0.JPG"]
    assert not len(dataset.faults)
    assert len(dataset.notes) == 1
    assert "another case of letters" in dataset.notes[0]


def test_letter_case_where_two_files_may_be_meant(tmp_path):
    make(tmp_path, "a/X.jpg", "a/x.JPG", "a/1.jpg", "A/1.jpg", "b/y.jpg")
    dataset = dataprep.scan(table(tmp_path, ["a/x.jpg", "b/y.jpg"]))
    assert names(dataset) == ["b/y.jpg"]
    assert missing(dataset) == [
        "a/x.jpg is listed, and several files may be meant: 'a/X.jpg', 'a/x.JPG'"
    ]


def test_a_file_of_another_row_is_not_taken_for_its_namesake(tmp_path):
    make(tmp_path, "x/img.jpg", "x/other.jpg")
    dataset = dataprep.scan(
        table(tmp_path, ["x/img.jpg", "x/IMG.jpg", "x/Other.jpg", "x/OTHER.jpg"])
    )
    assert names(dataset) == ["x/img.jpg"]
    assert [text.partition(" is ")[0] for text in missing(dataset)] == [
        "x/IMG.jpg",
        "x/Other.jpg",
        "x/OTHER.jpg",
    ]
    assert all("belongs to another row" in text for text in missing(dataset))


def test_home_folders(tmp_path, monkeypatch):
    make(tmp_path / "home", "set/1.jpg", "set/2.jpg")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "elsewhere").mkdir()
    place = table(
        tmp_path / "elsewhere", ["~/set/1.jpg", " ~/set/2.jpg", "~nobody-of-that-name/3.jpg"]
    )
    dataset = dataprep.scan(place)
    assert [os.path.basename(name) for name in names(dataset)] == ["1.jpg", "2.jpg"]
    assert len(missing(dataset)) == 1
    assert names(dataprep.scan("~/set")) == ["1.jpg", "2.jpg"]
    assert names(dataprep.scan(["~/set/1.jpg", "~/set/2.jpg"])) == ["1.jpg", "2.jpg"]
    table(tmp_path / "home", ["set/1.jpg"], "m.csv")
    assert (
        names(dataprep.scan("~/m.csv"))
        == names(dataprep.scan("~", manifest="~/m.csv"))
        == ["set/1.jpg"]
    )


def test_a_folder_that_is_called_tilde_is_not_the_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "~/1.jpg")
    assert names(dataprep.scan("~")) == ["1.jpg"]
    assert names(dataprep.scan(table(tmp_path, ["~/1.jpg"]))) == ["~/1.jpg"]


@pytest.mark.parametrize(
    "prefix",
    [
        "/home/other/project/",
        "C:\\Users\\someone\\Desktop\\project\\",
        "\\\\server\\share\\project\\",
        "D:/data/",
        "https://example.org/files/",
        "s3://bucket/project/",
        "/data/",
        "file:///home/other/project/",
        "gs://b/",
        "/",
    ],
)
@pytest.mark.parametrize("given", ["", "images"])
def test_paths_of_another_machine(tmp_path, prefix, given):
    make(tmp_path, *IMAGES)
    written = [prefix + (name.replace("/", "\\") if "\\" in prefix else name) for name in IMAGES]
    place = table(tmp_path, written)
    dataset = dataprep.scan(tmp_path / given, manifest=place)
    assert names(dataset) == sorted(
        name.removeprefix("images/") if given else name for name in IMAGES
    )
    assert not len(dataset.faults)
    assert len(dataset.notes) == 1
    assert "4 of 4 paths of labels.csv that start with" in dataset.notes[0]


def test_a_folder_with_another_name_here(tmp_path):
    make(tmp_path, *(name.replace("images", "pictures/all") for name in IMAGES))
    dataset = dataprep.scan(table(tmp_path, [f"/mnt/disk/{name.lower()}" for name in IMAGES]))
    assert len(dataset) == 4
    assert "/mnt/disk/images" in dataset.notes[0]


def test_urls_with_queries_fragments_and_escapes(tmp_path):
    make(tmp_path, "a b/1.jpg", "2.jpg", "3%20.jpg", "4#x.jpg")
    written = [
        f"file://{tmp_path.as_posix()}/a%20b/1.jpg",
        "2.jpg?raw=true#top",
        "3%20.jpg",
        f"file://localhost{tmp_path}/4%23x.jpg",
    ]
    dataset = dataprep.scan(table(tmp_path, written))
    assert names(dataset) == ["2.jpg", "3%20.jpg", "4#x.jpg", "a b/1.jpg"]


@pytest.mark.parametrize(
    ("files", "written"),
    [
        (
            ["upload/3/0a1b-x.jpg", "upload/3/1a1b-y.jpg"],
            ["/data/upload/3/0a1b-x.jpg", "/data/upload/3/1a1b-y.jpg"],
        ),
        (
            ["set1/img_3.jpg", "set 2/b.jpg"],
            ["/data/local-files/?d=set1/img_3.jpg", "/data/local-files/?d=set%202%2Fb.jpg"],
        ),
        (
            ["img_3.jpg", "img_4.jpg"],
            ["/data/local-files/?d=media/img_3.jpg", "/data/local-files/?d=media/img_4.jpg"],
        ),
        (
            ["x/s/1.jpg", "x/s/2.jpg"],
            [
                "http://h:8080/data/local-files/?d=s/1.jpg",
                "http://h:8080/data/local-files/?d=s/2.jpg",
            ],
        ),
    ],
)
def test_paths_of_label_studio(tmp_path, files, written):
    make(tmp_path / "media", *files)
    place = tmp_path / "mini.json"
    place.write_text(json.dumps([{"image": path, "choice": "Cat"} for path in written]))
    dataset = dataprep.scan(
        tmp_path / "media", manifest=place, path_column="image", label_column="choice"
    )
    assert names(dataset) == sorted(files)


def test_a_prefix_that_two_folders_may_stand_for_is_left_open(tmp_path):
    make(
        tmp_path,
        *(f"{part}/dog/{i}.jpg" for part in ("train", "test") for i in range(4)),
        "here.jpg",
    )
    place = table(tmp_path, ["here.jpg", *(f"/home/other/dog/{i}.jpg" for i in range(4))])
    dataset = dataprep.scan(place)
    assert names(dataset) == ["here.jpg"]
    assert missing(dataset)[0] == (
        "/home/other/dog/0.jpg is listed, and it is not certain which folder is meant: "
        "'test/dog/0.jpg', 'train/dog/0.jpg'"
    )
    alone = table(tmp_path, [f"/home/other/dog/{i}.jpg" for i in range(4)])
    with pytest.raises(InputError, match="not certain which folder is meant: 'test/dog/0.jpg'"):
        dataprep.scan(alone)


def test_of_two_folders_the_one_that_has_them_all(tmp_path):
    make(tmp_path, *(f"train/dog/{i}.jpg" for i in range(6)), "test/dog/1.jpg")
    dataset = dataprep.scan(table(tmp_path, [f"/home/other/dog/{i}.jpg" for i in range(6)]))
    assert names(dataset) == [f"train/dog/{i}.jpg" for i in range(6)]


def test_no_file_is_taken_for_another_of_the_same_name(tmp_path):
    make(tmp_path, *(f"cat/{i}.jpg" for i in range(4)), "seen.jpg")
    dataset = dataprep.scan(
        table(tmp_path, ["seen.jpg", *(f"/home/other/dog/{i}.jpg" for i in range(4))])
    )
    assert names(dataset) == ["seen.jpg"]
    make(tmp_path / "flat", "1.jpg", "2.jpg")
    both = table(
        tmp_path, [f"/home/other/{kind}/{i}.jpg" for kind in ("dog", "cat") for i in (1, 2)]
    )
    with pytest.raises(InputError, match="no file of labels.csv exists"):
        dataprep.scan(tmp_path / "flat", manifest=both)


def test_a_stray_row_is_not_matched_beside_rows_that_were_found(tmp_path):
    make(tmp_path, *IMAGES)
    dataset = dataprep.scan(
        table(
            tmp_path, [*IMAGES[:3], "/mnt/other-set/images/cat/P3.JPG", "/mnt/x/images/dog/P0.JPG"]
        )
    )
    assert names(dataset) == sorted(IMAGES[:3])
    assert len(missing(dataset)) == 2


def test_rows_of_two_machines(tmp_path):
    make(tmp_path, *IMAGES, *(f"images/owl/{i}.jpg" for i in range(4)))
    written = [*IMAGES, *(f"E:\\data\\images\\owl\\{i}.jpg" for i in range(4))]
    dataset = dataprep.scan(table(tmp_path, written))
    assert len(dataset) == 8
    assert not len(dataset.faults)


def test_bare_names_that_fit_several_files_are_named(tmp_path):
    make(tmp_path, *(f"{folder}/1.jpg" for folder in "abcdef"), "a/2.jpg")
    dataset = dataprep.scan(table(tmp_path, ["2.jpg", "1.jpg", "1"]))
    assert names(dataset) == ["a/2.jpg"]
    several = "several files may be meant: 'a/1.jpg', 'b/1.jpg', 'c/1.jpg', 'd/1.jpg' and 2 more"
    assert missing(dataset) == [f"1.jpg is listed, and {several}", f"1 is listed, and {several}"]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("deep/images/dog/P9.JPG", "the nearest name is images/dog/P[02].JPG"),
        ("dog/P0.JPG", "give the folder .*/images instead"),
        ("1.bmp", "give the folder that its paths start from"),
    ],
)
def test_what_is_near_is_named_where_nothing_is_found(tmp_path, written, says):
    make(tmp_path, *IMAGES)
    with pytest.raises(InputError, match=says):
        dataprep.scan(table(tmp_path, [written]))


@pytest.mark.parametrize("rows", [1, 4, 30])
@pytest.mark.parametrize(
    "stray",
    ["/etc/passwd", "../../../../../../../../../etc/passwd", "//etc/passwd", "~root/../etc/passwd"],
)
def test_a_stray_row_does_not_become_the_root(tmp_path, rows, stray):
    make(tmp_path / "d", *(f"{i}.jpg" for i in range(rows)))
    if not os.path.isfile("/etc/passwd"):
        pytest.skip("needs a file that every machine of this kind has")
    place = table(tmp_path / "d", [f"{i}.jpg" for i in range(rows)] + [stray])
    for dataset in (dataprep.scan(place), dataprep.scan(tmp_path / "d", manifest=place)):
        assert dataset.root == str(tmp_path / "d")
        assert len(dataset) == rows
        told = missing(dataset)
        assert len(told) == 1
        assert told[0].startswith(stray)
    listed = dataprep.scan(
        [*(str(tmp_path / "d" / f"{i}.jpg") for i in range(rows)), "/etc/passwd"]
    )
    if rows > 1:
        assert listed.root == str(tmp_path / "d")
        assert "it lies outside the folder of the other files" in missing(listed)[0]


def test_without_a_file_beside_the_manifest_the_root_is_where_the_files_are(tmp_path):
    make(tmp_path, "data/a/1.jpg", "data/b/2.jpg", "tables/x")
    place = table(
        tmp_path / "tables",
        [f"{tmp_path.as_posix()}/data/{name}" for name in ("a/1.jpg", "b/2.jpg")],
    )
    assert dataprep.scan(place).root == str(tmp_path / "data")


@pytest.mark.skipif(os.name == "nt", reason="a working folder in use cannot be deleted there")
def test_a_working_folder_that_was_deleted(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    make(tmp_path / "d", "1.jpg")
    before = os.getcwd()
    os.chdir(gone)
    try:
        gone.rmdir()
        for scan in (
            lambda: dataprep.scan("d"),
            lambda: dataprep.scan(["1.jpg"]),
            lambda: dataprep.scan("m.csv"),
        ):
            with pytest.raises(InputError, match="the working folder, which has been deleted"):
                scan()
        assert names(dataprep.scan(tmp_path / "d")) == ["1.jpg"]
    finally:
        os.chdir(before)


def test_a_list_of_another_machine_with_the_folder(tmp_path):
    make(tmp_path, *IMAGES)
    dataset = dataprep.scan(tmp_path, files=[f"C:\\data\\{name}" for name in IMAGES])
    assert names(dataset) == sorted(IMAGES)
    assert "C:/data" in dataset.notes[0]


def test_rows_that_are_all_unusable_are_said_to_be(tmp_path):
    make(tmp_path, *IMAGES)
    with pytest.raises(InputError) as error:
        dataprep.scan(table(tmp_path, ["/x/" + "b" * 20_000 + "/images/cat/2.jpg"]))
    assert len(str(error.value)) < 1000
    assert "include" not in str(error.value)
