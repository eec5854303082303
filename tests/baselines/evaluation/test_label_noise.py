"""The ceiling that wrong labels put on accuracy."""

from __future__ import annotations

from dataprep.baselines.evaluation.label_noise import noise_ceiling
from dataprep.schemas.issues import Issues, batch


def test_the_ceiling_is_the_audits() -> None:
    claim = batch(
        "label-noise",
        "warning",
        "dataset",
        [""],
        evidence={"rate": 0.1, "ceiling": 0.9, "ceiling_low": 0.86, "ceiling_high": 0.93},
    )
    found = noise_ceiling(Issues.collect([claim]))
    assert (found["known"], found["ceiling"], found["low"], found["high"]) == (
        True,
        0.9,
        0.86,
        0.93,
    )
    assert "0.900 (between 0.860 and 0.930)" in found["sentence"]
    listed = batch(
        "wrong-label",
        "warning",
        "dataset",
        [""],
        evidence={"judged": 200, "listed": 9, "expected_wrong": 10.0},
    )
    sample = batch(
        "wrong-label", "warning", "sample", ["a.png"], evidence={"judged": 1, "expected_wrong": 1.0}
    )
    found = noise_ceiling(Issues.collect([sample, listed]))
    assert (found["ceiling"], found["low"], found["source"]) == (0.95, None, "wrong-label")


def test_without_a_claim_the_ceiling_is_unknown() -> None:
    assert "no audit was given" in noise_ceiling(None)["sentence"]
    nothing = batch("wrong-label", "info", "dataset", [""], evidence={"judged": 0, "listed": 0})
    for issues in (Issues.collect([]), Issues.collect([nothing])):
        assert not noise_ceiling(issues)["known"]
        assert "unknown" in noise_ceiling(issues)["sentence"]
