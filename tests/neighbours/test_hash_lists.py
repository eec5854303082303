"""Existing lists of hashes are compared with a data set."""

from __future__ import annotations

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dataprep
from dataprep import compare_hashes
from dataprep.errors import InputError, OptionError
from tests.measures.pictures import scene


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        Image.fromarray(scene(seed, 96, 64)).save(folder / f"{seed}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    options = dataprep.PassOptions(jobs=1, embedder="", cache=False)
    return dataprep.measure(dataprep.scan(str(folder)), ["phash"], options)


def test_images_are_found_by_the_hashes_that_imagehash_gave_them(measured):
    first, second = Image.fromarray(scene(0, 96, 64)), Image.fromarray(scene(1, 96, 64))
    turned = first.transpose(Image.Transpose.ROTATE_180)
    listed = pd.Series(
        {
            "a": imagehash.phash(first),
            "b": str(imagehash.phash(second)),
            "c": imagehash.phash(turned),
        }
    )
    table = compare_hashes(measured, listed, distance=0)
    assert table.values.tolist() == [
        ["0.png", "a", 0, "as it is"],
        ["0.png", "c", 0, "half a turn"],
        ["1.png", "b", 0, "as it is"],
    ]


def test_the_distance_is_that_of_imagehash(measured):
    listed = {"x": "0123456789abcdef"}
    table = compare_hashes(measured, listed, distance=64)
    assert sorted(table["sample"]) == ["0.png", "1.png", "2.png"]  # what gave no pixels is no match
    for row in table.itertuples():
        image = Image.open(measured.path(row.sample))
        views = [image.transpose(way) for way in Image.Transpose]
        other = imagehash.hex_to_hash(listed["x"])
        assert row.distance == min(imagehash.phash(view) - other for view in (image, *views))


def test_many_are_compared_in_blocks(measured, monkeypatch):
    listed = {str(value): f"{value:016x}" for value in range(50)}
    whole = compare_hashes(measured, listed, distance=40)
    monkeypatch.setattr("dataprep.neighbours.hash_lists._COMPARISONS_AT_ONCE", 1)
    pd.testing.assert_frame_equal(compare_hashes(measured, listed, distance=40), whole)
    assert compare_hashes(measured, {}).empty


def test_what_is_no_hash_of_64_bits_is_refused(measured):
    for wrong in ("", "xyz", "0123", imagehash.ImageHash(np.ones((16, 16), bool))):
        with pytest.raises(InputError, match="img.jpg: expected a perceptual hash of 64 bits"):
            compare_hashes(measured, {"img.jpg": wrong})
    with pytest.raises(OptionError, match="distance: expected 0 to 64"):
        compare_hashes(measured, {}, distance=65)
    with pytest.raises(InputError, match="measure it first"):
        compare_hashes(dataprep.scan(measured.root), {})
