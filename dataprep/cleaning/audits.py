"""Read an audit back from the folder that `dataprep.report` wrote it to."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep import registry
from dataprep.errors import FingerprintError, InputError
from dataprep.reports.tables import FORMULA
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import COLUMNS, Issues
from dataprep.schemas.plan import labels_in
from dataprep.schemas.report import ISSUES, RUN, SAMPLES

if TYPE_CHECKING:
    from dataprep.checks.contract import Check

_NUMBERS = {"confidence": np.float32, "figure": np.float64}


def read_audit(folder: str | os.PathLike[str]) -> Audit:
    """The audit in `folder` (``dataprep-out/audit``): its samples, its issues and the record of its run.

    Arrays and faults are not kept on disk, so the data set comes without them.

    Raises:
        InputError: no audit there, or one that cannot be read.
        FingerprintError: the files there do not belong together, or the audit was anonymised.
    """
    folder = os.fspath(folder)
    _refuse_missing(folder)
    run = _read_run(os.path.join(folder, RUN))
    dataset = _read_dataset(os.path.join(folder, SAMPLES), run)
    if run.get("anonymised") or run.get("options", {}).get("anonymise"):
        raise FingerprintError(
            f"the audit in {folder} was anonymised: its files cannot be found. Audit again without --anonymise."
        )
    if run.get("fingerprint") != dataset.fingerprint:
        raise FingerprintError(
            f"{SAMPLES} and {RUN} in {folder} are not of the same audit (or it was anonymised). Run dataprep audit again."
        )
    return Audit(dataset, _read_issues(os.path.join(folder, ISSUES)), run.get("skipped", {}), _checks_of(run), run)


def _refuse_missing(folder: str) -> None:
    missing = [name for name in (SAMPLES, ISSUES, RUN) if not os.path.isfile(os.path.join(folder, name))]
    if missing:
        raise InputError(f"expected an audit in {folder}, but {', '.join(missing)} is not there. Make one: dataprep audit PATH")


def _read_run(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}. Run dataprep audit again.") from error
    if not isinstance(run, dict):
        raise InputError(f"{path} holds no record of a run. Run dataprep audit again.")
    return run


def _read_dataset(path: str, run: dict[str, Any]) -> Dataset:
    try:
        samples = pd.read_parquet(path).set_index("sample")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {path}: {error}. Run dataprep audit again.") from error
    samples.index = samples.index.astype("str")
    samples.index.name = "sample"
    task = run.get("task", "none")
    classes = labels_in(samples, task)
    whole = all(name.isdigit() for name in classes)
    return Dataset(str(run.get("root", "")), samples, task, tuple(sorted(classes, key=int if whole else None)))


def _read_issues(path: str) -> Issues:
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")[list(COLUMNS)]
        numbers = {name: pd.to_numeric(table[name]).astype(kind) for name, kind in _NUMBERS.items()}
        texts = {name: without_apostrophe(table[name]) for name in COLUMNS if name not in _NUMBERS}
        return Issues.collect([table.assign(**numbers, **texts)])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {path}: {error}. Run dataprep audit again.") from error


def without_apostrophe(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Texts as they were before `dataprep.reports.tables.neutralised`."""
    return texts.mask(texts.str.contains("^'", regex=True) & texts.str.contains(FORMULA, regex=True), texts.str.slice(1))


def _checks_of(run: dict[str, Any]) -> tuple[Check, ...]:
    """The checks of a run with their options; one whose plug-in is gone is left out."""
    options = run.get("options", {}).get("checks", {})
    known = [code for code in registry.names("dataprep.checks") if code in options]
    return tuple(registry.load("dataprep.checks", code).from_options(options[code]) for code in known)
