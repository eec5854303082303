"""A split on the terminal: parts, sizes, leaks, targets that were not met, and its files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TextIO

from dataprep.reports.audit.console import MARKS, WIDTH, print_lines
from dataprep.reports.columns import wrapped
from dataprep.schemas.results.proof import Proof
from dataprep.schemas.split import Split, SplitPaths
from dataprep.schemas.text.words import printable
from dataprep.splits.summary import (
    comparison_rows,
    kept_together_lines,
    left_out_lines,
    random_words,
    size_rows,
    tested_rows,
    verdict,
)

#: Parts that are listed; of more, only the first.
_LISTED = 24


def print_split(
    split: Split,
    paths: SplitPaths | None = None,
    stream: TextIO | None = None,
    *,
    verdict_only: bool = False,
) -> None:
    """Print a split for people: in colour on a terminal, as plain text elsewhere.

    Args:
        split: the split.
        paths: where its files are, if they were written.
        stream: where to print; default: stdout.
        verdict_only: print the verdict and nothing else.
    """
    print_lines(_verdict(split) if verdict_only else lines_of(split, paths), stream)


def lines_of(split: Split, paths: SplitPaths | None = None) -> Iterator[tuple[str, str]]:
    """(line, style) to print, about 80 columns wide."""
    proof = split.proof
    yield from _verdict(split)
    yield "", ""
    yield from _table(
        size_rows(proof)[:_LISTED],
        {
            "part": "PART",
            "samples": "SAMPLES",
            "share": "SHARE",
            "target": "TARGET",
            "units": "UNITS",
            "holds": "",
        },
        left=("part", "holds"),
    )
    if len(proof.sizes) > _LISTED:
        yield f"and {len(proof.sizes) - _LISTED:,} more", "dim"
    yield from _repairs(proof)
    yield from _comparison(proof)
    yield from _tests(proof)
    for title, lines in (
        ("KEPT TOGETHER", kept_together_lines(proof)),
        ("TARGETS NOT MET", proof.compromises),
        ("LEFT OUT", left_out_lines(proof)),
        ("NOTE", proof.notes),
    ):
        yield from _listed(title, lines)
    if paths is not None:
        yield from _files(split, paths)


def _verdict(split: Split) -> Iterator[tuple[str, str]]:
    said = verdict(split.proof)
    yield f"{MARKS[said['level']]} {said['title']}", said["level"]
    yield from _wrapped(said["text"], "  ")


def _repairs(proof: Proof) -> Iterator[tuple[str, str]]:
    changed = proof.changed
    if not changed:
        return
    yield from _listed(changed.title.upper(), changed.lines)
    if changed.frontier:
        yield "", ""
        names = {
            "moves": "MOVES",
            "leaks": "LEAKS LEFT",
            "size": "SIZE OFF BY",
            "deviation": "LABELS OFF BY",
            "chosen": "",
        }
        yield from _table([asdict(row) for row in changed.frontier], names, left=("chosen",))


def _comparison(proof: Proof) -> Iterator[tuple[str, str]]:
    rows = comparison_rows(proof)
    if not rows:
        return
    compared = proof.compared
    names = {"what": "PROOF", "ours": "THIS SPLIT"}
    names |= {"groups": "SGKF"} if compared.stratified_group_kfold else {}
    names |= {"random": "RANDOM"} if compared.random else {}
    yield "", ""
    yield from _table(rows, names, left=("what",))
    theirs = compared.stratified_group_kfold
    if theirs:
        seeds = f"best of {theirs.seeds} seeds" if theirs.seeds > 1 else "one seed"
        sizes = " / ".join(f"{size:,}" for size in theirs.sizes[:6])
        yield from _wrapped(
            f"SGKF: StratifiedGroupKFold of scikit-learn, {seeds}, sizes {sizes}.", "", "dim"
        )
    if compared.random:
        yield from _wrapped(
            f"RANDOM: {random_words(proof)}, mean of {compared.random.draws} draws.", "", "dim"
        )


def _tests(proof: Proof) -> Iterator[tuple[str, str]]:
    rows = tested_rows(proof)
    if not rows:
        return
    yield "", ""
    yield "DO THE PARTS DIFFER?", "bold"
    for row in rows:
        yield from _wrapped(f"{row['what']}: {row['text']}", "  ")
        for found in row["found"][:3]:
            yield from _wrapped(f"{found.part}: {printable(found.text)}", "    ")


def _listed(title: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    if lines:
        yield "", ""
        yield title, "bold"
        for line in lines:
            yield from _wrapped(printable(line), "  ")


def _files(split: Split, paths: SplitPaths) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield f"Split   {printable(paths.splits)}", "bold"
    yield "        split.html, proof.json, samples.parquet, run.json next to it", "dim"
    yield f"        paths are relative to {printable(split.dataset.root)}", "dim"
    last = "; keep the test part for the end" if "test" in split.proof.parts else ""
    yield f"Next    look at {printable(shlex.quote(paths.page))}{last}", ""


def _table(
    rows: Sequence[Mapping[str, str]], names: Mapping[str, str], left: Sequence[str]
) -> Iterator[tuple[str, str]]:
    columns = [name for name in names if any(str(row.get(name, "")) for row in rows)]
    texts = [{name: printable(str(row.get(name, ""))) for name in columns} for row in rows]
    widths = {
        name: max([len(names[name]), *(len(text[name]) for text in texts)]) for name in columns
    }
    for text, style in [(names, "dim"), *((text, "") for text in texts)]:
        cells = (
            text[name].ljust(widths[name]) if name in left else text[name].rjust(widths[name])
            for name in columns
        )
        yield "  ".join(cells), style


def _wrapped(text: str, indent: str, style: str = "") -> Iterator[tuple[str, str]]:
    for line in wrapped(text, WIDTH, indent, indent + "  "):
        yield line, style
