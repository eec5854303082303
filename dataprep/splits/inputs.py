"""The inputs of a division: samples, units, features, and why other samples are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from dataprep.cleaning import cleaned_dataset
from dataprep.errors import FingerprintError, InputError, OptionError
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.plan import difference
from dataprep.schemas.split import PART, UNIT
from dataprep.schemas.text.numbers import equals
from dataprep.splits.features import Features, balance_columns, balance_features, has_label
from dataprep.splits.times import times_of
from dataprep.splits.units import (
    Units,
    duplicates_not_looked_for,
    group_columns,
    known_column,
    units_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.plan import Plan
    from dataprep.splits.requests import Request
    from dataprep.splits.times import Times


@dataclass(frozen=True, eq=False)
class SplitInputs:
    """What a division needs.

    Attributes:
        audit: what the samples come from.
        dataset: the samples that take part.
        units: what belongs together, in order of the sample names.
        features: what every part should have the same share of, likewise.
        external: (n,) whether each goes to the part "external".
        times: (n,) time of each, where parts are in order of time.
        request: what was asked for.
        left_out: why to number of samples.
        notes: what a reader should know.
        not_looked: check of duplicates to why it did not look.
    """

    audit: Audit
    dataset: Dataset
    units: Units
    features: Features
    external: NDArray[np.bool_]
    times: NDArray[np.float64] | None
    request: Request
    left_out: dict[str, int]
    notes: tuple[str, ...]
    not_looked: dict[str, str]


class _Columns(NamedTuple):
    """The columns that a request names, as they are called in the table of samples."""

    groups: tuple[str, ...]
    balance: tuple[str, ...]
    time: str


class Kept(NamedTuple):
    """An earlier split to repair or extend.

    Attributes:
        codes: gives the number of each named sample's part, -1 for none.
        external: number of its part "external".
        moves: whether samples may leave their parts.
    """

    codes: Callable[[Iterable[Any]], NDArray[np.int64]]
    external: int
    moves: bool


def collect_inputs(
    audit: Audit, request: Request, plan: Plan | None = None, *, kept: Kept | None = None
) -> SplitInputs:
    """The inputs of a division.

    Args:
        audit: an audit, live or read back.
        request: what is asked for.
        plan: what to drop and relabel first.
        kept: the split to repair or extend.

    Raises:
        InputError: nothing is left to divide.
        OptionError: an unknown column, or an external value that no row has.
        FingerprintError: the plan was made for other data.
    """
    columns = _resolve_columns(audit.dataset, request)
    units = units_of(audit, columns.groups, keep_similar=request.keep_similar)
    dataset, usable, left_out = _usable(audit.dataset, plan)
    usable = usable[units.order]
    matching = _external(dataset, usable, units, request, must=kept is None)
    times = (
        times_of(dataset, columns.time, units.order, request.day_first) if columns.time else None
    )
    usable = _labelled(dataset, units, usable, request, left_out)
    usable, external = (
        (usable, matching)
        if kept is None
        else _external_of_kept(units, usable, matching, kept, left_out)
    )
    old = np.zeros(len(units), bool) if kept is None or kept.moves else kept.codes(units.names) >= 0
    usable = _unrelated_to_external(units, usable, external, old, left_out)
    if times is not None:
        usable = _timed(units, usable, external, times, request.time_column, left_out)
    if not (usable & ~external).any():
        raise InputError(_nothing_left(audit.dataset, left_out))
    dataset, units = _only(dataset, units, usable)
    notes = (*_notes(audit, dataset, kept is not None), *(() if times is None else times.notes))
    return SplitInputs(
        audit,
        dataset,
        units,
        balance_features(dataset, units.order, columns.balance),
        external[usable],
        None if times is None else times.figures[usable],
        request,
        left_out,
        notes,
        duplicates_not_looked_for(audit),
    )


def _resolve_columns(dataset: Dataset, request: Request) -> _Columns:
    """The columns of the request.

    Raises:
        InputError: there are no samples.
        OptionError: a column that the data does not have.
    """
    if not len(dataset):
        raise InputError("there are no samples to divide: the audit is of an empty data set")
    for column, _ in request.external:
        known_column(dataset, column, "external")
    time = request.time_column
    return _Columns(
        tuple(group_columns(dataset, request.groups)),
        balance_columns(dataset, request.balance),
        known_column(dataset, time, "time_column") if time else "",
    )


def _usable(
    dataset: Dataset, plan: Plan | None
) -> tuple[Dataset, NDArray[np.bool_], dict[str, int]]:
    """The data set with the plan's labels, (n,) whether each sample can be used, and why not."""
    left_out: dict[str, int] = {}
    kept = np.ones(len(dataset), bool)
    if plan is not None:
        changed = difference(plan.data, dataset)
        if changed:
            raise FingerprintError(
                f"the plan was made for other data: {changed}. Make a new one: dataprep clean"
            )
        dropped = set(plan.table.loc[plan.table["action"] == "drop", "sample"])
        kept = ~dataset.samples.index.isin(dropped)
        left_out["dropped by the plan"] = int((~kept).sum())
        dataset = cleaned_dataset(
            replace(plan, table=plan.table[plan.table["action"] == "relabel"]), dataset
        )
    if "lost" in dataset.samples:
        left_out["cannot be read"] = int((kept & ~dataset.readable).sum())
        kept = kept & dataset.readable
    return dataset, np.asarray(kept, bool), left_out


