"""Out of fold: a model per fold, so that every sample is predicted by one that never saw it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from dataprep.baselines.evaluation.calibration import fit_temperature
from dataprep.baselines.evaluation.metrics import METRICS, known_labels, metrics_for
from dataprep.baselines.evaluation.scoring import predictions
from dataprep.baselines.frozen.linear import linear_on
from dataprep.baselines.parts import predicted_rows
from dataprep.baselines.training.fitting import train_network
from dataprep.baselines.training.network_predictions import deep_features, logits_of
from dataprep.baselines.training.preparing import with_val
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.results.baseline import CrossValidation, FoldEstimate, FoldFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.loop import Report
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime
    from dataprep.schemas.dataset import Dataset

    #: rows to their (rows, k) logits.
    _Model = Callable[[NDArray[np.int64]], NDArray[np.float32]]

_FOLD_NAME = re.compile(r"(?:fold)?[ _-]?\d+", re.IGNORECASE)
#: Column with the fold of a split that was made of folds.
FOLD = "fold"


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions for samples by models that never saw them.

    Attributes:
        probs: (n, k) float32 probabilities, or (n,) values, by row of the data set; NaN where
            nothing is known.
        fold: (n,) the fold whose model predicted each row; -1 of rows that were in no fold, and
            predicted by all models' mean.
        figures: of each fold, and over all of them.
        table: ``sample``, ``split``, ``fold``, ``label``, ``predicted``, ``confidence``,
            ``p:CLASS`` of every row that is known.
    """

    probs: NDArray[np.float32]
    fold: NDArray[np.int64]
    figures: CrossValidation
    table: pd.DataFrame

    def given_to(self, dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
        """`dataset` with the probabilities as ``arrays["probs"]``, for the checks that look at
        labels.
        """
        return replace(dataset, classes=classes).with_arrays(probs=np.nan_to_num(self.probs))


def out_of_fold(
    materials: Materials,
    regime: Regime,
    *,
    folds: int = 5,
    given: NDArray[np.int64] | None = None,
    policy: Policy | None = None,
    device: str = "cpu",
    workers: int = 0,
    report: Callable[[int, int], Report | None] = lambda fold, folds: None,
) -> OutOfFold:
    """Train once per fold of train and val, whole units together, and predict the fold with the
    model that did not see it.

    In each fold a sixth of the units learned from chooses the epoch and the temperature. Rows of
    other parts (test) are learned from by no model; they get the mean of all models' probabilities,
    and their labels are not looked at.

    Args:
        materials: what to learn from.
        regime: how.
        folds: how many, fewer where there are fewer units.
        given: (n,) fold of each row, -1 for none, instead of folds made here.
        policy, device, workers: as of `dataprep.baselines.training.fitting.train_network`.
        report: (fold, folds) to what is called after every step of it.
    """
    fold = made_folds(materials, folds) if given is None else given
    numbers = [int(number) for number in np.unique(fold) if number >= 0]
    others = np.concatenate(
        [rows for name, rows in materials.parts.items() if name not in ("train", "val")] or [_NONE]
    )
    if regime.name == "frozen":
        model_of = _on_features(
            materials, regime, device, np.concatenate([np.flatnonzero(fold >= 0), others])
        )
    else:
        model_of = _on_pixels(regime, policy, device, workers)
    probs = np.full(_shape(materials), np.nan)
    beside = np.zeros(_shape(materials, len(others)))
    found: list[FoldFigures] = []
    for number in numbers:
        part = _without(materials, fold, number)
        model = model_of(part, report(number, len(numbers)))
        rows = np.flatnonzero(fold == number)
        temperature = (
            1.0
            if part.goal.kind == "regression"
            else fit_temperature(model(part.val), part.labels[part.val])
        )
        probs[rows] = predictions(part, model(rows), temperature)
        if len(others):
            beside += predictions(part, model(others), temperature) / len(numbers)
        found.append(_fold_figures(part, number, rows, probs[rows]))
    probs[others] = beside
    return OutOfFold(
        probs.astype(np.float32), fold, _figures(found), _table(materials, probs, fold, others)
    )


def _on_pixels(
    regime: Regime, policy: Policy | None, device: str, workers: int
) -> Callable[..., _Model]:
    """A network trained for each fold."""

    def model_of(part: Materials, report: Report | None) -> _Model:
        network = train_network(
            part, regime, policy=policy, device=device, workers=workers, report=report
        ).network
        return lambda rows: logits_of(network, part.store, rows)

    return model_of


def _on_features(
    materials: Materials, regime: Regime, device: str, rows: NDArray[np.int64]
) -> Callable[..., _Model]:
    """A classifier for each fold; the features under it are the same in all, and looked at once."""
    if materials.embedding is not None:
        return lambda part, report: train_network(part, regime).network.predictor()
    from dataprep.baselines.training.networks import make_network

    network = make_network(regime.arch, materials.goal.outputs, size=regime.size, dropout=0.0).to(
        device
    )
    features = np.zeros((len(materials.labels), network.width), np.float32)
    features[rows] = deep_features(network, materials.store, rows)

    def model_of(part: Materials, report: Report | None) -> _Model:
        linear = linear_on(part, features[part.train], part.train, regime.settings)
        return lambda rows: linear(features[rows])

    return model_of


def made_folds(materials: Materials, folds: int) -> NDArray[np.int64]:
    """(n,) fold of the rows of train and val, whole units, classes spread evenly; -1 of other
    rows.
    """
    rows = np.sort(np.concatenate([materials.train, materials.val]))
    codes = np.zeros(len(rows), np.int32)
    if materials.goal.kind in ("binary", "multi-class"):
        codes = materials.labels[rows].astype(np.int32)
    fold = np.full(len(materials.labels), -1, np.int64)
    fold[rows] = folds_of(materials.units[rows], codes, folds)
    return fold


def is_folds(dataset: Dataset) -> bool:
    """Whether the split of a data set is made of folds: ``fold1``, ``fold2``, ... or bare
    numbers, two at least.
    """
    if not dataset.has("split"):
        return False
    names = dataset.samples["split"].dropna().astype("str").unique()
    return (
        len(names) > 1
        and all(_FOLD_NAME.fullmatch(name) for name in names if name != "test")
        and "train" not in names
    )


def with_parts(dataset: Dataset) -> Dataset:
    """A data set whose split is made of folds, with the parts of its first run: the first fold is
    val, the others are train.

    The folds stay in the column ``fold``; the training of a baseline holds each of them out in
    turn.
    """
    if not is_folds(dataset):
        return dataset
    folds = dataset.samples["split"].astype("object")
    first = min((name for name in folds.dropna().unique() if name != "test"), key=_number)
    parts = folds.map(
        lambda name: name if name == "test" else "val" if name == first else "train",
        na_action="ignore",
    )
    return dataset.assign(**{FOLD: folds.where(folds != "test"), "split": parts})


def given_folds(materials: Materials) -> NDArray[np.int64] | None:
    """(n,) fold of each row that can be used, where `with_parts` found folds; None else."""
    samples = materials.dataset.samples
    if FOLD not in samples:
        return None
    names = samples[FOLD].astype("object")
    order = {
        name: number for number, name in enumerate(sorted(names.dropna().unique(), key=_number))
    }
    fold = names.map(order).fillna(-1).to_numpy().astype(np.int64)
    usable = np.zeros(len(fold), bool)
    usable[np.concatenate([materials.train, materials.val])] = True
    return np.where(usable, fold, -1)


_NONE = np.zeros(0, np.int64)


def _number(name: str) -> tuple[int, str]:
    return int(re.sub(r"\D", "", str(name)) or 0), str(name)


def _shape(materials: Materials, rows: int = -1) -> tuple[int, ...]:
    count = len(materials.labels) if rows < 0 else rows
    return (count,) if materials.goal.kind == "regression" else (count, materials.goal.outputs)


def _without(materials: Materials, fold: NDArray[np.int64], number: int) -> Materials:
    """What is learned from when a fold is held out."""
    rows = np.flatnonzero((fold >= 0) & (fold != number))
    parts = with_val({"train": rows}, materials.units, materials.labels, materials.goal)
    if not len(parts["val"]):  # one unit: there is nothing to choose by but itself
        parts["val"] = parts["train"]
    part = replace(materials, parts=parts)
    if materials.goal.kind != "regression":
        return part
    values = np.asarray(materials.labels[parts["train"]], np.float64)
    return replace(part, centre=float(values.mean()), spread=float(values.std()) or 1.0)


def _fold_figures(
    materials: Materials, fold: int, rows: NDArray[np.int64], probs: NDArray[np.float64]
) -> FoldFigures:
    goal, labels = materials.goal, materials.labels[rows]
    return FoldFigures(
        fold=fold,
        train=len(materials.train),
        samples=int(known_labels(goal, labels).sum()),
        metrics={each.name: each.function(goal, labels, probs) for each in metrics_for(goal)},
    )


def _figures(found: list[FoldFigures]) -> CrossValidation:
    """Means over folds with 95 % intervals.

    Folds share most of what their models learned from, so that their figures vary too little; the
    variance of the mean is taken as (1/k + held/learned) of that between folds (Nadeau & Bengio
    2003).
    """
    share = sum(each.samples for each in found) / max(1, sum(each.train for each in found))
    metrics = {}
    for name in found[0].metrics if found else ():
        values = np.array([each.metrics[name] for each in found], np.float64)
        metrics[name] = _interval(values, share, METRICS[name].bounded)
    return CrossValidation(folds=found, metrics=metrics)


def _interval(values: NDArray[np.float64], share: float, bounded: bool) -> FoldEstimate:
    values = values[np.isfinite(values)]
    count = len(values)
    mean = float(values.mean()) if count else None
    if mean is None or count == 1:
        return FoldEstimate(mean=mean, sd=None, low=None, high=None)
    deviation = float(values.std(ddof=1))
    reach = float(stdtrit(count - 1, 0.975)) * deviation * math.sqrt(1 / count + share)
    low, high = mean - reach, mean + reach
    return FoldEstimate(
        mean=mean,
        sd=deviation,
        low=max(0.0, low) if bounded else low,
        high=min(1.0, high) if bounded else high,
    )


def _table(
    materials: Materials,
    probs: NDArray[np.float64],
    fold: NDArray[np.int64],
    others: NDArray[np.int64],
) -> pd.DataFrame:
    rows = np.sort(np.concatenate([np.flatnonzero(fold >= 0), others]))
    frame = predicted_rows(materials, rows, probs[rows])
    frame.insert(1, "split", materials.dataset.samples["split"].astype("object").to_numpy()[rows])
    frame.insert(2, "fold", fold[rows])
    return frame
