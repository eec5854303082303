"""An earlier split: its parts, who was where, and what it was made with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import InputError, OptionError
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import STAGE_LIMIT, reading
from dataprep.schemas.results.proof import Asked
from dataprep.schemas.split import PART, Split
from dataprep.schemas.text.words import counted
from dataprep.splits.records import read_split
from dataprep.splits.requests import EXTERNAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

_USUAL = ("train", "val", "test")


@dataclass(frozen=True)
class Earlier:
    """An earlier split: its parts in order, the part of each sample by name, and the options
    it was made with; those of a bare table are not known.
    """

    parts: tuple[str, ...]
    of: Mapping[str, str]
    asked: Asked = field(default_factory=Asked)

    def codes(self, names: Iterable[Any]) -> Rows:
        """Number of each name's part, -1 where it had none."""
        place = {part: number for number, part in enumerate(self.parts)}
        return np.array([place.get(self.of.get(name, ""), -1) for name in names], np.int64)

    @property
    def external(self) -> int:
        """Number of the part "external"; one beyond the last where there is none."""
        return self.parts.index(EXTERNAL) if EXTERNAL in self.parts else len(self.parts)


def refuse_changed_rules(known: Earlier, dataset: Dataset) -> None:
    """Raise OptionError where the earlier split followed a rule that cannot be kept to on
    `dataset`.
    """
    asked = known.asked
    if asked.time_column:
        raise OptionError(
            f"the earlier split is in the order of {asked.time_column!r}, and samples that move or "
            "join would break that order: "
            f"divide anew with time_column={asked.time_column}, or give its splits.csv, whose "
            "parts have no order"
        )
    gone = [name for name in asked.groups if name not in dataset.samples]
    if gone:
        raise OptionError(
            f"the earlier split kept samples of one {gone[0]!r} together, and the data has no such "
            "column now: audit with it "
            "(a manifest's column becomes 'group' by group_column), or give the split's splits.csv "
            "to do without"
        )


def earlier_of(earlier: Split | str | os.PathLike[str] | None, audit: Audit) -> Earlier:
    """The earlier split: given, in a folder, in a table, or the column ``split`` of the data.

    Raises:
        InputError: none there, or one of a single part.
    """
    if isinstance(earlier, str | os.PathLike):
        if not os.path.isdir(earlier):
            return _from_table(os.fspath(earlier))
        earlier = read_split(earlier)
    if earlier is not None:
        return _from_values(
            earlier.dataset.samples[PART],
            earlier.proof.parts,
            # The column ``group`` counts without being asked for.
            replace(
                earlier.proof.asked,
                groups=tuple(
                    dict.fromkeys(
                        [*earlier.proof.asked.groups, *earlier.proof.kept_together.groups]
                    )
                ),
            ),
        )
    if not audit.dataset.has(PART):
        raise InputError(
            "there is no split to repair: the data has no column 'split'. Give one with --from "
            "splits.csv, or make one"
        )
    return _from_values(audit.dataset.samples[PART])


def _from_table(path: str) -> Earlier:
    check_input(path, "the earlier split", limit=STAGE_LIMIT)
    with reading(f"the earlier split {path}", "Expected the splits.csv of an earlier split"):
        table = (
            pd.read_parquet(path)
            if path.endswith(".parquet")
            else pd.read_csv(path, dtype="str", keep_default_na=False)
        )
    key = next((name for name in ("path", "sample") if name in table), "")
    if not key or PART not in table:
        raise InputError(
            f"{path}: expected the columns 'path' and 'split', got "
            f"{', '.join(map(str, table.columns))}"
        )
    return _from_values(table.set_index(key)[PART])


def _from_values(
    values: pd.Series[Any], parts: Sequence[str] = (), asked: Asked | None = None
) -> Earlier:
    asked = asked or Asked()
    known = values.dropna().astype("str")
    known = known[known != ""]
    named = set(known.unique())
    listed = [*(name for name in (*parts, *_USUAL) if name in named)]
    order = tuple(dict.fromkeys([*listed, *sorted(named), *([EXTERNAL] if asked.external else [])]))
    if len(order) < 2:
        raise InputError(
            f"the earlier split has {counted(len(order), 'part')}: expected at least two"
        )
    return Earlier(order, dict(zip(known.index.astype("str"), known)), asked)
