"""The report on a terminal."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from dataprep.reports.audit.console import print_report
from dataprep.reports.audit.summary import summarise
from dataprep.schemas.audit import Audit
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.report import ReportPaths


def printed(summary: dict[str, Any], paths: ReportPaths | None = None) -> str:
    stream = io.StringIO()
    print_report(summary, paths, stream)
    return stream.getvalue()


def test_piped_it_is_plain_text_that_says_what_how_many_and_what_to_do(audit: Audit) -> None:
    text = printed(summarise(audit), ReportPaths("dataprep-out/audit"))
    assert "\x1b" not in text
    assert (
        "rich" not in sys.modules or text
    )  # what matters is the text: nothing in it depends on rich
    for words in (
        "Fix 3 types of error before training",
        "Files that cannot be read",
        "7 (29%)",
        "→ Decide which label is right.",
    ):
        assert words in text
    assert (
        text.index("ERRORS")
        < text.index("WARNINGS")
        < text.index("INFORMATION")
        < text.index("SKIPPED CHECKS")
    )
    assert "group-leakage: needs groups" in text
    assert "Thumbs.db: 2" in text
    assert "dataprep-out/audit/report.html" in text.splitlines()[-2]


def test_no_line_is_wider_than_a_terminal(audit: Audit) -> None:
    summary = summarise(audit)
    for check in summary["checks"]:
        check["worst"] = [
            {"target": "長い名前/" * 40, "related": "", "message": "wide 説明 " * 40}
        ] * 5
        check["summary"] *= 4
    for line in printed(summary).splitlines():
        wide = sum(1 + (ord(letter) > 0x2E80) for letter in line)
        assert wide <= 80, line


def test_notes_of_wide_letters_are_wrapped_and_not_cut(audit: Audit) -> None:
    summary = summarise(audit)
    notes = [
        "No column is called label. It may be "
        + "、".join(f"类别{number} (3 values)" for number in range(20)),
        "猫" * 100,
    ]
    summary["dataset"]["notes"] = notes
    text = printed(summary)
    shown = text[text.index("HOW THE DATA WAS READ") :].split("\n\n")[0]
    assert all(
        sum(1 + (ord(letter) > 0x2E80) for letter in line) <= 80 for line in shown.splitlines()
    )
    assert "".join(notes).replace(" ", "") in "".join(shown.split()).replace("•", "")


def test_control_characters_in_names_are_written_out(audit: Audit) -> None:
    name = "\x1b[31mred\x07\n\u202egpj.exe"
    claims = batch(
        "unreadable", "error", "sample", np.array([name], dtype=object), evidence={"reason": name}
    )
    text = printed(summarise(replace(audit, issues=Issues.collect([claims]))))
    assert not any(letter in text for letter in "\x1b\x07\u202e")
    assert "\\x1b[31mred" in text


def test_a_terminal_without_unicode_gets_ascii(audit: Audit) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_report(summarise(audit), None, stream)
    stream.flush()
    assert b"x Fix 3 types of error" in raw.getvalue()


def test_a_terminal_gets_the_same_words_in_colour(audit: Audit) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    print_report(summarise(audit), None, stream)
    assert "Files that cannot be read" in stream.getvalue()


def test_nothing_found_is_said_plainly(audit: Audit, empty_audit: Audit) -> None:
    assert "No images found" in printed(summarise(empty_audit))
    text = printed(summarise(replace(audit, issues=Issues(audit.issues.table.iloc[:0]))))
    assert "No errors or warnings" in text
    assert "8 checks found nothing" in text


def test_how_the_data_was_read_is_said_before_what_was_found(audit: Audit) -> None:
    note = "labels.csv is not UTF-8: read as GB18030; --encoding names another"
    text = printed(summarise(replace(audit, dataset=replace(audit.dataset, notes=(note,)))))
    assert f"HOW THE DATA WAS READ\n• {note}\n" in text
    assert text.index("HOW THE DATA WAS READ") < text.index("\nERRORS")
    assert "HOW THE DATA WAS READ" not in printed(summarise(audit))
