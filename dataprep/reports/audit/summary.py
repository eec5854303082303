"""summarise(): an audit as one JSON-able dictionary, from which every kind of report is made."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.checks.contract import FAMILIES
from dataprep.reports.audit.distributions import class_counts, property_histograms, value_counts
from dataprep.reports.audit.pseudonyms import without_text
from dataprep.reports.audit.rows import rows_of
from dataprep.reports.audit.told_facts import told_facts
from dataprep.reports.audit.verdict import verdict
from dataprep.reports.messages import read_evidence, render
from dataprep.schemas.identity import issue_ids
from dataprep.schemas.issues import FILE_SCOPES, SEVERITIES
from dataprep.schemas.report import CLAIMS_LIMIT, VERSION
from dataprep.version import __version__

if TYPE_CHECKING:
    from dataprep.checks.contract import Check
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

#: Examples of each check, worst first.
EXAMPLES = 5


def summarise(
    audit: Audit, *, limit: int = CLAIMS_LIMIT, anonymised: bool = False
) -> dict[str, Any]:
    """An audit as a dictionary that `dataprep.schemas.report.report_schema` describes, ready for
    JSON.

    Args:
        audit: the audit.
        limit: claims listed in full, worst first; the rest are counted, and named by ``ids``.
        anonymised: what ``anonymised`` says; see `dataprep.reports.audit.pseudonyms`.

    Returns:
        Plain dictionaries, lists, text and numbers. The same audit gives the same dictionary but
        for ``generated_at``.
    """
    ids = issue_ids(audit.issues, audit.dataset)
    checks = [_check_facts(check, audit, anonymised) for check in ranked(audit)]
    counts = _counts(audit)
    dataset = dataset_facts(audit.dataset, str(audit.run.get("fingerprint", "")))
    return {
        "schema": VERSION,
        "tool": {"name": "dataprep", "version": __version__},
        "generated_at": str(audit.run.get("finished_at", "")),
        "anonymised": anonymised,
        "verdict": verdict(dataset, checks, audit.skipped, counts["left_out"]),
        "counts": counts,
        "dataset": dataset,
        "checks": checks,
        "facts": told_facts(audit),
        "skipped": [
            _skipped_facts(code, reason, audit) for code, reason in sorted(audit.skipped.items())
        ],
        "distributions": {
            "classes": class_counts(audit.dataset),
            "properties": property_histograms(audit),
        },
        "issues": {
            "total": len(audit.issues),
            "listed": min(limit, len(audit.issues)),
            "claims": claims(audit, audit.issues.table.iloc[:limit], ids),
        },
        "ids": ids.tolist(),
    }


def templates(audit: Audit) -> dict[str, str]:
    """Check code to message template."""
    return {check.code: check.message for check in audit.checks}


#: Checks of what splits share: a score that is untrue comes before everything else.
LEAKS = ("split-leakage", "group-leakage")


def ranked(audit: Audit) -> list[Check]:
    """The checks that ran: leaks first, then what else found something, worst and most frequent
    first; the others by family.
    """
    found = {
        row.check: (SEVERITIES.index(row.severity), row.issues)
        for row in rows_of(audit.issues.summary())
    }
    ran = [check for check in audit.checks if check.code not in audit.skipped]

    def order(check: Check) -> tuple[bool, int, int, int, str]:
        severity, count = found.get(check.code, (-1, 0))
        leaks = check.code in LEAKS and severity > SEVERITIES.index("info")
        family = FAMILIES.index(check.family) if check.family in FAMILIES else len(FAMILIES)
        return not leaks, -severity, -count, family, check.code

    return sorted(ran, key=order)


def dataset_facts(dataset: Dataset, fingerprint: str = "") -> dict[str, Any]:
    """What the data set is made of: sizes, classes, splits, formats, what was lost and what was
    ignored.
    """
    samples = dataset.samples
    lost = value_counts(samples, "lost")
    sizes = samples["bytes"].astype("float64") if "bytes" in samples else pd.Series(dtype="float64")
    return {
        "root": dataset.root,
        "fingerprint": fingerprint or dataset.fingerprint,
        "task": dataset.task,
        "samples": len(dataset),
        "lost": sum(entry["count"] for entry in lost),
        "lost_reasons": lost,
        "labelled": int(samples["label"].notna().sum()) if "label" in samples else 0,
        "classes": len(dataset.classes) or len(value_counts(samples, "label")),
        "groups": len(value_counts(samples, "group")),
        "splits": value_counts(samples, "split"),
        "formats": value_counts(samples, "format"),
        "bytes": int(np.nansum(sizes.to_numpy(dtype=np.float64, na_value=np.nan))),
        "ignored": [
            {"name": str(name), "count": int(count)}
            for name, count in sorted(dataset.ignored.items())
        ],
        "notes": list(dataset.notes),
    }


def claims(audit: Audit, table: pd.DataFrame, ids: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Rows of the issue table as dictionaries; `ids` are those of the whole table, which `table`
    is a part of.
    """
    messages = render(table, templates(audit))
    figures = [
        None if figure != figure or abs(figure) == float("inf") else figure
        for figure in table["figure"].tolist()
    ]
    listed = []
    for row, message, figure in zip(rows_of(table), messages, figures):
        listed.append(
            {
                "id": ids[row.Index],
                "check": row.check,
                "severity": row.severity,
                "scope": row.scope,
                "target": row.target,
                "related": row.related,
                "group": row.group,
                "message": message,
                "confidence": round(float(row.confidence), 4)
                if row.confidence == row.confidence
                else None,
                "figure": figure,
                "unit": row.unit,
                "location": row.location,
                "suggestion": row.suggestion,
                "value": row.value,
                "evidence": read_evidence(row.evidence),
            }
        )
    return listed


