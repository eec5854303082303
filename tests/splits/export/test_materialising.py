"""A split on disk: every sample in its part's folder and nowhere else, bytes as they were, whole
or not at all.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataprep.errors import FingerprintError, InputError, OptionError, OutputError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import Split
from dataprep.schemas.text.names import unescape_name
from dataprep.splits.export.materialising import FILES, RECORD, materialise
from tests.splits.materials import contents, make_split

NAMES = ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/3.jpg", "c/1.jpg", "c/4.jpg"]
PARTS = ["train", "train", "train", "val", "val", "test"]
LABELS = ["cat", "dog", "cat", "dog", "cat", "cat"]


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return make_split(tmp_path / "images", NAMES, PARTS, LABELS)


def files_of(folder: Path) -> list[str]:
    return sorted(name for name in contents(folder) if name not in (RECORD, FILES))


def test_class_folders_hold_links_under_names_that_do_not_clash(
    split: Split, tmp_path: Path
) -> None:
    before = contents(split.dataset.root)
    made = materialise(split, tmp_path / "new")
    assert files_of(tmp_path / "new") == [
        "test/cat/4.jpg",
        "train/cat/1-2.jpg",
        "train/cat/1.jpg",
        "train/dog/2.jpg",
        "val/cat/1.jpg",
        "val/dog/3.jpg",
    ]
    assert made.parts == {"test": 1, "train": 3, "val": 2}
    assert (made.linked, made.copied) == (6, 0)
    assert os.path.samefile(tmp_path / "new/train/cat/1.jpg", tmp_path / "images/a/1.jpg")
    assert contents(split.dataset.root) == before
    assert sorted(os.listdir(tmp_path)) == ["images", "new"]
    assert any("test has no 'dog'" in note for note in made.notes)


def test_names_do_not_depend_on_the_order_of_the_rows(split: Split, tmp_path: Path) -> None:
    turned = replace(
        split, dataset=replace(split.dataset, samples=split.dataset.samples.iloc[::-1])
    )
    for kind in ("folders", "webdataset", "huggingface", "yolo"):
        materialise(split, tmp_path / "one", kind)  # type: ignore[arg-type]
        one = contents(tmp_path / "one")
        shutil.rmtree(tmp_path / "one")
        materialise(turned, tmp_path / "one", kind)  # type: ignore[arg-type]
        assert contents(tmp_path / "one") == one
        shutil.rmtree(tmp_path / "one")


def test_the_list_of_files_says_which_sample_each_is(split: Split, tmp_path: Path) -> None:
    materialise(split, tmp_path / "new")
    rows = pd.read_csv(tmp_path / "new" / FILES)
    assert sorted(rows["sample"]) == NAMES
    assert rows.columns.tolist() == ["file", "sample", "label", "split", "unit"]
    for row in rows.itertuples():
        assert (tmp_path / "new" / row.file).read_bytes() == f"content of {row.sample}".encode()
        assert row.file.startswith(f"{row.split}/{row.label}/")


@pytest.mark.parametrize(
    ("link", "same"), [("auto", True), ("hard", True), ("symlink", True), ("copy", False)]
)
def test_kinds_of_links(split: Split, tmp_path: Path, link: Any, same: bool) -> None:
    made = materialise(split, tmp_path / "new", link=link)
    target = tmp_path / "new/val/dog/3.jpg"
    assert (os.path.samefile(target, tmp_path / "images/b/3.jpg"), target.is_symlink()) == (
        same,
        link == "symlink",
    )
    assert (made.linked, made.copied) == ((6, 0) if same else (0, 6))
    assert target.read_bytes() == b"content of b/3.jpg"


def test_symlinked_images_are_linked_to_themselves_and_not_to_the_link(
    split: Split, tmp_path: Path
) -> None:
    os.rename(tmp_path / "images/a/1.jpg", tmp_path / "elsewhere.jpg")
    os.symlink(tmp_path / "elsewhere.jpg", tmp_path / "images/a/1.jpg")
    materialise(split, tmp_path / "new", link="hard")
    assert not (tmp_path / "new/train/cat/1.jpg").is_symlink()


def test_reflinks_are_made_or_their_absence_is_explained(split: Split, tmp_path: Path) -> None:
    try:
        made = materialise(split, tmp_path / "new", link="reflink")
    except OptionError as error:
        refusal = str(error)
        assert os.listdir(tmp_path) == ["images"]
    else:
        refusal = ""
        assert made.linked == 6
        assert (tmp_path / "new/val/dog/3.jpg").read_bytes() == b"content of b/3.jpg"
    assert not refusal or refusal.endswith("Take 'auto' or 'copy'")


def test_reflinks_ask_the_file_system_to_share_blocks(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def clone(target: int, request: int, source: int) -> int:
        assert request == 0x40049409
        os.write(target, os.pread(source, 1000, 0))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", clone)
    monkeypatch.setattr(sys, "platform", "linux")
    assert materialise(split, tmp_path / "new", link="reflink").linked == 6
    assert (tmp_path / "new/val/dog/3.jpg").read_bytes() == b"content of b/3.jpg"
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OptionError, match="on Linux only"):
        materialise(split, tmp_path / "other", link="reflink")


def refuse_links(*_: Any) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_another_disk_is_copied_to_or_refused(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse_links)
    assert materialise(split, tmp_path / "new").copied == 6
    with pytest.raises(OptionError, match="hard link .* one file system"):
        materialise(split, tmp_path / "other", link="hard")
    assert not (tmp_path / "other").exists()


def test_unknown_kinds_and_links_are_named(split: Split, tmp_path: Path) -> None:
    with pytest.raises(
        OptionError, match="expected one of folders, webdataset, huggingface, yolo, got 'zip'"
    ):
        materialise(split, tmp_path / "new", "zip")  # type: ignore[arg-type]
    with pytest.raises(
        OptionError, match="expected one of auto, hard, reflink, symlink, copy, got 'soft'"
    ):
        materialise(split, tmp_path / "new", link="soft")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["folders", "webdataset", "huggingface", "yolo"])
@pytest.mark.parametrize("place", [".", "new", ".."])
def test_the_folder_of_images_is_never_written(split: Split, kind: Any, place: str) -> None:
    before = contents(split.dataset.root)
    with pytest.raises(InputError, match="folder of images"):
        materialise(split, os.path.join(split.dataset.root, place), kind)
    assert contents(split.dataset.root) == before


def test_a_folder_of_ours_is_replaced_and_any_other_is_refused(
    split: Split, tmp_path: Path
) -> None:
    materialise(split, tmp_path / "new", "yolo")
    materialise(split, tmp_path / "new")
    assert not (tmp_path / "new/data.yaml").exists()
    (tmp_path / "new/train/cat/mine.jpg").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        materialise(split, tmp_path / "new")
    assert (tmp_path / "new/train/cat/mine.jpg").read_text() == "mine"


def test_changed_and_missing_files_are_named_before_anything_is_made(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", NAMES, PARTS, LABELS, bytes=18)
    (tmp_path / "images/a/1.jpg").write_text("longer than it was")
    (tmp_path / "images/a/2.jpg").unlink()
    with pytest.raises(FingerprintError, match=r"a/2.jpg \(No such file"):
        materialise(split, tmp_path / "new")
    assert os.listdir(tmp_path) == ["images"]


def test_files_known_to_be_missing_are_left_out_and_told(tmp_path: Path) -> None:
    split = make_split(
        tmp_path / "images", NAMES, PARTS, LABELS, lost=["", "missing", "", "truncated", "", ""]
    )
    (tmp_path / "images/a/2.jpg").unlink()
    made = materialise(split, tmp_path / "new")
    assert sum(made.parts.values()) == 5
    assert "1 samples have no file and were left out (a/2.jpg)" in made.notes


def test_samples_without_a_part_are_left_out_and_told(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", NAMES, [None, *PARTS[1:]], LABELS)  # type: ignore[list-item]
    made = materialise(split, tmp_path / "new", "webdataset")
    assert made.parts == {"test": 1, "train": 2, "val": 2}
    assert made.notes == ("1 samples have no part and were left out (a/1.jpg)",)


def test_a_full_disk_leaves_the_earlier_folder_whole(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialise(split, tmp_path / "new")
    before = contents(tmp_path / "new")
    monkeypatch.setattr(
        shutil,
        "copy2",
        lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")),
    )
    with pytest.raises(OutputError, match="No space left"):
        materialise(split, tmp_path / "new", link="copy")
    assert contents(tmp_path / "new") == before
    assert sorted(os.listdir(tmp_path)) == ["images", "new"]


def test_shards_beyond_the_limit_on_file_sizes_leave_nothing(split: Split, tmp_path: Path) -> None:
    """A disk that fills while a shard is closed: the limit strikes at the last bytes that are
    written.
    """
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from tests.splits.export.test_materialising import *\n"
        "split = make_split(Path(sys.argv[1]) / 'images', NAMES, PARTS, LABELS)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: materialise(split, sys.argv[2], 'webdataset')\n"
        "except OutputError as error: print(error)"
    )
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "new")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert "cannot make" in done.stdout, done.stderr
    assert os.listdir(tmp_path) == ["images"]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize(
    ("kind", "done"), [("folders", 0), ("folders", 5), ("webdataset", 3), ("huggingface", 5)]
)
def test_a_killed_run_leaves_no_folder_that_looks_whole(
    tmp_path: Path, kind: str, done: int
) -> None:
    code = (
        "import os, sys; from tests.splits.export.test_materialising import *\n"
        "import dataprep.splits.export.materialising as m; m._REPORT_EVERY = 1\n"
        "def progress(stage, done, total, note):\n"
        "    if done == int(sys.argv[3]): os.kill(os.getpid(), 9)\n"
        "split = make_split(Path(sys.argv[1]) / 'images', NAMES, PARTS, LABELS)\n"
        "materialise(split, sys.argv[1] + '/new', sys.argv[2], link='copy', progress=progress)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), kind, str(done)]
    assert (
        subprocess.run(arguments, check=False, cwd=Path(__file__).parents[3]).returncode
        == -signal.SIGKILL
    )
    assert not (tmp_path / "new").exists()
    left = [name for name in os.listdir(tmp_path) if name != "images"]
    assert all(name.startswith(".new.") and name.endswith(".partial") for name in left)
    split = make_split(tmp_path / "images", NAMES, PARTS, LABELS)
    assert materialise(split, tmp_path / "new").parts == {"test": 1, "train": 3, "val": 2}


def test_folds_become_a_train_and_a_val_each(tmp_path: Path) -> None:
    split = make_split(
        tmp_path / "images", NAMES, ["fold1", "fold1", "fold2", "fold2", "test", "test"], LABELS
    )
    made = materialise(split, tmp_path / "new")
    assert made.parts == {
        "fold1/train": 2,
        "fold1/val": 2,
        "fold1/test": 2,
        "fold2/train": 2,
        "fold2/val": 2,
        "fold2/test": 2,
    }
    assert {"fold2/val/dog/3.jpg", "fold1/train/dog/3.jpg"} <= set(files_of(tmp_path / "new"))
    yolo = materialise(split, tmp_path / "lists", "yolo")
    assert yolo.parts == made.parts
    assert materialise(split, tmp_path / "shards", "webdataset").parts == {
        "fold1": 2,
        "fold2": 2,
        "test": 2,
    }


def test_repeats_stand_side_by_side(tmp_path: Path) -> None:
    folds = ["fold1", "fold2"] * 3
    split = make_split(tmp_path / "images", NAMES, folds, LABELS, split_2=folds[::-1])
    made = materialise(split, tmp_path / "new")
    assert list(made.parts)[::2] == [
        "repeat-1/fold1/train",
        "repeat-1/fold2/train",
        "repeat-2/fold1/train",
        "repeat-2/fold2/train",
    ]
    for kind in ("webdataset", "huggingface"):
        with pytest.raises(OptionError, match="several times over: take --as folders"):
            materialise(split, tmp_path / "other", kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "task", "fitting"),
    [
        (["a|b", "a", "b", "a", "b", "a"], "multi-label", "huggingface or webdataset"),
        ([1.5] * 6, "regression", "huggingface"),
        (["a"] * 6, "detection", "yolo"),
    ],
)
def test_what_has_not_one_class_names_the_kinds_that_fit(
    tmp_path: Path, labels: Any, task: str, fitting: str
) -> None:
    split = make_split(tmp_path / "images", NAMES, PARTS, labels, task)
    with pytest.raises(OptionError, match=f"take --as {fitting}"):
        materialise(split, tmp_path / "new")
    assert materialise(split, tmp_path / "new", fitting.split()[0]).parts == {
        "test": 1,
        "train": 3,
        "val": 2,
    }  # type: ignore[arg-type]


def test_without_labels_parts_are_plain_folders(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", NAMES, PARTS, None)
    materialise(split, tmp_path / "new")
    assert files_of(tmp_path / "new") == [
        "test/4.jpg",
        "train/1-2.jpg",
        "train/1.jpg",
        "train/2.jpg",
        "val/1.jpg",
        "val/3.jpg",
    ]


@pytest.mark.parametrize("lacking", [None, ""])
def test_samples_without_a_label_are_counted_and_named(tmp_path: Path, lacking: Any) -> None:
    split = make_split(
        tmp_path / "images", NAMES, PARTS, ["cat", lacking, "cat", "dog", "cat", "cat"]
    )
    with pytest.raises(OptionError, match=r"1 of 6 have none \(a/2.jpg\)"):
        materialise(split, tmp_path / "new")
    made = materialise(split, tmp_path / "new", "webdataset")
    assert made.notes == ("1 samples have no label, and no .cls in the shards",)


def test_classes_that_are_no_folder_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    split = make_split(
        tmp_path / "images", NAMES, PARTS, ["../../x", "a/b", "..", "con", "new\nline", "ok"]
    )
    made = materialise(split, tmp_path / "new")
    folders = {name.split("/")[1] for name in files_of(tmp_path / "new")}
    assert folders == {"_.._.._x", "a_b", "_._", "_con", "new_line", "ok"}
    assert sorted(os.listdir(tmp_path)) == ["images", "new"]
    assert "class 'a/b' is in the folder 'a_b'" in made.notes
    clashing = make_split(
        tmp_path / "images", NAMES, PARTS, ["Dog", "dog", "dog", "dog", "dog", "dog"]
    )
    with pytest.raises(OptionError, match="'Dog' and 'dog' would share the folder"):
        materialise(clashing, tmp_path / "other")
    parts = make_split(
        tmp_path / "images", NAMES, ["a/b", "a_b", "a_b", "a_b", "a_b", "a_b"], LABELS
    )
    with pytest.raises(OptionError, match="'a/b' and 'a_b' would share"):
        materialise(parts, tmp_path / "other")


@pytest.mark.skipif(os.name == "nt", reason="names that Windows does not have")
def test_hostile_names_of_files(tmp_path: Path) -> None:
    names = [
        "x/new\nline.jpg",
        "x/" + os.fsdecode(b"caf\xe9.jpg"),
        "y/a\\x41.jpg",
        "y/.hidden.jpg",
        "y/__z.JPG",
        "y/no extension",
    ]
    split = make_split(tmp_path / "images", names, PARTS, LABELS, format="JPEG")
    materialise(split, tmp_path / "new")
    expected = {b"content of " + os.fsencode(name) for name in names}
    found = {
        data for name, data in contents(tmp_path / "new").items() if name not in (RECORD, FILES)
    }
    assert found == expected
    assert os.path.basename(os.fsencode(names[1])) in os.listdir(
        os.fsencode(tmp_path / "new/train/dog")
    )
    materialise(split, tmp_path / "tables", "huggingface")
    table = pd.concat(
        [
            pd.read_csv(tmp_path / f"tables/{part}/metadata.csv").assign(part=part)
            for part in ("train", "val", "test")
        ]
    )
    for row in table.itertuples():
        assert row.file_name.lower().endswith(".jpg")
        assert not row.file_name.startswith((".", "__"))
        assert row.file_name.isprintable()
        assert (tmp_path / "tables" / row.part / row.file_name).read_bytes() in expected


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.lists(
                st.sampled_from(["a", "A", "a-2", "x.y", "é", "new\nline", "\udce9", "b b"]),
                min_size=1,
                max_size=3,
            ),
            st.sampled_from(["train", "val", "test"]),
            st.sampled_from(["cat", "do/g", "..", "Ünï"]),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda each: "/".join(each[0]).lower(),
    ),
    st.sampled_from(["folders", "webdataset", "huggingface"]),
)
def test_every_sample_is_in_its_parts_place_once_with_its_bytes(
    tmp_path_factory: Any, rows: Any, kind: Any
) -> None:
    if os.name == "nt":
        pytest.skip("names that Windows does not have")
    folder = tmp_path_factory.mktemp("any")
    names = ["/".join((*path[:-1], f"{path[-1]}.jpg")).replace(".jpg/", "/") for path, _, _ in rows]
    split = make_split(
        folder / "images", names, [part for _, part, _ in rows], [label for _, _, label in rows]
    )
    before = contents(folder / "images")
    materialise(split, folder / "new", kind)
    assert contents(folder / "images") == before
    listed = pd.read_csv(folder / "new" / FILES, keep_default_na=False)
    assert sorted(listed["sample"]) == sorted(split.dataset.samples.index)
    assert listed["file"].str.lower().is_unique
    parts = split.dataset.samples["split"]
    for row in listed.itertuples():
        path = unescape_name(row.file)
        assert row.split == parts[row.sample]
        assert path.split("/")[0].startswith(row.split)
        if kind == "webdataset":
            shard, _, member = path.partition("/")
            with tarfile.open(folder / "new" / shard) as tar:
                data = tar.extractfile(member).read()  # type: ignore[union-attr]
        else:
            data = Path(os.path.join(folder, "new", *path.split("/"))).read_bytes()
        assert data == b"content of " + os.fsencode(unescape_name(row.sample))
    held = [name for name in contents(folder / "new") if name.endswith(".jpg")]
    assert len(held) == (0 if kind == "webdataset" else len(rows))


def read_shards(folder: Path, part: str) -> list[dict[str, Any]]:
    """Samples as WebDataset groups them: what stands before the first dot of a member's base
    name is the key.
    """
    samples: list[dict[str, Any]] = []
    for shard in sorted(folder.glob(f"{part}-*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                key, _, extension = member.name.partition(".")
                if not samples or samples[-1]["__key__"] != key:
                    samples.append({"__key__": key, "__shard__": shard.name})
                assert extension not in samples[-1]
                samples[-1][extension] = tar.extractfile(member).read()  # type: ignore[union-attr]
                assert (
                    member.mtime,
                    member.uid,
                    member.gid,
                    member.uname,
                    member.gname,
                    member.mode,
                ) == (0, 0, 0, "", "", 0o644)
    return samples


def test_shards_hold_each_sample_with_its_class_and_its_facts(split: Split, tmp_path: Path) -> None:
    split = replace(
        split, dataset=split.dataset.assign(site=["A", None, "B", "A", "B", "A"], format="JPEG")
    )
    materialise(split, tmp_path / "new", "webdataset")
    assert (tmp_path / "new/classes.txt").read_text() == "cat\ndog\n"
    train = read_shards(tmp_path / "new", "train")
    assert len({sample["__key__"] for sample in train}) == 3
    facts = {json.loads(sample["json"])["sample"]: sample for sample in train}
    assert sorted(facts) == NAMES[:3]
    dog = facts["a/2.jpg"]
    assert (dog["jpg"], dog["cls"]) == (b"content of a/2.jpg", b"1")
    assert json.loads(dog["json"]) == {
        "sample": "a/2.jpg",
        "label": "dog",
        "class_index": 1,
        "split": "train",
        "unit": "a/2.jpg",
        "site": None,
    }


def test_shards_end_at_their_limits(split: Split, tmp_path: Path) -> None:
    materialise(split, tmp_path / "one", "webdataset", shard_samples=2)
    assert sorted(name for name in os.listdir(tmp_path / "one") if name.startswith("train")) == [
        "train-000000.tar",
        "train-000001.tar",
    ]
    assert [sample["__shard__"] for sample in read_shards(tmp_path / "one", "train")] == [
        "train-000000.tar"
    ] * 2 + ["train-000001.tar"]
    materialise(split, tmp_path / "two", "webdataset", shard_mb=0.001)
    assert len(list((tmp_path / "two").glob("train-*.tar"))) == 3
    for wrong in ({"shard_samples": 0}, {"shard_mb": 0.0}):
        with pytest.raises(OptionError, match="shard_"):
            materialise(split, tmp_path / "three", "webdataset", **wrong)  # type: ignore[arg-type]


def test_shards_of_several_labels_and_of_figures(tmp_path: Path) -> None:
    several = make_split(
        tmp_path / "images", NAMES, PARTS, ["a|c", "a", "b", None, "b", "a"], "multi-label"
    )
    materialise(several, tmp_path / "several", "webdataset")
    first = {
        json.loads(sample["json"])["sample"]: sample
        for sample in read_shards(tmp_path / "several", "train")
    }["a/1.jpg"]
    assert (json.loads(first["json"])["label"], json.loads(first["json"])["class_indices"]) == (
        ["a", "c"],
        [0, 2],
    )
    assert "cls" not in first
    figures = make_split(
        tmp_path / "images", NAMES, PARTS, [1.5, 2.5, 3.5, 4.5, 5.5, np.nan], "regression"
    )
    materialise(figures, tmp_path / "figures", "webdataset")
    assert sorted(
        json.loads(sample["json"])["label"] for sample in read_shards(tmp_path / "figures", "train")
    ) == [1.5, 2.5, 3.5]
    assert "label" not in json.loads(read_shards(tmp_path / "figures", "test")[0]["json"])


@pytest.mark.parametrize(
    ("name", "kind", "extension"),
    [
        ("a.JPEG", "", "jpeg"),
        ("a.json", "", "img"),
        ("a", "", "img"),
        ("a.cls", "PNG", "png"),
        ("a.b.tif", "MPO", "jpg"),
    ],
)
def test_shards_name_the_image_by_its_content(
    tmp_path: Path, name: str, kind: str, extension: str
) -> None:
    split = make_split(tmp_path / "images", [name], ["train"], ["cat"], format=kind)
    materialise(split, tmp_path / "new", "webdataset")
    assert set(read_shards(tmp_path / "new", "train")[0]) == {
        "__key__",
        "__shard__",
        extension,
        "cls",
        "json",
    }


def test_images_at_a_url_are_fetched(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/split-test/sub/a.jpg", b"remote")
    samples = pd.DataFrame(
        {"label": "cat", "split": "train"},
        index=pd.Index(["sub/a.jpg"], name="sample", dtype="str"),
    )
    split = Split(Dataset("memory://split-test", samples, "classification", ("cat",)))
    made = materialise(split, tmp_path / "new")
    assert (made.linked, made.copied) == (0, 1)
    assert (tmp_path / "new/train/cat/a.jpg").read_bytes() == b"remote"
    materialise(split, tmp_path / "shards", "webdataset")
    assert read_shards(tmp_path / "shards", "train")[0]["jpg"] == b"remote"
    with pytest.raises(OptionError, match="can only be copied"):
        materialise(split, tmp_path / "other", link="hard")
    with pytest.raises(OptionError, match="lists local files"):
        materialise(split, tmp_path / "other", "yolo")


def test_a_shard_is_the_same_bytes_each_time(split: Split, tmp_path: Path) -> None:
    materialise(split, tmp_path / "one", "webdataset")
    os.utime(tmp_path / "images/a/1.jpg", (1, 1))
    materialise(split, tmp_path / "two", "webdataset")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert io.BytesIO(contents(tmp_path / "one")["train-000000.tar"]).getvalue()


def test_every_kind_numbers_classes_alike_and_folders_say_what_readers_make_of_it(
    tmp_path: Path,
) -> None:
    names = [f"{number}/{place}.jpg" for number in (10, 2, 9) for place in range(2)]
    split = make_split(
        tmp_path / "images", names, ["train", "val"] * 3, ["10", "10", "2", "2", "9", "9"]
    )
    split = replace(split, dataset=replace(split.dataset, classes=()))
    materialise(split, tmp_path / "shards", "webdataset")
    materialise(split, tmp_path / "yolo", "yolo")
    assert (tmp_path / "shards" / "classes.txt").read_text().split() == ["2", "9", "10"]
    assert '  0: "2"\n  1: "9"\n  2: "10"\n' in (tmp_path / "yolo" / "data.yaml").read_text()
    (note,) = materialise(split, tmp_path / "folders").notes
    assert "give '10' the number 0, which is '2' in every other output" in note


@pytest.mark.parametrize("kind", ["folders", "huggingface", "webdataset", "yolo"])
def test_names_longer_than_file_systems_hold_are_shortened_and_stay_distinct(
    tmp_path: Path, kind: Any
) -> None:
    label = "字" * 90
    parts = ["x" * 300, "x" * 299 + "y"] * 2
    split = make_split(
        tmp_path / "images", NAMES[:4], parts, [f"{label}a", f"{label}b", f"{label}a", "Con .x"]
    )
    made = materialise(split, tmp_path / "out", kind)
    assert sorted(made.parts.values()) == [2, 2]
    if kind == "folders":
        folders = {path.parent.name for path in (tmp_path / "out").rglob("*.jpg")}
        assert len(folders) == 3
        assert "_Con .x" in folders
        assert all(len(os.fsencode(name)) <= 255 for name in folders)


def test_a_long_name_that_clashes_gets_its_number_within_the_limit(tmp_path: Path) -> None:
    base = f"{'n' * 251}.jpg"
    split = make_split(
        tmp_path / "images",
        [f"a/{base}", f"b/{base}", f"c/{'ü' * 125}.jpg"],
        ["train"] * 3,
        ["cat"] * 3,
    )
    materialise(split, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "train" / "cat").iterdir()) == sorted(
        [base, f"{'n' * 249}-2.jpg", f"{'ü' * 125}.jpg"]
    )
