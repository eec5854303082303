"""Share of test samples that have a relative in train."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from dataprep.splits.proof.comparisons import LeakCounter

TRAIN, VAL, TEST = 0, 1, 2


@pytest.mark.parametrize(
    ("trained", "expected"),
    [(TRAIN, 1 / 4), (VAL, 2 / 4), (None, 3 / 4)],
    ids=["train", "val", "any"],
)
def test_only_relatives_in_the_trained_part_expose(trained, expected):
    unit = np.array([0, 0, 1, 1, 2, 2, 3, 4])
    part = np.array([TEST, TRAIN, TEST, VAL, TEST, VAL, TEST, TRAIN])
    leaks = LeakCounter(SimpleNamespace(unit=unit, groups={}, pairs={}))
    assert leaks.exposed(part, TEST, trained) == pytest.approx(expected)


def test_who_is_in_no_part_exposes_nobody():
    leaks = LeakCounter(SimpleNamespace(unit=np.array([0, 0]), groups={}, pairs={}))
    assert leaks.exposed(np.array([TEST, -1]), TEST, None) == 0
