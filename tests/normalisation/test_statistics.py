"""Statistics of channels are those of two passes in 64-bit floating point, whatever the order,
the sizes and the weighting.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import dataprep
from dataprep.backends.warm import warm_workers
from dataprep.errors import InputError
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.options import PassOptions
from dataprep.normalisation import statistics
from dataprep.normalisation.statistics import Adder, channel_sums, statistics_of
from tests.conftest import save, textured

ONE_JOB = PassOptions(jobs=1)


@pytest.fixture(autouse=True, scope="module")
def _one_worker_for_all_tests():
    with warm_workers():
        yield


def two_pass(images, weighting="pixels"):
    """Mean and standard deviation over all pixels, in floating point, one pass for each."""
    weights = np.concatenate(
        [
            np.full(image.size // 3, 1.0 if weighting == "pixels" else 3 / image.size)
            for image in images
        ]
    )
    pixels = np.concatenate([image.reshape(-1, 3) / np.float64(255) for image in images])
    weights = weights[:, None] / weights.sum()
    mean = (pixels * weights).sum(axis=0)
    return mean, np.sqrt(((pixels - mean) ** 2 * weights).sum(axis=0))


@st.composite
def pictures(draw):
    """A few images of different sizes, some of them of nearly one colour, where variances
    cancel.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = []
    for _ in range(draw(st.integers(1, 6))):
        low = draw(st.integers(0, 255))
        high = draw(st.integers(low, min(255, low + draw(st.sampled_from([0, 1, 255])))))
        form = (draw(st.integers(1, 40)), draw(st.integers(1, 40)), 3)
        made.append(rng.integers(low, high + 1, form, dtype=np.uint8))
    return made


@settings(max_examples=60, deadline=None)
@given(images=pictures(), weighting=st.sampled_from(["pixels", "images"]))
def test_figures_are_those_of_two_passes_in_any_order(images, weighting):
    adder = Adder()
    sums = np.array([adder(image) for image in images])
    found = statistics_of(sums, weighting)
    mean, std = two_pass(images, weighting)
    np.testing.assert_allclose(found.mean, mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.std, std, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(
        found.minimum, np.min([image.min(axis=(0, 1)) for image in images], axis=0) / 255
    )
    np.testing.assert_array_equal(
        found.maximum, np.max([image.max(axis=(0, 1)) for image in images], axis=0) / 255
    )
    assert found == statistics_of(sums[::-1], weighting)  # to the last bit


def test_sums_of_an_image_in_several_blocks_are_exact(monkeypatch):
    monkeypatch.setattr(statistics, "_AT_ONCE", 1000)
    image = np.random.default_rng(0).integers(0, 256, (61, 53, 3), dtype=np.uint8)
    flat = image.reshape(-1, 3).astype(np.uint64)
    expected = (
        len(flat),
        *flat.sum(axis=0),
        *(flat * flat).sum(axis=0),
        *flat.min(axis=0),
        *flat.max(axis=0),
    )
    assert Adder()(image) == expected
    assert Adder()(np.rot90(image)[::-1]) == expected  # not contiguous


def test_sums_of_a_white_image_larger_than_single_precision_counts():
    count = 4200 * 4200  # above 2**24
    assert Adder()(np.full((4200, 4200, 3), 255, np.uint8)) == (
        count,
        *[255 * count] * 3,
        *[65025 * count] * 3,
        *[255] * 6,
    )


def test_totals_beyond_64_bits_are_exact():
    row = [2**40, *[255 * 2**40] * 3, *[65025 * 2**40] * 3, 255, 255, 255, 255, 255, 255]
    found = statistics_of(np.array([row] * 4096))
    assert found.mean == (1.0, 1.0, 1.0)
    assert found.std == (0.0, 0.0, 0.0)


def test_no_image_is_an_error():
    with pytest.raises(InputError, match="no image"):
        statistics_of(np.zeros((0, 13), np.int64))


def test_one_image_of_one_pixel():
    found = statistics_of(np.array([Adder()(np.array([[[255, 0, 51]]], np.uint8))]))
    assert (found.mean, found.std) == ((1.0, 0.0, 0.2), (0.0, 0.0, 0.0))


@pytest.fixture
def odd_files(tmp_path):
    """Images of every kind, with files among them that give none."""
    root, colour = tmp_path / "images", textured(1)
    exif = Image.Exif()
    exif[0x0112] = 6
    save(colour, root / "a.jpg", quality=90)
    Image.fromarray(colour).save(root / "b.jpg", exif=exif)
    save(colour[:, :, 0], root / "c.png")
    (root / "d.jpg").write_bytes((root / "a.jpg").read_bytes()[:400])
    alpha = np.linspace(0, 255, colour[:, :, 0].size).reshape(colour.shape[:2])
    save(np.dstack([colour, alpha.astype(np.uint8)]), root / "e.png")
    Image.fromarray(colour[:, :, 1].astype(np.uint16) * 257).save(root / "f.png")
    (root / "g.png").write_bytes(b"no image")
    Image.fromarray(colour).quantize(16).save(root / "h.gif")
    return root


def test_every_kind_of_image_counts_as_it_is_decoded_and_lost_files_do_not(odd_files):
    dataset = dataprep.scan(odd_files)
    sums, lost = channel_sums(dataset, ONE_JOB)
    names = list(dataset.samples.index)
    assert set(lost) == {"d.jpg", "g.png"}
    assert not sums[[names.index(name) for name in lost]].any()
    images = {
        name: open_pixels((odd_files / name).read_bytes()).rgb for name in names if name not in lost
    }
    for name, image in images.items():
        assert tuple(sums[names.index(name)]) == Adder()(image), name
    found = statistics_of(sums[sums[:, 0] > 0])
    mean, std = two_pass(list(images.values()))
    np.testing.assert_allclose([found.mean, found.std], [mean, std], atol=1e-9)
    assert found.images == 6


def test_size_squeezes_images_first(class_folders):
    dataset = dataprep.scan(class_folders)
    sums, _ = channel_sums(dataset, ONE_JOB, size=32)
    assert (sums[:, 0] == 32 * 32).all()
    assert statistics_of(sums, "images").mean == pytest.approx(
        statistics_of(sums, "pixels").mean, abs=1e-12
    )


def test_a_large_jpeg_is_not_read_at_reduced_scale(tmp_path):
    save(textured(3, 640, 480), tmp_path / "a.jpg")
    sums, _ = channel_sums(dataprep.scan(tmp_path), PassOptions(jobs=1, scale_above_megapixels=0.1))
    assert sums[0, 0] == 640 * 480


def test_progress_counts_up_to_all_files(class_folders):
    seen = []
    channel_sums(
        dataprep.scan(class_folders),
        ONE_JOB,
        progress=lambda done, total, note: seen.append((done, total)),
    )
    assert seen[-1] == (12, 12)
    assert all(earlier[0] < later[0] for earlier, later in pairwise(seen))
