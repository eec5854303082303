"""A user's own columns: they come back as they were written, and count as numbers where one is
asked for.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dataprep
from dataprep.checks.statistics.properties import properties_of
from dataprep.cleaning.applying import manifest_bytes, rows_of
from dataprep.normalisation.fitting import fit_columns
from dataprep.splits import split
from dataprep.splits.features import balance_features
from tests.splits.made import made_audit

WRITTEN = {
    "code": ["007", "012", "7"],
    "id": ["123456789012345678", "123456789012345679", "1"],
    "centre": ["0", "1", ""],
    "weight": ["2.50", "1e3", "-0"],
    "word": ["N/A", "null", " None"],
    "good": ["True", "false", "TRUE"],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for i in range(3):
        (tmp_path / f"{i}.jpg").write_bytes(b"not opened by scan")
    return tmp_path


def cells(samples: pd.DataFrame, name: str) -> list[str]:
    return samples[name].astype(object).where(samples[name].notna(), "").tolist()


def test_text_comes_back_as_it_was_written(root):
    table = pd.DataFrame(
        {"path": [f"{i}.jpg" for i in range(3)], "label": ["x", "y", "x"], **WRITTEN}
    )
    table.to_csv(root / "m.csv", index=False, quoting=1)
    dataset = dataprep.scan(root / "m.csv")
    assert {name: cells(dataset.samples, name) for name in WRITTEN} == WRITTEN
    out = root / "out.csv"
    out.write_bytes(manifest_bytes(rows_of(dataset), str(out)))
    again = pd.read_csv(out, dtype="str", keep_default_na=False)
    assert again[list(WRITTEN)].to_dict("list") == WRITTEN


def test_json_types(root):
    values = [
        [1, 2, None],
        [1.0, 0.1, 2.0],
        [True, False, None],
        [[1, "ä"], {"b": 1, "a": 2}, None],
        [10**17 + 1, 2, 3],
    ]
    wanted = [
        ["1", "2", ""],
        ["1.0", "0.1", "2.0"],
        ["true", "false", ""],
        ['[1, "ä"]', '{"b": 1, "a": 2}', ""],
        [str(10**17 + 1), "2", "3"],
    ]
    rows = [
        {"path": f"{i}.jpg", **{f"c{j}": column[i] for j, column in enumerate(values)}}
        for i in range(3)
    ]
    for name, text in (("m.json", json.dumps(rows)), ("m.jsonl", "\n".join(map(json.dumps, rows)))):
        (root / name).write_text(text)
        samples = dataprep.scan(root / name).samples
        assert [cells(samples, f"c{j}") for j in range(len(values))] == wanted


def test_parquet_types(root):
    table = pa.table(
        {
            "path": [f"{i}.jpg" for i in range(3)],
            "small": pa.array([0.1, 2.5, None], pa.float32()),
            "whole": pa.array([1, None, 3], pa.int8()),
            "gaps": pa.array([1.0, None, 3.0], pa.float64()),
            "float": pa.array([1.0, 2.0, 3.0], pa.float64()),
            "flag": pa.array([True, None, False]),
            "text": pa.array(["007", "", None]).dictionary_encode(),
        }
    )
    pq.write_table(table, root / "m.parquet")
    samples = dataprep.scan(root / "m.parquet").samples
    assert cells(samples, "small") == ["0.1", "2.5", ""]
    assert cells(samples, "whole") == ["1", "", "3"]
    assert cells(samples, "gaps") == ["1", "", "3"]
    assert cells(samples, "float") == ["1.0", "2.0", "3.0"]
    assert cells(samples, "flag") == ["true", "", "false"]
    assert cells(samples, "text") == ["007", "", ""]


def text(values) -> pd.Categorical:
    return pd.Categorical([str(value) for value in values])


@pytest.mark.parametrize("value", ["3", "3.0"])
def test_an_external_number_is_named_as_it_is_written_or_by_its_value(value):
    audit = made_audit(["a", "b"] * 20, centre=text(number % 5 for number in range(40)))
    assert split(audit, external=f"centre={value}", tests=False).parts["external"] == 8


def test_columns_of_numbers_in_text_count_as_numbers():
    numbers = np.arange(60) / 4
    typed, written = (
        made_audit(["a", "b"] * 30, x=numbers).dataset,
        made_audit(["a", "b"] * 30, x=text(numbers)).dataset,
    )
    order = np.arange(60)
    assert (
        balance_features(written, order, ["x"]).names == balance_features(typed, order, ["x"]).names
    )
    found = {each.name: each for each in properties_of(written, order)}["x"]
    np.testing.assert_array_equal(found.values, numbers)
    assert found.categories == ()
    assert fit_columns(written.samples, ["x"], "z-score") == fit_columns(
        typed.samples, ["x"], "z-score"
    )


def test_time_in_text_orders_as_numbers():
    audit = made_audit(["a", "b"] * 50, day=text(range(100)))
    made = split(audit, ratios="train=0.8,test=0.2", time_column="day", tests=False).dataset.samples
    assert sorted(made.loc[made["split"] == "test", "day"].astype(int)) == list(range(80, 100))


def test_scaling_takes_numbers_and_truth_values_in_text_and_names_what_is_none():
    table = pd.DataFrame(
        {"age": text([1, 3, 5]), "good": text([True, False, True]), "site": text("abc")}
    )
    age, good = fit_columns(table, ["age", "good"], "min-max")
    assert (age.centre, age.spread, age.values, good.values) == (1.0, 4.0, "int", "bool")
    assert age.apply(table["age"]).tolist() == [0.0, 0.5, 1.0]
    with pytest.raises(
        dataprep.errors.OptionError, match="column 'site' holds 'a', expected numbers"
    ):
        fit_columns(table, ["site"], "min-max")


def test_words_for_missing_do_not_join_samples_as_a_group():
    from dataprep.splits.units import units_of

    audit = made_audit(["a"] * 5, video=pd.Categorical(["x", "x", "N/A", "n/a", "nan"]))
    assert len(np.unique(units_of(audit, ["video"]).unit)) == 4
