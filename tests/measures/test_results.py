from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.measures import results
from dataprep.measures.cache import cache_info, clear_cache
from dataprep.measures.results import ResultStore
from dataprep.neighbours.cosine import Nearest
from dataprep.probes.labels.disagreements import Share
from dataprep.schemas.issues import batch


def again(folder: Path, value: Any) -> Any:
    ResultStore(str(folder)).keep("key", value)
    return ResultStore(str(folder)).recall("key")


@pytest.mark.parametrize(
    "value",
    [
        7,
        "text \udcff",
        [1, (2.5, None), {"a": True, 3: "b"}],
        Share(0.1, 0.0, 0.2),
        np.float32(0.1),
        float("inf"),
    ],
)
def test_plain_values_come_back_as_they_were(tmp_path: Path, value: Any) -> None:
    found = again(tmp_path, value)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int32).reshape(2, 3),
        np.zeros((0, 4), np.float16),
        np.array([np.nan, 1.5]),
        np.array([True, False]),
        np.array(["a", None], dtype=object),
    ],
)
def test_arrays_come_back_and_may_be_changed(tmp_path: Path, array: Any) -> None:
    found = again(tmp_path, Nearest(array, array[:1]))
    assert type(found) is Nearest
    assert found.indices.dtype == array.dtype
    np.testing.assert_array_equal(found.indices, array)
    found.indices[:1] = found.indices[:1]


def test_claims_come_back_as_they_were(tmp_path: Path) -> None:
    claims = batch("dark", "warning", "sample", ["1.jpg", "ü.jpg"], figure=[0.1, np.nan])
    found = again(tmp_path, [claims, claims[:0]])
    for one, other in zip(found, [claims, claims[:0]], strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    assert again(tmp_path, [1, 2]) == [1, 2]
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    for damaged in (b"", data[:10], data[:-1], data[:-1] + b"?"):
        path.write_bytes(damaged)
        assert ResultStore(str(tmp_path)).recall("key") is None


def test_only_things_of_this_package_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = json.dumps(["object", "subprocess", "Popen", {"args": "true"}]).encode()
    with monkeypatch.context() as patch:
        patch.setattr(results.json, "dumps", lambda value: tree.decode())
        ResultStore(str(tmp_path)).keep("key", 1)
    assert ResultStore(str(tmp_path)).recall("key") is None


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, pd.DataFrame({"a": [1]}, index=[5]), np.array([object()])]
)
def test_other_things_are_not_kept(tmp_path: Path, value: Any) -> None:
    assert again(tmp_path, value) is None
    assert not list(tmp_path.iterdir())


def test_large_values_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MOST_BYTES", 100)
    assert again(tmp_path, np.zeros(100)) is None


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert again(tmp_path / "file", 1) is None


def test_what_was_not_used_for_longest_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_MOST", 2)
    store = ResultStore(str(tmp_path))
    for number, key in enumerate("abc"):
        store.keep(key, number)
        os.utime(tmp_path / f"results-{key}", (number, number))
    assert store.recall("a") == 0
    store.close()
    assert [store.recall(key) for key in "abc"] == [0, None, 2]


def test_the_cache_counts_and_clears_them(tmp_path: Path) -> None:
    assert again(tmp_path, np.zeros(1000)) is not None
    assert cache_info(str(tmp_path))["bytes"] > 8000
    assert clear_cache(str(tmp_path)) > 8000
    assert ResultStore(str(tmp_path)).recall("key") is None
