"""Small pictures: shifted, scaled and mirrored copies are registered, others are refuted."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from dataprep.measures.pairs.alignment import match
from dataprep.measures.pairs.picture import Picture
from dataprep.measures.pairs.registration import DETAIL_AGREES, register
from tests.measures.pairs.test_pairs import photo


def agrees(a: np.ndarray, b: np.ndarray) -> bool:
    found = register(a, b)
    return found is not None and found[1] >= DETAIL_AGREES


def small(seed: int, x: int = 60, y: int = 20, size: int = 260) -> np.ndarray:
    """A window of a photo, reduced to 32 x 32."""
    grey = cv2.cvtColor(photo(seed)[y : y + size, x : x + size], cv2.COLOR_RGB2GRAY)
    return np.asarray(
        cv2.resize(cv2.GaussianBlur(grey, (0, 0), 3), (32, 32), interpolation=cv2.INTER_AREA)
    )


EDITS: dict[str, Callable[[int], np.ndarray]] = {
    "shifted": lambda seed: small(seed, 72, 12),
    "enlarged": lambda seed: small(seed, 70, 32, 236),
    "darker": lambda seed: (0.7 * small(seed) + 10).astype(np.uint8),
    "noisy": lambda seed: np.clip(
        small(seed) + np.random.default_rng(0).normal(0, 4, (32, 32)), 0, 255
    ).astype(np.uint8),
}


@pytest.mark.parametrize("edit", list(EDITS))
def test_copies_are_registered(edit: str) -> None:
    for seed in (50, 51, 52):
        assert agrees(small(seed), EDITS[edit](seed))


def test_the_map_leads_from_a_to_b() -> None:
    found = register(small(50), small(50, 72, 12))
    assert found is not None
    step = 32 / 260
    np.testing.assert_allclose(found[0] @ [16, 16, 1], [16 - 12 * step, 16 + 8 * step, 1], atol=0.3)


def test_others_are_refuted() -> None:
    planes = [small(seed) for seed in range(60, 70)]
    assert not any(agrees(a, b) for i, a in enumerate(planes) for b in planes[i + 1 :])


def test_flat_pictures_are_not_registered() -> None:
    assert not agrees(np.full((32, 32), 90, np.uint8), np.full((32, 32), 90, np.uint8))


def coloured(plane: np.ndarray) -> Picture:
    return Picture(np.ascontiguousarray(np.repeat(plane[..., None], 3, axis=2)), 32, 32)


def test_match_tries_small_pictures_mirrored() -> None:
    a, b = coloured(small(53)), coloured(EDITS["enlarged"](53)[:, ::-1])
    found = match(a, b)
    assert (found.kind, found.orientation, found.small) == ("edit", 1, True)
    assert match(a, coloured(small(54))).kind == "other"
