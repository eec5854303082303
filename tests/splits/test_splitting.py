"""split(): what holds for every division, and what each way to ask for one gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.errors import InputError, OptionError
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues
from dataprep.schemas.results.proof import LeftOut
from dataprep.schemas.split import Split
from dataprep.splits import split
from dataprep.splits.units import units_of
from tests.splits.made import made_audit, patients


def parts_of(made: Split, column: str = "split") -> pd.Series:
    return made.dataset.samples[column].astype("str").sort_index()


@st.composite
def audits(draw: st.DrawFn) -> tuple[Audit, Audit]:
    """An audit of random groups and copies, and the same with its rows in another order."""
    rows = draw(st.integers(12, 60))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    groups = [
        f"g{code}" if code else None for code in random.integers(0, draw(st.integers(4, 30)), rows)
    ]
    labels = [f"c{code}" for code in random.integers(0, draw(st.integers(1, 4)), rows)]
    pairs = [
        tuple(sorted(random.choice(rows, 2, replace=False).tolist()))
        for _ in range(draw(st.integers(0, 5)))
    ]
    order = random.permutation(rows)
    return made_audit(labels, groups, pairs), made_audit(
        labels, groups, pairs, order=order.tolist()
    )


@settings(max_examples=8, deadline=None)
@given(
    audits(),
    st.sampled_from([{"ratios": "train=0.6,test=0.4"}, {"folds": 3}, {"folds": 2, "repeats": 2}]),
    st.integers(0, 3),
)
def test_every_division(both: tuple[Audit, Audit], asked: dict[str, Any], seed: int) -> None:
    """Every sample in exactly one part, units whole, deterministic, and the same whatever the
    order of the rows.
    """
    audit, shuffled = both
    if len(np.unique(units_of(audit).unit)) < asked.get("folds", 2):
        with pytest.raises(OptionError, match="units"):
            split(audit, **asked)
        return
    made = split(audit, seed=seed, tests=False, **asked)
    parts = parts_of(made)
    assert parts.index.tolist() == sorted(audit.dataset.samples.index)
    assert parts.isin(made.proof.parts).all()
    assert sum(made.parts.values()) == len(audit.dataset)
    for column in [name for name in made.dataset.samples if name.startswith("split")]:
        table = made.dataset.samples
        assert (table.groupby("unit")[column].nunique() == 1).all()
        assert (table.groupby("group", observed=True)[column].nunique() <= 1).all()
    assert made.proof.leaks.total == 0
    other = split(shuffled, seed=seed, tests=False, **asked)
    pd.testing.assert_series_equal(parts, parts_of(other))
    assert made.proof == other.proof


def test_sizes_and_labels_come_near_and_beat_the_greedy_way() -> None:
    made = split(patients(600, 120))
    for row in made.proof.sizes:
        assert abs(row.samples - row.target) <= made.proof.largest_unit.samples
    assert (
        made.proof.labels.deviation <= made.proof.compared.stratified_group_kfold.deviation + 1e-9
    )
    random = made.proof.compared.random
    assert random.groups["group"] > 50
    assert random.exposed > 0.5
    assert made.proof.compared.ours.exposed == 0


def test_another_seed_gives_another_division_and_repeats_differ() -> None:
    audit = patients()
    assert not parts_of(split(audit, tests=False)).equals(
        parts_of(split(audit, seed=1, tests=False))
    )
    made = split(audit, folds=3, repeats=2, tests=False)
    assert not parts_of(made).equals(parts_of(made, "split_2"))
    assert made.proof.repeats[0].leaks == 0


def test_counts() -> None:
    made = split(made_audit(["a", "b"] * 50), ratios="test=20", tests=False)
    assert made.parts == {"train": 80, "test": 20}


def test_leave_one_group_out_makes_a_fold_of_every_component() -> None:
    audit = made_audit("aabbccdd", list("ppqqrrss"), [(2, 5)])
    made = split(audit, leave_one_group_out=True, tests=False)
    assert [row.holds for row in made.proof.sizes] == ["p", "q + r", "s"]
    assert made.parts == {"fold1": 2, "fold2": 4, "fold3": 2}
    with pytest.raises(OptionError, match="expected a group column"):
        split(made_audit("ab"), leave_one_group_out=True)
    with pytest.raises(OptionError, match="1 samples are in no group"):
        split(made_audit("aab", ["p", "q", None]), leave_one_group_out=True)


def test_external_rows_are_apart_and_their_relatives_left_out() -> None:
    site = ["A"] * 30 + ["B"] * 10
    made = split(
        made_audit(["x", "y"] * 20, pairs=[(3, 35)], site=site), external="site=B", tests=False
    )
    parts = parts_of(made)
    assert (parts[30 - 1 :] == "external").all()
    assert made.parts["external"] == 10
    assert "img/00003.jpg" not in parts.index
    assert LeftOut("belongs together with an external sample", 1) in made.proof.left_out
    with pytest.raises(OptionError, match="no row has site=C"):
        split(made_audit("ab", site=["A", "B"]), external="site=C")
    with pytest.raises(OptionError, match="takes every sample"):
        split(made_audit("ab", site=["A", "A"]), external="site=A")


def test_time_order_keeps_units_whole_where_their_last_member_is() -> None:
    days = [f"2024-01-{day:02d}" for day in range(1, 21)]
    audit = made_audit(["a"] * 20, pairs=[(0, 19)], day=days)
    made = split(audit, time_column="day", ratios="train=0.5,test=0.5", tests=False)
    parts = parts_of(made)
    assert parts["img/00000.jpg"] == parts["img/00019.jpg"] == "test"
    alone = parts.drop("img/00000.jpg")
    assert max(alone.index[alone == "train"]) < min(alone.index[alone == "test"])
    assert any("1 samples are older" in note for note in made.proof.notes)


def test_times_that_cannot_be_used() -> None:
    with pytest.raises(OptionError, match="nothing in 'day' is a number or a date"):
        split(made_audit("abc", day=["x", "y", "z"]), time_column="day")
    with pytest.raises(OptionError, match="different times"):
        split(made_audit("abc", day=[1, 1, 1]), time_column="day")
    made = split(made_audit("abcd", year=[1.0, 2.0, 3.0, np.nan]), time_column="year", tests=False)
    assert made.proof.left_out == (LeftOut("no year", 1),)
    assert sum(made.parts.values()) == 3


def test_balance_evens_out_columns() -> None:
    random = np.random.default_rng(0)
    audit = patients(
        400,
        100,
        site=random.choice(["A", "B"], 400),
        luma_mean=random.random(400).astype(np.float32),
    )
    made = split(audit, balance="site,brightness", tests=False)
    names = [row.feature for row in made.proof.others]
    assert names[:2] == ["site=A", "site=B"]
    assert sum(name.startswith("luma_mean in [") for name in names) == 5
    for row in made.proof.others:
        assert max(abs(share - row.share) for share in row.shares) < 0.06
    with pytest.raises(OptionError, match="balance: no column is called 'sight'"):
        split(audit, balance="sight")


def test_several_labels_and_figures_are_balanced() -> None:
    random = np.random.default_rng(1)
    several = [
        "|".join(sorted(random.choice(["a", "b", "c", "d"], random.integers(1, 4), replace=False)))
        for _ in range(200)
    ]
    made = split(made_audit(several, task="multi-label"), tests=False)
    assert len(made.proof.labels.table) == 4
    assert made.proof.labels.deviation < 0.03
    figures = split(made_audit(random.normal(size=300), task="regression"), tests=False)
    assert len(figures.proof.labels.table) == 10
    assert figures.proof.labels.deviation < 0.03


def test_what_cannot_be_met_is_said() -> None:
    labels = ["x"] * 40 + ["a"] * 160
    groups = ["big"] * 36 + [f"g{number}" for number in range(164)]
    made = split(made_audit(labels, groups), tests=False)
    assert any("group big holds 90% of class 'x'" in line for line in made.proof.compromises)
    rare = split(made_audit(["x"] * 2 + ["a"] * 98, ["one", "one", *range(98)]), tests=False)
    assert any("class 'x' is in 1 unit" in line for line in rare.proof.compromises)


def test_a_part_that_lacks_a_class_is_told_so_once() -> None:
    labels = ["x"] * 10 + ["a"] * 90
    groups = (
        ["one"] * 6
        + ["two"] * 2
        + ["three"] * 2
        + ["two"] * 40
        + ["three"] * 20
        + [f"g{number}" for number in range(30)]
    )
    told = split(made_audit(labels, groups), tests=False).proof.compromises
    about = [line for line in told if "class 'x'" in line]
    assert len(about) == 1, told
    assert about[0].startswith("group one holds 60% of class 'x': ")
    assert about[0].endswith(" without it")


def test_unlabelled_lost_and_missing_labels() -> None:
    labels = ["a", "b"] * 20 + [None] * 10
    lost = pd.Categorical(["truncated"] * 2 + [""] * 48)
    made = split(made_audit(labels, lost=lost), tests=False)
    assert {each.why: each.samples for each in made.proof.left_out} == {
        "cannot be read": 2,
        "no label (--keep-unlabelled keeps them)": 10,
    }
    assert sum(split(made_audit(labels), keep_unlabelled=True, tests=False).parts.values()) == 50
    sizes_only = split(made_audit([None] * 20, task="none"), tests=False)
    assert sizes_only.parts == {"train": 14, "val": 3, "test": 3}
    assert sizes_only.proof.labels.deviation is None
    assert any("no labels" in note for note in sizes_only.proof.notes)
    one = split(made_audit(["a"] * 20), tests=False)
    assert any("same label" in note for note in one.proof.notes)


def test_too_little_to_divide() -> None:
    with pytest.raises(OptionError, match="5 parts need at least 5 units.*there are 2"):
        split(made_audit("aabb", list("ppqq")), folds=5)
    with pytest.raises(
        OptionError, match="there is 1: ask for fewer parts or add images; where there are"
    ):
        split(made_audit("a"))
    empty = Dataset(
        "/nowhere", pd.DataFrame({"label": []}, index=pd.Index([], name="sample", dtype="str"))
    )
    with pytest.raises(InputError, match="no samples"):
        split(Audit(empty, Issues.collect([])))
    with pytest.raises(InputError, match="none of the 2 samples can be divided: 2 cannot be read"):
        split(made_audit("ab", lost=["truncated", "empty"]))


def test_tests_find_parts_that_differ() -> None:
    """External rows differ on purpose and are not tested; by time, what changed over time is
    found.
    """
    dark = np.r_[np.linspace(0.7, 0.9, 150), np.linspace(0.1, 0.3, 150)].astype(np.float32)
    made = split(
        made_audit(["a", "b"] * 150, luma_mean=dark, day=np.arange(300)),
        time_column="day",
        ratios="train=0.5,test=0.5",
    )
    tests = made.proof.tests
    assert tests.labels.status == "match"
    assert tests.properties.status == "differ"
    assert tests.embedding.status == "not tested"
    even = split(made_audit(["a", "b"] * 150, luma_mean=dark), ratios="train=0.5,test=0.5")
    assert even.proof.tests.properties.status == "match"


@pytest.mark.parametrize(
    "asked", [{}, {"ratios": "val=1,test=1"}, {"folds": 4}, {"folds": 3, "repeats": 3}]
)
def test_four_images_leave_no_part_empty(asked: dict[str, Any]) -> None:
    made = split(made_audit(["a", "a", "b", "b"], [None] * 4, []), tests=False, **asked)
    assert min(row.samples for row in made.proof.sizes) > 0
    assert all(min(each.sizes) > 0 for each in made.proof.repeats)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (
            {"ratios": "train=0.5,test=0.5"},
            "class 'rare' is in 1 unit that cannot be separated, too few for 2 parts",
        ),
        (
            {"time_column": "taken", "ratios": "train=0.5,test=0.5"},
            "test has no sample of class 'a' (6 elsewhere): no figure of test",
        ),
        (
            {"time_column": "back", "ratios": "train=0.5,test=0.5"},
            "train has no sample of class 'a' (6 elsewhere): a model cannot",
        ),
        (
            {"leave_one_group_out": True},
            "fold1 has no sample of class 'b' (5 elsewhere), 'rare' (1 elsewhere)",
        ),
        (
            {"external": "site=B"},
            "external has no sample of class 'a' (6 elsewhere), 'rare' (1 elsewhere)",
        ),
    ],
)
def test_a_class_that_a_part_lacks_is_named(asked: dict[str, Any], text: str) -> None:
    labels, sites = ["a"] * 6 + ["b"] * 5 + ["rare"], ["A"] * 6 + ["B"] * 3 + ["A"] * 3
    groups = ["one"] * 6 + ["two"] * 6 if asked.get("leave_one_group_out") else None
    times = np.arange(12.0)
    made = split(
        made_audit(labels, groups, site=sites, taken=times, back=-times), tests=False, **asked
    )
    told = " ".join(made.proof.compromises)
    assert text in told


def test_sizes_that_single_samples_miss_are_not_laid_to_groups() -> None:
    made = split(made_audit([f"c{number // 2}" for number in range(600)]), tests=False)
    missed = [text for text in made.proof.compromises if "samples instead of" in text]
    assert all("belongs together" not in text for text in missed)
    assert any(text.endswith("labels are balanced first") for text in missed)


def test_a_class_absent_from_a_repeat_is_named_with_it() -> None:
    made = split(made_audit(["a"] * 9 + ["b"]), folds=3, repeats=2, tests=False)
    assert any(
        " of split_2 has no sample of class 'b' (1 elsewhere)" in text
        for text in made.proof.compromises
    )


def test_bins_of_a_figure_are_no_classes() -> None:
    made = split(
        made_audit(np.arange(30.0) + 0.5, task="regression"),
        ratios="train=0.9,test=0.1",
        tests=False,
    )
    assert not any("has no sample" in text for text in made.proof.compromises)
