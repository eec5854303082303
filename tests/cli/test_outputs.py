"""What a command writes and what it leaves alone: files of the user's, earlier audits, the
folder of images.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dataprep.cleaning import read_audit
from dataprep.cli import app
from dataprep.errors import DataprepError, InputError
from dataprep.schemas.files.writing import MARKER
from tests.conftest import save, textured

AUDIT = ("--no-embedding", "--jobs", 1)


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six images of two classes, in the working folder; a/4.png is a copy of a/2.png."""
    monkeypatch.chdir(tmp_path)
    for number in range(6):
        save(
            textured(2 if number == 4 else number),
            tmp_path / "images" / "ab"[number % 2] / f"{number}.png",
        )
    return tmp_path / "images"


def run(*arguments: object) -> Result:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, DataprepError | SystemExit):
        raise done.exception
    return done


def audit(*arguments: object) -> Result:
    return run("audit", *arguments, *AUDIT)


def listed(images: Path) -> str:
    """A manifest beside the images."""
    rows = [
        f"{path.parent.name}/{path.name},{path.parent.name}"
        for path in sorted(images.rglob("*.png"))
    ]
    (images.parent / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    return (images.parent / "labels.csv").read_text()


def test_the_audited_manifest_is_not_overwritten(images: Path, tmp_path: Path) -> None:
    before = listed(images)
    assert audit("images", "--manifest", "labels.csv").exit_code == 0
    assert run("clean").exit_code == 0
    for name in ("labels.csv", "./labels.csv", images.parent / "labels.csv"):
        refused = run("clean", "--apply", "--manifest", name)
        assert isinstance(refused.exception, InputError)
        assert "is what was read" in str(refused.exception)
        assert "--force" in str(refused.exception)
    assert (tmp_path / "labels.csv").read_text() == before
    assert not (tmp_path / "dataprep-out/clean/applied.json").exists()
    assert run("clean", "--apply", "--manifest", "labels.csv", "--force").exit_code == 0
    assert (tmp_path / "labels.csv").read_text() != before


def test_a_cleaned_manifest_that_was_audited_is_not_overwritten_by_the_next(
    images: Path, tmp_path: Path
) -> None:
    assert audit("images").exit_code == 0
    assert (
        run("clean").exit_code
        == run("clean", "--apply").exit_code
        == run("clean", "--apply").exit_code
        == 0
    )
    manifest = tmp_path / "dataprep-out/clean/clean.csv"
    before = manifest.read_text()
    assert audit("images", "--manifest", manifest).exit_code == 0
    assert run("clean", "--overwrite").exit_code == 0
    assert "is what was read" in str(run("clean", "--apply").exception)
    assert manifest.read_text() == before


def test_a_file_of_the_users_is_not_overwritten_and_our_own_is(
    images: Path, tmp_path: Path
) -> None:
    assert audit("images").exit_code == 0
    assert run("clean").exit_code == 0
    (tmp_path / "mine.csv").write_text("years of work")
    assert "not (or no longer) what dataprep wrote" in str(
        run("clean", "--apply", "--manifest", "mine.csv").exception
    )
    assert (tmp_path / "mine.csv").read_text() == "years of work"
    for _ in range(2):
        assert run("clean", "--apply", "--manifest", "ours.csv").exit_code == 0
    with (tmp_path / "ours.csv").open("a") as file:
        file.write("images/a/0.png,corrected by hand\n")
    assert "no longer" in str(run("clean", "--apply", "--manifest", "ours.csv").exception)
    plan = tmp_path / "dataprep-out" / "clean" / "plan.csv"
    before = plan.read_text()
    assert isinstance(run("clean", "--apply", "--manifest", plan).exception, InputError)
    assert plan.read_text() == before


@pytest.mark.parametrize("format", ["json", "csv"])
def test_what_goes_to_stdout_is_written_nowhere_unless_asked_for(
    images: Path, tmp_path: Path, format: str
) -> None:
    done = audit("images", "--format", format)
    assert done.exit_code == 0
    assert done.stdout.startswith('{"schema"' if format == "json" else '"id"')
    assert os.listdir(tmp_path) == ["images"]
    assert audit("images", "--format", format, "--out", "out").stdout.startswith(done.stdout[:10])
    assert read_audit(tmp_path / "out" / "audit").dataset.has("label")
    (tmp_path / "dataprep.toml").write_text('[audit]\nout = "here"\n')
    assert audit("images", "--format", format).exit_code == 0
    assert (tmp_path / "here" / "audit" / "report.json").exists()


@pytest.mark.parametrize(
    ("narrower", "lacks"),
    [
        (("--only", "dark"), "--only"),
        (("--skip", "near-duplicate"), "--skip"),
        (("--sample", 4), "--sample"),
        (("--include", "b/*"), ""),
    ],
)
def test_a_partial_audit_keeps_the_full_one_and_the_next_stage_says_what_is_missing(
    images: Path, tmp_path: Path, narrower: tuple[str, ...], lacks: str
) -> None:
    assert audit("images").exit_code == 0
    full = (tmp_path / "dataprep-out/audit/report.json").read_bytes()
    done = audit("images", *narrower)
    assert done.exit_code == 0
    assert done.stderr.count("\n") == 1
    assert (
        "contained a fuller audit of the same data (6 images); it is in "
        "dataprep-out/audit-previous now" in done.stderr
    )
    assert (tmp_path / "dataprep-out/audit-previous/report.json").read_bytes() == full
    divided = run("split", "-q")
    if not lacks:
        assert divided.exit_code == 0
        return
    assert isinstance(divided.exception, InputError)
    message = str(divided.exception)
    assert "is not enough for a split" in message
    assert (
        f"Make it whole: dataprep audit {images}, with its other options and without {lacks}"
        in message
    )


def test_a_partial_audit_is_replaced_by_its_like_and_by_a_whole_one(
    images: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        assert audit("images", "--only", "dark").stderr == ""
    assert run("split", "images", "--no-embedding", "-q").exit_code == 0
    assert sorted(os.listdir(tmp_path / "dataprep-out")) == ["audit", "split"]
    assert run("split", "-q").exit_code == 0


def test_a_plan_is_not_made_of_an_audit_that_did_not_look_for_what_it_acts_on(images: Path) -> None:
    assert audit("images", "--only", "near-duplicate").exit_code == 0
    assert "did not look for unreadable, exact-duplicate" in str(run("clean").exception)
    assert run("clean", "--keep", "unreadable", "--keep", "exact-duplicate").exit_code == 0
    assert audit("images", "--skip", "wrong-label").exit_code == 0
    assert run("clean").exit_code == 0
    assert "did not look for wrong-label" in str(run("clean", "--relabel").exception)


def test_new_issues_alone_are_not_divided_by(images: Path, tmp_path: Path) -> None:
    assert audit("images", "--out", "before").exit_code == 0
    assert audit("images", "--known", "before").exit_code == 0
    assert "issues of an earlier report were left out" in str(run("split", "-q").exception)


def test_audits_of_other_data_are_all_kept(images: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(textured(20), tmp_path / name / "a" / "1.png")
    assert audit("images").stderr == ""
    said = audit("one").stderr
    assert (
        f"contained an audit of other data, {images} (6 images); it is in "
        "dataprep-out/audit-previous now"
    ) in said
    assert "dataprep-out/audit-previous-2 now" in audit("two").stderr
    roots = {
        json.loads(path.read_text())["root"]
        for path in (tmp_path / "dataprep-out").glob("audit*/run.json")
    }
    assert roots == {str(tmp_path / name) for name in ("images", "one", "two")}
    assert "dataprep-out/audit-previous-3 now" in audit("images").stderr
    assert "dataprep-out/audit-previous now" in audit("one").stderr, "the same audit is kept once"


def test_the_same_data_by_another_list_is_other_data(images: Path, tmp_path: Path) -> None:
    listed(images)
    assert audit("images", "--manifest", "labels.csv").exit_code == 0
    (tmp_path / "others.csv").write_text(
        "\n".join((tmp_path / "labels.csv").read_text().splitlines()[:5]) + "\n"
    )
    assert "an audit of other data" in audit("images", "--manifest", "others.csv").stderr


def test_results_in_the_folder_of_images_are_said_once(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(images)
    assert "results go to dataprep-out, in the folder of images" in audit(".").stderr
    assert (images / "dataprep-out" / "audit" / MARKER).exists()
    again = audit(".")
    assert again.stderr == ""
    assert len(read_audit(images / "dataprep-out" / "audit").dataset) == 6


@pytest.mark.parametrize("stage", ["audit", "split", "clean"])
def test_a_class_folder_is_never_taken_for_results(images: Path, stage: str) -> None:
    (images / "a").rename(images / stage)
    for command in (("audit", "."), ("split", "."), ("clean", ".")):
        os.chdir(images)
        refused = run(*command, "--out", ".")
        assert "is the folder of images" in str(refused.exception)
    (images / "data").mkdir()
    (images / stage).rename(images / "data" / stage)
    command = "audit" if stage == "audit" else stage
    refused = run(command, images, "--out", images / "data")
    assert "holds files that dataprep did not put there" in str(refused.exception)
    assert not (images / "data" / stage / MARKER).exists()
