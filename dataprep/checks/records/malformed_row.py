"""The check malformed-row: rows of a manifest that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.records.record_faults import fault_claims

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class MalformedRow(Check):
    """Rows of a manifest that cannot be read.

    What it finds:
        Rows with more or fewer cells than the header, lines that are not valid JSON, rows without a
        path, and headers that name two columns alike.
    Why it matters:
        A tolerant reader shifts such a row's cells by one and takes a path for a label; a strict
        one stops, and the rows after it are lost.
    What to do:
        Fix the lines. More cells than the header is mostly a comma in a name that needs quotation
        marks; a row that runs over many lines, a quotation mark that is not closed.
    How it works:
        CSV is read with the separator (comma, semicolon, tab, bar, blanks, or what a first line
        ``sep=;`` names) and the encoding found from the file: UTF-8, UTF-16, else a guess that the
        report names and ``--encoding`` overrides. Blank lines and empty cells after the last column
        are no faults. A path, label, split or group of more than 4,096 letters, a cell of more than
        a million, and JSON nested more than 60 deep are malformed. Malformed rows are left out.
    Known limits:
        An unclosed quotation mark swallows the rows after it up to the next one; these are not
        reported one by one. When most rows are malformed, scanning stops with a message.
    Measured quality:
        Exact. No false alarms by construction.
    """

    code = "malformed-row"
    family = "records"
    severity = "error"
    scope = "record"
    suggestion = "review"
    summary = "Unreadable manifest rows"
    advice = "Fix the rows at the given lines."
    message = "{target} could not be read: {why}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
