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
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataprep.errors import InputError, OptionError
from dataprep.schemas.options import did_you_mean

_TABLES = ("audit", "pass", "checks")


@dataclass(frozen=True)
class Configuration:
    """The tables of a configuration file, keys with underscores; `path` is empty when there is none."""

    path: str = ""
    audit: Mapping[str, Any] = field(default_factory=dict)
    passing: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_configuration(path: str = "", *, audit_keys: Collection[str] = (), folder: str = ".") -> Configuration:
    """The configuration at `path`, or of ``dataprep.toml`` or ``pyproject.toml`` in `folder`, or an empty one.

    Raises:
        InputError: `path` does not exist, or the file is not TOML.
        OptionError: an unknown table, or a key of ``[audit]`` that is not in `audit_keys`.
    """
    path = path or _found(folder)
    if not path:
        return Configuration()
    tables = _read(path)
    if os.path.basename(path) == "pyproject.toml":
        tables = tables.get("tool", {}).get("dataprep", {})
    _refuse_unknown(path, tables, audit_keys)
    return Configuration(
        path, _underscored(tables.get("audit", {})), _underscored(tables.get("pass", {})), tables.get("checks", {})
    )


def _found(folder: str) -> str:
    for name in ("dataprep.toml", "pyproject.toml"):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return ""


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"cannot read the configuration {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error


def _refuse_unknown(path: str, tables: Mapping[str, Any], audit_keys: Collection[str]) -> None:
    for name, table in tables.items():
        if name not in _TABLES:
            raise OptionError(f"{path}: unknown table [{name}]. {did_you_mean(name, _TABLES)}")
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: expected a table [{name}], got {table!r}")
    for key in _underscored(tables.get("audit", {})):
        if key not in audit_keys:
            raise OptionError(f"{path}: unknown option audit.{key}. {did_you_mean(key, audit_keys)}")
    for code, table in tables.get("checks", {}).items():
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: expected a table [checks.{code}], got {table!r}")


def _underscored(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in table.items()}
