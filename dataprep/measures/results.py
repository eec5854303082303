"""Results that were worked out once, by the hash of all that they depend on; one file each in the
cache folder.

A value is made of plain values, lists, tuples, dictionaries, arrays, tables and dataclasses of this
package. It is written as JSON, and the arrays behind it as they lie in memory; neither needs pickle
to be read. Every file carries a seal (a checksum), and one that does not match it is as good as
none. Writing is atomic: two runs may write at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import struct
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xxhash

from dataprep.measures.cache_files import RESULTS, forget_oldest

T = TypeVar("T")

#: Bytes of all remembered results, and of one; what was not used for longest goes first.
CAPACITY_BYTES, MOST_BYTES = 2**30, 2**28
_MOST = 5000
_SEAL = 16
_LENGTH = struct.Struct("<Q")
_PACKAGE = "dataprep."


class ResultStore:
    """The remembered results as one run uses them. Nothing it does fails: it recalls less."""

    def __init__(self, folder: str) -> None:
        """Use the cache folder `folder`, which is made (mode 0700) if need be."""
        self._folder = folder
        self._written = False

    def recall(self, key: str) -> Any | None:
        """The value that was kept under `key`, or None; arrays in it may be changed."""
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                data = bytearray(file.read())
            value = _unpacked(data)
        except Exception:  # whatever a damaged file, or one of another version, leads to
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return value

    def keep(self, key: str, value: Any) -> None:
        """Keep `value` under `key`; one that is too large, or is made of other things, is not
        kept.
        """
        path = self._path(key)
        part = f"{path}.{secrets.token_hex(4)}"
        try:
            blocks = _packed(value)
            if sum(len(block) for block in blocks) > MOST_BYTES:
                return
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(part, "xb") as file:
                file.writelines(blocks)
            os.replace(part, path)
            self._written = True
        except (TypeError, ValueError, OSError):
            with contextlib.suppress(OSError):
                os.unlink(part)

    def close(self) -> None:
        """Forget what was not used for longest, if there is too much."""
        if self._written:
            forget_oldest(self._folder, RESULTS, most=_MOST, most_bytes=CAPACITY_BYTES)

    def _path(self, key: str) -> str:
        return os.path.join(self._folder, RESULTS + key)


def _packed(value: Any) -> list[bytes]:
    blocks: list[bytes] = []
    tree = json.dumps(_encoded(value, blocks)).encode()
    sizes = [_LENGTH.pack(len(each)) for each in (tree, *blocks)]
    content = [_LENGTH.pack(len(blocks)), *sizes, tree, *blocks]
    digest = xxhash.xxh3_128()
    for block in content:
        digest.update(block)
    return [digest.digest(), *content]


def _unpacked(data: bytearray) -> Any:
    view = memoryview(data)
    if xxhash.xxh3_128_digest(view[_SEAL:]) != bytes(view[:_SEAL]):
        raise ValueError("damaged")
    (count,) = _LENGTH.unpack_from(view, _SEAL)
    sizes = struct.unpack_from(f"<{count + 1}Q", view, _SEAL + _LENGTH.size)
    start = _SEAL + _LENGTH.size * (count + 2)
    parts = []
    for size in sizes:
        parts.append(view[start : start + size])
        start += size
    return _decoded(json.loads(bytes(parts[0])), parts[1:])


def _encoded(value: Any, blocks: list[bytes]) -> Any:
    """`value` as JSON; the bytes of arrays are added to `blocks`."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return ["texts", list(value.shape), _texts(value.ravel().tolist())]
        blocks.append(np.ascontiguousarray(value).tobytes())
        return ["array", value.dtype.str, list(value.shape), len(blocks) - 1]
    if isinstance(value, np.generic):
        return ["scalar", _encoded(np.asarray(value), blocks)]
    if isinstance(value, pd.DataFrame):
        return ["table", _table(value, blocks)]
    if type(value) in (list, tuple):
        return [type(value).__name__, [_encoded(each, blocks) for each in value]]
    if type(value) is dict:
        return ["dict", [[_encoded(each, blocks) for each in pair] for pair in value.items()]]
    kind = type(value)
    if kind.__module__.startswith(_PACKAGE) and (is_dataclass(value) or isinstance(value, tuple)):
        given = {name: _encoded(getattr(value, name), blocks) for name in _fields_of(kind)}
        return ["object", kind.__module__, kind.__qualname__, given]
    raise TypeError(f"not to be remembered: {kind}")


def _decoded(tree: Any, blocks: list[memoryview]) -> Any:
    if not isinstance(tree, list):
        return tree
    kind, *rest = tree
    if kind == "array":
        dtype, shape, number = rest
        return np.frombuffer(blocks[number], np.dtype(dtype)).reshape(shape)
    if kind == "texts":
        return np.array(rest[1], dtype=object).reshape(rest[0])
    if kind == "scalar":
        return _decoded(rest[0], blocks)[()]
    if kind == "table":
        return _decoded_table(rest[0], blocks)
    if kind in ("list", "tuple"):
        values = [_decoded(each, blocks) for each in rest[0]]
        return values if kind == "list" else tuple(values)
    if kind == "dict":
        return {_decoded(name, blocks): _decoded(each, blocks) for name, each in rest[0]}
    module, name, given = rest
    if not module.startswith(_PACKAGE):
        raise ValueError(f"not of this package: {module}")
    made = getattr(import_module(module), name)
    if set(_fields_of(made)) != set(given):
        raise ValueError(f"another {name}")
    return made(**{field: _decoded(each, blocks) for field, each in given.items()})


def _fields_of(kind: Any) -> tuple[str, ...]:
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind) if field.init)
    return tuple(kind._fields)


def _table(table: pd.DataFrame, blocks: list[bytes]) -> Any:
    if not table.index.equals(pd.RangeIndex(len(table))):
        raise TypeError("a table with an index of its own")
    return [[str(name), *_column(table[name], blocks)] for name in table], len(table)


def _column(values: pd.Series[Any], blocks: list[bytes]) -> Any:
    if isinstance(values.dtype, pd.CategoricalDtype):
        known = _texts(values.cat.categories.tolist())
        codes = _encoded(values.cat.codes.to_numpy(), blocks)
        return "category", [codes, known, bool(values.cat.ordered)]
    if isinstance(values.dtype, np.dtype) and not values.dtype.hasobject:
        return "plain", _encoded(values.to_numpy(), blocks)
    return str(values.dtype), _texts([None if pd.isna(each) else each for each in values])


def _decoded_table(tree: Any, blocks: list[memoryview]) -> pd.DataFrame:
    columns, rows = tree
    made: dict[str, Any] = {}
    for name, kind, data in columns:
        if kind == "plain":
            made[name] = _decoded(data, blocks)
        elif kind == "category":
            codes, known, ordered = data
            dtype = pd.CategoricalDtype(pd.Index(known, dtype="str"), ordered=ordered)
            made[name] = pd.Categorical.from_codes(_decoded(codes, blocks), dtype=dtype)
        else:
            made[name] = pd.array(data, dtype=kind)
    return pd.DataFrame(made, index=pd.RangeIndex(rows))


def _texts(values: list[Any]) -> list[Any]:
    if not all(each is None or type(each) is str for each in values):
        raise TypeError("values that are no text")
    return values
