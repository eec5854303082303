"""Small labelled data sets with embeddings, and a second look at them without files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check
from dataprep.checks.duplicates.pairs import Duplicates
from dataprep.checks.second_look import SecondLook
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of

SIZE = 48


class Look(SecondLook):
    """A second look in which no image is a copy."""

    def duplicates(self) -> Duplicates:
        pairs = pd.DataFrame({"a": [], "b": [], "kind": [], "relation": [], "confidence": []})
        return Duplicates(
            pairs=pairs,
            groups=np.full(len(self.dataset), -1, np.int64),
            keep=np.ones(len(self.dataset), bool),
        )


def vectors_of(codes: np.ndarray, *, spread: float = 0.5, seed: int = 0) -> np.ndarray:
    """(n, SIZE) float16 embeddings around one centre for each code."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0.6, 0.5, (int(codes.max()) + 1, SIZE))
    return np.maximum(centres[codes] + rng.normal(0, spread, (len(codes), SIZE)), 0).astype(
        np.float16
    )


def dataset_of(labels: np.ndarray | None, vectors: np.ndarray, **columns: Any) -> Dataset:
    index = pd.Index([f"{row:05d}.jpg" for row in range(len(vectors))], name="sample", dtype="str")
    given = {} if labels is None else {"label": pd.Categorical(labels)}
    classes = () if labels is None else tuple(sorted(set(labels)))
    task = "none" if labels is None else "classification"
    return Dataset(
        "made",
        pd.DataFrame(given | columns, index=index),
        task,
        classes,
        arrays={"embedding": vectors},
    )


def claims_of(check: Check, dataset: Dataset) -> list[dict[str, Any]]:
    """Claims with their evidence beside them, and their text."""
    look = Look(dataset, PassOptions(), verify=None)
    rows = [row for batch in check.find(dataset, look) for row in batch.to_dict("records")]
    found = [row | evidence_of(row["evidence"]) for row in rows]
    return [claim | {"text": check.message.format(**claim)} for claim in found]
