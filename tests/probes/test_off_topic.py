"""Off topic or rare: a far image is claimed by what its neighbours say, not by its distance
alone.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from dataprep.neighbours.cosine import Nearest
from dataprep.probes.oddness import Oddness
from dataprep.probes.off_topic import far_images

ROWS, CLASSES = 400, 4


def made(
    *, far: dict[int, float], near: dict[int, list[int]]
) -> tuple[Oddness, Nearest, np.ndarray, np.ndarray]:
    """Images of four classes whose neighbours are of their class, but for those in `near`;
    normal but for those in `far`.
    """
    given = np.arange(ROWS, dtype=np.int32) % CLASSES
    values = np.random.default_rng(0).permutation(
        [NormalDist().inv_cdf((row + 0.5) / ROWS) for row in range(ROWS)]
    )
    for row, value in far.items():
        values[row] = value
    indices = (np.arange(ROWS)[:, None] + CLASSES * np.arange(1, 21)) % ROWS
    for row, others in near.items():
        indices[row, : len(others)] = others
    ones = np.ones(ROWS)
    return (
        Oddness(values, values, ones, ones),
        Nearest(indices.astype(np.int32), np.ones((ROWS, 20), np.float32)),
        given,
        np.arange(ROWS),
    )


def off_topic(oddness, near, given, units, rate: float = 0.001) -> set[int]:
    found = far_images(oddness, near, given, units, rate)
    return set(found.rows[found.off_topic].tolist())


def test_far_among_its_class_is_rare_and_far_among_others_is_not():
    others = [row for row in range(100, 200) if row % CLASSES != 0][:20]
    args = made(far={0: 4.5, 4: 4.5}, near={4: others})
    assert off_topic(*args) == {4}
    assert set(far_images(*args, 0.001).rows) == {0, 4}


def test_alike_far_images_of_mixed_classes_are_off_topic_also_without_labels():
    members = [0, 1, 2, 3, 5, 6]
    near = {row: [other for other in members if other != row] for row in members}
    oddness, neighbours, given, units = made(far=dict.fromkeys(members, 4.6), near=near)
    mixed = {
        row: [
            *near[row],
            *[place for place in range(200, 300) if place % CLASSES != given[row]][:12],
        ]
        for row in members
    }
    args = made(far=dict.fromkeys(members, 4.6), near=mixed)
    assert off_topic(*args) == set(members)
    assert off_topic(args[0], args[1], np.full(ROWS, -1), units) == set(members)
    assert off_topic(oddness, neighbours, given, units) == set()  # their class vouches for them


def test_copies_of_one_image_do_not_confirm_each_other():
    members = [0, 1, 2, 3, 5, 6]
    near = {row: [other for other in members if other != row] for row in members}
    oddness, neighbours, _, units = made(far=dict.fromkeys(members, 4.6), near=near)
    units[members] = 0
    assert off_topic(oddness, neighbours, np.full(ROWS, -1), units) == set()


@pytest.mark.parametrize(("value", "found"), [(4.5, set()), (14.0, {7})])
def test_without_labels_one_image_has_to_lie_beyond_the_tail(value, found):
    oddness, near, _, units = made(far={7: value}, near={})
    assert off_topic(oddness, near, np.full(ROWS, -1), units) == found


def test_classes_that_neighbours_do_not_show_say_nothing():
    shuffled = np.random.default_rng(1).integers(0, CLASSES, ROWS).astype(np.int32)
    oddness, near, _, units = made(far={7: 4.5}, near={})
    others = np.flatnonzero(shuffled != shuffled[7])[:20].tolist()
    near.indices[7] = others
    assert off_topic(oddness, near, shuffled, units) == set()


def test_an_image_with_no_neighbour_and_no_far_image_do_no_harm():
    oddness, near, given, units = made(far={7: 4.5}, near={})
    near.indices[7] = -1
    assert off_topic(oddness, near, given, units) == set()
    calm = made(far={}, near={})
    assert len(far_images(*calm, 1e-6).rows) == 0
