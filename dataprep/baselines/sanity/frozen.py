"""Checks of a frozen model before it is fitted: its images, its features, whether they tell a few
images apart, and the control with permuted labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from dataprep.baselines.frozen.linear import fit_linear
from dataprep.baselines.frozen.losses import LinearLoss
from dataprep.baselines.sanity.data import (
    check_images,
    check_permuted_labels,
    distinct_rows,
    spread_rows,
    strata_of,
    whole_units,
)
from dataprep.baselines.sanity.results import CheckResult
from dataprep.probes.classifiers.folds import folds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials

#: Images for the checks of the data, for the batch that is overfitted, and for the control.
_IMAGES, _OVERFITTED, _CONTROL = 32, 8, 96
#: Distinct images that the checks of the features need at least.
_FEWEST = 4
_FOLDS = 4
#: Share of features that no image activates, at most.
MOST_DEAD = 0.8
#: Share of its first loss that one batch has to reach, and the penalty that it is fitted with.
FITTED, _PENALTY = 0.1, 1e-4


def frozen_checks(
    materials: Materials, seed: int
) -> Iterator[tuple[str, Callable[[], Iterator[CheckResult]]]]:
    """Name and function of every check that applies."""
    codes = strata_of(materials)
    rows = spread_rows(materials, codes, _IMAGES, seed)
    materials.store.decode_ahead(rows)
    yield "images", lambda: check_images(materials.store, rows, None)
    distinct = distinct_rows(materials.store, rows)
    if len(distinct) < _FEWEST:
        return
    yield "features", lambda: check_dead_features(_features(materials, materials.train))
    yield "overfit", lambda: check_overfitting_features(materials, distinct[:_OVERFITTED])
    yield "control", lambda: _control(materials, codes, seed)


def check_dead_features(features: NDArray[np.float32]) -> Iterator[CheckResult]:
    """Features that are 0 for every image tell nothing."""
    dead = float((features == 0).all(axis=0).mean())
    yield CheckResult(
        "dead-features",
        dead,
        f"<= {MOST_DEAD:g}",
        dead <= MOST_DEAD,
        f"{dead:.1%} of {features.shape[1]:,} features are 0 for all of {len(features):,} images",
        "The network sees nothing in these images: look at them, or take --regime fine-tune",
    )


def check_overfitting_features(
    materials: Materials, rows: NDArray[np.int64]
) -> Iterator[CheckResult]:
    """A few different images can be learned by heart from their features."""
    values = _features(materials, rows)
    values = values - values.mean(axis=0)
    values /= max(float(np.abs(values).mean()), 1e-6)
    targets, loss = materials.targets[rows], LinearLoss(materials.goal.kind)
    fitted = fit_linear(
        values,
        targets,
        np.arange(len(rows)),
        loss,
        materials.goal.outputs,
        lambda *_: 0.0,
        penalties=(_PENALTY,),
        standardise=False,
    )
    first = loss(np.zeros((len(rows), materials.goal.outputs), np.float32), targets)[0]
    left = loss(fitted(values), targets)[0] / first if first > 0 else 0.0
    yield CheckResult(
        "overfit-batch",
        left,
        f"<= {FITTED:g} of the first loss",
        left <= FITTED,
        f"{len(rows)} images are learned by heart from their features to {left:.2g} of their "
        "first loss",
        "Their features do not tell them apart: look at the images, take a larger --size, or "
        "--regime fine-tune",
    )


def _control(materials: Materials, codes: NDArray[np.int64], seed: int) -> Iterator[CheckResult]:
    """The control with permuted labels, on features of whole units."""
    rows = whole_units(materials, _CONTROL, seed)
    units = np.unique(materials.units[rows], return_inverse=True)[1]
    fold = folds_of(units, codes[rows].astype(np.int32), _FOLDS, seed=seed)
    return check_permuted_labels(_features(materials, rows), codes[rows], units, fold, seed)


def _features(materials: Materials, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    assert materials.embedding is not None
    return materials.embedding[rows].astype(np.float32)
