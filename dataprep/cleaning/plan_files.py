"""Write a plan for people to edit, and read it back; all errors in it are reported at once."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dataprep.cleaning.planning import emptied_classes
from dataprep.errors import InputError
from dataprep.reports.audit.tables import neutralised, restored
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.reading import read_input, read_json
from dataprep.schemas.files.stored import STAGE_LIMIT, refuse_wrong_kinds
from dataprep.schemas.files.writing import mark_output, write_together
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.plan import (
    ACTIONS,
    DATA_KINDS,
    EDIT,
    PLAN_COLUMNS,
    PLAN_CSV,
    PLAN_JSON,
    PLAN_VERSION,
    Plan,
    difference,
    labels_in,
)
from dataprep.version import __version__

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

_KINDS: dict[str, type] = {
    "data": dict,
    "options": dict,
    "counts": dict,
    "warnings": list,
    "warnings.*": str,
    "left_in_test": int,
}
_LISTED = 20


def write_plan(plan: Plan, folder: str | os.PathLike[str], *, overwrite: bool = False) -> str:
    """Write ``plan.csv`` and ``plan.json`` to `folder`; gives the path of ``plan.csv``.

    ``plan.csv`` is UTF-8 with a byte order mark, so that spreadsheets show every name. A text that
    a spreadsheet would take for a formula gets an apostrophe in front, which `read_plan` takes off
    again.

    Args:
        plan: the plan.
        folder: made when needed.
        overwrite: replace a plan whose edits are not in `plan`.

    Raises:
        InputError: the plan there was edited, and `plan` does not hold the edits.
        OutputError: the files cannot be written.
    """
    path = os.path.join(folder, PLAN_CSV)
    if not overwrite and os.path.exists(path):
        _refuse_losing_edits(plan, path)
    mark_output(folder)
    with write_together(folder, owns=(PLAN_CSV, PLAN_JSON)) as opened:
        opened(PLAN_CSV).write(b"\xef\xbb\xbf" + _as_csv(plan.table))
        opened(PLAN_JSON).write(
            json.dumps(_header(plan), indent=2, ensure_ascii=False).encode() + b"\n"
        )
    return path


def _refuse_losing_edits(plan: Plan, path: str) -> None:
    written = read_plan(path).edited
    kept = set(
        zip(plan.table["sample"], plan.table["action"], plan.table["new_label"], strict=True)
    )
    lost = [
        row.sample
        for row in written.itertuples()
        if (row.sample, row.action, row.new_label) not in kept
    ]
    if lost:
        raise InputError(
            f"{path} was edited ({len(lost)} rows, first {lost[0]!s}), and the new plan would lose "
            "that. "
            "Apply it, give it as `edits`, or move it away."
        )


def _as_csv(table: pd.DataFrame) -> bytes:
    texts = table.copy()
    for name in PLAN_COLUMNS:
        if name != "confidence":
            texts[name] = neutralised(
                pa.array(table[name].to_numpy(dtype=object), pa.string())
            ).to_pandas()
    texts["confidence"] = [
        f"{figure:.3g}" if figure == figure else "" for figure in table["confidence"].tolist()
    ]
    return texts.to_csv(index=False, lineterminator="\n").encode()


def _header(plan: Plan) -> dict[str, Any]:
    return {
        "plan": PLAN_VERSION,
        "dataprep": __version__,
        "data": plan.data,
        "options": plan.options,
        "counts": plan.counts,
        "warnings": list(plan.warnings),
        "left_in_test": plan.left_in_test,
    }


def read_plan(
    path: str | os.PathLike[str], dataset: Dataset | None = None, *, new_labels: bool = False
) -> Plan:
    """The plan in a folder, or in its ``plan.csv``.

    Spreadsheets may have saved it with another separator (semicolon, tab), dropped columns other
    than ``sample``, ``action`` and ``new_label``, or changed the order of rows and columns. Rows
    may be added and removed: a sample without a row is kept.

    Args:
        path: the folder, or the file.
        dataset: the data the plan is for: its samples and labels are the known ones. None leaves
            them unchecked, and so does a dataset that the plan was not made for, because then the
            plan as a whole is at fault.
        new_labels: allow labels that no sample of `dataset` has.

    Raises:
        InputError: no plan there, or rows that cannot be applied: all of them, with their numbers
            in the file.
    """
    path = os.path.join(path, PLAN_CSV) if os.path.isdir(path) else os.fspath(path)
    settle(os.path.dirname(path) or os.curdir)
    header = _read_header(os.path.join(os.path.dirname(path), PLAN_JSON), path)
    table = _read_table(path)
    if dataset is not None and difference(header.get("data", {}), dataset):
        dataset = None
    faults = sorted(_faults(table, dataset, new_labels), key=lambda fault: fault[0])
    if faults:
        raise InputError(_listed(path, [f"row {row}: {text}" for row, text in faults]))
    edited = table["suggested"] != np.where(
        table["action"] == "relabel", "relabel: " + table["new_label"], table["action"]
    )
    table["source"] = [
        _with_edit(source) if edit else source
        for source, edit in zip(table["source"], edited, strict=True)
    ]
    table = table.iloc[
        np.lexsort((table["sample"], table["action"].map(list(ACTIONS).index)))
    ].reset_index(drop=True)
    warnings = (
        tuple(emptied_classes(table, dataset))
        if dataset is not None
        else tuple(header.get("warnings", ()))
    )
    return Plan(
        table[list(PLAN_COLUMNS)],
        header.get("data", {}),
        header.get("options", {}),
        warnings,
        header.get("left_in_test", 0),
    )


def _with_edit(source: str) -> str:
    return ",".join(dict.fromkeys([*filter(None, source.split(",")), EDIT]))


def _read_header(path: str, plan: str) -> Mapping[str, Any]:
    if not os.path.exists(plan):
        raise InputError(f"no plan at {plan}. Make one: dataprep clean")
    if not os.path.exists(path):
        raise InputError(
            f"{path} is missing: it says which data {os.path.basename(plan)} is for. Keep the two "
            "together."
        )
    header = read_json(path, "the plan", limit=STAGE_LIMIT)
    if not isinstance(header, dict) or header.get("plan") != PLAN_VERSION:
        raise InputError(
            f"{path}: expected a plan of version {PLAN_VERSION}, got {str(header)[:60]!r}. Make it "
            "again: dataprep clean"
        )
    refuse_wrong_kinds(header, path, "Make it again: dataprep clean", _KINDS | DATA_KINDS)
    return header


def _read_table(path: str) -> pd.DataFrame:
    text = _read_text(path)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InputError(
            f"cannot read the plan {path}, line {reader.line_num}: {error}; a quote may not be "
            "closed"
        ) from error
    names = [name.strip().lower() for name in rows[0]] if rows else []
    for name in ("sample", "action"):
        if name not in names:
            raise InputError(
                f"{path}: expected a column {name!r}, got {', '.join(names) or 'an empty file'}"
            )
    numbered = [
        (number, row)
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    cells = [
        dict(zip(names, row)) for _, row in numbered
    ]  # spreadsheets leave out empty cells at the end of a row
    table = pd.DataFrame(
        {
            name: pd.array([cell.get(name, "") for cell in cells], dtype="str")
            for name in PLAN_COLUMNS
        }
    )
    for name in PLAN_COLUMNS:
        table[name] = restored(table[name])
    table["action"] = table["action"].str.strip().str.lower()
    table["confidence"] = pd.to_numeric(
        table["confidence"].str.replace(",", "."), errors="coerce"
    ).astype(np.float64)
    return table.assign(row=np.array([number for number, _ in numbered], dtype=np.int64))


def _read_text(path: str) -> str:
    if not os.path.exists(path):
        raise InputError(f"no plan at {path}. Make one: dataprep clean")
    data = read_input(path, "the plan", limit=STAGE_LIMIT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8. Save it as 'CSV UTF-8' in the spreadsheet."
        ) from error


def _faults(
    table: pd.DataFrame, dataset: Dataset | None, new_labels: bool
) -> Iterator[tuple[int, str]]:
    """Row number and text of everything that cannot be applied."""
    unknown = _unknown_label(dataset, new_labels)
    samples = None if dataset is None else dataset.samples.index
    known = (
        np.ones(len(table), dtype=bool)
        if samples is None
        else samples.get_indexer(pd.Index(table["sample"])) >= 0
    )
    first = table["sample"].duplicated()
    for row, sample, action, label, is_known, is_repeated in zip(
        table["row"],
        table["sample"],
        table["action"],
        table["new_label"],
        known,
        first,
        strict=True,
    ):
        if not is_known:
            yield (
                row,
                f"no sample is called {sample!r}. {did_you_mean(sample, _alike(sample, samples))}",
            )
        if is_repeated:
            yield row, f"{sample!r} has a row already"
        if action not in ACTIONS:
            yield row, f"action {action!r}: expected one of {', '.join(ACTIONS)}"
        elif action == "relabel" and not label:
            yield row, "action relabel without a new_label"
        elif action != "relabel" and label:
            yield (
                row,
                f"new_label {label!r} with the action {action}: write relabel, or empty new_label",
            )
        elif label and unknown(label):
            yield row, unknown(label)


def _unknown_label(dataset: Dataset | None, new_labels: bool) -> Callable[[str], str]:
    """A function that says what is wrong with a label; "" when nothing is."""
    if dataset is None:
        return lambda label: ""
    if dataset.task == "regression":
        return lambda label: "" if _is_number(label) else f"new_label {label!r}: expected a number"
    known = labels_in(dataset.samples, dataset.task)

    def unknown(label: str) -> str:
        parts = label.split("|") if dataset.task == "multi-label" else [label]
        new = [part for part in parts if part not in known and not new_labels]
        return f"no sample has the label {new[0]!r}. {did_you_mean(new[0], known)}" if new else ""

    return unknown


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _alike(sample: str, samples: pd.Index[Any] | None) -> list[str]:
    """A few samples that could have been meant: those of the same file name or folder."""
    if samples is None:
        return []
    folder, _, name = sample.rpartition("/")
    inside = (
        samples.str.startswith(f"{folder}/") if folder else ~samples.str.contains("/", regex=False)
    )
    same = samples[samples.str.endswith(f"/{name}") | inside]
    return [str(each) for each in same[:1000]]


def _listed(path: str, faults: list[str]) -> str:
    more = [f"and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
    return "\n  ".join(
        [
            f"{path} has {len(faults)} error{'s' * (len(faults) > 1)}; fix them and try again:",
            *faults[:_LISTED],
            *more,
        ]
    )
