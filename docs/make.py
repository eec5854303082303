"""Make the generated pages: ``python docs/make.py`` writes them, ``python docs/make.py --check``
says which are out of date.

One page for each check, from its docstring, its class attributes and its options, with the pictures
that ``python sample_data/examples.py`` draws; an index of them; and the format of the files of a
report, from the schemas.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataprep import registry
from dataprep.checks.contract import FAMILIES, Check
from dataprep.reports.audit.tables import ISSUE_COLUMNS
from dataprep.schemas.columns import FILE, GIVEN, PIXEL
from dataprep.schemas.issues import SEVERITIES
from dataprep.schemas.plan import ACTIONS, PLAN_COLUMNS
from dataprep.schemas.report import report_schema

FOLDER = Path(__file__).resolve().parent

_FAMILY_TITLES = {
    "files": "Files",
    "records": "Manifests and folders",
    "duplicates": "Duplicates",
    "labels": "Labels",
    "content": "Content",
    "shortcuts": "Shortcuts",
    "splits": "Splits",
    "quality": "Image quality",
}
_ISSUE_MEANINGS = {
    "id": "identity: the same for the same fault of the same content, whatever the files are "
    "called; 16 hexadecimal digits",
    "check": "code of the check",
    "severity": f"how bad it is if true: {', '.join(SEVERITIES)}",
    "scope": "what `target` names: sample, pair, class, slice, split, annotator, record or dataset",
    "target": "what is at fault: a path relative to the folder of images, a class, a split, a row; "
    "empty for the data set",
    "related": "the other side of a pair",
    "group": "the same for all members of one group of duplicates",
    "message": "the claim in words",
    "confidence": "how sure the check is, 0 to 1",
    "figure": "the figure that decided; empty when there is none",
    "unit": "unit of the figure",
    "location": "file and row, where the fault is in a manifest",
    "suggestion": "what to do: drop, relabel, move, regroup, review or none",
    "value": "the suggested label or split",
    "evidence": "what else the check knows, as JSON: thresholds, relation, neighbours",
}
_GENERATED = "<!-- Made by docs/make.py; edits are lost. -->\n"


def pages() -> dict[str, str]:
    """Path relative to docs/ to text, of every generated page."""
    checks = [
        registry.load("dataprep.checks", code) for code in registry.BUILT_IN["dataprep.checks"]
    ]
    made = {f"checks/{check.code}.md": check_page(check) for check in checks}
    return {**made, "checks/index.md": index_page(checks), "report-format.md": format_page()}


def check_page(check: type[Check]) -> str:
    """The documentation page of one check."""
    facts = [
        ("severity", check.severity),
        ("about", f"each {check.scope}" if check.scope != "dataset" else "the data set as a whole"),
        ("needs", ", ".join(f"`{need}`" for need in check.needs) or "nothing but the records"),
        ("suggests", check.suggestion),
    ]
    lines = [
        _GENERATED,
        f"# {check.summary}",
        "",
        f"`{check.code}`: {check.advice}",
        "",
        *_table(("", ""), facts),
        "",
        *_table(("found", "not found"), [_pictures(check)]),
    ]
    for heading, text in check.page().items():
        lines += ["", f"## {heading}", "", _markdown(text)]
    options = [
        (f"`{field.name}`", f"`{_default(field)}`", _range(field), field.metadata["help"])
        for field in dataclasses.fields(check)
    ]
    if options:
        example = f"--set {check.code}.{dataclasses.fields(check)[0].name}={_default(dataclasses.fields(check)[0])}"  # noqa: E501
        lines += ["", "## Options", "", *_table(("option", "default", "range", "meaning"), options)]
        lines += [
            "",
            f"`dataprep audit ./images {example}`, or a table `[checks.{check.code}]` in "
            "`dataprep.toml`.",
        ]
    return "\n".join(lines) + "\n"


def _pictures(check: type[Check]) -> tuple[str, str]:
    """The examples of a check, which ``python sample_data/examples.py`` draws."""
    bad, good = (
        f"![{side} example of {check.code}](pictures/{check.code}-{side}.svg)"
        for side in ("bad", "good")
    )
    return bad, good


def index_page(checks: list[type[Check]]) -> str:
    """The list of all checks, by family."""
    lines = [
        _GENERATED,
        "# Checks",
        "",
        "`dataprep explain CHECK` shows each of these pages in the terminal.",
    ]
    for family in FAMILIES:
        rows = [
            (f"[{c.code}]({c.code}.md)", c.severity, c.summary, c.advice)
            for c in checks
            if c.family == family
        ]
        lines += [
            "",
            f"## {_FAMILY_TITLES[family]}",
            "",
            *_table(("check", "severity", "finds", "what to do"), rows),
        ]
    return "\n".join(lines) + "\n"


def format_page() -> str:
    """The columns and keys of the files that a run writes."""
    samples = [(f"`{c.name}`", c.kind, c.unit, c.meaning) for c in (*GIVEN, *FILE, *PIXEL)]
    lines = [
        _GENERATED,
        "# Files of a run",
        "",
        "`dataprep audit` writes these to `dataprep-out/audit/`, all of them or none. `run.json` "
        "records what shaped the result:",
        "options, versions, and the fingerprint of the data.",
        "",
        "## issues.csv",
        "",
        "One row for each claim. UTF-8, commas, one header line. A text that a spreadsheet would "
        "take for a formula has an",
        "apostrophe in front.",
        "",
        *_table(
            ("column", "meaning"), [(f"`{name}`", _ISSUE_MEANINGS[name]) for name in ISSUE_COLUMNS]
        ),
        "",
        "## samples.parquet",
        "",
        "One row for each sample: `sample` (the path relative to the folder of images), these "
        "columns as far as they are known,",
        "then the manifest's own columns. Luma runs from 0 (black) to 1 (white).",
        "",
        *_table(("column", "kind", "unit", "meaning"), samples),
        "",
        "## report.json",
        "",
        "Described by the JSON Schema `dataprep/schemas/report.schema.json`, which the package "
        "brings along.",
        "",
        *_table(("key", "meaning"), list(_keys(report_schema()))),
        "",
        "## plan.csv",
        "",
        "What `dataprep clean` suggests, and what you make of it; see [cleaning](cleaning.md). "
        "`plan.json` beside it says which",
        "data the plan is for. When it is applied, `applied.json` says what was changed "
        "(`changes`: sample, action, label as",
        "given, `new_label`, reason), what was made (`result`, and `files` with hashes of their "
        "content) and how to get back",
        "(`undo`).",
        "",
        *_table(
            ("column", "meaning"),
            [(f"`{name}`", meaning) for name, meaning in PLAN_COLUMNS.items()],
        ),
        "",
        *_table(
            ("action", "meaning"), [(f"`{name}`", meaning) for name, meaning in ACTIONS.items()]
        ),
    ]
    return "\n".join(lines) + "\n"


def _keys(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, part in schema["properties"].items():
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        inside = ", ".join(f"`{key}`" for key in part.get("properties", ()))
        yield f"`{name}`", part.get("description", "") or f"holds {inside}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table; bars inside the cells are escaped."""
    lines = [head, tuple("---" for _ in head), *rows]
    return [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    ]


def _markdown(text: str) -> str:
    """Docstring text: double backquotes are code in reStructuredText, single ones in Markdown."""
    return text.replace("``", "`")


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore[misc]


def _range(field: dataclasses.Field[Any]) -> str:
    low, high, choices = (field.metadata.get(name) for name in ("low", "high", "choices"))
    if choices is not None:
        return ", ".join(map(str, choices))
    if low is None and high is None:
        return ""
    return (
        f"{low} to {high}"
        if low is not None and high is not None
        else f"from {low}"
        if high is None
        else f"up to {high}"
    )


def outdated() -> list[str]:
    """The generated pages whose committed text is not what would be generated, and pages of
    checks that are no more.
    """
    made = pages()
    wrong = [
        path
        for path, text in made.items()
        if not (FOLDER / path).is_file() or (FOLDER / path).read_text("utf-8") != text
    ]
    strays = [
        f"checks/{path.name}"
        for path in (FOLDER / "checks").glob("*.md")
        if f"checks/{path.name}" not in made
    ]
    return sorted(wrong + strays)


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check only say which would change."""
    if "--check" in arguments:
        print(*outdated(), sep="\n")
        return int(bool(outdated()))
    for path, text in pages().items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
