"""Edge widths, white noise and traces of enlargement: each on pictures made to have a known
amount of it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.image.close_up import FIGURES, close_up_of, find_close_ups, measure_close_up
from dataprep.measures.image.edge_widths import measure_edges
from dataprep.measures.image.enlargement import measure_resampling
from dataprep.measures.image.white_noise import measure_white_noise
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from tests.measures.image.test_texture import blurred, moved
from tests.measures.pictures import encoded, pixels_of, scene


def discs(seed: int = 0, width: int = 400, height: int = 300) -> np.ndarray:
    """(h, w) clean edges of every direction."""
    random = np.random.default_rng(seed)
    sheet = np.full((4 * height, 4 * width), 128, np.uint8)
    for _ in range(25):
        centre = int(random.integers(0, 4 * width)), int(random.integers(0, 4 * height))
        cv2.circle(sheet, centre, int(random.integers(80, 200)), int(random.integers(20, 236)), -1)
    return cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA)


def noised(array: np.ndarray, sigma: float, *, grey: bool = False) -> np.ndarray:
    shape = array.shape[:2] + ((1,) if grey else (3,))
    return np.clip(
        np.rint(array + np.random.default_rng(0).normal(0, sigma, shape)), 0, 255
    ).astype(np.uint8)


def resized(array: np.ndarray, factor: float, how: int) -> np.ndarray:
    height, width = array.shape[:2]
    small = cv2.resize(
        array, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA
    )
    return cv2.resize(small, (width, height), interpolation=how)


def luma(array: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("sigma", [1.5, 2.0, 2.5])
def test_the_width_of_an_edge_is_that_of_the_gaussian_that_blurred_it(sigma):
    # Height over twice the slope per pixel of a blurred step: sqrt(2 pi) sigma / 2, and a little
    # for the span of the gradient.
    found = measure_edges(blurred(discs(), sigma))
    assert found.second_tile == pytest.approx(math.sqrt(math.pi / 2) * sigma, rel=0.2)
    assert found.elongation < 1.15


def test_a_clean_edge_is_about_one_pixel_wide_whatever_its_contrast():
    assert measure_edges(discs()).sharpest == pytest.approx(0.95, abs=0.1)
    faint = (100 + discs() * 0.35).astype(np.uint8)
    assert measure_edges(faint).sharpest == pytest.approx(measure_edges(discs()).sharpest, rel=0.1)


@pytest.mark.parametrize("angle", [0, 30, 60, 90, 120, 150])
def test_motion_is_wide_along_its_own_direction(angle):
    found = measure_edges(moved(discs(3), 15, angle))
    assert abs((found.angle - angle + 90) % 180 - 90) < 8
    assert found.elongation > 1.5
    assert found.along > 2.9 > 1.8 > found.across
    assert found.sharpest_tile > 2.9


def test_one_sharp_object_before_a_soft_background_leaves_a_sharp_tile():
    picture = moved(discs(1), 25, 0)
    picture[100:200, 150:250] = discs(5)[100:200, 150:250]
    assert measure_edges(picture).sharpest_tile < 2
    assert measure_edges(moved(discs(1), 25, 0)).sharpest_tile > 2.9


def test_widths_are_relative_to_the_size_of_the_picture():
    large = cv2.resize(discs(2), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert measure_edges(large).second_tile == pytest.approx(
        measure_edges(blurred(discs(2), 0.7)).second_tile, rel=0.35
    )


def test_what_is_too_soft_for_edges_at_full_size_is_measured_at_half_of_it():
    soft = blurred(discs(4), 14)
    assert measure_edges(soft).second_tile > 2.2


@pytest.mark.parametrize("sigma", [10, 20, 40])
def test_noise_of_each_channel_is_told_by_level_colour_and_independence(sigma):
    soft = 64 + blurred(scene(3), 3) // 2
    found = measure_white_noise(noised(soft, sigma))
    assert found.level == pytest.approx(math.hypot(0.299, 0.587, 0.114) * sigma, rel=0.25)
    assert found.neighbours == pytest.approx(-0.45, abs=0.05)
    assert found.halving == pytest.approx(0.53, abs=0.06)
    assert found.colour == pytest.approx(math.sqrt(2) / math.hypot(0.299, 0.587, 0.114), rel=0.1)
    assert found.evenness > 0.76


def test_grey_noise_has_no_colour_and_one_strength():
    found = measure_white_noise(noised(64 + blurred(scene(3), 3) // 2, 20, grey=True))
    assert found.level == pytest.approx(20, rel=0.25)
    assert found.colour < 0.15
    assert (found.evenness > 0.76, found.peakedness < 3.15) == (True, True)


def test_a_texture_whose_neighbours_go_together_is_not_white():
    carpet = blurred(noised(np.full((300, 400, 3), 128, np.uint8), 110), 0.7)
    found = measure_white_noise(carpet)
    assert found.level > 5
    assert found.halving > 0.72
    assert found.neighbours > -0.38


def test_black_and_white_blocks_are_not_open():
    page = noised(np.full((300, 400, 3), 128, np.uint8), 10)
    page[:150] = 255
    assert measure_white_noise(page).open == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("how", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
@pytest.mark.parametrize("factor", [3.3, 5.0])
def test_the_factor_of_an_enlargement_is_its_period(factor, how):
    found = measure_resampling(luma(resized(scene(5, 600, 450), factor, how)))
    assert max(found.fine, found.coarse) > 6.5
    period = found.fine_factor if found.fine > found.coarse else found.coarse_factor
    assert factor / period == pytest.approx(round(factor / period), abs=0.03)


def test_an_enlargement_by_eight_is_on_the_grid_of_jpeg():
    found = measure_resampling(luma(resized(scene(5, 600, 448), 8, cv2.INTER_LINEAR)))
    assert found.grid > 6.5
    assert 8 / found.grid_factor == pytest.approx(round(8 / found.grid_factor), abs=0.03)


def test_untouched_and_blurred_pictures_and_stripes_have_no_period():
    stripes = scene(6, 400, 300)
    stripes[:, ::6] //= 2
    for picture in (scene(6), blurred(scene(7), 3), moved(scene(8), 15, 30), stripes):
        found = measure_resampling(luma(picture))
        assert max(found.fine, found.coarse, found.grid) < 6


CLEAN = discs()[:, :, None].repeat(3, axis=2)
PLAIN = np.full((200, 200, 3), 77, np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        encoded(scene(1, 40, 30), "PNG"),
        encoded(PLAIN, "PNG"),
        encoded(PLAIN[:1, :1], "PNG"),
        encoded(Image.fromarray(np.full((200, 300), 3, np.uint8)), "PNG"),
        encoded(Image.fromarray(scene(1)[:, :, 0].astype(np.uint16) << 8), "PNG"),
        encoded(Image.fromarray(np.dstack([scene(1), np.full((300, 400), 9, np.uint8)])), "PNG"),
        encoded(scene(1, 3000, 49), "PNG"),
    ],
    ids=["small", "one tone", "a pixel", "grey", "16 bits", "nearly transparent", "a strip"],
)
def test_odd_images_have_figures_or_none(data):
    figures = close_up_of(open_pixels(data))
    assert (figures.shape, figures.dtype) == ((len(FIGURES),), np.dtype(np.float32))
    assert not np.isinf(figures).any()


def test_sixteen_bits_and_grey_are_measured_as_what_is_shown():
    grey = luma(blurred(discs()[:, :, None].repeat(3, axis=2), 2))
    deep = open_pixels(encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"))
    assert close_up_of(deep) == pytest.approx(close_up_of(pixels_of(grey)), rel=0.02, nan_ok=True)


def test_noise_of_a_large_image_is_measured_in_strips_of_it():
    large = noised(np.full((1600, 2400, 3), 120, np.uint8), 20)
    assert measure_white_noise(large).level == pytest.approx(
        measure_white_noise(large[:400, :600]).level, rel=0.05
    )


def test_files_are_decoded_again_and_broken_ones_passed_over(tmp_path):
    for name, picture in (("a.png", scene(1)), ("b.png", blurred(scene(2), 3))):
        Image.fromarray(picture).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"no image")
    dataset = Dataset(
        str(tmp_path),
        pd.DataFrame(index=pd.Index(["a.png", "c.png", "b.png"], name="sample", dtype="str")),
    )
    found = find_close_ups(dataset, np.array([0, 1, 2]), PassOptions(jobs=1))
    assert np.isnan(found[1]).all()
    assert found[0] == pytest.approx(close_up_of(pixels_of(scene(1))), nan_ok=True)
    assert found[2] == pytest.approx(close_up_of(pixels_of(blurred(scene(2), 3))), nan_ok=True)
    assert find_close_ups(dataset, np.array([], np.int64), PassOptions(jobs=1)).shape == (
        0,
        len(FIGURES),
    )


@pytest.mark.parametrize(
    ("picture", "looked_at"),
    [
        (scene(1), False),
        (blurred(scene(2), 3), True),
        (noised(CLEAN, 25), True),
        (blurred(scene(2), 3)[:47], False),
        (np.dstack([blurred(scene(2), 3), np.full((300, 400), 99, np.uint8)]), False),
    ],
    ids=["sharp", "soft", "noisy", "small", "transparent"],
)
def test_the_pass_looks_closely_only_where_sharpness_and_noise_leave_it_open(picture, looked_at):
    pixels = open_pixels(encoded(Image.fromarray(picture), "PNG"))
    figures = measure_close_up(pixels)
    assert (figures is not None) == looked_at
    if looked_at:
        np.testing.assert_array_equal(figures, close_up_of(pixels))


def test_an_image_decoded_at_reduced_scale_is_left_to_a_second_decoding():
    soft = encoded(Image.fromarray(blurred(scene(2), 3)), "JPEG")
    assert measure_close_up(open_pixels(soft)) is not None
    assert measure_close_up(open_pixels(soft, PassOptions(scale_above_megapixels=0.1))) is None


def test_only_what_there_is_reason_to_ask_is_measured():
    named = [
        dict(zip(FIGURES, close_up_of(pixels_of(picture)), strict=True))
        for picture in (CLEAN, noised(CLEAN, 25))
    ]
    assert math.isnan(named[0]["resampling_fine"])
    assert (math.isnan(named[0]["noise_level"]), named[1]["noise_level"] > 10) == (True, True)
    soft = dict(
        zip(
            FIGURES,
            close_up_of(pixels_of(resized(scene(5, 600, 450), 5, cv2.INTER_LINEAR))),
            strict=True,
        )
    )
    assert soft["resampling_coarse"] > 6.5
    assert soft["noise_halving"] > 1
