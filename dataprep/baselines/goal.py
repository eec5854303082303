"""Reading the goal: what a data set's labels ask a model to predict, by which figure, and what
it must reach.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.errors import InputError, OptionError
from dataprep.schemas.goal import Goal, Kind, Requirement
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.text.class_order import class_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: A largest class of more than this many times the samples of the smallest is imbalance.
IMBALANCE = 1.5
#: Figures of a requirement that predictions do not tell, and those that one class has, beside the
#: metrics.
MEASURED: tuple[str, ...] = ("latency_ms", "size_mb")
PER_CLASS: tuple[str, ...] = ("precision", "recall", "f1", "pr-auc", "roc-auc")
_REQUIREMENT = re.compile(
    r"\s*(?P<figure>[A-Za-z][\w-]*)\s*(?:\[(?P<of>.*)\])?\s*(?P<sign>>=|<=)\s*(?P<bound>[^\s<>=]+)\s*",
    re.DOTALL,
)
_NAMED = 5


def read_goal(
    dataset: Dataset,
    *,
    metric: str = "auto",
    require: Sequence[str] = (),
    target: float | None = None,
    positive: str = "",
    beta: float = 1.0,
) -> Goal:
    """What the labels ask for.

    Args:
        dataset: with labels; where it has parts, those of ``train`` decide what can be learned.
        metric: name of the optimising metric (`dataprep.baselines.evaluation.metrics.METRICS`).
            "auto": the mean absolute error of a regression; the macro-F1 of several labels, and of
            classes where the largest has more than 1.5 times the samples of the smallest; the
            accuracy otherwise.
        require: figures that must be reached: ``recall[sick]>=0.95``, ``latency_ms<=5``.
        target: value of the metric that is wished for.
        positive: of two classes the one whose precision and recall are meant; the rarer one by
            default.
        beta: weight of recall against precision in ``f-beta``.

    Raises:
        InputError: no labels, fewer than two classes, or a class that has no sample in ``train``.
        OptionError: an option that does not suit the data, with the nearest name that would.
    """
    kind, classes, counts = _read_labels(dataset)
    if not (math.isfinite(beta) and beta > 0):
        raise OptionError(f"beta: expected a number above 0, got {beta!r}")
    name, reason = _choose_metric(metric, kind, counts, beta)
    if target is not None:
        _demand_range(f"target {target!r}", name, target)
    return Goal(
        kind,
        classes,
        name,
        reason,
        _positive(kind, counts, positive),
        tuple(parse_requirement(text, kind, classes) for text in require),
        target,
        beta,
    )


def codes_of(dataset: Dataset, goal: Goal) -> NDArray[Any]:
    """The labels of every row, in row order.

    Returns:
        (n,) int64 codes of `goal.classes`, -1 where missing or of no class of the goal; (n, k) int8
        of several labels, 1 for each that a row has, -1 throughout a row without labels; (n,)
        float64 values, NaN where missing.
    """
    labels = dataset.samples.get("label", pd.Series(np.nan, index=dataset.samples.index))
    if goal.kind == "regression":
        return labels.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
    texts = labels.astype("object").to_numpy()
    if goal.kind == "multi-label":
        return _several(texts, labels.notna().to_numpy(), goal.classes)
    return np.asarray(
        pd.Index(goal.classes, dtype="object").get_indexer(pd.Index(texts, dtype="object")),
        np.int64,
    )


def _several(
    texts: NDArray[Any], known: NDArray[np.bool_], classes: tuple[str, ...]
) -> NDArray[np.int8]:
    place = {name: code for code, name in enumerate(classes)}
    found = np.where(known[:, None], 0, np.full((len(texts), len(classes)), -1)).astype(np.int8)
    for row in np.flatnonzero(known):
        for name in str(texts[row]).split("|"):
            if name in place:
                found[row, place[name]] = 1
    return found


def _read_labels(dataset: Dataset) -> tuple[Kind, tuple[str, ...], dict[str, int]]:
    """Kind, classes, and samples of each class in ``train`` (in all, where there is no such
    part).
    """
    if dataset.task in ("detection", "segmentation"):
        raise InputError(
            "a baseline predicts classes, several labels or a number per image; the labels are "
            f"for {dataset.task}"
        )
    if dataset.task == "none" or not dataset.has("label"):
        raise InputError(
            "the samples have no labels, and a model is trained on labels: expected class folders, "
            "or a manifest with a column "
            "'label'"
        )
    labels, inside = dataset.samples["label"], _train_rows(dataset)
    if not (labels.notna().to_numpy() & inside).any():
        raise InputError(
            "no sample of 'train' has a label: divide the data with dataprep split, or label some "
            "of it"
        )
    if dataset.task == "regression":
        return "regression", (), {}
    total, train = (
        _counts(labels[rows], dataset.task) for rows in (np.ones(len(labels), bool), inside)
    )
    classes = tuple(name for name in dataset.classes or class_order(total) if total.get(name))
    if dataset.task != "multi-label" and len(classes) < 2:
        raise InputError(
            f"every label is {classes[0]!r}: a classifier needs at least two classes. Was one "
            "folder given in place of the one "
            "above it, or a filter set that leaves one class?"
        )
    _demand_all(classes, train, total, labels, dataset)
    if dataset.task == "multi-label":
        return "multi-label", classes, train
    return (
        "binary" if len(classes) == 2 else "multi-class",
        classes,
        {name: train[name] for name in classes},
    )


def _train_rows(dataset: Dataset) -> NDArray[np.bool_]:
    """(n,) the rows of ``train``; all of them where no row says so (folds, or no parts)."""
    if not dataset.has("split"):
        return np.ones(len(dataset), bool)
    inside = (dataset.samples["split"].astype("object") == "train").to_numpy(dtype=bool)
    return inside if inside.any() else np.ones(len(dataset), bool)


def _counts(labels: pd.Series[Any], task: str) -> dict[str, int]:
    texts = labels.dropna().astype("str")
    if task == "multi-label":
        texts = texts.str.split("|").explode()
    return {str(name): int(count) for name, count in texts.value_counts().items() if count}


def _demand_all(
    classes: tuple[str, ...],
    train: Mapping[str, int],
    total: Mapping[str, int],
    labels: pd.Series[Any],
    dataset: Dataset,
) -> None:
    """Refuse classes that are to be told but never seen in training."""
    absent = [name for name in classes if not train.get(name)]
    if not absent:
        return
    named = ", ".join(
        f"{name!r} ({total[name]:,} in {_parts_of(name, labels, dataset)})"
        for name in absent[:_NAMED]
    )
    more = f" and {len(absent) - _NAMED:,} more" if len(absent) > _NAMED else ""
    raise InputError(
        f"{'a class has' if len(absent) == 1 else f'{len(absent):,} classes have'} no sample in "
        f"'train': {named}{more}. A model "
        "cannot learn what it never sees: divide anew with dataprep split, which spreads every "
        "class over the parts, collect "
        "more, or leave the class out (--exclude, or without its rows in the manifest)"
    )


def _parts_of(name: str, labels: pd.Series[Any], dataset: Dataset) -> str:
    texts = labels.astype("object")
    if dataset.task == "multi-label":
        has = np.array([isinstance(text, str) and name in text.split("|") for text in texts], bool)
    else:
        has = (texts == name).to_numpy(dtype=bool)
    parts = dataset.samples["split"].astype("object")[has].dropna().astype(str)
    return " and ".join(repr(part) for part in sorted(parts.unique())) or "no part"


def _choose_metric(
    metric: str, kind: Kind, counts: Mapping[str, int], beta: float
) -> tuple[str, str]:
    """The metric's name, and why it was taken."""
    if metric != "auto":
        return _named_metric(metric, kind, beta), "asked for"
    if kind == "regression":
        return (
            "mae",
            "the mean absolute error is in the unit of the labels, and one far miss does not "
            "decide it",
        )
    if kind == "multi-label":
        return (
            "macro-f1",
            "with several labels per image accuracy is easy on rare ones; macro-F1 counts each "
            "label alike",
        )
    largest, smallest = (pick(counts, key=lambda name: counts[name]) for pick in (max, min))
    ratio = counts[largest] / counts[smallest]
    sizes = (
        f"{largest!r} has {counts[largest]:,} samples to learn from, {smallest!r} "
        f"{counts[smallest]:,}"
    )
    if ratio > IMBALANCE:
        return "macro-f1", (
            f"{sizes}: {ratio:.1f} times as many (over {IMBALANCE:g}), so accuracy would mostly "
            "count the large classes; "
            "macro-F1 counts each class alike"
        )
    return (
        "accuracy",
        f"the classes are balanced ({sizes}: at most {IMBALANCE:g} times as many), so the share "
        "that is right says it",
    )


