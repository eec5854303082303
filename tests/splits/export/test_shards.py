"""Shards are read back by webdataset itself, sample by sample."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataprep.splits import materialise
from tests.splits.materials import make_split

webdataset = pytest.importorskip("webdataset")

#: A dot in a folder, a name that is no UTF-8, a double extension, a name that is too long for tar.
NAMES = ["a.b/one.jpg", "b\udcff.jpg", "two.tar.png", f"{'n' * 150}.jpg", "c/one.jpg", "é.webp"]


@pytest.mark.parametrize("limits", [{}, {"shard_samples": 2}])
def test_webdataset_reads_every_sample(tmp_path: Path, limits: dict[str, int]) -> None:
    labels = ["cat", "dog", "cat", "dog", "cat", "dog"]
    split = make_split(tmp_path / "images", NAMES, ["train"] * 4 + ["test"] * 2, labels)
    materialise(split, tmp_path / "shards", "webdataset", **limits)
    found = {}
    for part in ("train", "test"):
        shards = sorted(str(path) for path in (tmp_path / "shards").glob(f"{part}-*.tar"))
        for sample in webdataset.WebDataset(shards, shardshuffle=False):
            record = json.loads(sample["json"])
            (image,) = (sample[key] for key in ("jpg", "png", "webp") if key in sample)
            found[record["sample"]] = (record["split"], int(sample["cls"]), image)
    assert len(found) == len(NAMES)
    samples = split.dataset.samples
    for name, (part, number, image) in found.items():
        assert part == samples.loc[name, "split"]
        assert split.dataset.classes[number] == samples.loc[name, "label"]
        assert image == Path(split.dataset.path(name)).read_bytes()