def _counts(audit: Audit) -> dict[str, Any]:
    table = audit.issues.table
    by_severity = table["severity"].value_counts()
    grave = table["scope"].isin(FILE_SCOPES) & ~table["severity"].isin(("fact", "info"))
    facts = int(by_severity.get("fact", 0))
    return {
        "issues": len(table) - facts,
        "facts": facts,
        **{
            severity: int(by_severity.get(severity, 0))
            for severity in SEVERITIES
            if severity != "fact"
        },
        "samples": int(table.loc[grave, "target"].nunique()),
        "left_out": sum(audit.run.get("left_out", {}).values()),
    }


def _check_facts(check: Check, audit: Audit, anonymised: bool) -> dict[str, Any]:
    table = audit.issues.table
    told = np.flatnonzero(table["check"] == check.code)
    rows = told[(table["severity"].iloc[told] != "fact").to_numpy()]
    samples = (
        int(table["target"].iloc[rows][table["scope"].iloc[rows].isin(FILE_SCOPES)].nunique())
        if len(rows)
        else 0
    )
    return {
        "code": check.code,
        "family": check.family,
        "severity": str(table["severity"].iloc[told[0]]) if len(told) else check.severity,
        "scope": check.scope,
        "summary": check.summary,
        "advice": check.advice,
        "count": len(rows),
        "facts": len(told) - len(rows),
        "samples": samples,
        "share": round(samples / len(audit.dataset), 6) if samples and len(audit.dataset) else None,
        "worst": _worst(check, table.iloc[rows[:EXAMPLES]]) if len(rows) else [],
        "page": check.page(),
        "options": without_text(options_of(check)) if anonymised else options_of(check),
    }


def _worst(check: Check, part: pd.DataFrame) -> list[dict[str, str]]:
    messages = render(part, {check.code: check.message})
    return [
        {"target": row.target, "related": row.related, "message": message}
        for row, message in zip(rows_of(part), messages)
    ]


def options_of(check: Check) -> dict[str, Any]:
    """A check's options, ready for JSON."""
    return {field.name: _plain(getattr(check, field.name)) for field in fields(check)}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _skipped_facts(code: str, reason: str, audit: Audit) -> dict[str, Any]:
    check = next((check for check in audit.checks if check.code == code), None)
    return {
        "code": code,
        "family": check.family if check else "",
        "summary": check.summary if check else "",
        "reason": reason,
    }
