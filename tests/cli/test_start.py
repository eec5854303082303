"""How the command starts."""

from __future__ import annotations

import gc

import pytest
import typer

from dataprep import __main__, cli, interruption


def test_imports_are_not_searched_for_unreachable_objects_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interruption, "watch", lambda: None)
    thresholds: list[int] = []
    monkeypatch.setattr(cli, "main", lambda: thresholds.append(gc.get_threshold()[0]))
    before = gc.get_threshold()
    try:
        __main__.main()
    finally:
        gc.set_threshold(*before)
    assert thresholds[0] > 5000


def test_only_the_command_that_is_called_is_made() -> None:
    def made(*words: str) -> list[str]:
        group = typer.main.get_command(cli._app_of(list(words)))
        assert isinstance(group, typer.core.TyperGroup)
        return sorted(group.commands)

    assert made("train-baseline", "folder") == ["cache", "train-baseline"]
    assert made("audit") == ["audit", "cache"]
    for words in ([], ["-h"], ["audti"], ["cache", "info"], ["--version"]):
        assert len(made(*words)) > 8
