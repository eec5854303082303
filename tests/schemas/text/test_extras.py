"""The advice to install an extra works for how dataprep was installed."""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

import pytest

from dataprep.schemas.text import extras
from dataprep.schemas.text.extras import command_for, how_to_install


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "my checkout"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    return folder


def test_from_an_index_it_is_the_name() -> None:
    assert command_for("train", None) == 'pip install "dataprep-images[train]"'


def test_from_a_checkout_it_is_the_folder(checkout: Path) -> None:
    url = checkout.as_uri()
    assert (
        command_for("train", {"url": url, "dir_info": {"editable": True}})
        == f'pip install -e "{checkout}[train]"'
    )
    assert command_for("hf", {"url": url, "dir_info": {}}) == f'pip install "{checkout}[hf]"'
    (checkout / "constraints.txt").write_text("")
    assert (
        command_for("train", {"url": url, "dir_info": {"editable": True}})
        == f'pip install -c "{checkout}/constraints.txt" -e "{checkout}[train]"'
    )


def test_from_a_wheel_it_is_the_file(tmp_path: Path) -> None:
    wheel = tmp_path / "dataprep_images-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    assert (
        command_for("train", {"url": wheel.as_uri(), "archive_info": {}})
        == f'pip install "{wheel}[train]"'
    )


def test_from_a_repository_it_is_its_address() -> None:
    origin = {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "0"}}
    assert (
        command_for("hf", origin)
        == 'pip install "dataprep-images[hf] @ git+https://example.org/a.git"'
    )


def test_a_folder_that_is_gone_or_source_that_was_never_installed_is_the_source_that_runs(
    checkout: Path,
) -> None:
    gone = {"url": (checkout / "gone").as_uri(), "dir_info": {"editable": True}}
    for origin in (gone, None, {}):
        assert command_for("train", origin, checkout) == f'pip install -e "{checkout}[train]"'


def test_a_folder_of_an_awkward_name_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "it's $HOME"
    folder.mkdir()
    words = command_for("train", {"url": folder.as_uri(), "dir_info": {}}).partition("install ")[2]
    assert (
        subprocess.run(["sh", "-c", f"printf %s {words}"], capture_output=True, text=True).stdout
        == f"{folder}[train]"
    )


def test_what_is_installed_here_gets_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    assert how_to_install("train").startswith("pip install ")
    monkeypatch.setattr(extras, "distribution", none)
    how_to_install.cache_clear()
    assert how_to_install("train").endswith(f'-e "{Path(__file__).parents[3]}[train]"')
    how_to_install.cache_clear()
