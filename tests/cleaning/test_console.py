"""A plan on the terminal."""

from __future__ import annotations

from dataclasses import replace

from dataprep.cleaning import clean
from dataprep.cleaning.console import lines_of
from tests.cleaning.conftest import audit_of, claim, copy_claim


def shown(plan, dataset):
    return [line for line, _ in lines_of(plan, dataset)]


def test_changes_are_grouped_by_action_and_check_with_names_and_labels(dataset):
    audit = audit_of(
        dataset,
        claim("unreadable", "a.jpg", suggestion="drop"),
        copy_claim("b.jpg", "c.jpg"),
        claim("label-spelling", "f.jpg", scope="record", suggestion="relabel", value="dog"),
        claim("dark", "d.jpg"),
        claim("blurry", "d.jpg"),
        claim("dark", "e.jpg"),
    )
    assert shown(clean(audit, relabel=True), dataset)[1:] == [
        "",
        "DROP  2 images: left out of the result; the files stay where they are",
        "  exact-duplicate       1  b.jpg",
        "  unreadable            1  a.jpg",
        "",
        "RELABEL  1 image: under another label in the result",
        "  label-spelling       1  f.jpg (Dog → dog)",
        "",
        "TO REVIEW  2 images: unchanged until you decide",
        "  dark         2  d.jpg, e.jpg",
        "  blurry       1  d.jpg",
    ]


def test_where_nothing_is_changed_that_is_said_and_what_is_left_is_counted(dataset):
    rows = [claim("dark", name) for name in dataset.samples.index]
    text = shown(clean(audit_of(dataset, *rows)), dataset)
    assert "✓ Nothing would be dropped or relabelled" in text
    assert text[-1] == "  dark       6  a.jpg, b.jpg, c.jpg, ..."


def test_edits_are_named_as_such_and_test_is_counted(dataset):
    tested = dataset.assign(split="test")
    plan = clean(
        audit_of(tested, claim("unreadable", "a.jpg", suggestion="drop"), claim("dark", "b.jpg"))
    )
    edited = plan.table.set_index("sample")
    edited.loc["b.jpg", ["action", "source"]] = ["drop", "dark,edit"]
    text = shown(replace(plan, table=edited.reset_index()), tested)
    assert "  your edits       1  b.jpg" in text
    assert text[-1] == "Unchanged because they are in test: 1 (--test changes them too)"


def test_lines_fit_and_cannot_command_the_terminal(dataset):
    names = ["x" * 200 + ".jpg", "red\x1b[31m.jpg", *dataset.samples.index[2:]]
    odd = replace(dataset, samples=dataset.samples.set_axis(names, axis=0).rename_axis("sample"))
    text = shown(clean(audit_of(odd, *(claim("dark", name) for name in names))), odd)
    assert all(len(line) <= 80 for line in text)
    assert not any("\x1b" in line for line in text)
