"""What is usual in a data set, and whether one more image falls out of it: the checks of single
images, asked about a sample of the known ones and the new one together.

A claim about an image has to stand out from what its data set does by itself, so no threshold can
be told beforehand. A few hundred images show what is usual, and the checks judge the new one among
them in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.engine import make_checks
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues

if TYPE_CHECKING:
    from dataprep.checks.contract import Check

#: Images that show what is usual.
SHOWN = 500
_FAMILIES = ("files", "quality")


class UsualImages:
    """Some images of a data set, and the checks that judge another one among them.

    Attributes:
        samples: (m, ...) the measured columns of the images that show what is usual.
        checks: the checks that look at single images and at nothing but their columns.
    """

    def __init__(self, samples: pd.DataFrame, options: Mapping[str, Mapping[str, Any]]) -> None:
        """Judge among `samples` by checks with `options` (check code to its options)."""
        self.checks = tuple(check for check in _checks(options) if _is_asked(check))
        names = {name for check in self.checks for name in (*check.needs, *check.wants)}
        kept = [name for name in samples if name in names or name in ("lost", "lost_detail")]
        self.samples = samples[kept]
        self._columns = {name: _plain(samples[name]) for name in kept}
        self._names = samples.index.to_numpy(dtype=object)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the checks read."""
        return tuple(self._columns)

    def issues(self, name: str, values: Mapping[str, Any]) -> Issues:
        """The claims about an image called `name` with these measured values."""
        frame = {
            column: np.append(known, _value(column, values.get(column), known))
            for column, known in self._columns.items()
        }
        dataset = Dataset("", pd.DataFrame(frame, index=pd.Index(np.append(self._names, name))))
        found = []
        for check in self.checks:
            if not check.lacks(dataset, None):  # type: ignore[arg-type]
                for batch in check.find(dataset, None):  # type: ignore[arg-type]
                    mine = batch["target"].to_numpy(dtype=object) == name
                    if mine.any():
                        found.append(batch[mine])
        return Issues.collect(found)


def usual_rows(dataset: Dataset) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The rows of the images that show what is usual: at most `SHOWN` of the readable ones, spread
    evenly.
    """
    rows = np.flatnonzero(dataset.readable)
    return rows[np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(np.int64)]


def _checks(options: Mapping[str, Mapping[str, Any]]) -> list[Check]:
    known = {check.code for check in make_checks()}
    return make_checks(options={code: given for code, given in options.items() if code in known})


def _is_asked(check: Check) -> bool:
    return check.family in _FAMILIES and check.scope == "sample" and not check.looks


def _plain(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    if column.dtype.kind in "fiub":
        return column.to_numpy()
    return column.astype("str").fillna("").to_numpy(dtype=object)


def _value(column: str, value: Any, known: np.ndarray[Any, Any]) -> Any:
    """A measured value as it stands in a column."""
    if known.dtype == object:
        return "" if value is None else str(value)
    if value is None:
        return False if column in COLUMNS and COLUMNS[column].kind == "bool" else np.nan
    return known.dtype.type(value)
