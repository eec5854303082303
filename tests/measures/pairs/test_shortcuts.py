"""What makes the second look fast changes nothing that it finds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dataprep.measures import compiled
from dataprep.measures.pairs import agreement, alignment, cells
from dataprep.measures.pairs.agreement import measure_agreement
from dataprep.measures.pairs.alignment import _clear_matches, match
from dataprep.measures.pairs.cells import _median
from dataprep.measures.pairs.frames import Frame
from dataprep.measures.pairs.picture import Picture, reduce_area
from tests.measures.pairs.test_pairs import as_picture, photo


def turned_words(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors, and the same with a few bits changed, in another order; some of them equal."""
    random = np.random.default_rng(0)
    words = random.integers(0, 256, (count, 32), dtype=np.uint8)
    words[5] = words[4]
    others = words[::-1].copy()
    others[:, :2] ^= random.integers(0, 256, (count, 2), dtype=np.uint8)
    return words, others


@pytest.mark.parametrize("compiles", [True, False])
@pytest.mark.parametrize("count", [2, 3, 64])
def test_clear_matches_are_those_of_the_bits(
    count: int, compiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiles:
        monkeypatch.setattr(compiled, "KERNEL", None)
    words, others = turned_words(max(count, 6))
    words, others = words[:count], others[-count:]
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(words, others, k=2)
    wanted = [
        (best.queryIdx, best.trainIdx)
        for best, second in pairs
        if best.distance < alignment._RATIO * second.distance
    ]
    found = _clear_matches(words, others)
    assert list(zip(*(rows.tolist() for rows in found), strict=True)) == wanted


def test_a_map_that_moves_nothing_lays_a_picture_as_the_general_way_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = as_picture(photo(1)), as_picture(photo(2))
    frame = Frame(first, second, np.eye(3))
    fast = [frame.lay(frame.b, how) for how in (cv2.INTER_CUBIC, cv2.INTER_LINEAR)]
    monkeypatch.setattr(Frame, "_rests", lambda self: False)
    slow = [frame.lay(frame.b, how) for how in (cv2.INTER_CUBIC, cv2.INTER_LINEAR)]
    assert all(np.array_equal(one, other) for one, other in zip(fast, slow, strict=True))
    assert fast[0].shape == frame.a.shape


def test_displacements_of_pictures_that_have_nothing_in_common_are_not_worked_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(found: cells.Cells) -> cells.Displacements:
        raise AssertionError("worked out")

    monkeypatch.setattr(cells, "_displacements", refuse)
    frame = Frame(as_picture(photo(1)), as_picture(photo(2)), np.eye(3))
    assert measure_agreement(frame).agreeing < agreement.LEAST_AGREEING


def test_a_tone_curve_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo(3)
    curved = (255 * (picture / 255.0) ** 2.2).astype(np.uint8)
    frame = Frame(as_picture(picture), as_picture(curved), np.eye(3))
    found = measure_agreement(frame)
    assert found.typical > 0.99
    monkeypatch.setattr(agreement, "_tone_curve", lambda *planes: None)
    assert measure_agreement(frame).typical < found.typical


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_the_median_is_that_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).random(count)
    assert _median(values) == np.median(values)


def test_a_blank_picture_has_no_key_points() -> None:
    blank = Picture.of(np.full((200, 200, 3), 90, np.uint8), 200, 200)
    assert match(blank, as_picture(photo(1))).kind == "other"


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (400, 533, (256, 192)),
        (97, 61, (61, 20)),
        (61, 97, (13, 61)),
        (300, 200, (171, 256)),
        (64, 64, (16, 16)),
        (50, 7, (9, 40)),
        (1000, 3, (1, 256)),
        (33, 34, (33, 32)),
    ],
)
def test_reducing_is_opencv_to_the_bit(height: int, width: int, size: tuple[int, int]) -> None:
    random = np.random.default_rng(height)
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for picture in (rgb, np.full_like(rgb, 255), rgb & 128):
        wanted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        assert np.array_equal(reduce_area(picture, size), wanted)
