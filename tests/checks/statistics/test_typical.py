"""What most of a data set shares is said once, about the data set."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep import registry
from dataprep.checks.statistics import typical
from dataprep.checks.statistics.arrays import ramp
from dataprep.checks.statistics.typical import MEANINGS, claim_unless_typical, stands_out
from tests.checks.measured import issues, messages, targets, with_columns


def tones(p95, p99):
    return with_columns(
        len(p95), luma_p95=p95, luma_p01=np.zeros(len(p95)), luma_p99=p99, chroma_p99=p95
    )


def nights(dark: int, light: int):
    highlights = np.repeat([0.1, 0.9], [dark, light])
    return tones(highlights, highlights)


DARK = registry.load("dataprep.checks", "dark")


@pytest.mark.parametrize("dark", [60, 30])
def test_a_data_set_of_night_photos_is_said_once_as_a_fact(dark):
    dataset = nights(dark, 100 - dark)
    assert targets(DARK(), dataset) == set()
    (claim,) = issues(DARK(), dataset).table.to_dict("records")
    assert (claim["scope"], claim["target"], claim["severity"], claim["suggestion"]) == (
        "dataset",
        "",
        "fact",
        "none",
    )
    assert messages(DARK(), dataset) == [
        f"{'typical of' if dark == 60 else 'common in'} this data set ({dark}% of the images; "
        f"{MEANINGS['dark']}): "
        "95 % of the pixels are darker than 10% (threshold 25%)"
    ]


def test_a_minority_is_named_one_by_one():
    assert len(targets(DARK(), nights(15, 85))) == 15
    assert targets(DARK(), nights(15, 85), "dataset") == set()


def test_few_images_have_no_typical_one():
    assert len(targets(DARK(), nights(12, 7))) == 12


def test_what_could_not_be_measured_does_not_count():
    dataset = nights(15, 10)
    dataset.samples.loc[dataset.samples.index[15:], :] = np.nan
    assert len(targets(DARK(), dataset)) == 15


def shades(highlights):
    return tones(highlights, highlights + 0.01)


def test_the_tail_that_a_set_has_by_itself_is_not_named():
    evenings = 0.6 * np.random.default_rng(0).exponential(1, 2000).clip(0, 5)
    evenings = 0.8 * np.exp(-0.3 * evenings / 0.6)  # each a little darker than the next
    assert (evenings < 0.25).any()
    assert targets(DARK(), shades(evenings)) == set()
    evenings[7] = 0.04
    assert targets(DARK(), shades(evenings)) == {"7"}


def test_where_nearly_all_are_alike_half_the_median_does_not_stand_out():
    figure = np.r_[np.full(99, 0.4), 0.2, 0.1]
    assert np.flatnonzero(stands_out(figure, figure > 0.3)).tolist() == [100]


def test_what_may_not_be_named_still_counts_for_what_is_typical():
    check, dataset = DARK(), nights(40, 60)
    bad = np.arange(100) < 40
    given = {
        "judged": bad | True,
        "figure": np.zeros(100),
        "what": "it",
        "unusual": np.arange(100) < 3,
    }
    (named,) = claim_unless_typical(check, dataset, bad, **given)
    assert list(named["target"]) == ["0", "1", "2"]
    (once,) = claim_unless_typical(check, dataset, bad, share=0.3, severity="info", **given)
    assert list(zip(once["scope"], once["severity"], strict=True)) == [("dataset", "info")]


def test_every_check_that_says_what_is_typical_says_what_it_means():
    source = Path(inspect.getfile(typical)).parents[1]
    call = re.compile(r"(claim_unless_typical|claim_unlike_others)\(")
    texts = {path.stem: path.read_text() for path in source.glob("*/*.py")}
    facts = {
        module.replace("_", "-")
        for module, text in texts.items()
        if call.search(text) and "severity=" not in text
    } - {"typical", "unlike-others"}
    assert len(facts) >= 5
    assert facts <= set(MEANINGS)
    assert set(MEANINGS) <= set(registry.names("dataprep.checks"))


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
