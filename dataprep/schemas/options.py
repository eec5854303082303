"""Options: dataclass fields that know their range, and dictionaries of them that refuse what
they do not know.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from dataprep.errors import OptionError

T = TypeVar("T")


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Collection[Any] | None = None,
) -> Any:
    """A dataclass field that is an option: a default, a help line, and the range or the choices
    it may take.
    """
    limits = {"help": help, "low": low, "high": high, "choices": choices}
    if isinstance(default, list | dict | set):
        return dataclasses.field(default_factory=lambda: default.copy(), metadata=limits)
    return dataclasses.field(default=default, metadata=limits)


def validate(options: Any, name: str) -> None:
    """Check every field of the dataclass `options` against its default's type and its range.

    Raises:
        OptionError: naming the option, what was expected and what came.
    """
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        _check_type(f"{name}.{field.name}", value, field)
        _check_range(f"{name}.{field.name}", value, field.metadata)
        if isinstance(value, float) and not math.isfinite(value) and value != field.default:
            raise OptionError(
                f"option {name}.{field.name}: expected a finite number, got {value!r}"
            )


def is_of_kind(value: Any, kind: type) -> bool:
    """Whether a value read from a file is of `kind`: a whole number is a number too, and true and
    false are neither.
    """
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _check_type(name: str, value: Any, field: dataclasses.Field[Any]) -> None:
    default = field.default
    if default is dataclasses.MISSING or default is None or value is None:
        return
    if not is_of_kind(value, type(default)):
        raise OptionError(f"option {name}: expected {type(default).__name__}, got {value!r}")


def _check_range(name: str, value: Any, limits: Mapping[str, Any]) -> None:
    low, high, choices = limits.get("low"), limits.get("high"), limits.get("choices")
    if choices is not None and value not in choices:
        raise OptionError(
            f"option {name}: expected one of {', '.join(map(str, choices))}, got {value!r}"
        )
    if value is None or (low is None and high is None):
        return
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise OptionError(
            f"option {name}: expected a value in [{low if low is not None else '-inf'}, "
            f"{high if high is not None else 'inf'}], got {value!r}"
        )


def from_mapping(kind: type[T], values: Mapping[str, Any], name: str) -> T:
    """An instance of the dataclass `kind` from `values`.

    Raises:
        OptionError: an unknown key (with the nearest known one), or a value out of range.
    """
    known = [field.name for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    renamed = {key.replace("-", "_"): value for key, value in values.items()}
    for key in renamed:
        if key not in known:
            raise OptionError(f"unknown option {name}.{key}. {did_you_mean(key, known)}")
    return kind(**renamed)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A sentence that points to the nearest of `known`, or lists them."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known)) or 'none'}."
