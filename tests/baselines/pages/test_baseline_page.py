"""The page and the terminal output of a baseline."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataprep.baselines.pages.baseline_page import draw_baseline
from dataprep.baselines.pages.console import print_baseline
from dataprep.baselines.pages.drawings import confusion_chart, line_chart
from dataprep.baselines.pages.summary import verdict
from dataprep.schemas.audit import Audit
from dataprep.schemas.baseline import Baseline, BaselinePaths
from dataprep.schemas.results.baseline import BaselineMetrics
from tests.baselines.analysed import CLOSING, HOSTILE, analysed


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Baseline, Audit, str]:
    baseline, audit = analysed(tmp_path_factory.mktemp("multi-class"))
    return baseline, audit, draw_baseline(baseline, audit)


def text_of(baseline: Baseline) -> str:
    stream = io.StringIO()
    print_baseline(baseline, BaselinePaths("out"), stream)
    return stream.getvalue()


def test_evil_names_stay_text(drawn: tuple[Baseline, Audit, str]) -> None:
    page = drawn[2]
    assert CLOSING not in page
    assert HOSTILE not in page
    assert "&lt;img src=x" in page


def test_a_mistake_links_to_what_the_audit_says(drawn: tuple[Baseline, Audit, str]) -> None:
    assert '../audit/report.html#check-wrong-label"' in drawn[2]


def test_the_worst_get_overlays_with_a_network_and_none_without(
    drawn: tuple[Baseline, Audit, str],
) -> None:
    baseline, audit, page = drawn
    assert 'id="heat"' in page
    assert "Shown for the worst " in page
    assert "the worst 1 mistakes" not in page
    assert 'id="heat"' not in draw_baseline(replace(baseline, network=None), audit)


def test_mistakes_on_the_test_part_are_not_shown(drawn: tuple[Baseline, Audit, str]) -> None:
    baseline, _, page = drawn
    table = baseline.predictions
    wrong = table[table["label"].astype(str) != table["predicted"].astype(str)]
    missed = set(wrong["sample"][wrong["split"] == "test"])
    assert missed
    packed = re.search(r'<script type="text/plain" id="map-data">([^<]+)', page)
    assert packed is not None
    data = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    marked = {data["names"][point] for point in data["marked"]}
    assert marked == set(wrong["sample"]) - missed
    assert missed.isdisjoint(
        name for name, note in zip(data["names"], data["notes"], strict=True) if note
    )
    assert missed.isdisjoint(baseline.metrics["errors"]["examples"])


def test_no_pictures_when_not_asked_for(drawn: tuple[Baseline, Audit, str]) -> None:
    page = draw_baseline(drawn[0], drawn[1], thumbnails=False)
    assert '<script type="application/json" id="thumbs">{}' in page


@pytest.mark.parametrize(
    "key",
    [
        "history",
        "sanity",
        "errors",
        "map",
        "next",
        "dumb",
        "learning_rate",
        "test",
        "calibration",
        "coverage",
        "thresholds",
        "data",
        "regime",
        "latency_ms",
        "train",
        "tuning",
        "cross_validation",
        "compare",
        "final",
    ],
)
def test_draws_without(key: str, drawn: tuple[Baseline, Audit, str]) -> None:
    baseline = drawn[0]
    less = replace(
        baseline,
        metrics=BaselineMetrics.read(
            {name: each for name, each in baseline.metrics.items() if name != key}
        ),
    )
    assert "</html>" in draw_baseline(less, thumbnails=False)
    assert "Page    out" in text_of(less)


def test_draws_with_a_goal_alone(drawn: tuple[Baseline, Audit, str]) -> None:
    bare = replace(drawn[0], metrics=BaselineMetrics(goal=drawn[0].metrics.goal), network=None)
    assert "</html>" in draw_baseline(bare)
    assert text_of(bare)


@pytest.mark.parametrize("kind", ["binary", "multi-label", "regression"])
def test_every_kind_of_goal(kind: Any, tmp_path: Path) -> None:
    baseline, audit = analysed(tmp_path, kind)
    json.dumps(baseline.metrics, allow_nan=False)
    page = draw_baseline(baseline, audit)
    assert "Compared with" in page
    assert "COMPARED WITH" in text_of(baseline)


def test_the_terminal_says_goal_model_figures_and_next_in_80_columns(
    drawn: tuple[Baseline, Audit, str],
) -> None:
    text = text_of(drawn[0])
    for words in (
        "Goal    predict which of 3 classes",
        "Model   small",
        "guessing (majority)",
        "this model, validation",
        "REQUIREMENTS",
        "HARDEST CLASSES",
        "NEXT STEPS\n1. ",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_a_terminal_without_unicode(drawn: tuple[Baseline, Audit, str]) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_baseline(drawn[0], None, stream)


def figures(value: float, half: float, metric: str = "accuracy", **more: Any) -> dict[str, Any]:
    direction = "lower" if metric == "mae" else "higher"
    own = {
        "name": metric,
        "direction": direction,
        "value": value,
        "low": value - half,
        "high": value + half,
    }
    return {"samples": 100, "metric": own, **more}


@pytest.mark.parametrize(
    ("more", "level", "words"),
    [
        ({}, "good", "far better than guessing"),
        ({"next": [{"step": "broken", "sentence": "x"}]}, "error", "not surely better"),
        (
            {"next": [{"step": "shortcut", "sentence": "x"}]},
            "warning",
            "may not be about the subject",
        ),
        (
            {"probe": {"val": {"accuracy": {"value": 0.99, "low": 0.98, "high": 1.0}}}},
            "warning",
            "a linear probe does better",
        ),
        (
            {"probe": {"val": {"accuracy": {"value": 0.92}}}},
            "good",
            "far better than guessing, but no better than a linear probe (0.920)",
        ),
        (
            {"neighbours": {"val": {"accuracy": {"value": 0.88}}}},
            "good",
            "but not surely better than nearest neighbours (0.880)",
        ),
        (
            {
                "neighbours": {"val": {"accuracy": {"value": 0.7}}},
                "probe": {"val": {"accuracy": {"value": 0.8}}},
            },
            "good",
            "and better than a linear probe (0.800)",
        ),
        (
            {"next": [{"step": "mismatch", "sentence": "x"}], "test": figures(0.7, 0.05)},
            "warning",
            "0.900 on validation, but 0.700 on test",
        ),
        ({"sanity": [{"check": "loss", "passed": False}]}, "error", "sanity check failed"),
    ],
)
def test_the_verdict(more: dict[str, Any], level: str, words: str) -> None:
    metrics = {
        "goal": {"kind": "binary", "metric": "accuracy", "target": None},
        "validation": figures(0.9, 0.05),
        "dumb": [{"name": "majority", "what": "", "value": 0.5}],
        **more,
    }
    said = verdict(metrics)
    assert said["level"] == level
    assert words in said["title"]


@pytest.mark.parametrize(("value", "level"), [(0.99, "good"), (0.92, "warning"), (0.7, "warning")])
def test_the_verdict_holds_the_target_against_the_interval(value: float, level: str) -> None:
    target = {"value": 0.9, "reached": value >= 0.9, "surely": value - 0.05 >= 0.9}
    goal = {"kind": "binary", "metric": "accuracy", "target": 0.9}
    assert (
        verdict({"goal": goal, "validation": figures(value, 0.05, target=target)})["level"] == level
    )


def test_lower_is_better_for_an_error() -> None:
    metrics = {
        "goal": {"kind": "regression", "metric": "mae", "target": None},
        "validation": figures(1.0, 0.1, "mae"),
        "dumb": [{"name": "median", "what": "", "value": 3.0}],
        "probe": {"val": {"mae": {"value": 0.5}}},
    }
    assert "a linear probe does better" in verdict(metrics)["title"]
    assert "far better" in verdict({**metrics, "probe": {}})["title"]


def test_lines_leave_out_what_is_unknown_and_stay_inside() -> None:
    chart = line_chart(
        [{"name": "a", "x": [0, 1, 2], "y": [None, 5.0, 7.0]}], x_label="x", y_label="y"
    )
    assert chart is not None
    spots = [tuple(map(float, spot.split(","))) for spot in chart["lines"][0]["points"].split()]
    assert len(spots) == 2
    assert all(46 <= x <= 368 and 10 <= y <= 196 for x, y in spots)
    assert spots[0][1] > spots[1][1], "larger is higher up"
    assert line_chart([{"name": "a", "x": [1], "y": [None]}], x_label="x", y_label="y") is None


def test_of_many_classes_the_most_confused_are_drawn() -> None:
    rows = [[9 if i == j else 0 for j in range(40)] for i in range(40)]
    rows[7][39] = 5
    drawn = confusion_chart({"classes": [f"c{i}" for i in range(40)], "rows": rows})
    assert drawn is not None
    assert {"c7", "c39"} <= set(drawn["classes"])
    assert (drawn["size"], drawn["hidden"], drawn["right"], drawn["total"]) == (30, 10, 360, 365)


def test_a_class_that_test_lacks_is_told_on_the_page_and_the_terminal(
    drawn: tuple[Baseline, Audit, str],
) -> None:
    baseline, audit, _ = drawn
    test = baseline.metrics["test"]
    classes = [
        entry if number else entry | {"support": 0} for number, entry in enumerate(test["classes"])
    ]
    lacking = replace(
        baseline,
        metrics=BaselineMetrics.read({**baseline.metrics, "test": {**test, "classes": classes}}),
    )
    assert "Test has no image of class" in draw_baseline(lacking, audit)
    assert "▲ Test has no image of class" in text_of(lacking)
