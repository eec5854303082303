"""audit(): the union of needs, one pass, every check; what could not look is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from typer.testing import CliRunner

import dataprep
from dataprep import registry
from dataprep.checks.contract import Check, Look
from dataprep.checks.quality.dark import Dark
from dataprep.cli import app
from dataprep.engine import make_checks, run_checks
from dataprep.errors import InputError, OptionError, RegistryError
from dataprep.testing import SyntheticLook, synthetic_dataset
from tests.conftest import save, textured


def test_audit_of_a_folder_measures_and_judges(class_folders: Path) -> None:
    (class_folders / "cat" / "broken.jpg").write_bytes(b"<html>not found</html>")
    audit = dataprep.audit(str(class_folders))
    assert len(audit.dataset) == 13
    assert audit.dataset.task == "classification"
    assert audit.dataset.classes == ("cat", "dog")
    assert audit.issues.of("unreadable").table["target"].tolist() == ["cat/broken.jpg"]
    assert audit.skipped["split-leakage"] == "needs splits"
    assert not [code for code, reason in audit.skipped.items() if reason.startswith("failed")]
    assert {check.code for check in audit.checks} == set(registry.names("dataprep.checks"))
    assert json.loads(json.dumps(audit.run))["fingerprint"] == audit.dataset.fingerprint


def test_the_same_data_give_the_same_issues(class_folders: Path) -> None:
    save(textured(3), class_folders / "dog" / "copy.jpg", quality=92)
    first, second = dataprep.audit(str(class_folders)), dataprep.audit(str(class_folders))
    pd.testing.assert_frame_equal(first.issues.table, second.issues.table)
    assert first.dataset.fingerprint == second.dataset.fingerprint


def test_only_and_skip_choose_checks() -> None:
    assert [check.code for check in make_checks(only=["dark", "bright"], skip=["bright"])] == [
        "dark"
    ]
    with pytest.raises(OptionError, match="no check is called 'drak'. Did you mean 'dark'"):
        make_checks(only=["drak"])


def test_options_reach_their_check(class_folders: Path) -> None:
    strict = dataprep.audit(str(class_folders), only=["odd-size"])
    assert strict.checks[0].code == "odd-size"
    with pytest.raises(OptionError, match=r"unknown option dark\.treshold"):
        dataprep.audit(str(class_folders), options={"dark": {"treshold": 0.1}})


def test_an_audit_leaves_the_images_as_they_were(class_folders: Path) -> None:
    before = {path: path.read_bytes() for path in class_folders.rglob("*") if path.is_file()}
    dataprep.audit(str(class_folders))
    assert before == {
        path: path.read_bytes() for path in class_folders.rglob("*") if path.is_file()
    }


@dataclass(frozen=True)
class Broken(Check):
    """A plug-in with a defect."""

    code: ClassVar[str] = "broken-plug-in"

    def find(self, dataset: dataprep.Dataset, look: Look) -> Iterator[pd.DataFrame]:
        raise ZeroDivisionError("one over nothing")


def test_a_failing_check_costs_only_its_own_findings(
    class_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {**registry.BUILT_IN["dataprep.checks"], "broken-plug-in": f"{__name__}:Broken"}
    monkeypatch.setitem(registry.BUILT_IN, "dataprep.checks", table)
    registry._table.cache_clear()
    try:
        audit = dataprep.audit(str(class_folders))
    finally:
        monkeypatch.undo()
        registry._table.cache_clear()
    assert audit.skipped["broken-plug-in"] == "failed: ZeroDivisionError: one over nothing"
    assert len(audit.issues)


def test_nothing_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        dataprep.audit(str(tmp_path / "nowhere"))
    with pytest.raises(InputError):
        dataprep.audit(str(tmp_path))


def test_one_image_is_enough(tmp_path: Path) -> None:
    save(textured(1), tmp_path / "only.png")
    audit = dataprep.audit(str(tmp_path))
    assert len(audit.dataset) == 1
    assert not [reason for reason in audit.skipped.values() if reason.startswith("failed")]


def test_unknown_names_point_to_known_ones() -> None:
    with pytest.raises(RegistryError, match="no check is called 'blury'. Did you mean 'blurry'"):
        registry.load("dataprep.checks", "blury")


def test_a_folder_of_broken_files_fails_no_check(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "page.jpg").write_bytes(b"<html>not found</html>")
    audit = dataprep.audit(str(tmp_path))
    assert len(audit.issues.of("unreadable")) == 2
    assert not [code for code, reason in audit.skipped.items() if reason.startswith("failed")]
    assert audit.skipped["blurry"] == "no image could be measured"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"only": "dark"}, "expected a list of codes"),
        ({"options": {"dark": 0.1}}, "expected a mapping"),
        ({"pass_options": {"jobs": 1}}, "expected dataprep.PassOptions"),
    ],
)
def test_options_of_another_type_are_a_users_mistake(
    class_folders: Path, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        dataprep.audit(str(class_folders), **given)


@pytest.mark.parametrize("source", [3, b"images"])
def test_a_source_of_another_type_is_a_users_mistake(source: Any) -> None:
    with pytest.raises(
        InputError, match="expected a folder, an fsspec URL, a manifest or a list of files"
    ):
        dataprep.audit(source)


def test_checks_of_classes_say_that_one_class_is_not_enough() -> None:
    dataset = synthetic_dataset(60).assign(label="only")
    checks = make_checks(only=["wrong-label", "shortcut", "outlier"])
    _, skipped = run_checks(checks, dataset, SyntheticLook(dataset))
    assert skipped["wrong-label"] == skipped["shortcut"] == "needs labels of 2 classes"
    assert "outlier" not in skipped
    small = synthetic_dataset(20)
    assert (
        run_checks(checks, small, SyntheticLook(small))[1]["outlier"]
        == "needs embeddings of 50 images"
    )


@dataclass(frozen=True)
class BrokenDark(Dark):
    __doc__ = Dark.__doc__
    code: ClassVar[str] = "broken-plug-in"

    def find(self, dataset: dataprep.Dataset, look: Look) -> Iterator[pd.DataFrame]:
        raise ZeroDivisionError("one over nothing")


def test_a_failed_check_is_a_failure_of_the_run(
    class_folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said first, with the exit code of failed work whatever the gate, and the other results
    kept.
    """
    table = {**registry.BUILT_IN["dataprep.checks"], "broken-plug-in": f"{__name__}:BrokenDark"}
    monkeypatch.setitem(registry.BUILT_IN, "dataprep.checks", table)
    registry._table.cache_clear()
    try:
        for gate in ("never", "error"):
            args = [
                "audit",
                str(class_folders),
                "--out",
                str(tmp_path / gate),
                "--fail-at",
                gate,
                "--no-embedding",
            ]
            result = CliRunner().invoke(app, args)
            assert result.exit_code == 3
            assert "1 check failed: this audit is incomplete" in result.output
            assert (
                "the check broken-plug-in failed: ZeroDivisionError: one over nothing"
                in result.output
            )
            report = json.loads(
                (tmp_path / gate / "audit" / "report.json").read_text(encoding="utf-8")
            )
            assert report["verdict"]["level"] == "error"
            assert report["verdict"]["text"].startswith("The results of broken-plug-in are missing")
            assert len(report["checks"]) > 20
    finally:
        monkeypatch.undo()
        registry._table.cache_clear()
