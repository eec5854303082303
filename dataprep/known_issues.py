"""Known issues: those of an earlier report, and the list of false alarms that people dismissed.

An issue is recognised by its identity (`dataprep.schemas.identity.issue_ids`): the check and the
content of the files it is about, so that renamed and moved files keep theirs.

The list is a CSV file, ``dataprep-ignore.csv`` by convention, to be kept under version control::

    check,id,target,related,note
    blurry,0f3a51c09b2e7d44,train/cat/017.jpg,,fog

``check`` and ``id`` (as in ``issues.csv`` and ``report.json``) decide; the others tell people what
it was about.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep import registry
from dataprep.errors import InputError
from dataprep.schemas.files.reading import read_json, read_text
from dataprep.schemas.files.stored import STAGE_LIMIT
from dataprep.schemas.files.writing import write_atomically
from dataprep.schemas.identity import issue_ids
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.report import JSON

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.issues import Issues

IGNORE_COLUMNS: tuple[str, ...] = ("check", "id", "target", "related", "note")

_ID = re.compile(r"[0-9a-f]{16}")
_LISTED = 20


def only_new(issues: Issues, dataset: Dataset, known: str | os.PathLike[str]) -> Issues:
    """The issues that an earlier report does not have.

    Args:
        issues: what was found now.
        dataset: what it was found in.
        known: the earlier ``report.json``, or the folder it is in.

    Raises:
        InputError: no report there, or one that cannot be read.
    """
    return issues.where(~np.isin(issue_ids(issues, dataset).astype(str), known_ids(known)))


def without_ignored(issues: Issues, dataset: Dataset, path: str | os.PathLike[str]) -> Issues:
    """The issues that the list of dismissed ones at `path` does not name.

    Raises:
        InputError: no list there, or rows that name no check or no issue; all of them are said at
            once.
    """
    dismissed = {(row["check"], row["id"]) for row in read_ignored(path)}
    found = zip(issues.table["check"].astype("str"), issue_ids(issues, dataset))
    return issues.where([pair not in dismissed for pair in found])


def ignore(issues: Issues, dataset: Dataset, path: str | os.PathLike[str], note: str = "") -> int:
    """Add issues to the list of dismissed ones at `path`, made if needed; gives how many were not
    in it yet.

    Raises:
        InputError: the list cannot be read.
        OutputError: it cannot be written.
    """
    rows = read_ignored(path) if os.path.exists(path) else []
    known = {(row["check"], row["id"]) for row in rows}
    added = 0
    for claim, identity in zip(issues, issue_ids(issues, dataset)):
        key = (str(claim["check"]), str(identity))
        if key not in known:
            known.add(key)
            values = (*key, claim["target"], claim["related"], note)
            rows.append(dict(zip(IGNORE_COLUMNS, values, strict=True)))
            added += 1
    _write(rows, path)
    return added


def read_ignored(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """The rows of a list of dismissed issues.

    Raises:
        InputError: no list there, or rows that name no check or no issue; all of them are said at
            once.
    """
    reader = csv.DictReader(io.StringIO(read_text(path, "the ignore list"), newline=""))
    try:
        names = reader.fieldnames or []
        rows = [{name: (row.get(name) or "").strip() for name in IGNORE_COLUMNS} for row in reader]
    except csv.Error as error:
        raise InputError(
            f"cannot read the ignore list {os.fspath(path)}, line {reader.reader.line_num}: {error}"
        ) from error
    if not {"check", "id"} <= set(names):
        raise InputError(
            f"{os.fspath(path)}: expected the columns check and id, got "
            f"{', '.join(names) or 'an empty file'}"
        )
    faults = list(_faults(rows))
    if faults:
        more = [f"and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
        raise InputError(
            "\n  ".join(
                [
                    f"{os.fspath(path)} has {len(faults)} fault{'s' * (len(faults) > 1)}:",
                    *faults[:_LISTED],
                    *more,
                ]
            )
        )
    return rows


def _faults(rows: list[dict[str, str]]) -> Iterator[str]:
    known = registry.names("dataprep.checks")
    for number, row in enumerate(rows, start=2):
        if row["check"] not in known:
            yield (
                f"row {number}: no check is called {row['check']!r}. "
                f"{did_you_mean(row['check'], known)}"
            )
        if not _ID.fullmatch(row["id"]):
            yield (
                f"row {number}: expected an id of 16 hexadecimal digits, as in issues.csv, got "
                f"{row['id']!r}"
            )


def _write(rows: list[dict[str, str]], path: str | os.PathLike[str]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, IGNORE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with write_atomically(path) as file:
        file.write(text.getvalue().encode())


def report_path(known: str | os.PathLike[str]) -> str:
    """The report.json that is meant by a file, its folder, or a folder of results."""
    if not os.path.isdir(known):
        return os.fspath(known)
    inner = os.path.join(known, "audit", JSON)
    return inner if os.path.exists(inner) else os.path.join(known, JSON)


def known_ids(known: str | os.PathLike[str]) -> np.ndarray[Any, Any]:
    """The ids of the issues of an earlier report.

    Raises:
        InputError: no report there, or one that cannot be read.
    """
    path = report_path(known)
    report = read_json(path, "the earlier report", limit=STAGE_LIMIT)
    ids = report.get("ids") if isinstance(report, dict) else None
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise InputError(
            f"{path} is no report of dataprep: expected a report.json that dataprep audit wrote"
        )
    return np.array(ids, dtype=str)


def without_known(audit: Audit, *, ignore: str = "", known: str = "") -> Audit:
    """The audit without the issues that a list of dismissed ones (`ignore`) or an earlier report
    (`known`) names; its record says how many each of them took out.

    Raises:
        InputError: as `without_ignored` and `only_new`.
    """
    issues, left_out = audit.issues, {}
    for name, place, leave_out in (("ignore", ignore, without_ignored), ("known", known, only_new)):
        if place:
            before = len(issues)
            issues = leave_out(issues, audit.dataset, place)
            left_out[name] = before - len(issues)
    if not left_out:
        return audit
    return replace(audit, issues=issues, run={**audit.run, "left_out": left_out})
