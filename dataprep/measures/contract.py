"""What a measure is: a function of one decoded sample that fills one column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataprep.measures.decode.pixels import Pixels

Value = Any  # float | int | bool | str | np.ndarray of a fixed shape


@dataclass(frozen=True)
class Measure:
    """A function of one decoded sample.

    Attributes:
        column: the column it fills; its unit and meaning are in `dataprep.schemas.columns` or in
            the docstring of `function`.
        version: raised whenever the figure can change; enters the cache key.
        function: `Pixels` to a scalar, a short string or an array of fixed shape.
    """

    column: str
    version: int
    function: Callable[[Pixels], Value]

    def __call__(self, pixels: Pixels) -> Value:
        return self.function(pixels)


def measure_of(column: str, version: int = 1) -> Callable[[Callable[[Pixels], Value]], Measure]:
    """Decorator that makes a function of `Pixels` the measure of `column`."""
    return lambda function: Measure(column, version, function)
