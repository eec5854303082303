"""The record of an applied plan, which plan is in force, and the way back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataprep.cleaning import (
    apply_plan,
    clean,
    plan_in_force,
    read_applied,
    read_plan,
    undo,
    write_plan,
)
from dataprep.cleaning.applied import not_in_force
from dataprep.cleaning.folders import RECORD
from dataprep.errors import FingerprintError, InputError
from tests.cleaning.conftest import audit_of, claim, copy_claim


@pytest.fixture
def audit(dataset):
    """a.jpg is broken, b.jpg a copy of c.jpg, f.jpg is spelt wrong."""
    spelling = claim("label-spelling", "f.jpg", scope="record", suggestion="relabel", value="dog")
    return audit_of(
        dataset,
        claim("unreadable", "a.jpg", suggestion="drop"),
        copy_claim("b.jpg", "c.jpg"),
        spelling,
    )


@pytest.fixture
def place(tmp_path):
    """The folder of plans."""
    return tmp_path / "out" / "clean"


@pytest.fixture
def applied(audit, place):
    """The plan written and applied, as the command does it."""
    write_plan(clean(audit, relabel=True), place)
    apply_plan(
        place, audit, manifest=place / "clean.csv", folder=place.parent / "new", record=place
    )
    return place


def everything(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_record_says_what_was_changed_from_what_to_what_and_how_to_get_back(audit, applied):
    record = json.loads((applied / "applied.json").read_text())
    assert [
        {name: value for name, value in change.items() if name != "reason"}
        for change in record["changes"]
    ] == [
        {"sample": "a.jpg", "action": "drop", "label": "cat"},
        {"sample": "b.jpg", "action": "drop", "label": "cat"},
        {"sample": "f.jpg", "action": "relabel", "label": "Dog", "new_label": "dog"},
    ]
    assert record["changes"][0]["reason"].startswith("unreadable: ")
    assert f"originals in {audit.dataset.root} were not changed" in record["undo"]
    assert "dataprep clean --undo" in record["undo"]
    inside = json.loads((applied.parent / "new" / RECORD).read_text())
    assert inside["changes"] == record["changes"]


def test_an_applied_plan_comes_back_and_does_the_same(audit, applied):
    again = read_applied(applied)
    assert again.plan.counts == {"drop": 2, "relabel": 1, "review": 0, "keep": 0}
    assert again.plan.data == read_plan(applied).data
    assert again.plan.edited.empty
    assert (again.result.samples, again.result.dropped, again.result.relabelled) == (4, 2, 1)


def test_elsewhere_the_record_takes_the_name_of_the_manifest(audit, tmp_path, place):
    result = apply_plan(clean(audit), audit, manifest=tmp_path / "clean.csv")
    assert result.record == str(tmp_path / "clean.csv.applied.json")
    write_plan(clean(audit), place)
    apply_plan(place, audit, manifest=tmp_path / "clean.csv", record=place)
    assert (place / "applied.json").read_bytes() == (
        tmp_path / "clean.csv.applied.json"
    ).read_bytes()
    undo(place)
    assert sorted(os.listdir(tmp_path)) == ["images", "out"]


def test_undoing_removes_what_was_made_and_nothing_else(audit, applied, tmp_path):
    images, plan = everything(Path(audit.dataset.root)), (applied / "plan.csv").read_bytes()
    done = undo(applied, audit.dataset)
    assert set(done.removed) == {
        str(applied / "clean.csv"),
        str(applied / "run.json"),
        str(tmp_path / "out" / "new"),
    }
    assert done.left == ()
    assert sorted(os.listdir(applied)) == [".dataprep-out", "plan.csv", "plan.json"]
    assert sorted(os.listdir(tmp_path / "out")) == ["clean"]
    assert everything(Path(audit.dataset.root)) == images
    assert (applied / "plan.csv").read_bytes() == plan
    assert read_applied(applied) is None
    with pytest.raises(InputError, match="nothing to undo"):
        undo(applied, audit.dataset)


def test_a_changed_manifest_stays(audit, applied):
    with open(applied / "clean.csv", "a") as file:
        file.write("mine\n")
    done = undo(applied, audit.dataset)
    assert done.left == ((str(applied / "clean.csv"), "it was changed since"),)
    assert (applied / "clean.csv").read_text().endswith("mine\n")
    assert read_applied(applied) is None


def add_a_file(folder, root):
    (folder / "notes.txt").write_text("mine")


def edit_the_list(folder, root):
    with open(folder / "metadata.csv", "a") as file:
        file.write("mine\n")


def lose_an_original(folder, root):
    os.unlink(root / "c.jpg")


def change_a_copy(folder, root):
    os.unlink(folder / "cat" / "c.jpg")
    (folder / "cat" / "c.jpg").write_bytes(b"cropped")


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (add_a_file, "holds other files"),
        (edit_the_list, "lists were changed"),
        (lose_an_original, "original of cat/c.jpg is not there any more"),
        (change_a_copy, "one of the two was changed"),
    ],
)
def test_a_folder_that_holds_anything_that_is_nowhere_else_stays(audit, place, spoil, why, copy):
    write_plan(clean(audit, relabel=True), place)
    folder, root = place.parent / "new", Path(audit.dataset.root)
    apply_plan(place, audit, manifest=place / "clean.csv", folder=folder, copy=copy, record=place)
    spoil(folder, root)
    before = everything(folder)
    done = undo(place, audit.dataset)
    assert [path for path, _ in done.left] == [str(folder)]
    assert why in done.left[0][1]
    assert everything(folder) == before


def test_without_the_audit_a_folder_stays(audit, applied):
    assert "audit that it was made from" in dict(undo(applied).left)[str(applied.parent / "new")]


def test_copies_are_removed_while_their_originals_are_there(audit, place):
    write_plan(clean(audit), place)
    apply_plan(
        place,
        audit,
        manifest=place / "clean.csv",
        folder=place.parent / "new",
        copy=True,
        layout="tree",
        record=place,
    )
    assert undo(place, audit.dataset).left == ()
    assert not (place.parent / "new").exists()


def test_a_plan_counts_only_when_it_was_applied_or_is_named(audit, place):
    dataset = audit.dataset
    assert plan_in_force(place, dataset) == (None, "")
    write_plan(clean(audit), place)
    plan, note = plan_in_force(place, dataset)
    assert plan is None
    assert "was not applied, so it is not used" in note
    assert "--plan" in note
    plan, note = plan_in_force(place, dataset, place)
    assert plan.counts["drop"] == 2
    assert "applied or not: 2 dropped, 0 relabelled" in note
    apply_plan(place, audit, manifest=place / "clean.csv", record=place)
    plan, note = plan_in_force(place, dataset)
    assert plan.counts["drop"] == 2
    assert note.endswith("applied.json: 2 dropped, 0 relabelled")
    undo(place, dataset)
    assert plan_in_force(place, dataset)[0] is None


def test_a_plan_changed_after_it_was_applied_does_not_count_yet(audit, applied):
    write_plan(clean(audit), applied)
    plan, note = plan_in_force(applied, audit.dataset)
    assert plan.counts["relabel"] == 1
    assert "was changed since, and counts when it is applied" in note
    (applied / "plan.csv").write_text("nonsense")
    assert "was changed since" in plan_in_force(applied, audit.dataset)[1]
    os.unlink(applied / "plan.csv")
    assert plan_in_force(applied, audit.dataset)[1].endswith("1 relabelled")


def test_an_applied_plan_for_other_data_does_not_count_and_a_named_one_is_refused(audit, applied):
    other = audit.dataset.where(np.arange(6) < 5)
    plan, note = plan_in_force(applied, other)
    assert plan is None
    assert "is for other data and is not used: it was made for 6 samples" in note
    with pytest.raises(FingerprintError, match="made for other data"):
        plan_in_force(applied, other, applied)


@pytest.mark.parametrize("text", ["{", "[]", '{"applied": 99}'])
def test_a_damaged_record_says_what_to_do(applied, text):
    (applied / "applied.json").write_text(text)
    with pytest.raises(InputError, match="Apply the plan again: dataprep clean --apply"):
        read_applied(applied)


def test_what_a_split_does_not_have_of_a_plan_is_named(audit, applied):
    plan = read_applied(applied).plan
    assert (
        not_in_force(plan, audit.dataset) == "2 samples that it drops and 1 sample that it relabels"
    )
    kept = audit.dataset.where(~audit.dataset.samples.index.isin(["a.jpg", "b.jpg"]))
    assert not_in_force(plan, kept.assign(label=["cat", "dog", "dog", "dog"])) == ""


def test_a_listed_file_that_is_missing_is_no_hindrance(audit, tmp_path):
    os.unlink(os.path.join(audit.dataset.root, "f.jpg"))
    lost = audit.dataset.assign(lost=["", "", "", "", "", "missing"])
    gone = audit_of(lost, claim("unreadable", "f.jpg", suggestion="drop"))
    done = apply_plan(clean(gone), gone, folder=tmp_path / "new")
    assert (done.samples, done.linked) == (6, 5)  # the last of its class is left to a person


def test_a_plan_with_edits_is_applied_as_edited(audit, place):
    plan = clean(audit)
    table = plan.table.set_index("sample")
    table.loc["b.jpg", "action"] = "keep"
    edited = replace(plan, table=table.reset_index())
    write_plan(edited, place)
    apply_plan(place, audit, manifest=place / "clean.csv", record=place)
    assert list(read_applied(place).plan.table["sample"]) == ["a.jpg"]
