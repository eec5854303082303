"""The geometry and the figures of the page, number by number."""

from __future__ import annotations

import base64
import math
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import simplejpeg
from PIL import Image

from dataprep.reports.audit.distributions import histogram
from dataprep.reports.audit.evidence import drawings
from dataprep.reports.audit.feature_map import FeatureMap, extent, reading
from dataprep.reports.audit.gallery import choose_rows
from dataprep.reports.audit.payload import compressed, in_bytes, sample_facts
from dataprep.reports.audit.sprites import SIDE, affordable, pictured, sheet
from dataprep.reports.charts import class_chart, histogram_chart, in_figures
from dataprep.reports.columns import width_of, wrapped
from dataprep.schemas.audit import Audit


def chart(counts: list[int], flagged: list[int]) -> dict[str, Any]:
    edges = [float(edge) for edge in range(len(counts) + 1)]
    figures = {"p05": 0.5, "median": 1234.0, "p95": 2.0}
    return histogram_chart({"counts": counts, "flagged": flagged, "edges": edges, **figures})


def test_bars_of_a_histogram_stand_on_the_ground_and_reach_the_top() -> None:
    made = chart([0, 8, 4, 1000], [0, 0, 1, 500])
    assert made["bars"] == [
        {"x": 60.4, "width": 59.2, "height": 2.5, "y": 61.5, "marked": 0.0, "marked_y": 64.0,
         "text": "1 to 2: 8"},
        {"x": 120.4, "width": 59.2, "height": 2.5, "y": 61.5, "marked": 2.5, "marked_y": 61.5,
         "text": "2 to 3: 4, 1 flagged"},
        {"x": 180.4, "width": 59.2, "height": 64.0, "y": 0.0, "marked": 32.0, "marked_y": 32.0,
         "text": "3 to 4: 1,000, 500 flagged"},
    ]  # fmt: skip
    assert (made["flagged"], made["low"], made["high"]) == (501, "0", "4")
    assert made["median"] == "1,230"
    assert chart([0, 0], [0, 0])["bars"] == []


def test_parts_of_a_class_lie_side_by_side_in_the_colours_of_their_splits() -> None:
    classes = [
        {"name": "cat", "count": 8, "splits": {"train": 4, "test": 2}},
        {"name": "dog", "count": 2, "splits": {"test": 2}},
    ]
    made = class_chart(classes, ["train", "test"])
    assert made["rows"][0]["parts"] == [
        {"x": 0.0, "width": 50.0, "colour": 0, "split": "train", "count": 4},
        {"x": 50.0, "width": 25.0, "colour": 1, "split": "test", "count": 2},
        {"x": 75.0, "width": 25.0, "colour": 0, "split": "", "count": 2},
    ]
    assert made["rows"][1]["parts"] == [
        {"x": 0.0, "width": 25.0, "colour": 1, "split": "test", "count": 2}
    ]


@pytest.mark.parametrize(("classes", "shown"), [(40, (40, 0, 0)), (41, (30, 10, 1))])
def test_the_largest_and_the_smallest_of_many_classes_are_shown(
    classes: int, shown: tuple[int, int, int]
) -> None:
    entries = [{"name": str(n), "count": 100 - n, "splits": {}} for n in range(classes)]
    made = class_chart(entries, [])
    assert (len(made["rows"]), len(made["tail"]), made["hidden"]) == shown
    assert [row["name"] for row in made["tail"]] == [str(n) for n in range(31, 41)][: shown[1]]
    assert class_chart([], []) == {"rows": [], "tail": [], "hidden": 0}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e9, "1e+09"),
        (9.99e8, "999,000,000"),
        (999.4, "999"),
        (999.5, "1,000"),
        (1e-4, "0.0001"),
        (0.99e-4, "9.9e-05"),
        (-1234.0, "-1,230"),
    ],
)
def test_figures_change_their_form_at_their_limits(number: float, text: str) -> None:
    assert in_figures(number) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(999, "999 bytes"), (1000, "1.0 KB"), (9_949, "9.9 KB"), (10_000, "10 KB"),
     (999_999, "1000 KB"), (3_400_000, "3.4 MB"), (5e9, "5.0 GB"), (2e12, "2000 GB")],
)  # fmt: skip
def test_sizes_in_bytes(size: float, text: str) -> None:
    assert in_bytes(size) == text


