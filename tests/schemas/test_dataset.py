"""The Dataset: frozen, aligned, and known by its content."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pandas as pd
import pytest

from dataprep.schemas.dataset import Dataset


def make(names: list[str], labels: list[str | None]) -> Dataset:
    samples = pd.DataFrame({"label": pd.Categorical(labels)}, index=pd.Index(names, name="sample"))
    return Dataset(
        "/data",
        samples,
        "classification",
        ("cat", "dog"),
        {"phash": np.arange(len(names) * 8).reshape(-1, 8)},
    )


def test_where_keeps_rows_arrays_and_annotations_aligned() -> None:
    whole = make(["a", "b", "c"], ["cat", "dog", "cat"])
    whole = dataclasses.replace(
        whole, annotations=pd.DataFrame({"sample": ["a", "b", "c"], "label": ["cat", "dog", "cat"]})
    )
    part = whole.where([True, False, True])
    assert part.samples.index.tolist() == ["a", "c"]
    assert part.arrays["phash"][1, 0] == 16
    assert part.annotations is not None
    assert part.annotations["sample"].tolist() == ["a", "c"]
    assert len(whole) == 3


def test_assign_leaves_the_original_as_it_was() -> None:
    first = make(["a"], ["cat"])
    second = first.assign(width=[3.0])
    assert "width" not in first.samples
    assert second.samples["width"].tolist() == [3.0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.root = "elsewhere"  # type: ignore[misc]


def test_arrays_must_have_a_row_for_each_sample() -> None:
    with pytest.raises(ValueError, match="expected 1 rows, got 2"):
        make(["a"], ["cat"]).with_arrays(embedding=np.zeros((2, 4)))


def test_has_means_at_least_one_value() -> None:
    dataset = make(["a", "b"], [None, None])
    assert not dataset.has("label")
    assert not dataset.has("split")
    assert dataset.has("phash")


def test_fingerprint_ignores_order_and_place_but_not_content() -> None:
    first = make(["a", "b"], ["cat", "dog"])
    turned = make(["b", "a"], ["dog", "cat"])
    moved = dataclasses.replace(first, root="/elsewhere")
    assert first.fingerprint == turned.fingerprint == moved.fingerprint
    assert make(["a", "b"], ["cat", "cat"]).fingerprint != first.fingerprint
    assert make(["a", "b"], ["cat", None]).fingerprint != first.fingerprint


def test_path_undoes_the_escape_of_names() -> None:
    assert make([r"x\xff.jpg"], ["cat"]).path(r"x\xff.jpg") == "/data/x\udcff.jpg"
    remote = dataclasses.replace(make(["a"], ["cat"]), root="memory://bucket/")
    assert remote.path("dog/a.jpg") == "memory://bucket/dog/a.jpg"


@pytest.mark.parametrize("root", ["/data", "/data/", "/", ".", "", "/data//"])
@pytest.mark.parametrize("sample", ["a.jpg", "cat/a.jpg", "/cat/a.jpg", "cat//a.jpg", "../a"])
def test_a_path_is_the_root_joined_with_the_parts_of_the_name(root: str, sample: str) -> None:
    dataset = dataclasses.replace(make(["a"], ["cat"]), root=root)
    assert dataset.path(sample) == os.path.join(root, *sample.split("/"))


def test_every_file_is_readable_until_one_is_known_to_be_lost():
    names = pd.Index(["a", "b", "c"], name="sample")
    given = Dataset("data", pd.DataFrame(index=names))
    assert given.readable.tolist() == [True] * 3
    assert given.assign(lost=["", "truncated", None]).readable.tolist() == [True, False, True]
    kinds = pd.Categorical(["", "missing", None])
    assert given.assign(lost=kinds).readable.tolist() == [True, False, True]
