"""Anonymised reports: no original name survives in any byte."""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import parquet

from dataprep.reports import report
from dataprep.reports.audit.pseudonyms import anonymise
from dataprep.reports.messages import read_evidence
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.identity import issue_ids
from dataprep.schemas.issues import Issues
from tests.reports.audit.conftest import (
    CHECKS,
    ClassImbalance,
    ConflictingRows,
    Dark,
    NearDuplicate,
)

SECRET = "zqxsecret"


def secretive() -> Audit:
    """An audit in which every text that a user could have written holds the secret."""
    n = 6
    names = [f"{SECRET}folder/{SECRET}{i}.jpg" for i in range(n)]
    samples = pd.DataFrame(
        {
            "label": pd.Categorical([f"{SECRET}cat", f"{SECRET}dog"] * 3),
            "split": pd.Categorical(["train", "test", f"{SECRET}split"] * 2),
            "group": [f"{SECRET}patient{i % 2}" for i in range(n)],
            "file_hash": [f"{i:032x}" for i in (1, 1, 2, 3, 4)] + [""],
            "lost": ["", "", "", "", "", "unreadable"],
            "lost_detail": [f"{SECRET} cannot be opened"] * n,
            "extension": [f"{SECRET}jpg"] * n,
            "camera": [f"{SECRET} camera"] * n,
            "captured_at": [f"2020-{SECRET}"] * n,
            "width": 10,
            "luma_p99": 0.5,
            f"{SECRET}column": SECRET,
        },
        index=pd.Index(names, name="sample"),
    )
    evidence = [
        {
            "relation": "mirrored",
            "label": f"{SECRET}cat",
            "note": f"see {SECRET}",
            "counts": {f"{SECRET}dog": 3},
            "list": [SECRET],
        }
    ]
    claims = [
        Dark().claims(
            names[:2], evidence={"threshold": 0.2}, value=f"{SECRET}cat", group=f"{SECRET}group"
        ),
        NearDuplicate().claims([names[1]], related=[names[0]], evidence=evidence),
        ClassImbalance().claims(
            [f"{SECRET}cat"], evidence={"ratio": 2.0, "largest": f"{SECRET}dog"}
        ),
        ConflictingRows().claims(
            [f"{SECRET}/gone.jpg", "row 4"],
            location=[f"{SECRET}.csv:17", f"{SECRET}.csv, row 4"],
            evidence={"labels": f"{SECRET}cat and {SECRET}dog"},
        ),
    ]
    dataset = Dataset(
        f"/home/{SECRET}/images",
        samples,
        "classification",
        (f"{SECRET}cat", f"{SECRET}dog"),
        ignored={f"{SECRET}.db": 1},
    )
    passing = {"jobs": 1, "cache_dir": f"/home/{SECRET}"}
    run = {
        "root": dataset.root,
        "fingerprint": dataset.fingerprint,
        "finished_at": "2030-01-01T00:00:00+00:00",
        "options": {
            "only": [SECRET],
            "config": SECRET,
            "pass": passing,
            "checks": {"dark": {"threshold": 0.2}},
        },
    }
    skipped = {"blurry": f"failed: KeyError: {SECRET}"}
    return Audit(
        dataset,
        Issues.collect(claims),
        skipped,
        (*CHECKS[:-3], replace(CHECKS[-3], threshold=0.3)),
        run,
    )


def everything(folder: Path) -> dict[str, str]:
    """Every file of a report as text, with what is compressed inside unpacked."""
    texts = {path.name: path.read_bytes().decode("utf-8", "replace") for path in folder.iterdir()}
    table = parquet.read_table(folder / "samples.parquet")
    texts["samples.parquet"] += str(table.schema) + table.to_pandas().to_csv()
    packed = re.findall(r'id="(?:claims|map-data)">([^<]*)<', texts["report.html"])
    assert packed
    texts["report.html"] += "".join(
        gzip.decompress(base64.b64decode(part)).decode() for part in packed
    )
    return texts


def test_no_original_name_survives_in_any_file(tmp_path: Path) -> None:
    report(secretive(), tmp_path / "plain", thumbnails=False)
    report(secretive(), tmp_path / "anonymous", anonymise=True)
    for name, text in everything(tmp_path / "plain").items():
        assert name in (".dataprep-out",) or SECRET in text, f"{name} would not show a leak"
    for name, text in everything(tmp_path / "anonymous").items():
        assert SECRET not in text.lower(), name
        assert base64.b64encode(SECRET.encode()).decode() not in text


