"""Issues to a plan: what decides when checks disagree, what options ask for, and what a person
is told.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataprep.cleaning import clean
from dataprep.errors import FingerprintError, OptionError
from tests.cleaning.conftest import audit_of, claim, copy_claim, near_claim


def actions(plan):
    return dict(zip(plan.table["sample"], plan.table["action"], strict=True))


def reasons(plan):
    return dict(zip(plan.table["sample"], plan.table["reason"], strict=True))


def test_by_default_only_copies_and_unreadable_files_are_dropped(dataset):
    plan = clean(
        audit_of(
            dataset,
            claim("unreadable", "a.jpg", suggestion="drop", severity="error", confidence=0.9),
            copy_claim("b.jpg", "c.jpg"),
            near_claim("d.jpg", "e.jpg"),
            claim("label-spelling", "f.jpg", scope="record", suggestion="relabel", value="dog"),
            claim("low-information", "e.jpg", suggestion="drop"),
            claim("gps-metadata", "c.jpg", severity="info"),
        )
    )
    assert actions(plan) == {
        "a.jpg": "drop",
        "b.jpg": "drop",
        "c.jpg": "keep",
        "d.jpg": "review",
        "e.jpg": "review",
        "f.jpg": "review",
    }
    first = plan.table.iloc[0]
    assert (first["sample"], first["source"], first["reason"]) == (
        "a.jpg",
        "unreadable",
        "unreadable: 0.5 luma",
    )
    assert first["confidence"] == pytest.approx(0.9)
    assert first["file"] == dataset.path("a.jpg")
    assert plan.left_in_test == 0


@pytest.mark.parametrize(
    "check",
    [
        "near-duplicate",
        "split-leakage",
        "decompression-bomb",
        "trigger",
        "a-plug-in",
        "another-shot",
    ],
)
@pytest.mark.parametrize("scope", ["sample", "pair"])
def test_whatever_else_suggests_to_drop_is_reviewed(dataset, check, scope):
    related = "a.jpg" if scope == "pair" else ""
    found = claim(check, "b.jpg", scope=scope, related=related, suggestion="drop", severity="error")
    assert actions(clean(audit_of(dataset, found))) == {"b.jpg": "review"}


def test_facts_and_candidates_lead_to_nothing_whatever_they_suggest(dataset):
    candidates = [
        claim("wrong-label", "a.jpg", severity="info", suggestion="relabel", value="dog"),
        claim("wrong-label", "b.jpg", severity="info", suggestion="review"),
        copy_claim("c.jpg", "a.jpg", severity="info"),
        claim("mask-beside-image", "d.jpg", severity="info", suggestion="drop"),
    ]
    assert (
        len(
            clean(
                audit_of(dataset, *candidates),
                relabel=True,
                drop_at_confidence=0.0,
                drop=["wrong-label"],
            )
        )
        == 0
    )
    assert actions(clean(audit_of(dataset, *candidates), review=["wrong-label"])) == {
        "a.jpg": "review",
        "b.jpg": "review",
    }


def test_a_check_of_facts_can_be_dropped_by_name(dataset):
    assert actions(
        clean(audit_of(dataset, claim("grayscale", "a.jpg", severity="info")), drop=["grayscale"])
    ) == {"a.jpg": "drop"}


def test_no_issues_give_an_empty_plan(dataset):
    plan = clean(audit_of(dataset))
    assert len(plan) == 0
    assert plan.warnings == ()


def test_a_copy_is_dropped_and_the_kept_member_is_listed(dataset):
    plan = clean(audit_of(dataset, copy_claim("b.jpg", "a.jpg"), copy_claim("c.jpg", "a.jpg")))
    assert actions(plan) == {"b.jpg": "drop", "c.jpg": "drop", "a.jpg": "keep"}
    assert reasons(plan)["a.jpg"] == "the one of 3 copies that stays"


def test_of_two_copies_the_one_without_a_fault_of_its_own_stays(dataset):
    audit = audit_of(
        dataset, copy_claim("b.jpg", "a.jpg"), claim("low-information", "a.jpg", suggestion="drop")
    )
    assert actions(clean(audit)) == {"b.jpg": "drop", "a.jpg": "review"}
    assert actions(clean(audit, drop=["low-information"])) == {"a.jpg": "drop"}


def test_a_chain_and_a_ring_of_copies_leave_one(dataset):
    chain = clean(audit_of(dataset, copy_claim("c.jpg", "b.jpg"), copy_claim("b.jpg", "a.jpg")))
    assert actions(chain) == {"c.jpg": "drop", "b.jpg": "drop", "a.jpg": "keep"}
    assert reasons(chain)["c.jpg"].endswith("; a.jpg stays")
    ring = clean(audit_of(dataset, copy_claim("b.jpg", "a.jpg"), copy_claim("a.jpg", "b.jpg")))
    assert actions(ring) == {"b.jpg": "drop", "a.jpg": "keep"}


def test_near_duplicates_are_dropped_when_asked_and_are_held_against_what_exact_copies_leave(
    dataset,
):
    audit = audit_of(dataset, copy_claim("b.jpg", "a.jpg"), near_claim("c.jpg", "b.jpg"))
    assert actions(clean(audit)) == {"b.jpg": "drop", "c.jpg": "review", "a.jpg": "keep"}
    assert actions(clean(audit, drop=["near-duplicate"])) == {
        "b.jpg": "drop",
        "c.jpg": "drop",
        "a.jpg": "keep",
    }


def test_copies_under_different_labels_are_left_to_a_person(dataset):
    plan = clean(audit_of(dataset, copy_claim("d.jpg", "c.jpg")))
    assert actions(plan) == {"c.jpg": "review", "d.jpg": "review"}
    assert reasons(plan)["d.jpg"].startswith(
        "its copies have other labels; exact-duplicate of c.jpg: "
    )
    majority = claim(
        "label-conflict",
        "d.jpg",
        scope="pair",
        related="c.jpg",
        severity="error",
        suggestion="relabel",
        value="cat",
    )
    audit = audit_of(dataset, copy_claim("b.jpg", "c.jpg"), copy_claim("d.jpg", "c.jpg"), majority)
    assert actions(clean(audit)) == {"b.jpg": "review", "c.jpg": "review", "d.jpg": "review"}
    taken = clean(audit, relabel=True)
    assert actions(taken) == {"b.jpg": "review", "c.jpg": "review", "d.jpg": "relabel"}
    assert taken.table.set_index("sample").loc["d.jpg", "new_label"] == "cat"


def test_a_label_is_not_lost_with_a_copy(dataset):
    labels = dataset.samples["label"].astype("object").where(dataset.samples.index != "a.jpg")
    unlabelled = dataset.assign(label=labels)
    assert actions(clean(audit_of(unlabelled, copy_claim("b.jpg", "a.jpg")))) == {
        "a.jpg": "drop",
        "b.jpg": "keep",
    }
    tested = unlabelled.assign(split=["test", "train", "train", "train", "train", "train"])
    plan = clean(audit_of(tested, copy_claim("b.jpg", "a.jpg")))
    assert actions(plan) == {"b.jpg": "review"}
    assert "the copy that stays has no label" in reasons(plan)["b.jpg"]


def test_a_mask_beside_its_picture_is_not_dropped_as_a_copy_of_another_mask(dataset):
    names = ["x/a.jpg", "x/a.png", "x/b.jpg", "x/b.png", "y/b.jpg", "x/c.png"]
    pairs = replace(
        dataset,
        samples=dataset.samples.assign(label="cat").set_axis(names, axis=0).rename_axis("sample"),
    )
    plan = clean(
        audit_of(pairs, copy_claim("x/b.png", "x/a.png"), copy_claim("x/c.png", "x/a.png"))
    )
    assert actions(plan) == {"x/b.png": "review", "x/c.png": "drop", "x/a.png": "keep"}
    assert reasons(plan)["x/b.png"].startswith(
        "another file has its name, and may belong to it; exact-duplicate of x/a.png: "
    )
    assert actions(clean(audit_of(pairs, copy_claim("x/a.png", "x/a.jpg")))) == {
        "x/a.png": "drop",
        "x/a.jpg": "keep",
    }
    assert actions(clean(audit_of(pairs, copy_claim("x/b.jpg", "y/b.jpg")))) == {
        "y/b.jpg": "drop",
        "x/b.jpg": "keep",
    }
    near = clean(audit_of(pairs, near_claim("x/b.png", "x/a.png")), drop=["near-duplicate"])
    assert actions(near) == {"x/b.png": "drop", "x/a.png": "keep"}
    asked = clean(audit_of(pairs, copy_claim("x/b.png", "x/a.png")), drop=["exact-duplicate"])
    assert actions(asked) == {"x/b.png": "drop", "x/a.png": "keep"}


def test_an_undecided_label_is_reviewed_on_both_sides_rather_than_settled_by_dropping_a_copy(
    dataset,
):
    conflict = claim("label-conflict", "d.jpg", scope="pair", related="c.jpg", severity="error")
    plan = clean(audit_of(dataset, near_claim("d.jpg", "c.jpg"), conflict), drop=["near-duplicate"])
    assert actions(plan) == {"c.jpg": "review", "d.jpg": "review"}
    assert actions(clean(audit_of(dataset, conflict), drop=["label-conflict"])) == {"d.jpg": "drop"}


def test_a_useless_file_is_dropped_whatever_its_label(dataset):
    conflict = claim("label-conflict", "d.jpg", scope="pair", related="c.jpg", severity="error")
    plan = clean(
        audit_of(
            dataset, conflict, claim("unreadable", "d.jpg", suggestion="drop", severity="error")
        )
    )
    assert actions(plan) == {"c.jpg": "review", "d.jpg": "drop"}


def test_two_suggested_labels_are_a_review_and_one_of_a_class_reaches_all_its_samples(dataset):
    two = [
        claim("label-spelling", "f.jpg", suggestion="relabel", value=value)
        for value in ("dog", "cat")
    ]
    assert actions(clean(audit_of(dataset, *two), relabel=True)) == {"f.jpg": "review"}
    whole = claim("label-spelling", "dog", scope="class", suggestion="relabel", value="Dog")
    assert actions(clean(audit_of(dataset, whole))) == {"d.jpg": "review", "e.jpg": "review"}
    assert actions(clean(audit_of(dataset, whole), relabel=True)) == {
        "d.jpg": "relabel",
        "e.jpg": "relabel",
    }


def test_to_drop_a_row_of_the_manifest_is_not_to_drop_its_sample(dataset):
    rows = claim("duplicate-row", "a.jpg", scope="record", suggestion="drop")
    assert len(clean(audit_of(dataset, rows), drop_at_confidence=0.0)) == 0


def test_confidence_decides_what_is_taken_over(dataset):
    audit = audit_of(
        dataset,
        copy_claim("b.jpg", "a.jpg", confidence=0.7),
        near_claim("d.jpg", "e.jpg", confidence=0.9),
        claim("wrong-label", "f.jpg", suggestion="relabel", value="dog", confidence=0.85),
    )
    assert actions(clean(audit, relabel=True)) == {
        "f.jpg": "relabel",
        "b.jpg": "review",
        "d.jpg": "review",
    }
    assert actions(clean(audit, relabel=True, min_confidence=0.9)) == {
        "b.jpg": "review",
        "d.jpg": "review",
        "f.jpg": "review",
    }
    assert actions(clean(audit, min_confidence=0.6))["b.jpg"] == "drop"
    assert actions(clean(audit, drop_at_confidence=0.9)) == {
        "d.jpg": "drop",
        "b.jpg": "review",
        "f.jpg": "review",
        "e.jpg": "keep",
    }
    assert actions(clean(audit, drop_at_confidence=0.95))["d.jpg"] == "review"


def test_options_overrule_what_checks_suggest(dataset):
    audit = audit_of(
        dataset,
        claim("dark", "a.jpg"),
        claim("unreadable", "b.jpg", suggestion="drop"),
        claim("blurry", "c.jpg"),
    )
    plan = clean(audit, drop=["dark"], review=["unreadable"], keep=["blurry"])
    assert actions(plan) == {"a.jpg": "drop", "b.jpg": "review"}
    assert plan.options == {
        "drop": ("dark",),
        "review": ("unreadable",),
        "keep": ("blurry",),
        "relabel": False,
        "drop_at_confidence": None,
        "min_confidence": 0.8,
        "test": False,
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"drop": ["drak"]}, "Did you mean 'dark'"),
        ({"drop": ["dark"], "keep": ["dark"]}, "more than one"),
        ({"min_confidence": 2.0}, r"min_confidence: expected a value in \[0, 1\]"),
        ({"drop_at_confidence": -1.0}, r"drop_at_confidence: expected a value in \[0, 1\]"),
    ],
)
def test_bad_options_are_refused(dataset, options, says):
    with pytest.raises(OptionError, match=says):
        clean(audit_of(dataset), **options)


def test_the_last_of_a_class_stays(dataset):
    plan = clean(audit_of(dataset, claim("unreadable", "f.jpg", suggestion="drop")))
    assert actions(plan) == {"f.jpg": "review"}
    assert reasons(plan)["f.jpg"].startswith("the last of class 'Dog' stays; unreadable: ")
    assert plan.warnings == ()
    dogs = [claim("dark", name) for name in ("d.jpg", "e.jpg")]
    assert sorted(actions(clean(audit_of(dataset, *dogs), drop=["dark"])).values()) == [
        "drop",
        "review",
    ]
    away = claim("label-spelling", "d.jpg", suggestion="relabel", value="cat")
    assert actions(clean(audit_of(dataset, away, dogs[1]), drop=["dark"], relabel=True)) == {
        "d.jpg": "relabel",
        "e.jpg": "review",
    }


def test_the_last_of_a_class_in_its_split_stays(dataset):
    parts = dataset.assign(split=["train", "val", "val", "train", "train", "train"])
    plan = clean(audit_of(parts, copy_claim("b.jpg", "a.jpg")))
    assert reasons(plan)["a.jpg"].startswith(
        "the last of class 'cat' in train stays; exact-duplicate of b.jpg: "
    )


def test_a_class_that_is_relabelled_away_is_no_warning(dataset):
    spelling = claim("label-spelling", "Dog", scope="class", suggestion="relabel", value="dog")
    plan = clean(audit_of(dataset, spelling), relabel=True)
    assert actions(plan) == {"f.jpg": "relabel"}
    assert plan.warnings == ()


def test_several_labels_of_one_sample_are_classes_each(dataset):
    several = replace(
        dataset.assign(label=["x|y", "x", "y|z", "x", "y", "x"]),
        task="multi-label",
        classes=("x", "y", "z"),
    )
    plan = clean(
        audit_of(
            several, *(claim("unreadable", name, suggestion="drop") for name in ("a.jpg", "c.jpg"))
        )
    )
    assert actions(plan) == {"a.jpg": "drop", "c.jpg": "review"}
    assert "the last of class 'z'" in reasons(plan)["c.jpg"]


@pytest.fixture
def parted(dataset):
    """a, b and c in train, d in val, e and f in test; all of one class."""
    return dataset.assign(label="cat", split=["train", "train", "train", "val", "test", "test"])


def test_the_copy_in_test_stays_whichever_the_check_would_keep(parted):
    plan = clean(audit_of(parted, copy_claim("e.jpg", "a.jpg"), copy_claim("d.jpg", "a.jpg")))
    assert actions(plan) == {
        "a.jpg": "drop",
        "d.jpg": "review",
        "e.jpg": "keep",
    }  # d is the only one in val
    assert reasons(plan)["a.jpg"].startswith("exact-duplicate of e.jpg: ")
    assert plan.left_in_test == 0
    assert actions(clean(audit_of(parted, copy_claim("d.jpg", "a.jpg")))) == {
        "a.jpg": "drop",
        "d.jpg": "keep",
    }


def test_a_leak_that_the_plan_ends_is_not_left_to_review(parted):
    leak = claim(
        "split-leakage", "e.jpg", scope="pair", related="a.jpg", severity="error", suggestion="drop"
    )
    assert actions(clean(audit_of(parted, copy_claim("e.jpg", "a.jpg"), leak))) == {
        "a.jpg": "drop",
        "e.jpg": "keep",
    }


def test_nothing_in_test_is_changed_unless_asked(parted):
    broken = claim("unreadable", "e.jpg", suggestion="drop", severity="error")
    wrong = [
        claim("wrong-label", name, suggestion="relabel", value="dog") for name in ("a.jpg", "f.jpg")
    ]
    plan = clean(audit_of(parted, broken, copy_claim("f.jpg", "b.jpg"), *wrong), relabel=True)
    assert actions(plan) == {
        "a.jpg": "relabel",
        "b.jpg": "drop",
        "e.jpg": "review",
        "f.jpg": "review",
    }
    assert plan.left_in_test == 2
    assert reasons(plan)["e.jpg"].startswith("in test, so it is left as it is; unreadable: ")
    asked = clean(audit_of(parted, broken, *wrong[:1]), relabel=True, test=True)
    assert actions(asked) == {"a.jpg": "relabel", "e.jpg": "drop"}
    assert asked.left_in_test == 0
    assert actions(clean(audit_of(parted, *wrong), relabel=True, test=True)) == {
        "a.jpg": "relabel",
        "f.jpg": "relabel",
    }


def test_copies_within_test_are_left_unless_asked(parted):
    audit = audit_of(parted, copy_claim("f.jpg", "e.jpg"), copy_claim("b.jpg", "f.jpg"))
    plan = clean(audit)
    assert actions(plan) == {"b.jpg": "drop", "f.jpg": "review", "e.jpg": "keep"}
    assert plan.left_in_test == 1
    assert actions(clean(audit, test=True)) == {"b.jpg": "drop", "f.jpg": "drop", "e.jpg": "keep"}


def test_edits_count_in_test_too(parted):
    plan = clean(
        audit_of(parted, claim("unreadable", "e.jpg", suggestion="drop", severity="error"))
    )
    edited = replace(plan, table=plan.table.assign(action="drop"))
    again = clean(
        audit_of(parted, claim("unreadable", "e.jpg", suggestion="drop", severity="error")),
        edits=edited,
    )
    assert actions(again) == {"e.jpg": "drop"}
    assert again.left_in_test == 0


def test_a_class_renamed_but_not_in_test_is_a_warning(dataset):
    parts = dataset.assign(
        label=["cat", "cat", "Cat", "Cat", "Cat", "cat"],
        split=["train", "train", "train", "train", "test", "test"],
    )
    whole = claim("label-spelling", "Cat", scope="class", suggestion="relabel", value="cat")
    plan = clean(audit_of(parts, whole), relabel=True)
    assert plan.warnings == (
        "a class is renamed, but not the 1 of its samples that are in test: --test renames them "
        "too",
    )
    assert clean(audit_of(parts, whole), relabel=True, test=True).warnings == ()
    assert clean(audit_of(parts, whole)).warnings == ()


def test_reasons_name_the_other_side(dataset):
    conflict = claim("label-conflict", "d.jpg", scope="pair", related="c.jpg", severity="error")
    found = reasons(clean(audit_of(dataset, near_claim("b.jpg", "a.jpg"), conflict)))
    assert found["b.jpg"].startswith("near-duplicate of a.jpg: ")
    assert found["c.jpg"].startswith("label-conflict with d.jpg: ")
    assert found["d.jpg"].startswith("label-conflict: ")


def test_edits_are_carried_over_and_refused_for_other_data(dataset):
    audit = audit_of(dataset, claim("dark", "a.jpg"), claim("blurry", "b.jpg"))
    first = clean(audit)
    edited = replace(first, table=first.table.assign(action=["drop", "review"]))
    again = clean(audit, drop=["blurry"], edits=edited)
    assert actions(again) == {"a.jpg": "drop", "b.jpg": "drop"}
    assert list(again.edited["sample"]) == ["a.jpg"]
    other = audit_of(
        dataset.assign(file_hash="new"), claim("dark", "a.jpg"), claim("blurry", "b.jpg")
    )
    with pytest.raises(FingerprintError, match="the contents of files changed"):
        clean(other, edits=edited)
    assert actions(clean(other, edits=first)) == {"a.jpg": "review", "b.jpg": "review"}


def test_an_edit_that_empties_a_class_is_a_warning(dataset):
    audit = audit_of(dataset, claim("dark", "f.jpg"))
    first = clean(audit)
    plan = clean(audit, edits=replace(first, table=first.table.assign(action="drop")))
    assert plan.warnings == (
        "class 'Dog' would be left empty: none of its 1 samples is kept under it",
    )
