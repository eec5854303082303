"""Rows of a table, one by one; for the few that are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """Named tuples with ``Index`` and the columns as attributes, typed as whatever they hold."""
    yield from table.itertuples()
