"""``dataprep split``: the way from a folder to a proven split, and what is said on the way."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataprep.backends.warm import warm_workers
from dataprep.cli import app
from tests.conftest import save, textured


@pytest.fixture(autouse=True, scope="module")
def _one_worker_for_all_tests():
    with warm_workers():
        yield


def run(*arguments: str | Path):
    return CliRunner().invoke(app, ["split", *map(str, arguments)], catch_exceptions=True)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def audited(class_folders: Path, out: Path) -> Path:
    """Twelve images with two copies, audited and split once."""
    for number in (0, 2):
        copy = class_folders / "dog" / f"copy-{number:02d}.jpg"
        copy.write_bytes((class_folders / "dog" / f"{number:02d}.jpg").read_bytes())
    done = run(class_folders, "--no-embedding", "--ratios", "train=0.5,test=0.5", "--out", out)
    assert done.exit_code == 0, done.output
    return class_folders


def test_a_folder_is_audited_then_split(audited: Path, out: Path) -> None:
    assert sorted(os.listdir(out / "audit"))[-1] == "samples.parquet"
    assert {"splits.csv", "split.html", "proof.json", "run.json", "samples.parquet"} <= set(
        os.listdir(out / "split")
    )
    proof = json.loads((out / "split/proof.json").read_text())
    assert proof["leaks"]["total"] == 0
    assert proof["kept_together"]["pairs"]["exact-duplicate"] == 2
    assert list(proof["not_looked"]) == ["similar-images"]
    assert "embeddings" in proof["not_looked"]["similar-images"]
    assert proof["tests"]["embedding"]["status"] == "not tested"
    rows = {
        row["path"]: row
        for row in csv.DictReader(io.StringIO((out / "split/splits.csv").read_text()))
    }
    assert rows["dog/00.jpg"]["split"] == rows["dog/copy-00.jpg"]["split"]


def test_without_a_path_it_goes_on_from_the_audit(audited: Path, out: Path) -> None:
    done = run("--folds", 3, "--out", out)
    assert done.exit_code == 0
    assert "3 parts, no leakage" in done.output
    assert "split.html" in done.output
    proof = run("--format", "json", "--out", out)
    assert json.loads(proof.stdout)["parts"] == ["train", "val", "test"]
    table = run("--format", "csv", "--out", out)
    assert table.stdout.startswith("path,label,split,unit")
    again = run(audited, "--out", out)
    assert "going on from the audit" in again.stderr


def test_changed_files_are_refused_and_a_new_audit_mends_it(audited: Path, out: Path) -> None:
    save(textured(99), audited / "dog" / "00.jpg", quality=50)
    done = run("--out", out)
    assert done.exit_code != 0
    assert "changed or went since the audit" in str(done.exception)
    assert run(audited, "--no-embedding", "--out", out).exit_code == 0


def clean(*arguments: str | Path) -> None:
    done = CliRunner().invoke(app, ["clean", *map(str, arguments)])
    assert done.exit_code == 0, done.output


def test_a_plan_counts_after_it_was_applied_or_by_name(audited: Path, out: Path) -> None:
    clean("--out", out)
    left = run("--out", out)
    assert "left out: dropped by the plan" not in left.stdout
    assert (
        f"plan.csv was not applied, so it is not used. Apply it (dataprep clean --out {out} "
        "--apply)"
    ) in left.stderr
    for arguments in (
        ["--plan"],
        ["--plan", out / "clean"],
        ["--plan", out / "clean" / "plan.csv"],
        ["--plan", "--folds", 2],
    ):
        named = run("--out", out, *arguments)
        assert named.exit_code == 0, named.exception
        assert "applied or not: 2 dropped" in named.stderr
        assert "left out: dropped by the plan" in named.stdout
    clean("--out", out, "--apply")
    done = run("--out", out)
    assert "used the applied plan" in done.stderr
    assert "2 dropped" in done.stderr
    assert "left out: dropped by the plan" in done.stdout
    assert "dropped by the plan" not in run("--no-plan", "--out", out).stdout
    clean("--out", out, "--undo")
    assert "left out: dropped by the plan" not in run("--out", out).stdout


def test_a_plan_that_is_named_has_to_be_there(audited: Path, out: Path) -> None:
    assert "no plan at" in str(run("--plan", "--out", out).exception)
    assert "exclude each other" in str(run("--plan", "--no-plan", "--out", out).exception)


def test_repair_and_extend(audited: Path, out: Path) -> None:
    assert "no split to repair" in str(run("--repair", "--out", out).exception)
    done = run("--repair", "--from", out / "split", "--out", out)
    assert done.exit_code == 0
    assert "REPAIRED" in done.stdout
    assert "MOVES" in done.stdout
    before = (out / "split/splits.csv").read_text().splitlines()
    save(textured(50), audited / "cat" / "50.jpg")
    done = run(audited, "--no-embedding", "--extend", "--out", out)
    assert done.exit_code == 0
    assert "1 new sample joined" in done.stdout
    after = {row["path"]: row["split"] for row in csv.DictReader((out / "split/splits.csv").open())}
    assert all(after[row["path"]] == row["split"] for row in csv.DictReader(before))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repair", "--extend"], "exclude each other"),
        (["--from", "x.csv"], "goes with --repair or --extend"),
        (["--extend", "--folds", "3"], "leave out --folds"),
        (["--label-column", "x"], "give the folder or the manifest too"),
        ([], "Make one: dataprep audit"),
    ],
)
def test_mistakes(arguments: list[str], said: str, out: Path) -> None:
    done = run(*arguments, "--out", out)
    assert done.exit_code != 0
    assert said in str(done.exception)


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "dataprep",
        "split",
        "--ratios",
        "train=0.5",
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_help_names_every_way() -> None:
    text = run("--help").output
    for flag in (
        "--ratios",
        "--folds",
        "--external",
        "--time-column",
        "--balance",
        "--repair",
        "--extend",
        "--group",
    ):
        assert flag in text


def test_a_group_column_of_the_manifest_is_found_by_its_own_name(
    class_folders: Path, out: Path
) -> None:
    """The scan may have taken it for the group already, and then calls it that."""
    names = sorted(
        path.relative_to(class_folders).as_posix() for path in class_folders.rglob("*.jpg")
    )
    rows = [f"{name},{name[:3]},s{number // 3},{number % 5}" for number, name in enumerate(names)]
    manifest = out.parent / "labels.csv"
    manifest.write_text("\n".join(["path,label,sender_id,shelf", *rows]))
    asked = (
        "--manifest",
        manifest,
        "--no-embedding",
        "--ratios",
        "train=0.5,test=0.5",
        "--out",
        out,
    )
    done = run(class_folders, *asked, "--group", "sender_id")
    assert done.exit_code == 0, done.exception
    proof = json.loads((out / "split/proof.json").read_text())
    assert proof["kept_together"]["groups"] == {"group": {"groups": 4, "of_several": 4}}
    with pytest.raises(Exception, match="Did you mean 'shelf'"):
        raise run(class_folders, *asked, "--group", "shelve").exception  # type: ignore[misc]


def test_a_corrected_manifest_counts_without_another_audit(
    class_folders: Path, tmp_path: Path, out: Path
) -> None:
    images = sorted(
        path.relative_to(class_folders).as_posix() for path in class_folders.rglob("*.jpg")
    )
    manifest = tmp_path / "list.csv"
    for families, said in ((len(images), "audited"), (3, "going on from")):
        rows = [
            f"{path},{path.split('/')[0]},p{number % families}"
            for number, path in enumerate(images)
        ]
        manifest.write_text("path,label,family\n" + "\n".join(rows) + "\n")
        done = run(
            class_folders,
            "--manifest",
            manifest,
            "--label-column",
            "label",
            "--no-embedding",
            "--group",
            "family",
            "--ratios",
            "train=0.5,test=0.5",
            "--out",
            out,
        )
        assert done.exit_code == 0, done.output
        assert said in done.output
    assert json.loads((out / "split/proof.json").read_text())["kept_together"]["groups"][
        "family"
    ] == {"groups": 3, "of_several": 3}


def test_tolerances_reach_the_repair(audited: Path, out: Path) -> None:
    done = run("--out", out, "--size-tolerance", 0.1)
    assert "--size-tolerance goes with --repair" in str(done.exception)
    mended = (
        "--repair",
        "--from",
        out / "split",
        "--out",
        out,
        "--size-tolerance",
        0.0,
        "--label-tolerance",
        0.0,
    )
    assert run(*mended).exit_code == 0
    table = (out / "split/splits.csv").read_text().replace("test", "train", 1)
    (out / "moved.csv").write_text(table)
    assert run("--repair", "--from", out / "moved.csv", *mended[3:]).exit_code == 0
    lines = json.loads((out / "split/proof.json").read_text())["changed"]["lines"]
    assert not any("within 5%" in line for line in lines)


def test_a_split_is_laid_out_as_it_lies(audited: Path, out: Path, tmp_path: Path) -> None:
    before = (out / "split/splits.csv").read_bytes()
    done = run("--out", out, "--materialise", tmp_path / "laid", "--link", "copy")
    assert done.exit_code == 0, done.output
    assert "is laid out as it is" in done.output
    assert (out / "split/splits.csv").read_bytes() == before
    listed = {
        row["sample"]: row["split"]
        for row in csv.DictReader(io.StringIO((tmp_path / "laid/files.csv").read_text()))
    }
    assert listed == {
        row["path"]: row["split"] for row in csv.DictReader(io.StringIO(before.decode()))
    }


def test_a_split_is_made_anew_where_options_or_a_plan_ask_for_it(
    audited: Path, out: Path, tmp_path: Path
) -> None:
    done = run("--out", out, "--materialise", tmp_path / "laid", "--folds", "2")
    assert "fold1" in done.output
    assert "as it is" not in done.output
    for further in ([], ["--apply"]):
        assert CliRunner().invoke(app, ["clean", "--out", str(out), *further]).exit_code == 0
    done = run("--out", out, "--materialise", tmp_path / "again")
    assert done.exit_code == 0, done.output
    assert "as it is" not in done.output
    assert "dropped by the plan" in done.output
    assert "as it is" in run("--out", out, "--materialise", tmp_path / "again").output
