"""What can be asked for, and what is said to those who ask for something else."""

from __future__ import annotations

import math

import pytest

from dataprep.errors import OptionError
from dataprep.splits.requests import Request, read_external, read_ratios


def test_shares_counts_and_rest() -> None:
    assert read_ratios("train=0.7, val=0.15,test=0.15") == (
        ("train", "val", "test"),
        pytest.approx((0.7, 0.15, 0.15)),
        "ratios",
    )
    assert read_ratios({"a": 0.5, "b": 0.5})[0] == ("a", "b")
    names, sizes, mode = read_ratios("test=500")
    assert (names, mode) == (("train", "test"), "counts")
    assert math.isnan(sizes[0])
    assert sizes[1] == 500
    assert Request(names, sizes, mode).targets(2000) == [1500.0, 500.0]
    assert read_ratios("train=rest,test=0.2")[1] == pytest.approx((0.8, 0.2))
    assert Request(*read_ratios("fit=rest,test=50")).targets(80) == [30.0, 50.0]


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ("train=0.7,test=0.2", "sum to 1.*0.9"),
        ("train=0.7,train=0.3", "'train' twice"),
        ("train", "NAME=SIZE"),
        ("", "got nothing"),
        ("train=much,test=0.1", "'much'"),
        ("train=0.8,test=-0.2", "every part to get something"),
        ("train=1.0", "at least two parts"),
        ("external=0.5,train=0.5", "cannot be called 'external'"),
        ("train=rest,val=rest,test=10", "one part to take the rest"),
        ("train=nan,test=0.5", "'nan'"),
    ],
)
def test_ratios_that_cannot_be(ratios: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        read_ratios(ratios)


def test_counts_have_to_come_to_the_samples() -> None:
    with pytest.raises(OptionError, match="come to the 100 samples.*130"):
        Request(*read_ratios("train=100,test=30")).targets(100)
    with pytest.raises(OptionError, match="come to the 100 samples"):
        Request(*read_ratios("test=101")).targets(100)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"folds": 1}, "folds: expected"),
        ({"repeats": 0}, "repeats: expected"),
        ({"folds": 3, "time_column": "day"}, "exclude each other"),
        ({"folds": 3, "leave_one_group_out": True}, "exclude each other"),
        ({"repeats": 2, "time_column": "day"}, "leave out repeats"),
        ({"seed": -1}, "seed: expected"),
    ],
)
def test_contradictions(given: dict, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Request(("train", "test"), (0.8, 0.2), **given)


def test_external_is_column_and_value() -> None:
    assert read_external(["site=B", ("day", "=x")]) == (("site", "B"), ("day", "=x"))
    with pytest.raises(OptionError, match="COLUMN=VALUE"):
        read_external("site")
