"""Small classes: which, with which advice, and how many claims at most."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.small_class import SmallClass
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of


def claims(counts: dict[str, int], **options) -> list[dict]:
    labels = pd.Categorical(np.repeat(list(counts), list(counts.values())))
    dataset = Dataset("made-up", pd.DataFrame({"label": labels}), "classification", tuple(counts))
    return [row for batch in SmallClass(**options).find(dataset, None) for row in batch.to_dict("records")]


def test_smallest_first_and_only_small_ones():
    found = claims({"big": 1000, "middle": 999, "tiny": 2})
    assert [(row["target"], row["figure"]) for row in found] == [("tiny", 2), ("middle", 999)]


@pytest.mark.parametrize(
    ("counts", "regime"),
    [
        ({"a": 400, "b": 599}, "features"),
        ({"a": 400, "b": 600}, "transfer"),
        ({"a": 400, "b": 4600}, "transfer"),
        ({"a": 400, "b": 4601}, "train"),
        ({"a": 2, "b": 4601}, "unsplittable"),
        ({"a": 3, "b": 4998}, "train"),
    ],
)
def test_the_advice_fits_the_number_of_images(counts, regime):
    evidence = evidence_of(claims(counts)[0]["evidence"])
    assert evidence["regime"] == regime
    text = SmallClass.message.format(**evidence)
    assert f"{counts['a']} samples, below 1,000: " in text
    assert {"features": "simple classifier", "transfer": "fine-tune", "train": "oversample", "unsplittable": "cannot"}[
        regime
    ] in text


def test_ten_thousand_classes_are_not_ten_thousand_claims():
    found = claims({f"c{i:05d}": 1 + i % 40 for i in range(10_000)})
    assert len(found) == 101
    assert {row["figure"] for row in found[:-1]} == {1.0}
    assert (found[-1]["scope"], found[-1]["target"], found[-1]["figure"]) == ("dataset", "", 9_900)
    text = SmallClass.message.format(**evidence_of(found[-1]["evidence"]))
    assert text.startswith(
        "9,900 more classes have 1 to 40 samples each (400 of them one or two, too few to be split), below 1,000"
    )


def test_the_threshold_is_an_option():
    assert not claims({"a": 30, "b": 40}, threshold=30)
    assert len(claims({"a": 30, "b": 40, "c": 50}, threshold=45, most=1)) == 2
