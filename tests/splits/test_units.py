"""Who stays together."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.errors import OptionError
from dataprep.splits.units import duplicates_not_looked_for, hashed_order, units_of
from tests.splits.made import made_audit


def together(audit, columns=(), **options) -> list[set[str]]:
    units = units_of(audit, columns, **options)
    found: dict[int, set[str]] = {}
    for name, unit in zip(units.names, units.unit, strict=True):
        found.setdefault(int(unit), set()).add(str(name)[8:9])
    return [found[unit] for unit in sorted(found)]


def test_groups_copies_and_several_columns_form_components() -> None:
    audit = made_audit(
        "aaaaaaaa",
        ["p", "p", "q", None, "q", "r", None, None],
        [(4, 5)],
        video=["", "", "", "v", "v", "", "", ""],
    )
    assert together(audit) == [{"0", "1"}, {"2", "4", "5"}, {"3"}, {"6"}, {"7"}]
    assert together(audit, ["video"]) == [{"0", "1"}, {"2", "3", "4", "5"}, {"6"}, {"7"}]


def test_similar_images_can_be_parted_and_copies_cannot() -> None:
    similar = made_audit("aaaa", pairs=[(0, 3)], check="similar-images")
    assert together(similar) == [{"0", "3"}, {"1"}, {"2"}]
    assert together(similar, keep_similar=False) == [{"0"}, {"1"}, {"2"}, {"3"}]
    copies = made_audit("aaaa", pairs=[(0, 3)], check="exact-duplicate")
    assert together(copies, keep_similar=False) == [{"0", "3"}, {"1"}, {"2"}]


def test_members_of_one_claimed_group_stay_together_without_a_pair_of_their_own() -> None:
    audit = made_audit("aaaaa", pairs=[(1, 0), (2, 0), (4, 3)])
    assert together(audit) == [{"0", "1", "2"}, {"3", "4"}]
    assert list(units_of(audit).unit_names()[[2, 4]]) == ["img/00000.jpg", "img/00003.jpg"]


def test_what_is_left_out_still_binds() -> None:
    units = units_of(made_audit("aaa", pairs=[(0, 1), (2, 1)]))
    some = units.where(np.array([True, False, True]))
    assert some.unit.tolist() == [0, 0]
    assert some.names.tolist() == ["img/00000.jpg", "img/00002.jpg"]


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"no column is called 'patiant'.*Did you mean 'patient'"):
        units_of(made_audit("aa", patient=["x", "y"]), ["patiant"])


def test_the_order_by_hash_is_fixed() -> None:
    names = np.array(["a", "b", "c", "d"], dtype=object)
    assert hashed_order(names, 0).tolist() == hashed_order(names, 0).tolist()
    assert len({tuple(hashed_order(names, seed)) for seed in range(20)}) > 5


def test_checks_that_did_not_run_are_named() -> None:
    assert set(duplicates_not_looked_for(made_audit("aa", pairs=[(0, 1)]))) == {
        "exact-duplicate",
        "another-shot",
        "similar-images",
    }
