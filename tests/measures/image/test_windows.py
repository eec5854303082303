"""Windows: the pixels around a place, from whole images and from the squares of the pass alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataprep.measures.image.marks import place_of
from dataprep.measures.image.patches import SIDE, pack
from dataprep.measures.image.windows import RADIUS, find_windows, windows_of, windows_of_squares
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset


@pytest.fixture
def rgb() -> np.ndarray:
    return (np.arange(40 * 50 * 3) * 7 % 251).reshape(40, 50, 3).astype(np.uint8)


def test_a_window_has_its_place_in_the_middle_and_nothing_beyond_the_picture(rgb):
    (window,) = windows_of(rgb, [int(place_of(3, 2, 1))])
    assert window[RADIUS, RADIUS].tolist() == rgb[37, 48].tolist()
    assert window[RADIUS - 3, RADIUS - 2].tolist() == rgb[34, 46].tolist()
    assert (window[RADIUS + 3 :] == -1).all()
    assert (window[:, RADIUS + 2 :] == -1).all()
    assert (windows_of(rgb, [int(place_of(0, 90, 3))]) == -1).all()


@pytest.mark.parametrize("corner", range(5))
def test_the_squares_of_the_pass_show_what_the_image_shows(rgb, corner):
    squares = [
        rgb[:SIDE, :SIDE],
        rgb[:SIDE, -SIDE:],
        rgb[-SIDE:, :SIDE],
        rgb[-SIDE:, -SIDE:],
        rgb[17:23, 22:28],
    ]
    patches = pack(np.stack(squares)).reshape(1, 5, -1)
    place = int(place_of(corner, 1, 4))
    (ours,), (whole,) = windows_of_squares(patches, place), windows_of(rgb, [place])
    known = ours[..., 0] >= 0
    assert known.sum() == SIDE * SIDE
    assert np.abs(ours[known] - whole[known]).max() <= 8


def test_files_are_decoded_again_and_broken_ones_show_nothing(rgb, tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(rgb).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"no image")
    dataset = Dataset(
        str(tmp_path),
        pd.DataFrame(index=pd.Index(["a.png", "c.png", "b.png"], name="sample", dtype="str")),
    )
    places = np.array([int(place_of(0, row, 2)) for row in (5, 6, 7, 8)])
    windows = find_windows(dataset, np.array([2, 1, 0, 2]), places, PassOptions(jobs=1))
    assert windows[:, RADIUS, RADIUS].tolist() == [
        rgb[5, 2].tolist(),
        [-1] * 3,
        rgb[7, 2].tolist(),
        rgb[8, 2].tolist(),
    ]
    assert (
        len(
            find_windows(
                dataset, np.array([], np.int64), np.array([], np.int64), PassOptions(jobs=1)
            )
        )
        == 0
    )
