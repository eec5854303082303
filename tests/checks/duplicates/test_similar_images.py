"""Images that look alike: who is joined with whom, copies as one, groups that would swallow the
data, and leakage.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.duplicates.pairs import Duplicates
from dataprep.checks.duplicates.similar_groups import find_alike, similar_groups
from dataprep.checks.duplicates.similar_images import SimilarImages
from dataprep.checks.splits.leaked_score import score_effects
from dataprep.checks.splits.split_leakage import SplitLeakage
from dataprep.neighbours.cosine import Nearest, nearest
from dataprep.probes.features import Features
from dataprep.reports.messages import render
from dataprep.schemas.dataset import Dataset

ROWS = 300


class Look:
    """Random vectors in which the rows of each of `bursts` are close; the rows of each of
    `copies` are verified copies.
    """

    def __init__(
        self, bursts: list[list[int]], copies: list[list[int]] | None = None, noise: float = 0.3
    ) -> None:
        random = np.random.default_rng(0)
        values = random.normal(size=(ROWS, 512))
        for burst in bursts:
            values[burst] = values[burst[0]] + noise * random.normal(size=(len(burst), 512))
        values = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
        self._features = Features(values, np.ones(ROWS, bool))
        self._neighbours = nearest(values, self._features.known, 16)
        groups, keep = np.full(ROWS, -1), np.ones(ROWS, bool)
        for number, members in enumerate(copies or []):
            groups[members], keep[members[1:]] = number, False
        pairs = [(min(m[0], x), max(m[0], x), 1.0) for m in copies or [] for x in m[1:]]
        table = pd.DataFrame(pairs, columns=["a", "b", "confidence"]).assign(
            kind="near", relation="B is A, re-encoded"
        )
        self._duplicates = Duplicates(table, groups, keep)

    def features(self) -> Features:
        return self._features

    def neighbours(self) -> Nearest:
        return self._neighbours

    def duplicates(self) -> Duplicates:
        return self._duplicates


def dataset(**columns: list[str]) -> Dataset:
    index = pd.Index([f"{i:03d}.jpg" for i in range(ROWS)], name="sample")
    table = pd.DataFrame(columns, index=index).astype("category")
    return Dataset(
        "nowhere", table, "classification", arrays={"embedding": np.ones((ROWS, 4), np.float16)}
    )


def members(groups: np.ndarray) -> set[tuple[int, ...]]:
    return {
        tuple(np.flatnonzero(groups == group).tolist())
        for group in set(groups[groups >= 0].tolist())
    }


def test_bursts_are_groups_and_unrelated_images_are_not() -> None:
    assert members(similar_groups(Look([[1, 2, 3], [50, 60]]))) == {(1, 2, 3), (50, 60)}
    assert members(similar_groups(Look([]))) == set()


def test_claims_name_the_group_and_its_members() -> None:
    (found,) = SimilarImages().find(dataset(), Look([[1, 2, 3], [50, 60]]))
    assert found["target"].tolist() == ["002.jpg", "003.jpg", "060.jpg"]
    assert found["group"].tolist() == ["001.jpg", "001.jpg", "050.jpg"]
    assert set(found["related"].iloc[:2]) <= {"001.jpg", "002.jpg", "003.jpg"}
    assert found["figure"].between(0.85, 1).all()
    assert found["severity"].eq("fact").all()
    assert json.loads(found["evidence"].iloc[0])["neighbours"] == ["001.jpg", "003.jpg"]
    text = render(found, {"similar-images": SimilarImages.message})[2]
    assert text.startswith("similar to 050.jpg: cosine similarity 0.9")
    assert text.endswith("2 images in the group")


def test_verified_copies_are_grouped_but_not_claimed() -> None:
    look = Look([[1, 2], [5, 6, 7]], copies=[[1, 2], [6, 5]])
    assert members(similar_groups(look)) == {(1, 2), (5, 6, 7)}
    (found,) = SimilarImages().find(dataset(), look)
    assert found[["target", "related"]].to_numpy().tolist() == [["007.jpg", "006.jpg"]]


def test_more_similarity_can_be_asked_for() -> None:
    look = Look([[1, 2]])
    assert list(SimilarImages(min_similarity=0.99).find(dataset(), look)) == []
    assert find_alike(look, 0.99).least == 0.99


def test_a_group_that_would_swallow_the_data_is_divided() -> None:
    chain, look = np.random.default_rng(1).normal(size=(ROWS, 512)), Look([])
    chain /= np.linalg.norm(chain, axis=1, keepdims=True)
    for row in range(1, 200):
        step = 0.45 if row % 40 else 0.75
        chain[row] = (chain[row - 1] + step * chain[row]) / (1 + step**2) ** 0.5
    look._features = Features(
        (chain / np.linalg.norm(chain, axis=1, keepdims=True)).astype(np.float32),
        np.ones(ROWS, bool),
    )
    look._neighbours = nearest(look._features.values, look._features.known, 16)
    sizes = [len(group) for group in members(similar_groups(look))]
    assert sum(sizes) > 150
    assert max(sizes) <= 50


def splits(test: int) -> list[str]:
    return ["test" if row < test else "train" for row in range(ROWS)]


def test_leakage_says_what_it_does_to_the_score() -> None:
    """Rows 0 to 9 of the test split have copies in train; the 30 others have random neighbours,
    so about half are right.
    """
    copies = [[200 + row, row] for row in range(10)]
    look = Look(copies, copies)
    random = np.random.default_rng(3)
    labels = random.choice(["a", "b"], ROWS)
    labels[:10] = labels[200:210]
    data = dataset(split=splits(40), label=labels.tolist())
    shares, pairs = SplitLeakage().find(data, look)
    accuracy = json.loads(shares["evidence"].iloc[0])["accuracy"]
    assert accuracy["affected"] == 1
    assert accuracy["without"] < 0.8
    assert accuracy["all"] == pytest.approx((10 + 30 * accuracy["without"]) / 40)
    assert 0 < accuracy["same_classes"] < 1
    text = render(shares, {"split-leakage": SplitLeakage.message})[0]
    assert text.startswith(
        "10 of 40 samples in test (25.0%) have a duplicate in another split; the class of the "
        "nearest training image is right for 100% of them"
    )
    assert (
        f"without them accuracy in test is {accuracy['without']:.3f} instead of "
        f"{accuracy['all']:.3f}; for example "
    ) in text
    assert len(pairs) == 10


def test_the_score_counts_training_images_only() -> None:
    """Every test image is most like another test image, which must not answer for it."""
    look = Look([[row, row + 1] for row in range(0, 40, 2)])
    data = dataset(split=splits(40), label=["a"] * 40 + ["b"] * (ROWS - 40))
    affected = np.arange(ROWS) < 6
    split = data.samples["split"].astype("object").to_numpy()
    effects = score_effects(data, look, split, np.ones(ROWS, bool), affected)
    assert effects["test"]["accuracy"]["all"] == 0
    assert (
        score_effects(
            data.assign(split="val"),
            look,
            np.full(ROWS, "val", object),
            np.ones(ROWS, bool),
            affected,
        )
        == {}
    )


def test_what_only_looks_alike_is_told_as_information() -> None:
    (shares,) = SplitLeakage().find(
        dataset(split=splits(40)), Look([[3, 100], [4, 5], [6, 101, 102]])
    )
    assert dict(zip(shares["target"], shares["figure"], strict=True)) == {
        "test": 2 / 40,
        "train": pytest.approx(3 / 260),
    }
    assert shares["severity"].eq("info").all()
    assert (
        "are similar to an image of another split"
        in render(shares, {"split-leakage": SplitLeakage.message})[0]
    )
