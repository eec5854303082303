"""``issues.csv`` and ``samples.parquet``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from dataprep.reports.audit.summary import templates
from dataprep.reports.messages import render
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.identity import issue_ids

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dataprep.schemas.audit import Audit

#: Columns of ``issues.csv``, in order.
ISSUE_COLUMNS: tuple[str, ...] = (
    "id",
    "check",
    "severity",
    "scope",
    "target",
    "related",
    "group",
    "message",
    "confidence",
    "figure",
    "unit",
    "location",
    "suggestion",
    "value",
    "evidence",
)
#: What a spreadsheet would take for a formula, and the same behind apostrophes.
FORMULA = r"^'*[=+\-@\t\r]"
#: Characters that a terminal may take for a command (colours, titles, what is typed next), and text
#: that looks like `_escaped`.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\\(?=u00[0-9a-f]{2})")
_CONTROLS_RE2 = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}]|\\u00[0-9a-f]{2}"
_ESCAPED = re.compile(r"\\u00([0-9a-f]{2})")

_ROWS = 100_000


def write_issues(file: BinaryIO, audit: Audit) -> None:
    """Every claim with its id and message as CSV: UTF-8, comma, quoted where needed, one header
    line.

    File names and labels can come from strangers, and spreadsheets run cells that look like
    formulas. So a text that starts with one of ``= + - @`` TAB or CR gets an apostrophe in front,
    and so does one that starts with apostrophes and then one of these: taking one apostrophe off
    every text that matches `FORMULA` gives the exact text back. Numbers are left as they are.
    Terminals obey control characters, so each of them (but for tabs and ends of lines) is written
    as ``\\u001b`` is, and a backslash before ``u00`` and two digits as ``\\u005c``: `restored` is
    the exact inverse.
    """
    ids = issue_ids(audit.issues, audit.dataset)
    messages = templates(audit)
    table = audit.issues.table
    for start in range(0, max(len(table), 1), _ROWS):
        part = table.iloc[start : start + _ROWS]
        arrow = _issue_rows(part, ids[start : start + _ROWS], render(part, messages))
        csv.write_csv(arrow, file, csv.WriteOptions(include_header=start == 0))


def _issue_rows(part: pd.DataFrame, ids: np.ndarray[Any, Any], messages: list[str]) -> pa.Table:
    columns: dict[str, Any] = {
        "id": pa.array(ids, pa.string()),
        "message": neutralised(pa.array(messages, pa.string())),
    }
    for name in ISSUE_COLUMNS:
        if name in columns:
            continue
        values = part[name]
        if name in ("confidence", "figure"):
            columns[name] = pa.array(values.to_numpy(), from_pandas=True)
        else:
            columns[name] = neutralised(
                pa.array(values.astype("str").to_numpy(dtype=object), pa.string(), from_pandas=True)
            )
    return pa.table({name: columns[name] for name in ISSUE_COLUMNS})


def neutralised(texts: pa.Array) -> pa.Array:
    """Texts that no spreadsheet takes for a formula, and no terminal for a command; see
    `write_issues`.
    """
    controls = pc.match_substring_regex(texts, _CONTROLS_RE2)
    if pc.any(controls).as_py():
        texts = pa.array(
            [None if text is None else _CONTROLS.sub(_escape, text) for text in texts.to_pylist()],
            texts.type,
        )
    risky = pc.match_substring_regex(texts, FORMULA)
    if not pc.any(risky).as_py():
        return texts
    return pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)


def restored(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Texts as they were before `neutralised`."""
    bare = texts.mask(
        texts.str.contains("^'", regex=True) & texts.str.contains(FORMULA, regex=True),
        texts.str.slice(1),
    )
    coded = bare.str.contains(r"\u00", regex=False)
    return (
        bare.mask(
            coded, bare.str.replace(_ESCAPED, lambda match: chr(int(match[1], 16)), regex=True)
        )
        if coded.any()
        else bare
    )


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def write_samples(file: BinaryIO, audit: Audit, without: tuple[str, ...] = ()) -> None:
    """Every sample with its columns as Parquet: the published ones in their order, then the user's
    own.

    A user's column that Parquet cannot hold as it is (mixed types) is written as text.
    """
    samples = audit.dataset.samples
    known = [name for name in COLUMNS if name in samples and name not in without]
    own = [name for name in samples if name not in COLUMNS and name not in without]
    columns = {"sample": pa.array(samples.index.astype("str").to_numpy(dtype=object), pa.string())}
    for name in known + own:
        columns[str(name)] = _as_arrow(samples[name])
    parquet.write_table(pa.table(columns), file, compression="zstd")


def _as_arrow(values: pd.Series[Any]) -> Any:
    try:
        return pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        missing = values.isna().to_numpy()
        return pa.array(
            [None if gone else str(value) for value, gone in zip(values, missing)], pa.string()
        )
