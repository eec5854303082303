"""User columns: kept as text; `dataprep.schemas.text.numbers` converts them where needed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dataprep.ingest.labels.values import categorical_of


def user_column(values: Sequence[Any]) -> pd.Categorical:
    """A categorical of text, escaped so that Parquet can hold it; missing where a cell is empty or
    blank.

    Text stays as it is: ``007``, ``2.50`` and ``N/A`` are none of our business. Of typed tables
    (JSON, Parquet) whole numbers are written without a point, other numbers in the shortest way
    that gives them back, truth values as ``true`` and ``false``, lists and objects as JSON. A
    column of floats that are all whole, some of them missing, is what pandas makes of whole
    numbers, and is written as these.
    """
    whole = _are_whole_with_gaps(values)
    texts = [value if isinstance(value, str) else _text(value, whole=whole) for value in values]
    given = [None if text is None or not text.strip() else text for text in texts]
    return categorical_of(*pd.factorize(np.array(given, dtype=object)))


def _text(value: Any, *, whole: bool = False) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if math.isnan(value) else str(int(value)) if whole else repr(float(value))
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _are_whole_with_gaps(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None and value == value]
    return 0 < len(known) < len(values) and all(
        isinstance(value, float) and value.is_integer() for value in known
    )
