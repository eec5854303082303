"""The record of an applied plan: its changes, how to undo them, which plan later stages use."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from dataprep.cleaning.plan_files import read_plan
from dataprep.errors import FingerprintError, InputError, UserError
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.stored import read_record, reading
from dataprep.schemas.files.writing import MARKER
from dataprep.schemas.plan import (
    DATA_KINDS,
    PLAN_COLUMNS,
    PLAN_CSV,
    Cleaned,
    Plan,
    difference,
    suggested_text,
)
from dataprep.schemas.text.words import counted
from dataprep.version import __version__

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: In the folder of plans: the plan that was applied last.
APPLIED = "applied.json"
#: Raised when a key of the record changes its meaning.
APPLIED_VERSION = 1

_AGAIN = "Apply the plan again: dataprep clean --apply"
_KINDS: dict[str, type] = {
    "applied": int,
    "data": dict,
    "options": dict,
    "layout": str,
    "files": dict,
    "files.*": str,
    "records": list,
    "records.*": str,
    "changes": list,
    "changes.*": dict,
    "changes.*.*": str,
    "result": dict,
    "result.manifest": str,
    "result.folder": str,
    "result.record": str,
    "result.samples": int,
    "result.dropped": int,
    "result.relabelled": int,
    "result.unreviewed": int,
    "result.linked": int,
    "result.copied": int,
    "result.warnings": list,
    "result.warnings.*": str,
}


@dataclass(frozen=True)
class Applied:
    """A plan that was applied.

    Attributes:
        path: of the record.
        plan: its drops and relabels; what it left as it was is not in it.
        result: what applying it made.
        files: path of each file made to the hash of its content.
        layout: layout of the new folder.
        records: where copies of the record are.
    """

    path: str
    plan: Plan
    result: Cleaned
    files: Mapping[str, str]
    layout: str
    records: tuple[str, ...]

    @property
    def place(self) -> str:
        """The folder that the record is in."""
        return os.path.dirname(self.path)


def changes_of(plan: Plan, dataset: Dataset) -> list[dict[str, str]]:
    """What a plan changes: ``sample``, ``action``, ``label`` as given, ``new_label`` for
    relabel, and the reason.
    """
    rows = plan.changes
    labels = _labels(dataset, rows["sample"])
    columns = (rows[name].tolist() for name in ("sample", "action", "new_label", "reason"))
    found = []
    for label, sample, action, new, reason in zip(labels, *columns, strict=True):
        after = {"new_label": new} if action == "relabel" else {}
        found.append(
            {"sample": sample, "action": action, "label": label, **after, "reason": reason}
        )
    return found


def _labels(dataset: Dataset, samples: pd.Series[Any]) -> list[str]:
    if "label" not in dataset.samples:
        return [""] * len(samples)
    values = dataset.samples["label"].reindex(pd.Index(samples))
    return ["" if pd.isna(value) else str(value) for value in values]


def how_to_undo(dataset: Dataset, result: Cleaned) -> str:
    """How to undo the plan, in words."""
    made = [path for path in (result.folder, result.manifest) if path]
    return (
        f"The originals in {dataset.root} were not changed. To get back, delete what was made: "
        f"{' and '.join(made)}. "
        "'dataprep clean --undo' does so for a plan that 'dataprep clean --apply' applied, and "
        "leaves what was changed since."
    )


def record_paths(manifest: str, folder: str) -> list[str]:
    """Where the record of an applied plan is written: in `folder`, and beside the manifest under
    a name of its own.
    """
    beside = os.path.dirname(os.path.abspath(manifest)) if manifest else ""
    ours = bool(beside) and os.path.exists(os.path.join(beside, MARKER))
    paths = [os.path.join(os.path.abspath(folder), APPLIED)] if folder else []
    paths += (
        [os.path.join(beside, APPLIED) if ours else f"{os.path.abspath(manifest)}.{APPLIED}"]
        if manifest
        else []
    )
    return list(dict.fromkeys(paths))


def applied_record(
    plan: Plan,
    dataset: Dataset,
    result: Cleaned,
    paths: list[str],
    files: Mapping[str, str],
    layout: str,
) -> bytes:
    """The record of an applied plan.

    Args:
        plan: the plan.
        dataset: what it was made for.
        result: what was made.
        paths: where it is written; the first counts.
        files: absolute path of each file that was made to the hash of its content, by which it is
            told later whether somebody changed it.
        layout: layout of the new folder.
    """
    record = {
        "applied": APPLIED_VERSION,
        "dataprep": __version__,
        "applied_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "undo": how_to_undo(dataset, result),
        "data": plan.data,
        "options": plan.options,
        "counts": plan.counts,
        "result": {
            **asdict(result),
            "manifest": _absolute(result.manifest),
            "folder": _absolute(result.folder),
        },
        "layout": layout,
        "files": dict(files),
        "records": paths,
        "changes": changes_of(plan, dataset),
    }
    return (
        json.dumps(record, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    )


def _absolute(path: str) -> str:
    return os.path.abspath(path) if path else ""


def read_applied(folder: str | os.PathLike[str]) -> Applied | None:
    """The plan that was applied last in a folder of plans (``dataprep-out/clean``); None where none
    was, or it was undone.

    Raises:
        InputError: its record cannot be read.
    """
    path = os.path.join(folder, APPLIED)
    settle(folder)
    if not os.path.lexists(path):
        return None
    record = read_record(path, _AGAIN, _KINDS | DATA_KINDS)
    if record.get("applied") != APPLIED_VERSION:
        raise InputError(f"{path} is no record of an applied plan. {_AGAIN}")
    with reading(path, _AGAIN):
        plan = Plan(_table(record["changes"]), record["data"], record["options"])
        result = Cleaned(**{**record["result"], "warnings": tuple(record["result"]["warnings"])})
        return Applied(
            os.path.abspath(path),
            plan,
            result,
            record["files"],
            record["layout"],
            tuple(record["records"]),
        )


def _table(changes: list[dict[str, str]]) -> pd.DataFrame:
    columns = {
        name: [change.get(name, "") for change in changes]
        for name in PLAN_COLUMNS
        if name != "confidence"
    }
    table = pd.DataFrame({name: pd.array(values, dtype="str") for name, values in columns.items()})
    suggested = suggested_text(table["action"], table["new_label"])
    return table.assign(confidence=1.0, suggested=suggested)[list(PLAN_COLUMNS)]


def plan_in_force(
    folder: str,
    dataset: Dataset,
    given: str | os.PathLike[str] = "",
    *,
    how: str = "dataprep clean --apply",
) -> tuple[Plan | None, str]:
    """The plan that later stages use: the one that is named, else the one that was applied.

    Args:
        folder: the folder of plans (``dataprep-out/clean``).
        dataset: the audited data.
        given: a plan to go by though it was not applied: its folder or ``plan.csv``.
        how: the command that applies the plan in `folder`.

    Returns:
        The plan, None for none, and a line that says which one is used or why none is, "" where
        there is nothing to say.

    Raises:
        InputError: the named plan cannot be read.
        FingerprintError: the named plan was made for other data.
    """
    if given:
        plan = read_plan(given, dataset)
        changed = difference(plan.data, dataset)
        if changed:
            raise FingerprintError(
                f"the plan in {given} was made for other data: {changed}. Make a new one: dataprep "
                "clean"
            )
        return plan, f"used the plan {given}, applied or not: {_counts(plan)}"
    applied, written = read_applied(folder), os.path.join(folder, PLAN_CSV)
    if applied is None:
        return (
            None,
            (
                f"{written} was not applied, so it is not used. Apply it ({how}), or use it as it "
                "is: "
                "--plan"
            )
            * os.path.exists(written),
        )
    changed = difference(applied.plan.data, dataset)
    if changed:
        return (
            None,
            f"the plan that was applied ({os.path.join(folder, APPLIED)}) is for other data and is "
            f"not used: {changed}",
        )
    note = (
        f"; {written} was changed since, and counts when it is applied: {how}"
        if _changed_since(applied, written)
        else ""
    )
    return (
        applied.plan,
        f"used the applied plan {os.path.join(folder, APPLIED)}: {_counts(applied.plan)}{note}",
    )


def _counts(plan: Plan) -> str:
    return f"{plan.counts['drop']:,} dropped, {plan.counts['relabel']:,} relabelled"


def _changed_since(applied: Applied, written: str) -> bool:
    """Whether the plan on disk would now do something else."""
    if not os.path.exists(written):
        return False
    try:
        return _effect(read_plan(written)) != _effect(applied.plan)
    except UserError:
        return True


def _effect(plan: Plan) -> set[tuple[str, str, str]]:
    rows = plan.changes
    return set(zip(rows["sample"], rows["action"], rows["new_label"], strict=True))


def not_in_force(plan: Plan, dataset: Dataset) -> str:
    """How a data set (of a split) differs from the plan, in words; "" where it does not."""
    rows = plan.changes.set_index("sample")
    there = rows[rows.index.isin(dataset.samples.index)]
    dropped = int((there["action"] == "drop").sum())
    new = there.loc[there["action"] == "relabel", "new_label"]
    labels = (
        dataset.samples["label"].reindex(new.index).astype("str")
        if "label" in dataset.samples
        else new
    )
    relabelled = int((labels.to_numpy() != new.to_numpy()).sum())
    words = [counted(dropped, "sample") + " that it drops"] * bool(dropped)
    words += [counted(relabelled, "sample") + " that it relabels"] * bool(relabelled)
    return " and ".join(words)
