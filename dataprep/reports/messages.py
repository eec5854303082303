"""The text of a claim, from its check's template, its columns and its evidence; made only for
what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("figure", "unit", "target", "related", "value", "group", "location", "confidence")
_FALLBACK = "{figure:g} {unit}"


class _Unknown:
    """Stands in a template for what a claim does not hold, whatever the format specification."""

    def __format__(self, specification: str) -> str:
        return "?"

    def __getitem__(self, key: object) -> _Unknown:
        return self


class _Values(dict[str, Any]):
    def __missing__(self, key: str) -> _Unknown:
        return _Unknown()


def render(table: pd.DataFrame, templates: Mapping[str, str]) -> list[str]:
    """One message per row of an issue table.

    Args:
        table: rows of `Issues.table`, any number, of any checks.
        templates: check code to message template; a check that is not in it gets its figure and
            unit.
    """
    messages = np.full(len(table), "", dtype=object)
    codes = table["check"].to_numpy(dtype=object)
    for code in dict.fromkeys(codes):
        rows = np.flatnonzero(codes == code)
        messages[rows] = _render_one(table.iloc[rows], templates.get(code, _FALLBACK))
    return list(messages)


def _render_one(part: pd.DataFrame, template: str) -> np.ndarray[Any, Any]:
    fields = _fields(template)
    columns = [name for name in _COLUMNS if name in fields]
    evidence = part["evidence"].tolist() if fields - set(_COLUMNS) else None
    given = [part[name].tolist() for name in columns]
    texts = np.empty(len(part), dtype=object)
    for row in range(len(part)):
        values = _Values(read_evidence(evidence[row])) if evidence is not None else _Values()
        for name, column in zip(columns, given):
            if column[row] == column[row]:  # a missing figure is not equal to itself
                values[name] = column[row]
        texts[row] = _filled(template, values)
    return texts


@cache
def _fields(template: str) -> frozenset[str]:
    """Names of the values that a template reads."""
    names = (name for _, name, _, _ in Formatter().parse(template) if name)
    return frozenset(name.partition(".")[0].partition("[")[0] for name in names)


def _filled(template: str, values: _Values) -> str:
    try:
        return " ".join(template.format_map(values).split())
    except (ValueError, TypeError, LookupError, AttributeError):
        plain = "".join(
            text + (f"{{{name}}}" if name else "")
            for text, name, _, _ in Formatter().parse(template)
        )
        return " ".join(
            plain.format_map(
                _Values({name: _texted(value) for name, value in values.items()})
            ).split()
        )


def _texted(value: Any) -> Any:
    return _Unknown() if value is None else str(value)


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=lambda constant: None)


def read_evidence(text: str) -> dict[str, Any]:
    """The evidence of one claim; what is not a number (NaN) or not JSON at all is left out."""
    if not text:
        return {}
    try:
        evidence = _decoder().decode(text)
    except ValueError:
        return {}
    return (
        {key: value for key, value in evidence.items() if value is not None}
        if isinstance(evidence, dict)
        else {}
    )
