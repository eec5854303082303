"""Messages from templates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.reports.messages import read_evidence, render
from dataprep.schemas.issues import batch


def one(template: str, **columns: object) -> str:
    return render(batch("check", "info", "sample", ["a.jpg"], **columns), {"check": template})[0]


def test_columns_and_evidence_fill_the_template_with_their_formats() -> None:
    text = one(
        "{target}: {figure:.1f} {unit}, limit {limit:,}",
        figure=2.345,
        unit="bits",
        evidence={"limit": 12345},
    )
    assert text == "a.jpg: 2.3 bits, limit 12,345"


def test_a_missing_value_is_a_question_mark_whatever_its_format() -> None:
    assert one("{figure:.2f} of {limit:.3f} in {place[0]}") == "? of ? in ?"


def test_text_where_a_number_was_expected_is_shown_as_it_is() -> None:
    assert one("{limit:.2f} {target}", evidence={"limit": "none"}) == "none a.jpg"


def test_braces_in_a_name_are_no_template() -> None:
    assert (
        one("{target} {related}", related="{figure}{0.__class__}") == "a.jpg {figure}{0.__class__}"
    )


def test_rows_of_several_checks_keep_their_order_and_unknown_checks_their_figure() -> None:
    table = pd.concat(
        [
            batch("b", "info", "sample", ["1"], figure=1),
            batch("a", "info", "sample", ["2"], figure=2, unit="px"),
        ]
    )
    assert render(table, {"b": "is {target}"}) == ["is 1", "2 px"]


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", "null"])
def test_evidence_that_is_no_mapping_is_empty(text: str) -> None:
    assert read_evidence(text) == {}


def test_not_a_number_in_evidence_is_left_out() -> None:
    assert read_evidence('{"a":NaN,"b":1}') == {"b": 1}


@given(st.lists(st.text(), min_size=1, max_size=4), st.floats())
def test_any_name_and_figure_give_one_line(names: list[str], figure: float) -> None:
    table = batch(
        "check",
        "info",
        "sample",
        np.array(names, dtype=object),
        figure=figure,
        evidence={"names": names},
    )
    for text in render(table, {"check": "{target} {figure:.2f} {names}"}):
        assert "\n" not in text
