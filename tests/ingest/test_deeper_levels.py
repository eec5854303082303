"""Which deeper levels of folders a note offers as classes."""

from __future__ import annotations

import pytest

from dataprep.ingest.layouts import _levels_noted


@pytest.mark.parametrize(
    ("above", "offered"), [(0, True), (5, True), (6, True), (7, False), (100, False)]
)
def test_a_level_is_offered_where_half_of_the_files_lie_in_it(above: int, offered: bool) -> None:
    counts = {"a/x": 4, "a/y": 2, "b": above}
    parts = {folder: tuple(folder.split("/")) for folder in counts}
    notes = _levels_noted(parts, 0, counts)
    assert bool(notes) == offered
    if offered:
        assert "level 2 has 2 folders (x, y)" in notes[0]
        assert "--label-from leaf" in notes[0]


def test_a_level_with_one_folder_is_not_offered_and_each_level_has_its_option() -> None:
    lone = {"a/x": ("a", "x"), "b/x": ("b", "x")}
    assert _levels_noted(lone, 0, {"a/x": 4, "b/x": 4}) == ()
    deep = {"a/x/p": ("a", "x", "p"), "a/y/q": ("a", "y", "q")}
    (note,) = _levels_noted(deep, 0, dict.fromkeys(deep, 1))
    assert "--label-from 2 or --label-from leaf" in note
    assert "level 3 has 2 folders (p, q)" in note
