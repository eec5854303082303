"""Made-up embeddings with classes, for tests of probes and of the checks that ask them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataprep.checks.second_look import SecondLook
from dataprep.measures.options import PassOptions
from dataprep.neighbours.cosine import nearest
from dataprep.probes.features import features_of
from dataprep.probes.labels.label_evidence import LabelEvidence, evidence_of_labels
from dataprep.schemas.dataset import Dataset


def clustered(
    rows: int, classes: int, *, apart: float = 0.6, size: int = 48, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (rows, size) around one centre for each class, and their true classes."""
    rng = np.random.default_rng(seed)
    centres, true = rng.normal(size=(classes, size)), rng.integers(0, classes, rows)
    return (apart * centres[true] + rng.normal(size=(rows, size))).astype(np.float16), true


def spoilt(
    true: np.ndarray, classes: int, rate: float, *, seed: int = 1, pairs: bool = False
) -> np.ndarray:
    """Labels of which `rate` are another class: any, or the next one."""
    rng = np.random.default_rng(seed)
    step = np.ones(len(true), int) if pairs else rng.integers(1, classes, len(true))
    return np.where(rng.random(len(true)) < rate, (true + step) % classes, true)


def dataset_of(
    labels: np.ndarray, embedding: np.ndarray | None = None, **columns: object
) -> Dataset:
    """A Dataset whose labels are "c0", "c1", ...; missing where the number is negative."""
    names = [f"c{label}" if label >= 0 else None for label in labels]
    index = pd.Index([f"{row:05d}.jpg" for row in range(len(labels))], name="sample", dtype="str")
    table = pd.DataFrame({"label": pd.Categorical(names), **columns}, index=index)
    arrays = {} if embedding is None else {"embedding": embedding}
    return Dataset(
        "made-up",
        table,
        "classification",
        tuple(sorted({name for name in names if name})),
        arrays=arrays,
    )


def evidence(dataset: Dataset, units: np.ndarray | None = None) -> LabelEvidence:
    features = features_of(dataset.arrays["embedding"])
    near = nearest(features.values, features.known, 32)
    return evidence_of_labels(
        dataset, features, near, np.arange(len(dataset)) if units is None else units
    )


def look(dataset: Dataset) -> SecondLook:
    return SecondLook(dataset, PassOptions(), verify=None)
