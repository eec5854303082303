"""What most of a data set shares is said once, about the data set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep import registry
from dataprep.checks.reading import ramp
from tests.checks.measured import messages, targets, with_columns


def nights(dark: int, light: int):
    highlights = np.repeat([0.1, 0.9], [dark, light])
    return with_columns(dark + light, luma_p95=highlights, luma_p01=np.zeros(dark + light), luma_p99=highlights)


DARK = registry.load("dataprep.checks", "dark")


def test_a_data_set_of_night_photos_is_said_once():
    dataset = nights(60, 40)
    assert targets(DARK(), dataset) == set()
    assert targets(DARK(), dataset, "dataset") == {""}
    assert messages(DARK(), dataset) == [
        "typical of this data set (60% of the images): the luma that 95 % of the pixels stay below is 0.10 of 1, below 0.25"
    ]


def test_a_minority_is_named_one_by_one():
    assert len(targets(DARK(), nights(50, 50))) == 50
    assert targets(DARK(), nights(50, 50), "dataset") == set()


def test_few_images_have_no_typical_one():
    assert len(targets(DARK(), nights(12, 7))) == 12


def test_what_could_not_be_measured_does_not_count():
    dataset = nights(15, 10)
    dataset.samples.loc[dataset.samples.index[15:], :] = np.nan
    assert len(targets(DARK(), dataset)) == 15


@given(st.floats(0, 1), st.floats(0.01, 0.99), st.booleans())
def test_confidence_rises_from_the_threshold(figure, threshold, downwards):
    sure = threshold / 2 if downwards else (1 + threshold) / 2
    confidence = float(ramp(np.array([figure]), threshold, sure)[0])
    beyond = figure < threshold if downwards else figure > threshold
    assert 0.6 <= confidence <= 1
    assert confidence == 0.6 or beyond


@pytest.mark.parametrize(("figure", "expected"), [(0.25, 0.6), (0.125, 1.0), (0.0, 1.0)])
def test_confidence_at_its_ends(figure, expected):
    assert ramp(np.array([figure]), 0.25, 0.125)[0] == pytest.approx(expected)
