"""A plan on the terminal: what would change, by action and check with a few names, and what is
left to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

import pandas as pd

from dataprep.reports.audit.console import WIDTH, print_lines
from dataprep.schemas.plan import EDIT
from dataprep.schemas.text.words import counted, printable

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.plan import Plan

#: Names listed for each check.
_NAMED = 3
_HEADS = {
    "drop": ("DROP", "left out of the result; the files stay where they are"),
    "relabel": ("RELABEL", "under another label in the result"),
    "review": ("TO REVIEW", "unchanged until you decide"),
}


def print_plan(plan: Plan, dataset: Dataset, stream: TextIO | None = None) -> None:
    """Print a plan for people.

    Args:
        plan: the plan.
        dataset: what it is for.
        stream: where to print; default: stdout.
    """
    print_lines(lines_of(plan, dataset), stream)


def lines_of(plan: Plan, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """(line, look) to print, 80 columns wide."""
    yield _line(f"{counted(len(dataset), 'image')} in {dataset.root}"), "dim"
    if not len(plan.changes):
        yield "", ""
        yield "✓ Nothing would be dropped or relabelled", "good"
    for action, (title, meaning) in _HEADS.items():
        rows = plan.table[plan.table["action"] == action]
        if len(rows):
            yield "", ""
            yield f"{title}  {counted(len(rows), 'image')}: {meaning}", "bold"
            yield from _groups(rows, dataset)
    if plan.left_in_test:
        yield "", ""
        yield (
            f"Unchanged because they are in test: {plan.left_in_test:,} (--test changes them too)",
            "",
        )


def _groups(rows: pd.DataFrame, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """A line for each check, the most frequent first; a sample that several checks name is in
    each of their lines.
    """
    sources = rows["source"].str.split(",").map(lambda codes: [EDIT] if EDIT in codes else codes)
    named = rows.assign(source=sources).explode("source")
    counts = named["source"].value_counts()
    order = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    width = max((len(_name(str(code))) for code, _ in order), default=0)
    for code, count in order:
        some = named[named["source"] == code].head(_NAMED)
        names = ", ".join(_example(row, dataset) for row in some.to_dict("records"))
        yield (
            _line(
                f"  {_name(str(code)):<{width}} {count:>7,}  "
                f"{names}{', ...' if count > _NAMED else ''}"
            ),
            "",
        )


def _name(code: str) -> str:
    return "your edits" if code == EDIT else code or "no check"


def _example(row: Mapping[Any, Any], dataset: Dataset) -> str:
    if row["action"] != "relabel":
        return str(row["sample"])
    label = dataset.samples["label"].get(row["sample"]) if "label" in dataset.samples else None
    return f"{row['sample']} ({'no label' if pd.isna(label) else label} → {row['new_label']})"


def _line(text: str) -> str:
    text = printable(text)
    return text if len(text) <= WIDTH else text[: WIDTH - 1].rstrip() + "…"
