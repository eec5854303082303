"""The report on a terminal: what is wrong, how often, where to look and what to do, in 80
columns.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from dataprep.reports.audit.verdict import percent
from dataprep.reports.columns import width_of, wrapped
from dataprep.schemas.report import ReportPaths
from dataprep.schemas.text.words import counted, printable

WIDTH = 80
#: Examples shown under a finding, by severity.
_EXAMPLES = {"error": 2, "warning": 1, "info": 0}
_AMOUNT = "issues (of images)"
_TITLES = {"error": "ERRORS", "warning": "WARNINGS", "info": "INFORMATION"}
_STYLES = {
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "good": "bold green",
    "empty": "bold",
    "dim": "dim",
    "": "",
}
_ASCII = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "▲": "!",
        "•": "-",
        "→": ">",
        "…": "~",
        "·": "-",
        "█": "#",
        "│": "|",
        "²": "2",
    }
)
_MARKS = {"error": "✗", "warning": "▲", "info": "•"}
#: Marks of verdicts, and their colours.
MARKS = {"good": "✓", "warning": "▲", "error": "✗"}
_COLOURS = {"good": "green", "warning": "yellow", "error": "red"}

#: A line: pieces of (text, style).
Line = list[tuple[str, str]]


def print_report(
    summary: Mapping[str, Any],
    paths: ReportPaths | None = None,
    stream: TextIO | None = None,
    *,
    verdict_only: bool = False,
) -> None:
    """Print a summary for people: in colour on a terminal, as plain aligned text elsewhere.

    Args:
        summary: what `dataprep.reports.audit.summary.summarise` gives.
        paths: where the files of the report are, if they were written.
        stream: where to print; default: stdout.
        verdict_only: print the verdict and nothing else.
    """
    stream = sys.stdout if stream is None else stream
    lines = list(_verdict(summary, WIDTH) if verdict_only else lines_of(summary, paths))
    if stream.isatty():
        _print_styled(lines, stream)
        return
    text = "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines)
    encoding = stream.encoding or "utf-8"
    stream.write(_encodable(text, encoding))


def print_lines(lines: Iterable[tuple[str, str]], stream: TextIO | None = None) -> None:
    """Print (line, look) pairs: in colour on a terminal, as plain text elsewhere, in ASCII where
    the terminal has no more.

    Args:
        lines: a look is a level of `MARKS`, "bold", "dim" or "".
        stream: where to print; default: stdout.
    """
    import typer

    stream = sys.stdout if stream is None else stream
    for line, look in lines:
        text = _encodable(line.rstrip(), stream.encoding or "utf-8")
        typer.secho(
            text,
            file=stream,
            fg=_COLOURS.get(look),
            bold=look in ("bold", *_COLOURS),
            dim=look == "dim",
        )


def lines_of(
    summary: Mapping[str, Any], paths: ReportPaths | None = None, width: int = WIDTH
) -> Iterator[Line]:
    """The lines to print, none wider than `width` columns."""
    yield [(_fitted(_heading(summary), width), "dim")]
    yield []
    yield from _verdict(summary, width)
    yield from _notes(summary["dataset"]["notes"], width)
    found = [check for check in summary["checks"] if check["count"]]
    for severity, title in _TITLES.items():
        part = [check for check in found if check["severity"] == severity]
        if part:
            yield []
            yield [(title, _STYLES[severity]), (_AMOUNT.rjust(width - len(title)), "dim")]
        for check in part:
            yield from _finding(check, severity, width)
    yield from _facts(summary["facts"], width)
    yield from _endings(summary, width)
    if paths is not None:
        yield []
        yield [("Report  ", "bold"), (printable(paths.html), "")]
        yield [("        issues.csv, report.json, report.sarif, samples.parquet next to it", "dim")]


def _verdict(summary: Mapping[str, Any], width: int) -> Iterator[Line]:
    verdict = summary["verdict"]
    yield [(_MARKS.get(verdict["level"], "•") + " " + verdict["title"], _STYLES[verdict["level"]])]
    yield from _wrapped(verdict["text"], "  ", "", width)


def _heading(summary: Mapping[str, Any]) -> str:
    facts = summary["dataset"]
    parts = [counted(facts["samples"], "image")]
    parts += [counted(facts["classes"], "class", "classes")] if facts["classes"] else []
    parts += [counted(len(facts["splits"]), "split")] if facts["splits"] else []
    return f"{', '.join(parts)} in {printable(facts['root'])}"


def _finding(check: Mapping[str, Any], severity: str, width: int) -> Iterator[Line]:
    amount = f"{check['count']:,}" + (f" ({percent(check['share'])})" if check["share"] else "")
    code = check["code"]
    summary = _fitted(check["summary"], width - 6 - len(code) - len(amount))
    gap = width - 6 - width_of(summary) - len(code) - len(amount)
    yield [
        (f"{_MARKS[severity]} ", _STYLES[severity]),
        (summary, "bold"),
        ("  " + code, "dim"),
        (" " * (gap + 2) + amount, ""),
    ]
    for example in check["worst"][: _EXAMPLES[severity]]:
        yield from _example(example, width)
    yield from _wrapped(check["advice"], "  → ", "", width)


def _example(example: Mapping[str, Any], width: int) -> Iterator[Line]:
    """The worst claim in at most two lines."""
    message = printable(example["message"])
    if not message.startswith(printable(example["target"])):  # also when there is no target
        message = f"{_middled(printable(example['target']), width // 2)}: {message}"
    for line in wrapped(message, width - 6, most=2):
        yield [(_fitted(f"    {line}", width), "dim")]


def _notes(notes: Sequence[str], width: int) -> Iterator[Line]:
    """How the source was read: where that is wrong, so is all that follows."""
    if notes:
        yield []
        yield [("HOW THE DATA WAS READ", "bold")]
    for note in notes:
        yield from _bullet(printable(note), width)


def _facts(told: Sequence[Mapping[str, Any]], width: int) -> Iterator[Line]:
    """What is true of the data and nothing to mend."""
    if told:
        yield []
        yield [("YOUR DATA", "bold")]
    for fact in told:
        for line in fact["lines"]:
            named = f"{_middled(printable(line['target']), width // 2)}: " if line["target"] else ""
            yield from _bullet(named + printable(line["text"]), width)


def _bullet(text: str, width: int) -> Iterator[Line]:
    for number, piece in enumerate(wrapped(text, width - 2)):
        yield [("  " if number else "• ", ""), (_fitted(piece, width - 2), "")]


def _endings(summary: Mapping[str, Any], width: int) -> Iterator[Line]:
    clear = [
        check["code"] for check in summary["checks"] if not check["count"] and not check["facts"]
    ]
    new = " new" if summary["counts"]["left_out"] else ""
    if clear:
        yield []
        yield from _wrapped(
            f"{counted(len(clear), 'check')} found nothing{new}: {', '.join(clear)}.",
            "",
            "dim",
            width,
        )
    reasons: dict[str, list[str]] = {}
    for entry in summary["skipped"]:
        reasons.setdefault(entry["reason"], []).append(entry["code"])
    if reasons:
        yield []
        yield [("SKIPPED CHECKS", "bold")]
    for reason, codes in reasons.items():
        yield from _wrapped(f"{', '.join(codes)}: {printable(reason)}", "  ", "", width)
    ignored = summary["dataset"]["ignored"]
    if ignored:
        yield []
        kinds = "; ".join(f"{printable(entry['name'])}: {entry['count']:,}" for entry in ignored)
        yield from _wrapped(f"Ignored: {kinds}.", "", "dim", width)


def _wrapped(text: str, indent: str, style: str, width: int) -> Iterator[Line]:
    for line in wrapped(text, width, indent, " " * len(indent)):
        yield [(line, style)]


def _fitted(text: str, columns: int) -> str:
    """The text, cut at the end to fit."""
    if width_of(text) <= columns:
        return text
    while text and width_of(text) > columns - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _middled(text: str, columns: int) -> str:
    """The text, cut in the middle to fit: the ends of a path say most."""
    if width_of(text) <= columns:
        return text
    head = (columns - 1) // 3
    tail = text[-(columns - 1 - head) :]
    return text[:head] + "…" + (tail if width_of(tail) <= columns else tail[-(columns // 2) :])


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text


def _print_styled(lines: Sequence[Line], stream: TextIO) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((text, style) for text, style in line)))
