"""Templates are compiled once, and nothing that is in the way of that stops a page."""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2
import pytest

from dataprep.reports.compiled_templates import CompiledTemplates


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that were compiled."""
    sources: list[str] = []
    compile_source = jinja2.Environment.compile

    def counted(self, source, *rest, **options):
        sources.append(source)
        return compile_source(self, source, *rest, **options)

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return sources


def page(folder: Path, source: str = "Hello {{ name }}") -> str:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"page.html.j2": source}),
        bytecode_cache=CompiledTemplates(str(folder)),
    )
    return environment.get_template("page.html.j2").render(name="you")


def test_the_second_run_compiles_nothing(tmp_path: Path, compiled: list[str]) -> None:
    assert page(tmp_path) == page(tmp_path) == "Hello you"
    assert len(compiled) == 1
    assert len(list(tmp_path.joinpath("__pycache__").iterdir())) == 1


def test_another_source_is_compiled(tmp_path: Path) -> None:
    page(tmp_path)
    assert page(tmp_path, "Bye {{ name }}") == "Bye you"


@pytest.mark.parametrize("damage", [b"", b"j2", b"\x80\x02 nonsense"])
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes, compiled: list[str]) -> None:
    page(tmp_path)
    (kept,) = tmp_path.joinpath("__pycache__").iterdir()
    for size in range(0, len(kept.read_bytes()), 16):
        kept.write_bytes(kept.read_bytes()[:size] + damage)
        assert page(tmp_path) == "Hello you"
    assert page(tmp_path) == "Hello you"


def test_a_folder_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.joinpath("__pycache__").write_text("in the way")
    assert page(tmp_path) == "Hello you"
    assert [path.name for path in tmp_path.iterdir()] == ["__pycache__"]


def test_no_bytecode_is_written_where_python_shall_write_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert page(tmp_path) == "Hello you"
    assert not list(tmp_path.iterdir())
