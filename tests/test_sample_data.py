"""The sample data: every planted fault is found, good images raise no alarm, and the script
draws what is committed.
"""

from __future__ import annotations

import csv
import filecmp
import importlib
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import dataprep
from dataprep import registry

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
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
