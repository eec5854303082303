"""Small data sets of real files with their parts, for what leaves a split."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import Split
from dataprep.schemas.text.names import escape_name


def make_split(
    root: Path,
    names: Sequence[str],
    parts: Sequence[str],
    labels: Sequence[Any] | None,
    task: str = "classification",
    **columns: Any,
) -> Split:
    """Files whose contents are their own names, below `root`; names are as the operating system
    spells them.
    """
    for name in names:
        path = os.path.join(root, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"content of " + os.fsencode(name))
    index = pd.Index([escape_name(name) for name in names], name="sample", dtype="str")
    samples = pd.DataFrame({"split": pd.Categorical(parts), "unit": index, **columns}, index=index)
    classes: tuple[str, ...] = ()
    if labels is not None:
        samples["label"] = labels
        if task in ("classification", "multi-label"):
            classes = tuple(
                sorted(
                    {part for label in samples["label"].dropna() for part in str(label).split("|")}
                )
            )
    return Split(Dataset(str(root), samples, task if labels is not None else "none", classes))  # type: ignore[arg-type]


def contents(folder: Any) -> dict[str, bytes]:
    """Path below `folder` to bytes, of every file."""
    found = {}
    for here, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(here, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found
