"""Units, which stay together: copies, images that look alike, and the groups that are given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import OptionError
from dataprep.neighbours.components import connect
from dataprep.probes.classifiers.folds import join
from dataprep.schemas.columns import ARRAYS
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.text.numbers import EMPTY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

#: Checks whose pairs stay together; the last only as long as similar images are kept together.
COPIES: tuple[str, ...] = ("exact-duplicate", "near-duplicate", "another-shot")
SIMILAR = "similar-images"


@dataclass(frozen=True, eq=False)
class Units:
    """What belongs together, as rows of the samples in order of their names.

    Attributes:
        names: (n,) sample names, sorted.
        order: (n,) row of each in the data set.
        pairs: check to (a, b), the rows of each claimed pair.
        groups: column to (n,) number of the group, -1 where there is none.
        unit: (n,) number of the unit, counted in the order of their least names.
        keep_similar: whether similar images stay together.
    """

    names: NDArray[np.object_]
    order: Rows
    pairs: dict[str, tuple[Rows, Rows]]
    groups: dict[str, Rows]
    unit: Rows
    keep_similar: bool

    def __len__(self) -> int:
        return len(self.names)

    def unit_names(self) -> NDArray[np.object_]:
        """(n,) least sample name of each row's unit."""
        first = np.unique(self.unit, return_index=True)[1]
        return np.asarray(self.names[first[np.searchsorted(self.unit[first], self.unit)]])

    def where(self, kept: NDArray[np.bool_]) -> Units:
        """The units of the rows where `kept` (n,) is true; what was together by way of others stays
        together.
        """
        place = np.cumsum(kept) - 1
        pairs = {}
        for check, (a, b) in self.pairs.items():
            both = kept[a] & kept[b]
            pairs[check] = (place[a[both]], place[b[both]])
        groups = {name: numbers[kept] for name, numbers in self.groups.items()}
        unit = _numbered(self.unit[kept])
        return Units(self.names[kept], self.order[kept], pairs, groups, unit, self.keep_similar)


def units_of(audit: Audit, columns: Sequence[str] = (), *, keep_similar: bool = True) -> Units:
    """Connected components of duplicates, similar images and groups.

    Args:
        audit: a live one, or one read back; its issues name the pairs.
        columns: group columns; the column ``group`` counts as one of them where there is one.
        keep_similar: whether images that look alike without being copies stay together.

    Raises:
        OptionError: a column that the data does not have.
    """
    dataset = audit.dataset
    names = np.asarray(dataset.samples.index.astype("str"), dtype=object)
    order = np.asarray(pd.Index(names).argsort(), np.int64)
    names = names[order]
    groups = {
        name: _group_numbers(dataset, name, order) for name in group_columns(dataset, columns)
    }
    pairs = _pairs(audit.issues.table, names, COPIES + ((SIMILAR,) if keep_similar else ()))
    labellings = (_connected(len(names), list(pairs.values())), *groups.values())
    found = {check: (a, b) for check, (a, b, _) in pairs.items()}
    return Units(names, order, found, groups, join(len(names), labellings), keep_similar)


def group_columns(dataset: Dataset, columns: Sequence[str]) -> list[str]:
    """The group columns: those given, and ``group`` where the data has it."""
    wanted = [*columns, *(["group"] if dataset.has("group") and "group" not in columns else [])]
    return [known_column(dataset, name, "group") for name in dict.fromkeys(wanted)]


def known_column(dataset: Dataset, name: str, option: str) -> str:
    """`name`, if it is a column of the samples.

    Raises:
        OptionError: it is not; the nearest column is named.
    """
    arrays = {column.name for column in ARRAYS}
    if name in arrays or name not in dataset.samples:
        known = [str(column) for column in dataset.samples if str(column) not in arrays]
        renamed = option == "group" and dataset.has("group")
        hint = (
            (
                " (an audit calls the manifest's group column 'group', and it counts without being "
                "named)"
            )
            if renamed
            else ""
        )
        raise OptionError(
            f"{option}: no column is called {name!r}{hint}. {did_you_mean(name, known)}"
        )
    return name


def _group_numbers(dataset: Dataset, name: str, order: Rows) -> Rows:
    values = dataset.samples[name]
    texts = values.astype("str").to_numpy(dtype=object)
    numbers, known = pd.factorize(texts)
    empty = np.array([str(text).strip().lower() in EMPTY for text in known], bool)
    missing = values.isna().to_numpy() | (numbers < 0) | empty[numbers]
    return np.asarray(np.where(missing, -1, numbers)[order], np.int64)


def _pairs(
    table: pd.DataFrame, names: NDArray[np.object_], checks: Collection[str]
) -> dict[str, tuple[Rows, Rows, Rows]]:
    """Check to (target, related, first of its group), as rows of `names`; a group without a
    first stands for itself.
    """
    index, found = pd.Index(names), {}
    claims = table[table["check"].isin(list(checks)) & table["scope"].eq("pair")]
    for check in checks:
        part = claims[claims["check"].eq(check)]
        a = index.get_indexer(pd.Index(part["target"].astype("str")))
        b = index.get_indexer(pd.Index(part["related"].astype("str")))
        both = (a >= 0) & (b >= 0)
        a, b = a[both].astype(np.int64), b[both].astype(np.int64)
        code = pd.factorize(part["group"].astype("str").to_numpy(dtype=object)[both])[0]
        first = np.unique(code, return_index=True)[1]
        named = (part["group"].astype("str") != "").to_numpy()[both]
        found[check] = (a, b, np.where(named, a[first[code]], a) if len(a) else a)
    return found


def _connected(count: int, pairs: Sequence[tuple[Rows, Rows, Rows]]) -> Rows:
    """(count,) number of the component of each row, by way of all pairs."""
    empty = np.zeros(0, np.int64)
    a = np.concatenate([empty, *(each[0] for each in pairs), *(each[0] for each in pairs)])
    b = np.concatenate([empty, *(each[1] for each in pairs), *(each[2] for each in pairs)])
    return connect(count, a, b)


def _numbered(unit: Rows) -> Rows:
    """Numbers from 0 on, in the order of their first rows."""
    _, first, inverse = np.unique(unit, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(rank[inverse])


def hashed_order(names: NDArray[np.object_], *seeds: int) -> Rows:
    """The order of `names` by a hash of them and the seeds: the same on every machine, and for
    every order of the files.
    """
    key = f"{'-'.join(map(str, seeds)):0>16}"[-16:]
    return np.asarray(
        np.argsort(pd.util.hash_array(names, hash_key=key, categorize=False), kind="stable"),
        np.int64,
    )


def duplicates_not_looked_for(audit: Audit) -> dict[str, str]:
    """Check of duplicates to why it found nothing for lack of looking."""
    ran = {check.code for check in audit.checks} | set(audit.issues.table["check"].unique())
    without = not audit.run.get("options", {}).get("pass", {}).get(
        "embedder", "lite0"
    ) and not audit.dataset.has("embedding")
    found: dict[str, Any] = {}
    for code in (*COPIES, SIMILAR):
        if code in audit.skipped:
            found[code] = str(audit.skipped[code])
        elif code not in ran:
            found[code] = "the audit left it out"
        elif code == SIMILAR and without:
            found[code] = "the audit ran without embeddings"
    return found
