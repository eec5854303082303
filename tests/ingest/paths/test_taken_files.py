"""A file belongs to one row, and a root holds the files of its table; else it is said why not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

import dataprep
from dataprep.errors import InputError, OutputError
from dataprep.ingest.memory import spool
from dataprep.ingest.memory.encoding import _extension_of
from dataprep.ingest.memory.spool import Spool
from dataprep.ingest.paths.roots import leave_out_strays
from tests.ingest.paths.test_paths import IMAGES, make, missing, names

ELSEWHERE = [f"C:/x/{name}" for name in IMAGES]


@pytest.mark.parametrize(
    ("listed", "doubtful"),
    [
        ([*ELSEWHERE, "C:/x/Images/dog/P0.JPG"], 2),
        ([*ELSEWHERE, "C:/x/images/dog/p0.jpg"], 2),
        ([IMAGES[0], *ELSEWHERE], 1),
        (ELSEWHERE, 0),
    ],
)
def test_a_moved_file_that_several_rows_would_mean_is_given_to_none_of_them(
    tmp_path: Path, listed: list[str], doubtful: int
) -> None:
    make(tmp_path, *IMAGES)
    dataset = dataprep.scan(tmp_path, files=listed)
    told = missing(dataset)
    assert len(told) == doubtful
    assert all("'images/dog/P0.JPG'" in text for text in told)
    assert names(dataset) == sorted(IMAGES if doubtful < 2 else IMAGES[1:])


def strays(root: str, files: list[str], keep: bool = False) -> tuple[str, list[str]]:
    located = SimpleNamespace(files=list(files), reasons=[None] * len(files))
    chosen = leave_out_strays(root, [located], keep_root=keep)  # type: ignore[list-item]
    assert [bool(reason) for reason in located.reasons] == [not file for file in located.files]
    return chosen, located.files


@pytest.mark.parametrize(
    ("inside", "outside", "works"),
    [
        (9, 1, True),
        (2, 2, True),
        (5, 3, False),
        (2, 1, True),
        (1, 1, True),
        (27, 3, True),
        (26, 3, False),
    ],
)
def test_files_outside_a_url_are_strays_where_they_are_few(
    inside: int, outside: int, works: bool
) -> None:
    root = "s3://bucket/set"
    files = [f"{root}/{n}.jpg" for n in range(inside)] + [
        f"s3://bucket/other/{n}.jpg" for n in range(outside)
    ]
    if works:
        assert strays(root, files) == (root, files[:inside] + [""] * outside)
    else:
        with pytest.raises(InputError, match="give the URL above all of them"):
            strays(root, files)


def test_files_on_several_drives_are_refused() -> None:
    files = [f"/data/set/{n}.jpg" for n in range(4)] + [f"D:/more/{n}.jpg" for n in range(4)]
    with pytest.raises(InputError, match=r"several drives, such as D:/more"):
        strays("/data/set", files)


def test_the_root_is_lifted_to_the_folder_of_all_files() -> None:
    files = ["/data/set/a/1.jpg", "/data/set/b/2.jpg", "/data/set/b/3.jpg"]
    assert strays("/data/set/a", files) == ("/data/set", files)
    assert strays("", files) == ("/data/set", files)
    assert strays("/data", files) == ("/data", files)
    assert strays("/data/set/c", files, keep=True) == ("/data/set", files)


def test_a_temporary_folder_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(prefix: str) -> str:
        raise PermissionError(13, "no room")

    monkeypatch.setattr(spool.tempfile, "mkdtemp", refuse)
    with pytest.raises(OutputError, match="no room"):
        Spool()


def test_names_in_the_spool_are_free_and_can_be_files() -> None:
    kept = Spool()
    try:
        wanted = ["a.jpg", "a.jpg", "a.jpg", "a.jpg/b.jpg", "../c/d.jpg", "", "x/y", "x"]
        found = [kept.add(name, name.encode()) for name in wanted]
        assert found == [
            "a.jpg", "a-2.jpg", "a-3.jpg", "a.jpg_b-2.jpg", "c/d.jpg", "image", "x/y", "x-2"
        ]  # fmt: skip
        assert kept.renamed == 6
        for name, data in zip(found, wanted, strict=True):
            assert Path(kept.folder, name).read_bytes() == data.encode()
        long = kept.add("n" * 250 + ".jpg", b"")
        assert len(long) <= 200
        assert long.endswith(".jpg")
        assert kept.add("m" * 196 + ".jpg", b"") == "m" * 196 + ".jpg"
        assert len(kept.add("m" * 197 + ".jpg", b"")) == 200
    finally:
        kept.close()
    assert not Path(kept.folder).exists()


@pytest.mark.parametrize(
    ("listed", "there", "works"), [(1, 1, False), (2, 2, True), (10, 9, True), (10, 8, False)]
)
def test_names_alone_are_enough_where_nearly_all_of_them_are_there(
    tmp_path: Path, listed: int, there: int, works: bool
) -> None:
    make(tmp_path, *(f"{n}.jpg" for n in range(there)))
    rows = [f"C:/x/{n}.jpg" for n in range(listed)]
    if works:
        dataset = dataprep.scan(tmp_path, files=rows)
        assert len(dataset) == there
        assert len(missing(dataset)) == listed - there
    else:
        with pytest.raises(InputError, match="no file of files exists"):
            dataprep.scan(tmp_path, files=rows)


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (b"RIFF\x10\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", ""),
        (b"RIFF\x10\0\0\0AVI LIST", ""),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff\xe0", "jpg"),
        (b"", ""),
    ],
)
def test_the_first_bytes_of_an_image_give_its_extension(data: bytes, extension: str) -> None:
    assert _extension_of(data) == extension
