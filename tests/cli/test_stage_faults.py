"""A few of the damaged stage files of `benchmarks/fuzz_stages.py`: one line, exit code 2 or 3,
or the work done; no traceback.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from dataprep import interruption
from dataprep.cli import exit_code_of, main
from tests.stage_faults import TARGETS, case, prepare, run


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setenv("DATAPREP_CACHE_DIR", str(tmp_path_factory.mktemp("stage-cache")))
        prepare(folder)
    return folder


@pytest.mark.parametrize("number", range(len(TARGETS)))
def test_a_damaged_stage_file_is_one_line_or_does_no_harm(
    template: Path, tmp_path: Path, number: int
) -> None:
    what, outcome = case(template, tmp_path / "work", number + 1000)
    assert not outcome.fault, f"{what}\n{outcome.errors}"


DAMAGED = [
    (
        "clean -q",
        "out/audit/run.json",
        '{"options": ["x"]}',
        "options: expected an object, got ['x']",
    ),
    (
        "clean -q",
        "out/audit/run.json",
        '{"skipped": {"dark": 3}}',
        "skipped.dark: expected text, got 3",
    ),
    ("clean -q", "out/audit/run.json", "[1]", "holds no record of a run"),
    ("clean -q", "out/audit/run.json", "[" * 100_000, "nested too deeply"),
    ("clean -q", "out/audit/issues.csv", "check,scope\n", "cannot read"),
    (
        "split -q",
        "out/clean/applied.json",
        '{"applied": 1, "changes": {}}',
        "changes: expected a list, got {}",
    ),
    (
        "split --extend -q",
        "out/split/proof.json",
        '{"asked": {"external": [3]}}',
        "asked.external.0: expected a list, got 3",
    ),
    (
        "clean --apply -q",
        "out/clean/plan.csv",
        "sample,action\n" + "x" * 200_000 + ",drop\n",
        "line 2: field larger than",
    ),
    (
        "clean --apply -q",
        "out/clean/plan.json",
        '{"plan": 1, "data": 7}',
        "data: expected an object, got 7",
    ),
    (
        "split --repair --from x.csv -q",
        "x.csv",
        'path,split\n"a',
        "cannot read the earlier split x.csv",
    ),
    ("augment --policy x.yaml -q", "x.yaml", "transform: [", "x.yaml"),
    (
        "audit images -q",
        "dataprep.toml",
        "\ufeff[audit]\nout = ['x']\n",
        "audit.out: expected a text such as \"a\", got ['x']",
    ),
    (
        "audit images -q",
        "dataprep.toml",
        "[audit]\njobs = true\n",
        "audit.jobs: expected a whole number, got True",
    ),
    (
        "audit images -q",
        "dataprep.toml",
        "[audit]\nskip = 'dark'\n",
        'audit.skip: expected a list such as ["a", "b"]',
    ),
    (
        "audit images -q",
        "dataprep.toml",
        "[pass]\ntime_limit_s = inf\n",
        "pass.time_limit_s: expected a value in",
    ),
    ("audit images -q", "dataprep.toml", "[checks.dark]\nthreshold = nan\n", "dark.threshold"),
    ("audit images -q", "dataprep.toml", "x = " + "[" * 3000 + "]" * 3000, "nested too deeply"),
    ("audit images -q --known x.json", "x.json", '{"ids": [1, null]}', "is no report of dataprep"),
    (
        "audit images -q --ignore x.csv",
        "x.csv",
        "check,id\ndark," + "x" * 200_000,
        "line 2: field larger than",
    ),
    (
        "audit images -q --time-limit 1e300",
        "x",
        "",
        "pass.time_limit_s: expected a value in [0.1, 86400], got 1e+300",
    ),
    (
        "audit images -q --time-limit -1",
        "x",
        "",
        "pass.time_limit_s: expected a value in [0.1, 86400], got -1.0",
    ),
]


@pytest.mark.parametrize(
    ("command", "name", "content", "words"),
    DAMAGED,
    ids=[f"{each[0]}-{n}" for n, each in enumerate(DAMAGED)],
)
def test_what_is_wrong_is_said(
    template: Path, tmp_path: Path, command: str, name: str, content: str, words: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    os.symlink(template / "images", work / "images")
    for path in template.glob("out/*/*"):
        (work / path.relative_to(template)).parent.mkdir(parents=True, exist_ok=True)
        os.link(path, work / path.relative_to(template))
    (work / name).unlink(missing_ok=True)
    (work / name).write_text(content)
    done = run(command, work)
    assert words in done.errors
    assert (done.code, done.fault) == (2, "")
    assert words in done.errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "lines", "words"),
    [
        ("audit images --jobs 1", 4, "images were read and measured"),
        ("clean --overwrite", 1, "to drop"),
        ("clean --apply", 1, "kept"),
        ("split", 4, "3 parts"),
        ("normalise --jobs 1", 1, "Fitted on"),
        ("predict images --model model.onnx --jobs 1", 1, "12 images: "),
    ],
)
def test_quiet_prints_the_verdict_alone(
    template: Path, tmp_path: Path, command: str, lines: int, words: str
) -> None:
    shutil.copytree(template, tmp_path / "work")
    full, quiet = (run(f"{command}{flag}", tmp_path / "work") for flag in ("", " -q"))
    assert (full.code, quiet.code) == (0, 0), quiet.errors
    assert words in quiet.said
    assert len(quiet.said.splitlines()) <= lines < len(full.said.splitlines())
    assert "Written" not in quiet.said


@pytest.mark.skipif(os.name == "nt", reason="devices and named pipes are POSIX")
@pytest.mark.parametrize(
    "option", ["--known", "--ignore", "--config", "--files", "--probs /dev/zero --config"]
)
def test_devices_are_refused_as_inputs(template: Path, tmp_path: Path, option: str) -> None:
    done = run(f"audit {template / 'images'} -q {option} /dev/zero", tmp_path)
    assert "/dev/zero: expected a file, got a device" in done.errors
    assert (done.code, done.fault) == (2, "")


def test_a_working_folder_that_was_deleted_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr("sys.argv", ["dataprep", "checks"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert (
        capfd.readouterr().err
        == "dataprep: the working directory was deleted: change to one that is there (cd)\n"
    )


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libx.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_a_lack_of_memory_is_one_line(error: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    interruption.take()
    outer = LibraryError()
    outer.__cause__ = error
    assert exit_code_of(outer) == 3
    said = capfd.readouterr().err
    assert said.startswith("dataprep: there is not enough memory")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "said"), [(None, "could not write: "), ("/x/y.csv", "could not write: /x/y.csv: ")]
)
def test_a_full_disk_is_named_by_its_file_if_it_has_one(
    path: str | None, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    interruption.take()
    assert exit_code_of(OSError(errno.ENOSPC, "No space left on device", path)) == 3
    assert capfd.readouterr().err == f"dataprep: {said}no space left on device\n"


class LibraryError(Exception):
    """What a library makes of a lack of memory."""
