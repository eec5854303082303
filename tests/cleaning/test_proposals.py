"""Issues to a plan: what decides when checks disagree, and what is never done."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.cleaning import clean
from dataprep.errors import FingerprintError, OptionError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import batch

from .conftest import LABELS, audit_of, claim, copy_claim


def actions(plan):
    return dict(zip(plan.table["sample"], plan.table["action"], strict=True))


def test_suggestions_become_actions_with_reason_confidence_and_source(dataset):
    plan = clean(audit_of(
        dataset,
        claim("unreadable", "a.jpg", suggestion="drop", confidence=0.9),
        claim("label-spelling", "f.jpg", scope="record", suggestion="relabel", value="dog"),
        claim("dark", "b.jpg"),
        claim("gps-metadata", "c.jpg", severity="info"),
    ))  # fmt: skip
    assert actions(plan) == {"a.jpg": "drop", "f.jpg": "relabel", "b.jpg": "review"}
    first = plan.table.iloc[0]
    assert (first["sample"], first["source"], first["reason"]) == ("a.jpg", "unreadable", "unreadable: 0.5 luma")
    assert first["confidence"] == pytest.approx(0.9)
    assert plan.table.set_index("sample").loc["f.jpg", "new_label"] == "dog"


def test_no_issues_give_an_empty_plan(dataset):
    plan = clean(audit_of(dataset))
    assert len(plan) == 0
    assert plan.warnings == ()


def test_a_copy_is_dropped_and_the_kept_member_is_listed(dataset):
    plan = clean(audit_of(dataset, copy_claim("b.jpg", "a.jpg"), copy_claim("c.jpg", "a.jpg")))
    assert actions(plan) == {"b.jpg": "drop", "c.jpg": "drop", "a.jpg": "keep"}
    assert plan.table.set_index("sample").loc["a.jpg", "reason"] == "the best of 3 copies"


def test_the_kept_member_is_not_dropped_even_if_it_has_a_fault_of_its_own(dataset):
    plan = clean(audit_of(dataset, copy_claim("b.jpg", "a.jpg"), claim("low-information", "a.jpg", suggestion="drop")))
    assert actions(plan) == {"b.jpg": "drop", "a.jpg": "review"}
    assert "the last of its copies stays; low-information" in plan.table.set_index("sample").loc["a.jpg", "reason"]


def test_a_chain_and_a_ring_of_copies_leave_one(dataset):
    chain = clean(audit_of(dataset, copy_claim("c.jpg", "b.jpg"), copy_claim("b.jpg", "a.jpg")))
    assert actions(chain) == {"c.jpg": "drop", "b.jpg": "drop", "a.jpg": "keep"}
    ring = clean(audit_of(dataset, copy_claim("b.jpg", "a.jpg"), copy_claim("a.jpg", "b.jpg")))
    assert actions(ring) == {"b.jpg": "drop", "a.jpg": "review"}


def test_an_undecided_label_is_reviewed_on_both_sides_rather_than_settled_by_dropping_a_copy(dataset):
    conflict = claim("label-conflict", "d.jpg", scope="pair", related="c.jpg", severity="error")
    plan = clean(audit_of(dataset, copy_claim("d.jpg", "c.jpg"), conflict))
    assert actions(plan) == {"c.jpg": "review", "d.jpg": "review"}


def test_a_useless_file_is_dropped_whatever_its_label(dataset):
    conflict = claim("label-conflict", "d.jpg", scope="pair", related="c.jpg", severity="error")
    plan = clean(audit_of(dataset, conflict, claim("unreadable", "d.jpg", suggestion="drop", severity="error")))
    assert actions(plan) == {"c.jpg": "review", "d.jpg": "drop"}


def test_two_suggested_labels_are_a_review_and_one_of_a_class_reaches_all_its_samples(dataset):
    two = [claim("label-spelling", "f.jpg", suggestion="relabel", value=value) for value in ("dog", "cat")]
    assert actions(clean(audit_of(dataset, *two))) == {"f.jpg": "review"}
    whole = claim("label-spelling", "dog", scope="class", suggestion="relabel", value="Dog")
    assert actions(clean(audit_of(dataset, whole))) == {"d.jpg": "relabel", "e.jpg": "relabel"}


def test_to_drop_a_row_of_the_manifest_is_not_to_drop_its_sample(dataset):
    assert len(clean(audit_of(dataset, claim("duplicate-row", "a.jpg", scope="record", suggestion="drop")))) == 0


def test_unsure_suggestions_are_reviewed(dataset):
    audit = audit_of(dataset, copy_claim("b.jpg", "a.jpg", confidence=0.7))
    assert actions(clean(audit)) == {"b.jpg": "review"}
    assert actions(clean(audit, min_confidence=0.6)) == {"b.jpg": "drop", "a.jpg": "keep"}


def test_options_overrule_what_checks_suggest(dataset):
    audit = audit_of(dataset, claim("dark", "a.jpg"), claim("unreadable", "b.jpg", suggestion="drop"), claim("blurry", "c.jpg"))
    plan = clean(audit, drop=["dark"], review=["unreadable"], keep=["blurry"])
    assert actions(plan) == {"a.jpg": "drop", "b.jpg": "review"}
    assert plan.options == {"drop": ("dark",), "review": ("unreadable",), "keep": ("blurry",), "min_confidence": 0.8}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"drop": ["drak"]}, "Did you mean 'dark'"),
        ({"drop": ["dark"], "keep": ["dark"]}, "more than one"),
        ({"min_confidence": 2.0}, r"\[0, 1\]"),
    ],
)
def test_bad_options_are_refused(dataset, options, says):
    with pytest.raises(OptionError, match=says):
        clean(audit_of(dataset), **options)


def test_an_emptied_class_is_a_warning(dataset):
    plan = clean(audit_of(dataset, claim("unreadable", "f.jpg", suggestion="drop")))
    assert plan.warnings == ("class 'Dog' would be left empty: none of its 1 samples is kept under it",)


def test_a_class_that_is_relabelled_away_is_no_warning(dataset):
    plan = clean(audit_of(dataset, claim("label-spelling", "Dog", scope="class", suggestion="relabel", value="dog")))
    assert actions(plan) == {"f.jpg": "relabel"}
    assert plan.warnings == ()


def test_reasons_name_the_other_side(dataset):
    conflict = claim("label-conflict", "d.jpg", scope="pair", related="c.jpg", severity="error")
    reasons = clean(audit_of(dataset, copy_claim("b.jpg", "a.jpg"), conflict)).table.set_index("sample")["reason"]
    assert reasons["b.jpg"].startswith("near-duplicate of a.jpg: ")
    assert reasons["c.jpg"].startswith("label-conflict with d.jpg: ")
    assert reasons["d.jpg"].startswith("label-conflict: ")


def test_edits_are_carried_over_and_refused_for_other_data(dataset):
    audit = audit_of(dataset, claim("dark", "a.jpg"), claim("blurry", "b.jpg"))
    first = clean(audit)
    edited = replace(first, table=first.table.assign(action=["drop", "review"]))
    again = clean(audit, drop=["blurry"], edits=edited)
    assert actions(again) == {"a.jpg": "drop", "b.jpg": "drop"}
    assert list(again.edited["sample"]) == ["a.jpg"]
    other = audit_of(dataset.assign(file_hash="new"), claim("dark", "a.jpg"), claim("blurry", "b.jpg"))
    with pytest.raises(FingerprintError, match="the contents of files changed"):
        clean(other, edits=edited)
    assert actions(clean(other, edits=first)) == {"a.jpg": "review", "b.jpg": "review"}


NAMES = st.sampled_from(list(LABELS))


@settings(deadline=None, max_examples=30)
@given(pairs=st.lists(st.tuples(NAMES, NAMES), max_size=12), faulty=st.sets(NAMES))
def test_every_group_of_copies_keeps_a_member(pairs, faulty):
    samples = pd.DataFrame({"label": "cat"}, index=pd.Index(list(LABELS), name="sample", dtype="str"))
    copies = [(target, kept) for target, kept in pairs if target != kept]
    claims = [
        batch("near-duplicate", "warning", "pair", [a for a, _ in copies], related=[b for _, b in copies], suggestion="drop"),
        batch("low-information", "warning", "sample", sorted(faulty), suggestion="drop"),
    ]
    plan = clean(audit_of(Dataset("images", samples), *claims))
    left = set(LABELS) - set(plan.table.loc[plan.table["action"] == "drop", "sample"])
    groups = {name: {name} for name in LABELS}
    for target, kept in pairs:
        if target in groups[kept]:
            continue
        merged = groups[target] | groups[kept]
        for name in merged:
            groups[name] = merged
    for name, group in groups.items():
        assert group & left or group <= faulty, f"nothing is left of the copies of {name}"
