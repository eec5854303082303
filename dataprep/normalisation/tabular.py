"""Columns of numbers brought to one scale: z-score, min-max and robust, safe with what is
constant, missing or infinite.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dataprep.errors import InputError, OptionError
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.text.numbers import MISSING, number_kind_of, numbers_of, truths_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ColumnKind = Literal["z-score", "min-max", "robust"]
COLUMN_KINDS: tuple[ColumnKind, ...] = ("z-score", "min-max", "robust")


@dataclass(frozen=True)
class ColumnScale:
    """How one column is scaled: ``(value - centre) / spread``.

    Attributes:
        name: of the column.
        kind: "z-score": mean and standard deviation (ddof 0). "min-max": least value and range, so
            that training rows lie in 0 to 1. "robust": median and interquartile range, which a few
            wild values do not move.
        centre, spread: see `kind`; the spread is never 0.
        values: "float", "int" or "bool": what the column held, and what `inverse` gives back.
        count: finite values it was fitted on.
        missing: values that were missing or infinite and had no say.
        constant: whether all values were equal: the spread is then 1, and training rows become 0.
    """

    name: str
    kind: ColumnKind
    centre: float
    spread: float
    values: Literal["float", "int", "bool"] = "float"
    count: int = 0
    missing: int = 0
    constant: bool = False

    def apply(self, column: pd.Series[Any]) -> NDArray[np.float64]:
        """(n,) scaled values; what is missing stays NaN and what is infinite stays infinite."""
        return (_numbers(column) - self.centre) / self.spread

    def inverse(self, column: pd.Series[Any]) -> NDArray[Any]:
        """(n,) values as they were; whole numbers and truth values in their own type where none
        is missing.
        """
        values = _numbers(column) * self.spread + self.centre
        if self.values == "float" or not np.isfinite(values).all():
            return values
        return np.rint(values).astype(np.int64) if self.values == "int" else values > 0.5


def fit_columns(
    table: pd.DataFrame, columns: Iterable[str] | Mapping[str, str], kind: str
) -> tuple[ColumnScale, ...]:
    """The scales of `columns`, fitted on all rows of `table`.

    Args:
        table: rows to fit on.
        columns: names, or names to kinds.
        kind: for the columns that `columns` gives no kind for, one of `COLUMN_KINDS`.

    Raises:
        OptionError: an unknown column or kind, a column that is not numeric or has no finite value.
    """
    wanted = {name: columns[name] if isinstance(columns, Mapping) else kind for name in columns}
    return tuple(_fit(table, name, each) for name, each in wanted.items())


def _fit(table: pd.DataFrame, name: str, kind: str) -> ColumnScale:
    if kind not in COLUMN_KINDS:
        raise OptionError(
            f"option column_kind: expected one of {', '.join(COLUMN_KINDS)}, got {kind!r}"
        )
    if name not in table:
        raise OptionError(
            f"no column is called {name!r}. "
            f"{did_you_mean(name, [str(each) for each in table.columns])}"
        )
    values = _kind_of(table[name])
    numbers = _numbers(table[name])
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        raise OptionError(
            f"column {name!r} has no finite value in the {len(numbers):,} rows to fit on: leave it "
            "out"
        )
    centre, spread = _centre_and_spread(finite, kind)
    # Less than rounding leaves of equal values is no spread.
    constant = bool(spread <= 4 * np.finfo(np.float64).eps * np.abs(finite).max())
    if not np.isfinite(spread):
        raise OptionError(
            f"column {name!r} spans more than a floating-point number can hold: take its logarithm "
            "first"
        )
    missing = len(numbers) - len(finite)
    return ColumnScale(
        name, kind, centre, 1.0 if constant else spread, values, len(finite), missing, constant
    )


def _centre_and_spread(values: NDArray[np.float64], kind: str) -> tuple[float, float]:
    if kind == "robust":
        # Not scikit-learn's RobustScaler: it takes an interquartile range below 2e-15 for none,
        # whatever the unit of the column.
        first, median, third = (float(value) for value in np.percentile(values, [25, 50, 75]))
        # More than half of the values may be equal, as in columns of counts: the quartiles then
        # say nothing of the others.
        return median, third - first if third > first else _centre_and_spread(values, "z-score")[1]
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    # Squares of the largest numbers would overflow. A power of two changes no digit.
    exponent = int(np.frexp(np.abs(values).max())[1])
    column = np.ldexp(values, -exponent)[:, None]
    if kind == "min-max":
        fitted = MinMaxScaler().fit(column)
        centre, spread = fitted.data_min_[0], fitted.data_range_[0]
    else:
        fitted = StandardScaler().fit(column)
        centre, spread = fitted.mean_[0], np.sqrt(fitted.var_[0])
    with np.errstate(over="ignore"):
        return float(np.ldexp(centre, exponent)), float(np.ldexp(spread, exponent))


def _kind_of(column: pd.Series[Any]) -> Literal["float", "int", "bool"]:
    kind = number_kind_of(column)
    if kind is None:
        raise OptionError(
            f"column {column.name!r} holds {_first_text(column)!r}, expected numbers: only numeric "
            "columns can be normalised"
        )
    return kind


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    numbers = numbers_of(column)
    numbers = truths_of(column) if numbers is None else numbers
    if numbers is None:
        raise ValueError(f"it holds {_first_text(column)!r}")
    return numbers


def _first_text(column: pd.Series[Any]) -> str:
    """The first cell that is no number, shortened."""
    known = column.dropna()
    wrong = (
        str(value)
        for number, value in enumerate(known)
        if number_kind_of(known.iloc[number : number + 1]) is None
    )
    return next((text[:40] for text in wrong if text.strip().lower() not in MISSING), "nothing")


def scale_table(
    table: pd.DataFrame, scales: Iterable[ColumnScale], *, back: bool = False
) -> pd.DataFrame:
    """A new table with the columns of `scales` scaled, or scaled back; all others as they are.

    Raises:
        InputError: a column is missing, or is not numeric.
    """
    made: dict[str, Any] = {}
    for scale in scales:
        if scale.name not in table:
            raise InputError(
                f"the table lacks the column {scale.name!r}, which the normaliser was fitted on"
            )
        try:
            made[scale.name] = (
                scale.inverse(table[scale.name]) if back else scale.apply(table[scale.name])
            )
        except (TypeError, ValueError) as error:
            raise InputError(
                f"column {scale.name!r}: expected numbers, got {table[scale.name].dtype} ({error})"
            ) from error
    return table.assign(**made)