def _labelled(
    dataset: Dataset,
    units: Units,
    kept: NDArray[np.bool_],
    request: Request,
    left_out: dict[str, int],
) -> NDArray[np.bool_]:
    """Without the samples that lack a label where others have one."""
    labelled = has_label(dataset, units.order)
    if request.keep_unlabelled or not (labelled & kept).any():
        return kept
    left_out["no label (--keep-unlabelled keeps them)"] = int((kept & ~labelled).sum())
    return kept & labelled


def _timed(
    units: Units,
    usable: NDArray[np.bool_],
    external: NDArray[np.bool_],
    times: Times,
    column: str,
    left_out: dict[str, int],
) -> NDArray[np.bool_]:
    """(n,) who can be used and has a time, or needs none; what could not be read is named."""
    missing = usable & ~external & np.isnan(times.figures)
    unread = missing & times.unread
    left_out[f"no {column}"] = int((missing & ~unread).sum())
    if unread.any():
        words = times._replace(unread=unread).unread_words(units.names)
        left_out[f"{column} cannot be read as a number or a date: {words}"] = int(unread.sum())
    return usable & ~missing


def _external(
    dataset: Dataset, kept: NDArray[np.bool_], units: Units, request: Request, *, must: bool
) -> NDArray[np.bool_]:
    """(n,) whether each has an external value; every value `must` be there unless new samples
    may come without.
    """
    external = np.zeros(len(units), bool)
    for column, value in request.external:
        values = dataset.samples[column]
        rows = equals(values, value)[units.order]
        if must and not rows.any():
            known = sorted(set(map(str, values.dropna())))[:1000]
            raise OptionError(
                f"external: no row has {column}={value}. {did_you_mean(value, known)}"
            )
        external |= rows
    if request.external and (external | ~kept).all():
        raise OptionError("external: that takes every sample: nothing is left to train on")
    return external & kept


def _external_of_kept(
    units: Units,
    usable: NDArray[np.bool_],
    matching: NDArray[np.bool_],
    kept: Kept,
    left_out: dict[str, int],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) who can be used, and who is external: was, or has such a value now; without moves,
    new ones that no old one binds.
    """
    codes = kept.codes(units.names)
    was = (codes == kept.external) & usable
    if kept.moves:
        return usable, np.asarray(was | (matching & usable))
    elsewhere = units.unit[(codes >= 0) & (codes != kept.external) & usable]
    new = matching & usable & (codes < 0)
    bound = new & np.isin(units.unit, elsewhere)
    if bound.any():
        left_out["external, but belongs together with a sample of another part"] = int(bound.sum())
    return usable & ~bound, np.asarray(was | (new & ~bound))


def _unrelated_to_external(
    units: Units,
    kept: NDArray[np.bool_],
    external: NDArray[np.bool_],
    old: NDArray[np.bool_],
    left_out: dict[str, int],
) -> NDArray[np.bool_]:
    """(n,) who can be used and belongs to no external sample: it can be in no other part, nor is
    it external; `old` ones stay.
    """
    bound = np.isin(units.unit, units.unit[external]) & ~external & ~old
    if external.any():
        left_out["belongs together with an external sample"] = int((kept & bound).sum())
    return kept & ~bound


def _only(dataset: Dataset, units: Units, kept: NDArray[np.bool_]) -> tuple[Dataset, Units]:
    mask = np.zeros(len(units), bool)
    mask[units.order[kept]] = True
    place = np.cumsum(mask) - 1
    some = units.where(kept)
    return dataset.where(mask), replace(some, order=place[some.order])


def _nothing_left(dataset: Dataset, left_out: dict[str, int]) -> str:
    reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items() if count)
    return f"none of the {len(dataset):,} samples can be divided: {reasons}"


def _notes(audit: Audit, dataset: Dataset, keeps_split: bool) -> Sequence[str]:
    notes = []
    if audit.dataset.has("split") and not keeps_split:
        notes.append(
            "The column 'split' of the data is not used; --repair starts from it, --extend "
            "keeps it."
        )
    if not dataset.has("label"):
        notes.append("There are no labels: parts are balanced by size alone.")
    elif pd.unique(dataset.samples["label"].dropna()).size == 1:
        notes.append("All samples have the same label: there is no mix to keep.")
    taken = [name for name in (UNIT, f"{PART}_2") if name in audit.dataset.samples]
    if taken:
        notes.append(f"The data's own column {' and '.join(map(repr, taken))} is replaced.")
    return notes


def with_parts(
    inputs: SplitInputs,
    parts: Sequence[str],
    part: NDArray[np.int64],
    repeats: Sequence[NDArray[np.int64]],
) -> Dataset:
    """The samples with the columns ``split`` (``split_2``, ...) and ``unit``."""
    order = inputs.units.order
    columns: dict[str, Any] = {}
    for number, codes in enumerate([part, *repeats], 1):
        placed = np.empty(len(order), np.int64)
        placed[order] = codes
        columns[PART if number == 1 else f"{PART}_{number}"] = as_category(placed, parts)
    units = np.empty(len(order), dtype=object)
    units[order] = inputs.units.unit_names()
    return inputs.dataset.assign(**columns, **{UNIT: pd.array(units, dtype="str")})


def as_category(codes: NDArray[np.int64], names: Sequence[str]) -> Any:
    """Numbers (n,) as the names that they stand for; -1 is missing."""
    known: Any = codes  # pandas is typed for lists here
    return pd.Categorical.from_codes(known, categories=pd.Index(list(names), dtype="str"))
