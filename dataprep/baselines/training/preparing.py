"""Preparing: from a split to the materials of a training run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.metrics import known_labels
from dataprep.baselines.frozen.model import EMBEDDER, DecodedRows, embedder_size, embeddings_of
from dataprep.baselines.goal import codes_of, read_goal
from dataprep.baselines.training.fitting import demand_torch
from dataprep.baselines.training.materials import Materials, parts_of, units_of
from dataprep.baselines.training.pixel_store import PixelStore, store_pixels
from dataprep.baselines.training.regimes import EMBEDDER_ARCH, Regime, choose_regime, refuse_idle
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.errors import InputError
from dataprep.measures.options import PassOptions
from dataprep.probes.classifiers.folds import folds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.goal import Goal

#: Without a part to choose by, one unit in so many of the training part is held back.
_HELD = 6


def prepare(
    dataset: Dataset,
    options: BaselineOptions,
    settings: Mapping[str, Any],
    folder: str,
    *,
    passing: PassOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[Materials, Regime]:
    """The materials of a run, with every image decoded into a file in `folder`, and the regime that
    suits them.

    Args:
        dataset: with labels and the column ``split``; where no part is called val, one unit in six
            of train becomes it.
        options: goal and regime.
        settings: settings of the loop that the user gave.
        folder: where the pixels go.
        passing: limits of decoding, and workers.
        progress: called with (done, total, note).

    Raises:
        InputError: no parts, no labels, or nothing that can be read to train or judge on; torch is
            missing where a network is to be trained.
        OptionError: a setting that does not suit the goal or the regime.
    """
    readable = dataset.readable
    parts = parts_of(dataset, readable)  # a missing part is said before labels are looked at
    goal = read_goal(
        dataset,
        metric=options.metric,
        require=options.require,
        target=options.target,
        positive=options.positive,
        beta=options.beta,
    )
    labels = codes_of(dataset, goal)
    known = known_labels(goal, labels)
    regime = choose_regime(
        int(known[parts["train"]].sum()),
        _side(dataset),
        regime=options.regime,
        arch=options.arch,
        size=options.size,
        settings=settings,
        embedded_at=embedder_size(passing or PassOptions(), options.size),
    )
    refuse_idle(goal, regime, settings)
    reading = passing or PassOptions()
    embedding = None
    if regime.arch == EMBEDDER_ARCH:
        seeing = replace(reading, embedder=EMBEDDER, embedder_size=regime.size)
        found = embeddings_of(dataset, seeing, progress)
        images: Any = DecodedRows(dataset, regime.size, reading)
        store, embedding = PixelStore(images, found.known, found.lost), found.embedding
    else:
        demand_torch()
        store = store_pixels(dataset, regime.size, folder, options=reading, progress=progress)
    units = units_of(dataset)
    parts = with_val(parts_of(dataset, readable & store.known & known), units, labels, goal)
    _refuse_empty(parts)
    _refuse_unseen(goal, labels[parts["train"]])
    centre, spread = _scale(labels[parts["train"]]) if goal.kind == "regression" else (0.0, 1.0)
    materials = Materials(dataset, goal, labels, store, units, parts, centre, spread, embedding)
    return materials, regime


def with_val(
    parts: dict[str, NDArray[np.int64]], units: NDArray[np.int64], labels: NDArray[Any], goal: Goal
) -> dict[str, NDArray[np.int64]]:
    """`parts`, with a part val taken from train where there is none: whole units, classes spread
    evenly.
    """
    if "val" in parts:
        return parts
    train = parts["train"]
    codes = (
        labels[train].astype(np.int32)
        if labels.ndim == 1 and goal.kind != "regression"
        else np.zeros(len(train), np.int32)
    )
    fold = folds_of(units[train], codes, _HELD)
    held = fold == 0 if fold.max(initial=0) > 0 else np.zeros(len(train), bool)
    return {
        "train": train[~held],
        "val": train[held],
        **{name: rows for name, rows in parts.items() if name != "train"},
    }


def _side(dataset: Dataset) -> float:
    """Median of the shorter sides in pixels, NaN where unknown."""
    if not (dataset.has("width") and dataset.has("height")):
        return float("nan")
    return float(np.nanmedian(dataset.samples[["width", "height"]].min(axis=1)))


def _scale(values: NDArray[Any]) -> tuple[float, float]:
    spread = float(np.std(values))
    return float(np.mean(values)), spread if spread > 0 else 1.0


def _refuse_empty(parts: dict[str, NDArray[np.int64]]) -> None:
    for name in ("train", "val"):
        if not len(parts[name]):
            raise InputError(
                f"the part {name} has no sample that can be used: expected labelled images that "
                "can be read in it. "
                "Split again: dataprep split"
            )


def _refuse_unseen(goal: Goal, labels: NDArray[Any]) -> None:
    """Every class needs an image that could be read."""
    if goal.kind not in ("binary", "multi-class"):
        return
    unseen = [
        name
        for name, count in zip(
            goal.classes, np.bincount(labels, minlength=goal.outputs), strict=True
        )
        if not count
    ]
    if unseen:
        raise InputError(
            f"no training image of {', '.join(map(repr, unseen[:5]))} can be read: mend the files, "
            "leave the class out, or split "
            "again (dataprep split)"
        )
