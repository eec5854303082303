"""Words beside figures: what checks say of labels never contradicts its own figures, however
extreme they are.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import registry
from dataprep.checks.content.learning_curve import LearningCurve, _figures
from dataprep.checks.labels.ambiguous_classes import AmbiguousClasses
from dataprep.checks.labels.label_noise import LabelNoise
from dataprep.checks.labels.wrong_label import WrongLabel, in_words
from dataprep.probes.classifiers.curve import Curve
from dataprep.probes.labels.disagreements import Share
from dataprep.probes.labels.label_evidence import LabelEvidence
from dataprep.probes.labels.label_list import MOST_SURE, LabelList
from dataprep.reports.messages import _fields, render
from dataprep.schemas.issues import batch
from tests.probes.made import dataset_of, look

CHECKS = [registry.load("dataprep.checks", code) for code in registry.BUILT_IN["dataprep.checks"]]
EXTREME = st.sampled_from(
    [
        0,
        0.0,
        1e-12,
        0.004,
        0.5,
        0.995,
        0.9999999,
        1,
        1.0,
        1e15,
        -1.0,
        float("nan"),
        float("inf"),
        None,
        "x",
        "x" * 300,
    ]
)
SHARES = st.floats(0, 1)
shares = (
    st.tuples(SHARES, SHARES, SHARES).map(sorted).map(lambda ends: Share(ends[1], ends[0], ends[2]))
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_every_message_is_rendered_whatever_the_figures(check, data):
    evidence = {name: data.draw(EXTREME) for name in _fields(check.message)}
    figure = data.draw(st.sampled_from([0.0, 1.0, 1e-12, 1e15, -1.0, np.nan, np.inf]))
    table = batch(
        check.code, check.severity, check.scope, ["a.jpg"], figure=figure, evidence=evidence
    )
    (text,) = render(table, {check.code: check.message})
    assert "{" not in text or "{" in check.message.replace("{text}", "")
    assert text


def evidence_of_shares(
    rate: Share, precision: Share, listed: int, joint: np.ndarray
) -> LabelEvidence:
    """Evidence on 1,000 samples of three classes, of which the first `listed` are listed."""
    rows, wrong = 1000, np.full(1000, min(precision.mean, MOST_SURE), np.float32)
    stated = LabelList(
        wrong, np.linspace(9, -9, rows, dtype=np.float32), np.arange(rows) < listed, precision, rate
    )
    if not listed:
        stated = LabelList(wrong, stated.scores, stated.listed, withheld="tail")
    given_labels = (np.arange(rows) % 3).astype(np.int32)
    return LabelEvidence(
        np.full((rows, 3), 1 / 3, np.float32),
        ("c0", "c1", "c2"),
        given_labels,
        wrong,
        ((given_labels + 1) % 3).astype(np.int32),
        wrong,
        joint,
        joint,
        stated,
    )


def said(check, evidence: LabelEvidence, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    dataset = dataset_of(np.arange(1000) % 3, np.ones((1000, 2), np.float16))
    seen = look(dataset)
    monkeypatch.setattr(type(seen), "labels", lambda self: evidence)
    return [
        text
        for table in check.find(dataset, seen)
        for text in render(table, {check.code: check.message})
    ]


@given(share=shares)
@settings(deadline=None)
def test_a_share_of_a_list_is_never_none_or_all_of_it(share):
    mean, low, high = map(int, re.findall(r"\d+", in_words(share)))
    assert 1 <= low <= mean <= high <= 99


@given(
    rate=shares,
    precision=shares,
    listed=st.sampled_from([0, 1, 2, 999]),
    spread=st.lists(SHARES, min_size=9, max_size=9),
)
@settings(deadline=None, max_examples=60)
def test_what_is_said_of_labels_is_borne_out_by_its_figures(rate, precision, listed, spread):
    joint = np.reshape(spread, (3, 3)) * 300
    evidence = evidence_of_shares(rate, precision, listed, joint)
    with pytest.MonkeyPatch.context() as patch:
        wrong, noise = said(WrongLabel(), evidence, patch), said(LabelNoise(), evidence, patch)
        pairs = said(AmbiguousClasses(), evidence, patch)
    if not listed:
        assert not wrong
        assert not pairs
        assert not any("%" in text for text in noise)
        return
    assert not any(re.search(r"\b100 %|\b0 %|probability 1\.00", text) for text in wrong)
    for text in noise:
        low, high = (float(end) for end in re.findall(r"interval (\S+)% to (\S+)%", text)[0])
        assert low <= float(re.findall(r"estimated (\S+)% of the labels", text)[0]) <= high
        assert "(0%" not in text
    for text in pairs:
        figure, low, high = (float(end) for end in re.findall(r"(\d+\.\d)%", text))
        assert low <= figure <= high
        assert figure >= 2


@given(
    ends=st.lists(SHARES, min_size=4, max_size=4),
    typical=st.sampled_from([3, 49, 50, 4000]),
    wrong=st.booleans(),
)
@settings(deadline=None)
def test_what_a_curve_advises_follows_from_the_figures_as_they_are_written(ends, typical, wrong):
    now, low, twice, high = ends[0], *sorted(ends[1:])
    at = np.array([100, 200])
    curve = Curve(
        at,
        np.array([now, twice]),
        np.array([now, low]),
        np.array([now, high]),
        now,
        twice,
        low,
        high,
    )
    figures = _figures(curve, np.zeros(typical, np.int32), wrong_labels=wrong)
    text = LearningCurve.message.format(figure=twice, **figures)
    written = [float(number) for number in re.findall(r"accuracy (\S+) → (\S+) ±", text)[0]]
    if "more data is likely to help" in text or "collect more" in text:
        assert written[1] > written[0]
        assert low > now
    if "flat" in text:
        assert high <= now + 0.01
        assert ("better labels" in text) == wrong
