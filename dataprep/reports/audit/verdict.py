"""The verdict: what an audit comes to, in a title and a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataprep.schemas.audit import is_failure
from dataprep.schemas.text.words import counted, lower_first

#: Findings that the verdict names.
NAMED = 3


def verdict(
    dataset: Mapping[str, Any],
    checks: Sequence[Mapping[str, Any]],
    skipped: Mapping[str, str],
    left_out: int = 0,
) -> dict[str, str]:
    """``level`` (error, warning, good or empty), ``title`` and ``text``.

    Args:
        dataset: as `dataprep.reports.audit.summary.dataset_facts` gives it.
        checks: facts of the checks that ran, those that found something first, worst first.
        skipped: check code to why it could not look.
        left_out: issues that are known or dismissed, and not shown.
    """
    if not dataset["samples"]:
        return {
            "level": "empty",
            "title": "No images found",
            "text": f"No images in {dataset['root']}.",
        }
    failed = [code for code, reason in skipped.items() if is_failure(reason)]
    found = [check for check in checks if check["count"]]
    grave = [check for check in found if check["severity"] == "error"]
    doubtful = [check for check in found if check["severity"] == "warning"]
    level = "error" if grave or failed else "warning" if doubtful else "good"
    sentences = (
        _failed(failed),
        _seen(dataset),
        _named(grave or doubtful),
        _rest(grave, doubtful),
        _hidden(left_out),
        _unseen(checks, skipped),
    )
    return {
        "level": level,
        "title": _title(grave, doubtful, left_out, len(failed)),
        "text": " ".join(filter(None, sentences)),
    }


def _title(grave: Sequence[Any], doubtful: Sequence[Any], left_out: int, failed: int) -> str:
    if failed:
        return f"{counted(failed, 'check')} failed: this audit is incomplete"
    if grave:
        return f"Fix {counted(len(grave), 'type')} of error before training"
    if doubtful:
        return f"Usable, with {counted(len(doubtful), 'type')} of warning to review"
    return "No new errors or warnings" if left_out else "No errors or warnings"


def _failed(codes: Sequence[str]) -> str:
    if not codes:
        return ""
    return (
        f"The results of {', '.join(codes)} are missing; the errors are below, please report them."
    )


def _seen(dataset: Mapping[str, Any]) -> str:
    read = dataset["samples"] - dataset["lost"]
    if not dataset["lost"]:
        return f"{counted(read, 'image')} {'was' if read == 1 else 'were'} read and measured."
    return (
        f"{read:,} of {counted(dataset['samples'], 'image')} were read and measured; "
        f"{dataset['lost']:,} could not be."
    )


def _named(checks: Sequence[Mapping[str, Any]]) -> str:
    parts = [f"{lower_first(check['summary'])} ({check['count']:,})" for check in checks[:NAMED]]
    more = len(checks) - NAMED
    if more > 0:
        parts.append(f"{more} more")
    return f"Start with: {', '.join(parts)}." if parts else ""


def _rest(grave: Sequence[Any], doubtful: Sequence[Any]) -> str:
    if not grave or not doubtful:
        return ""
    return (
        f"{counted(len(doubtful), 'type')} of warning {'is' if len(doubtful) == 1 else 'are'} "
        "less urgent."
    )


def _hidden(left_out: int) -> str:
    return (
        (
            f"{counted(left_out, 'known or dismissed issue')} {'is' if left_out == 1 else 'are'} "
            "not "
            "shown."
        )
        if left_out
        else ""
    )


def _unseen(checks: Sequence[Any], skipped: Mapping[str, str]) -> str:
    if not skipped:
        return f"All {len(checks)} checks ran." if len(checks) != 1 else "The one check ran."
    left_out = f"{len(skipped)} {'was' if len(skipped) == 1 else 'were'} skipped"
    return f"{counted(len(checks), 'check')} ran, {left_out}."


def percent(share: float) -> str:
    """A share (0 to 1) in words that never round something to nothing, or most to all."""
    if share in (0, 1):
        return f"{share:.0%}"
    if share < 0.001:
        return "<0.1%"
    return ">99%" if share >= 0.995 else f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
