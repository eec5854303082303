"""Facts: told under "Your data", and counted as no issue anywhere."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dataprep.reports.audit.console import print_report
from dataprep.reports.audit.html import render_html
from dataprep.reports.audit.sarif import sarif
from dataprep.reports.audit.summary import summarise
from dataprep.schemas.audit import Audit
from dataprep.schemas.issues import Issues, batch


def with_facts(audit: Audit, count: int, scope: str = "sample") -> Audit:
    """The audit with one warning and so many facts of the check ``dark``, and no other issue."""
    names = audit.dataset.samples.index.to_numpy(dtype=object)
    given: dict[str, Any] = {"figure": 0.1, "evidence": {"threshold": 0.2}}
    facts = batch(
        "dark",
        "fact",
        scope,
        names[1 : 1 + count] if scope == "sample" else np.array([""]),
        group="g",
        **given,
    )
    return replace(
        audit,
        issues=Issues.collect([batch("dark", "warning", "sample", names[:1], **given), facts]),
    )


def text_of(audit: Audit) -> str:
    stream = io.StringIO()
    print_report(summarise(audit), None, stream)
    return stream.getvalue()


def test_facts_are_not_counted_as_issues(audit: Audit) -> None:
    summary = summarise(with_facts(audit, 5))
    dark = next(check for check in summary["checks"] if check["code"] == "dark")
    assert (summary["counts"]["issues"], summary["counts"]["facts"]) == (1, 5)
    assert (dark["count"], dark["facts"], dark["samples"], dark["severity"]) == (1, 5, 1, "warning")
    assert summary["issues"]["total"] == 6  # every claim is in the list, facts last
    assert [claim["severity"] for claim in summary["issues"]["claims"]] == ["warning"] + [
        "fact"
    ] * 5


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (3, 3), (4, 1)])
def test_few_facts_of_a_check_are_told_singly_and_many_together(
    audit: Audit, count: int, lines: int
) -> None:
    (told,) = summarise(with_facts(audit, count))["facts"]
    assert (told["check"], told["count"], told["samples"], len(told["lines"])) == (
        "dark",
        count,
        count,
        lines,
    )
    if lines > 1 or count == 1:
        assert "99 % of the pixels are darker than 0.10" in told["lines"][0]["text"]
    else:
        assert told["lines"][0]["text"].startswith(
            "Dark images: 4 images, in 1 group. Look at them"
        )


def test_the_terminal_tells_them_apart_from_what_was_found(audit: Audit) -> None:
    text = text_of(with_facts(audit, 5))
    assert text.index("WARNINGS") < text.index("YOUR DATA") < text.index("found nothing")
    assert "• Dark images: 5 images" in text


def test_a_check_with_facts_alone_is_no_finding_and_has_not_found_nothing(audit: Audit) -> None:
    given = with_facts(audit, 1, scope="dataset")
    facts = given.issues.where(given.issues.table["severity"] == "fact")
    audit = replace(audit, issues=facts)
    summary = summarise(audit)
    text = text_of(audit)
    assert summary["verdict"]["title"] == "No errors or warnings"
    assert "YOUR DATA" in text
    assert "WARNINGS" not in text
    nothing = " ".join(text[text.index("found nothing") :].split()).split(".")[0]
    assert "dark" not in nothing
    page = render_html(summary, audit, pictures=False)
    assert page.index('id="data"') < page.index('id="check-dark"')


def test_the_page_tells_facts_beside_issues_under_your_data_alone(audit: Audit) -> None:
    given = with_facts(audit, 1, scope="dataset")
    page = render_html(summarise(given), given, pictures=False)
    assert page.index('id="check-dark"') < page.index('id="data"')
    fact = page.index("99 % of the pixels are darker than 0.10", page.index('id="data"'))
    assert fact < page.index('id="issues"')
    assert page.count('id="check-dark"') == 1


def test_facts_are_no_results_for_code_hosts_and_fail_no_run(audit: Audit) -> None:
    given = with_facts(audit, 5)
    (run,) = sarif(summarise(given))["runs"]
    assert [result["level"] for result in run["results"]] == ["warning"]
    assert len(given.issues.at_least("info")) == 1
