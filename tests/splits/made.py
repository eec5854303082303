"""Audits made up for the purpose: groups, copies and labels without a single file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, batch


def made_audit(
    labels: Sequence[Any],
    groups: Sequence[Any] | None = None,
    pairs: Sequence[tuple[int, int]] = (),
    *,
    check: str = "near-duplicate",
    task: str = "classification",
    order: Sequence[int] | None = None,
    **columns: Any,
) -> Audit:
    """An audit of one sample a label, named by number, in the given order of rows; `pairs` are
    claims of `check`.
    """
    labels, rows = list(labels), len(labels)
    names = np.array([f"img/{number:05d}.jpg" for number in range(rows)], dtype=object)
    table: dict[str, Any] = {"label": labels if task == "regression" else pd.Categorical(labels)}
    table |= {"group": pd.Categorical(list(groups))} if groups is not None else {}
    samples = pd.DataFrame(table | columns, index=pd.Index(names, name="sample", dtype="str"))
    known = sorted(
        {
            part
            for label in labels
            if label == label and label is not None
            for part in str(label).split("|")
        }
    )
    dataset = Dataset(
        "/nowhere",
        samples.iloc[list(order) if order is not None else range(rows)],
        task,
        tuple(known),
    )  # type: ignore[arg-type]
    claims = []
    if pairs:
        a, b = np.array(pairs).T
        claims = [
            batch(
                check,
                "warning",
                "pair",
                names[a],
                related=names[b],
                group=names[b],
                suggestion="drop",
            )
        ]
    return Audit(dataset, Issues.collect(claims))


def patients(
    rows: int = 240, groups: int = 40, classes: int = 3, *, seed: int = 0, **options: Any
) -> Audit:
    """Patients of several samples each, most of one class."""
    random = np.random.default_rng(seed)
    group = random.integers(0, groups, rows)
    own = random.integers(0, classes, groups)
    label = np.where(random.random(rows) < 0.6, own[group], random.integers(0, classes, rows))
    return made_audit([f"c{code}" for code in label], [f"p{code}" for code in group], **options)