def test_facts_of_a_sample_leave_out_what_is_unknown(audit: Audit) -> None:
    names = audit.dataset.samples.index.tolist()
    facts = sample_facts(audit, [names[0], names[0], "elsewhere.jpg", names[1]])
    assert list(facts) == [names[0], names[1]]
    row = audit.dataset.samples.loc[names[0]]
    assert facts[names[0]]["facts"].startswith(f"{row['width']} × {row['height']}")
    assert facts[names[0]]["label"] == str(row["label"])


def test_data_of_the_page_are_the_same_bytes_each_time() -> None:
    assert compressed({"a": [1, 2]}) == compressed({"a": [1, 2]})
    assert compressed({"a": 1}).startswith("H4sIAAAAAAA"), "gzip without a time"


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], 1200),
        ([(-1, -1)], 1200),
        ([(0, 5000), (5000, 0)], 1200),
        ([(2000, 2000)], 500),
        ([(2000, 2000), (-1, 100)], 500),
        ([(2000, 1000), (2000, 3000)], 500),
        ([(10_000, 10_000)], 120),
        ([(10, 10)], 1200),
    ],
)
def test_pictures_are_as_many_as_can_be_decoded_in_seconds(
    sizes: list[tuple[int, int]], expected: int
) -> None:
    assert affordable([w for w, _ in sizes], [h for _, h in sizes]) == expected


def test_two_pictures_in_five_are_kept_for_what_checks_complain_of() -> None:
    positions = np.random.default_rng(0).uniform(-1, 1, (100, 2)).astype(np.float32)
    claimed = np.arange(100) >= 40
    shown = pictured(positions, claimed, 10)
    assert len(shown) == len(set(shown.tolist())) == 10
    assert (np.diff(shown) > 0).all()
    few = pictured(positions, np.arange(100) < 2, 10)
    assert set(few.tolist()) >= {0, 1}
    assert pictured(positions, claimed, 100).tolist() == list(range(100))
    assert len(pictured(positions, claimed, 99)) == 99


def test_pictures_take_turns_between_the_cells_of_the_map() -> None:
    crowd = np.full((50, 2), -0.99, np.float32)
    alone = np.array([[0.99, 0.99], [0.99, -0.99], [1.0, 0.5]], np.float32)
    shown = pictured(np.concatenate([crowd, alone]), np.zeros(53, bool), 4)
    assert shown.tolist() == [0, 50, 51, 52]


def test_the_middle_of_each_picture_lies_at_its_place_on_the_sheet() -> None:
    def jpeg(shade: int, shape: tuple[int, int]) -> bytes:
        pixels = np.full((*shape, 3), 255 - shade, np.uint8)
        top, left = (shape[0] - min(shape)) // 2, (shape[1] - min(shape)) // 2
        pixels[top : top + min(shape), left : left + min(shape)] = shade
        return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB"))

    shapes = [(40, 72), (72, 40), (30, 30), (72, 72)]
    pictures = {9 * n: jpeg(20 + 2 * n, shapes[n % 4]) for n in range(43)}
    made = sheet(pictures)
    image = np.asarray(Image.open(BytesIO(base64.b64decode(made["image"]))))
    assert image.shape == (2 * SIDE, 40 * SIDE, 3)
    assert (made["side"], made["across"]) == (SIDE, 40)
    assert made["points"] == [9 * n for n in range(43)]
    for n in range(43):
        y, x = n // 40 * SIDE, n % 40 * SIDE
        assert image[y + 4 : y + SIDE - 4, x + 4 : x + SIDE - 4].mean() == pytest.approx(
            20 + 2 * n, abs=2
        )
    assert np.asarray(
        Image.open(BytesIO(base64.b64decode(sheet({5: jpeg(9, (30, 30))})["image"])))
    ).shape == (SIDE, SIDE, 3)
    assert sheet({})["points"] == []


