"""What a model has to beat, trivial baselines and a linear model on frozen features; and what it
cannot, the noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from dataprep.baselines.evaluation.metrics import (
    METRICS,
    LabelledRows,
    Metric,
    Weighted,
    known_labels,
    metrics_for,
)
from dataprep.probes.classifiers.folds import folds_of
from dataprep.probes.classifiers.logistic import fit_logistic, logistic_probs
from dataprep.probes.classifiers.ridge import fit_ridge
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.vectors import (
    blocks,
    is_non_negative,
    principal_directions_of_rows,
    unit_length,
)
from dataprep.schemas.issues import evidence_of
from dataprep.schemas.results.evaluation import CeilingEstimate, NoiseCeiling, TrivialBaseline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.goal import Goal
    from dataprep.schemas.issues import Issues

#: Draws averaged for the stratified baseline.
_DRAWS = 200
#: Penalties that the probe chooses from, folds that it does so by, and rows that it does so on at
#: most.
PENALTIES: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
_FOLDS, _CHOOSING, _CHOOSING_STEPS = 5, 3_000, 30
#: Most components of the features that the probe sees, and rows that they are fitted on at most.
_COMPONENTS, _FITTED = 512, 20_000


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
    shares = train.mean(axis=0) if several else _priors(train, len(goal.classes))
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


def _priors(train: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """(k,) share of each class."""
    model = DummyClassifier(strategy="prior").fit(train[:, None], train)
    shares = np.zeros(classes)
    shares[model.classes_] = model.class_prior_
    return shares


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


def probe_baseline(
    features: NDArray[Any],
    codes: NDArray[Any],
    units: NDArray[np.int64],
    train_rows: NDArray[Any],
    val_rows: NDArray[Any],
    goal: Goal,
    *,
    seed: int = 0,
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """A regularised linear model on frozen features: logistic regression, one for each of several
    labels; ridge for numbers.

    Features that are nowhere negative go through the square root (Arandjelović & Zisserman 2012);
    all are brought to unit length and centred on `train_rows`, more than 512 of them rotated onto
    that many principal components of those, without whitening: what serves comparing images costs a
    classifier several points of accuracy. The penalty is the one with the least log-loss (squared
    error) over five folds of whole units of `train_rows`.

    Args:
        features: (n, d) embeddings of all rows; unknown ones (zeros) are neither fitted on nor
            known when predicted.
        codes: labels of all rows (`dataprep.baselines.goal.codes_of`).
        units: (n,) number of what has to stay together.
        train_rows: places of the rows to fit on.
        val_rows: places of the rows to predict.
        goal: what is predicted.
        seed: of the folds.

    Returns:
        (len(val_rows), k) probabilities, or (len(val_rows),) values; and ``penalty``, ``fitted``
        (rows), ``features`` (width).
    """
    train = np.asarray(train_rows, np.int64)
    train = train[
        known_labels(goal, codes[train])
        & np.isfinite(features[train]).all(axis=1)
        & (features[train] != 0).any(axis=1)
    ]
    space = _space(features, train, seed)
    rows = np.asarray(val_rows, np.int64)
    facts: dict[str, Any] = {"fitted": len(train), "features": int(space.shape[1])}
    if goal.kind == "regression":
        values, penalty = _ridge(space, codes, units, train, rows, seed)
        return values, facts | {"penalty": penalty}
    if goal.kind == "multi-label":
        parts = [
            _logistic(space, (codes[:, c] > 0).astype(np.int32), units, train, rows, 2, seed)
            for c in range(codes.shape[1])
        ]
        probs = np.stack([part[0][:, 1] for part in parts], axis=1)
        return probs, facts | {"penalty": [part[1] for part in parts]}
    probs, penalty = _logistic(
        space, codes.astype(np.int32), units, train, rows, len(goal.classes), seed
    )
    return probs, facts | {"penalty": penalty}


def _space(features: NDArray[Any], train: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
    """(n, m) float32 features as the probe sees them; zeros where they are unknown."""
    rooted = is_non_negative(features, train)
    fitted = np.sort(np.random.default_rng(seed).permutation(train)[:_FITTED])
    part = _unit_length(features[fitted], rooted)
    mean = part.mean(axis=0) if len(part) else np.zeros(features.shape[1], np.float32)
    rotation = None
    if features.shape[1] > _COMPONENTS:
        rotation = principal_directions_of_rows(part - mean, _COMPONENTS)[1]
    values = np.empty(
        (len(features), features.shape[1] if rotation is None else rotation.shape[1]), np.float32
    )
    for chunk in blocks(np.arange(len(features))):
        block = _unit_length(features[chunk], rooted)
        known = block.any(axis=1, keepdims=True)
        values[chunk] = (block - mean if rotation is None else (block - mean) @ rotation) * known
    return values


def _unit_length(part: NDArray[Any], rooted: bool) -> NDArray[np.float32]:
    """Features (r, d) as float32 of unit length, after the square root where it makes sense;
    zeros where they are unknown.
    """
    values = np.asarray(part, np.float32)
    values = np.where(np.isfinite(values).all(axis=1, keepdims=True), values, np.float32(0))
    return unit_length(np.maximum(values, 0) if rooted else values, rooted=rooted)


def _some_units(units: NDArray[np.int64], train: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows to choose the penalty on: all, or whole units of about 3,000."""
    if len(train) <= _CHOOSING:
        return train
    names = np.unique(units[train])
    kept = np.random.default_rng(seed).permutation(names)[
        : max(_FOLDS, round(len(names) * _CHOOSING / len(train)))
    ]
    return train[np.isin(units[train], kept)]


