"""Luma and chroma against plain computations over all pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dataprep.measures.image.tones import chroma_tones, luma_tones
from tests.measures.pictures import pixels_of, scene, value


@pytest.mark.parametrize("size", [(120, 90), (801, 603)])
def test_tones_agree_with_all_pixels(size):
    rgb = scene(7, *size)
    luma = np.asarray(Image.fromarray(rgb).convert("L"), dtype=float) / 255
    exact = size == (120, 90)
    for percent in (1, 5, 25, 50, 75, 95, 99):
        assert value(f"luma_p{percent:02}", rgb) == pytest.approx(
            np.percentile(luma, percent), abs=0.006 if exact else 0.02
        )
    assert value("luma_mean", rgb) == pytest.approx(luma.mean(), abs=0.003 if exact else 0.01)
    assert value("contrast", rgb) == pytest.approx(luma.std(), abs=0.003 if exact else 0.01)
    counts = np.bincount(np.rint(luma * 255).astype(int).ravel(), minlength=256) / luma.size
    assert value("entropy", rgb) == pytest.approx(
        -(counts[counts > 0] * np.log2(counts[counts > 0])).sum(), abs=0.05
    )
    chroma = (rgb.max(axis=2).astype(float) - rgb.min(axis=2)) / 255
    assert value("saturation", rgb) == pytest.approx(chroma.mean(), abs=0.01)
    assert value("chroma_p99", rgb) == pytest.approx(np.percentile(chroma, 99), abs=0.03)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_one_tone(level):
    flat = np.full((50, 60), level, np.uint8)
    for column in ("luma_p01", "luma_p50", "luma_p99", "luma_mean"):
        assert value(column, flat) == pytest.approx(level / 255)
    for column in ("contrast", "entropy", "saturation", "chroma_p99"):
        assert value(column, flat) == pytest.approx(0, abs=1e-6)


def test_luma_is_bt601():
    assert [
        int(pixels_of(np.full((2, 2, 3), 0, np.uint8) + np.array(c, np.uint8)).luma[0, 0])
        for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    ] == [76, 150, 29]


def test_half_black_half_white():
    halves = np.zeros((100, 100), np.uint8)
    halves[:, 50:] = 255
    assert value("contrast", halves) == pytest.approx(0.5)
    assert value("entropy", halves) == pytest.approx(1.0)
    assert (value("luma_p25", halves), value("luma_p75", halves)) == (0.0, 1.0)


def test_of_a_large_image_evenly_spaced_rows_count():
    pixels = pixels_of(scene(3, 900, 700))
    assert luma_tones(pixels).pixels == 900 * 37
    assert chroma_tones(pixels).pixels == 900 * 9
    mean = float(pixels.luma.mean()) / 255
    assert value("luma_mean", pixels) == pytest.approx(mean, abs=0.01)


def test_what_measures_share_is_computed_once():
    calls = []
    pixels = pixels_of(scene(0, 20, 20))

    def costly(pixels):
        calls.append(pixels)
        return 5

    assert (pixels.shared(costly), pixels.shared(costly), len(calls)) == (5, 5, 1)
