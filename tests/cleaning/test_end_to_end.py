"""From a folder with faults through an audit on disk, a plan and an edit to a folder without
them.
"""

from __future__ import annotations

import shutil

import dataprep
from dataprep.cleaning import read_audit, read_plan, write_plan
from tests.conftest import save, textured

OPTIONS = dataprep.PassOptions(jobs=1, cache=False)
CHECKS = ("unreadable", "exact-duplicate", "near-duplicate", "dark")


def audit_of(folder):
    return dataprep.audit(str(folder), only=CHECKS, pass_options=OPTIONS)


def test_what_was_found_is_gone_from_the_cleaned_folder(class_folders, tmp_path):
    shutil.copy(class_folders / "cat" / "01.jpg", class_folders / "cat" / "copy.jpg")
    (class_folders / "dog" / "broken.jpg").write_bytes(
        (class_folders / "dog" / "00.jpg").read_bytes()[:200]
    )
    save(textured(99) // 16, class_folders / "dog" / "night.png")
    before = {path: path.read_bytes() for path in class_folders.rglob("*.*")}

    found = audit_of(class_folders)
    dataprep.report(found, tmp_path / "out" / "audit", thumbnails=False)
    audit = read_audit(tmp_path / "out" / "audit")
    assert audit.dataset.fingerprint == found.dataset.fingerprint
    assert audit.dataset.classes == found.dataset.classes
    assert dataprep.clean(audit).table.equals(dataprep.clean(found).table)

    plan = dataprep.clean(audit)
    dropped = set(plan.table.loc[plan.table["action"] == "drop", "sample"])
    assert len(dropped & {"cat/01.jpg", "cat/copy.jpg"}) == 1
    assert dropped - {"cat/01.jpg", "cat/copy.jpg"} == {"dog/broken.jpg"}
    assert plan.table.set_index("sample").loc["dog/night.png", "action"] == "review"

    path = write_plan(plan, tmp_path / "out" / "clean")
    with open(path, encoding="utf-8-sig") as file:
        edited = file.read().replace("dog/night.png,review", "dog/night.png,drop")
    with open(path, "w", encoding="utf-8") as file:
        file.write(edited)
    plan = read_plan(path, audit.dataset)
    assert list(plan.edited["sample"]) == ["dog/night.png"]

    done = dataprep.apply_plan(
        plan, audit, folder=tmp_path / "cleaned", manifest=tmp_path / "clean.csv"
    )
    assert (done.samples, done.dropped) == (12, 3)
    again = audit_of(tmp_path / "cleaned")
    assert len(again.dataset) == 12
    assert again.dataset.classes == ("cat", "dog")
    assert len(again.issues) == 0
    listed = dataprep.scan(class_folders, manifest=tmp_path / "clean.csv")
    assert sorted(listed.samples["label"]) == sorted(again.dataset.samples["label"])
    assert before == {path: path.read_bytes() for path in class_folders.rglob("*.*")}
