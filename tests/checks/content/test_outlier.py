"""Outliers: what is off topic is listed with its reasons, what has only a wrong label is not."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.checks.content.outlier import Outlier
from dataprep.measures.options import PassOptions
from tests.checks.learned import SIZE, Look, claims_of, dataset_of, vectors_of


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 3, 600)
    vectors = vectors_of(codes)
    odd = np.maximum(rng.normal(0.6, 0.8, SIZE) + rng.normal(0, 0.1, (8, SIZE)), 0).astype(
        np.float16
    )
    labels = np.array(["cat", "dog", "fox"])[np.concatenate([codes, np.arange(8) % 3])]
    labels[:20] = np.array(["dog", "fox", "cat"])[codes[:20]]
    return dataset_of(labels, np.concatenate([vectors, odd]))


def test_planted_images_are_listed_and_wrong_labels_are_not(mixed):
    found = claims_of(Outlier(), mixed)
    listed = {claim["target"] for claim in found}
    assert listed >= set(mixed.samples.index[600:])
    assert not listed & set(mixed.samples.index[:20])
    assert len(listed) <= 8 + 6


def test_a_claim_tells_why(mixed):
    claim = claims_of(Outlier(), mixed)[0]
    assert claim["target"] in set(mixed.samples.index[600:])
    assert claim["figure"] > 4
    assert claim["confidence"] == pytest.approx(0.7)
    assert claim["ratio"] > 1
    assert set(claim["neighbours"]) & set(mixed.samples.index[600:])
    assert "of its 10 nearest neighbours are as unusual" in claim["text"]
    assert "the nearest typical images are" in claim["text"]
    assert sum(claim["neighbour_classes"].values()) == 10
    assert claim["judged"] == 608


def test_a_stricter_rate_lists_fewer_and_labels_are_not_needed(mixed):
    unlabelled = dataset_of(None, mixed.arrays["embedding"])
    loose, strict = (len(claims_of(Outlier(rate=rate), unlabelled)) for rate in (0.05, 1e-4))
    assert loose > strict >= 8


def test_few_images_are_not_judged_and_it_says_so():
    dataset = dataset_of(None, vectors_of(np.zeros(40, np.int64)))
    look = Look(dataset, PassOptions(), verify=None)
    assert Outlier().lacks(dataset, look) == ["embeddings of 50 images"]
    assert claims_of(Outlier(), dataset) == []


def test_what_is_only_rare_is_one_fact_that_leads_to_nothing():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 3, 900)
    vectors = vectors_of(codes).astype(np.float32)
    for row in (0, 1, 2):  # far from the bulk, still nearest to their own class
        vectors[row] = np.maximum(vectors[row] + rng.normal(0, 0.9, SIZE), 0)
    dataset = dataset_of(np.array(["cat", "dog", "fox"])[codes], vectors.astype(np.float16))
    facts = [
        claim for claim in claims_of(Outlier(rate=0.01), dataset) if claim["severity"] == "fact"
    ]
    assert len(facts) == 1
    assert facts[0]["scope"] == "dataset"
    assert facts[0]["suggestion"] == "none"
    assert set(facts[0]["neighbours"]) & set(dataset.samples.index[:3])
    assert "most unusual" in facts[0]["text"]
