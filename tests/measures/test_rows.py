from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.measures.rows import RowFormat, RowTable
from dataprep.schemas.columns import ARRAY_FORMS, COLUMNS

MEASURED = [
    column.name for column in COLUMNS.values() if column.family not in ("given", "array")
] + list(ARRAY_FORMS)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = {
    "float": st.floats(width=32, allow_infinity=False),
    "int": st.integers(0, 2**53),
    "bool": st.booleans(),
    "category": _text,
    "text": _text,
}


def _value(name: str) -> st.SearchStrategy[object]:
    if name in ("file_hash", "pixel_hash"):
        return st.binary(min_size=16, max_size=16).map(bytes.hex)
    if name in ARRAY_FORMS:
        kind, shape = ARRAY_FORMS[name]
        return st.integers(0, 255).map(lambda value: np.full(shape, value, kind))
    return _VALUES[COLUMNS[name].kind]


_rows = st.lists(
    st.fixed_dictionaries({}, optional={name: _value(name) for name in MEASURED}), max_size=6
)


@settings(deadline=None)
@given(_rows, st.randoms(use_true_random=False))
def test_what_goes_in_comes_out_in_whatever_order_and_way(
    rows: list[dict[str, object]], random: object
) -> None:
    layout = RowFormat(MEASURED)
    table = RowTable(len(rows), layout)
    packed = [layout.pack(row) for row in rows]
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    single, many = order[: len(order) // 2], order[len(order) // 2 :]
    for row in single:
        table.put(row, *packed[row])
    table.put_many(
        np.array(many, np.int64), [packed[row][0] for row in many], [packed[row][1] for row in many]
    )
    columns = table.columns()
    assert set(columns) == set(MEASURED)
    for index, row in enumerate(rows):
        for name in MEASURED:
            assert _same(columns[name][index], row.get(name), name), name


def _same(found: object, given: object, name: str) -> bool:
    if name in ARRAY_FORMS:
        return np.array_equal(found, 0 * found if given is None else given)
    if COLUMNS[name].kind in ("category", "text"):
        zero = name.endswith("_hash") and given == "0" * 32
        return found == ("" if given is None or zero else given)
    if COLUMNS[name].kind == "bool":
        return bool(found) is bool(given)
    return math.isnan(found) if given is None or math.isnan(given) else found == given


def test_staged_rows_are_spread_before_they_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataprep.measures.rows._STAGED_ROWS", 10)
    layout = RowFormat(["width"])
    table = RowTable(95, layout)
    for row in range(95):
        table.put(row, *layout.pack({"width": row}))
        assert len(table._staged) < 10
    assert table.columns()["width"].tolist() == list(range(95))


def test_categories_do_not_depend_on_the_order_of_finishing() -> None:
    layout = RowFormat(["format"])
    tables = []
    for order in ([0, 1, 2], [2, 1, 0]):
        table = RowTable(3, layout)
        for row in order:
            table.put(row, *layout.pack({"format": ["PNG", "JPEG", "PNG"][row]}))
        tables.append(table.columns()["format"])
    assert tables[0].equals(tables[1])
    assert list(tables[0].categories) == ["", "JPEG", "PNG"]


def test_rows_of_another_layout_do_not_fit() -> None:
    wide, narrow = RowFormat(["width", "phash"]), RowFormat(["width"])
    assert wide.fits(*wide.pack({}))
    assert not narrow.fits(*wide.pack({}))
    assert wide.layout != narrow.layout == RowFormat(["width", "bytes"]).layout


def test_the_digest_of_a_row_is_its_file_hash() -> None:
    layout = RowFormat(MEASURED)
    numbers, _ = layout.pack({"file_hash": "0f" * 16})
    assert layout.digest(numbers) == b"\x0f" * 16
    assert not any(layout.digest(layout.pack({"width": 3})[0]))
