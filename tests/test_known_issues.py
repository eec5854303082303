"""Issues that are known already: from an earlier report, and from a list of dismissed ones."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from dataprep.errors import InputError
from dataprep.known_issues import ignore, only_new, read_ignored, without_ignored
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.identity import issue_ids
from dataprep.schemas.issues import Issues, batch


def dataset_of(**hashes):
    return Dataset(
        "images",
        pd.DataFrame(
            {"file_hash": hashes.values()},
            index=pd.Index([f"{n}.jpg" for n in hashes], name="sample"),
        ),
    )


def issues_of(*claims):
    return Issues.collect(batch(check, "warning", "sample", [target]) for check, target in claims)


@pytest.fixture
def dataset():
    return dataset_of(a="hash-1", b="hash-2", c="hash-3")


@pytest.fixture
def issues():
    return issues_of(("dark", "a.jpg"), ("dark", "b.jpg"), ("blurry", "a.jpg"))


def write_report(folder, issues, dataset, **more):
    (folder / "report.json").write_text(
        json.dumps({"ids": list(issue_ids(issues, dataset)), **more})
    )
    return folder / "report.json"


def targets(issues):
    return set(zip(issues.table["check"], issues.table["target"], strict=True))


def test_only_new_issues_are_left(issues, dataset, tmp_path):
    known = write_report(tmp_path, issues, dataset)
    now = issues_of(("dark", "a.jpg"), ("dark", "c.jpg"), ("noisy", "a.jpg"))
    assert targets(only_new(now, dataset, known)) == {("dark", "c.jpg"), ("noisy", "a.jpg")}
    assert targets(only_new(now, dataset, tmp_path)) == {("dark", "c.jpg"), ("noisy", "a.jpg")}


def test_renamed_files_are_known_and_changed_ones_are_new(issues, dataset, tmp_path):
    known = write_report(tmp_path, issues, dataset)
    now = issues_of(("dark", "renamed.jpg"), ("dark", "b.jpg"))
    assert targets(only_new(now, dataset_of(renamed="hash-1", b="edited"), known)) == {
        ("dark", "b.jpg")
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "cannot read"), ("{", "cannot read"), ("[]", "no report"), ("{}", "no report")],
)
def test_what_is_no_earlier_report_is_named(issues, dataset, tmp_path, text, says):
    path = tmp_path / "old.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=says):
        only_new(issues, dataset, path)


def test_dismissed_issues_are_gone_and_added_once(issues, dataset, tmp_path):
    path = tmp_path / "dataprep-ignore.csv"
    assert ignore(issues.of("blurry"), dataset, path, note="fog, as meant") == 1
    assert ignore(issues, dataset, path) == 2
    assert [row["note"] for row in read_ignored(path)] == ["fog, as meant", "", ""]
    assert len(without_ignored(issues, dataset, path)) == 0
    fresh = issues_of(("dark", "a.jpg"), ("noisy", "a.jpg"))
    assert targets(without_ignored(fresh, dataset, path)) == {("noisy", "a.jpg")}
    assert len(without_ignored(Issues.collect([]), dataset, path)) == 0


def test_everything_wrong_with_a_list_is_said_at_once(issues, dataset, tmp_path):
    path = tmp_path / "ignore.csv"
    path.write_text("check,id\nblury,0123456789abcdef\ndark,1.2E+15\n")
    with pytest.raises(InputError) as raised:
        without_ignored(issues, dataset, path)
    assert "row 2: no check is called 'blury'. Did you mean 'blurry'?" in str(raised.value)
    assert "row 3: expected an id of 16 hexadecimal digits" in str(raised.value)
    path.write_text("")
    with pytest.raises(InputError, match="expected the columns check and id"):
        without_ignored(issues, dataset, path)
    with pytest.raises(InputError, match="cannot read the ignore list"):
        without_ignored(issues, dataset, tmp_path / "none.csv")