def test_a_picture_on_the_sheet_is_averaged_down_and_interpolated_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []
    resize = cv2.resize

    def noted(image: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
        asked.append((len(image), interpolation))
        return resize(image, size, interpolation=interpolation)

    monkeypatch.setattr(cv2, "resize", noted)
    for side in (40, 49):
        picture = np.zeros((side, side, 3), np.uint8)
        sheet({0: bytes(simplejpeg.encode_jpeg(picture, colorspace="RGB"))})
    assert asked == [(40, cv2.INTER_LINEAR), (49, cv2.INTER_AREA)]


@pytest.mark.parametrize(
    ("x", "logarithmic", "middle"),
    [
        ([1.0, 4.0, 8.0], True, 213.33),
        ([1.0, 4.0, 7.9], False, 139.13),
        ([0.0, 4.0, 8.0], False, 160.0),
    ],
)
def test_a_curve_spans_its_frame_with_some_room(
    x: list[float], logarithmic: bool, middle: float
) -> None:
    made = drawings({"curve": {"x": x, "y": [0.0, 1.0, 0.5], "measured": 2}})["curve"]
    assert made["logarithmic"] is logarithmic
    assert [dot["x"] for dot in made["dots"]] == [0.0, middle, 320.0]
    low, high = 130 * (1 - 0.06 / 1.12), 130 * (0.06 / 1.12)
    assert [dot["y"] for dot in made["dots"]] == [round(low, 2), round(high, 2), 65.0]
    assert [dot["guess"] for dot in made["dots"]] == [False, False, True]
    assert made["line"].count(",") == 2
    assert made["guess"].count(",") == 2, "the guess begins where the line ends"
    assert made["band"] == ""
    assert (made["y_low"], made["y_high"]) == ("-0.06", "1.06")
    flat = drawings({"curve": {"x": [1, 2], "y": [0, 0]}})["curve"]
    assert (flat["y_low"], flat["y_high"], flat["guess"]) == ("-1", "1", "")
    level = drawings({"curve": {"x": [2, 2], "y": [4, 4]}})["curve"]
    assert [dot["x"] for dot in level["dots"]] == [0.0, 0.0]
    assert (level["y_low"], level["y_high"]) == ("3.8", "4.2")


def test_a_band_goes_there_above_and_back_below() -> None:
    given = {"x": [0, 1], "y": [1, 1], "low": [0, 0], "high": [2, 2]}
    made = drawings({"curve": given})["curve"]
    points = [tuple(map(float, each.split(","))) for each in made["band"].split()]
    assert [x for x, _ in points] == [0.0, 320.0, 320.0, 0.0]
    assert points[0][1] == points[1][1] < 65 < points[2][1] == points[3][1]


def test_a_series_has_bars_of_its_own_height_and_says_its_total() -> None:
    given = {"edges": [0, 1, 2, 3], "series": {"a": [4, 0, 2], "b": [0, 0, 100]}}
    made = drawings({"histogram": {**given, "label": "luma_mean"}})["histogram"]
    first, second = made["series"]
    assert [(bar["x"], bar["width"], bar["height"], bar["y"]) for bar in first["bars"]] == [
        (0.4, 79.2, 34.0, 0.0),
        (160.4, 79.2, 17.0, 17.0),
    ]
    assert [bar["text"] for bar in first["bars"]] == ["0 to 1: 4 of 6", "2 to 3: 2 of 6"]
    assert (first["total"], second["total"], len(second["bars"])) == (6, 100, 1)
    assert (made["low"], made["median"], made["high"]) == ("0", "1.5", "3")
    assert (made["label"], made["more"]) == ("luma mean", 0)
    many = drawings({"histogram": {"edges": [0, 1], "series": {str(n): [1] for n in range(12)}}})
    assert (len(many["histogram"]["series"]), many["histogram"]["more"]) == (10, 2)
    tiny = drawings({"histogram": {"edges": [0, 1, 2], "series": {"a": [1, 1000]}}})["histogram"]
    assert [bar["height"] for bar in tiny["series"][0]["bars"]] == [1.2, 34.0]


def test_confusions_are_as_strong_as_the_worst_and_the_worst_are_named() -> None:
    rows = [[90, 8, 2], [4, 0, 1], [0, 0, math.nan]]
    made = drawings({"matrix": {"classes": ["a", "b", "c"], "rows": rows}})["matrix"]
    strength = {(cell["y"], cell["x"]): cell["strength"] for cell in made["cells"]}
    assert strength == {
        (0, 0): 1.0, (0, 1): 1.0, (0, 2): 0.25,
        (1, 0): 0.5, (1, 1): 0.0, (1, 2): 0.125,
        (2, 0): 0.0, (2, 1): 0.0,
    }  # fmt: skip
    assert [cell["same"] for cell in made["cells"]].count(True) == 2
    assert made["worst"] == ["a → b: 8", "b → a: 4", "a → c: 2", "b → c: 1"]
    assert made["size"] == 3


@pytest.mark.parametrize(
    ("interval", "figure", "baseline", "expected"),
    [
        ([0.2, 0.6], 0.5, 0.1, (20.0, 60.0, 50.0, 10.0, "0", "1")),
        ([-0.5, 0.5], 0.0, math.nan, (25.0, 75.0, 50.0, None, "-1", "1")),
        ([10.0, 20.0], 15.0, math.nan, (45.45, 90.91, 68.18, None, "0", "22")),
        ([-20.0, -10.0], -15.0, math.nan, (9.09, 54.55, 31.82, None, "-22", "0")),
        ([1.0, 1.0], 1.0, 1.0, (100.0, 100.0, 100.0, 100.0, "0", "1")),
    ],
)
def test_an_interval_lies_on_an_axis_that_fits_it(
    interval: list[float], figure: float, baseline: float, expected: tuple[Any, ...]
) -> None:
    made = drawings({"interval": interval, "baseline": baseline}, figure)["interval"]
    keys = ("low", "high", "figure", "baseline", "first", "last")
    assert tuple(made[key] for key in keys) == expected
    assert "interval" not in drawings({"interval": [2.0, 1.0]}, 1.0)


def found(values: list[float], column: str, dtype: str = "float64") -> dict[str, Any]:
    made = histogram(pd.Series(values, dtype=dtype), column, np.arange(len(values)) == 0)
    assert made is not None
    return made


def test_bins_of_few_whole_numbers_are_one_each() -> None:
    made = found([3, 3, 5, 6], "jpeg_quality", "Int64")
    assert made["edges"] == [2.5, 3.5, 4.5, 5.5, 6.5]
    assert made["counts"] == [2, 0, 1, 1]
    assert made["flagged"] == [1, 0, 0, 0]


def test_bins_of_sizes_are_equal_in_their_logarithm() -> None:
    made = found([1.0, 10.0, 100.0, -5.0, math.nan], "sharpness")
    assert made["n"] == 3
    assert len(made["edges"]) == 41
    steps = np.diff(np.log(made["edges"]))
    assert steps == pytest.approx(np.full(40, steps[0]), rel=1e-3)
    assert sum(made["counts"]) == 3
    assert found([5.0], "luma_mean")["edges"][0] == 4.75
    assert found([0.0], "luma_mean")["edges"][0] == -0.5
    assert found([0.0], "luma_mean")["edges"][-1] == 0.5


def test_outliers_are_counted_in_the_first_and_last_bin() -> None:
    values = [*np.linspace(0.4, 0.6, 5000).tolist(), 0.0, 1.0]
    made = found(values, "luma_mean")
    assert made["edges"][0] == pytest.approx(0.4, abs=1e-3)
    assert made["edges"][-1] == pytest.approx(0.6, abs=1e-3)
    assert sum(made["counts"]) == 5002
    assert (made["p05"], made["median"], made["p95"]) == pytest.approx((0.41, 0.5, 0.59), abs=1e-3)


def test_each_check_gives_its_first_rows_to_a_page_that_is_full() -> None:
    codes = ["a"] * 6 + ["b"] * 2 + ["a"] * 2
    table = pd.DataFrame({"check": pd.Categorical(codes)})
    assert choose_rows(table, 10).tolist() == list(range(10))
    assert choose_rows(table, 9).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert choose_rows(table, 5).tolist() == [0, 1, 2, 6, 7]
    assert choose_rows(table, 1).tolist() == []


def shown_map(agreement: float, chance: float, total: int = 3) -> FeatureMap:
    return FeatureMap(
        np.arange(3), np.zeros((3, 2), np.float32), np.zeros(3, np.uint8), total, agreement, chance
    )


def test_a_map_is_read_by_how_much_better_than_chance_neighbours_agree() -> None:
    clear, part, none = (reading(shown_map(agreement, 0.5)) for agreement in (0.81, 0.64, 0.6))
    assert len({text.partition(":")[2] for text in (clear, part, none)}) == 3
    assert reading(shown_map(0.8, 0.5)).partition(":")[2] == clear.partition(":")[2]
    assert reading(shown_map(0.625, 0.5)).partition(":")[2] == part.partition(":")[2]
    assert reading(shown_map(math.nan, math.nan)) == ""
    assert extent(shown_map(0.8, 0.5)) == "3 images"
    assert extent(shown_map(0.8, 0.5, 4)).startswith("3 of 4")


def test_wide_letters_take_two_columns_and_combining_ones_none() -> None:
    assert [width_of(text) for text in ("abc", "猫", "e\u0301", "")] == [3, 2, 1, 0]
    assert wrapped("猫 猫 猫", 5) == ["猫 猫", "猫"]
    assert wrapped("one two three", 7, "- ", "  ") == ["- one", "  two", "  three"]
    assert wrapped("one two three four", 9, most=1) == ["one two…"]
