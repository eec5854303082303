"""Measured rows as compact bytes, the same from the worker to the cache and the table.

A row is a fixed block of numbers and a short JSON text. The block holds float columns as float32,
int columns as float64 (so that NaN can say "unknown"), bool columns as one byte, hashes as 16 bytes
and arrays as they are; the text holds strings, and the values of columns that only a plug-in knows.
Neither needs pickle to be read.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.schemas.columns import ARRAY_FORMS, COLUMNS, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Columns of every row, whatever is asked for.
ALWAYS: tuple[str, ...] = ("bytes", "file_hash", "lost", "lost_detail")
#: The text column that says which measures raised on this row; never shown as a column.
TROUBLE = "_trouble"
_HASHES = ("file_hash", "pixel_hash")
_HASH_BYTES = 16
_ENCODER = json.JSONEncoder(default=str)
_MEMO_SIZE = 20_000
_STAGED_ROWS = 4096

_NUMBERS: dict[str, tuple[str, Any]] = {
    "float": ("f", "<f4"),
    "int": ("d", "<f8"),
    "bool": ("?", "?"),
}


class RowFormat:
    """How rows with given columns are packed; the same columns give the same format in every
    process.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        wanted = {*columns, *ALWAYS}
        known = [column for name, column in COLUMNS.items() if name in wanted and _is_fixed(column)]
        fields = [_field(column) for column in known]
        self.names = tuple(column.name for column in known if not _is_text(column))
        self.texts = (*(column.name for column in known if _is_text(column)), TROUBLE)
        self.extras = tuple(sorted(wanted - {column.name for column in known}))
        self.dtype = np.dtype(
            [
                (name, kind, shape)
                for name, _, kind, shape, _ in (f for f in fields if f is not None)
            ]
        )
        self._struct = struct.Struct("<" + "".join(f[1] for f in fields if f is not None))
        self._converters = tuple((f[0], f[4]) for f in fields if f is not None)
        start = self.dtype.fields["file_hash"][1]  # type: ignore[index]
        self._digest = slice(start, start + _HASH_BYTES)

    @property
    def layout(self) -> str:
        """What two formats must share for one to read the other's rows."""
        return f"{self.dtype.descr} {self.texts} {self.extras}"

    def pack(self, row: Mapping[str, Any]) -> tuple[bytes, str]:
        """(numbers, text) of a row; what `row` lacks is unknown: NaN, False or "".

        Raises:
            TypeError, ValueError, OverflowError, struct.error: a value that does not fit its
            column.
        """
        numbers = self._struct.pack(*(convert(row.get(name)) for name, convert in self._converters))
        texts: list[Any] = [str(row.get(name) or "") for name in self.texts]
        if self.extras:
            texts.append({name: _plain(row[name]) for name in self.extras if name in row})
        return numbers, _ENCODER.encode(texts)

    def fits(self, numbers: bytes, text: str) -> bool:
        """Whether a row from elsewhere has this format."""
        return len(numbers) == self._struct.size and text[:1] == "["

    def digest(self, numbers: bytes) -> bytes:
        """The hash of the file's content (16 bytes); zeros when the file could not be read."""
        return numbers[self._digest]


def _is_fixed(column: Column) -> bool:
    return column.kind != "array" or column.name in ARRAY_FORMS


def _is_text(column: Column) -> bool:
    return column.kind in ("category", "text") and column.name not in _HASHES


def _field(column: Column) -> tuple[str, str, Any, tuple[int, ...], Callable[[Any], Any]] | None:
    if column.name in _HASHES:
        return column.name, f"{_HASH_BYTES}s", "u1", (_HASH_BYTES,), _hash_bytes
    if column.name in ARRAY_FORMS:
        kind, shape = ARRAY_FORMS[column.name]
        size = np.dtype((kind, shape)).itemsize
        return column.name, f"{size}s", kind, shape, lambda value: _array_bytes(value, kind, shape)
    if _is_text(column):
        return None
    code, kind = _NUMBERS[column.kind]
    return column.name, code, kind, (), bool if column.kind == "bool" else _number


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _hash_bytes(value: Any) -> bytes:
    return bytes.fromhex(value) if value else bytes(_HASH_BYTES)


def _array_bytes(value: Any, kind: str, shape: tuple[int, ...]) -> bytes:
    return (
        np.zeros(shape, kind).tobytes()
        if value is None
        else np.asarray(value, dtype=kind).reshape(shape).tobytes()
    )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


