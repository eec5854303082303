"""How the command starts."""

from __future__ import annotations

import gc

import pytest

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
