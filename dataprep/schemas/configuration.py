"""Options from a file: ``dataprep.toml``, or ``[tool.dataprep]`` in ``pyproject.toml``.

::

    [audit]
    include = ["*.jpg"]
    skip = ["gps-metadata"]
    fail_at = "error"

    [pass]
    time_limit_s = 60

    [checks.dark]
    threshold = 0.1

Command-line flags override it; unknown tables and keys are errors.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataprep.errors import InputError, OptionError
from dataprep.schemas.files.reading import MB, read_text
from dataprep.schemas.options import did_you_mean, is_of_kind

_TABLES = ("audit", "pass", "checks")
_WORDS: dict[type, str] = {
    str: 'a text such as "a"',
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: 'a list such as ["a", "b"]',
}


@dataclass(frozen=True)
class Configuration:
    """The tables of a configuration file, keys with underscores; `path` is empty when there is
    none.
    """

    path: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    passing: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_configuration(
    path: str = "", *, audit_kinds: Mapping[str, type] | None = None, folder: str = "."
) -> Configuration:
    """The configuration at `path`, or of ``dataprep.toml`` or ``pyproject.toml`` in `folder`, or an
    empty one.

    Args:
        path: of the file; "" looks for one in `folder`.
        audit_kinds: the keys that ``[audit]`` may have, each with its kind: str, bool, int, float,
            or list (of texts).
        folder: where to look.

    Raises:
        InputError: `path` cannot be read, or is not TOML.
        OptionError: an unknown table, a key of ``[audit]`` that is not in `audit_kinds`, or a value
            of another kind.
    """
    path = path or _found(folder)
    if not path:
        return Configuration()
    tables = _read(path)
    if os.path.basename(path) == "pyproject.toml":
        tables = _of_project(path, tables)
    _refuse_unknown(path, tables, audit_kinds or {})
    return Configuration(
        path,
        _underscored(tables.get("audit", {})),
        _underscored(tables.get("pass", {})),
        tables.get("checks", {}),
    )


def _found(folder: str) -> str:
    for name in ("dataprep.toml", "pyproject.toml"):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return ""


def _read(path: str) -> dict[str, Any]:
    text = read_text(path, "the configuration", limit=16 * MB)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError(
            f"cannot read the configuration {path}: its lists and tables are nested too deeply"
        ) from None
    except ValueError as error:  # TOMLDecodeError, and what its numbers and dates raise
        raise InputError(f"{path} is not valid TOML: {error}") from error


def _of_project(path: str, tables: Mapping[str, Any]) -> dict[str, Any]:
    """The table ``[tool.dataprep]``."""
    found: Any = tables
    for name in ("tool", "dataprep"):
        found = found.get(name, {})
        if not isinstance(found, dict):
            raise OptionError(f"{path}: expected a table [{name}], got {found!r}")
    return dict(found)


def _refuse_unknown(path: str, tables: Mapping[str, Any], audit_kinds: Mapping[str, type]) -> None:
    for name, table in tables.items():
        if name not in _TABLES:
            raise OptionError(f"{path}: unknown table [{name}]. {did_you_mean(name, _TABLES)}")
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: expected a table [{name}], got {table!r}")
    for key, value in _underscored(tables.get("audit", {})).items():
        if key not in audit_kinds:
            raise OptionError(
                f"{path}: unknown option audit.{key}. {did_you_mean(key, audit_kinds)}"
            )
        kind = audit_kinds[key]
        if not is_of_kind(value, kind) or (
            kind is list and not all(isinstance(each, str) for each in value)
        ):
            raise OptionError(f"{path}: audit.{key}: expected {_WORDS[kind]}, got {value!r}")
    for code, table in tables.get("checks", {}).items():
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: expected a table [checks.{code}], got {table!r}")


def _underscored(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in table.items()}
