"""Trivial baselines: what predictions score that do not look at the image, as scikit-learn's
DummyClassifier and DummyRegressor make them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import (
    METRICS,
    LabelledRows,
    Metric,
    Weighted,
    known_labels,
    metrics_for,
)
from dataprep.schemas.results.evaluation import TrivialBaseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal

#: Draws averaged for the stratified baseline.
_DRAWS = 200


def trivial_baselines(
    goal: Goal, codes: NDArray[Any], train_rows: NDArray[Any], rows: NDArray[Any], *, seed: int = 0
) -> list[TrivialBaseline]:
    """Scores of predictions that do not look at the image; the best by the optimising metric first.

    ``majority`` always predicts the most frequent class of `train_rows` (of several labels those
    that more than half have), with the shares there as its probabilities (scikit-learn's strategy
    "prior"); ``stratified`` predicts a class at random with those shares (the mean of 200 draws, of
    metrics that judge decisions); ``mean`` and ``median`` always predict that number.

    Args:
        goal: what is predicted.
        codes: labels of all rows (`dataprep.baselines.goal.codes_of`).
        train_rows: places of the rows to learn from.
        rows: places of the rows to judge on.
        seed: of the draws.
    """
    train = codes[train_rows]
    train = train[known_labels(goal, train)]
    labels = codes[rows]
    found = [
        TrivialBaseline(name=name, what=what, value=metrics.get(goal.metric), metrics={**metrics})
        for name, what, metrics in _trivial_predictions(goal, train, labels, seed)
    ]
    sign = -1 if METRICS[goal.metric].direction == "higher" else 1
    return sorted(found, key=lambda each: np.inf if each.value is None else sign * each.value)


def _trivial_predictions(
    goal: Goal, train: NDArray[Any], labels: NDArray[Any], seed: int
) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Name, words and metrics of every trivial baseline."""
    suited = metrics_for(goal)
    if not len(train):
        return
    if goal.kind == "regression":
        from sklearn.dummy import DummyRegressor

        for name in ("median", "mean"):
            model = DummyRegressor(strategy=name).fit(train[:, None], train)
            value = float(model.constant_.item())
            predicted = np.full(len(labels), value)
            yield (
                name,
                f"always {value:.4g}, the {name}",
                {each.name: each.function(goal, labels, predicted) for each in suited},
            )
        return
    several = goal.kind == "multi-label"
    shares = (
        train.mean(axis=0)
        if several
        else np.bincount(train, minlength=len(goal.classes)) / len(train)
    )
    constant = np.tile(np.asarray(shares, np.float64), (len(labels), 1))
    largest = int(shares.argmax())
    what = (
        "the labels that more than half have"
        if several
        else f"always {goal.classes[largest]!r} ({shares[largest]:.0%})"
    )
    yield "majority", what, {each.name: each.function(goal, labels, constant) for each in suited}
    yield (
        "stratified",
        "a class at random, by its share",
        _stratified(goal, labels, constant, suited, seed),
    )


def _stratified(
    goal: Goal, labels: NDArray[Any], shares: NDArray[np.float64], suited: list[Metric], seed: int
) -> dict[str, float]:
    """Means over draws of random predictions, of the metrics that judge decisions.

    DummyClassifier draws row by row of Python objects; 200 draws are taken here at once.
    """
    rng = np.random.default_rng(seed)
    deciding = [each for each in suited if not each.ranked and each.name != "log-loss"]
    total: dict[str, list[float]] = {each.name: [] for each in deciding}
    edges, kinds = np.cumsum(shares, axis=1), np.arange(shares.shape[1])
    for _ in range(_DRAWS):
        if goal.kind == "multi-label":
            said = (rng.random(shares.shape) < shares).astype(np.float64)
        else:
            drawn = (rng.random(len(shares))[:, None] >= edges[:, :-1]).sum(axis=1)
            said = (drawn[:, None] == kinds).astype(np.float64)
        rows = Weighted(LabelledRows.of(goal, labels, said))
        for each in deciding:
            total[each.name] += each.values(rows)
    means = {}
    for name, values in total.items():
        defined = np.array(values)[np.isfinite(values)]
        means[name] = float(defined.mean()) if len(defined) else float("nan")
    return means
