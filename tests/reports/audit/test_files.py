"""Atomic writing, and the files of a report."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dataprep.errors import OutputError
from dataprep.reports import report
from dataprep.schemas.audit import Audit
from dataprep.schemas.files.writing import MARKER, mark_output, write_atomically, write_together

FILES = {
    "report.html",
    "report.json",
    "issues.csv",
    "samples.parquet",
    "report.sarif",
    "run.json",
    MARKER,
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    with write_atomically(path) as file:
        file.write(b"first")
        assert not path.exists()
    with pytest.raises(TypeError), write_atomically(path) as file:
        print("half of the second", file=file)  # a binary file takes no text
    assert contents(path.parent) == {"file.txt": b"first"}


def test_files_written_together_take_their_places_together(tmp_path: Path) -> None:
    with write_together(tmp_path) as opened:
        opened("a").write(b"1")
        opened("b").write(b"1")
    with pytest.raises(TypeError), write_together(tmp_path) as opened:
        opened("a").write(b"2") + opened("b").write("2")
    assert contents(tmp_path) == {"a": b"1", "b": b"1"}


@pytest.mark.parametrize(
    ("code", "word"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EIO, "Input/output")],
)
def test_a_failing_disk_is_named_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: Any, code: int, word: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=word), write_atomically(path) as file:
        file.write(b"new")
    assert contents(tmp_path) == {"file": b"old"}


def test_a_folder_that_cannot_be_made_is_the_outputs_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OutputError, match="choose another folder"),
        write_atomically(tmp_path / "file" / "inside"),
    ):
        pass


def test_an_error_about_another_file_is_not_taken_for_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), write_atomically(tmp_path / "file"):
        (tmp_path / "elsewhere" / "missing").read_bytes()


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_writes_stays(
    tmp_path: Path,
) -> None:
    for name in (".file.0123abcd.partial", ".other.0123abcd.partial"):
        (tmp_path / name).write_bytes(b"half")
    with write_atomically(tmp_path / "file") as living:
        living.write(b"1")
        with write_atomically(tmp_path / "file") as file:
            file.write(b"2")
        assert set(contents(tmp_path)) - {"file", ".other.0123abcd.partial"} == {
            os.path.basename(living.name)
        }
    assert contents(tmp_path) == {"file": b"1", ".other.0123abcd.partial": b"half"}


def test_mark_output_is_done_once(tmp_path: Path) -> None:
    mark_output(tmp_path / "out")
    before = os.stat(tmp_path / "out" / MARKER).st_mtime_ns
    mark_output(tmp_path / "out")
    assert os.stat(tmp_path / "out" / MARKER).st_mtime_ns == before


def test_a_report_holds_its_files_and_says_where_they_are(audit: Audit, tmp_path: Path) -> None:
    stages: list[str] = []
    paths = report(
        audit, tmp_path / "out", progress=lambda stage, done, total, note: stages.append(stage)
    )
    assert set(os.listdir(tmp_path / "out")) == FILES
    for path in (paths.html, paths.json, paths.issues, paths.samples, paths.sarif, paths.run):
        assert os.path.getsize(path)
    assert json.loads(Path(paths.run).read_bytes())["stage"] == "audit"
    assert set(stages) == {"report"}


def test_a_report_is_the_same_bytes_each_time(audit: Audit, tmp_path: Path) -> None:
    report(audit, tmp_path / "one")
    report(audit, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_report_of_nothing_is_a_report(empty_audit: Audit, tmp_path: Path) -> None:
    paths = report(empty_audit, tmp_path / "out")
    assert "No images found" in Path(paths.html).read_text(encoding="utf-8")


def test_a_failing_report_leaves_the_previous_one_whole(
    audit: Audit, tmp_path: Path, monkeypatch: Any
) -> None:
    report(audit, tmp_path / "out")
    before = contents(tmp_path / "out")

    def full(file: Any, audit: Audit, without: tuple[str, ...] = ()) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dataprep.reports.audit.tables.write_samples", full)
    with pytest.raises(OutputError, match="disk is full"):
        report(audit, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_a_killed_run_leaves_the_previous_result_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import os, sys; from dataprep.schemas.files.writing import write_together\n"
        "with write_together(sys.argv[1]) as opened:\n"
        "    opened('a').write(b'new'); opened('b').write(b'new'); os.kill(os.getpid(), 9) if "
        "os.name != 'nt' else os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode
    left = sorted(os.listdir(tmp_path))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(left) == 2
    assert left[0].endswith(".partial")
    with write_together(tmp_path) as opened:
        opened("a").write(b"next")
    assert contents(tmp_path) == {"a": b"next"}
