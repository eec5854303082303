"""Sharpness, direction, noise, blocks, end of detail and frames: each on pictures made to have a
known amount of it.
"""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
import pytest
from PIL import Image

from dataprep.measures.image.bands import ROWS, cut_bands
from dataprep.measures.image.focus import structure
from tests.measures.pictures import scene, value


def blurred(array: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(array, (0, 0), sigma)


def moved(array: np.ndarray, length: int, angle: float) -> np.ndarray:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), angle, 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(array, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


def compressed(array: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def enlarged(array: np.ndarray, factor: int, how: int) -> np.ndarray:
    small = cv2.resize(array, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (array.shape[1], array.shape[0]), interpolation=how)


@pytest.mark.parametrize(("down", "right"), [(0, 1), (1, 0), (1, 1), (1, -1), (8, 0), (0, 8)])
def test_structure_is_the_mean_squared_difference_within_bands(down, right):
    bands = cut_bands(scene(0, 150, 200)[:, :, 1].copy())
    rows = range(0, ROWS - down, 6) if down and right else range(ROWS - down)
    width = bands.shape[1]
    squares = []
    for band in bands.reshape(-1, ROWS, width).astype(float):
        for row in rows:
            left, other = band[row], band[row + down]
            squares.append(
                (
                    left[max(-right, 0) : width - max(right, 0)]
                    - other[max(right, 0) : width - max(-right, 0)]
                )
                ** 2
            )
    assert structure(bands, down, right) == pytest.approx(np.concatenate(squares).mean())


def test_bands_of_a_small_plane_do_not_overlap_and_start_on_the_grid():
    plane = np.arange(100, dtype=np.uint8)[:, None].repeat(40, axis=1)
    starts = cut_bands(plane)[::ROWS, 0]
    assert (starts % 8 == 0).all()
    assert (np.diff(starts.astype(int)) >= ROWS - 1).all()
    assert (starts[0], starts[-1]) == (0, 80)


def test_clean_edges_have_sharpness_one():
    board = (np.indices((400, 400)) // 40).sum(axis=0) % 2 * 200
    assert value("sharpness", board.astype(np.uint8)) == pytest.approx(1, abs=0.05)


def test_white_noise_has_sharpness_eight():
    noise = np.random.default_rng(0).integers(0, 255, (300, 300), dtype=np.uint8)
    assert value("sharpness", noise) == pytest.approx(8, rel=0.05)


def test_sharpness_falls_with_blur_and_not_with_contrast():
    picture = scene(1)
    figures = [value("sharpness", blurred(picture, sigma)) for sigma in (0.5, 1, 2, 4, 8)]
    assert figures == sorted(figures, reverse=True)
    assert figures[-1] < 0.2 < 0.5 < value("sharpness", picture)
    faint = (picture * 0.3 + 90).astype(np.uint8)
    assert value("sharpness", faint) == pytest.approx(value("sharpness", picture), rel=0.15)


def test_blur_counts_relative_to_the_size_of_the_picture():
    picture = blurred(scene(2, 640, 480), 4)
    large = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    assert value("sharpness", large) == pytest.approx(value("sharpness", picture), rel=0.25)


@pytest.mark.parametrize("angle", [0, 30, 45, 60, 90, 135])
def test_motion_in_any_direction_is_directional(angle):
    picture = scene(3)
    still = value("directionality", picture)
    blurred_away = moved(picture, 25, angle)
    assert value("directionality", blurred_away) > max(0.4, still + 0.15)
    assert value("sharpness", blurred_away) * (1 - value("directionality", blurred_away)) < 0.3


def test_blur_without_direction_is_not_directional():
    assert value("directionality", blurred(scene(3), 4)) < 0.25


@pytest.mark.parametrize("sigma", [5, 12, 25])
def test_noise_is_measured_within_a_fifth(sigma):
    soft = blurred(scene(4), 6)[:, :, 0].astype(float) * 0.5 + 60
    noisy = np.clip(
        np.rint(soft + np.random.default_rng(0).normal(0, sigma, soft.shape)), 0, 255
    ).astype(np.uint8)
    assert value("noise", noisy) * 255 == pytest.approx(sigma, rel=0.2)
    assert value("noise", soft.astype(np.uint8)) * 255 < 1


def test_texture_and_text_are_not_noise():
    carpet = np.random.default_rng(0).integers(60, 200, (400, 300)).astype(np.uint8)
    carpet[:, 270:] = 128
    assert value("noise", carpet) < 0.036
    page = np.full((400, 300), 255, np.uint8)
    for line in range(20, 380, 24):
        cv2.putText(
            page, "the quick brown fox 0123456789", (12, line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1
        )
    assert value("noise", page) < 0.036


def test_blocks_stand_out_after_heavy_compression():
    picture = scene(6)
    assert value("blockiness", picture) == pytest.approx(1, abs=0.1)
    assert value("blockiness", compressed(picture, 92)) < 1.6
    assert value("blockiness", compressed(picture, 5)) > 2.4
    assert value("blockiness", compressed(compressed(picture, 5), 95)) > 2.4


def test_blocks_of_both_axes_count():
    flat = np.add.outer(np.arange(128) // 8, np.arange(128) // 8).astype(np.uint8) * 6
    assert value("blockiness", flat) > 20
    assert value("blockiness", np.roll(flat, 4, axis=(0, 1))) < 1


@pytest.mark.parametrize(
    ("factor", "how"),
    [
        (4, cv2.INTER_CUBIC),
        (4, cv2.INTER_LANCZOS4),
        (8, cv2.INTER_LINEAR),
        (8, cv2.INTER_CUBIC),
        (8, cv2.INTER_LANCZOS4),
    ],
)
def test_detail_ends_early_in_enlarged_pictures(factor, how):
    picture = scene(7, 512, 384)
    assert value("detail_fraction", picture) == 1.0
    assert value("detail_fraction", compressed(enlarged(picture, factor, how), 92)) < 0.38
    upright = np.ascontiguousarray(enlarged(picture, factor, how).transpose(1, 0, 2))
    assert value("detail_fraction", upright) < 0.38


def test_detail_in_one_direction_is_detail():
    stripes = moved(scene(7, 512, 384), 25, 0)
    assert value("detail_fraction", stripes) > 0.5


@pytest.mark.parametrize("column", ["sharpness", "directionality", "detail_fraction"])
def test_blank_pictures_give_nothing_to_judge(column):
    assert math.isnan(value(column, np.full((200, 200), 90, np.uint8)))


def framed(
    picture: np.ndarray, top: int, bottom: int, left: int, right: int, level: int
) -> np.ndarray:
    return cv2.copyMakeBorder(
        picture, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(level, level, level)
    )


@pytest.mark.parametrize(
    "sides", [(40, 40, 0, 0), (0, 0, 30, 30), (25, 25, 25, 25), (50, 0, 0, 0), (0, 0, 0, 31)]
)
@pytest.mark.parametrize("level", [0, 255])
def test_the_share_of_a_frame(sides, level):
    picture = np.clip(scene(8), 40, 215)
    whole = framed(picture, *sides, level)
    share = 1 - picture[:, :, 0].size / whole[:, :, 0].size
    assert value("border", whole) == pytest.approx(share, abs=1e-6)
    assert value("border", compressed(whole, 85)) == pytest.approx(share, abs=0.03)


def test_pictures_without_a_frame():
    assert value("border", scene(8)) == 0
    assert value("border", np.full((60, 80), 200, np.uint8)) == 0
    product = np.full((300, 300), 255, np.uint8)
    cv2.circle(product, (150, 150), 90, 40, -1)
    assert value("border", product) == 0


def test_a_frame_has_a_straight_inner_edge():
    whole = framed(np.clip(scene(8), 40, 215), 20, 20, 0, 0, 0)
    assert value("border_straightness", whole) > 0.95
    assert value("border_straightness", scene(8)) == 0


def test_a_subject_that_nearly_fills_a_white_page_is_no_frame():
    sheet = np.full((300, 300, 3), 255, np.uint8)
    points = np.array(
        [[20, 150], [60, 30], [150, 22], [260, 40], [281, 160], [230, 270], [140, 279], [50, 240]]
    )
    cv2.fillPoly(sheet, [points], (60, 90, 140))
    assert value("border", sheet) == 0


def test_skies_stripes_and_backgrounds_are_no_frames():
    picture = np.clip(scene(8), 60, 180)
    sky = picture.copy()
    sky[:150] = np.clip(255 - np.arange(150) * 2, 60, 255)[:, None, None]
    sky[:30] = 255
    assert value("border", sky) == 0
    stripes = np.full_like(picture, 250)
    stripes[40:80], stripes[80:-60], stripes[-60:-20] = 60, picture[80:-60], 90
    assert value("border", stripes) == 0
    assert value("border", framed(picture, 40, 0, 0, 0, 120)) == 0, "a grey stripe on one side"
    assert value("border", framed(picture, 40, 0, 0, 0, 0)) > 0.1
    thing = np.full((400, 400, 3), 255, np.uint8)
    thing[100:180, 100:200] = picture[100:180, 100:200]
    assert value("border", thing) == 0, "most of it is background"


def test_a_horizon_in_a_tiny_image_is_no_frame():
    picture = scene(8, 32, 32)
    tiny = np.clip(picture, 40, 150)
    tiny[:10] = 255
    assert value("border", tiny) == 0
    tiny[-4:] = 255
    assert value("border", tiny) == pytest.approx(14 / 32)
    tiny[:10] = tiny[-4:] = 200
    assert value("border", tiny) == 0


def test_blocks_are_steps_between_smooth_blocks():
    picture = scene(4)
    assert value("block_steps", picture) == 0
    assert value("block_steps", compressed(picture, 90)) < 0.01
    assert value("block_steps", compressed(picture, 5)) > 0.06
    assert value("block_steps", compressed(compressed(picture, 5), 90)) > 0.06
    assert np.isnan(value("block_steps", picture[:12]))


def test_texture_and_drawings_on_the_grid_have_no_block_steps():
    weave = scene(4) // 2 + 60
    weave[::8] += 20
    weave[:, ::8] += 20
    assert value("blockiness", weave) > 1.8
    assert value("block_steps", weave) < 0.03
    drawn = np.full((96, 96, 3), 255, np.uint8)
    drawn[24:72, 24:32] = drawn[24:32, 24:64] = drawn[40:48, 24:64] = 0
    assert value("blockiness", drawn) > 1.8
    assert value("block_steps", drawn) == 0
