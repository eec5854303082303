"""The ledger of a test set: every look is kept, whoever looks at once and whatever happens to
the file.
"""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import InputError, OutputError
from dataprep.schemas.split import LEDGER, SPLITS, Split
from dataprep.splits.export.files import write_manifest
from dataprep.splits.proof.test_set_log import (
    LEDGER_COLUMNS,
    TestSetReused,
    describe,
    earlier_evaluations,
    record_evaluation,
)
from tests.splits.materials import make_split

NAMES = ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return make_split(
        tmp_path / "images", NAMES, ["train", "train", "test", "test"], ["a", "b", "a", "b"]
    )


@pytest.fixture
def folder(split: Split, tmp_path: Path) -> Path:
    """A split as it lies on disk."""
    (tmp_path / "split").mkdir()
    write_manifest(split, tmp_path / "split" / SPLITS)
    return tmp_path / "split"


def look(folder: Path, model: str, **columns: object) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TestSetReused)
        return record_evaluation(folder, model=model, metrics={"accuracy": 0.9}, **columns)  # type: ignore[arg-type]


def test_the_first_look_is_recorded_in_silence(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            record_evaluation(
                folder, model="resnet", metrics={"accuracy": 0.9}, model_hash="abc", who="ann"
            )
            == ""
        )
        (row,) = earlier_evaluations(folder).to_dict("records")
    assert {name: row[name] for name in ("who", "part", "model", "model_hash", "metrics")} == {
        "who": "ann",
        "part": "test",
        "model": "resnet",
        "model_hash": "abc",
        "metrics": {"accuracy": 0.9},
    }
    assert pd.Timestamp(row["when"]).tzname() == "UTC"
    assert list(row) == list(LEDGER_COLUMNS)


def test_a_second_look_warns_with_how_many_when_and_which(folder: Path) -> None:
    look(folder, "first", who="ann")
    with pytest.warns(
        TestSetReused,
        match=r"test was used once before \(last 2\d{3}-.*, model first, by ann\): its figure "
        r"is no",
    ):
        record_evaluation(folder, model="second", metrics={})
    text = look(folder, "third", who="bob")
    assert text.startswith("test was used 2 times before")
    assert "model second" in text
    assert earlier_evaluations(folder)["model"].tolist() == ["first", "second", "third"]


def test_nobody_looked(folder: Path) -> None:
    found = earlier_evaluations(folder)
    assert (len(found), describe(found), found.attrs) == (0, "", {"damaged": [], "other": 0})
    assert not (folder / LEDGER).exists()


def test_parts_count_for_themselves(folder: Path) -> None:
    look(folder, "first", part="train")
    assert look(folder, "first") == ""
    with pytest.raises(
        InputError, match="no sample is in the part 'val', the parts are test, train"
    ):
        look(folder, "first", part="val")


def test_a_new_split_begins_a_new_count_and_the_same_samples_do_not(
    folder: Path, split: Split
) -> None:
    look(folder, "first")
    turned = replace(
        split, dataset=replace(split.dataset, samples=split.dataset.samples.iloc[::-1])
    )
    write_manifest(turned, folder / SPLITS)
    assert len(earlier_evaluations(folder)) == 1
    write_manifest(
        replace(split, dataset=split.dataset.assign(split=["test", "train", "train", "test"])),
        folder / SPLITS,
    )
    found = earlier_evaluations(folder)
    assert (len(found), found.attrs["other"]) == (0, 1)
    assert look(folder, "second").startswith(
        "test is new, but an earlier test of this split, of other samples, was used once"
    )
    text = look(folder, "third")
    assert text.startswith("test was used once before")
    assert "; an earlier test, of other samples, once)" in text


def test_a_split_at_hand_is_the_one_on_disk(folder: Path, split: Split) -> None:
    look(folder, "first", split=split)
    assert len(earlier_evaluations(folder)) == len(earlier_evaluations(folder, split=split)) == 1


def test_the_account_is_who_looks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "carla")
    look(folder, "m")
    monkeypatch.setattr(getpass, "getuser", lambda: (_ for _ in ()).throw(KeyError("no such user")))
    look(folder, "m")
    assert earlier_evaluations(folder)["who"].tolist() == ["carla", "unknown"]


@pytest.mark.parametrize(
    "damage", [b'{"when": "2026', b"\xff\xfe\x00", b"[1, 2]", b"null", b'{"when": 1}', b"[" * 5000]
)
def test_damaged_lines_stay_and_are_told(folder: Path, damage: bytes) -> None:
    look(folder, "first")
    with open(folder / LEDGER, "ab") as file:
        file.write(damage)
    look(folder, "second")
    with pytest.warns(TestSetReused, match=r"1 line cannot be read \(2\), and may be evaluations"):
        found = earlier_evaluations(folder)
    assert found["model"].tolist() == ["first", "second"]
    assert found.attrs["damaged"] == [2]
    assert damage in (folder / LEDGER).read_bytes()


def test_looks_at_once_are_all_kept(folder: Path) -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('ignore'); from "
        "dataprep.splits.proof.test_set_log import record_evaluation\n"
        "for number in range(10): record_evaluation(sys.argv[1], model=sys.argv[2] + str(number), "
        "metrics={}, who='x' * 5000)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(folder), name]) for name in "ab"]
    assert [run.wait() for run in runs] == [0, 0]
    found = earlier_evaluations(folder)
    assert sorted(found["model"]) == sorted(
        f"{name}{number}" for name in "ab" for number in range(10)
    )
    assert found.attrs["damaged"] == []


def test_a_full_disk_is_told_and_the_earlier_looks_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(folder, "first")
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:10]))
    with pytest.raises(OutputError, match="disk is full"):
        look(folder, "second")
    monkeypatch.setattr(
        os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OutputError, match="No space left"):
        look(folder, "third")
    monkeypatch.setattr(os, "write", write)
    look(folder, "fourth")
    with pytest.warns(TestSetReused, match="1 line cannot be read"):
        assert earlier_evaluations(folder)["model"].tolist() == ["first", "fourth"]


def test_a_ledger_needs_a_split(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="make one with dataprep split"):
        earlier_evaluations(tmp_path)
    os.mkdir(folder / LEDGER)
    with pytest.raises(InputError, match="cannot be read"):
        earlier_evaluations(folder)


def test_figures_may_come_from_numpy_and_be_grouped(folder: Path) -> None:
    record_evaluation(
        folder,
        model="m",
        metrics={"accuracy": np.float32(0.5), "recall": {"a": np.float64("nan"), "b": 1}},
    )
    (metrics,) = earlier_evaluations(folder)["metrics"]
    assert (metrics["accuracy"], metrics["recall"]["b"]) == (0.5, 1)
    assert np.isnan(metrics["recall"]["a"])


def test_lines_are_json_that_people_can_read(folder: Path) -> None:
    look(folder, "modèle\nzwei", who="Zoë")
    text = (folder / LEDGER).read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert json.loads(text)["who"] == "Zoë"
    assert "Zoë" in text
