"""Hashes equal ImageHash's, eight orientations come from one transform, sketches turn with the
image, frames are left out.
"""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image

from dataprep.measures.fingerprints.hashes import (
    INVERSE,
    from_imagehash,
    hash_thumb,
    reduce_to_thumb,
    to_imagehash,
)
from dataprep.measures.fingerprints.sketch import compare_sketches, turn_sketches, unpack_sketches
from tests.measures.pictures import encoded, scene, value


def turned(array: np.ndarray, orientation: int) -> np.ndarray:
    array = array.swapaxes(0, 1) if orientation & 4 else array
    array = array[::-1] if orientation & 2 else array
    array = array[:, ::-1] if orientation & 1 else array
    return np.ascontiguousarray(array)


def reference(image: Image.Image) -> int:
    return int(str(imagehash.phash(image)), 16)


@pytest.mark.parametrize(
    "size",
    [
        (400, 533),
        (640, 480),
        (1000, 300),
        (32, 32),
        (33, 40),
        (90, 400),
        (20, 30),
        (7, 200),
        (1, 1),
    ],
)
def test_thumb_is_pillows(size: tuple[int, int]) -> None:
    width, height = size
    plane = np.random.default_rng(width).integers(0, 256, (height, width), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(plane).resize((32, 32), Image.Resampling.LANCZOS))
    assert np.array_equal(reduce_to_thumb(plane), expected)


@pytest.mark.parametrize("seed", range(8))
def test_hash_is_imagehashs_bit_for_bit(seed: int) -> None:
    picture = scene(seed, 200 + 37 * seed, 260 - 11 * seed)
    assert int(value("phash", picture)[0]) == reference(Image.fromarray(picture))


def test_hashes_are_given_and_taken_in_imagehashs_form() -> None:
    picture = scene(1)
    own, other = int(value("phash", picture)[0]), imagehash.phash(Image.fromarray(picture))
    assert to_imagehash(own) == other
    assert from_imagehash(other) == from_imagehash(str(other)) == own
    assert from_imagehash(to_imagehash(5)) == 5  # leading zeros are bits too


def test_hash_is_of_the_displayed_image() -> None:
    picture = scene(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encoded(turned(picture, 6), "PNG", exif=exif)
    assert int(value("phash", stored)[0]) == reference(Image.fromarray(picture))


@pytest.mark.parametrize("orientation", range(8))
def test_every_orientation_is_the_hash_of_the_turned_image(orientation: int) -> None:
    bits = [
        int(value("phash", picture)[orientation])
        ^ reference(Image.fromarray(turned(picture, orientation)))
        for picture in map(scene, range(6))
    ]
    assert (
        sum(bit.bit_count() for bit in bits) <= 4
    )  # the thumb of a turned image may round otherwise


def test_inverse_undoes() -> None:
    picture = scene(1)
    for orientation, undo in enumerate(INVERSE):
        assert np.array_equal(turned(turned(picture, orientation), undo), picture)


def test_uniform_images_have_one_hash_whatever_their_level() -> None:
    hashes = {tuple(hash_thumb(np.full((32, 32), level, np.uint8))) for level in (1, 77, 255)}
    assert hashes == {(1 << 63,) * 8}


def test_frame_is_left_out_of_the_inner_hash() -> None:
    picture = scene(2)
    framed = np.pad(picture, ((20, 20), (20, 20), (0, 0)))
    assert np.array_equal(value("phash_inner", framed), value("phash", picture))
    assert np.array_equal(value("phash_inner", picture), value("phash", picture))
    assert not np.array_equal(value("phash", framed), value("phash", picture))
    assert np.array_equal(value("sketch", framed)[1], value("sketch", picture)[0])


@pytest.mark.parametrize("orientation", range(8))
def test_sketch_turns_with_the_image(orientation: int) -> None:
    picture = scene(4)
    expected = turn_sketches(unpack_sketches(value("sketch", picture)[:1]), orientation)
    assert (
        np.abs(unpack_sketches(value("sketch", turned(picture, orientation))[:1]) - expected).max()
        <= 1
    )


def test_sketches_tell_copies_from_others() -> None:
    pictures = [scene(seed) for seed in range(12)]
    sketches = unpack_sketches(np.stack([value("sketch", picture)[0] for picture in pictures]))
    crops = [picture[6:-6, 8:-8] // 2 + 60 for picture in pictures]
    copies = unpack_sketches(np.stack([value("sketch", crop)[0] for crop in crops]))
    others = compare_sketches(sketches, np.roll(sketches, 1, axis=0))
    assert compare_sketches(sketches, copies).min() > others.max()


def test_sketches_without_edges_are_alike_and_unlike_any_with() -> None:
    flat, picture = (
        unpack_sketches(value("sketch", image)[:1])
        for image in (np.full((40, 40), 9, np.uint8), scene(0))
    )
    assert compare_sketches(flat, flat)[0] == 1
    assert compare_sketches(flat, picture)[0] == 0
