"""issues.csv and samples.parquet."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from dataprep.cleaning import audits
from dataprep.reports.audit.tables import (
    FORMULA,
    ISSUE_COLUMNS,
    neutralised,
    write_issues,
    write_samples,
)
from dataprep.reports.audit.tables import restored as put_back
from dataprep.schemas.audit import Audit
from dataprep.schemas.identity import issue_ids
from dataprep.schemas.issues import Issues, batch


def rows_of(audit: Audit) -> list[dict[str, str]]:
    file = io.BytesIO()
    write_issues(file, audit)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8"), newline="")))


def test_issues_csv_holds_every_claim_with_its_id_and_message(audit: Audit) -> None:
    rows = rows_of(audit)
    assert tuple(rows[0]) == ISSUE_COLUMNS
    assert [row["id"] for row in rows] == list(issue_ids(audit.issues, audit.dataset))
    dark = [row for row in rows if row["check"] == "dark"]
    assert dark[0]["message"] == "99 % of the pixels are darker than 0.01; the limit is 0.20"
    assert float(dark[0]["figure"]) == 0.01


def test_issues_csv_of_no_issues_is_its_header(empty_audit: Audit) -> None:
    file = io.BytesIO()
    write_issues(file, empty_audit)
    assert file.getvalue().decode().strip().replace('"', "") == ",".join(ISSUE_COLUMNS)


def restored(text: str) -> str:
    return text[1:] if re.match(FORMULA, text) else text


@given(st.lists(st.text(st.sampled_from("'=+-@\t\ra1 \n"), max_size=6), min_size=1))
def test_no_text_looks_like_a_formula_and_none_is_lost(texts: list[str]) -> None:
    safe = neutralised(pa.array(texts)).to_pylist()
    assert not any(text[:1] in tuple("=+-@\t\r") for text in safe if text)
    assert [restored(text) for text in safe] == texts


@given(
    st.lists(
        st.text(st.sampled_from("'=\x1b[31m\x00\x07\x7f\x9b\\\\u001bx5ca\r\n\t"), max_size=9),
        min_size=1,
    )
)
def test_no_text_commands_a_terminal_and_none_is_lost(texts: list[str]) -> None:
    safe = neutralised(pa.array(texts)).to_pylist()
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "".join(safe))
    assert put_back(pd.Series(safe, dtype="str")).tolist() == texts


def test_a_path_with_escape_codes_survives_issues_and_plan(tmp_path: Path, audit: Audit) -> None:
    names = ["\x1b]0;owned\x07.png", "a\\u001b.png", "=1+1\x1b[2J.png", "+\x9b31m.png"]
    claims = batch("dark", "warning", "sample", names, figure=0.1)
    odd = replace(audit, issues=Issues.collect([claims]))
    with open(tmp_path / "issues.csv", "wb") as file:
        write_issues(file, odd)
    assert b"\x1b" not in (tmp_path / "issues.csv").read_bytes()
    assert set(audits._read_issues(str(tmp_path / "issues.csv")).table["target"]) == set(names)


def test_samples_parquet_gives_the_table_back(audit: Audit) -> None:
    file = io.BytesIO()
    mixed = replace(audit, dataset=audit.dataset.assign(mixed=[1, "a"] * 12))
    write_samples(file, mixed)
    table = parquet.read_table(io.BytesIO(file.getvalue()))
    assert table.column_names[:3] == ["sample", "label", "split"]
    assert table.column_names[-2:] == ["patient", "mixed"]
    assert table["sample"].to_pylist() == list(audit.dataset.samples.index)
    assert table["mixed"].to_pylist()[:2] == ["1", "a"]
    back = table.to_pandas()
    pd.testing.assert_series_equal(
        back["luma_p99"], audit.dataset.samples["luma_p99"].reset_index(drop=True)
    )
    assert table["width"].null_count == 1
