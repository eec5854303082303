"""What the page's script reads: the claims in columns, compressed, and what it says about each
sample.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.reports.audit.summary import templates
from dataprep.reports.messages import render
from dataprep.schemas.issues import SEVERITIES

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit


def payload(audit: Audit, table: pd.DataFrame, others: Sequence[str] = ()) -> dict[str, Any]:
    """Claims in columns; text that repeats is written once and pointed to by number, -1 for none.

    Args:
        audit: the audit that the claims are of.
        table: the claims to put in, as chosen by `dataprep.reports.audit.gallery.choose_rows`.
        others: samples that the page shows though no claim is about them.
    """
    names, codes = _numbered([*table["target"].tolist(), *table["related"].tolist(), *others])
    known = audit.dataset.samples.index.get_indexer(pd.Index(names, dtype="object"))
    labels, label_of = _of_samples(audit, "label", known)
    splits, split_of = _of_samples(audit, "split", known)
    columns: dict[str, Any] = {
        "names": names,
        "labels": labels,
        "labelOf": label_of,
        "splits": splits,
        "splitOf": split_of,
        "target": codes[: len(table)],
        "related": codes[len(table) : 2 * len(table)],
        "ofFile": np.flatnonzero(known >= 0).tolist() if not (known >= 0).all() else "all",
        "message": render(table, templates(audit)),
        "figure": [
            float(f"{value:.5g}") if math.isfinite(value) else None
            for value in table["figure"].tolist()
        ],
        "confidence": [round(value, 2) for value in table["confidence"].fillna(0).tolist()],
        "severity": table["severity"].cat.codes.tolist(),
        "severities": list(SEVERITIES),
    }
    for name in ("check", "unit", "suggestion", "value", "location", "group", "scope"):
        columns[f"{name}s"], columns[name] = _numbered(table[name].astype("str").tolist())
    return columns


def compressed(data: Mapping[str, Any]) -> str:
    """Data as base64 of gzipped JSON; the same bytes for the same data."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(
        gzip.compress(text.encode("utf-8", "backslashreplace"), 6, mtime=0)
    ).decode("ascii")


def sample_facts(audit: Audit, samples: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What the page says about each shown sample: ``label``, ``split``, ``facts`` and ``lost``
    (why no picture).
    """
    known = audit.dataset.samples
    rows = known.index.get_indexer(pd.Index(list(dict.fromkeys(samples)), dtype="object"))
    records: list[Any] = (
        known.iloc[rows[rows >= 0]].rename_axis("sample").reset_index().to_dict("records")
    )
    return {
        str(row["sample"]): {
            "label": _text(row.get("label")),
            "split": _text(row.get("split")),
            "facts": _facts(row),
            "lost": _text(row.get("lost")),
        }
        for row in records
    }


def _facts(row: Mapping[str, Any]) -> str:
    width, height, size = (row.get(name, math.nan) for name in ("width", "height", "bytes"))
    parts = [
        "" if pd.isna([width, height]).any() else f"{int(width)} × {int(height)}",
        _text(row.get("format")),
    ]
    return " · ".join(filter(None, [*parts, "" if pd.isna(size) else in_bytes(float(size))]))


def in_bytes(size: float) -> str:
    """A size in words: 12 KB, 3.4 MB."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def _numbered(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """The distinct texts in order of appearance, and the number of each text among them; -1 for
    empty text.
    """
    values = np.array([text or None for text in texts], dtype=object)
    codes, uniques = pd.factorize(values)
    return [str(text) for text in uniques], codes.tolist()


def _of_samples(
    audit: Audit, column: str, rows: np.ndarray[Any, Any]
) -> tuple[list[str], list[int]]:
    """Values of a column for the named samples: the distinct ones, and a number per name."""
    if column not in audit.dataset.samples:
        return [], []
    values = audit.dataset.samples[column].astype("str").fillna("").to_numpy(dtype=object)
    values = np.where(audit.dataset.samples[column].isna().to_numpy(), "", values)
    return _numbered(
        list(np.where(rows >= 0, values[rows], "")) if len(values) else [""] * len(rows)
    )
