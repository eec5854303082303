"""The proof of a split says what looks like groups and is torn; never that nothing leaks while
it is.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import dataprep
from dataprep.cli import app
from dataprep.ingest.grouping import grouped
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.results.proof import Proof
from dataprep.schemas.results.records import as_json, from_json
from dataprep.splits.console import lines_of
from dataprep.splits.page import draw_proof
from dataprep.splits.splitter import LeakFreeSplit
from dataprep.splits.splitting import split
from dataprep.splits.summary import verdict
from tests.conftest import save, textured


def made(paths, labels, **columns):
    table = pd.DataFrame(
        {"label": pd.Categorical(labels), **columns},
        index=pd.Index(paths, name="sample", dtype="str"),
    )
    return Audit(
        Dataset("/nowhere", table, "classification", tuple(sorted(set(labels)))), Issues.collect([])
    )


def divided(audit, **options):
    return split(audit, tests=False, **options)


FOLDERS = made(
    [f"{c}/P{p}{c}/{k}.png" for c in "ab" for p in range(8) for k in range(5)],
    list("a" * 40 + "b" * 40),
)
TRACKS = made(
    [f"{c}/{t:05d}_{f:05d}.ppm" for c in "ab" for t in range(10) for f in range(6)],
    list("a" * 60 + "b" * 60),
)
LESIONS = made(
    [f"{k}.jpg" for k in range(80)],
    ["xyz"[k // 2 % 3] for k in range(80)],
    lesion_id=[f"L{k // 2}" for k in range(80)],
)
CASES = {
    "folders": (FOLDERS, "folder", "folders below the classes", "--group-by folder"),
    "tracks": (TRACKS, "name", "parts of file names", "--group-by '([^/]+/[^/_]+)_[^/]*$'"),
    "column": (LESIONS, "column", "values of 'lesion_id'", "--group lesion_id"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("options", [{}, {"folds": 4}, {"repeats": 2}], ids=str)
def test_torn_candidates_are_in_the_verdict(name, options):
    audit, kind, words, option = CASES[name]
    proof = divided(audit, **options).proof
    (said,) = proof.possible_groups
    assert (said.kind, said.option) == (kind, option)
    assert 0 < said.torn <= said.groups
    told = verdict(proof)
    assert told["level"] == "warning"
    assert (
        f"no known leakage, but {said.torn} of {said.groups} {words} lie in several parts"
        in told["title"]
    )
    assert option in told["text"]
    text = " ".join(f"{told['title']} {told['text']}".split())
    assert "no leakage" not in text
    assert from_json(Proof, json.loads(json.dumps(as_json(proof)))) == proof


def test_terminal_and_page_say_it_too():
    made_split = divided(FOLDERS)
    terminal = " ".join(" ".join(line for line, _ in lines_of(made_split)).split())
    page = re.sub(r"\s+", " ", draw_proof(made_split))
    for text in (terminal, page):
        assert "no known leakage, but" in text
        assert "possible groups, not kept together: 16 folders below the classes" in text
        assert "no leakage" not in text


def test_torn_is_counted_as_it_is():
    made_split = divided(LESIONS)
    part = made_split.dataset.samples["split"].astype("str")
    torn = int((part.groupby(LESIONS.dataset.samples["lesion_id"]).nunique() > 1).sum())
    assert made_split.proof.possible_groups[0].torn == torn > 0
    assert made_split.proof.possible_groups[0].samples == 2 * torn


def test_groups_that_are_given_end_it():
    kept = divided(replace(FOLDERS, dataset=grouped(FOLDERS.dataset, "folder"))).proof
    assert [each.torn for each in kept.possible_groups] in ([], [0])
    assert "no leakage" in verdict(kept)["title"]
    kept = divided(LESIONS, group="lesion_id").proof
    assert kept.possible_groups == ()
    assert "3 parts, no leakage" in verdict(kept)["title"]


def test_who_skips_the_check_is_not_asked_again():
    audit = replace(FOLDERS, run={"options": {"skip": ["possible-groups"]}})
    assert divided(audit).proof.possible_groups == ()


@pytest.mark.parametrize(
    "evidence",
    [{}, {"by": "regex", "value": "(", "kind": "name"}, {"by": "x", "value": "", "kind": "name"}],
)
def test_claims_that_tell_no_grouping_are_passed_over(evidence):
    claim = batch("possible-groups", "fact", "dataset", [""], evidence=evidence)
    assert divided(replace(FOLDERS, issues=Issues.collect([claim]))).proof.possible_groups == ()


def test_folds_for_scikit_learn_keep_the_groups_of_a_data_set():
    dataset = grouped(FOLDERS.dataset, "folder")
    groups = dataset.samples["group"].astype("str").to_numpy()
    for train, test in LeakFreeSplit(4).split(dataset):
        assert not set(groups[train]) & set(groups[test])


def test_a_folder_of_patients_from_the_command(tmp_path):
    for number, (label, patient, k) in enumerate(np.ndindex(2, 6, 3)):
        save(
            textured(number, 40, 32),
            tmp_path / "in" / "ab"[label] / f"P{patient}{'ab'[label]}" / f"{k}.png",
        )
    run = lambda *more: CliRunner().invoke(  # noqa: E731
        app,
        [
            "split",
            str(tmp_path / "in"),
            "--no-embedding",
            "-q",
            "--out",
            str(tmp_path / "out"),
            *more,
        ],
    )
    done = run()
    assert done.exit_code == 0, done.output
    assert "12 folders below the classes lie in several parts" in done.output
    done = run("--group-by", "folder")
    assert done.exit_code == 0, done.output
    assert "3 parts, no leakage" in done.output
    rows = list(csv.DictReader((tmp_path / "out/split/splits.csv").open()))
    assert {row["group"] for row in rows} == {f"P{p}{c}" for p in range(6) for c in "ab"}
    assert len({(row["group"], row["split"]) for row in rows}) == 12
    again = dataprep.scan(tmp_path / "in", group_by="folder")
    assert again.notes[-1] == "Groups by folder below the class: 12 groups, 12 of several samples."
