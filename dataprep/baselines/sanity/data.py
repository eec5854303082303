"""Checks of the data as training gets it: images, their order, and a control with permuted
labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.baselines.sanity.results import CheckResult
from dataprep.probes.classifiers.ridge import ridge_out_of_fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.feeding import Augment
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.pixel_store import PixelStore

#: Least share of distinct images that are not flat. Copies are the audit's matter; less than this
#: is a broken source.
LEAST_DISTINCT = 0.25
#: Standard deviation in grey levels below which an image is flat.
_FLAT = 1.0
#: Standard deviations by which class runs may be too few; a shuffled order gets there once in
#: thirty thousand.
MOST_RUNS_OFF = 4.0
#: Fewer images than this say nothing about an order.
_FEWEST_ORDERED = 20
#: Permutations of the control, and standard errors by which it may beat chance.
_PERMUTATIONS, _ERRORS = 10, 3.0
#: Penalty of the linear classifier of the control.
_PENALTY = 0.1
#: Below so many units the control tells nothing.
_FEWEST_UNITS = 8


def strata_of(materials: Materials) -> NDArray[np.int64]:
    """(n,) a class number for every row of any goal: the class, the label whose share is nearest
    to half, or whether a value is above the median of train.
    """
    labels, train = materials.labels, materials.train
    if materials.goal.kind == "regression":
        return np.asarray(np.nan_to_num(labels) > np.median(labels[train]), np.int64)
    if materials.goal.kind == "multi-label":
        shares = np.asarray(labels[train], np.float64).mean(axis=0)
        return np.asarray(labels[:, int(np.abs(shares - 0.5).argmin())], np.int64)
    return np.asarray(labels, np.int64)


def spread_rows(
    materials: Materials, codes: NDArray[np.int64], most: int, seed: int
) -> NDArray[np.int64]:
    """At most `most` training rows, drawn from the classes in turn."""
    rows = np.random.default_rng(seed).permutation(materials.train)
    turn = pd.Series(rows).groupby(codes[rows]).cumcount().to_numpy()
    return np.asarray(rows[np.argsort(turn, kind="stable")][:most])


def distinct_rows(store: PixelStore, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """`rows` without those whose pixels an earlier one has."""
    pixels = pd.Series([store.images[row].tobytes() for row in rows], dtype=object)
    return rows[~pixels.duplicated().to_numpy()]


def whole_units(materials: Materials, most: int, seed: int) -> NDArray[np.int64]:
    """About `most` training rows, unit after unit."""
    rows = np.random.default_rng([seed, 1]).permutation(materials.train)
    units = pd.factorize(materials.units[rows])[0]  # numbered in the order of their first row
    return np.asarray(rows[np.argsort(units, kind="stable")][:most])


def check_images(
    store: PixelStore, rows: NDArray[np.int64], augment: Augment | None
) -> Iterator[CheckResult]:
    """Images are neither flat, after augmentation, nor all the same."""
    distinct = distinct_rows(store, rows)
    fed = [
        store.images[row] if augment is None else augment(store.images[row], 0, int(row))
        for row in distinct
    ]
    usable = sum(np.std(np.asarray(image, np.float32)) >= _FLAT for image in fed)
    share = usable / len(rows)
    yield CheckResult(
        "images-vary",
        share,
        f">= {LEAST_DISTINCT:g}",
        share >= LEAST_DISTINCT,
        f"of {len(rows)} training images {len(distinct)} differ from each other, and {usable} of "
        "those are not flat",
        "Look at the images, and at the previews of the policy (dataprep augment): one picture, or "
        "none, comes again and again",
    )


def class_runs(codes: NDArray[np.int64]) -> tuple[int, float, float]:
    """Runs of equal neighbours, with the mean and standard deviation of a random order.

    The test of Wald & Wolfowitz (1940) for two classes, of Barton & David (1957) for more.
    """
    n = len(codes)
    runs = 1 + int((codes[1:] != codes[:-1]).sum())
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    squares, cubes = float((counts**2).sum()), float((counts**3).sum())
    mean = n + 1 - squares / n
    variance = (squares * (squares + n * (n + 1)) - 2 * n * cubes - n**3) / (n**2 * (n - 1))
    return runs, mean, math.sqrt(max(0.0, variance))


def check_order(codes: NDArray[np.int64]) -> Iterator[CheckResult]:
    """Classes come mixed: batches of one class spoil the statistics of batch norm."""
    if len(codes) < _FEWEST_ORDERED or len(np.unique(codes)) < 2:
        return
    runs, mean, spread = class_runs(codes)
    yield CheckResult(
        "shuffled",
        runs,
        f">= {mean - MOST_RUNS_OFF * spread:.0f} (about {mean:.0f})",
        mean - runs <= MOST_RUNS_OFF * max(spread, 1e-9),
        f"the {len(codes):,} training images come in {runs:,} runs of one class, where a random "
        f"order has {mean:,.0f} ± {spread:.0f}",
        "Shuffle the training images in every epoch; what comes by class or by file is unlearned "
        "by the next batches",
    )


def check_permuted_labels(
    features: NDArray[np.float32],
    codes: NDArray[np.int64],
    units: NDArray[np.int64],
    fold: NDArray[np.int64],
    seed: int,
) -> Iterator[CheckResult]:
    """Permuted labels cannot be predicted for held-out units; a model that beats chance there has
    seen them.

    Labels are permuted between units, not between rows, so that a unit on both sides of a fold
    shows itself.

    Args:
        features: (n, d).
        codes: (n,) class numbers.
        units: (n,) what varies together, numbered from 0.
        fold: (n,) the fold that holds a row out.
        seed: of the permutations.
    """
    first = np.unique(units, return_index=True)[1]
    classes, own = np.unique(codes[first], return_inverse=True)
    if len(classes) < 2 or len(first) < _FEWEST_UNITS or fold.max(initial=0) == 0:
        return
    rng = np.random.default_rng([seed, 2])
    permuted = np.stack([rng.permutation(own)[units] for _ in range(_PERMUTATIONS)], axis=1)
    targets = np.eye(len(classes))[permuted].reshape(len(units), -1)
    scores = ridge_out_of_fold(_standardised(features), targets, fold, _PENALTY)
    predicted = scores.reshape(*permuted.shape, -1).argmax(axis=2)
    value, chance = float(np.mean(predicted == permuted)), float(np.bincount(own).max() / len(own))
    bound = min(1.0, chance + _ERRORS * math.sqrt(chance * (1 - chance) / len(first)))
    yield CheckResult(
        "permuted-labels",
        value,
        f"<= {bound:.2f} (chance {chance:.2f})",
        value <= bound,
        f"with permuted labels, a linear classifier on features of {len(codes)} images "
        f"({len(first)} units) is right in {value:.2f} of the held-out ones, where chance gives up "
        f"to {chance:.2f}",
        "Something of the held-out images is seen in training: look at groups and copies (dataprep "
        "audit), then split again",
    )


def _standardised(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, d + 1) standardised features of about unit length, and a column of ones."""
    values = features.astype(np.float64)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1)
    return np.column_stack([values / math.sqrt(max(1, values.shape[1])), np.ones(len(values))])
