"""The report: the names of its files, and the JSON Schema (draft 2020-12) of ``report.json``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

#: Raised when a key of ``report.json`` changes its meaning or goes away; new keys do not raise it.
VERSION = 1
#: Claims listed in ``report.json``, worst first; ``issues.csv`` lists all, and ``ids`` names all.
CLAIMS_LIMIT = 100_000

HTML, JSON, ISSUES, SAMPLES, SARIF, RUN = (
    "report.html",
    "report.json",
    "issues.csv",
    "samples.parquet",
    "report.sarif",
    "run.json",
)
#: All files of a report.
REPORT_FILES = (HTML, JSON, ISSUES, SAMPLES, SARIF, RUN)


@dataclass(frozen=True)
class ReportPaths:
    """Where the files of a report are."""

    folder: str

    @property
    def html(self) -> str:
        """The report to read in a browser."""
        return os.path.join(self.folder, HTML)

    @property
    def json(self) -> str:
        """The report for programs; `report_schema` describes it."""
        return os.path.join(self.folder, JSON)

    @property
    def issues(self) -> str:
        """Every claim with its message, as CSV."""
        return os.path.join(self.folder, ISSUES)

    @property
    def samples(self) -> str:
        """Every sample with its measured columns, as Parquet."""
        return os.path.join(self.folder, SAMPLES)

    @property
    def sarif(self) -> str:
        """The worst claims as SARIF 2.1.0, for code hosts."""
        return os.path.join(self.folder, SARIF)

    @property
    def run(self) -> str:
        """Everything that shaped the result."""
        return os.path.join(self.folder, RUN)


def report_schema() -> dict[str, Any]:
    """The JSON Schema of ``report.json``."""
    schema: dict[str, Any] = json.loads(
        files("dataprep.schemas").joinpath("report.schema.json").read_text(encoding="utf-8")
    )
    return schema
