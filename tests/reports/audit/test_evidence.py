"""What claims show besides their words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dataprep.reports.audit import evidence
from dataprep.reports.audit.evidence import drawings, exhibits, names_shown
from dataprep.schemas.issues import Issues, batch
from tests.reports.audit.conftest import CURVE, HISTOGRAM, MATRIX, PATCH


def test_bars_of_each_series_fill_their_own_row() -> None:
    chart = drawings({"histogram": HISTOGRAM})["histogram"]
    cat = chart["series"][0]
    assert (cat["name"], cat["total"]) == ("cat", 13)
    assert [bar["height"] for bar in cat["bars"]] == [34.0, 11.33, 3.78]
    assert [bar["x"] for bar in chart["series"][1]["bars"]] == [60.4, 120.4, 180.4]
    assert cat["bars"][0]["text"] == "0 to 0.25: 9 of 13"
    assert (chart["low"], chart["high"], chart["label"]) == ("0", "1", "luma mean")


def test_categories_name_the_bins() -> None:
    given = {
        "edges": [-0.5, 0.5, 1.5],
        "series": {"a": [3, 1]},
        "label": "format",
        "categories": ["JPEG", "PNG"],
    }
    chart = drawings({"histogram": given})["histogram"]
    assert [bar["text"] for bar in chart["series"][0]["bars"]] == ["JPEG: 3 of 4", "PNG: 1 of 4"]
    assert (chart["low"], chart["high"]) == ("JPEG", "PNG")


def test_pixels_keep_their_colours_and_places() -> None:
    patch = drawings({"patch": PATCH})["patch"]
    assert [(cell["x"], cell["y"], cell["colour"]) for cell in patch["cells"]] == [
        (0, 0, "rgb(255,0,0)"),
        (1, 0, "rgb(0,255,0)"),
        (0, 1, "rgb(0,0,255)"),
        (1, 1, "rgb(255,255,0)"),
    ]
    assert (patch["width"], patch["height"], patch["place"]) == (2, 2, "bottom right corner")


def test_a_curve_that_spans_sizes_is_logarithmic_and_tells_guesses() -> None:
    curve = drawings({"curve": CURVE})["curve"]
    assert curve["logarithmic"]
    steps = np.diff([dot["x"] for dot in curve["dots"]])
    np.testing.assert_allclose(steps, steps[0], atol=0.02)
    assert [dot["guess"] for dot in curve["dots"]] == [False] * 5 + [True]
    assert curve["guess"].count(",") == 2
    assert all(0 <= dot["y"] <= 130 for dot in curve["dots"])
    assert curve["dots"][0]["y"] > curve["dots"][-1]["y"], "higher is better, and up"
    assert not drawings({"curve": {"x": [1, 2, 3], "y": [1, 1, 1]}})["curve"]["logarithmic"]


def test_a_matrix_is_as_dark_as_its_confusions() -> None:
    matrix = drawings({"matrix": MATRIX})["matrix"]
    strength = {
        (cell["x"], cell["y"]): cell["strength"] for cell in matrix["cells"] if not cell["same"]
    }
    assert strength[0, 1] == 1.0
    assert strength[1, 0] == 0.5
    assert strength[2, 0] == 0
    assert matrix["worst"][0] == "dog → cat: 0.2"


@pytest.mark.parametrize(
    ("given", "figure", "expected"),
    [
        ({"interval": [0.6, 0.8], "baseline": 0.5}, 0.7, (60, 80, 70, 50)),
        ({"interval": [-2, 2]}, 1.0, (8.33, 91.67, 70.83, None)),
        ({"interval": [-0.5, 0]}, -0.2, (25, 50, 40, None)),
        ({"interval": [0.1, 0.2]}, math.nan, (10, 20, None, None)),
    ],
)
def test_intervals_lie_where_their_figures_say(
    given: dict[str, Any], figure: float, expected: tuple[Any, ...]
) -> None:
    drawn = drawings(given, figure)["interval"]
    assert (drawn["low"], drawn["high"], drawn["figure"], drawn["baseline"]) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"histogram": {"edges": "x"}},
        {"histogram": {"edges": [0, 1], "series": {"a": [0]}}},
        {"histogram": {"series": 1, "edges": []}},
        {"curve": {"x": [1], "y": [1]}},
        {"curve": {"x": [1, 2], "y": [1, "a"]}},
        {"curve": {"x": [1, 2], "y": [1]}},
        {"curve": [1]},
        {"matrix": {"classes": [], "rows": []}},
        {"matrix": {"classes": ["a", "b"], "rows": [[1, 2]]}},
        {"patch": {"pixels": [[1]]}},
        {"patch": {"pixels": []}},
        {"patch": {}},
        {"patch": 1},
        {"interval": [2, 1]},
        {"interval": 3},
        {"interval": [1, None]},
        {"neighbours": "a.jpg"},
        {"neighbours": [1, 2]},
        {"drivers": []},
    ],
)
def test_what_has_another_form_is_not_drawn(given: dict[str, Any]) -> None:
    assert drawings(given) == {}


def test_pictures_of_the_page_are_bounded_and_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "PICTURES", 5)
    given = [
        {"neighbours": ["a", "b", "a", "gone"]},
        {"drivers": ["b", "c", "d"]},
        {"carriers": ["e", "f"]},
        {"note": "no picture"},
    ]
    table = Issues.collect([batch("x", "info", "dataset", [""] * 4, evidence=given)]).table
    known = {"a", "b", "c", "d", "e", "f"}
    shown = exhibits(table, {0: (), 1: ("b",), 2: (), 3: ()}, lambda names: known & set(names))
    assert names_shown(shown) == ["a", "b", "c", "d"]
    assert shown[1]["strips"][0]["names"] == ["c", "d"], (
        "what is pictured beside it is not pictured again"
    )
    assert list(shown) == [0, 1], "the third would be too many, the fourth shows nothing"
