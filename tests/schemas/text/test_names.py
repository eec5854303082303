"""Names go out and come back unchanged."""

from __future__ import annotations

import os

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataprep.schemas.text.names import escape_name, unescape_name


@given(
    st.text(
        st.one_of(st.characters(), st.characters(categories=["Cs"]), st.sampled_from("\\xu0cde95")),
        max_size=30,
    )
)
@example("\\x5c\\\\u\udce9\\x41\\")
@example("\\u00e9\ud800\\xzz")
def test_any_text_survives(name):
    text = escape_name(name)
    text.encode("utf-8")
    assert unescape_name(text) == name


@given(st.binary(max_size=40))
def test_any_bytes_survive(data):
    name = data.decode("utf-8", "surrogateescape")
    assert unescape_name(escape_name(name)).encode("utf-8", "surrogateescape") == data


@pytest.mark.parametrize("name", ["plain.jpg", "naïve 猫.jpg", "new\nline", r"back\slash"])
def test_usual_names_stay_as_they_are(name):
    assert escape_name(name) == name


def test_escaped_names_fit_in_files(tmp_path):
    names = [escape_name(os.fsdecode(b"caf\xe9.jpg")), escape_name("\ud800.jpg")]
    pd.DataFrame({"name": names}).to_parquet(tmp_path / "names.parquet")
    assert pd.read_parquet(tmp_path / "names.parquet")["name"].tolist() == [
        r"caf\xe9.jpg",
        r"\ud800.jpg",
    ]
