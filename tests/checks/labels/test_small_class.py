"""Small classes: what is said of them, with which advice, and that it is said once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.labels.small_class import SmallClass
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of


def claims(counts: dict[str, int], **options) -> list[dict]:
    labels = pd.Categorical(np.repeat(list(counts), list(counts.values())))
    dataset = Dataset("made-up", pd.DataFrame({"label": labels}), "classification", tuple(counts))
    return [
        row
        for batch in SmallClass(**options).find(dataset, None)
        for row in batch.to_dict("records")
    ]


def told(row: dict) -> str:
    return SmallClass.message.format(**evidence_of(row["evidence"]))


def test_one_fact_names_the_smallest_and_the_largest_of_the_small():
    (fact,) = claims({"big": 1000, "middle": 999, "less": 30})
    assert (fact["severity"], fact["scope"], fact["target"], fact["figure"]) == (
        "fact",
        "dataset",
        "",
        2,
    )
    assert told(fact).startswith(
        "2 of 3 classes have fewer than 1,000 samples, from 30 ('less') to 999 ('middle'): "
    )
    assert evidence_of(fact["evidence"])["classes"] == {"less": 30, "middle": 999}


def test_classes_of_one_size_have_no_smallest():
    assert "both classes have fewer than 1,000 samples, 12 each: " in told(
        *claims({"a": 12, "b": 12})
    )
    assert "all 3 classes have fewer than 1,000 samples, 12 each: " in told(
        *claims({"a": 12, "b": 12, "c": 12})
    )
    assert "1 of 2 classes has fewer than 1,000 samples, 'b': 12: " in told(
        *claims({"a": 1200, "b": 12})
    )


def test_classes_that_cannot_be_split_are_an_issue():
    issue, fact = claims({"a": 4601, "b": 2, "c": 1})
    assert (issue["severity"], fact["severity"]) == ("info", "fact")
    assert told(issue).startswith(
        "2 of 3 classes have one or two samples ('c': 1, 'b': 2): too few for train, "
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"a": 400, "b": 599}, "a simple classifier"),
        ({"a": 400, "b": 600}, "fine-tune a pretrained"),
        ({"a": 400, "b": 4600}, "fine-tune a pretrained"),
        ({"a": 400, "b": 4601}, "oversample"),
        ({"a": 3, "b": 4998}, "oversample"),
    ],
)
def test_the_advice_fits_the_number_of_images(counts, words):
    (fact,) = claims(counts)
    assert words in told(fact)


def test_ten_thousand_classes_are_two_claims():
    issue, fact = claims({f"c{i:05d}": 1 + i % 40 for i in range(10_000)})
    assert (issue["figure"], fact["figure"]) == (500, 10_000)
    assert "'c09960': 1" in told(issue)
    assert " and 495 more)" in told(issue)
    assert told(fact).startswith("all 10,000 classes have fewer than 1,000 samples, from 1 (")
    assert len(evidence_of(fact["evidence"])["classes"]) == 100


def test_the_threshold_is_an_option():
    assert not claims({"a": 30, "b": 40}, threshold=30)
    assert told(claims({"a": 30, "b": 400}, threshold=45)[0]).startswith(
        "1 of 2 classes has fewer than 45 samples, 'a': 30: "
    )
