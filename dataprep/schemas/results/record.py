"""Record: a dataclass that is also the dictionary that JSON holds of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints


def jsonable(value: Any) -> Any:
    """`value` with plain numbers, lists and dictionaries, and None for what is not finite.

    >>> jsonable({"error": float("nan"), "range": (0, 1.5)})
    {'error': None, 'range': [0, 1.5]}
    """
    if isinstance(value, Record):
        return value
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in value]
    if hasattr(value, "tolist"):  # arrays and scalars of numpy
        return jsonable(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


#: Metadata of a field whose own keys lie beside those of the record: a mapping from names that are
#: not known beforehand, such as those of parts, or a record of keys that are absent together.
MERGED = {"merged": True}


@dataclass(frozen=True, eq=False)
class Record(dict[str, Any]):
    """Base of results: fields as attributes, and the same as a dictionary, as scikit-learn's Bunch.

    Values are made plain (`jsonable`), so that what is read back equals what was written. A field
    whose default is None has no key in the dictionary while it is None; the metadata ``key`` of a
    field names its key where that is not the field's name.

    >>> @dataclass(frozen=True, eq=False)
    ... class Share(Record):
    ...     value: float
    ...     note: str | None = None
    >>> Share(0.5).value, dict(Share(0.5)), Share.read({"value": 0.5}) == Share(0.5)
    (0.5, {'value': 0.5}, True)
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            value = jsonable(getattr(self, each.name))
            object.__setattr__(self, each.name, value)
            if each.metadata.get("merged"):
                self.update(value or {})
            elif value is not None or each.default is not None:
                self[_key(each)] = value

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The record of what was read from JSON.

        Raises:
            TypeError: a field is missing, or a key is not known.
        """
        kinds, rest, given = get_type_hints(cls), dict(data), {}
        for each in fields(cls):
            if not each.metadata.get("merged") and _key(each) in rest:
                given[each.name] = _read(kinds[each.name], rest.pop(_key(each)))
        for each in fields(cls):
            if each.metadata.get("merged"):
                given[each.name] = _read(kinds[each.name], rest) if rest else None
                rest = {}
        if rest:
            raise TypeError(f"{cls.__name__}: unknown {', '.join(map(repr, rest))}")
        return cls(**given)


def _key(each: Field[Any]) -> str:
    return str(each.metadata.get("key", each.name))


def _read(kind: Any, value: Any) -> Any:
    """A value from JSON as a field of this type holds it."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if value is None:
        return None
    if isinstance(kind, type) and issubclass(kind, Record):
        return kind.read(value)
    inner = get_args(kind)
    if get_origin(kind) is list:
        return [_read(inner[0], each) for each in value]
    if get_origin(kind) is dict:
        return {name: _read(inner[1], each) for name, each in value.items()}
    return value
