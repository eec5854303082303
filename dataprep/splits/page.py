"""split.html: the proof of a split on one page that needs nothing else, in the look of the
audit's report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dataprep.reports.audit.html import draw_page
from dataprep.splits.summary import (
    comparison_rows,
    kept_together_lines,
    left_out_lines,
    random_words,
    size_rows,
    tested_rows,
    verdict,
)

if TYPE_CHECKING:
    from dataprep.schemas.results.proof import FeatureShares, Proof
    from dataprep.schemas.split import Split

#: Rows of a table that are drawn.
_MOST_ROWS = 60
#: Colours that the style has for parts.
_COLOURS = 5


def draw_proof(split: Split) -> str:
    """The page as text."""
    proof = split.proof
    context = {
        "proof": proof,
        "root": split.dataset.root,
        "version": split.run.get("dataprep", ""),
        "verdict": verdict(proof),
        "random_words": random_words(proof),
        "sizes": size_rows(proof)[:_MOST_ROWS],
        "bars": _bars(proof),
        "compared": comparison_rows(proof),
        "tests": tested_rows(proof),
        "kept_together": kept_together_lines(proof),
        "left_out": left_out_lines(proof),
        "labels": _chart(proof.labels.table, proof),
        "others": _chart(proof.others, proof),
        "changed": proof.changed,
        "generated_at": split.run.get("finished_at", ""),
    }
    return draw_page(
        "split.html.j2",
        ("report.css", "split.css"),
        {"theme": "theme.js", "script": "split.js"},
        context,
    )


def _bars(proof: Proof) -> list[dict[str, Any]]:
    """The parts as one bar: x and width in percent."""
    bars, x = [], 0.0
    for number, row in enumerate(proof.sizes):
        width = 100 * row.share
        bars.append(
            {
                "x": round(x, 3),
                "width": round(width, 3),
                "colour": number % _COLOURS,
                "part": row.part,
                "samples": row.samples,
            }
        )
        x += width
    return bars


def _chart(table: Sequence[FeatureShares], proof: Proof) -> dict[str, Any]:
    """Features, most frequent first: the share in each part as a dot on one scale from 0."""
    order = sorted(range(len(table)), key=lambda row: (-table[row].share, table[row].feature))
    shown = [table[row] for row in order[:_MOST_ROWS]]
    parts = proof.parts
    judged = [number for number, part in enumerate(parts) if part not in proof.apart]
    top = max((max([row.share, *row.shares]) for row in shown), default=0) or 1
    rows = [
        {
            "name": row.feature,
            "share": row.share,
            "counts": row.counts,
            "samples": row.samples,
            "overall": round(100 * row.share / top, 3),
            "off": max((abs(row.shares[number] - row.share) for number in judged), default=0),
            "dots": [
                {
                    "x": round(100 * share / top, 3),
                    "colour": number % _COLOURS,
                    "part": part,
                    "share": share,
                }
                for number, (part, share) in enumerate(zip(parts, row.shares))
            ],
        }
        for row in shown
    ]
    return {"rows": rows, "hidden": len(table) - len(shown), "top": top, "narrow": len(parts) <= 8}
