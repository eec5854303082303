"""Materials of toy images, without files: squares whose brightness says the class, with noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dataprep.baselines.training.materials import Materials
from dataprep.baselines.training.pixel_store import PixelStore
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.goal import Goal, Kind


def toy_materials(
    kind: Kind = "multi-class",
    *,
    count: int = 48,
    val: int = 16,
    size: int = 32,
    classes: int = 3,
    seed: int = 0,
    noise: float = 25,
) -> Materials:
    """`count` rows to learn from and `val` to judge by; every row its own unit."""
    rng = np.random.default_rng(seed)
    n = count + val
    codes = rng.permutation(np.arange(n) % classes)
    tints = np.array([[220, 60, 60], [60, 200, 80], [70, 80, 230], [200, 200, 60], [60, 200, 200]])[
        codes % 5
    ]
    images = np.clip(
        tints[:, None, None, :] + rng.normal(0, noise, (n, size, size, 3)), 0, 255
    ).astype(np.uint8)
    names = tuple(f"class{code}" for code in range(classes))
    labels: Any = codes.astype(np.int64)
    if kind == "multi-label":
        labels = (
            np.stack([codes == code for code in range(classes)], axis=1) | (codes == 0)[:, None]
        )
    if kind == "regression":
        names, labels = (), codes * 3.0 + rng.normal(0, 0.1, n)
    parts = {"train": np.arange(count), "val": np.arange(count, n)}
    samples = pd.DataFrame(
        {"label": [str(each) for each in codes], "split": ["train"] * count + ["val"] * val},
        index=pd.Index([f"{row}.png" for row in range(n)], name="sample"),
    )
    metric = {"multi-label": "macro-f1", "regression": "mae"}.get(kind, "accuracy")
    goal = Goal(kind, names, metric, positive=names[-1] if kind == "binary" else "")
    known = labels[:count]
    centre, spread = (
        (float(known.mean()), float(known.std())) if kind == "regression" else (0.0, 1.0)
    )
    store = PixelStore(images, np.ones(n, bool), {})
    dataset = Dataset("/nowhere", samples, "classification", names)
    return Materials(dataset, goal, labels, store, np.arange(n), parts, centre, spread)
