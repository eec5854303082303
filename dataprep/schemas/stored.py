"""Reading back what a stage left in its folder: a record in JSON, and the table of samples."""

from __future__ import annotations

import json
from typing import Any

from dataprep.errors import InputError
from dataprep.schemas.class_order import class_order
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.plan import labels_in


def read_record(path: str, again: str) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises:
        InputError: it cannot be read, or holds something else; `again` says what to do.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}. {again}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no record of a run. {again}")
    return found


def read_samples(path: str, run: dict[str, Any], again: str, needed: tuple[str, ...] = ()) -> Dataset:
    """The data set whose table of samples is in `path` (Parquet), with the root and task that the record of its run names.

    Raises:
        InputError: it cannot be read, or lacks one of the columns `needed`.
    """
    import pandas as pd

    try:
        samples = pd.read_parquet(path).set_index("sample")
        samples[list(needed)]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {path}: {error}. {again}") from error
    samples.index = samples.index.astype("str")
    samples.index.name = "sample"
    task = run.get("task", "none")
    return Dataset(str(run.get("root", "")), samples, task, class_order(labels_in(samples, task)))
