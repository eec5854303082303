"""Applying a plan: manifests, folders, and what is refused before anything is written."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from dataprep.cleaning import apply_plan, clean, cleaned_dataset, read_plan, write_plan
from dataprep.cleaning.folders import RECORD, folder_name, new_names
from dataprep.errors import FingerprintError, InputError, OptionError, OutputError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.files.writing import mark_output
from dataprep.schemas.text.names import escape_name
from tests.cleaning.conftest import audit_of, claim, copy_claim, write_audit


@pytest.fixture
def audit(dataset):
    """a.jpg is broken, b.jpg a copy of c.jpg, f.jpg is spelt wrong."""
    return audit_of(
        dataset,
        claim("unreadable", "a.jpg", suggestion="drop"),
        copy_claim("b.jpg", "c.jpg"),
        claim("label-spelling", "f.jpg", scope="record", suggestion="relabel", value="dog"),
        claim("dark", "d.jpg"),
    )


def planned(audit):
    """The plan that also takes the suggested label."""
    return clean(audit, relabel=True)


def tree(folder):
    return sorted(
        os.path.relpath(os.path.join(here, name), folder)
        for here, _, names in os.walk(folder)
        for name in names
    )


def contents(folder):
    return {path: open(os.path.join(folder, path), "rb").read() for path in tree(folder)}


def test_the_cleaned_dataset_keeps_rows_arrays_and_classes_in_step(audit):
    dataset = audit.dataset.with_arrays(phash=np.arange(6))
    cleaned = cleaned_dataset(planned(audit), dataset)
    assert list(cleaned.samples.index) == ["c.jpg", "d.jpg", "e.jpg", "f.jpg"]
    assert list(cleaned.samples["label"]) == ["cat", "dog", "dog", "dog"]
    assert cleaned.classes == ("cat", "dog")
    assert cleaned.arrays["phash"].tolist() == [2, 3, 4, 5]
    assert len(dataset) == 6


def test_unlabelled_samples_can_be_given_labels(dataset):
    bare = replace(dataset, samples=dataset.samples.drop(columns="label"), task="none", classes=())
    plan = clean(audit_of(bare, claim("dark", "a.jpg")))
    plan = replace(plan, table=plan.table.assign(action="relabel", new_label="cat"))
    cleaned = cleaned_dataset(plan, bare)
    assert (cleaned.task, cleaned.classes) == ("classification", ("cat",))
    assert cleaned.samples["label"].isna().sum() == 5


def test_several_labels_come_back_as_the_list_they_were(dataset, tmp_path):
    several = replace(
        dataset.assign(label=["a|b", "a", "b", None, "a|c", "c"]),
        task="multi-label",
        classes=("a", "b", "c"),
    )
    audit = audit_of(
        several, claim("unreadable", "e.jpg", suggestion="drop"), claim("dark", "a.jpg")
    )
    write_plan(clean(audit), tmp_path / "clean")
    plan = read_plan(tmp_path / "clean", several)
    plan = replace(plan, table=plan.table.assign(action=["drop", "relabel"], new_label=["", "b|c"]))
    apply_plan(plan, audit, manifest=tmp_path / "clean.csv")
    labels = pd.read_csv(tmp_path / "clean.csv")["label"].tolist()
    assert labels[:3] == ['["b", "c"]', '["a"]', '["b"]']
    assert cleaned_dataset(plan, several).classes == ("a", "b", "c")
    assert new_names(several) == list(several.samples.index)
    with pytest.raises(OptionError, match="one class for each sample"):
        new_names(several, "class")


def test_a_target_to_regress_on_stays_a_number(dataset, tmp_path):
    ages = replace(
        dataset.assign(label=[1.5, 2.5, 3.5, 4.5, 5.5, 6.5]), task="regression", classes=()
    )
    audit = audit_of(ages, claim("dark", "a.jpg"))
    path = Path(write_plan(clean(audit), tmp_path / "clean"))
    path.write_text("sample,action,new_label\na.jpg,relabel,old\n")
    with pytest.raises(InputError, match="row 2: new_label 'old': expected a number"):
        read_plan(path, ages)
    path.write_text("sample,action,new_label\na.jpg,relabel,7.5\n")
    assert cleaned_dataset(read_plan(path, ages), ages).samples["label"].tolist() == [
        7.5,
        2.5,
        3.5,
        4.5,
        5.5,
        6.5,
    ]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("clean.csv", pd.read_csv),
        ("clean.parquet", pd.read_parquet),
        ("clean.jsonl", lambda path: pd.read_json(path, lines=True)),
    ],
)
def test_a_manifest_has_the_kept_rows_new_labels_and_own_columns(audit, tmp_path, name, read):
    mark_output(tmp_path / "out")
    result = apply_plan(planned(audit), audit, manifest=tmp_path / "out" / name)
    rows = read(result.manifest)
    assert list(rows.columns) == ["path", "label", "photographer"]
    assert rows.astype("str").to_numpy().tolist() == [
        ["c.jpg", "cat", "bob"],
        ["d.jpg", "dog", "bob"],
        ["e.jpg", "dog", "ann"],
        ["f.jpg", "dog", "=1+1"],
    ]
    assert (result.samples, result.dropped, result.relabelled, result.unreviewed) == (4, 2, 1, 1)
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (run["stage"], run["result"]["dropped"]) == ("clean", 2)
    assert run["fingerprint"] == audit.dataset.fingerprint


def test_outside_a_folder_of_ours_the_record_takes_the_name_of_the_manifest(audit, tmp_path):
    (tmp_path / "run.json").write_text("somebody else's")
    apply_plan(planned(audit), audit, manifest=tmp_path / "clean.csv")
    assert (tmp_path / "run.json").read_text() == "somebody else's"
    assert json.loads((tmp_path / "clean.csv.run.json").read_text())["stage"] == "clean"


def test_no_manifest_is_put_among_the_images_but_in_an_output_folder_there(audit):
    images = Path(audit.dataset.root)
    with pytest.raises(InputError, match="never written"):
        apply_plan(planned(audit), audit, manifest=images / "clean.csv")
    mark_output(images / "dataprep-out")
    assert (
        apply_plan(planned(audit), audit, manifest=images / "dataprep-out" / "clean.csv").samples
        == 4
    )


def test_plan_and_audit_may_be_paths(audit, tmp_path):
    folder = write_audit(audit, tmp_path / "audit")
    write_plan(clean(folder, relabel=True), tmp_path / "clean")
    result = apply_plan(tmp_path / "clean", folder, manifest=tmp_path / "clean" / "clean.csv")
    assert result.samples == 4
    assert result.warnings == ()


def test_a_manifest_of_an_unknown_kind_is_refused_before_anything_is_made(audit, tmp_path):
    with pytest.raises(OptionError, match=r"\.csv, \.parquet, \.jsonl"):
        apply_plan(planned(audit), audit, manifest=tmp_path / "clean.xls", folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_of_classes_is_made_of_links_and_leaves_the_originals_alone(audit, tmp_path):
    before = contents(audit.dataset.root)
    result = apply_plan(planned(audit), audit, folder=tmp_path / "new")
    assert tree(tmp_path / "new") == sorted(
        [RECORD, "cat/c.jpg", "dog/d.jpg", "dog/e.jpg", "dog/f.jpg", "metadata.csv"]
    )
    assert (result.linked, result.copied) == (4, 0)
    assert os.path.samefile(
        tmp_path / "new" / "cat" / "c.jpg", os.path.join(audit.dataset.root, "c.jpg")
    )
    assert contents(audit.dataset.root) == before
    assert sorted(os.listdir(tmp_path)) == ["images", "new"]
    rows = pd.read_csv(tmp_path / "new" / "metadata.csv")
    assert rows[["file_name", "label"]].to_numpy().tolist()[0] == ["cat/c.jpg", "cat"]


def test_copies_share_nothing_with_the_originals(audit, tmp_path):
    result = apply_plan(planned(audit), audit, folder=tmp_path / "new", copy=True)
    assert (result.linked, result.copied) == (0, 4)
    assert not os.path.samefile(
        tmp_path / "new" / "cat" / "c.jpg", os.path.join(audit.dataset.root, "c.jpg")
    )


def test_where_links_are_impossible_files_are_copied(audit, tmp_path, monkeypatch):
    monkeypatch.setattr(
        os, "link", lambda *_: (_ for _ in ()).throw(OSError(18, "Invalid cross-device link"))
    )
    result = apply_plan(planned(audit), audit, folder=tmp_path / "new")
    assert (result.linked, result.copied) == (0, 4)
    assert (tmp_path / "new" / "dog" / "d.jpg").read_bytes() == b"d.jpg"


def test_layouts(dataset):
    dataset = dataset.assign(label=["cat", "cat", "cat", "dog", "dog", "dog"])
    split = dataset.assign(split=["train", "train", "val", "val", "test", "test"])
    assert new_names(split)[0] == "train/cat/a.jpg"
    assert new_names(split, "class")[0] == "cat/a.jpg"
    assert new_names(split, "tree") == list(dataset.samples.index)
    half = dataset.assign(label=["cat", None, "cat", "dog", "dog", "dog"])
    assert new_names(half) == list(dataset.samples.index)
    with pytest.raises(OptionError, match="1 of 6 have none"):
        new_names(half, "class")
    with pytest.raises(OptionError, match="needs a split"):
        new_names(dataset, "split")
    with pytest.raises(OptionError, match="expected one of auto, class, split, tree"):
        new_names(dataset, "flat")


def of_names(*names, label="cat", root="images"):
    samples = pd.DataFrame({"label": label}, index=pd.Index(names, name="sample", dtype="str"))
    return Dataset(root, samples, "classification", tuple(sorted(set(samples["label"]))))


def test_names_that_collide_get_numbers_that_are_free():
    names = new_names(of_names("x/a.jpg", "y/a.jpg", "z/A.JPG", "x/a-2.jpg"))
    assert names == ["cat/a.jpg", "cat/a-3.jpg", "cat/A-4.JPG", "cat/a-2.jpg"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cat", "cat"),
        ("../../etc", "_.._.._etc"),
        ("a/b", "a_b"),
        ("..", "_._"),
        ("", "_"),
        ("con", "_con"),
        ("a:b?", "a_b_"),
        (" x ", "x"),
    ],
)
def test_labels_become_names_that_cannot_leave_the_folder(label, name):
    assert folder_name(label) == name


def test_labels_that_would_share_a_folder_are_refused():
    with pytest.raises(OptionError, match="'a/b' and 'a_b' would share the folder"):
        new_names(of_names("1.jpg", "2.jpg", label=["a/b", "a_b"]))
    with pytest.raises(OptionError, match="'Dog' and 'dog'"):
        new_names(of_names("1.jpg", "2.jpg", label=["dog", "Dog"]))


def test_paths_outside_the_root_do_not_leave_the_new_folder():
    assert new_names(of_names("../a.jpg", "/etc/b.jpg"), "class") == ["cat/a.jpg", "cat/b.jpg"]
    with pytest.raises(OptionError, match="below the folder of images"):
        new_names(of_names("../a.jpg"), "tree")


def test_names_that_are_not_utf8_survive(tmp_path):
    raw = b"caf\xe9.jpg"
    root = tmp_path / "images"
    root.mkdir()
    with open(os.path.join(os.fsencode(root), raw), "wb") as file:
        file.write(b"x")
    dataset = of_names(escape_name(os.fsdecode(raw)), root=str(root))
    audit = audit_of(dataset)
    apply_plan(planned(audit), audit, folder=tmp_path / "new", manifest=tmp_path / "clean.csv")
    assert os.listdir(os.fsencode(tmp_path / "new" / "cat")) == [raw]
    assert "caf\\xe9.jpg" in (tmp_path / "clean.csv").read_text(encoding="utf-8")


def test_a_folder_of_ours_is_replaced_and_any_other_is_refused(audit, tmp_path):
    plan, target = planned(audit), tmp_path / "new"
    apply_plan(plan, audit, folder=target)
    apply_plan(replace(plan, table=plan.table.iloc[:1]), audit, folder=target, layout="tree")
    assert "b.jpg" in tree(target)
    (target / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        apply_plan(plan, audit, folder=target)
    assert (target / "notes.txt").read_text() == "mine"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        apply_plan(plan, audit, folder=tmp_path / "file")


@pytest.mark.parametrize("place", [".", "new", "..", "../link/new"])
def test_the_folder_of_images_is_never_written(audit, tmp_path, place):
    os.symlink(audit.dataset.root, tmp_path / "link")
    before = contents(audit.dataset.root)
    with pytest.raises(InputError, match="folder of images"):
        apply_plan(planned(audit), audit, folder=os.path.join(audit.dataset.root, place))
    assert contents(audit.dataset.root) == before


def test_a_plan_for_other_data_is_refused_and_the_difference_named(audit, dataset, tmp_path):
    plan = clean(audit)
    with pytest.raises(
        FingerprintError, match=r"made for 6 samples, and there are 5 now \(Dog 1 → 0\)"
    ):
        apply_plan(plan, dataset.where(np.arange(6) < 5), manifest=tmp_path / "clean.csv")
    with pytest.raises(
        FingerprintError, match=r"labels changed \(Dog 1 → 0, cat 3 → 6, dog 2 → 0\)"
    ):
        apply_plan(plan, dataset.assign(label="cat"), manifest=tmp_path / "clean.csv")
    renamed = replace(dataset, samples=dataset.samples.rename(index={"a.jpg": "z.jpg"}))
    with pytest.raises(FingerprintError, match="under other names"):
        apply_plan(plan, renamed, manifest=tmp_path / "clean.csv")
    assert not (tmp_path / "clean.csv").exists()


def test_files_that_changed_since_the_audit_are_named(audit, tmp_path):
    with open(os.path.join(audit.dataset.root, "c.jpg"), "ab") as file:
        file.write(b"more")
    os.unlink(os.path.join(audit.dataset.root, "d.jpg"))
    with pytest.raises(
        FingerprintError,
        match=r"2 files changed or went .*c.jpg \(9 bytes, measured 5\), d.jpg \(No such file",
    ):
        apply_plan(planned(audit), audit, folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_the_earlier_folder_whole(audit, tmp_path, monkeypatch):
    apply_plan(planned(audit), audit, folder=tmp_path / "new")
    before = contents(tmp_path / "new")
    monkeypatch.setattr(
        shutil, "copy2", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OutputError, match="No space left"):
        apply_plan(planned(audit), audit, folder=tmp_path / "new", copy=True)
    assert contents(tmp_path / "new") == before
    assert sorted(os.listdir(tmp_path)) == ["images", "new"]


def test_files_of_a_url_are_copied(tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe("/clean-test/sub/a.jpg", b"remote")
    audit = audit_of(of_names("sub/a.jpg", root="memory://clean-test"))
    result = apply_plan(planned(audit), audit, folder=tmp_path / "new")
    assert (result.linked, result.copied) == (0, 1)
    assert (tmp_path / "new" / "cat" / "a.jpg").read_bytes() == b"remote"
