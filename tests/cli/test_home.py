"""``~`` in arguments that no shell has expanded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataprep.cli.shared.home import with_home


@pytest.mark.parametrize(
    ("given", "expanded"),
    [
        ("~/a b", "/h/a b"),
        ("--out=~/x", "/h/x"),
        ("--manifest=~/m.csv", "/h/m.csv"),
        ("~", "/h"),
        ("--out=~", "/h"),
    ],
)
def test_the_home_folder_is_put_in(monkeypatch, tmp_path, given, expanded):
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.chdir(tmp_path)
    start = given[: given.index("=") + 1] if "=" in given else ""
    assert with_home([given]) == [start + expanded]


@pytest.mark.parametrize(
    "given",
    [
        "a/~/b",
        "~nobody-of-that-name/x",
        "~x",
        "--set=dark.x=~",
        "-q",
        "",
        "--group-by=(~.*)_",
        "=~/x",
    ],
)
def test_anything_else_stays(monkeypatch, tmp_path, given):
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.chdir(tmp_path)
    assert with_home([given]) == [given]


def test_a_folder_that_is_called_so_comes_first(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~").mkdir()
    assert with_home(["~/x", "--out=~/x", "~"]) == ["~/x", "--out=~/x", "~"]


def test_commands_take_the_home_folder(tmp_path: Path):
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "images" / "1.png")
    command = [
        sys.executable,
        "-m",
        "dataprep",
        "audit",
        "~/images",
        "--no-embedding",
        "--only",
        "dark",
        "-q",
        "--out=~/results",
    ]
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    (tmp_path / "here").mkdir()
    done = subprocess.run(
        command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "audit" / "report.html").is_file()
    assert os.listdir(tmp_path / "here") == []
