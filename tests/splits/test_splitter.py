"""LeakFreeSplit: what scikit-learn asks of a splitter, and what it is for."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import clone, config_context
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    StratifiedGroupKFold,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)

from dataprep import LeakFreeSplit
from dataprep.errors import OptionError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import Split


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any, Any]:
    random = np.random.default_rng(0)
    groups = random.integers(0, 60, 300)
    y = np.where(random.random(300) < 0.8, groups % 3, random.integers(0, 3, 300))
    return np.eye(3)[y] + random.normal(0, 0.5, (300, 3)), y, groups


def folds_of(splitter: LeakFreeSplit, *arguments: Any) -> Any:
    """(n,) fold of each row; every row is tested once."""
    fold = None
    for number, (train, test) in enumerate(splitter.split(*arguments)):
        rows = len(train) + len(test)
        fold = np.full(rows, -1) if fold is None else fold
        assert np.array_equal(np.union1d(train, test), np.arange(rows))
        assert (fold[test] == -1).all()
        fold[test] = number
    assert fold is not None
    assert set(fold) == set(range(splitter.n_splits))
    return fold


def deviation(fold: Any, y: Any) -> float:
    """The largest absolute difference between a class's share of a fold and of all."""
    shares = [
        np.bincount(y[fold == number], minlength=y.max() + 1) / (fold == number).sum()
        for number in np.unique(fold)
    ]
    return float(np.abs(np.array(shares) - np.bincount(y) / len(y)).max())


def test_scikit_learn_takes_it_wherever_it_takes_cv(data: Any) -> None:
    x, y, groups = data
    model, cv = LogisticRegression(), LeakFreeSplit(4)
    assert cv.get_n_splits(x, y, groups) == 4
    assert len(cross_validate(model, x, y, groups=groups, cv=cv)["test_score"]) == 4
    assert cross_val_score(model, x, y, groups=groups, cv=cv).min() > 0.5
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=cv).fit(
        x, y, groups=groups
    )
    assert search.n_splits_ == 4
    assert len(cross_val_predict(model, x, y, groups=groups, cv=cv)) == len(y)
    assert repr(cv) == "LeakFreeSplit(n_splits=4, random_state=0, seed=None, similarity=None)"


def test_groups_stay_whole_and_folds_hold_the_same_mix(data: Any) -> None:
    x, y, groups = data
    fold = folds_of(LeakFreeSplit(5), x, y, groups)
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    peers = []
    for seed in range(20):
        peer = np.empty(len(y), int)
        for number, (_, test) in enumerate(
            StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(x, y, groups)
        ):
            peer[test] = number
        peers.append(deviation(peer, y))
    assert deviation(fold, y) <= min(peers)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=20, max_size=60),
    st.integers(2, 3),
    st.randoms(),
)
def test_any_groups_stay_whole_whatever_the_order_of_the_rows(
    rows: Any, folds: int, random: Any
) -> None:
    groups, y = np.array([each[0] for each in rows]), np.array([each[1] for each in rows])
    if len(set(groups)) < folds:
        with pytest.raises(OptionError, match="folds need at least"):
            folds_of(LeakFreeSplit(folds), groups, y, groups)
        return
    fold = folds_of(LeakFreeSplit(folds), groups, y, groups)
    assert pd.Series(fold).groupby(groups).nunique().max() == 1
    order = np.array(random.sample(range(len(rows)), len(rows)))
    assert np.array_equal(
        folds_of(LeakFreeSplit(folds), groups[order], y[order], groups[order]), fold[order]
    )


@pytest.fixture
def routing() -> Iterator[None]:
    with config_context(enable_metadata_routing=True):
        yield


def watched() -> tuple[type[LeakFreeSplit], list[int]]:
    """A splitter that notes how many of the groups it gets are both trained and tested on; -1
    where it gets none.
    """
    seen: list[int] = []

    class Watching(LeakFreeSplit):
        def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:  # noqa: N803
            for train, test in super().split(X, y, groups):
                seen.append(-1 if groups is None else len(set(groups[train]) & set(groups[test])))
                yield train, test

    return Watching, seen


@pytest.mark.usefixtures("routing")
def test_metadata_routing_passes_groups(data: Any) -> None:
    x, y, groups = data
    watching, seen = watched()
    scores = cross_validate(DummyClassifier(), x, y, params={"groups": groups}, cv=watching(4))[
        "test_score"
    ]
    assert len(scores) == 4
    assert seen == [0] * 4
    search = GridSearchCV(
        DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=watching(3)
    ).fit(x, y, groups=groups)
    assert search.n_splits_ == 3
    inner = cross_validate(
        search, x, y, params={"groups": groups}, cv=watching(2), error_score="raise"
    )
    assert len(inner["test_score"]) == 2
    assert set(seen) == {0}


