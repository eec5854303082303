"""Plans on disk: what people do to them in spreadsheets, and what they are told."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from dataprep.cleaning import clean, read_audit, read_plan, write_plan
from dataprep.errors import FingerprintError, InputError
from tests.cleaning.conftest import audit_of, claim, copy_claim, write_audit


@pytest.fixture
def audit(dataset):
    return audit_of(
        dataset,
        claim("unreadable", "a.jpg", suggestion="drop"),
        claim("label-spelling", "f.jpg", scope="record", suggestion="relabel", value="dog"),
        claim("dark", "b.jpg"),
    )


def rewrite(path, *rows, header="sample,action,new_label"):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([header, *rows]))


def test_a_plan_comes_back_as_it_was(audit, tmp_path):
    plan = clean(audit)
    path = write_plan(plan, tmp_path)
    again = read_plan(path, audit.dataset)
    assert again.table.equals(plan.table)
    assert again.data == plan.data
    assert again.edited.empty


def test_names_that_look_like_formulas_are_made_harmless_and_come_back(dataset, tmp_path):
    samples = dataset.samples.rename(index={"a.jpg": "=cmd|x.jpg", "b.jpg": "'=y.jpg"})
    samples.index.name = "sample"
    odd = replace(dataset, samples=samples)
    plan = clean(audit_of(odd, claim("dark", "=cmd|x.jpg"), claim("dark", "'=y.jpg")))
    path = write_plan(plan, tmp_path)
    with open(path, encoding="utf-8-sig") as file:
        assert {row["sample"] for row in csv.DictReader(file)} == {"'=cmd|x.jpg", "''=y.jpg"}
    assert set(read_plan(path, odd).table["sample"]) == {"=cmd|x.jpg", "'=y.jpg"}


def test_an_edit_made_in_a_european_spreadsheet_is_understood(audit, tmp_path):
    path = write_plan(clean(audit), tmp_path)
    rewrite(path, "b.jpg;Drop ;", "", "e.jpg;relabel;cat;;", header="Sample;Action;new_label")
    plan = read_plan(tmp_path, audit.dataset)
    assert plan.table[["sample", "action", "new_label"]].to_numpy().tolist() == [
        ["b.jpg", "drop", ""],
        ["e.jpg", "relabel", "cat"],
    ]
    assert list(plan.table["source"]) == ["edit", "edit"]
    assert len(plan.edited) == 2


def test_everything_wrong_with_a_plan_is_said_at_once_with_row_numbers(audit, tmp_path):
    path = write_plan(clean(audit), tmp_path)
    rewrite(
        path,
        "a.jpeg,drop,",
        "b.jpg,delete,",
        "c.jpg,relabel,",
        "d.jpg,relabel,kat",
        "e.jpg,drop,",
        "e.jpg,keep,",
        "f.jpg,keep,dog",
    )
    with pytest.raises(InputError) as raised:
        read_plan(path, audit.dataset)
    text = str(raised.value)
    for expected in (
        "6 errors",
        "row 2: no sample is called 'a.jpeg'. Did you mean 'a.jpg'?",
        "row 3: action 'delete': expected one of drop, relabel, review, keep",
        "row 4: action relabel without a new_label",
        "row 5: no sample has the label 'kat'. Did you mean 'cat'?",
        "row 7: 'e.jpg' has a row already",
        "row 8: new_label 'dog' with the action keep",
    ):
        assert expected in text
    rewrite(path, "d.jpg,relabel,kitten")
    assert read_plan(path, audit.dataset, new_labels=True).counts["relabel"] == 1


def test_an_emptied_class_is_a_warning_after_edits_too(audit, tmp_path):
    path = write_plan(clean(audit), tmp_path)
    rewrite(path, "d.jpg,drop,", "e.jpg,drop,")
    assert read_plan(path, audit.dataset).warnings[0].startswith("class 'dog' would be left empty")


def test_edits_are_not_overwritten_by_accident(audit, tmp_path):
    plan = clean(audit)
    path = write_plan(plan, tmp_path)
    write_plan(plan, tmp_path)
    rewrite(path, "b.jpg,drop,")
    with pytest.raises(InputError, match=r"was edited \(1 rows, first b.jpg\)"):
        write_plan(plan, tmp_path)
    write_plan(clean(audit, edits=read_plan(path)), tmp_path)
    assert read_plan(path).counts == {"drop": 2, "relabel": 0, "review": 1, "keep": 0}
    write_plan(plan, tmp_path, overwrite=True)
    assert read_plan(path).edited.empty


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "plan.csv").unlink(), "no plan at .* dataprep clean"),
        (lambda folder: (folder / "plan.json").unlink(), "Keep the two together"),
        (lambda folder: (folder / "plan.json").write_text("[]"), "version 1"),
        (
            lambda folder: (folder / "plan.csv").write_bytes(
                "sample,action\né.jpg,drop".encode("latin-1")
            ),
            "not UTF-8",
        ),
        (
            lambda folder: (folder / "plan.csv").write_text("path,do\n"),
            "expected a column 'sample', got path, do",
        ),
        (lambda folder: (folder / "plan.csv").write_text(""), "empty file"),
    ],
)
def test_a_damaged_plan_is_named(audit, tmp_path, spoil, says):
    write_plan(clean(audit), tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError, match=says):
        read_plan(tmp_path)


def test_an_audit_comes_back_from_disk_and_gives_the_same_plan(dataset, tmp_path):
    risky = claim(
        "label-spelling",
        "f.jpg",
        scope="record",
        suggestion="relabel",
        value="=dog",
        evidence={"limit": 0.25},
    )
    audit = audit_of(
        dataset, risky, copy_claim("b.jpg", "a.jpg"), claim("dark", "c.jpg", figure=float("nan"))
    )
    again = read_audit(write_audit(audit, tmp_path / "audit"))
    assert again.dataset.fingerprint == dataset.fingerprint
    assert again.dataset.classes == ("Dog", "cat", "dog")
    assert again.issues.table.astype("str").equals(audit.issues.table.astype("str"))
    assert clean(tmp_path / "audit").table.equals(clean(audit).table)


def test_an_audit_without_issues_comes_back(dataset, tmp_path):
    assert len(read_audit(write_audit(audit_of(dataset), tmp_path)).issues) == 0


def test_a_missing_or_mixed_audit_says_what_to_do(audit, dataset, tmp_path):
    with pytest.raises(
        InputError, match=r"which lacks .*issues.csv, run.json. Make one: dataprep audit"
    ):
        read_audit(tmp_path)
    folder = write_audit(audit, tmp_path / "audit")
    (folder / "run.json").write_text('{"fingerprint": "of another run"}')
    with pytest.raises(FingerprintError, match="not of the same audit"):
        read_audit(folder)
    (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot read .*run.json"):
        read_audit(folder)
