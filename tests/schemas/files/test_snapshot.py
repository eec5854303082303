from __future__ import annotations

import os
from pathlib import Path

import pytest

from dataprep.schemas.files.snapshot import RACY_NS, snapshot
from dataprep.schemas.files.writing import mark_output


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/1.jpg", "a/b/2.jpg", "c/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, ns=(5, 5))
    return tmp_path


def test_the_same_files_give_the_same_snapshot(tree: Path) -> None:
    assert snapshot([str(tree)]) == snapshot([str(tree)])
    assert snapshot([str(tree)]).newest_ns == 5
    assert snapshot([str(tree)]) != snapshot([str(tree / "a")])


def test_changes_below_show_and_those_of_folders_alone_do_not(tree: Path) -> None:
    whole, shallow = snapshot([str(tree)]), snapshot((), [str(tree / "a")])
    (tree / "a" / "b" / "2.jpg").write_bytes(b"xy")
    assert snapshot([str(tree)]).digest != whole.digest
    assert snapshot((), [str(tree / "a")]) == shallow


def test_hidden_and_marked_folders_are_passed_over(tree: Path) -> None:
    mark_output(tree / "c")
    whole = snapshot([str(tree)])
    (tree / "c" / "3.jpg").write_bytes(b"other")
    (tree / ".git").mkdir()
    (tree / ".git" / "index").write_bytes(b"")
    assert snapshot([str(tree)]) == whole


def test_links_are_followed_and_may_loop(tree: Path) -> None:
    (tree / "c" / "loop").symlink_to(tree)
    (tree / "c" / "nowhere").symlink_to(tree / "no")
    (tree / "d").symlink_to(tree / "a" / "b")
    before = snapshot([str(tree / "c"), str(tree / "d")])
    (tree / "a" / "b" / "2.jpg").write_bytes(b"xy")
    assert snapshot([str(tree / "c"), str(tree / "d")]).digest != before.digest


def test_a_missing_place_is_a_state_too(tree: Path) -> None:
    missing = snapshot([str(tree / "later")])
    (tree / "later").write_bytes(b"")
    assert snapshot([str(tree / "later")]) != missing


def test_young_files_are_not_reliable(tree: Path) -> None:
    found = snapshot([str(tree)])
    assert not found.is_reliable(RACY_NS)
    assert found.is_reliable(5 + RACY_NS)
