"""Issues: claims about a data set, one row each, in columns that every check shares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from dataprep.errors import OptionError
from dataprep.schemas.options import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: A fact is no issue: true of the data, with nothing to fix; reports tell it under "Your
#: data".
Severity = Literal["fact", "info", "warning", "error"]
Scope = Literal["sample", "pair", "class", "slice", "split", "annotator", "record", "dataset"]
Suggestion = Literal["drop", "relabel", "move", "regroup", "review", "none"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
SCOPES: tuple[Scope, ...] = get_args(Scope)
#: Scopes whose target is a file of the data set.
FILE_SCOPES: tuple[Scope, ...] = ("sample", "pair")
SUGGESTIONS: tuple[Suggestion, ...] = get_args(Suggestion)

_CATEGORIES: dict[str, tuple[str, ...] | None] = {
    "check": None,
    "scope": SCOPES,
    "severity": SEVERITIES,
    "unit": None,
    "suggestion": SUGGESTIONS,
}
#: Further digits of a probability say nothing, and differ between processors.
_CONFIDENCE_DIGITS = 4
_NUMBERS = {"confidence": np.float32, "figure": np.float64}
#: The columns of `Issues.table`, in order. `target` is a sample, a class, a split, "row 17" or ""
#: for the data set.
COLUMNS: tuple[str, ...] = (
    "check",
    "scope",
    "target",
    "related",
    "group",
    "severity",
    "confidence",
    "figure",
    "unit",
    "location",
    "evidence",
    "suggestion",
    "value",
)
#: The columns of `Dataset.faults`: `check` is the code of the check that reports the fault, the
#: rest as in `COLUMNS`.
FAULT_COLUMNS: tuple[str, ...] = (
    "check",
    "target",
    "related",
    "location",
    "figure",
    "value",
    "evidence",
)


def batch(
    check: str, severity: Severity, scope: Scope, target: ArrayLike, **columns: Any
) -> pd.DataFrame:
    """A batch of claims as a DataFrame with `COLUMNS`; scalars are repeated, arrays have one value
    per claim.

    Args:
        check: kebab-case code of the check.
        severity: "fact", "info", "warning" or "error": how bad each claim is if true.
        scope: what `target` names.
        target: (n,) names of what is at fault.
        **columns: any other of `COLUMNS`. `evidence` may be a mapping or a sequence of mappings
            (written as JSON).

    Raises:
        TypeError: a column that Issues do not have.
    """
    unknown = set(columns) - set(COLUMNS)
    if unknown:
        raise TypeError(f"issues have no column {sorted(unknown)}; they have {list(COLUMNS)}")
    targets = np.atleast_1d(np.asarray(target, dtype=object))
    if not len(targets):
        return _empty().copy()
    given: dict[str, Any] = {
        "check": check,
        "scope": scope,
        "severity": severity,
        "confidence": 1.0,
        "figure": np.nan,
    }
    given |= {name: value for name, value in columns.items() if name != "evidence"}
    given.setdefault("suggestion", "review")
    given["evidence"] = _as_json(columns.get("evidence", ""), len(targets))
    table = pd.DataFrame({"target": targets})
    for name in COLUMNS:
        if name != "target":
            table[name] = _column(name, given.get(name, ""), len(targets))
    table["target"] = table["target"].astype("str")
    return table[list(COLUMNS)]


@cache
def _empty() -> pd.DataFrame:
    """A batch without claims; most checks of most data sets give one."""
    table = pd.DataFrame({name: _column(name, "", 0) for name in COLUMNS if name != "target"})
    return table.assign(target=pd.array([], dtype="str"))[list(COLUMNS)]


def _column(name: str, value: Any, rows: int) -> Any:
    values = (
        np.full(rows, value, dtype=object)
        if np.ndim(value) == 0
        else np.asarray(value, dtype=object)
    )
    if name in _NUMBERS:
        numbers = values.astype(_NUMBERS[name])
        return numbers.round(_CONFIDENCE_DIGITS) if name == "confidence" else numbers
    if name in _CATEGORIES:
        known = _CATEGORIES[name]
        return pd.Categorical(values, categories=known if known is not None else pd.unique(values))
    return pd.array(values, dtype="str")


def _as_json(evidence: Any, rows: int) -> Any:
    if isinstance(evidence, Mapping):
        return _dump(evidence)
    if isinstance(evidence, str) or len(evidence) != rows:
        return evidence
    return [item if isinstance(item, str) else _dump(item) for item in evidence]


def _dump(evidence: Mapping[str, Any]) -> str:
    return json.dumps(evidence, default=_plain, separators=(",", ":"), sort_keys=True)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


@dataclass(frozen=True, eq=False)
class Issues:
    """A frozen table of claims.

    Attributes:
        table: DataFrame with `COLUMNS`, sorted by severity (worst first), check, then confidence
            (surest first).
        codes: of the checks that were asked; None where that is not known.

    Example:
        >>> import dataprep
        >>> from dataprep.schemas.issues import batch
        >>> dark = batch("dark", "warning", "sample", ["1.jpg"])
        >>> border = batch("border", "info", "sample", ["2.jpg"])
        >>> issues = dataprep.Issues.collect([border, dark])
        >>> issues.at_least("warning").table["target"].tolist()
        ['1.jpg']
        >>> issues.of("border")
        Issues(1 from 1 checks)
    """

    table: pd.DataFrame
    codes: tuple[str, ...] | None = None

    @classmethod
    def collect(cls, batches: Iterable[pd.DataFrame]) -> Issues:
        """Issues from batches made by `batch`."""
        parts = [part for part in batches if len(part)]
        if not parts:
            return cls(batch("none", "info", "dataset", []))
        table = pd.concat([_plain_categories(part) for part in parts], ignore_index=True)
        for name, known in _CATEGORIES.items():
            values = sorted(table[name].unique()) if known is None else known
            table[name] = pd.Categorical(table[name], categories=values, ordered=name == "severity")
        order = np.lexsort(
            (
                -table["confidence"].to_numpy(),
                table["check"].cat.codes,
                -table["severity"].cat.codes,
            )
        )
        return cls(table.iloc[order].reset_index(drop=True))

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Issues({len(self)} from {self.table['check'].nunique()} checks)"

    def of(self, *checks: str) -> Issues:
        """The issues of the named checks.

        Raises:
            OptionError: a check that was not asked.
        """
        asked = checks if self.codes is None else self.codes
        for code in checks:
            if code not in asked:
                raise OptionError(
                    f"no check of this audit is called {code!r}. {did_you_mean(str(code), asked)}"
                )
        return self.where_check(*checks)

    def where_check(self, *codes: str) -> Issues:
        """The issues of the named checks; none of one that was not asked."""
        return self.where(self.table["check"].isin(codes))

    def where(self, mask: Any) -> Issues:
        """The issues where the boolean `mask` (n,) is true."""
        return replace(self, table=self.table[np.asarray(mask, dtype=bool)].reset_index(drop=True))

    def at_least(self, severity: Severity) -> Issues:
        """The issues of `severity` or worse."""
        return self.where(self.table["severity"].cat.codes >= SEVERITIES.index(severity))

    def summary(self) -> pd.DataFrame:
        """One row per check that spoke: ``check``, ``severity``, ``issues``, ``samples``; worst
        and most frequent first.
        """
        grouped = self.table.groupby("check", observed=True)
        summary = pd.DataFrame(
            {
                "severity": grouped["severity"].first(),
                "issues": grouped.size(),
                "samples": grouped["target"].nunique(),
            }
        )
        rank = [-SEVERITIES.index(severity) for severity in summary["severity"]]
        return summary.iloc[
            np.lexsort((-summary["issues"].to_numpy(), np.array(rank)))
        ].reset_index()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each claim as a plain dictionary; for small numbers of them."""
        for row in self.table.itertuples(index=False):
            yield dict(zip(COLUMNS, row, strict=True))


def _plain_categories(part: pd.DataFrame) -> pd.DataFrame:
    return part.astype(dict.fromkeys(_CATEGORIES, "str"))


def evidence_of(text: str) -> dict[str, Any]:
    """The evidence of one claim as a dictionary; empty when there is none."""
    return dict(json.loads(text)) if text else {}


def faults_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """`Dataset.faults` from rows with some of `FAULT_COLUMNS`; what a row lacks is empty
    (``figure``: missing).
    """
    table = pd.DataFrame(
        {name: [row.get(name) for row in rows] for name in FAULT_COLUMNS}, dtype=object
    )
    for name in FAULT_COLUMNS:
        table[name] = (
            table[name].astype(np.float64)
            if name == "figure"
            else table[name].fillna("").astype("str")
        )
    return table
