"""Selections: globs on paths, and a quick look at a random part."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import translate
from typing import Any

import numpy as np
import pandas as pd

from dataprep.schemas.dataset import Dataset

#: What `Dataset.ignored` calls the files that a random sample left out, before their number.
LEFT_OUT = "files left out by the random sample"


def path_filter(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool] | None:
    """A function that says whether a path (relative, POSIX separators) is wanted; None when
    everything is.

    A glob is matched against the whole path, where ``*`` crosses folders, and against the file name
    alone; a glob that matches a folder takes everything below it.
    """
    if not include and not exclude:
        return None
    wanted = _pattern(include) if include else None
    unwanted = _pattern(exclude) if exclude else None

    def keeps(path: str) -> bool:
        return (wanted is None or wanted.fullmatch(path) is not None) and (
            unwanted is None or unwanted.fullmatch(path) is None
        )

    return keeps


def _pattern(globs: Sequence[str]) -> re.Pattern[str]:
    ways = []
    for glob in globs:
        bare = glob.removeprefix("./").rstrip("/").replace("**/", "*").replace("**", "*")
        ways += [bare, f"{bare}/*"]
        if "/" not in bare:
            ways += [f"*/{bare}", f"*/{bare}/*"]
    return re.compile("|".join(map(translate, ways)), re.DOTALL)


def sample_of(dataset: Dataset, wanted: int, seed: int) -> Dataset:
    """`wanted` random rows, every class in proportion and at least once where `wanted` allows; what
    is left out is counted.

    The same rows for the same data and seed; row order stays.
    """
    if len(dataset) <= wanted:
        return dataset
    order = np.random.default_rng(seed).permutation(len(dataset))
    chosen = np.sort(order[np.argsort(_turns(dataset, order), kind="stable")[:wanted]])
    mask = np.zeros(len(dataset), dtype=bool)
    mask[chosen] = True
    kind = f"{LEFT_OUT} of {wanted:,}"
    return replace(dataset.where(mask), ignored={**dataset.ignored, kind: len(dataset) - wanted})


def _turns(dataset: Dataset, order: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(n,) when each row of the shuffled `order` has its turn: the first of each class at once,
    the others in proportion.
    """
    if dataset.task not in ("classification", "multi-label"):
        return np.zeros(len(order))
    codes = pd.Series(dataset.samples["label"].cat.codes.to_numpy()[order])
    rank = codes.groupby(codes).cumcount().to_numpy()
    size = codes.groupby(codes).transform("size").to_numpy()
    turns: np.ndarray[Any, Any] = (rank + 0.5) / size
    turns[(rank == 0) & (codes.to_numpy() >= 0)] = -1.0
    return turns
