"""Marks, patches and the outer frame: places, colours and figures against their definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dataprep.measures.decode.pixels import Header, Pixels
from dataprep.measures.image.marks import (
    find_marks,
    isolated,
    marks_of,
    marks_of_squares,
    place_of,
    where,
)
from dataprep.measures.image.patches import PLACES, SIDE, measure_patches, pack, unpack
from dataprep.measures.image.surround import (
    measure_edge_contrast,
    measure_edge_luma,
    measure_tint,
    measure_warmth,
)
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset


def pixels_of(rgb: np.ndarray, **options) -> Pixels:
    return Pixels(
        b"",
        Header("PNG", "RGB", rgb.shape[1], rgb.shape[0]),
        np.ascontiguousarray(rgb, np.uint8),
        **options,
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 12), st.integers(4, 12), st.integers(1, 5), st.integers(0, 1000))
def test_isolated_is_what_it_says(height, width, reach, seed):
    rgb = np.random.default_rng(seed).choice([0, 60, 120], (height, width, 3)).astype(np.uint8)
    found = isolated([rgb[..., channel] for channel in range(3)], reach)
    for y in range(height):
        for x in range(width):
            around = [(y - reach, x), (y + reach, x), (y, x - reach), (y, x + reach)]
            inside = [(v, u) for v, u in around if 0 <= v < height and 0 <= u < width]
            ups, sides = any(u == x for _, u in inside), any(v == y for v, _ in inside)
            differs = all(np.abs(rgb[y, x].astype(int) - rgb[v, u]).max() > 40 for v, u in inside)
            assert found[y, x] == (min(height, width) > reach and ups and sides and differs)


def test_a_mark_has_its_place_from_the_nearest_corner():
    rgb = np.full((40, 60, 3), 128, np.uint8)
    for y, x in ((2, 5), (2, 50), (35, 5), (39, 59)):
        rgb[y, x] = (255, 0, 0)
    places, colours = marks_of(rgb)
    assert {where(int(place)) for place in places} == {(0, 2, 5), (1, 2, 9), (2, 4, 5), (3, 0, 0)}
    assert set(colours.tolist()) == set(pack(np.array([[255, 0, 0]], np.uint8)).tolist())


def test_marks_in_the_squares_of_the_pass_have_the_places_of_the_whole_image():
    rgb = np.full((50, 50, 3), 128, np.uint8)
    rgb[1, 2] = rgb[48, 45] = (0, 255, 0)
    squares = measure_patches(pixels_of(rgb))[None]
    marks = marks_of_squares(squares, np.array([7]))
    whole = marks_of(rgb)
    assert marks.image.tolist() == [7, 7]
    usual = whole[0] < int(place_of(8, 0, 0))
    assert sorted(marks.place.tolist()) == sorted(whole[0][usual].tolist())
    assert marks.colour.tolist() == whole[1][usual].tolist()


def test_a_pixel_that_stands_alone_is_a_mark_of_another_kind_and_a_stroke_is_none():
    rgb = np.full((40, 60, 3), 128, np.uint8)
    rgb[10, 10] = 255
    rgb[20:23, 20:23] = 255
    rgb[30:33, 10:25] = 255
    rgb[range(5, 15), range(30, 40)] = 255
    places, _ = marks_of(rgb)
    kinds = [(int(place) >> 33, *map(int, where(int(place)))) for place in places]
    assert [each for each in kinds if each[0] == 1] == [(1, 0, 10, 10)]
    assert {each for each in kinds if each[0] == 2} == {(2, 0, 10, 10), (2, 2, 18, 21)}


def test_places_are_told_apart():
    spots = [
        (corner, down, across)
        for corner in range(5)
        for down in (0, 3, 32767)
        for across in (0, 9, 32767)
    ]
    codes = [int(place_of(*spot)) for spot in spots]
    assert len(set(codes)) == len(spots)
    assert [where(code) for code in codes] == spots


def test_patches_are_the_corners_and_the_centre():
    rgb = np.random.default_rng(0).integers(0, 256, (20, 31, 3)).astype(np.uint8)
    squares = measure_patches(pixels_of(rgb)).reshape(len(PLACES), SIDE, SIDE)
    assert (squares[3] == pack(rgb[-SIDE:, -SIDE:])).all()
    assert (squares[4] == pack(rgb[7:13, 12:18])).all()
    assert not measure_patches(pixels_of(rgb[:5])).any()
    assert not measure_patches(pixels_of(rgb, approximate=True)).any()


def test_packed_colours_come_back_to_within_a_few_levels():
    rgb = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
    assert np.abs(unpack(pack(rgb)).astype(int) - rgb).max() <= 8
    extremes = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    assert (unpack(pack(extremes)) == extremes).all()


def test_colour_cast_and_outer_frame():
    rgb = np.zeros((100, 50, 3), np.uint8)
    rgb[..., 0], rgb[..., 1], rgb[..., 2] = 200, 100, 50
    assert measure_warmth(pixels_of(rgb)) == pytest.approx(150 / 255)
    assert measure_tint(pixels_of(rgb)) == pytest.approx(-25 / 255)
    framed = np.zeros((100, 50, 3), np.uint8)
    framed[:2] = framed[-2:] = framed[:, :2] = framed[:, -2:] = 255
    assert measure_edge_luma(pixels_of(framed)) == pytest.approx(1.0)
    assert measure_edge_contrast(pixels_of(framed)) == pytest.approx(0.0, abs=1e-6)
    framed[:, :25] = 0
    assert measure_edge_luma(pixels_of(framed)) == pytest.approx(0.5)
    assert measure_edge_contrast(pixels_of(framed)) == pytest.approx(0.5)


def test_the_second_look_decodes_files_and_passes_over_broken_ones(tmp_path):
    rgb = np.full((30, 30, 3), 128, np.uint8)
    rgb[3, 4] = 255
    for name in ("a.png", "b.png"):
        Image.fromarray(rgb).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"no image")
    dataset = Dataset(
        str(tmp_path),
        pd.DataFrame(index=pd.Index(["a.png", "c.png", "b.png"], name="sample", dtype="str")),
    )
    marks = find_marks(dataset, np.array([0, 1, 2]), PassOptions(jobs=1))
    assert marks.looked.tolist() == [0, 2]
    assert sorted(set(marks.image.tolist())) == [0, 2]
    assert where(int(marks.place[0])) == (0, 3, 4)
    assert marks.places == 900
    assert not len(find_marks(dataset, np.array([], np.int64), PassOptions(jobs=1)).image)
