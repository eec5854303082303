"""Read an audit back from the folder that `dataprep.report` wrote it to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep import registry
from dataprep.errors import FingerprintError, InputError
from dataprep.reports.audit.tables import restored
from dataprep.schemas.audit import Audit
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import STAGE_LIMIT, read_record, read_samples, reading
from dataprep.schemas.issues import COLUMNS, SEVERITIES, Issues, evidence_of
from dataprep.schemas.report import ISSUES, RUN, SAMPLES

if TYPE_CHECKING:
    from dataprep.checks.contract import Check

_AGAIN = "Run dataprep audit again."
_KINDS: dict[str, type] = {
    "fingerprint": str,
    "options": dict,
    "options.checks": dict,
    "options.checks.*": dict,
    "options.anonymise": bool,
    "options.pass": dict,
    "skipped": dict,
    "skipped.*": str,
    "failed": dict,
    "failed.*": str,
    "samples": int,
    "anonymised": bool,
}
_NUMBERS = {"confidence": np.float32, "figure": np.float64}


def read_audit(folder: str | os.PathLike[str]) -> Audit:
    """The audit in `folder` (``dataprep-out/audit``): its samples, its issues and the record of its
    run.

    Arrays and faults are not kept on disk, so the data set comes without them.

    Raises:
        InputError: no audit there, or one that cannot be read.
        FingerprintError: the files there do not belong together, or the audit was anonymised.
    """
    folder = os.fspath(folder)
    settle(folder)
    _refuse_missing(folder)
    run = read_record(os.path.join(folder, RUN), _AGAIN, _KINDS)
    dataset = read_samples(os.path.join(folder, SAMPLES), run, _AGAIN)
    if run.get("anonymised") or run.get("options", {}).get("anonymise"):
        raise FingerprintError(
            f"the audit in {folder} was anonymised: its files cannot be found. Audit again without "
            "--anonymise."
        )
    if run.get("fingerprint") != dataset.fingerprint:
        raise FingerprintError(
            f"{SAMPLES} and {RUN} in {folder} are not of the same audit (or it was anonymised). "
            "Run dataprep audit again."
        )
    return Audit(
        dataset,
        _read_issues(os.path.join(folder, ISSUES)),
        run.get("skipped", {}),
        _checks_of(run),
        run,
    )


def _refuse_missing(folder: str) -> None:
    missing = [
        name for name in (SAMPLES, ISSUES, RUN) if not os.path.isfile(os.path.join(folder, name))
    ]
    if missing:
        raise InputError(
            f"expected an audit in {folder}, which lacks {', '.join(missing)}. Make one: "
            "dataprep audit PATH"
        )


def _read_issues(path: str) -> Issues:
    check_input(path, "the file", limit=STAGE_LIMIT)
    with reading(path, _AGAIN):
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")[
            list(COLUMNS)
        ]
        numbers = {name: pd.to_numeric(table[name]).astype(kind) for name, kind in _NUMBERS.items()}
        texts = {name: restored(table[name]) for name in COLUMNS if name not in _NUMBERS}
        issues = Issues.collect([table.assign(**numbers, **texts)])
        _refuse_damaged(issues)
    return issues


def _refuse_damaged(issues: Issues) -> None:
    """Refuse what no check writes, and what would only fail in the stage that uses it."""
    if not set(issues.table["severity"].astype("str")) <= set(SEVERITIES):
        raise ValueError(f"a severity that is none of {', '.join(SEVERITIES)}")
    for evidence in issues.table["evidence"].astype("str").unique():
        if not isinstance(evidence_of(evidence), dict):
            raise ValueError("evidence that is no object")


def _checks_of(run: dict[str, Any]) -> tuple[Check, ...]:
    """The checks of a run with their options; one whose plug-in is gone is left out."""
    options = run.get("options", {}).get("checks", {})
    known = [code for code in registry.names("dataprep.checks") if code in options]
    return tuple(
        registry.load("dataprep.checks", code).from_options(options[code]) for code in known
    )
