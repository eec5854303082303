"""What an earlier split was made with holds for its extension and its repair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import OptionError
from dataprep.schemas.audit import Audit
from dataprep.splits import extend, repair, split, write_split
from tests.splits.made import made_audit


def visits(rows: int = 120, patients: int = 20) -> Audit:
    """Patients of several visits, each at one of three sites, in an order of days."""
    person = np.arange(rows) % patients
    site = np.array(["A", "B", "C"])[person % 3]
    return made_audit(
        ["a", "b"] * (rows // 2),
        patient=[f"p{code}" for code in person],
        site=site,
        day=np.arange(rows),
    )


def first(audit: Audit, rows: int) -> Audit:
    return replace(audit, dataset=audit.dataset.where(np.arange(len(audit.dataset)) < rows))


def test_extension_keeps_to_groups_and_external_rows(tmp_path: Path) -> None:
    whole = visits()
    old = split(first(whole, 60), group="patient", external="site=B", tests=False)
    for earlier in (old, write_split(old, tmp_path / "split").folder):
        made = extend(whole, earlier, tests=False)
        samples = made.dataset.samples
        assert (samples.groupby("patient")["split"].nunique() == 1).all()
        assert ((samples["split"] == "external") == (samples["site"] == "B")).all()
        assert made.proof.leaks.groups == {"patient": 0}
        assert len(samples) == 120


def test_extension_leaves_out_new_external_samples_of_old_patients() -> None:
    whole = visits()
    site = whole.dataset.samples["site"].to_numpy(copy=True)
    site[61] = "A"  # p1 of site B is seen elsewhere too
    site[62] = "B"  # p2 of site C comes to B
    whole = replace(whole, dataset=whole.dataset.assign(site=site))
    old = split(first(whole, 60), group="patient", external="site=B", tests=False)
    made = extend(whole, old, tests=False)
    assert made.proof.leaks.total == 0
    assert set(whole.dataset.samples.index) - set(made.dataset.samples.index) == {
        "img/00061.jpg",
        "img/00062.jpg",
    }
    assert {each.why.split(",")[0]: each.samples for each in made.proof.left_out} == {
        "belongs together with an external sample": 1,
        "external": 1,
    }


def test_a_split_in_order_of_time_or_of_groups_that_are_gone_is_not_changed() -> None:
    audit = visits()
    old = split(first(audit, 60), time_column="day", tests=False)
    for change in (extend, repair):
        with pytest.raises(OptionError, match="in the order of 'day'"):
            change(audit, earlier=old)
    grouped = split(first(audit, 60), group="patient", tests=False)
    without = replace(
        audit, dataset=replace(audit.dataset, samples=audit.dataset.samples.drop(columns="patient"))
    )
    with pytest.raises(OptionError, match="samples of one 'patient' together"):
        extend(without, grouped)


def test_similar_images_may_be_parted_where_they_were() -> None:
    audit = made_audit(
        ["a", "b"] * 10,
        pairs=[(number, number + 1) for number in range(19)],
        check="similar-images",
    )
    old = split(audit, keep_similar=False, tests=False)
    assert extend(audit, old, tests=False).proof.leaks.total == 0
    assert extend(audit, old, tests=False, keep_similar=True).proof.leaks.total > 0


def test_repair_leaves_out_what_belongs_to_external_samples() -> None:
    part = np.array(["train"] * 60 + ["test"] * 30 + ["external"] * 10, dtype=object)
    groups = [f"p{number // 2}" for number in range(100)]
    groups[0], groups[70] = groups[90], groups[92]
    made = repair(made_audit(["a", "b"] * 50, groups, split=pd.Categorical(part)), tests=False)
    assert made.proof.leaks.total == 0
    assert [row.leaks for row in made.proof.changed.frontier if row.chosen != "as it was"] == [
        "0"
    ] * len(made.proof.changed.points)
    assert set(part) == set(made.dataset.samples["split"])
    assert not {"img/00000.jpg", "img/00070.jpg"} & set(made.dataset.samples.index)
    assert made.parts["external"] == 10


def test_samples_without_a_part_do_not_thaw_the_test_part() -> None:
    part = np.array(["train"] * 60 + ["val"] * 20 + ["test"] * 20 + [""] * 50, dtype=object)
    audit = made_audit(["a", "b"] * 75, split=pd.Categorical(np.where(part == "", None, part)))
    made = repair(audit, tests=False)
    assert made.parts["test"] == 20
    assert abs(made.parts["train"] - 97.5) <= 0.05 * 97.5
    assert made.proof.changed.moved == made.proof.changed.points[0].moves == 0
    assert "The test part is as it was." in made.proof.changed.lines
    asked = repair(audit, ratios="train=0.6,val=0.2,test=0.2", tests=False)
    assert asked.parts["test"] > 25


def test_tolerances_are_shares() -> None:
    with pytest.raises(OptionError, match="size_tolerance: expected a share from 0 on"):
        repair(visits(), size_tolerance=-0.1)
