"""Values of a manifest's columns, to columns of `Dataset.samples`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dataprep.schemas.dataset import Task
from dataprep.schemas.manifest import split_of
from dataprep.schemas.names import escape_name

#: What tables write where a value is missing, lower case.
_MISSING = frozenset(("", "nan", "null", "n/a", "#n/a", "<na>", "#na"))
_LONGEST_MISSING = max(map(len, _MISSING))
#: Numbers with fractions are a target to regress on, not names of classes, when they take more values than this.
_MOST_NUMERIC_CLASSES = 20


def texts_of(values: Iterable[Any]) -> list[str | None]:
    """Each value as text, None where it is missing; whole floats lose their ``.0``, lists and objects become JSON."""
    texts: list[str | None] = []
    for value in values:
        if not isinstance(value, str):
            texts.append(_text(value))
            continue
        if len(value) > _LONGEST_MISSING and not (value[0].isspace() or value[-1].isspace()):
            texts.append(value)
            continue
        texts.append(None if value.strip().lower() in _MISSING else value)
    return texts


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, sort_keys=True)
    return str(value)


def text_column(values: Iterable[Any]) -> pd.Categorical:
    """A categorical of text, escaped so that Parquet can hold it; missing values stay missing."""
    codes, found = pd.factorize(np.array(texts_of(values), dtype=object))
    escaped = [escape_name(text) for text in found]
    categories = sorted(set(escaped))
    place = {text: position for position, text in enumerate(categories)}
    new = np.array([place[text] for text in escaped] + [-1], dtype=np.int64)
    return pd.Categorical.from_codes(new[codes], categories=pd.Index(categories, dtype="str"))


def split_column(values: Iterable[Any]) -> pd.Categorical:
    """As `text_column`, usual writings of train, val and test made one; unknown splits stay as written."""
    column = text_column(values)
    return text_column(column.rename_categories(str).map({name: split_of(name) or name for name in column.categories}))


def labels_of(samples: pd.DataFrame) -> tuple[Task, tuple[str, ...], pd.DataFrame]:
    """The task, its classes and the samples with their labels as the task wants them.

    Labels are classes, but for two cases that are plain to see: JSON lists are the several labels of one sample (written
    ``a|b`` in the column, task multi-label), and numbers with fractions that take more than 20 values are a target to regress
    on (the column holds floats).
    """
    if "label" not in samples or not samples["label"].notna().any():
        return "none", (), samples
    names = [str(name) for name in samples["label"].cat.remove_unused_categories().cat.categories]
    several = _lists(names)
    if several is not None:
        joined = {name: "|".join(several[name]) or None for name in names}
        classes = tuple(sorted(set().union(*several.values())))
        return "multi-label", classes, samples.assign(label=text_column(samples["label"].map(joined)))
    numbers = _numbers(names)
    if numbers is not None and len(names) > _MOST_NUMERIC_CLASSES and any(number % 1 for number in numbers):
        return "regression", (), samples.assign(label=samples["label"].astype("str").astype(np.float64))
    whole = numbers is not None and all(name.isdigit() for name in names)
    order = sorted(names, key=int) if whole else sorted(names)
    return "classification", tuple(order), samples.assign(label=samples["label"].cat.set_categories(pd.Index(order, dtype="str")))


def _lists(names: Sequence[str]) -> dict[str, list[str]] | None:
    """Each text as the list that it writes, if all of them do."""
    if not all(name.startswith("[") for name in names):
        return None
    found = {}
    for name in names:
        try:
            found[name] = sorted(map(str, json.loads(name)))
        except ValueError:
            return None
    return found


def _numbers(names: Sequence[str]) -> list[float] | None:
    try:
        return [float(name) for name in names]
    except ValueError:
        return None
