"""Thumbs: packing, and parts found within wholes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dataprep.measures import compiled
from dataprep.measures.fingerprints.thumb import BYTES, correlate_parts, pack_thumb, unpack_thumbs
from tests.measures.pairs.test_pairs import photo


def thumb(array: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(
        cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY), (0, 0), 9
    )
    return pack_thumb(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA))


def test_packing_keeps_the_picture_but_for_its_range() -> None:
    plane = np.random.default_rng(0).integers(60, 90, (32, 32), dtype=np.uint8)
    packed = pack_thumb(plane)
    assert (packed.shape, packed.dtype) == ((BYTES,), np.uint8)
    back = unpack_thumbs(packed[None])[0]
    assert (back.min(), back.max()) == (0, 15)
    low, span = float(plane.min()), float(np.ptp(plane))
    assert np.abs(back * span / 15 + low - plane).max() <= 1.01
    assert not unpack_thumbs(pack_thumb(np.full((32, 32), 7, np.uint8))[None]).any()


@pytest.mark.parametrize("left", [0, 0.1, 0.29])
@pytest.mark.parametrize("share", [1.0, 0.9, 0.8, 0.71])
def test_a_part_is_found_wherever_it_is_and_whichever_comes_first(
    share: float, left: float
) -> None:
    picture = photo(40)
    height, width = picture.shape[:2]
    x, y = (round(min(left, 1 - share) * side) for side in (width, height))
    part = picture[y : y + round(share * height), x : x + round(share * width)]
    thumbs = np.stack([thumb(picture), thumb(part), thumb(photo(41))])
    found = correlate_parts(thumbs, np.array([0, 1, 0, 2]), np.array([1, 0, 2, 1]), jobs=1)
    assert found[:2].min() > 0.85
    assert found[2:].max() < 0.75


def test_no_pairs() -> None:
    assert (
        len(correlate_parts(np.zeros((0, BYTES), np.uint8), np.zeros(0, int), np.zeros(0, int)))
        == 0
    )


def test_plain_thumbs_are_like_nothing() -> None:
    plain = np.zeros((2, BYTES), np.uint8)
    assert correlate_parts(plain, np.array([0]), np.array([1]))[0] < 0.5


@pytest.mark.skipif(compiled.KERNEL is None, reason="the kernel was not built")
def test_compiled_and_python_find_the_same_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    smooth = [thumb(photo(seed)) for seed in range(6)]
    thumbs = np.stack(
        [*smooth, *random.integers(0, 256, (3, BYTES), np.uint8), np.zeros_like(smooth[0])]
    )
    a, b = (pairs.ravel() for pairs in np.mgrid[: len(thumbs), : len(thumbs)])
    fast = correlate_parts(thumbs, a, b, jobs=1)
    monkeypatch.setattr(compiled, "KERNEL", None)
    np.testing.assert_allclose(fast, correlate_parts(thumbs, a, b, jobs=1), atol=1e-4)
