"""Dataclasses as JSON and back: what a stage writes for machines is read again field by field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

#: Metadata of a field: the key that JSON holds it under, where that is not its name.
KEY = "key"
#: Metadata of a field that JSON holds only where it is not None.
OPTIONAL = {"optional": True}

_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    NoneType: "null",
    dict: "an object",
    tuple: "a list",
}


def as_json(value: Any) -> Any:
    """A record as objects, lists, numbers and texts.

    >>> @dataclasses.dataclass
    ... class Size:
    ...     part: str
    ...     samples: int
    >>> as_json({"sizes": (Size("train", 7),)})
    {'sizes': [{'part': 'train', 'samples': 7}]}
    """
    if dataclasses.is_dataclass(value):
        pairs = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
        return {
            _key(field): as_json(each)
            for field, each in pairs
            if each is not None or not field.metadata.get("optional")
        }
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return value


def from_json(kind: type[T], content: Any, place: str = "") -> T:
    """The record of the dataclass `kind` that `as_json` was given.

    Keys that are missing take the field's default; keys that are not known are ignored.

    Args:
        kind: a dataclass whose fields are numbers, texts, dictionaries, tuples, dataclasses of
            such, or unions of these.
        content: what was read.
        place: where `content` stood, for messages.

    Raises:
        ValueError: a value is of another type than its field, with its place.
    """
    found: T = _read(kind, content, place)
    return found


def _read(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is UnionType:
        return _read_union(arguments, value, place)
    if origin is tuple and isinstance(value, list):
        return _read_tuple(arguments, value, place)
    if origin is dict and isinstance(value, dict):
        return {key: _read(arguments[1], each, f"{place}.{key}") for key, each in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return _read_fields(kind, value, place)
    if _is_scalar(kind, value):
        return value
    raise ValueError(f"{place}: expected {_word(kind)}, got {_shortened(value)}")


def _read_fields(kind: Any, content: Mapping[str, Any], place: str) -> Any:
    hints = _hints(kind)
    prefix = f"{place}." if place else ""
    return kind(
        **{
            field.name: _read(hints[field.name], content[_key(field)], prefix + _key(field))
            for field in dataclasses.fields(kind)
            if _key(field) in content
        }
    )


def _read_union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    scalar = next((kind for kind in kinds if _is_scalar(kind, value)), None)
    return value if scalar is not None else _read(kinds[0], value, place)


def _read_tuple(kinds: tuple[Any, ...], values: list[Any], place: str) -> tuple[Any, ...]:
    if kinds[-1] is ...:
        kinds = (kinds[0],) * len(values)
    if len(kinds) != len(values):
        raise ValueError(f"{place}: expected {len(kinds)} values, got {_shortened(values)}")
    return tuple(
        _read(kind, value, f"{place}.{number}")
        for number, (kind, value) in enumerate(zip(kinds, values))
    )


def _is_scalar(kind: Any, value: Any) -> bool:
    if isinstance(value, bool) or kind not in (str, bool, int, float):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if kind is float else kind)


def _key(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get(KEY, field.name))


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _word(kind: Any) -> str:
    return _WORDS.get(get_origin(kind) or kind, "an object")


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."
