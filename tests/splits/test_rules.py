"""Divisions that a rule decides: order of time, groups left out one by one, and rows that are
kept apart.
"""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.errors import InputError, OptionError
from dataprep.splits import split
from tests.splits.made import made_audit


def test_training_is_before_testing_in_whatever_order_parts_are_named() -> None:
    audit = made_audit(["a", "b"] * 50, day=np.arange(100))
    made = split(
        audit, ratios="test=0.2,later=0.1,val=0.1,train=0.6", time_column="day", tests=False
    )
    days = made.dataset.samples.groupby("split", observed=True)["day"].agg(["min", "max"])
    assert days.loc[["train", "later", "val", "test"]].to_numpy().tolist() == [
        [0, 59],
        [60, 69],
        [70, 79],
        [80, 99],
    ]
    assert {row.part: row.target for row in made.proof.sizes} == {
        "test": 20,
        "later": 10,
        "val": 10,
        "train": 60,
    }


def test_one_bare_year_among_dates_does_not_make_them_numbers() -> None:
    days = [f"2024-01-{number + 1:02d}" for number in range(20)]
    days[3] = "2023"
    made = split(made_audit(["a", "b"] * 10, day=days), time_column="day", tests=False)
    assert len(made.dataset) == 20
    assert made.dataset.samples["split"].iloc[3] == "train"


@pytest.mark.parametrize("rule", [{"time_column": "day"}, {"leave_one_group_out": True}])
def test_nothing_is_balanced_where_a_rule_decides(rule: dict[str, object]) -> None:
    audit = made_audit(
        ["a", "b"] * 10,
        [f"g{number % 4}" for number in range(20)],
        day=np.arange(20),
        site=["x", "y"] * 10,
    )
    with pytest.raises(OptionError, match="balance and .* exclude each other"):
        split(audit, balance="site", **rule)  # type: ignore[arg-type]


def test_external_rows_are_no_fold_of_their_own() -> None:
    groups = [f"g{number % 4}" for number in range(20)]
    audit = made_audit(
        ["a", "b"] * 10, groups, site=["B" if group == "g1" else "A" for group in groups]
    )
    made = split(audit, leave_one_group_out=True, external="site=B", tests=False)
    assert made.parts == {"fold1": 5, "fold2": 5, "fold3": 5, "external": 5}
    assert [row.holds for row in made.proof.sizes] == ["g0", "g2", "g3", "site=B"]


def test_nothing_but_external_rows_with_a_time_is_told() -> None:
    audit = made_audit(["a", "b"] * 5, site=["A", "B"] * 5, day=["", "2024-01-01"] * 5)
    with pytest.raises(InputError, match="5 no day"):
        split(audit, external="site=B", time_column="day")


def test_repeats_that_are_the_same_division_are_told_of() -> None:
    few = made_audit(["a", "b"] * 6, [f"g{number // 4}" for number in range(12)])
    notes = split(few, folds=3, repeats=3, tests=False).proof.notes
    assert any("Of 3 divisions 1 is different" in note for note in notes)
    many = split(made_audit(["a", "b"] * 30), folds=3, repeats=3, tests=False)
    assert not any("divisions" in note for note in many.proof.notes)
