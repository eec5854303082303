"""Links, loops, odd files and URLs."""

from __future__ import annotations

import os
import uuid

import fsspec
import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.ingest.paths.walk import walk_folder, walk_url

links = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")


def names(tree) -> list[str]:
    return list(tree.paths())


@links
def test_links_to_files_and_folders_are_followed(tmp_path):
    (tmp_path / "store" / "deep").mkdir(parents=True)
    (tmp_path / "store" / "deep" / "1.jpg").write_bytes(b"x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(tmp_path / "store", target_is_directory=True)
    (root / "file.jpg").symlink_to(tmp_path / "store" / "deep" / "1.jpg")
    assert names(walk_folder(str(root))) == ["file.jpg", "folder/deep/1.jpg"]


@links
def test_a_folder_linked_from_two_splits_counts_in_both(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "1.jpg").write_bytes(b"x")
    for split in ("train", "test"):
        (tmp_path / "root" / split).mkdir(parents=True)
        (tmp_path / "root" / split / "cat").symlink_to(tmp_path / "store", target_is_directory=True)
    assert names(walk_folder(str(tmp_path / "root"))) == ["test/cat/1.jpg", "train/cat/1.jpg"]


@links
def test_loops_end_and_are_counted(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"x")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    tree = walk_folder(str(tmp_path))
    assert names(tree) == ["gone.jpg", "self", "a/1.jpg", "b/1.jpg"]
    assert tree.ignored == {"symbolic links that loop": 1}


@links
def test_folders_that_all_link_to_each_other_end_soon(tmp_path):
    folders = [tmp_path / f"{i}" for i in range(8)]
    for folder in folders:
        folder.mkdir()
        (folder / "1.jpg").write_bytes(b"x")
    for folder in folders:
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other, target_is_directory=True)
    tree = walk_folder(str(tmp_path))
    assert {path for path in names(tree) if path.count("/") == 1} == {
        f"{i}/1.jpg" for i in range(8)
    }
    assert len(tree) <= 8 * 16
    assert tree.ignored["folders linked more than 16 times"] > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_pipes_are_no_samples(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "pipe.jpg")
    (tmp_path / "1.jpg").write_bytes(b"x")
    tree = walk_folder(str(tmp_path))
    assert names(tree) == ["1.jpg"]
    assert tree.ignored == {"devices, pipes and sockets": 2}


@pytest.fixture
def memory() -> str:
    """An empty folder in memory, as a URL."""
    name = f"/{uuid.uuid4().hex}"
    system = fsspec.filesystem("memory")
    system.makedirs(name)
    yield f"memory:/{name}"
    system.rm(name, recursive=True)


def put(url: str, **files: bytes) -> None:
    for path, content in files.items():
        with fsspec.open(f"{url}/{path}", "wb") as file:
            file.write(content)


def test_a_url_is_read_like_a_folder(memory):
    put(
        memory,
        **{
            "train/cat/1.jpg": b"x",
            "train/cat/ä b.jpg": b"x",
            "test/dog/2.jpg": b"x",
            "test/.cache/3.jpg": b"x",
            "test/dog/Thumbs.db": b"x",
            "out/.dataprep-out": b"x",
            "out/deep/4.jpg": b"x",
        },
    )
    dataset = dataprep.scan(memory)
    assert list(dataset.samples.index) == ["test/dog/2.jpg", "train/cat/1.jpg", "train/cat/ä b.jpg"]
    assert dataset.samples["split"].tolist() == ["test", "train", "train"]
    assert dataset.classes == ("cat", "dog")
    assert (dataset.is_remote, dataset.root) == (True, memory)
    with fsspec.open(dataset.path("train/cat/ä b.jpg"), "rb") as file:
        assert file.read() == b"x"
    assert dataset.ignored == {
        "hidden folders": 1,
        "Thumbs.db": 1,
        "folders written by dataprep": 2,
    }


def test_a_manifest_at_a_url(memory):
    put(
        memory,
        **{
            "labels.csv": b"path,label\nimages/1.jpg,cat\nimages/2.jpg,dog\n",
            "images/1.jpg": b"x",
            "images/3.jpg": b"x",
        },
    )
    dataset = dataprep.scan(f"{memory}/labels.csv")
    assert dataset.samples["label"].to_dict() == {"images/1.jpg": "cat"}
    assert dataset.faults["check"].tolist() == ["missing-file"]
    both = dataprep.scan(memory, manifest=f"{memory}/labels.csv")
    assert dict(zip(both.faults["check"], both.faults["target"], strict=True)) == {
        "missing-file": "images/2.jpg",
        "unlisted-file": "images/3.jpg",
    }


def test_metadata_at_a_url(memory):
    put(memory, **{"metadata.jsonl": b'{"file_name": "1.jpg", "label": "cat"}\n', "1.jpg": b"x"})
    assert dataprep.scan(memory).samples["label"].tolist() == ["cat"]


def test_urls_in_a_list(memory):
    put(memory, **{"cat/1.jpg": b"x", "dog/2.jpg": b"x"})
    dataset = dataprep.scan(
        [f"{memory}/cat/1.jpg", f"{memory}/dog/2.jpg", f"{memory}/dog/none.jpg"]
    )
    assert dataset.samples["label"].to_dict() == {"cat/1.jpg": "cat", "dog/2.jpg": "dog"}
    assert dataset.faults["check"].tolist() == ["missing-file"]


def test_a_url_without_files(memory):
    with pytest.raises(InputError, match="no image files in memory://"):
        dataprep.scan(memory)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nosuch://bucket/images", "cannot open nosuch://bucket/images: .*nosuch"),
        ("zip://*.jpg::file.zip", "chained URLs are not read"),
        ("memory://nowhere/data.zip", "is an archive"),
    ],
)
def test_urls_that_cannot_be_read(url, says):
    with pytest.raises(InputError, match=says):
        dataprep.scan(url)


def test_a_missing_driver_is_named(monkeypatch):
    def without_driver(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", without_driver)
    with pytest.raises(
        InputError, match=r"cannot open s3://bucket: Install s3fs to access S3 \(pip install"
    ):
        walk_url("s3://bucket")


def test_errors_of_a_driver_are_the_users(monkeypatch):
    class Down:
        def find(self, path):
            raise ConnectionError("no route")

    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda url: (Down(), "bucket"))
    with pytest.raises(InputError, match="cannot list s3://bucket: ConnectionError: no route"):
        walk_url("s3://bucket")
