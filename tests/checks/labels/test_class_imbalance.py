"""Imbalance: which data sets, and what the claim says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from dataprep.checks.labels.class_counts import class_counts
from dataprep.checks.labels.class_imbalance import ClassImbalance
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of
from dataprep.schemas.manifest import spelling_faults


def labelled(task="classification", **counts: int) -> Dataset:
    labels = np.repeat(list(counts), list(counts.values()))
    return Dataset("made-up", pd.DataFrame({"label": pd.Categorical(labels)}), task, tuple(counts))


def claims(dataset: Dataset, **options) -> list[dict]:
    return [
        row
        for batch in ClassImbalance(**options).find(dataset, None)
        for row in batch.to_dict("records")
    ]


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({"a": 100, "b": 10, "c": 50}, True),
        ({"a": 99, "b": 10, "c": 50}, False),
        ({"a": 80, "b": 20}, True),
        ({"a": 79, "b": 21}, False),
        ({"a": 5}, False),
        ({"a": 5, "b": 5, "c": 5}, False),
    ],
)
def test_thresholds(counts, found):
    assert len(claims(labelled(**counts))) == found


def test_options_move_the_thresholds():
    dataset = labelled(a=30, b=10)
    assert claims(dataset, ratio=3.0)
    assert claims(dataset, share=0.75)
    assert not claims(dataset)


def test_the_claim_names_classes_ratio_and_metrics():
    dataset = labelled(cat=120, dog=40, owl=10)
    (claim,) = claims(dataset)
    evidence = evidence_of(claim["evidence"])
    truth = dataset.samples["label"].astype(str)
    always = ["cat"] * len(truth)
    assert claim["figure"] == 12
    assert (evidence["largest"], evidence["smallest"]) == ("cat", "'owl'")
    assert evidence["accuracy"] == pytest.approx(accuracy_score(truth, always))
    assert evidence["macro_f1"] == pytest.approx(
        f1_score(truth, always, average="macro", zero_division=0)
    )
    assert 1 < evidence["effective_classes"] < 3
    assert ClassImbalance.message.format(figure=claim["figure"], **evidence) == (
        "the largest class, 'cat' (120 samples), has 12 times the samples of the smallest, 'owl' "
        "(10): "
        "always predicting 'cat' scores accuracy 0.71 but macro-F1 0.28"
    )


def test_many_smallest_classes_are_counted_not_listed():
    evidence = evidence_of(
        claims(labelled(big=50, **{f"s{i}": 1 for i in range(9)}))[0]["evidence"]
    )
    assert evidence["smallest"].endswith("and 4 others")


def test_only_classes_are_judged():
    assert not claims(labelled("multi-label", a=100, b=1))
    numbers = Dataset("made-up", pd.DataFrame({"label": [0.5] * 90 + [1.5]}), "regression")
    assert not claims(numbers)


def test_other_spellings_count_for_what_is_meant():
    dataset = labelled(cat=30, dog=20, cta=1, Dog=3)
    assert claims(dataset)
    spelled = replace(dataset, faults=spelling_faults({"cat": 30, "dog": 20, "cta": 1, "Dog": 3}))
    assert class_counts(spelled).to_dict() == {"cat": 31, "dog": 23}
    assert not claims(spelled)


def test_counts_of_several_labels():
    dataset = Dataset(
        "made-up",
        pd.DataFrame({"label": pd.Categorical(["a|b", "a", None, "b|c|a"])}),
        "multi-label",
        ("a", "b", "c"),
    )
    assert class_counts(dataset).to_dict() == {"a": 3, "b": 2, "c": 1}
