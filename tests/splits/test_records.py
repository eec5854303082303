"""A split on disk: the same bytes for the same division, read back whole, never two splits
mixed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import FingerprintError, InputError
from dataprep.ingest import scan
from dataprep.splits import read_split, repair, split, write_split
from tests.splits.made import made_audit, patients


def test_written_and_read_back(tmp_path: Path) -> None:
    made = split(patients(120, 30), folds=3, repeats=2, tests=False)
    paths = write_split(made, tmp_path)
    read = read_split(tmp_path)
    assert read.parts == made.parts
    assert read.proof == made.proof
    assert read.run["seconds"]
    table = pd.read_csv(paths.splits)
    assert list(table) == ["path", "label", "split", "split_2", "unit", "group"]
    assert table["path"].is_monotonic_increasing
    assert len(table) == 120


def test_the_keys_of_the_proof(tmp_path: Path) -> None:
    """Programs that read proof.json rely on them."""
    audit = patients(120, 30, pairs=[(1, 2)], site=["a", "b"] * 60)
    made = split(audit, balance="site", repeats=2)
    paths = write_split(repair(audit, earlier=made), tmp_path / "repaired")
    written = json.loads(Path(paths.proof).read_text())
    names = (
        "fingerprint version parts apart by_rule asked samples units largest_unit sizes left_out "
        "notes kept_together possible_groups not_looked leaks labels others compared tests "
        "given_up repeats changed"
    )
    assert " ".join(written) == names
    options = (
        "parts sizes mode folds repeats leave_one_group_out groups external time_column day_first "
        "balance seed keep_similar keep_unlabelled"
    )
    assert " ".join(written["asked"]) == options
    assert list(written["sizes"][0]) == ["part", "samples", "target", "share", "units"]
    assert list(written["leaks"]) == ["units", "groups", "pairs", "total"]
    assert list(written["labels"]["table"][0]) == [
        "feature",
        "samples",
        "share",
        "shares",
        "counts",
    ]
    assert list(written["compared"]) == ["ours", "stratified_group_kfold", "random"]
    assert list(written["compared"]["random"]) == [
        "draws",
        "deviation",
        "units",
        "groups",
        "pairs",
        "exposed",
    ]
    assert list(written["compared"]["stratified_group_kfold"]) == [
        "deviation",
        "sizes",
        "seeds",
        "folds",
    ]
    assert list(written["tests"]) == ["labels", "properties", "embedding"]
    assert list(written["tests"]["labels"]) == ["status", "why", "found"]
    assert list(written["changed"]) == [
        "title",
        "moved",
        "lines",
        "frontier",
        "points",
        "column",
        "before",
    ]
    write_split(split(audit, tests=False), tmp_path / "plain")
    plain = json.loads((tmp_path / "plain" / "proof.json").read_text())
    assert "changed" not in plain
    assert plain["tests"] == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parts": "train"}, "parts: expected a list, got 'train'"),
        ({"samples": "many"}, "samples: expected a whole number, got 'many'"),
        ({"leaks": {"groups": {"group": True}}}, r"leaks\.groups\.group: expected a whole number"),
        ({"asked": {"external": [["site"]]}}, r"asked\.external\.0: expected 2 values"),
        ({"sizes": [{"part": "train"}]}, "damaged"),
        ({"notes": json.loads("[" * 900 + "]" * 900)}, "damaged"),
    ],
)
def test_a_damaged_proof_is_refused(tmp_path: Path, change: dict[str, object], words: str) -> None:
    paths = write_split(split(patients(60, 20), tests=False), tmp_path)
    proof = json.loads(Path(paths.proof).read_text())
    Path(paths.proof).write_text(json.dumps(proof | change))
    with pytest.raises(InputError, match=words):
        read_split(tmp_path)


def test_the_same_bytes_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    written = []
    for number, order in enumerate((range(90), np.random.default_rng(0).permutation(90).tolist())):
        audit = patients(90, 30, order=order, pairs=[(1, 2), (7, 40)])
        paths = write_split(split(audit, tests=False), tmp_path / str(number))
        written.append(
            [Path(path).read_bytes() for path in (paths.splits, paths.samples, paths.proof)]
        )
    assert written[0] == written[1]


def test_a_mix_of_two_splits_is_refused(tmp_path: Path) -> None:
    one = write_split(split(patients(), tests=False), tmp_path / "one")
    other = write_split(split(patients(), seed=1, tests=False), tmp_path / "other")
    Path(one.samples).write_bytes(Path(other.samples).read_bytes())
    with pytest.raises(FingerprintError, match="not of the same split"):
        read_split(one.folder)
    Path(one.proof).unlink()
    with pytest.raises(InputError, match="lacks proof.json"):
        read_split(one.folder)


def test_several_labels_and_hostile_names_survive(tmp_path: Path) -> None:
    labels = ["a|b", "b", "a", '<script>"x"</script>'] * 5
    made = split(made_audit(labels, task="multi-label"), ratios="train=0.5,test=0.5", tests=False)
    paths = write_split(made, tmp_path)
    table = pd.read_csv(paths.splits)
    assert json.loads(table["label"][0]) == ["a", "b"]
    page = Path(paths.page).read_text()
    assert '<script>"x"' not in page
    assert "&lt;script&gt;" in page


def test_the_table_is_a_manifest(class_folders: Path, tmp_path: Path) -> None:
    from dataprep.engine import audit

    found = audit(class_folders, only=["exact-duplicate"])
    paths = write_split(split(found, ratios="train=0.5,test=0.5", tests=False), tmp_path / "split")
    again = scan(class_folders, manifest=paths.splits)
    assert again.samples["split"].value_counts().to_dict() == {"train": 6, "test": 6}
    assert (
        again.samples["label"].astype("str").to_dict()
        == found.dataset.samples["label"].astype("str").to_dict()
    )
    assert not len(again.faults)
