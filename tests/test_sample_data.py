"""The sample data: every planted fault is found, good images raise no alarm, and the script
draws what is committed.
"""

from __future__ import annotations

import binascii
import csv
import filecmp
import importlib
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import dataprep
from dataprep import registry
from dataprep.schemas.dataset import Dataset

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
#: A photo inside an SVG.
JPEG = re.compile(r'data:image/jpeg;base64,([^"]*)')
#: No repository can hold a folder that may not be read; the others speak of many images, and are
#: tested on made-up embeddings, or would make the planted sets another kind of set (a class less in
#: a split).
NOT_PLANTED = {
    "unreadable-folder",
    "similar-images",
    "ambiguous-classes",
    "label-noise",
    "underperforming-group",
    "low-coverage",
    "learning-curve",
    "shortcut",
    "trigger",
    "distribution-mismatch",
    "already-normalised",
    "normalisation-mismatch",
    "wrong-label",
    "another-shot",
    "mask-beside-image",
    "absent-class",
    "possible-groups",
}
#: Alarms about good images that are right in their way, or too few to matter: check to how many.
ALLOWED: dict[str, int] = {}


def truth(dataset: str) -> list[dict[str, str]]:
    with (SAMPLE_DATA / "truth.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["dataset"] == dataset]


def audit_of(name: str):
    manifest = SAMPLE_DATA / name / "labels.csv"
    dataset = dataprep.scan(SAMPLE_DATA / name, manifest=manifest if manifest.exists() else None)
    return dataprep.audit(dataset, pass_options=dataprep.PassOptions(cache=False))


@pytest.fixture(scope="module")
def audits():
    return {name: audit_of(name) for name in ("shapes", "manifest")}


def is_found(fault: dict[str, str], issues) -> bool:
    """Whether a claim of the fault's check names its path, class or split on either side, or its
    row of the manifest.
    """
    table = issues.of(fault["fault"]).table
    rows = re.findall(r"(?:row|and) (\d+):", fault["note"])
    locations = {f"labels.csv:{row}" for row in rows}
    return bool(
        (
            table["target"].eq(fault["path"])
            | table["related"].eq(fault["path"])
            | table["location"].isin(locations)
        ).any()
    )


@pytest.mark.parametrize("name", ["shapes", "manifest"])
def test_every_planted_fault_is_found(audits, name):
    missed = [fault for fault in truth(name) if not is_found(fault, audits[name].issues)]
    assert not missed


def test_every_check_has_a_planted_fault():
    planted = {fault["fault"] for name in ("shapes", "manifest") for fault in truth(name)}
    assert planted == set(registry.BUILT_IN["dataprep.checks"]) - NOT_PLANTED


def test_nothing_was_skipped_for_a_failure(audits):
    reasons = [reason for audit in audits.values() for reason in audit.skipped.values()]
    assert not [reason for reason in reasons if reason.startswith("failed")]


def test_good_images_raise_no_alarm(audits):
    """Of the families files and quality, and of the duplicates but for the originals of planted
    copies.
    """
    families = ("files", "quality", "duplicates")
    codes = [
        code
        for code in registry.BUILT_IN["dataprep.checks"]
        if family_of(code) in families and code != "similar-images"
    ]
    for name, audit in audits.items():
        bad = {
            word
            for fault in truth(name)
            for word in (fault["path"], fault["note"].rpartition("; of ")[2])
        }
        table = audit.issues.of(*codes).table
        alarms = table[table["scope"].isin(["sample", "pair"]) & ~table["target"].isin(bad)]
        counts = alarms["check"].astype("str").value_counts().to_dict()
        assert counts == ALLOWED, (
            f"{name}:\n{alarms[['check', 'target', 'related', 'figure']].to_string()}"
        )


def family_of(code: str) -> str:
    return registry.load("dataprep.checks", code).family


@pytest.fixture(scope="module")
def pictures():
    """The module that draws the pictures of the checks' pages."""
    sys.path.insert(0, str(SAMPLE_DATA))
    yield importlib.import_module("examples")
    sys.path.remove(str(SAMPLE_DATA))
    for module in ("examples", "faults", "scenes"):
        sys.modules.pop(module, None)


def test_every_check_has_a_bad_and_a_good_picture_as_it_is_drawn(pictures):
    drawn = pictures.drawings()
    assert {name.rpartition("-")[0] for name in drawn} == set(registry.BUILT_IN["dataprep.checks"])
    assert sorted(drawn) == sorted(path.name for path in pictures.PICTURES.iterdir())
    for name, text in drawn.items():
        committed = (pictures.PICTURES / name).read_text(encoding="utf-8")
        assert len(committed) < 10_000, name
        one, other = JPEG.split(text), JPEG.split(committed)
        assert one[::2] == other[::2], f"{name}: run python sample_data/examples.py"
        for drawn_photo, kept_photo in zip(one[1::2], other[1::2], strict=True):
            difference = np.abs(decoded(drawn_photo) - decoded(kept_photo))
            assert difference.mean() < 4, f"{name} looks different from what the script draws"


def decoded(base64: str) -> np.ndarray:
    data = np.frombuffer(binascii.a2b_base64(base64), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR).astype(np.int16)


def test_the_check_finds_the_bad_picture_and_not_the_good_one(audits, pictures):
    for code in (*pictures.PHOTOS, *pictures.PAIRS):
        table = audits["shapes"].issues.of(code).table
        bad, good = pictures.places(code)
        claims = [{row.target, row.related} for row in table.itertuples(index=False)]
        assert any(set(bad) <= claim for claim in claims), code
        if code != "label-candidates":  # which names a copy, and its original by the way
            assert not [claim for claim in claims if claim & set(good)], code


def test_the_check_finds_the_bad_rows_and_not_the_good_ones(audits, pictures):
    for code, (_, good, faulty) in pictures.ROWS.items():
        table = audits["manifest"].issues.of(code).table
        named = set(table["target"]) | set(table["location"])
        wrong = " ".join(f["note"] for f in truth("manifest") if f["fault"] == code)
        for row in faulty:
            assert code == "group-leakage" or f"labels.csv:{row}" in named or str(row) in wrong
        assert not {f"labels.csv:{row}" for row in good} & set(table["location"]), code


@pytest.mark.parametrize("code", ["class-imbalance", "small-class", "absent-class", "label-shift"])
def test_the_check_finds_the_bad_chart_and_not_the_good_one(pictures, code):
    check = registry.load("dataprep.checks", code)()

    def found(bars) -> bool:
        rows = [
            (label, split or None)
            for split, counts in bars.counts.items()
            for label, count in counts.items()
            for _ in range(count)
        ]
        samples = pd.DataFrame(rows, columns=["label", "split"])
        samples.index = pd.Index([f"{number}.jpg" for number in range(len(rows))], name="sample")
        dataset = Dataset("in-memory", samples.dropna(axis="columns"))
        return any(len(batch) for batch in check.find(dataset, None))

    example = pictures.examples()[code]
    assert found(example.bad)
    assert not found(example.good)


def test_the_script_draws_what_is_committed(tmp_path, monkeypatch):
    """Byte for byte where the encoders are those that drew it, else alike to the eye."""
    monkeypatch.syspath_prepend(str(SAMPLE_DATA))
    draw = importlib.import_module("draw")
    draw.draw_manifest(str(tmp_path))
    for module in ("draw", "faults", "scenes"):
        sys.modules.pop(module, None)
    drawn, committed = tmp_path / "manifest", SAMPLE_DATA / "manifest"
    names = sorted(str(path.relative_to(drawn)) for path in drawn.rglob("*") if path.is_file())
    assert names == sorted(
        str(path.relative_to(committed)) for path in committed.rglob("*") if path.is_file()
    )
    _, different, errors = filecmp.cmpfiles(drawn, committed, names, shallow=False)
    assert not errors
    for name in different:
        assert name.endswith(".jpg"), f"{name} differs from what the script writes"
        one, other = (
            cv2.imread(str(folder / name)).astype(np.int16) for folder in (drawn, committed)
        )
        assert np.abs(one - other).mean() < 4, f"{name} looks different from what the script draws"
