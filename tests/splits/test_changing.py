"""Repair moves as little as it can and leaves no leak; extension moves nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import InputError, OptionError
from dataprep.splits import extend, repair, split, write_split
from tests.splits.made import made_audit, patients


def codes(made, column: str = "split") -> pd.Series:
    return made.dataset.samples[column].astype("str").sort_index()


def leaking(moved: int = 12):
    """A clean split of 60 patients of 5 samples, in which one sample each of some patients of
    val is in train.
    """
    groups = np.repeat(np.arange(60), 5)
    part = np.where(groups < 40, "train", np.where(groups < 50, "val", "test")).astype(object)
    firsts = np.flatnonzero((groups >= 40) & (groups < 50))[::4][:moved]
    part[firsts] = "train"
    labels = ["a" if number % 2 else "b" for number in range(300)]
    return made_audit(labels, [f"p{code}" for code in groups], split=pd.Categorical(part)), firsts


def test_repair_takes_the_fewest_moves_and_keeps_test() -> None:
    audit, astray = leaking()
    made = repair(audit, tests=False)
    before, after = codes(made, "split_before"), codes(made)
    assert made.proof.leaks.total == 0
    assert (after[before == "test"] == "test").all()
    assert made.proof.changed.moved == (before != after).sum()
    fewest = sum(min(n, 5 - n) for n in pd.Series(astray // 5).value_counts())
    assert made.proof.changed.points[0].moves == fewest <= made.proof.changed.moved
    assert any(
        "samples of val" in line and "had a look-alike in train" in line
        for line in made.proof.changed.lines
    )
    assert made.proof.changed.before.total == made.proof.changed.before.groups["group"] > 0


def test_repair_leaves_a_clean_split_alone() -> None:
    audit, _ = leaking(0)
    made = repair(audit, tests=False)
    assert made.proof.changed.moved == 0
    assert codes(made).equals(codes(made, "split_before"))


def test_repair_needs_a_split_and_its_parts() -> None:
    with pytest.raises(InputError, match="no split to repair"):
        repair(patients())
    with pytest.raises(InputError, match="1 part: expected at least two"):
        repair(made_audit("aab", split=pd.Categorical(["train"] * 3)))
    with pytest.raises(
        OptionError, match="expected the parts that the split has, train, val, test"
    ):
        repair(leaking()[0], ratios="train=0.5,holdout=0.5")


def test_extension_moves_nothing_and_joins_what_belongs_together() -> None:
    whole = patients(300, 60)
    some = whole.dataset.where(np.arange(300) < 200)
    from dataclasses import replace

    old = split(replace(whole, dataset=some), tests=False)
    made = extend(whole, old, tests=False)
    before, after = codes(old), codes(made)
    assert after[before.index].equals(before)
    assert len(after) == 300
    assert made.proof.leaks.total == 0
    assert codes(extend(whole, old, tests=False)).equals(after)


def test_a_new_sample_between_two_parts_shows_the_leak(tmp_path: Path) -> None:
    labels = ["a", "b"] * 20
    old = split(made_audit(labels), ratios="train=0.5,test=0.5", tests=False)
    parts = codes(old)
    one, other = (int(parts.index[parts == name][0][4:9]) for name in ("train", "test"))
    joined = made_audit([*labels, "a"], pairs=[(one, 40), (other, 40)])
    paths = write_split(old, tmp_path / "split")
    for earlier in (old, paths.folder, paths.splits):
        made = extend(joined, earlier, tests=False)
        assert codes(made)[parts.index].equals(parts)
        assert made.proof.leaks.total == 1
        line = next(line for line in made.proof.changed.lines if line.startswith("Leaks already"))
        assert "1 in train, 1 in test" in line
        assert "img/00040.jpg" in line


def test_extension_of_other_data_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "splits.csv"
    other.write_text("path,split\nx.jpg,train\ny.jpg,test\n")
    with pytest.raises(InputError, match="no sample of the earlier split"):
        extend(patients(), other)
    other.write_text("name,part\nx.jpg,train\n")
    with pytest.raises(InputError, match="expected the columns 'path' and 'split', got name, part"):
        extend(patients(), other)
