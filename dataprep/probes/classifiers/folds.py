"""What has to stay together when data is divided into folds: copies of one picture, and samples
of one group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.neighbours.components import connect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset


def units_of(dataset: Dataset, copies: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) number of the unit that each sample belongs to: samples joined by copies, by the column
    ``group``, or by both.

    Args:
        dataset: with or without the column ``group``; a missing group is a sample of its own.
        copies: (n,) id of each sample's duplicate group, -1 when alone (`Duplicates.groups`).
    """
    groups = np.full(len(dataset), -1, np.int64)
    if "group" in dataset.samples:
        groups = np.asarray(pd.factorize(dataset.samples["group"])[0], np.int64)
    return join(len(dataset), (copies, groups))


def join(rows: int, labellings: tuple[NDArray[np.int64], ...]) -> NDArray[np.int64]:
    """(rows,) connected components of rows that share a label in any of `labellings` ((rows,)
    each, -1: none).
    """
    firsts, members = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for labels in labellings:
        inside = np.flatnonzero(labels >= 0)
        _, first, place = np.unique(labels[inside], return_index=True, return_inverse=True)
        firsts.append(inside[first[place]])
        members.append(inside)
    least = connect(rows, np.concatenate(firsts), np.concatenate(members))
    return np.unique(least, return_inverse=True)[1].astype(np.int64)


def folds_of(
    units: NDArray[np.int64],
    given: NDArray[np.int32] | None,
    folds: int,
    *,
    seed: int | np.random.Generator = 0,
) -> NDArray[np.int64]:
    """(n,) fold of each row: whole units, the classes of their first members spread evenly.

    Args:
        units: (n,) number of what has to stay together.
        given: (n,) class numbers; None spreads nothing.
        folds: number of folds; fewer where there are fewer units.
        seed: of the random order of the units.

    >>> folds_of(np.array([7, 7, 8, 9]), None, 2).tolist()
    [0, 0, 0, 1]
    """
    _, first, inverse = np.unique(units, return_index=True, return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    folds = max(1, min(folds, len(first)))
    if given is None:
        return np.asarray((shuffled % folds)[inverse], np.int64)
    order = shuffled[np.argsort(given[first[shuffled]], kind="stable")]
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % folds
    return fold[inverse]