class RowTable:
    """n rows being filled, in any order; memory is what the finished columns need."""

    def __init__(self, rows: int, format: RowFormat) -> None:
        self.format = format
        one = np.zeros(1, format.dtype)
        self._numbers = {
            name: np.zeros((rows, *one[name].shape[1:]), one[name].dtype) for name in format.names
        }
        # Single rows wait until there are enough of them to spread over the columns at once.
        self._staged: list[bytes] = []
        self._staged_rows: list[int] = []
        self._codes = {name: np.zeros(rows, np.int32) for name in format.texts}
        self._words: dict[str, dict[str, int]] = {name: {"": 0} for name in format.texts}
        self._extras: dict[str, list[Any]] = {name: [None] * rows for name in format.extras}
        self._memo: dict[str, tuple[tuple[str, int], ...]] = {}

    def put(self, row: int, numbers: bytes, text: str) -> None:
        """Fill one row with what `RowFormat.pack` gave."""
        self._staged.append(numbers)
        self._staged_rows.append(row)
        if len(self._staged) >= _STAGED_ROWS:
            self._spread_staged()
        self._put_text(row, text)

    def put_many(
        self, rows: NDArray[np.int64], numbers: Sequence[bytes], texts: Sequence[str]
    ) -> None:
        """Fill many rows at once."""
        self._spread(rows, numbers)
        for row, text in zip(rows.tolist(), texts, strict=True):
            self._put_text(row, text)

    def _spread_staged(self) -> None:
        self._spread(np.array(self._staged_rows, np.int64), self._staged)
        self._staged, self._staged_rows = [], []

    def _spread(self, rows: NDArray[np.int64], numbers: Sequence[bytes]) -> None:
        block = np.frombuffer(b"".join(numbers), self.format.dtype)
        for name, values in self._numbers.items():
            values[rows] = block[name]

    def _put_text(self, row: int, text: str) -> None:
        codes = self._memo.get(text)
        if codes is None:
            codes = self._read_text(row, text)
        for name, code in codes:
            self._codes[name][row] = code

    def _read_text(self, row: int, text: str) -> tuple[tuple[str, int], ...]:
        values = json.loads(text)
        codes = []
        for name, value in zip(self.format.texts, values, strict=False):
            if value:
                words = self._words[name]
                codes.append((name, words.setdefault(value, len(words))))
        if self.format.extras:
            for name, value in values[-1].items():
                self._extras[name][row] = value
        elif len(self._memo) < _MEMO_SIZE:
            self._memo[text] = tuple(codes)
        return tuple(codes)

    def is_blank(self, name: str, row: int) -> bool:
        """Whether a text column is empty there."""
        return not self._codes[name][row]

    def text(self, name: str, row: int) -> str:
        """One value of a text column."""
        code = self._codes[name][row]
        return (
            next(word for word, number in self._words[name].items() if number == code)
            if code
            else ""
        )

    def rows_with(self, name: str) -> NDArray[np.int64]:
        """The rows where a text column is not empty."""
        return np.flatnonzero(self._codes[name])

    def columns(self) -> dict[str, Any]:
        """Finished columns in the order of `dataprep.schemas.columns`, then those of plug-ins;
        arrays among them.
        """
        self._spread_staged()
        made = {name: self._finish_number(name) for name in self.format.names}
        made |= {name: self._finish_text(name) for name in self.format.texts if name != TROUBLE}
        ordered = {name: made[name] for name in COLUMNS if name in made}
        return ordered | {name: _finish_extra(values) for name, values in self._extras.items()}

    def _finish_number(self, name: str) -> Any:
        values = self._numbers[name]
        return _hexadecimal(values) if name in _HASHES else values

    def _finish_text(self, name: str) -> Any:
        import pandas as pd

        words = np.array(list(self._words[name]), dtype=object)
        if COLUMNS[name].kind == "text":
            return pd.array(words[self._codes[name]], dtype="str")
        order = np.argsort(words)
        ranks = np.empty_like(order)
        ranks[order] = np.arange(len(order))
        return pd.Categorical.from_codes(
            ranks[self._codes[name]], categories=pd.Index(words[order], dtype="str")
        )


def _hexadecimal(values: NDArray[np.uint8]) -> Any:
    import pandas as pd

    digits = values.tobytes().hex()
    width = 2 * _HASH_BYTES
    texts = (digits[start : start + width] for start in range(0, len(digits), width))
    nothing = "0" * width
    return pd.array(["" if text == nothing else text for text in texts], dtype="str")


def _finish_extra(values: list[Any]) -> Any:
    """A plug-in's column: an (n, ...) array where its values are lists of one shape, else text
    or numbers.
    """
    shapes = {np.shape(value) for value in values if value is not None}
    if len(shapes) == 1 and (shape := shapes.pop()):
        return np.array([np.zeros(shape) if value is None else value for value in values])
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values], dtype=object)
    if any(isinstance(value, bool) for value in values):
        return np.array([bool(value) for value in values])
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
