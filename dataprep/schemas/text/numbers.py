"""Numbers in columns that are kept as text: read as numbers only where somebody asks for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: What tables write where a value is missing, lower case, and what may be a name (of Namibia) but
#: is no number.
EMPTY = frozenset(("", "nan", "null", "n/a", "#n/a", "<na>", "#na"))
MISSING = EMPTY | {"na", "none"}

_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?)", re.IGNORECASE
)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
#: Digits that a float64 always keeps.
_EXACT_DIGITS = 15
#: A longer text is no number that anybody counts with.
_LONGEST = 400
_TRUTHS = {"true": True, "false": False}

Kind = Literal["float", "int", "bool"]


def numbers_of(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """(n,) values of a column of numbers, NaN where missing; None where it does not hold numbers.

    A column of text holds numbers where every text is one (``12``, ``-0.5``, ``1e3``, ``inf``) or a
    word for a missing value (`MISSING`), and at least one is a number. Truth values are no numbers.
    """
    if _kind(column) == "b":
        return None
    if _kind(column) in "iuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, texts = _texts_of(column)
    values = np.full(len(texts) + 1, np.nan)
    for place, text in enumerate(texts):
        if text.lower() in MISSING:
            continue
        if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
            return None
        values[place] = float(text)
    return None if np.isnan(values).all() else values[codes]


def truths_of(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """(n,) 0.0 or 1.0 of a column of truth values (``true``, ``False``), NaN where missing; None
    where it does not hold them.
    """
    if _kind(column) == "b":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, texts = _texts_of(column)
    words = [text.lower() for text in texts]
    if not set(words) & set(_TRUTHS) or not set(words) <= MISSING | set(_TRUTHS):
        return None
    return np.array(
        [*(float(_TRUTHS[word]) if word in _TRUTHS else np.nan for word in words), np.nan]
    )[codes]


def number_kind_of(column: pd.Series[Any]) -> Kind | None:
    """Whether a column holds truth values, whole numbers or numbers; None where it holds
    something else.
    """
    if truths_of(column) is not None:
        return "bool"
    if numbers_of(column) is None:
        return None
    if _kind(column) in "iuf":
        return "float" if _kind(column) == "f" else "int"
    texts = [text for text in _texts_of(column)[1] if text.lower() not in MISSING]
    return "int" if all(map(_WHOLE.fullmatch, texts)) else "float"


def are_plain_numbers(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers that lose nothing by being read as such: no ``007``, no ids
    of 18 digits.
    """
    if numbers_of(column) is None:
        return False
    if _kind(column) in "iuf":
        return True
    return all(
        not text or (_PLAIN.fullmatch(text) and len(text) <= _EXACT_DIGITS)
        for text in _texts_of(column)[1]
    )


def equals(column: pd.Series[Any], value: str) -> NDArray[np.bool_]:
    """(n,) whether each cell is `value`: as it is written or, where no cell is written so, as a
    number (``3`` is ``3.0``).
    """
    found = np.asarray(column.astype("str").to_numpy(dtype=object) == value, bool)
    if found.any() or len(value) > _LONGEST or not _NUMBER.fullmatch(value.strip()):
        return found
    numbers = numbers_of(column)
    return found if numbers is None else np.asarray(numbers == float(value), bool)


def _kind(column: pd.Series[Any]) -> str:
    """NumPy's letter for what the column holds, which pandas' own types have too."""
    return str(column.dtype.kind)


def _texts_of(column: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """(n,) number of each cell's text, -1 where missing, and the texts, without blanks at their
    ends.
    """
    if hasattr(column, "cat"):
        used = column.cat.remove_unused_categories().cat
        return np.asarray(used.codes, np.int64), [str(text).strip() for text in used.categories]
    codes, found = column.factorize()
    return np.asarray(codes, np.int64), [str(text).strip() for text in found]
