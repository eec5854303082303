"""Properties of every plan: what is dropped by default, and what never is, whatever checks may
claim.
"""

from __future__ import annotations

from collections import Counter

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.cleaning import clean
from dataprep.cleaning.copies import connected
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import SEVERITIES, SUGGESTIONS, batch
from tests.cleaning.conftest import audit_of, claim

SAMPLES = [f"{number}.jpg" for number in range(9)]
NAMES = st.sampled_from(SAMPLES)
CHECKS = st.sampled_from(
    [
        *["unreadable", "exact-duplicate"] * 5,
        "near-duplicate",
        "another-shot",
        "split-leakage",
        "label-conflict",
        "conflicting-rows",
        "wrong-label",
        "trigger",
        "low-information",
        "label-spelling",
        "a-plug-in",
    ]
)


@st.composite
def datasets(draw) -> Dataset:
    """Nine samples with labels and parts, some of them missing."""
    labels = draw(
        st.lists(st.sampled_from(["cat", "cat", "cat", "dog", None]), min_size=9, max_size=9)
    )
    parts = draw(
        st.lists(
            st.sampled_from(["train", "train", "train", "test", "Testing", "val", None]),
            min_size=9,
            max_size=9,
        )
    )
    table = pd.DataFrame(
        {"label": labels, "split": parts},
        index=pd.Index(SAMPLES, name="sample", dtype="str"),
        dtype=object,
    )
    with_split = draw(st.booleans())
    return Dataset(
        "images", table if with_split else table[["label"]], "classification", ("cat", "dog")
    )


@st.composite
def claims(draw) -> pd.DataFrame:
    """A claim that a check, known or not, sensible or not, might make; copies and unreadable
    files as their checks claim them.
    """
    check, target, other = draw(CHECKS), draw(NAMES), draw(NAMES)
    confidence = draw(st.sampled_from([1.0, 1.0, 0.9, 0.5, 0.0]))
    if check == "unreadable":
        return claim(check, target, severity="error", suggestion="drop", confidence=confidence)
    if check == "exact-duplicate":
        related = other if other != target else SAMPLES[SAMPLES.index(target) - 1]
        return claim(
            check, target, scope="pair", related=related, suggestion="drop", confidence=confidence
        )
    scope = draw(st.sampled_from(["sample", "pair", "record"]))
    related = other if scope == "pair" and other != target else ""
    return claim(
        check,
        target,
        severity=draw(st.sampled_from(SEVERITIES)),
        scope=scope,
        related=related,
        confidence=confidence,
        suggestion=draw(st.sampled_from(SUGGESTIONS)),
        value=draw(st.sampled_from(["", "cat", "dog"])),
    )


AUDITS = st.builds(
    lambda dataset, found: audit_of(dataset, *found),
    datasets(),
    st.lists(claims(), min_size=1, max_size=12),
)
OPTIONS = st.fixed_dictionaries(
    {
        "relabel": st.booleans(),
        "drop_at_confidence": st.sampled_from([None, 0.0, 0.5]),
        "drop": st.lists(
            st.sampled_from(["near-duplicate", "split-leakage", "low-information", "wrong-label"]),
            unique=True,
        ),
    }
)


def actions_of(plan) -> dict[str, str]:
    return dict(zip(plan.table["sample"], plan.table["action"], strict=True))


def in_test(dataset: Dataset) -> set[str]:
    if "split" not in dataset.samples:
        return set()
    return set(dataset.samples.index[dataset.samples["split"].isin(["test", "Testing"])])


def exact_groups(audit) -> list[set[str]]:
    table = audit.issues.of("exact-duplicate").table
    table = table[table["confidence"] >= 0.8]
    return connected(zip(table["target"], table["related"], strict=True))


def sizes(dataset: Dataset, without: set[str] = frozenset()) -> Counter:
    """(part, class) to the number of samples."""
    rows = dataset.samples[~dataset.samples.index.isin(without)]
    parts = rows["split"] if "split" in rows else pd.Series("", index=rows.index)
    return Counter(
        (part, label)
        for part, label in zip(parts.fillna(""), rows["label"], strict=True)
        if pd.notna(label)
    )


