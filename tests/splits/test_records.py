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
from dataprep.splits import read_split, split, write_split
from tests.splits.made import made_audit, patients


def test_written_and_read_back(tmp_path: Path) -> None:
    made = split(patients(120, 30), folds=3, repeats=2, tests=False)
    paths = write_split(made, tmp_path)
    read = read_split(tmp_path)
    assert read.parts == made.parts
    assert read.proof == json.loads(json.dumps(made.proof))
    assert read.run["seconds"]
    table = pd.read_csv(paths.splits)
    assert list(table) == ["path", "label", "split", "split_2", "unit", "group"]
    assert table["path"].is_monotonic_increasing
    assert len(table) == 120


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
    with pytest.raises(InputError, match=r"proof.json is not there"):
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
