"""Faults of the records as claims, from a folder and a manifest to the message."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dataprep
from dataprep import registry
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of

RECORDS = (
    "missing-file",
    "unlisted-file",
    "duplicate-row",
    "conflicting-rows",
    "empty-label",
    "label-spelling",
    "unknown-split",
    "unreadable-folder",
    "malformed-row",
)


def claims(code: str, dataset: Dataset) -> pd.DataFrame:
    batches = list(registry.load("dataprep.checks", code)().find(dataset, None))
    return pd.concat(batches) if batches else pd.DataFrame()


def message(code: str, claim: pd.Series) -> str:
    known = {
        key: claim[key] for key in ("figure", "unit", "target", "related", "value")
    } | evidence_of(claim["evidence"])
    return registry.load("dataprep.checks", code).message.format(**known)


@pytest.fixture
def faulty(tmp_path) -> Dataset:
    (tmp_path / "images").mkdir()
    for i in range(9):
        (tmp_path / "images" / f"{i}.jpg").write_bytes(b"x")
    rows = [
        "0.jpg,cat,train",
        "1.jpg,cat,train",
        "2.jpg,cat,tset",
        "3.jpg,cta,train",
        "4.jpg,,train",
        "0.jpg,dog,train",
        "1.jpg,cat,train",
        "gone.jpg,cat,train",
        "5.jpg,cat,train,x",
        "6.jpg,cat,train",
        "7.jpg,dog,train",
    ]
    (tmp_path / "labels.csv").write_text("path,label,split\n" + "\n".join(rows))
    dataset = dataprep.scan(tmp_path / "images", manifest=tmp_path / "labels.csv")
    folder = dataset.faults.iloc[:1].assign(
        check="unreadable-folder", target="locked", evidence='{"why":"Permission denied"}'
    )
    return dataclasses.replace(
        dataset, faults=pd.concat([dataset.faults, folder], ignore_index=True)
    )


@pytest.mark.parametrize(
    ("code", "target", "location", "says"),
    [
        (
            "missing-file",
            "gone.jpg",
            "labels.csv:9",
            "gone.jpg is listed, and there is no such file",
        ),
        ("unlisted-file", "8.jpg", "labels.csv", "8.jpg is in the folder but not in the manifest"),
        ("duplicate-row", "1.jpg", "labels.csv:8", "1.jpg is listed again, first in labels.csv:3"),
        (
            "conflicting-rows",
            "0.jpg",
            "labels.csv:7",
            "0.jpg is listed as label 'cat' and 'dog', first in labels.csv:2",
        ),
        ("empty-label", "4.jpg", "labels.csv:6", "4.jpg has no label: the cell is empty"),
        (
            "label-spelling",
            "cta",
            "labels.csv:5",
            "the label 'cta' (samples: 1) is probably another spelling of 'cat' (6): letters "
            "swapped",
        ),
        (
            "unknown-split",
            "tset",
            "labels.csv:4",
            "the split 'tset' (samples: 1) is neither train, val, test nor a fold",
        ),
        (
            "unreadable-folder",
            "locked",
            "labels.csv:10",
            "locked could not be listed: Permission denied",
        ),
        (
            "malformed-row",
            "row 10",
            "labels.csv:10",
            "row 10 could not be read: 4 cells where the header has 3",
        ),
    ],
)
def test_every_fault_is_one_claim_of_its_check(faulty, code, target, location, says):
    found = claims(code, faulty)
    assert found[["target", "location"]].values.tolist() == [[target, location]]
    assert message(code, found.iloc[0]) == says


def test_spelling_suggests_the_label_and_says_how_sure_it_is(faulty):
    claim = claims("label-spelling", faulty).iloc[0]
    assert (claim["scope"], claim["suggestion"], claim["value"]) == ("class", "relabel", "cat")
    assert claim["confidence"] == pytest.approx(0.9)


@pytest.mark.parametrize("code", RECORDS)
def test_good_records_give_no_claims(tmp_path, code):
    for name in ("train/cat/1.jpg", "train/dog/2.jpg", "test/cat/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert not len(claims(code, dataprep.scan(tmp_path)))
    assert not len(claims(code, Dataset("made-up", pd.DataFrame())))


def test_masks_that_a_scan_left_out_are_one_claim_with_their_names(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(8):
        Image.fromarray(rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)).save(
            tmp_path / f"{i}.jpg"
        )
        Image.fromarray(
            np.repeat(np.arange(2, dtype=np.uint8), [20, 20])[None].repeat(30, axis=0)
        ).save(tmp_path / f"{i}.png")
    found = claims("mask-beside-image", dataprep.scan(tmp_path))
    (claim,) = (row for _, row in found.iterrows())
    assert (claim["scope"], claim["severity"], claim["figure"], claim["suggestion"]) == (
        "dataset",
        "fact",
        8,
        "none",
    )
    expected = (
        "8 files are masks of the pictures beside them, such as 0.png: it has the name of "
        "0.jpg, beside it"
    )
    assert message("mask-beside-image", claim) == expected
    assert evidence_of(claim["evidence"])["files"] == [f"{i}.png" for i in range(8)]
    assert not len(claims("mask-beside-image", dataprep.scan(tmp_path, masks="keep")))
