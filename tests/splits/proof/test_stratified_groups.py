"""The comparison is with what scikit-learn really makes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from dataprep.splits.proof.stratified_groups import merged_folds, stratified_group_folds


@pytest.mark.parametrize("case", range(12))
@pytest.mark.parametrize("seed", [None, 3])
def test_the_same_folds_as_scikit_learn(case: int, seed: int | None) -> None:
    random = np.random.default_rng(case)
    rows, folds = int(random.integers(60, 500)), int(random.integers(2, 11))
    groups = np.unique(random.integers(0, random.integers(15, 120), rows), return_inverse=True)[1]
    classes = np.unique(random.integers(0, random.integers(1, 8), rows), return_inverse=True)[1]
    if len(np.unique(classes)) == 1:
        classes[0] = 1
    expected = np.empty(rows, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = StratifiedGroupKFold(folds, shuffle=seed is not None, random_state=seed)
        for fold, (_, inside) in enumerate(theirs.split(classes, classes, groups)):
            expected[inside] = fold
    assert np.array_equal(stratified_group_folds(groups, classes, folds, seed=seed), expected)


def test_folds_are_merged_into_parts() -> None:
    assert merged_folds([0.7, 0.15, 0.15]) == [14, 3, 3]
    assert merged_folds([0.8, 0.2]) == [4, 1]
    assert merged_folds([0.2] * 5) == [1] * 5
