"""What checks found is remembered for the same data, options and software, and for no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dataprep
from dataprep.checks import memory as memory_module
from dataprep.checks.content.outlier import Outlier
from dataprep.checks.memory import Memory, memory_of
from dataprep.checks.quality.dark import Dark
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import batch

OPTIONS = PassOptions()


@pytest.fixture(autouse=True)
def _keep_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_SHORT_S", -1.0)


@pytest.fixture
def dataset() -> Dataset:
    columns = {"label": pd.Categorical(["a", "b"]), "file_hash": ["1", "2"], "size": [1.0, np.nan]}
    samples = pd.DataFrame(columns, index=pd.Index(["1.jpg", "2.jpg"], name="sample"))
    made = Dataset("root", samples, "classification", ("a", "b"))
    return made.with_arrays(embedding=np.ones((2, 3), np.float16))


def remembered(dataset: Dataset, options: PassOptions = OPTIONS, given: Any = "") -> bool:
    """Whether something is remembered; it is from now on."""
    calls: list[int] = []
    Memory(dataset, options).get("thing", lambda: calls.append(1) or "value", given)
    return not calls


def test_the_same_data_are_remembered(dataset: Dataset) -> None:
    assert not remembered(dataset)
    assert remembered(dataset)
    assert remembered(replace(dataset, samples=dataset.samples.copy()))
    assert remembered(dataset, replace(OPTIONS, jobs=7))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(file_hash=["1", "3"]),
        lambda d: d.assign(size=[1.0, 2.0]),
        lambda d: d.assign(site=["x", "y"]),
        lambda d: d.assign(label=pd.Categorical(["a", "a"], categories=["a", "b"])),
        lambda d: d.assign(label=pd.Categorical(["a", "c"])),
        lambda d: d.assign(size=np.array([1.0, np.nan], np.float32)),
        lambda d: d.where([True, False]),
        lambda d: d.where([True, True]).with_arrays(embedding=np.zeros((2, 3), np.float16)),
        lambda d: d.with_arrays(probs=np.ones((2, 2))),
        lambda d: replace(d, root="other"),
        lambda d: replace(d, classes=("b", "a")),
        lambda d: replace(d, faults=pd.DataFrame({"check": ["x"]})),
        lambda d: replace(d, samples=d.samples.rename(index={"1.jpg": "3.jpg"})),
    ],
)
def test_other_data_are_not(dataset: Dataset, change: Callable[[Dataset], Dataset]) -> None:
    remembered(dataset)
    assert not remembered(change(dataset))


def test_other_options_and_software_are_not(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered(dataset)
    assert not remembered(dataset, replace(OPTIONS, max_megapixels=1.0))
    assert not remembered(dataset, given={"threshold": 1})
    assert Memory(dataset, OPTIONS, dataset).recall("thing") is None
    monkeypatch.setattr(memory_module, "software", lambda: "another version")
    assert not remembered(dataset)


def test_what_lost_an_item_to_a_limit_is_not_kept(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([0, 1])
    monkeypatch.setattr(memory_module, "losses", lambda: next(counts))
    assert not remembered(dataset)
    monkeypatch.undo()
    assert not remembered(dataset)


def test_what_takes_no_time_is_not_kept(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_SHORT_S", 10.0)
    assert not remembered(dataset)
    assert not remembered(dataset)


def test_only_second_looks_of_this_package_are_remembered(dataset: Dataset) -> None:
    class Own(Outlier):
        pass

    claims = [batch("outlier", "info", "sample", ["1.jpg"])]
    for check in (Outlier(), Dark(), Own()):
        Memory(dataset, OPTIONS).claims(check, lambda: claims)
    never = AssertionError("asked again")

    def asked() -> list[pd.DataFrame]:
        raise never

    (found,) = Memory(dataset, OPTIONS).claims(Outlier(), asked)
    pd.testing.assert_frame_equal(found, claims[0])
    for check in (Dark(), Own(), Outlier(rate=0.01)):
        with pytest.raises(AssertionError):
            Memory(dataset, OPTIONS).claims(check, asked)


def test_there_is_none_without_a_cache_or_of_images_in_memory(dataset: Dataset) -> None:
    assert memory_of(dataset, OPTIONS) is not None
    assert memory_of(dataset, PassOptions(cache=False)) is None
    assert memory_of(replace(dataset, holds=object()), OPTIONS) is None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is worked out, in order."""
    names: list[str] = []
    get = Memory.get

    def noted(self: Memory, name: str, make: Callable[[], Any], *rest: Any, **more: Any) -> Any:
        return get(self, name, lambda: names.append(name.split(":")[-1]) or make(), *rest, **more)

    monkeypatch.setattr(Memory, "get", noted)
    return names


def test_a_changed_threshold_costs_one_check(class_folders: Path, asked: list[str]) -> None:
    first = dataprep.audit(str(class_folders))
    assert {"duplicates", "neighbours", "Blurry"} <= set(asked)
    asked.clear()
    second = dataprep.audit(str(class_folders))
    assert asked == []
    pd.testing.assert_frame_equal(first.issues.table, second.issues.table)
    assert (first.neighbourhood is None) == (second.neighbourhood is None)
    dataprep.audit(str(class_folders), options={"blurry": {"width": 3.0}})
    assert asked == ["Blurry"]
    (class_folders / "cat" / "01.jpg").unlink()
    dataprep.audit(str(class_folders))
    assert {"duplicates", "Blurry"} <= set(asked)


def test_one_check_after_all_decodes_nothing(
    class_folders: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    for path in class_folders.rglob("*.jpg"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    alone = dataprep.audit(str(class_folders), only=["near-duplicate"])
    full = dataprep.audit(str(class_folders))
    asked.clear()
    monkeypatch.setattr("dataprep.measures.decode_pass.imap", None)
    after = dataprep.audit(str(class_folders), only=["near-duplicate"])
    assert asked == []
    assert list(after.dataset.samples) == list(alone.dataset.samples)
    assert set(after.dataset.arrays) == set(alone.dataset.arrays)
    assert after.dataset.fingerprint == full.dataset.fingerprint
    pd.testing.assert_frame_equal(after.issues.table, alone.issues.table)
