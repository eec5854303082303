"""What the page's script is given, and which numbers the verdict's words follow."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.reports import report
from dataprep.reports.audit.evidence import drawings
from dataprep.reports.audit.feature_map import feature_map, map_of, map_payload
from dataprep.reports.audit.gallery import choose_rows
from dataprep.reports.audit.html import _boot
from dataprep.reports.audit.payload import payload
from dataprep.reports.audit.summary import dataset_facts, ranked, summarise
from dataprep.reports.audit.verdict import verdict
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from tests.reports.audit.conftest import learned


def page(audit: Audit) -> dict[str, Any]:
    table = audit.issues.table
    return payload(audit, table.iloc[choose_rows(table)].reset_index(drop=True), ["elsewhere"])


def test_names_labels_and_claims_point_to_each_other(audit: Audit) -> None:
    data, table = page(audit), audit.issues.table
    names = data["names"]
    assert names[-1] == "elsewhere"
    assert [names[code] for code in data["target"]] == table["target"].tolist()
    related = [names[code] if code >= 0 else "" for code in data["related"]]
    assert related == table["related"].tolist()
    samples = audit.dataset.samples
    for name, label, split in zip(names, data["labelOf"], data["splitOf"], strict=True):
        known = name in samples.index and isinstance(samples["label"][name], str)
        assert (data["labels"][label] if label >= 0 else None) == (
            samples["label"][name] if known else None
        )
        assert (data["splits"][split] if split >= 0 else None) == (
            samples["split"][name] if name in samples.index else None
        )
    of_file = [place for place, name in enumerate(names) if name in samples.index]
    assert data["ofFile"] == of_file
    given = [math.nan if figure is None else figure for figure in data["figure"]]
    assert given == pytest.approx(table["figure"].tolist(), rel=1e-4, nan_ok=True)
    assert [data["checks"][code] for code in data["check"]] == table["check"].tolist()
    assert [data["severities"][code] for code in data["severity"]] == table["severity"].tolist()


def test_claims_about_files_alone_say_so_in_a_word(audit: Audit) -> None:
    table = audit.issues.of("dark").table.reset_index(drop=True)
    assert payload(audit, table)["ofFile"] == "all"
    bare = audit.dataset.samples.drop(columns=["label", "split"])
    without = replace(audit, dataset=replace(audit.dataset, samples=bare))
    data = payload(without, table)
    assert (data["labels"], data["labelOf"], data["splitOf"]) == ([], [], [])


@pytest.mark.parametrize(
    ("root", "anonymised", "expected"),
    [
        ("/data/my set/", False, "file:///data/my%20set/"),
        ("/data/set", True, ""),
        ("s3://bucket/set", False, ""),
        ("s3://bucket/set", True, ""),
        ("", False, ""),
    ],
)
def test_pictures_are_linked_where_they_lie_on_this_machine(
    root: str, anonymised: bool, expected: str
) -> None:
    summary = {
        "dataset": {"root": root},
        "anonymised": anonymised,
        "issues": {"total": 7},
        "checks": [
            {"code": code, "summary": code, "advice": "", "severity": "info", "count": count,
             "facts": facts}
            for code, count, facts in [("a", 1, 0), ("b", 0, 0), ("c", 0, 2)]
        ],
    }  # fmt: skip
    made = _boot(summary, {"x.jpg": {"facts": "f", "lost": "l"}}, {"x.jpg": 3}, 5)
    assert made["root"] == expected
    assert (made["rows"], made["total"], made["facts"]) == (5, 7, {"3": ["f", "l"]})
    assert list(made["checks"]) == ["a", "c"]


def told(severities: list[str], samples: int = 5, lost: int = 0, **more: Any) -> dict[str, str]:
    checks = [
        {"summary": f"Finding {n}", "count": 2, "severity": severity}
        for n, severity in enumerate(severities)
    ]
    facts = {"samples": samples, "lost": lost, "root": "here"}
    return verdict(facts, checks, more.get("skipped", {}), more.get("left_out", 0))


def test_the_verdict_names_the_first_three_and_counts_the_others() -> None:
    three, four, five = (told(["error"] * n)["text"] for n in (3, 4, 5))
    assert all(f"inding {n} (2)" in three for n in range(3))
    assert "more" not in three
    assert "1 more" in four
    assert "inding 3" not in four
    assert "2 more" in five


def test_the_verdict_agrees_with_its_numbers() -> None:
    def verbs(text: str) -> list[str]:
        words = ("was", "were", "is", "are")
        return [word for word in text.replace(".", " ").split() if word in words]

    one, two = told([], samples=1)["text"], told([], samples=2)["text"]
    assert (verbs(one)[:1], verbs(two)[:1]) == (["was"], ["were"])
    single, several = told(["error", "warning"]), told(["error", "warning", "warning"])
    assert (verbs(single["text"])[-1], verbs(several["text"])[-1]) == ("is", "are")
    hidden, more = told([], left_out=1)["text"], told([], left_out=2)["text"]
    assert (verbs(hidden)[-1], verbs(more)[-1]) == ("is", "are")
    assert "4 of 5 images" in told([], lost=1)["text"]
    assert told(["warning"])["level"] == "warning"
    assert told(["info"])["level"] == "good"
    failed = told([], skipped={"dark": "no samples"})
    assert failed["level"] == "good"
    assert "1 was skipped" in failed["text"]


def test_missing_labels_and_sizes_are_minus_one_on_the_map(tmp_path: Path) -> None:
    audit = learned(tmp_path)
    samples = audit.dataset.samples.drop(columns=["bytes"])
    samples["label"] = samples["label"].astype("object")
    samples.iloc[3, samples.columns.get_loc("label")] = None
    samples["width"] = samples["width"].astype("Int32")
    samples.iloc[4, samples.columns.get_loc("width")] = pd.NA
    audit = replace(audit, dataset=replace(audit.dataset, samples=samples))
    found = feature_map(audit)
    assert found is not None
    data = map_payload(audit, found)
    names = data["names"]
    labels = {
        name: data["labels"][code] if code >= 0 else code
        for name, code in zip(names, data["labelOf"], strict=True)
    }
    missing = samples.index[3]
    assert labels[missing] == -1
    assert all(labels[name] == samples["label"][name] for name in names if name != missing)
    assert data["facts"]["bytes"] == [-1] * len(names)
    width = dict(zip(names, data["facts"]["width"], strict=True))
    assert {width.pop(samples.index[4])} == {-1}
    assert set(width.values()) == {96}


def test_a_class_among_its_own_has_no_other_class_beside_it() -> None:
    rng = np.random.default_rng(0)
    side = np.repeat([0, 1], 30)
    values = rng.normal(0, 0.05, (60, 8)).astype(np.float32)
    values[:, :2] += np.eye(2, dtype=np.float32)[side]
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    found = map_of(np.arange(60), values, side, ["a", "b"], np.ones(60, bool), 60)
    assert [dict(each) for each in found.classes] == [
        {"name": name, "count": 30, "agreement": 1.0, "other": "", "share": 0.0}
        for name in ("a", "b")
    ]
    assert (found.agreement, found.chance) == (1.0, pytest.approx(2 * 30 * 29 / (60 * 59)))
    assert (found.agreeing == 15).all()


def test_pixels_with_transparency_are_drawn_by_their_colours() -> None:
    drawn = drawings({"patch": {"pixels": [[[1, 2, 3, 255], [300, -5, 9, 0]]]}})["patch"]
    assert [cell["colour"] for cell in drawn["cells"]] == ["rgb(1,2,3)", "rgb(255,0,9)"]
    assert (drawn["width"], drawn["height"]) == (2, 1)


def test_facts_of_a_data_set_count_what_is_there() -> None:
    samples = pd.DataFrame(
        {
            "label": ["a", "b", None, "a"],
            "lost": ["", "truncated", "", ""],
            "bytes": pd.array([10, None, 5, 7], dtype="Int64"),
            "group": ["p", "p", "q", None],
            "split": ["train", "test", "train", "train"],
            "format": ["JPEG", "", "PNG", "JPEG"],
        },
        index=pd.Index(list("wxyz"), name="sample"),
    )
    facts = dataset_facts(Dataset("root", samples, ignored={"b": 2, "a": 1}), "print")
    assert (facts["samples"], facts["lost"], facts["labelled"]) == (4, 1, 3)
    assert (facts["classes"], facts["groups"], facts["bytes"]) == (2, 2, 22)
    assert facts["formats"] == [{"name": "JPEG", "count": 2}, {"name": "PNG", "count": 1}]
    assert facts["splits"] == [{"name": "train", "count": 3}, {"name": "test", "count": 1}]
    assert facts["ignored"] == [{"name": "a", "count": 1}, {"name": "b", "count": 2}]
    assert facts["fingerprint"] == "print"
    bare = dataset_facts(Dataset("root", samples[["format"]]))
    assert (bare["labelled"], bare["bytes"], bare["groups"], bare["lost"]) == (0, 0, 0, 0)


def test_a_summary_lists_the_worst_and_counts_all(audit: Audit) -> None:
    made = summarise(audit, limit=3)["issues"]
    assert (made["total"], made["listed"], len(made["claims"])) == (16, 3, 3)
    assert summarise(audit)["issues"]["listed"] == 16
    assert summarise(audit)["anonymised"] is False
    assert len(summarise(audit)["ids"]) == 16
    dark = next(check for check in summarise(audit)["checks"] if check["code"] == "dark")
    assert len(dark["worst"]) == 5
    assert [check.code for check in ranked(audit)][-1] == "blurry"


def test_a_report_is_not_anonymised_unless_asked(audit: Audit, tmp_path: Path) -> None:
    paths = report(audit, tmp_path / "out", thumbnails=False)
    summary = json.loads(Path(paths.json).read_text("utf-8"))
    assert summary["anonymised"] is False
    assert "train/cat/02.jpg" in {claim["target"] for claim in summary["issues"]["claims"]}