def _logistic(
    values: NDArray[np.float32],
    given: NDArray[np.int32],
    units: NDArray[np.int64],
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    classes: int,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Probabilities of `rows` (r, classes), and the penalty."""
    targets = Targets.of_labels(given, classes)
    some = _some_units(units, train, seed)
    fold = folds_of(units[some], given[some], _FOLDS, seed=seed)
    losses = np.zeros(len(PENALTIES))
    for held in np.unique(fold) if fold.max(initial=0) > 0 else ():
        learn, judge = some[fold != held], some[fold == held]
        fitted = None
        for place, penalty in enumerate(PENALTIES):
            fitted = fit_logistic(
                values, targets, learn, penalty=penalty, steps=_CHOOSING_STEPS, start=fitted
            )
            probs = logistic_probs(values, fitted, judge)
            losses[place] -= float(
                np.log(np.maximum(probs[np.arange(len(judge)), given[judge]], 1e-6)).sum()
            )
    penalty = PENALTIES[int(losses.argmin())] if losses.any() else 1.0
    return logistic_probs(
        values, fit_logistic(values, targets, train, penalty=penalty), rows
    ).astype(np.float64), penalty


def _ridge(
    values: NDArray[np.float32],
    wanted: NDArray[Any],
    units: NDArray[np.int64],
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Values of `rows` (r,), and the penalty."""
    if not len(train):
        return np.full(len(rows), np.nan), 1.0
    some = _some_units(units, train, seed)
    fold = folds_of(units[some], np.zeros(len(some), np.int32), _FOLDS, seed=seed)
    errors = np.zeros(len(PENALTIES))
    for held in np.unique(fold) if fold.max(initial=0) > 0 else ():
        learn, judge = some[fold != held], some[fold == held]
        for place, penalty in enumerate(PENALTIES):
            weights, centre = fit_ridge(values[learn], wanted[learn], penalty)
            errors[place] += float(((values[judge] @ weights + centre - wanted[judge]) ** 2).sum())
    penalty = PENALTIES[int(errors.argmin())]
    weights, centre = fit_ridge(values[train], wanted[train], penalty)
    return values[rows].astype(np.float64) @ weights + centre, penalty


def noise_ceiling(issues: Issues | None) -> NoiseCeiling:
    """The accuracy that a perfect model reaches when it is judged by labels of which some are
    wrong.

    Args:
        issues: of an audit; None without one. The claim of label-noise is taken; without it that
            of wrong-label, which tells a rate but no interval.
    """
    for check in ("label-noise", "wrong-label"):
        found = _claim_on_all(issues, check)
        if check == "label-noise" and "ceiling" in found:
            low, high = float(found["ceiling_low"]), float(found["ceiling_high"])
            return _ceiling(float(found["rate"]), low, high, check)
        if check == "wrong-label" and found.get("judged"):
            rate = float(found.get("expected_wrong", 0.0)) / float(found["judged"])
            if "expected_wrong" in found:
                return _ceiling(rate, None, None, check)
    why = (
        "no audit was given"
        if issues is None
        else "the audit has no claim about how many labels are wrong"
    )
    if _claim_on_all(issues, "label-noise"):
        why = "how many labels are wrong could not be told"
    return NoiseCeiling(
        known=False, sentence=f"the ceiling that wrong labels put on accuracy is unknown: {why}"
    )


def _claim_on_all(issues: Issues | None, check: str) -> dict[str, Any]:
    """The evidence of a check's claim about the whole data set; empty without one."""
    if issues is None:
        return {}
    table = issues.where_check(check).table
    table = table[(table["scope"].astype("str") == "dataset").to_numpy()]
    return evidence_of(str(table["evidence"].iloc[0])) if len(table) else {}


def _ceiling(rate: float, low: float | None, high: float | None, source: str) -> NoiseCeiling:
    between = "" if low is None or high is None else f" (between {low:.3f} and {high:.3f})"
    return NoiseCeiling(
        known=True,
        estimate=CeilingEstimate(ceiling=1 - rate, low=low, high=high, rate=rate, source=source),
        sentence=f"about {rate:.1%} of the labels are wrong: judged by such labels, a perfect "
        f"model's accuracy is about {1 - rate:.3f}{between}",
    )
