"""Class probabilities that users bring: a table with a column per class, such as a baseline's
out-of-fold predictions.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dataprep.errors import InputError
from dataprep.measures.embedding.precomputed import NAMES, rows_by_name
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import STAGE_LIMIT, reading
from dataprep.schemas.text.class_order import class_order

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.dataset import Dataset

#: What the names of the columns of probabilities begin with.
_PREFIX = "p:"


def with_probs(dataset: Dataset, path: str) -> Dataset:
    """`dataset` with ``arrays["probs"]`` (n, k) float32 out of a file; rows of samples that it does
    not name are 0 (not known).

    The probabilities have to be of models that did not learn from the sample's own label (out of
    fold); a model's answers about its own training samples repeat their labels, and no wrong one is
    found.

    Args:
        dataset: of classes.
        path: Parquet or CSV with a column of names (``sample``, ``path``, ...) and one column
            ``p:CLASS`` per class, as ``predictions_out_of_fold.parquet`` of ``dataprep
            train-baseline --out-of-fold 5`` has.

    Raises:
        InputError: the file cannot be read, names none of the samples, or was predicted by a model
            that had seen them.
    """
    if dataset.task != "classification":
        raise InputError(
            "--probs: probabilities of classes go with one label per image; the task here is "
            f"{dataset.task}"
        )
    table = _read(path)
    names = next((name for name in NAMES if name in table), None)
    columns = [str(name) for name in table if str(name).startswith(_PREFIX)]
    if names is None or not columns:
        raise InputError(
            f"probabilities {path}: expected a column of names ({', '.join(NAMES)}) and columns "
            "p:CLASS, found "
            f"{', '.join(map(str, table)) or 'nothing'}"
        )
    if "seen" in table and table["seen"].astype("str").isin(["True", "true", "1"]).any():
        raise InputError(
            f"probabilities {path} are partly of samples that the model learned from: their wrong "
            "labels would look right. Take "
            "predictions_out_of_fold.parquet: dataprep train-baseline --out-of-fold 5"
        )
    rows = rows_by_name(f"probabilities {path}", table[names].astype("str").tolist(), dataset)
    classes = [name.removeprefix(_PREFIX) for name in columns]
    labels = (
        dataset.samples["label"].dropna().astype("str").unique()
        if "label" in dataset.samples
        else ()
    )
    classes += sorted(
        set(labels) - set(classes)
    )  # of a class that the model does not know, nothing is probable
    probs = np.zeros((len(dataset), len(classes)), np.float32)
    with reading(f"the probabilities {path}", "Expected numbers in the columns p:CLASS"):
        given = np.nan_to_num(table[columns].to_numpy(np.float32))
    probs[:, : len(columns)] = np.where(rows[:, None] >= 0, given[np.maximum(rows, 0)], 0)
    order = class_order(classes)
    return replace(dataset, classes=order).with_arrays(
        probs=probs[:, [classes.index(name) for name in order]]
    )


def _read(path: str) -> pd.DataFrame:
    import pandas as pd

    suffix = os.path.splitext(path)[1].lower()
    if suffix not in (".parquet", ".csv"):
        raise InputError(f"probabilities {path}: expected a file that ends in .parquet or .csv")
    check_input(path, "the probabilities", limit=STAGE_LIMIT)
    with reading(f"the probabilities {path}", "Expected a table of probabilities"):
        found: pd.DataFrame = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path)
    return found