def _named_metric(metric: str, kind: Kind, beta: float) -> str:
    name = metric.strip().lower().replace("_", "-")
    suited = sorted(each.name for each in METRICS.values() if kind in each.kinds)
    if name not in METRICS:
        raise OptionError(f"no metric is called {metric!r}. {did_you_mean(name, suited)}")
    if name not in suited:
        raise OptionError(
            f"metric {name!r} does not suit a {kind} goal: expected one of {', '.join(suited)}"
        )
    if beta != 1 and name != "f-beta":
        raise OptionError(
            f"beta weighs recall in f-beta, but the metric is {name!r}: leave beta out, or take "
            "--metric f-beta"
        )
    return name


def _positive(kind: Kind, counts: Mapping[str, int], positive: str) -> str:
    if kind != "binary":
        if positive:
            raise OptionError(
                f"a positive class is one of two; the goal is {kind}. For one class use --require "
                f"'recall[{positive}]>=…'"
            )
        return ""
    if positive and positive not in counts:
        raise OptionError(f"no class is called {positive!r}. {did_you_mean(positive, counts)}")
    return positive or min(reversed(list(counts)), key=lambda name: counts[name])


def parse_requirement(text: str, kind: Kind, classes: Sequence[str]) -> Requirement:
    """A requirement as it is written: ``recall[sick]>=0.95``, ``latency_ms<=5``.

    Raises:
        OptionError: it cannot be read, or names a figure or class that there is not.
    """
    match = _REQUIREMENT.fullmatch(text)
    try:
        bound = float(match["bound"]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise OptionError(
            f"requirement {text!r}: expected FIGURE>=NUMBER or FIGURE[CLASS]<=NUMBER, as in "
            "'recall[sick]>=0.95'"
        )
    figure = _figure(match["figure"], text, kind)
    of = match["of"] or ""
    at_least = match["sign"] == ">="
    if match["of"] is not None:
        if figure not in PER_CLASS:
            raise OptionError(
                f"requirement {text!r}: one class has {', '.join(PER_CLASS)}, not {figure}"
            )
        if of not in classes:
            raise OptionError(
                f"requirement {text!r}: no class is called {of!r}. {did_you_mean(of, classes)}"
            )
    elif figure == "f1":
        raise OptionError(
            f"requirement {text!r}: of which class? f1[CLASS]>={bound:g}, or macro-f1>={bound:g}"
        )
    better = (
        "higher"
        if figure in PER_CLASS
        else METRICS[figure].direction
        if figure in METRICS
        else "lower"
    )
    if at_least != (better == "higher"):
        raise OptionError(
            f"requirement {text!r}: {figure} is the better the {better}; expected "
            f"{figure}{'<=' if at_least else '>='}{bound:g}"
        )
    _demand_range(f"requirement {text!r}", figure, bound)
    return Requirement(figure, of, at_least, bound)


def _figure(name: str, text: str, kind: Kind) -> str:
    known = [each.name for each in METRICS.values() if kind in each.kinds] + list(MEASURED)
    known += list(PER_CLASS) if kind != "regression" else []
    spelt = {each.replace("_", "-"): each for each in known}
    found = spelt.get(name.lower().replace("_", "-"))
    if found is None:
        raise OptionError(
            f"requirement {text!r}: no figure of a {kind} goal is called {name!r}. "
            f"{did_you_mean(name, known)}"
        )
    return found


def _demand_range(what: str, figure: str, value: float) -> None:
    """Refuse values that a figure never takes; percent is the usual mistake."""
    bounded = figure in PER_CLASS or (figure in METRICS and METRICS[figure].bounded)
    if not math.isfinite(value) or (bounded and not 0 <= value <= 1):
        hint = f"; did you mean {value / 100:g}?" if bounded and 1 < value <= 100 else ""
        raise OptionError(
            f"{what}: {figure} lies "
            f"{'between 0 and 1' if bounded else 'among finite numbers'}{hint}"
        )
