"""Whatever ends a run, the former files of a folder are there or the new ones, whole, and the
next run leaves nothing behind.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dataprep.cleaning.staging import staged
from dataprep.errors import OutputError
from dataprep.schemas.files import exchange, leftovers, publishing
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.writing import MARKER, mark_output, write_atomically, write_together
from tests import interruptions

NAMES = ("a", "b", "c")
HOW = ("swapped", "no such call", "no hard links", "not ours", "no locks")


class Work:
    """Writes the next version of some files on every call."""

    def __init__(self, folder: Path, names: tuple[str, ...] = NAMES) -> None:
        self.folder, self.names, self.version = folder, names, 0

    def __call__(self) -> None:
        self.version += 1
        with write_together(self.folder, owns=NAMES) as opened:
            for name in self.names:
                opened(name).write(str(self.version).encode())

    def versions(self) -> set[int]:
        return {int((self.folder / name).read_text()) for name in self.names}


def prepare(how: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "not ours":
        folder.mkdir(parents=True, exist_ok=True)
    else:
        mark_output(folder)
    if how == "no such call":
        monkeypatch.setattr(exchange, "_swapper", lambda: None)
    if how == "no hard links":
        monkeypatch.setattr(os, "link", failing)
    if how == "no locks":
        monkeypatch.setattr(leftovers, "fcntl", None)
        monkeypatch.setattr(leftovers, "_STALE_S", -1.0)


def failing(*arguments: Any, **more: Any) -> None:
    raise PermissionError(1, "not permitted", arguments[0])


@pytest.mark.parametrize("how", HOW)
def test_files_are_all_of_one_run_whatever_ends_it(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out" / "stage"
    prepare(how, folder, monkeypatch)
    (folder / "notes.txt").write_text("mine")
    work = Work(folder)
    work()
    seen = set()
    for end in interruptions.every_end(work, tmp_path, monkeypatch):
        if how == "swapped":
            assert len(work.versions()) == 1, f"before any other run, {end}"
        settle(folder)
        (version,) = work.versions() or {0}
        assert version in (work.version, work.version - 1), end
        seen.add(version == work.version)
        assert (folder / "notes.txt").read_text() == "mine", end
        work()
        assert work.versions() == {work.version}, end
        assert not interruptions.leftovers(tmp_path), end
    assert seen == {True, False}
    assert set(os.listdir(folder)) == {
        *NAMES,
        "notes.txt",
        *([] if how == "not ours" else [MARKER]),
    }


@pytest.mark.parametrize("how", ["swapped", "no such call"])
def test_what_a_result_no_longer_has_goes_with_it(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stage"
    prepare(how, folder, monkeypatch)
    whole, part = Work(folder), Work(folder, ("a",))
    part.version = 100
    for end in interruptions.every_end(part, tmp_path, monkeypatch):
        settle(folder)
        names = set(os.listdir(folder)) - {MARKER}
        assert names in ({"a"}, set(NAMES)) or interruptions.leftovers(tmp_path), end
        assert ((folder / "a").read_text() == str(part.version)) == (not (folder / "b").exists()), (
            end
        )
        whole()
        assert set(os.listdir(folder)) == {*NAMES, MARKER}, end


def test_a_first_run_leaves_nothing_or_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(tmp_path / "stage")

    def first() -> None:
        mark_output(work.folder)
        work()

    for end in interruptions.every_end(first, tmp_path, monkeypatch):
        there = [name for name in NAMES if (work.folder / name).exists()]
        assert there in ([], list(NAMES)), end
        for name in there:
            os.unlink(work.folder / name)


def test_a_file_is_there_whole_whatever_ends_its_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, version = tmp_path / "deep" / "file", 0

    def work() -> None:
        nonlocal version
        version += 1
        with write_atomically(path) as file:
            file.write(b"%d" % version)

    work()
    for end in interruptions.every_end(work, tmp_path, monkeypatch):
        assert int(path.read_bytes()) in (version, version - 1), end
        work()
        assert os.listdir(path.parent) == ["file"], end


@pytest.mark.parametrize("how", ["swapped", "no such call", "no locks"])
def test_a_new_folder_is_there_whole_whatever_ends_its_making(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, version = tmp_path / "new", 0
    prepare(how, tmp_path / "other", monkeypatch)

    def work() -> None:
        nonlocal version
        version += 1
        with staged(str(folder)) as stage:
            for name in NAMES:
                os.mkdir(os.path.join(stage, name))
                Path(stage, name, "file").write_text(str(version))

    work()
    for end in interruptions.every_end(work, tmp_path, monkeypatch):
        if how == "no such call" and not folder.exists():
            assert end.startswith("kill"), end  # the next run brings it back
            with pytest.raises(ZeroDivisionError), staged(str(folder)):
                raise ZeroDivisionError
        (found,) = {int((folder / name / "file").read_text()) for name in NAMES}
        assert found in (version, version - 1), end
        work()
        assert set(os.listdir(tmp_path)) == {"new", "other"}, end


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_the_working_folder_and_folders_with_others_in_them_are_not_swapped(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    mark_output(folder)
    (folder / "others").mkdir()
    work = Work(folder)
    number = os.stat(folder).st_ino
    work()
    assert os.stat(folder).st_ino == number
    os.rmdir(folder / "others")
    with inside(folder):
        work()
    assert os.stat(folder).st_ino == number
    work()
    assert os.stat(folder).st_ino != number, "an own folder is swapped, or this test shows nothing"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "stage").symlink_to("elsewhere")
    mark_output(tmp_path / "stage")
    for _ in range(2):
        Work(tmp_path / "stage")()
    assert os.readlink(tmp_path / "stage") == "elsewhere"
    assert set(os.listdir(tmp_path / "elsewhere")) == {*NAMES, MARKER}


def test_folders_of_the_stage_and_open_files_stay_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    mark_output(folder)
    (folder / "pixels" / "deep").mkdir(parents=True)
    (folder / "pixels" / "deep" / "32.u8").write_bytes(b"pixels")
    with open(folder / "ledger", "ab") as ledger:
        with write_together(folder, keeps=("pixels",)) as opened:
            opened("a").write(b"1")
        ledger.write(b"a late line")
    assert (folder / "ledger").read_bytes() == b"a late line"
    assert (folder / "pixels" / "deep" / "32.u8").read_bytes() == b"pixels"
    assert not interruptions.leftovers(tmp_path)


def test_what_others_wrote_while_the_folders_swapped_is_brought_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stage"
    mark_output(folder)
    (folder / "notes").write_text("old")
    swap = exchange.exchange

    def late(one: str, other: str) -> bool:
        os.unlink(folder / "notes")
        (folder / "notes").write_text("new")
        (folder / "more").write_text("more")
        return swap(one, other)

    monkeypatch.setattr(publishing, "exchange", late)
    Work(folder)()
    assert (folder / "notes").read_text() == "new"
    assert (folder / "more").read_text() == "more"


def test_a_folder_in_the_place_of_a_file_is_said_and_stays(tmp_path: Path) -> None:
    mark_output(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").write_text("mine")
    with pytest.raises(OutputError, match="a folder is in the place of the file"):
        Work(tmp_path)()
    assert (tmp_path / "a" / "mine").read_text() == "mine"
    assert set(os.listdir(tmp_path)) == {"a", MARKER}


@pytest.mark.parametrize(
    "names", [["../mine"], ["/etc/passwd"], [".."], "mine", 3, {"mine": 1}, [["mine"]]]
)
def test_a_folder_from_elsewhere_removes_nothing_outside(names: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    ready = tmp_path / "stage" / ".publish.01234567.ready"
    ready.mkdir(parents=True)
    (ready / ".going.json").write_text(json.dumps(names))
    (ready / "a").write_text("1")
    settle(tmp_path / "stage")
    assert os.listdir(tmp_path / "stage") == ["a"]
    assert (tmp_path / "mine").exists()


def test_modes_and_groups_stay(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    mark_output(folder)
    os.chmod(folder, 0o2775)
    Work(folder)()
    assert os.stat(folder).st_mode & 0o7777 == 0o2775


def test_two_runs_at_once_leave_one_of_the_two(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    mark_output(folder)
    with write_together(folder) as first:
        first("a").write(b"first")
        with write_together(folder) as second:
            second("a").write(b"second")
            second("b").write(b"second")
        assert (folder / "a").read_bytes() == b"second"
    assert (folder / "a").read_bytes() == b"first"
    assert not interruptions.leftovers(tmp_path)
