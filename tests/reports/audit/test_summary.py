"""The dictionary that every report is made of."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from dataprep.reports.audit.distributions import class_counts, histogram, property_histograms
from dataprep.reports.audit.summary import summarise
from dataprep.reports.audit.verdict import percent
from dataprep.schemas.audit import Audit
from dataprep.schemas.issues import Issues
from dataprep.schemas.report import report_schema


def test_summary_keeps_its_published_schema(audit: Audit, empty_audit: Audit) -> None:
    schema = report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for made in (audit, empty_audit):
        jsonschema.validate(json.loads(json.dumps(summarise(made), allow_nan=False)), schema)


def test_same_audit_same_bytes(audit: Audit) -> None:
    assert json.dumps(summarise(audit)) == json.dumps(summarise(audit))


def test_counts_and_verdict(audit: Audit) -> None:
    summary = summarise(audit)
    assert summary["counts"] == {
        "issues": 16,
        "facts": 0,
        "error": 3,
        "warning": 11,
        "info": 2,
        "samples": 10,
        "left_out": 0,
    }
    assert summary["verdict"]["level"] == "error"
    assert summary["verdict"]["title"] == "Fix 3 types of error before training"
    assert "files that cannot be read (1)" in summary["verdict"]["text"]
    assert "8 checks ran, 1 was skipped" in summary["verdict"]["text"]
    assert summary["dataset"]["lost_reasons"] == [{"name": "truncated", "count": 1}]


def test_verdict_follows_the_worst_severity(audit: Audit, empty_audit: Audit) -> None:
    def level(issues: Issues) -> str:
        return summarise(replace(audit, issues=issues))["verdict"]["level"]

    assert level(audit.issues.of("dark", "grayscale")) == "warning"
    assert level(audit.issues.of("grayscale")) == "good"
    assert summarise(empty_audit)["verdict"]["level"] == "empty"


def test_checks_that_found_something_come_first_worst_first(audit: Audit) -> None:
    checks = summarise(audit)["checks"]
    assert [check["severity"] for check in checks if check["count"]] == ["error"] * 3 + [
        "warning"
    ] * 3 + ["info"]
    assert [check["code"] for check in checks if not check["count"]] == ["blurry"]
    dark = next(check for check in checks if check["code"] == "dark")
    assert (dark["count"], dark["samples"], dark["share"]) == (7, 7, round(7 / 24, 6))
    assert (
        dark["worst"][0]["message"] == "99 % of the pixels are darker than 0.01; the limit is 0.20"
    )
    assert dark["options"] == {"threshold": 0.2}


def test_a_skipped_check_is_named_with_its_reason_and_not_among_those_that_looked(
    audit: Audit,
) -> None:
    summary = summarise(audit)
    assert [(entry["code"], entry["reason"]) for entry in summary["skipped"]] == [
        ("group-leakage", "needs groups")
    ]
    assert "group-leakage" not in {check["code"] for check in summary["checks"]}


def test_capped_claims_are_counted_and_named_all(audit: Audit) -> None:
    summary = summarise(audit, limit=4)
    assert (summary["issues"]["listed"], summary["issues"]["total"]) == (4, 16)
    assert len(summary["issues"]["claims"]) == 4
    assert len(summary["ids"]) == 16
    assert [claim["id"] for claim in summary["issues"]["claims"]] == summary["ids"][:4]


def test_class_counts_by_split(audit: Audit) -> None:
    counts = class_counts(audit.dataset)
    assert {entry["name"]: entry["count"] for entry in counts}["dog"] == 10
    assert next(entry for entry in counts if entry["name"] == "dog")["splits"] == {"test": 10}
    assert sum(entry["count"] for entry in counts) == 23  # one sample has no label


def test_histograms_count_every_sample_once_and_mark_the_flagged(audit: Audit) -> None:
    found = {entry["column"]: entry for entry in property_histograms(audit)}
    assert sum(found["luma_p99"]["counts"]) == found["luma_p99"]["n"] == 23
    assert sum(found["luma_p99"]["flagged"]) == 7
    assert found["luma_p99"]["checks"] == ["dark"]
    assert all(
        flagged <= count
        for flagged, count in zip(
            found["luma_p99"]["flagged"], found["luma_p99"]["counts"], strict=True
        )
    )
    assert found["bytes"]["scale"] == "log"


@pytest.mark.parametrize(
    "values", [[np.nan] * 3, [5.0, 5.0, 5.0], [0.0, 0.0], [1e-3, 1e9], [-1.0, 3.0, np.inf]]
)
def test_histogram_survives_odd_values(values: list[float]) -> None:
    import pandas as pd

    for column in ("contrast", "bytes"):
        made = histogram(pd.Series(values), column, np.ones(len(values), dtype=bool))
        if made is None:
            assert column == "bytes" or not np.isfinite(values).any()
        else:
            assert sum(made["counts"]) == made["n"] == sum(made["flagged"])
            assert all(
                low < high for low, high in zip(made["edges"], made["edges"][1:], strict=False)
            )


def test_issues_that_are_not_shown_are_counted(audit: Audit) -> None:
    clean = replace(
        audit,
        issues=audit.issues.where([False] * len(audit.issues)),
        run={"left_out": {"known": 15, "ignored": 1}},
    )
    summary = summarise(clean)
    assert summary["counts"]["left_out"] == 16
    assert summary["verdict"]["title"] == "No new errors or warnings"
    assert "16 known or dismissed issues are not shown" in summary["verdict"]["text"]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.9981, ">99%"),
        (0.4, "40%"),
        (0.026, "2.6%"),
        (0.0001, "<0.1%"),
        (0.1, "10%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float, text: str) -> None:
    assert percent(share) == text