def test_evidence_keeps_its_form_without_names_and_pixels() -> None:
    one = secretive()
    given = {
        "neighbours": one.dataset.samples.index[:2].tolist(),
        "what": f"brightness gives '{SECRET}cat' and {SECRET}dog away: '{SECRET}'",
        "text": f"3 of 6 in {SECRET}split, 2 of {SECRET}patient1, are {SECRET}cat",
        "histogram": {
            "edges": [0, 1],
            "series": {f"{SECRET}cat": [1], "the others": [2]},
            "label": "luma_mean",
            "categories": [f"{SECRET}dog"],
        },
        "patch": {
            "pixels": [[[1, 2, 3]]],
            "place": "top left corner",
            "carriers": [one.dataset.samples.index[0]],
        },
        "curve": {"x": [1, 2], "y": [1, 2], "x_label": "images"},
        "matrix": {"classes": [f"{SECRET}cat", f"{SECRET}dog"], "rows": [[1, 0], [0, 1]]},
    }
    table = Issues.collect([Dark().claims(one.dataset.samples.index[:1], evidence=given)])
    text = anonymise(replace(one, issues=table)).issues.table["evidence"].iloc[0]
    assert SECRET not in text
    hidden = read_evidence(text)
    assert hidden["histogram"] == {
        "edges": [0, 1],
        "series": {"class-01": [1], "the others": [2]},
        "label": "luma_mean",
        "categories": ["class-02"],
    }
    assert hidden["patch"]["place"] == "top left corner"
    assert "pixels" not in hidden["patch"]
    assert hidden["patch"]["carriers"] == hidden["neighbours"][:1]
    assert hidden["curve"] == given["curve"]
    assert hidden["matrix"]["classes"] == ["class-01", "class-02"]
    assert hidden["text"] == "3 of 6 in split-01, 2 of group-02, are class-01"
    assert hidden["what"].startswith("brightness gives 'class-01' and class-02 away: 'name-")


def test_no_name_survives_in_the_feature_map(tmp_path: Path) -> None:
    one = secretive()
    many = pd.concat([one.dataset.samples] * 4)
    many.index = pd.Index([f"{SECRET}{i}.jpg" for i in range(len(many))], name="sample")
    many["file_hash"], many["lost"] = [f"{i:032x}" for i in range(len(many))], ""
    embedding = np.random.default_rng(0).normal(size=(len(many), 8)).astype(np.float16)
    dataset = replace(one.dataset, samples=many, arrays={"embedding": embedding})
    report(replace(one, dataset=dataset), tmp_path / "anonymous", anonymise=True)
    page = everything(tmp_path / "anonymous")["report.html"]
    assert 'id="map"' in page
    assert "class-02" in page
    assert SECRET not in page.lower()


def test_no_picture_survives(audit: Audit, tmp_path: Path) -> None:
    report(audit, tmp_path / "plain")
    report(audit, tmp_path / "anonymous", anonymise=True)
    assert '"/9j/' in (tmp_path / "plain" / "report.html").read_text(encoding="utf-8")
    assert '"/9j/' not in (tmp_path / "anonymous" / "report.html").read_text(encoding="utf-8")


def test_what_is_no_name_survives() -> None:
    hidden = anonymise(secretive())
    assert set(hidden.dataset.samples["split"]) == {"train", "test", "split-01"}
    assert len(set(hidden.dataset.samples.index)) == 6
    table = hidden.issues.table
    assert '"relation":"mirrored"' in table[table["check"] == "near-duplicate"]["evidence"].iloc[0]
    assert table[table["check"] == "class-imbalance"]["target"].iloc[0] == "class-01"
    assert set(table[table["check"] == "conflicting-rows"]["location"]) == {"row 17", "row 4"}
    assert hidden.run["options"] == {"pass": {"jobs": 1}, "checks": {"dark": {"threshold": 0.2}}}
    assert hidden.skipped == {"blurry": "failed"}


def test_pseudonyms_are_stable_when_files_are_renamed_and_reordered() -> None:
    one = secretive()
    table = one.dataset.samples.iloc[::-1].copy()
    table.index = pd.Index([f"other/{i}" for i in range(6)], name="sample")
    two = replace(one, dataset=replace(one.dataset, samples=table))
    assert set(anonymise(one).dataset.samples.index) == set(anonymise(two).dataset.samples.index)


def test_ids_of_claims_about_known_content_stay_the_same() -> None:
    audit = secretive()
    hidden = anonymise(audit)
    of_content = audit.issues.table["check"].isin(["dark", "near-duplicate"]) | (
        audit.issues.table["target"] == "row 4"
    )
    same = issue_ids(audit.issues, audit.dataset) == issue_ids(hidden.issues, hidden.dataset)
    np.testing.assert_array_equal(same, of_content)


def test_the_audit_given_is_left_as_it_was() -> None:
    audit = secretive()
    before = audit.issues.table.copy(), audit.dataset.samples.copy()
    anonymise(audit)
    pd.testing.assert_frame_equal(audit.issues.table, before[0])
    pd.testing.assert_frame_equal(audit.dataset.samples, before[1])
