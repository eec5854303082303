"""The command line as a user meets it: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer

from dataprep.cli import app
from tests.conftest import OBEYING, save, textured

COMMAND = [sys.executable, "-m", "dataprep"]


def run(
    *arguments: str | os.PathLike[str], folder: Path | None = None, **options: object
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        **options,
    )


def test_audit_prints_findings_and_where_the_report_is(class_folders: Path, tmp_path: Path) -> None:
    (class_folders / "dog" / "empty.jpg").write_bytes(b"")
    done = run("audit", class_folders, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "report.html" in done.stdout
    assert "empty.jpg" in done.stdout
    assert "\x1b[" not in done.stdout
    written = {path.name for path in (tmp_path / "dataprep-out" / "audit").iterdir()}
    assert {
        "report.html",
        "report.json",
        "issues.csv",
        "samples.parquet",
        "report.sarif",
        "run.json",
    } <= written


def test_json_for_pipes(class_folders: Path, tmp_path: Path) -> None:
    done = run("audit", class_folders, "--format", "json", folder=tmp_path)
    assert json.loads(done.stdout)


@pytest.mark.parametrize(("level", "code"), [("never", 0), ("error", 1), ("info", 1)])
def test_fail_at_is_the_exit_code(
    class_folders: Path, tmp_path: Path, level: str, code: int
) -> None:
    (class_folders / "dog" / "empty.jpg").write_bytes(b"")
    assert run("audit", class_folders, "--fail-at", level, folder=tmp_path).returncode == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "nowhere"], "nowhere"),
        (["audit", ".", "--only", "drak"], "Did you mean 'dark'"),
        (["audit", ".", "--set", "dark=1"], "expected CHECK.OPTION=VALUE"),
        (["audit", ".", "--set", "dark.treshold=1"], "unknown option dark.treshold"),
        (["audit", ".", "--config", "no.toml"], "cannot read the configuration"),
        (["audit", "--files", "no.txt"], "cannot read the list"),
        (["audit", ".", "--known", "no.json"], "no.json"),
        (["audit", "--quiet"], "nothing to audit"),
        (["explain", "blury"], "Did you mean 'blurry'"),
        (["clean"], "dataprep audit"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    class_folders: Path, arguments: list[str], words: str
) -> None:
    done = run(*arguments, folder=class_folders)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_usage_errors_have_exit_code_2(tmp_path: Path) -> None:
    done = run("audit", ".", "--fail-at", "sometimes", folder=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_configuration_sets_defaults_and_flags_override(
    class_folders: Path, tmp_path: Path
) -> None:
    (tmp_path / "dataprep.toml").write_text(
        '[audit]\nout = "here"\nfail_at = "info"\n[checks.odd-size]\n'
    )
    (class_folders / "dog" / "empty.jpg").write_bytes(b"")
    assert run("audit", class_folders, folder=tmp_path).returncode == 1
    assert (tmp_path / "here" / "audit" / "report.html").is_file()
    assert run("audit", class_folders, "--fail-at", "never", folder=tmp_path).returncode == 0


def test_a_list_of_files_may_come_from_stdin(class_folders: Path, tmp_path: Path) -> None:
    paths = "\n".join(str(path) for path in sorted(class_folders.rglob("*.jpg"))[:3])
    done = run("audit", "--files", "-", "--format", "json", folder=tmp_path, input=paths)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dataset"]["samples"] == 3


def test_odd_names_reach_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "my images"
    for name in (b"new\nline.png", b"latin\xe9.png", b"sp ace.png"):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        save(textured(len(name)), path)
        path.write_bytes(b"")
    done = run(
        "audit",
        folder,
        "--format",
        "csv",
        folder=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert "sp ace.png" in done.stdout
    assert r"latin\xe9.png" in done.stdout


def test_an_out_folder_that_cannot_be_written_is_exit_code_3(
    class_folders: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    done = run("audit", class_folders, "--out", tmp_path / "taken", folder=tmp_path)
    assert done.returncode == 3
    assert "taken" in done.stderr
    assert "Traceback" not in done.stderr


def options() -> list[tuple[str, Any]]:
    commands = typer.main.get_command(app).commands
    return [
        (name, parameter)
        for name, command in commands.items()
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.name != "help"
    ]


def test_options_are_grouped_and_explained() -> None:
    """Commands with many options show them in groups that one can read at a glance."""
    counts = Counter(name for name, _ in options())
    panels = Counter(
        (name, option.rich_help_panel) for name, option in options() if counts[name] > 4
    )
    assert not [name for name, title in panels if title is None]
    assert max(panels.values()) <= 15
    assert not [name for name, option in options() if not option.help]
    # rich would take it for a style, and show nothing
    assert not [option.name for _, option in options() if "[default" in option.help]


def test_the_same_option_is_explained_in_the_same_words() -> None:
    shared = ("manifest", "files", "label_column", "group_by", "quiet", "task", "jobs")
    for name in shared:
        words = {option.help for _, option in options() if option.name == name}
        if name == "manifest":  # of clean it is what is written
            words = {text for text in words if "to write" not in text}
        assert len(words) == 1, words


def test_checks_and_explain(tmp_path: Path) -> None:
    listed = json.loads(run("checks", "--format", "json", folder=tmp_path).stdout)
    assert {"check", "severity", "finds"} <= set(listed[0])
    text = run("explain", "near-duplicate", folder=tmp_path).stdout
    assert "How it works" in text
    assert "--set near-duplicate." in text


def test_cache_is_shown_and_cleared(class_folders: Path, tmp_path: Path) -> None:
    run("audit", class_folders, folder=tmp_path)
    assert "12 by content" in run("cache", "info", folder=tmp_path).stdout
    assert run("cache", "clear", folder=tmp_path).returncode == 0
    assert " 0 by content" in run("cache", "info", folder=tmp_path).stdout


def test_a_closed_pipe_is_no_error(class_folders: Path, tmp_path: Path) -> None:
    command = " ".join([*COMMAND, "checks"])
    done = subprocess.run(
        f"{command} | head -1", shell=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX shells close streams so")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_changes_nothing_else(
    class_folders: Path, tmp_path: Path, closed: str
) -> None:
    (class_folders / "broken.jpg").write_bytes(b"no image")
    command = " ".join([*COMMAND, "audit", "images", "--fail-at", "info"])
    done = subprocess.run(
        f"{command} {closed}", shell=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "dataprep-out" / "audit" / "report.html").is_file()


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_gate_holds_when_the_reader_has_had_enough(class_folders: Path, tmp_path: Path) -> None:
    (class_folders / "broken.jpg").write_bytes(b"no image")
    command = " ".join([*COMMAND, "audit", "images", "-q", "--format", "json", "--fail-at", "info"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | true"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == ""


def test_a_cache_that_cannot_be_written_is_one_line(class_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    done = run(
        "audit",
        class_folders,
        folder=tmp_path,
        env={**os.environ, "DATAPREP_CACHE_DIR": str(tmp_path / "taken")},
    )
    assert done.returncode == 0
    assert done.stderr.startswith("dataprep: warning: no cache: ")
    assert done.stderr.count("\n") == 1


def test_known_issues_are_counted_and_the_baseline_is_not_replaced(
    class_folders: Path, tmp_path: Path
) -> None:
    (class_folders / "dog" / "empty.jpg").write_bytes(b"")
    assert run("audit", class_folders, "--out", "baseline", folder=tmp_path).returncode == 0
    done = run("audit", class_folders, "--known", "baseline", "--fail-at", "info", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No new errors or warnings" in done.stdout
    assert (
        json.loads((tmp_path / "dataprep-out" / "audit" / "run.json").read_text())["left_out"][
            "known"
        ]
        > 0
    )
    done = run("audit", class_folders, "--known", "baseline", "--out", "baseline", folder=tmp_path)
    assert done.returncode == 2
    assert "this run would replace" in done.stderr


_NO_NETWORK = """
import sys

