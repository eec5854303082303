"""The rows from which it can be told what goes with a label: measured, labelled, and no two
copies of one thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


def labelled_rows(
    dataset: Dataset, look: Look, most: int, least: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str], NDArray[np.int64]]:
    """(rows, labels, class names, units): measured samples of classes that are large enough, one
    of each class in each unit.
    """
    known = dataset.samples["label"].notna().to_numpy() & dataset.readable
    rows = np.random.default_rng(0).permutation(np.flatnonzero(known))
    units = look.units()
    codes, names = pd.factorize(
        dataset.samples["label"].astype("str").to_numpy(dtype=object)[rows], sort=True
    )
    pairs = units[rows] * max(len(names), 1) + codes
    _, first = np.unique(pairs, return_index=True)
    kept = np.sort(first)[:most]
    large = np.bincount(codes[kept], minlength=len(names)) >= least
    kept = kept[large[codes[kept]]]
    kept = kept[np.argsort(rows[kept])]
    labels = (np.cumsum(large) - 1)[codes[kept]]
    return rows[kept], labels, [str(name) for name in names[large]], units[rows[kept]]
