"""Reports: an audit as files for people, programs, spreadsheets and code hosts.

`audit` makes the report of an audit: computed in `summary`, shown in the others. What other stages
share with it lies here: charts, messages, columns of text, templates and styles. Imports `engine`
and below.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dataprep.schemas.report import (
    HTML,
    ISSUES,
    JSON,
    REPORT_FILES,
    RUN,
    SAMPLES,
    SARIF,
    ReportPaths,
)

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit


def report(
    audit: Audit,
    out: str | os.PathLike[str],
    *,
    thumbnails: bool = True,
    anonymise: bool = False,
    progress: Callable[[str, int, int, str], None] | None = None,
) -> ReportPaths:
    """Write an audit into the folder `out`; all of its files take their places at the end, or none
    does.

    Args:
        audit: the audit.
        out: folder, made if needed. It gets report.html, report.json, issues.csv, samples.parquet,
            report.sarif, run.json and a marker file that makes `dataprep.scan` pass it over.
        thumbnails: embed small pictures of the worst examples in report.html.
        anonymise: no pictures, and pseudonyms for files, labels and groups in every file; see
            `dataprep.reports.audit.pseudonyms`.
        progress: called with ("report", done, total, note) now and then.

    Returns:
        Where the files are.

    Raises:
        OutputError: a file cannot be written (disk full, read-only folder).

    Example:
        >>> import dataprep
        >>> audit = dataprep.audit("sample_data/shapes/val", only=["border"])
        >>> paths = dataprep.report(audit, "out/audit", thumbnails=False)
        >>> with open(paths.issues) as file:
        ...     print(file.readline()[:23])
        "id","check","severity"
    """
    from dataprep.reports.audit.html import render_html
    from dataprep.reports.audit.pseudonyms import UNWRITTEN
    from dataprep.reports.audit.pseudonyms import anonymise as anonymised
    from dataprep.reports.audit.sarif import sarif
    from dataprep.reports.audit.summary import summarise
    from dataprep.reports.audit.tables import write_issues, write_samples
    from dataprep.schemas.files.writing import mark_output, write_together

    say = _saying(progress)
    if anonymise:
        audit = anonymised(audit)
    mark_output(out)
    say(0, 0, "summary")
    summary = summarise(audit, anonymised=anonymise)
    with write_together(out, owns=REPORT_FILES) as opened:
        page = render_html(
            summary,
            audit,
            pictures=thumbnails and not anonymise,
            options=_options(audit),
            progress=say,
        )
        opened(HTML).write(page.encode("utf-8", "backslashreplace"))
        say(0, 0, "tables")
        _dump(summary, opened(JSON))
        _dump(sarif(summary), opened(SARIF))
        _dump(audit.run, opened(RUN), indent=2)
        write_issues(opened(ISSUES), audit)
        write_samples(opened(SAMPLES), audit, without=UNWRITTEN if anonymise else ())
    return ReportPaths(os.fspath(out))


def _saying(
    progress: Callable[[str, int, int, str], None] | None,
) -> Callable[[int, int, str], None]:
    def say(done: int, total: int, note: str) -> None:
        if progress is not None:
            progress("report", done, total, note)

    return say


def _options(audit: Audit) -> Any:
    """The limits that the files were read under."""
    from dataprep.measures.options import PassOptions

    return PassOptions.of_run(audit.run)


def _dump(data: Mapping[str, Any], file: Any, indent: int | None = None) -> None:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=indent)
    file.write(text.encode("utf-8", "backslashreplace") + b"\n")
