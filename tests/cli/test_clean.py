"""``dataprep clean`` as a user meets it: the question on a terminal, what is applied and undone,
what is refused.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "dataprep"]


def run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture
def place(class_folders: Path, tmp_path: Path) -> Path:
    """A folder with an audit of twelve photos, one copy and one broken file, and the plan for
    it.
    """
    shutil.copy(class_folders / "dog" / "00.jpg", class_folders / "dog" / "copy.jpg")
    (class_folders / "cat" / "broken.jpg").write_bytes(
        (class_folders / "cat" / "01.jpg").read_bytes()[:200]
    )
    assert run("audit", "images", "--no-embedding", folder=tmp_path).returncode == 0
    assert run("clean", folder=tmp_path).returncode == 0
    return tmp_path


def state(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def on_terminal(keys: bytes, *arguments: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of the command on a terminal of its own, where `keys` are typed at
    the first question.
    """
    import pty

    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where the suite runs with it ignored
        os.chdir(folder)
        os.execv(sys.executable, [*COMMAND, *arguments])
    said = b""
    while True:
        try:
            block = os.read(terminal, 1024)
        except OSError:  # Linux says so when the last writer is gone
            break
        if not block:
            break
        said += block
        if b"[y/N]" in said and keys:
            os.write(terminal, keys)
            keys = b""
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said.decode(errors="replace")


needs_terminal = pytest.mark.skipif(os.name == "nt", reason="terminals are POSIX here")


def test_the_plan_is_shown_by_action_and_check_and_says_what_comes_next(place: Path) -> None:
    done = run("clean", folder=place)
    assert "DROP  2 images" in done.stdout
    assert "exact-duplicate       1  dog/copy.jpg" in done.stdout
    assert "unreadable            1  cat/broken.jpg" in done.stdout
    assert "nothing was changed" in done.stdout
    assert "dataprep clean --apply" in done.stdout


@needs_terminal
@pytest.mark.parametrize("keys", [b"n\n", b"\n", b"\x03"])
def test_no_and_ctrl_c_leave_everything_as_it_was(place: Path, keys: bytes) -> None:
    before = state(place)
    code, said = on_terminal(keys, "clean", "--apply", "--to", "new", folder=place)
    assert code == 130
    assert "Nothing was changed." in said
    assert "Traceback" not in said
    assert "dog/copy.jpg" in said
    assert state(place) == before


@needs_terminal
def test_yes_on_a_terminal_applies_and_undoes(place: Path) -> None:
    before = state(place)
    assert on_terminal(b"y\n", "clean", "--apply", "--to", "new", folder=place)[0] == 0
    assert (place / "dataprep-out/clean/clean.csv").exists()
    assert sorted(os.listdir(place / "new")) == [
        ".dataprep-clean.json",
        "cat",
        "dog",
        "metadata.csv",
    ]
    assert on_terminal(b"n\n", "clean", "--undo", folder=place)[0] == 130
    assert (place / "new").exists()
    assert on_terminal(b"", "clean", "--undo", "--yes", folder=place)[0] == 0
    assert state(place) == before


def test_without_a_terminal_nothing_is_asked(place: Path) -> None:
    before = state(place)
    done = run("clean", "--apply", folder=place)
    assert done.returncode == 0, done.stderr
    assert "12 samples kept, 2 dropped, 0 relabelled" in done.stdout
    assert "to get back: dataprep clean --undo" in done.stdout
    undone = run("clean", "--undo", folder=place)
    assert undone.returncode == 0, undone.stderr
    assert "Removes: " in undone.stdout
    assert state(place) == before
    assert run("clean", "--undo", folder=place).returncode == 2


def test_options_reach_the_plan(place: Path) -> None:
    assert (
        run(
            "clean",
            "--drop",
            "dark",
            "--relabel",
            "--drop-at-confidence",
            "0.9",
            "--test",
            folder=place,
        ).returncode
        == 0
    )
    text = (place / "dataprep-out/clean/plan.json").read_text()
    for part in ('"relabel": true', '"drop_at_confidence": 0.9', '"test": true', '"dark"'):
        assert part in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--apply", "--drop", "dark"], "--drop: it shapes the plan"),
        (["--apply", "--relabel"], "--relabel: it shapes the plan"),
        (["--apply", "--undo"], "exclude each other"),
        (["--yes"], "--yes: it goes with --apply"),
        (["--to", "new"], "--to: it goes with --apply"),
        (["--undo", "--to", "new"], "--to: it does not go with --undo"),
        (["--undo"], "nothing to undo"),
    ],
)
def test_options_without_effect_are_refused(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run("clean", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
