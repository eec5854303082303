"""A small labelled data set of real files, and audits of it with claims written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dataprep.reports.audit.tables import write_issues, write_samples
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.run import run_record

LABELS = {
    "a.jpg": "cat",
    "b.jpg": "cat",
    "c.jpg": "cat",
    "d.jpg": "dog",
    "e.jpg": "dog",
    "f.jpg": "Dog",
}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Six files, three cats, two dogs and a Dog; contents are their own names."""
    root = tmp_path / "images"
    root.mkdir()
    for name in LABELS:
        (root / name).write_bytes(name.encode())
    samples = pd.DataFrame(
        {
            "label": pd.Categorical(LABELS.values()),
            "photographer": ["ann", "ann", "bob", "bob", "ann", "=1+1"],
            "bytes": 5,
            "file_hash": [f"hash-{name}" for name in LABELS],
            "luma_mean": 0.5,
        },
        index=pd.Index(list(LABELS), name="sample", dtype="str"),
    )
    return Dataset(str(root), samples, "classification", ("Dog", "cat", "dog"))


def claim(
    check: str, target: str, *, severity: str = "warning", scope: str = "sample", **columns: Any
) -> pd.DataFrame:
    return batch(check, severity, scope, [target], **{"figure": 0.5, "unit": "luma", **columns})


def copy_claim(
    target: str, kept: str, check: str = "exact-duplicate", **columns: Any
) -> pd.DataFrame:
    return claim(check, target, scope="pair", related=kept, suggestion="drop", **columns)


def near_claim(target: str, kept: str, **columns: Any) -> pd.DataFrame:
    return copy_claim(target, kept, "near-duplicate", **columns)


def audit_of(dataset: Dataset, *claims: pd.DataFrame) -> Audit:
    run = run_record("audit", dataset, {"checks": {}}, {})
    return Audit(dataset, Issues.collect(claims), run=run)


def write_audit(audit: Audit, folder: Path) -> Path:
    """The files of an audit that cleaning reads."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "issues.csv").open("wb") as issues,
        (folder / "samples.parquet").open("wb") as samples,
    ):
        write_issues(issues, audit)
        write_samples(samples, audit)
    (folder / "run.json").write_text(json.dumps(audit.run))
    return folder