def _refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        open({log!r}, "a").write(event)
        raise OSError("no network")

sys.addaudithook(_refuse)
"""


def test_nothing_reaches_for_the_network(class_folders: Path, tmp_path: Path) -> None:
    log = tmp_path / "tried.txt"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(_NO_NETWORK.format(log=str(log)))
    paths = os.pathsep.join([str(tmp_path / "site"), os.getcwd()])
    environment = {**os.environ, "PYTHONPATH": paths}
    for index in range(2):
        save(textured(3), class_folders / "dog" / f"copy{index}.png")
    assert run("audit", class_folders, folder=tmp_path, env=environment).returncode == 0
    assert run("clean", folder=tmp_path, env=environment).returncode == 0
    assert not log.exists()
    reach = "import socket; socket.create_connection(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", reach], env=environment, capture_output=True)
    assert log.exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_stopped_run_leaves_no_process_and_the_last_report(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    result = tmp_path / "dataprep-out" / "audit"
    save(textured(0), tmp_path / "images" / "0.png")
    assert run("audit", "images", folder=tmp_path).returncode == 0
    before = {path.name: path.read_bytes() for path in result.iterdir()}
    picture = save(textured(1, 640, 480), tmp_path / "images" / "1.png").read_bytes()
    for index in range(400):
        (tmp_path / "images" / f"copy{index}.png").write_bytes(
            picture + b"%d" % index
        )  # other content, the same pixels
    process = subprocess.Popen(
        [*COMMAND, "audit", "images"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **OBEYING,
    )
    children: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while not children and time.monotonic() < deadline and process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in errors
    psutil.wait_procs(children, timeout=10)
    assert not [
        child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    ]
    assert {path.name: path.read_bytes() for path in result.iterdir()} == before


def test_a_name_in_an_error_cannot_command_the_terminal(tmp_path: Path) -> None:
    done = run("audit", "\x1b[31mred\udcff", folder=tmp_path)
    assert done.returncode == 2
    assert "\\x1b[31mred" in done.stderr
    assert "\x1b" not in done.stderr


def test_cleaning_says_the_next_command_and_where_paths_start(
    class_folders: Path, tmp_path: Path
) -> None:
    run("audit", class_folders, "--out", "my out", folder=tmp_path)
    assert (
        "dataprep clean --out 'my out' --apply"
        in run("clean", "--out", "my out", folder=tmp_path).stdout
    )
    done = run("clean", "--out", "my out", "--apply", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"(paths relative to {class_folders})" in done.stdout
