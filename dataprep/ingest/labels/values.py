"""Values of a manifest's columns, to columns of `Dataset.samples`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.schemas.manifest import split_of
from dataprep.schemas.text.names import escape_name
from dataprep.schemas.text.numbers import EMPTY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_EMPTY = max(map(len, EMPTY))


def texts_of(values: Iterable[Any]) -> list[str | None]:
    """Each value as text, None where it is missing; whole floats lose their ``.0``, lists and
    objects become JSON.
    """
    texts: list[str | None] = []
    for value in values:
        if not isinstance(value, str):
            texts.append(_text(value))
            continue
        if len(value) > _LONGEST_EMPTY and not (value[0].isspace() or value[-1].isspace()):
            texts.append(value)
            continue
        texts.append(None if value.strip().lower() in EMPTY else value)
    return texts


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, sort_keys=True)
    return str(value)


class Unlabelled:
    """A cell that holds no label, for the reason `why`."""

    def __init__(self, why: str) -> None:
        self.why = why


def labelled_cells(values: Iterable[Any]) -> tuple[list[str | None], list[str]]:
    """Each cell of a label column as text, None where there is nothing, and why where that was
    said; words for nothing stay.

    Lists and objects become JSON; floats keep their fraction.
    """
    texts: list[str | None] = []
    whys: list[str] = []
    for value in values:
        whys.append(value.why if isinstance(value, Unlabelled) else "")
        if isinstance(value, str):
            texts.append(value if value.strip() else None)
        elif isinstance(value, float):
            texts.append(None if math.isnan(value) else str(value))
        else:
            texts.append(None if isinstance(value, Unlabelled) else _text(value))
    return texts, whys


def text_column(values: Iterable[Any]) -> pd.Categorical:
    """A categorical of text; missing values stay missing."""
    return categorical_of(*pd.factorize(np.array(texts_of(values), dtype=object)))


def categorical_of(codes: NDArray[Any], texts: Iterable[str | None]) -> pd.Categorical:
    """(n,) for each code the text of that number, None and the code -1 as missing; escaped so
    that Parquet can hold it.
    """
    escaped = [None if text is None else escape_name(text) for text in texts]
    categories = sorted({text for text in escaped if text is not None})
    place = {text: position for position, text in enumerate(categories)}
    new = np.array([-1 if text is None else place[text] for text in escaped] + [-1], dtype=np.int64)
    return pd.Categorical.from_codes(new[codes], categories=pd.Index(categories, dtype="str"))


def split_column(values: Iterable[Any]) -> pd.Categorical:
    """As `text_column`, usual writings of train, val and test made one; unknown splits stay as
    written.
    """
    column = text_column(values)
    return text_column(
        column.rename_categories(str).map(
            {name: split_of(name) or name for name in column.categories}
        )
    )
