"""Ids of claims."""

from __future__ import annotations

import pandas as pd

from dataprep.schemas.dataset import Dataset
from dataprep.schemas.identity import issue_ids
from dataprep.schemas.issues import Issues, batch


def ids(names: list[str], hashes: list[str], **claims: object) -> list[str]:
    dataset = Dataset(
        "root", pd.DataFrame({"file_hash": hashes}, index=pd.Index(names, name="sample"))
    )
    columns = {"check": "dark", "severity": "info", "scope": "sample", "target": names} | claims
    return list(issue_ids(Issues.collect([batch(**columns)]), dataset))  # type: ignore[arg-type]


def test_an_id_follows_the_content_not_the_name_nor_the_figure() -> None:
    assert ids(["a", "b"], ["h1", "h2"], figure=1) == ids(["c", "d"], ["h1", "h2"], figure=2)
    assert ids(["a"], ["h1"]) != ids(["a"], ["h2"])


def test_check_scope_and_related_tell_claims_apart() -> None:
    made = [
        ids(["a"], ["h1"])[0],
        ids(["a"], ["h1"], check="bright")[0],
        ids(["a"], ["h1"], scope="pair", related="a")[0],
        ids(["a"], ["h1"], scope="pair", related="b")[0],
        ids(["a"], ["h1"], scope="class")[0],
    ]
    assert len(set(made)) == 5


def test_without_a_hash_the_name_counts() -> None:
    assert ids(["a"], [""]) == ids(["a"], [None])  # type: ignore[list-item]
    assert ids(["a"], [""]) != ids(["b"], [""])


def test_a_class_called_like_a_file_is_no_file() -> None:
    assert ids(["a"], ["h1"], scope="class") == ids(["a"], ["h2"], scope="class")


def test_ids_without_issues_or_samples() -> None:
    assert ids([], []) == []
    assert len(ids([], [], target=["gone.jpg"])) == 1
