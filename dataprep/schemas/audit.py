"""Audit: the issues found, and the checks that were skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.issues import Issues


#: Begins the reason of a check that ended in an error, before the error.
FAILED = "failed"


def is_failure(reason: str) -> bool:
    """Whether the reason why a check is among those skipped is an error of its own."""
    return reason.startswith(FAILED)


@dataclass(frozen=True, eq=False)
class Audit:
    """The measured data set, its issues, and what was skipped and why.

    Attributes:
        dataset: the measured Dataset.
        issues: every claim of every check that ran.
        skipped: check code to the reason it could not look ("needs labels"), or, after "failed: ",
            to the error it ended in.
        checks: the checks that ran, with their options.
        run: everything that shaped the result: options, versions, seed, fingerprint, timings
            (``run.json``).
        neighbourhood: the embeddings as checks compared them (`dataprep.probes.features.Features`)
            and their nearest neighbours (`dataprep.neighbours.cosine.Nearest`), for those who go on
            with them; None where no check asked, or the audit was read from files.

    Example:
        >>> import dataprep
        >>> audit = dataprep.audit("sample_data/shapes/val/stone", only=["dark", "label-shift"])
        >>> len(audit.issues), audit.skipped, audit.failed
        (0, {'label-shift': 'needs labels and splits'}, {})
    """

    dataset: Dataset
    issues: Issues
    skipped: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Any, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    neighbourhood: tuple[Any, Any] | None = field(default=None, repr=False)

    @property
    def failed(self) -> dict[str, str]:
        """Check code to the error that it ended in: nothing is known of what such a check looks
        for.
        """
        return {code: reason for code, reason in self.skipped.items() if is_failure(reason)}

    def __repr__(self) -> str:
        return f"Audit({self.dataset!r}, {self.issues!r}, {len(self.skipped)} checks skipped)"

    def _repr_html_(self) -> str:
        """A short table for notebooks; `dataprep.report` writes the full one."""
        summaries = {check.code: check.summary for check in self.checks}
        right, left = "style='text-align:right'", "style='text-align:left'"
        rows = "".join(
            f"<tr><td>{escape(str(row.check))}</td><td>{escape(str(row.severity))}</td><td "
            f"{right}>{row.issues:,}</td>"
            f"<td {left}>{escape(summaries.get(str(row.check), ''))}</td></tr>"
            for row in self.issues.summary().itertuples()
        )
        head = f"<tr><th>check</th><th>severity</th><th>issues</th><th {left}>what</th></tr>"
        return (
            f"<p><b>{len(self.dataset):,} samples</b> in {escape(self.dataset.root)}: "
            f"{len(self.issues):,} issues; "
            f"{len(self.skipped)} checks could not look.</p><table>{head}{rows}</table>"
        )