@pytest.mark.usefixtures("routing")
def test_groups_of_another_name_and_groups_that_are_not_asked_for(data: Any) -> None:
    x, y, groups = data
    watching, seen = watched()
    cross_validate(
        DummyClassifier(),
        x,
        y,
        params={"patients": groups},
        cv=watching(4).set_split_request(groups="patients"),
    )
    assert seen == [0] * 4
    with pytest.raises(TypeError, match="groups"):
        cross_validate(
            DummyClassifier(),
            x,
            y,
            params={"groups": groups},
            cv=watching(4).set_split_request(groups=False),
        )
    copied = pickle.loads(pickle.dumps(LeakFreeSplit(4).set_split_request(groups="patients")))
    assert copied.get_metadata_routing().split.requests == {"groups": "patients"}


def test_a_random_state_is_drawn_from_and_a_number_is_not(data: Any) -> None:
    x, y, groups = data
    drawn = LeakFreeSplit(5, random_state=np.random.RandomState(7))
    first, second = (folds_of(drawn, x, y, groups) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(
        first, folds_of(LeakFreeSplit(5, random_state=np.random.RandomState(7)), x, y, groups)
    )
    fresh = [
        folds_of(LeakFreeSplit(5, random_state=np.random.default_rng(3)), x, y, groups)
        for _ in range(2)
    ]
    assert np.array_equal(*fresh)
    np.random.seed(5)  # what random_state=None means in scikit-learn
    unset = folds_of(LeakFreeSplit(5, random_state=None), x, y, groups)
    np.random.seed(5)
    assert np.array_equal(unset, folds_of(LeakFreeSplit(5, random_state=None), x, y, groups))
    fixed = LeakFreeSplit(5, random_state=np.int64(9))
    assert np.array_equal(folds_of(fixed, x, y, groups), folds_of(fixed, x, y, groups))
    assert np.array_equal(
        folds_of(fixed, x, y, groups), folds_of(LeakFreeSplit(5, seed=9), x, y, groups)
    )


@pytest.mark.parametrize("given_state", [-1, 2**32, 1.5, "7", True])
def test_a_random_state_that_is_none_is_refused(given_state: Any) -> None:
    with pytest.raises(OptionError, match="option random_state: expected"):
        LeakFreeSplit(random_state=given_state)


def test_the_seed_decides(data: Any) -> None:
    x, y, groups = data
    first = folds_of(LeakFreeSplit(5, seed=1), x, y, groups)
    assert np.array_equal(first, folds_of(LeakFreeSplit(5, seed=1), x, y, groups))
    assert not np.array_equal(first, folds_of(LeakFreeSplit(5, seed=2), x, y, groups))


def test_rows_without_groups_are_free_and_balanced(data: Any) -> None:
    x, y, _ = data
    fold = folds_of(LeakFreeSplit(5), x, y)
    assert np.bincount(fold).tolist() == [60] * 5
    assert deviation(fold, y) < 1 / 60  # a sample
    assert np.bincount(folds_of(LeakFreeSplit(4), x)).tolist() == [75] * 4


def test_anything_with_rows_is_x(data: Any) -> None:
    x, y, groups = data
    fold = folds_of(LeakFreeSplit(3), x, y, groups)
    frame = pd.DataFrame({"x": x[:, 0]}, index=np.arange(300) * 7)
    for same in (frame, list(x), sparse.csr_matrix(x), np.array([f"{each}.jpg" for each in y])):
        assert np.array_equal(
            folds_of(LeakFreeSplit(3), same, pd.Series(y, index=frame.index), groups.tolist()), fold
        )


def test_missing_groups_belong_to_nobody() -> None:
    groups = np.array(["a"] * 10 + [None] * 30, dtype=object)
    fold = folds_of(LeakFreeSplit(4), groups, None, groups)
    assert len(set(fold[:10])) == 1
    assert np.bincount(fold).tolist() == [10] * 4


def test_several_group_columns_join() -> None:
    patient = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    video = np.array([0, 1, 1, 2, 3, 4, 5, 6])
    fold = folds_of(LeakFreeSplit(2), patient, None, np.column_stack([patient, video]))
    assert len(set(fold[:4])) == 1
    assert np.bincount(fold).tolist() == [4, 4]


def test_several_labels_are_spread_one_by_one() -> None:
    random = np.random.default_rng(3)
    y = (random.random((400, 5)) < [0.5, 0.3, 0.2, 0.1, 0.05]).astype(int)
    fold = folds_of(LeakFreeSplit(4), y, y)
    shares = np.array([y[fold == number].mean(axis=0) for number in range(4)])
    assert np.abs(shares - y.mean(axis=0)).max() < 0.02


def test_figures_are_spread_over_their_range() -> None:
    y = np.random.default_rng(3).exponential(size=300)
    fold = folds_of(LeakFreeSplit(3), y, y)
    medians = [np.median(y[fold == number]) for number in range(3)]
    assert max(medians) / min(medians) < 1.35
    assert np.array_equal(fold, folds_of(LeakFreeSplit(3), y, y[:, None]))


def test_copies_stay_together_when_asked() -> None:
    random = np.random.default_rng(5)
    base = random.normal(size=(40, 16))
    x = np.vstack(
        [
            base,
            base * 3,
            base + random.normal(0, 1e-3, base.shape),
            np.zeros((4, 16)),
            np.full((4, 16), np.nan),
        ]
    )
    of = np.concatenate([np.tile(np.arange(40), 3), 100 + np.arange(8)])
    fold = folds_of(LeakFreeSplit(4, similarity=0.999), x)
    assert pd.Series(fold).groupby(of).nunique().max() == 1
    assert pd.Series(folds_of(LeakFreeSplit(4), x)).groupby(of).nunique().max() > 1


def test_a_data_set_brings_its_labels_groups_and_units() -> None:
    names = [f"{number:02d}.jpg" for number in range(40)]
    samples = pd.DataFrame(
        {
            "label": pd.Categorical(["a", "b"] * 20),
            "group": [f"p{number // 4}" for number in range(40)],
        },
        index=pd.Index(names, name="sample"),
    )
    dataset = Dataset("", samples, "classification", ("a", "b"))
    fold = folds_of(LeakFreeSplit(5), dataset)
    assert pd.Series(fold).groupby(samples["group"].to_numpy()).nunique().max() == 1
    units = samples.assign(split="train", unit=[names[number // 8 * 8] for number in range(40)])
    split = Split(Dataset("", units, "classification", ("a", "b")))
    assert (
        pd.Series(folds_of(LeakFreeSplit(5), split))
        .groupby(units["unit"].to_numpy())
        .nunique()
        .max()
        == 1
    )
    with pytest.raises(OptionError, match="no embedding"):
        folds_of(LeakFreeSplit(5, similarity=0.9), split)
    near = dataset.with_arrays(embedding=np.repeat(np.eye(20), 2, axis=0).astype(np.float16))
    fold = folds_of(
        LeakFreeSplit(5, similarity=1.0), replace(near, samples=near.samples.drop(columns="group"))
    )
    assert fold[::2].tolist() == fold[1::2].tolist()


def test_an_empty_text_is_no_group() -> None:
    groups = np.array([""] * 20 + ["p1"] * 4 + [None] * 4, dtype=object)
    fold = folds_of(LeakFreeSplit(4), np.zeros((28, 2)), None, groups)
    assert np.bincount(fold).tolist() == [7] * 4
    assert len(set(fold[20:24])) == 1
    samples = pd.DataFrame(
        {"group": pd.Categorical([""] * 8)},
        index=pd.Index([f"{number}.jpg" for number in range(8)]),
    )
    assert np.bincount(folds_of(LeakFreeSplit(4), Dataset("", samples))).tolist() == [2] * 4


@pytest.mark.parametrize(
    "options",
    [
        {"n_splits": 1},
        {"n_splits": 2.5},
        {"n_splits": True},
        {"similarity": 0.0},
        {"similarity": 1.5},
    ],
)
def test_options_out_of_range_are_named(options: Any) -> None:
    with pytest.raises(OptionError, match=f"option {next(iter(options))}: expected"):
        LeakFreeSplit(**options)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((np.zeros((6, 2)), np.zeros(5)), "y: expected 6 rows"),
        ((np.zeros((6, 2)), None, np.zeros(7)), "groups: expected 6 rows"),
        (
            (np.zeros((6, 2)), np.arange(12).reshape(6, 2)),
            r"y: expected \(n,\), or \(n, k\) of 0 and 1, got int64 .* \(6, 2\)",
        ),
        ((np.zeros((1, 2)),), "2 folds need at least 2 units .* 1 rows make 1"),
        ((np.zeros((0, 2)),), "0 rows make 0"),
    ],
)
def test_what_does_not_fit_is_named(arguments: Any, text: str) -> None:
    with pytest.raises(OptionError, match=text):
        list(LeakFreeSplit(2).split(*arguments))


@pytest.mark.parametrize("x", [["a", "b"], np.zeros(4), np.zeros((2, 2, 2))])
def test_similarity_needs_a_matrix_of_numbers(x: Any) -> None:
    with pytest.raises(OptionError, match="matrix of embeddings"):
        list(LeakFreeSplit(2, similarity=0.9).split(x))


def test_it_is_a_splitter_of_scikit_learn(data: Any) -> None:
    x, y, groups = data
    splitter = LeakFreeSplit(3, random_state=7, similarity=0.9)
    assert isinstance(splitter, BaseCrossValidator)
    assert check_cv(splitter) is splitter
    copied = clone(GridSearchCV(DummyClassifier(), {}, cv=LeakFreeSplit(3, random_state=7))).cv
    assert repr(copied) == repr(LeakFreeSplit(3, random_state=7))
    expected = folds_of(LeakFreeSplit(3, random_state=7), x, y, groups)
    assert np.array_equal(folds_of(copied, x, y, groups), expected)


def test_as_many_groups_as_folds_are_one_each() -> None:
    groups = np.repeat(["p0", "p1", "p2", "p3", "p4"], [5, 5, 4, 3, 3])
    fold = folds_of(LeakFreeSplit(5), groups, np.array(list("12200112220001112222")), groups)
    assert pd.Series(groups).groupby(fold).nunique().tolist() == [1] * 5
