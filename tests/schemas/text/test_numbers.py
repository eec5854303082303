"""Columns of text as numbers: every writing of one, and what only looks like one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.schemas.text.numbers import (
    are_plain_numbers,
    equals,
    number_kind_of,
    numbers_of,
    truths_of,
)


@pytest.mark.parametrize(
    ("texts", "values", "kind", "plain"),
    [
        (["1", "2", None], [1, 2, np.nan], "int", True),
        (["007", "010"], [7, 10], "int", False),
        (
            ["123456789012345678", "123456789012345679"],
            [123456789012345678, 123456789012345679],
            "int",
            False,
        ),
        (["1.50", "-2", ".5", "1e3"], [1.5, -2, 0.5, 1000], "float", False),
        (["1.50", "-2"], [1.5, -2], "float", True),
        (["3", "N/A", "none", " 4 "], [3, np.nan, np.nan, 4], "int", False),
        (["inf", "-Infinity", "1"], [np.inf, -np.inf, 1], "float", False),
    ],
)
@pytest.mark.parametrize("dtype", ["category", "object", "str"])
def test_numbers(texts, values, kind, plain, dtype):
    column = pd.Series(texts, dtype="object").astype(dtype)
    found = numbers_of(column)
    assert found is not None
    np.testing.assert_array_equal(found, np.array(values, float))
    assert (number_kind_of(column), are_plain_numbers(column)) == (kind, plain)


@pytest.mark.parametrize(
    "texts",
    [
        ["1_000", "2"],
        ["١", "٢"],
        ["0x10"],
        ["1,5"],
        ["true"],
        ["nan", "N/A"],
        ["9" * 1000],
        ["a", "1"],
        [],
    ],
)
def test_no_numbers(texts):
    column = pd.Series(texts, dtype="str").astype("category")
    assert numbers_of(column) is None
    assert not are_plain_numbers(column)


def test_categories_without_a_row_have_no_say():
    column = pd.Series(["1", "2", "x"], dtype="category")
    np.testing.assert_array_equal(numbers_of(column.iloc[:2]), [1.0, 2.0])


def test_truth_values_are_not_numbers():
    column = pd.Series(["True", "false", None, "TRUE"], dtype="category")
    assert (numbers_of(column), number_kind_of(column)) == (None, "bool")
    np.testing.assert_array_equal(truths_of(column), [1, 0, np.nan, 1])
    assert (numbers_of(pd.Series([True, False])), number_kind_of(pd.Series([True]))) == (
        None,
        "bool",
    )
    assert truths_of(pd.Series(["1", "0"])) is None


@pytest.mark.parametrize(
    ("cells", "value", "rows"),
    [
        (["3", "30", "3"], "3", [0, 2]),
        (["3.0", "4.0"], "3", [0]),
        ([3.0, 4.0], "3", [0]),
        ([3, 4], "3", [0]),
        (["03", "3"], "3", [1]),
        (["03", "4"], "3", [0]),
        (["a", "b"], "b", [1]),
        (["a", None], "nan", []),
    ],
)
def test_equal_cells(cells, value, rows):
    column = pd.Series(cells)
    assert (
        np.flatnonzero(
            equals(column.astype("category") if isinstance(cells[0], str) else column, value)
        ).tolist()
        == rows
    )