@settings(deadline=None, max_examples=30)
@given(audit=AUDITS)
def test_by_default_nothing_is_lost(audit):
    plan = clean(audit)
    dataset, table = audit.dataset, audit.issues.table
    actions = actions_of(plan)
    dropped = {sample for sample, action in actions.items() if action == "drop"}
    assert "relabel" not in actions.values()
    broken = set(table.loc[table["check"] == "unreadable", "target"])
    groups = exact_groups(audit)
    for sample in dropped - broken:
        left = next(group for group in groups if sample in group) - dropped - broken
        assert left, f"no copy of {sample} is left"
        labels = set(dataset.samples["label"].reindex(sorted(left)).dropna())
        own = dataset.samples["label"][sample]
        assert pd.isna(own) or labels == {own}, f"the label of {sample} is lost or contradicted"
    for group in groups:
        assert group - dropped or group <= broken, "nothing is left of a group of copies"
    assert not dropped & in_test(dataset)
    assert set(sizes(dataset)) == set(sizes(dataset, dropped)), "a class lost its last sample"
    assert not plan.warnings


@settings(deadline=None, max_examples=30)
@given(audit=AUDITS, options=OPTIONS)
def test_whatever_is_asked_for_test_is_left_and_no_class_is_dropped_whole(audit, options):
    plan, default = clean(audit, **options), clean(audit)
    dataset, actions = audit.dataset, actions_of(plan)
    changed = {sample for sample, action in actions.items() if action in ("drop", "relabel")}
    assert not changed & in_test(dataset)
    assert plan.left_in_test >= default.left_in_test
    samples = dataset.samples.index
    new = dict(zip(plan.table["sample"], plan.table["new_label"], strict=True))
    kept = [sample for sample in samples if actions.get(sample) != "drop"]
    labels = {
        new[sample] if actions.get(sample) == "relabel" else dataset.samples["label"][sample]
        for sample in kept
    }
    renamed = {
        dataset.samples["label"][sample] for sample in changed if actions[sample] == "relabel"
    }
    assert set(dataset.samples["label"].dropna()) <= labels | renamed


@settings(deadline=None, max_examples=20)
@given(
    pairs=st.lists(st.tuples(NAMES, NAMES), max_size=12),
    faulty=st.sets(NAMES),
    check=st.sampled_from(["exact", "near"]),
)
def test_every_group_of_copies_keeps_a_member(pairs, faulty, check):
    samples = pd.DataFrame({"label": "cat"}, index=pd.Index(SAMPLES, name="sample", dtype="str"))
    copies = [(target, kept) for target, kept in pairs if target != kept]
    code = f"{check}-duplicate"
    found = [
        batch(
            code,
            "warning",
            "pair",
            [a for a, _ in copies],
            related=[b for _, b in copies],
            suggestion="drop",
        ),
        batch("low-information", "warning", "sample", sorted(faulty), suggestion="drop"),
    ]
    plan = clean(audit_of(Dataset("images", samples), *found), drop=[code, "low-information"])
    left = set(SAMPLES) - {
        sample for sample, action in actions_of(plan).items() if action == "drop"
    }
    assert left
    for group in connected(copies):
        assert group & left or group <= faulty, f"nothing is left of {group}"


@settings(deadline=None, max_examples=20)
@given(pairs=st.lists(st.tuples(NAMES, NAMES), max_size=12), tested=st.sets(NAMES))
def test_copies_of_one_label_leave_one_of_each_group_and_the_whole_of_test(pairs, tested):
    parts = ["test" if name in tested else "train" for name in SAMPLES]
    table = pd.DataFrame({"split": parts}, index=pd.Index(SAMPLES, name="sample", dtype="str"))
    copies = [(target, kept) for target, kept in pairs if target != kept]
    found = batch(
        "exact-duplicate",
        "warning",
        "pair",
        [a for a, _ in copies],
        related=[b for _, b in copies],
        suggestion="drop",
    )
    actions = actions_of(clean(audit_of(Dataset("images", table), found)))
    for group in connected(copies):
        left = {sample for sample in group if actions.get(sample) != "drop"}
        assert left == group & tested if group & tested else len(left) == 1
